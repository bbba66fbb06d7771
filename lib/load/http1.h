/* HTTP/1.x responses as they arrive: status line, headers, body framing (RFC 9112, section 6.3).
 * Two implementations of one interface: this fast one, and a slow state machine that is obviously
 * right (http1_slow.h), its oracle in tests and fuzzing. Neither allocates or copies. */
#ifndef PK_LOAD_HTTP1_H
#define PK_LOAD_HTTP1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "load/load.h"

#define PK_HTTP1_HEAD_BYTES_MAX 65536u /* of one head (each interim one, each trailer section too) */
#define PK_HTTP1_LINES_MAX 256u
#define PK_HTTP1_INTERIM_MAX 16u       /* 1xx answers before the final one */
#define PK_HTTP1_CHUNK_LINE_MAX 4096u

typedef enum pk_http1_step {
    PK_HTTP1_MORE,  /* the response is not complete; feed what comes next */
    PK_HTTP1_DONE,  /* complete: status, keep_alive and the counts are valid */
    PK_HTTP1_ERROR, /* error says which class; the connection is of no further use */
} pk_http1_step;

/* The state of one response; a plain struct of at most 64 bytes inside a connection. Fields below
 * the line are the parser's own. */
typedef struct pk_http1 {
    uint64_t body_bytes; /* content so far, without chunk framing */
    uint32_t head_bytes; /* all heads: interim ones, chunk lines and trailers too (framing) */
    uint16_t status;     /* of the final head; 0 before */
    uint8_t error;       /* pk_load_error_class when PK_HTTP1_ERROR */
    bool keep_alive;     /* valid when done: the connection may carry the next request */
    bool suspicious;     /* Transfer-Encoding with Content-Length, or bytes behind the end */
    bool request_is_head, request_is_connect;
    /* --- */
    uint8_t phase;
    uint8_t n_interim;
    uint8_t chunk_state;
    uint16_t n_lines;
    uint32_t line_bytes;
    uint64_t need; /* bytes left of the body or chunk */
} pk_http1;

/* For the next response. */
void pk_http1_begin(pk_http1 *parser, bool request_is_head, bool request_is_connect);

/* Takes what it can of data[0..bytes) and says in *used how much. While a head is incomplete it
 * takes nothing (*used = 0 beyond complete interim heads): the caller keeps the bytes and feeds
 * them again with more behind them, up to PK_HTTP1_HEAD_BYTES_MAX (then: error TOO_LARGE). Bodies
 * and chunk framing are always taken whole. After DONE, bytes beyond *used belong to nobody: the
 * caller sets suspicious and closes (no pipelining). */
pk_http1_step pk_http1_feed(pk_http1 *parser, const char *data, size_t bytes, size_t *used);

/* The connection ended. DONE where that is the right end (a body without length), else ERROR:
 * EMPTY before the first byte, RESET in the head (started: bytes of a head are waiting at the
 * caller), TRUNCATED in the body. */
pk_http1_step pk_http1_end(pk_http1 *parser, bool started);

/* Has the body begun to arrive? (For the first body byte's moment.) */
static inline bool pk_http1_has_body(const pk_http1 *parser) {
    return parser->body_bytes > 0;
}

#endif

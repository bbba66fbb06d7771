/* HTTP/1.x responses as they arrive: status line, fields, where the body ends (RFC 9112, sections
 * 2.2 to 7.1 and 9.3; RFC 9110, sections 5 and 15.2). Neither allocates nor copies. What comes out
 * depends on the bytes alone, not on how they were cut; errors are seen at the first wrong byte.
 * A second implementation, byte by byte and obviously right, is its oracle (tests/oracle).
 *
 * Accepted beyond the letter: LF for CRLF, fields folded over several lines (joined), status lines
 * without a reason, equal lengths given more than once, blanks behind a chunk size.
 * Wrong: NUL, CR without LF, a name that is no token or has a blank before its colon, a major
 * version other than 1, a status outside 100..599, 101 (nobody asked for it). */
#ifndef PK_LOAD_HTTP1_H
#define PK_LOAD_HTTP1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "load/load.h"

/* Limits; what goes beyond them is PK_LOAD_E_TOO_LARGE. */
#define PK_HTTP1_HEAD_BYTES_MAX                                                                  \
    65536u                            /* of a head (each interim one, each trailer section too), \
                                         its empty line included */
#define PK_HTTP1_LINES_MAX 256u       /* of these, behind the status line; folded ones count each */
#define PK_HTTP1_INTERIM_MAX 16u      /* 1xx answers before the final one */
#define PK_HTTP1_CHUNK_LINE_MAX 4096u /* bytes of a chunk's size line, its end included */

typedef enum pk_http1_step {
    PK_HTTP1_MORE,  /* the response is not complete; feed what comes next */
    PK_HTTP1_DONE,  /* complete: status, keep_alive and the counts are valid */
    PK_HTTP1_ERROR, /* error says which class; the connection is of no further use */
} pk_http1_step;

/* The state of one response; a plain struct of at most 64 bytes inside a connection. Fields below
 * the line are the parser's own. */
typedef struct pk_http1 {
    uint64_t body_bytes; /* content so far, without chunk framing */
    uint64_t head_bytes; /* all heads: interim ones, chunk lines and trailers too (framing) */
    uint16_t status;     /* of the final head; 0 before */
    uint8_t error;       /* pk_load_error_class when PK_HTTP1_ERROR */
    bool keep_alive;     /* valid when done: the connection may carry the next request */
    bool suspicious;     /* Transfer-Encoding with Content-Length or in HTTP/1.0; the caller sets it
                            for bytes behind the end */
    bool request_is_head, request_is_connect;
    /* --- */
    uint8_t phase;
    uint8_t line_state;
    uint8_t n_interim;
    uint16_t n_lines;       /* of this head or trailer section */
    uint32_t section_bytes; /* of this head, trailer section or chunk line that were looked at */
    uint64_t need;          /* bytes left of the body or chunk */
} pk_http1;

/* For the next response. */
void pk_http1_begin(pk_http1 *parser, bool request_is_head, bool request_is_connect);

/* Takes what it can of data[0..bytes) and says in *used how much. While a head is incomplete it
 * takes nothing (*used = 0 beyond complete interim heads), yet looks at it and finds what is wrong:
 * the caller keeps the bytes and feeds them again with more behind them; a buffer of
 * PK_HTTP1_HEAD_BYTES_MAX is enough for any head. Bodies and chunk framing are always taken whole.
 * After DONE, bytes beyond *used belong to nobody: the caller sets suspicious and closes (no
 * pipelining). After ERROR, *used is 0. Both are final: further calls repeat them. */
pk_http1_step pk_http1_feed(pk_http1 *parser, const char *data, size_t bytes, size_t *used);

/* The connection ended, after all that came was fed. DONE where that is the right end (a body
 * without length), else ERROR: EMPTY before the first byte, RESET in or before the final head,
 * TRUNCATED behind it. */
pk_http1_step pk_http1_end(pk_http1 *parser);

/* Has the body begun to arrive? (For the first body byte's moment.) */
static inline bool pk_http1_has_body(const pk_http1 *parser) {
    return parser->body_bytes > 0;
}

#endif

/* The oracle of lib/load/http1: the same answers from a state machine that takes one byte at a time
 * and keeps whole names and values as strings. Written to be read against RFC 9112, not to be fast;
 * shares no code with what it judges, only the limits and the words for the outcome. */
#ifndef PK_TESTS_ORACLE_HTTP1_SLOW_H
#define PK_TESTS_ORACLE_HTTP1_SLOW_H

#include "load/http1.h"

typedef enum slow_state {
    SLOW_VERSION, /* "HTTP/1." */
    SLOW_MINOR,
    SLOW_SPACE,
    SLOW_CODE, /* three digits */
    SLOW_BEHIND_CODE,
    SLOW_REASON,
    SLOW_LINE_START,
    SLOW_NAME,
    SLOW_VALUE,
    SLOW_LINE_CR, /* CR at the end of a status line or field */
    SLOW_LAST_CR, /* CR in the empty line */
    SLOW_BODY,    /* `left` bytes more */
    SLOW_BODY_TO_CLOSE,
    SLOW_CHUNK_SIZE,
    SLOW_CHUNK_BLANK,
    SLOW_CHUNK_EXTENSION,
    SLOW_CHUNK_CR,
    SLOW_DATA, /* `left` bytes more */
    SLOW_DATA_END,
    SLOW_DATA_CR,
    SLOW_DONE,
    SLOW_ERROR,
} slow_state;

typedef struct http1_slow {
    /* The outcome: as in pk_http1, but head_bytes also counts incomplete heads. */
    uint64_t body_bytes, head_bytes;
    unsigned status;
    pk_load_error_class error;
    bool keep_alive, suspicious;

    bool request_is_head, request_is_connect;
    slow_state state;
    uint64_t bytes; /* all that came */
    unsigned n_interim;
    bool in_trailer;                       /* the lines are a trailer's */
    unsigned section_bytes, section_lines; /* of this head, trailer or chunk line */
    uint64_t left;

    unsigned minor, code, code_digits; /* of this head */
    bool close, keep_alive_word;
    bool has_length, bad_length, has_coding;
    uint64_t length;
    char codings[PK_HTTP1_HEAD_BYTES_MAX + 1]; /* all of them, a comma behind each field */

    size_t name_bytes, value_bytes; /* of the field being read; no NUL stands inside */
    char name[PK_HTTP1_HEAD_BYTES_MAX + 1], value[PK_HTTP1_HEAD_BYTES_MAX + 1];
} http1_slow;

void http1_slow_begin(http1_slow *slow, bool request_is_head, bool request_is_connect);
/* Takes one byte. Not to be called after DONE or ERROR. */
pk_http1_step http1_slow_byte(http1_slow *slow, char c);
pk_http1_step http1_slow_end(http1_slow *slow);

#endif

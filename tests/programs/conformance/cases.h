/* The answers of conformance_server, as a table: what goes over the wire, how the connection goes
 * on, and what a client has to make of it (RFC 9112, section 6.3 and its neighbours). */
#ifndef CONFORMANCE_CASES_H
#define CONFORMANCE_CASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/strbuf.h"

typedef enum ending {
    END_KEEP,      /* waits for the next request, as long as the client likes */
    END_CLOSE,     /* says goodbye (TLS close_notify, FIN), then reads on until the client leaves */
    END_CLOSE_NOW, /* close(): a request that was not read turns it into a reset */
    END_CUT,       /* as END_CLOSE, but under TLS without close_notify */
    END_RESET,     /* RST */
    END_HOLD,      /* no word more, until the client leaves */
} ending;

enum scheme { BOTH, HTTP = 1, HTTPS = 2 };
enum mode { EVERY, WHOLE, BYTES, CUTS };

/* What the client has to send for the case to make sense; "get" is any request. */
typedef enum request_kind {
    GET,
    HEAD,
    POST,     /* with a small body */
    POST_BIG, /* with a body far beyond what fits into the sockets' buffers */
    IDLE,     /* requests with pauses of two seconds between them, on one connection */
    TIMEOUT,  /* with a limit of a second */
    REQUEST_KINDS
} request_kind;

/* The answer is head + repeat * repeat_count + tail. */
typedef struct conformance_case {
    const char *name;
    const char *head, *repeat, *tail;
    size_t head_bytes, repeat_count, tail_bytes;
    const char *before; /* sent as soon as the request's head is there; NULL: nothing */
    const char *after;  /* sent after idle_ms, in one piece; NULL: nothing */
    unsigned delay_ms;  /* from the request to the answer */
    unsigned gap_ms;    /* the answer goes byte by byte, with this pause */
    unsigned idle_ms;   /* from the answer to what follows */
    bool early;         /* answers before it has read the request's body */
    bool mixed;         /* answers like the other cases in turn that share this one's expectation */
    bool unmixed;       /* .. but not like this one: known clients take it for something else */
    ending ending;
    bool has_later; /* only the first request of a connection is answered; the others get .. */
    ending later;   /* .. this, */
    const char *later_part; /* after these bytes (may be NULL) */
    enum scheme scheme;
    enum mode mode; /* EVERY, or WHOLE where cutting the answer makes no sense */
    request_kind request;
    /* NULL: "ok 200 5 keepalive". Else one of
     *   ok STATUS BODY_BYTES keepalive|close [suspicious] [retries]
     *                         "retries": timing decides whether some requests are sent twice
     *   retry STATUS BODY_BYTES   every request but the first of a connection is sent twice
     *   half STATUS BODY_BYTES CLASS   every other one fails
     *   CLASS                 a name of lib/load/error_class.c */
    const char *expected;
} conformance_case;

extern const conformance_case conformance_cases[];
extern const size_t conformance_cases_count;

/* NULL: none of this name. */
const conformance_case *conformance_find(const char *name, size_t name_bytes);
const char *conformance_expected(const conformance_case *c);
/* Appends the answer's bytes; for a mixed case those of request number `turn`. */
void conformance_answer(const conformance_case *c, uint64_t turn, pk_strbuf *out);
/* One line per case: NAME SCHEMES MODE REQUEST LENGTH EXPECTED... */
void conformance_list(pk_strbuf *out);

#endif

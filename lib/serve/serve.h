/* The load target: options -> run -> result -> render.
 * An HTTP/1.1 server on libmicrohttpd (epoll) with prepared answers, known-answer endpoints and
 * seeded faults. */
#ifndef PK_SERVE_SERVE_H
#define PK_SERVE_SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "base/error.h"
#include "base/interrupt.h"
#include "base/textlist.h"

/* What can go wrong on purpose; one row each in serve/faults.c. */
typedef enum pk_serve_fault {
    PK_SERVE_FAULT_NONE = 0,
    PK_SERVE_FAULT_STATUS,   /* answers 500 */
    PK_SERVE_FAULT_RESET,    /* resets the connection without an answer */
    PK_SERVE_FAULT_TRUNCATE, /* promises a body and closes in the middle of it */
    PK_SERVE_FAULT_HANG,     /* never answers; ends when the client leaves */
    PK_SERVE_FAULT_SLOW,     /* a body that trickles */
    PK_SERVE_FAULT_KINDS
} pk_serve_fault;
/* "500", "reset", ..; NULL for NONE. */
const char *pk_serve_fault_name(pk_serve_fault kind);

typedef struct pk_serve_options {
    pk_text_list listen;        /* "HOST:PORT" each; none and no unix_socket: 127.0.0.1:3000 */
    const char *unix_socket;    /* NULL: none */
    uint64_t threads;           /* that answer, >= 1 */
    uint64_t conn_memory_bytes; /* of each connection; about half of it bounds a request's head */
    uint64_t max_connections;   /* over all listeners; 0: what the limit on descriptors allows */
    uint64_t backlog;
    bool no_date; /* answers without a Date field */

    bool tls;
    const char *cert, *key; /* PEM files, both or none: a self-signed certificate is made */

    uint64_t drain_ns;        /* how long running requests may go on after the first signal */
    uint64_t head_timeout_ns; /* of a whole request head, see head_deadline.h; 0: none */
    uint64_t idle_timeout_ns; /* without any byte; 0: none; rounded up to whole seconds */

    const char *body;       /* of "/": text, or "@FILE"; NULL: a greeting */
    const char *body_type;  /* its Content-Type; NULL: text/plain, or by the file's suffix */
    pk_text_list headers;   /* "Name: value", added to every answer of "/" */
    int64_t status;         /* of "/", 200..599 */
    const char *static_dir; /* NULL: none */

    double error_rate; /* share of requests that fail, 0..1 */
    pk_serve_fault error_kind;
    uint64_t delay_ns;  /* before every answer */
    uint64_t jitter_ns; /* plus up to so much, uniformly */
    uint64_t seed;

    uint64_t max_bytes;      /* of /bytes/N, /stream and /drip */
    uint64_t max_body_bytes; /* of a request's body; beyond it 413 */
} pk_serve_options;

typedef enum pk_serve_note {
    PK_SERVE_WARNING, /* something a person should know */
    PK_SERVE_NOTICE,  /* what is going on, where that can be seen nowhere else */
    PK_SERVE_DETAIL   /* for --verbose */
} pk_serve_note;

/* Called from the thread that called pk_serve_run, never after it returned. */
typedef struct pk_serve_hooks {
    void *context;
    /* Once per listener, in the order of the options, when all of them accept. False, with *err
     * set: the server ends again. */
    bool (*listening)(void *context, const char *url, pk_err *err);
    void (*note)(void *context, pk_serve_note level, const char *line);
} pk_serve_hooks;

typedef struct pk_serve_result {
    uint64_t elapsed_ns;    /* from listening to the end of the drain */
    uint64_t requests;      /* complete heads; without /metrics */
    uint64_t answered[600]; /* by status; without /metrics */
    uint64_t scrapes;       /* of /metrics */
    uint64_t aborted;       /* ended by an error, a timeout or the client before their answer did */
    uint64_t faults;        /* injected */
    uint64_t body_bytes;    /* of the answers, as sent */
    uint64_t connections;   /* accepted */
    uint64_t connections_peak; /* open at once */
    uint64_t connections_left; /* still open when the drain ended */
} pk_serve_result;

/* Serves until a signal arrives at intr, then drains. False: could not start; err says why.
 * Raises the soft limit on descriptors to the hard one. Ignores SIGPIPE only through intr. */
bool pk_serve_run(const pk_serve_options *options, const pk_serve_hooks *hooks, pk_interrupt *intr,
                  pk_serve_result *result, pk_err *err) PK_MUST_CHECK;

/* One line: "served 12345 requests (12340 2xx, 5 4xx) in 3.2 s, ...". */
void pk_serve_render_summary(FILE *out, const pk_serve_result *result);

/* Early checks of the command line. */
bool pk_serve_check_listen(const char *text, pk_err *err) PK_MUST_CHECK;
bool pk_serve_check_header(const char *text, pk_err *err) PK_MUST_CHECK; /* "Name: value" */

#endif

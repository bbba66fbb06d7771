/* What the parts of the server share; private to lib/serve.
 *
 * Threads. One MHD daemon with its own thread, or a pool of them. A connection belongs to one of
 * these threads for its whole life: all MHD callbacks on it come from there. The thread that called
 * pk_serve_run is the timekeeper: it accepts connections, resumes suspended ones, cuts late heads,
 * passes notes on and drains.
 *
 * Shared between them: the atomics marked so; the list of connections under server->lock; the heap
 * of suspended connections under its own lock (suspend.h). All else is set before the daemon
 * starts and freed after it has stopped. Order of locks: ours before MHD's. */
#ifndef PK_SERVE_SERVER_H
#define PK_SERVE_SERVER_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/strbuf.h"
#include "serve/faults.h"
#include "serve/listen.h"
#include "serve/metrics.h"
#include "serve/serve.h"
#include "serve/suspend.h"
#include "serve/target.h"

typedef struct pk_server pk_server;
typedef struct pk_conn pk_conn;
typedef struct pk_request pk_request;
typedef struct pk_route pk_route;

/* The answer to "/", made once and queued from every thread. */
typedef struct pk_prepared {
    struct MHD_Response *response;
    unsigned status;
    uint64_t body_bytes;
    size_t head_bytes; /* at most so much memory for its head */
} pk_prepared;

struct pk_server {
    const pk_serve_options *options;
    const pk_serve_hooks *hooks;
    uint64_t started_ns;

    pk_listener *listeners;
    size_t n_listeners;
    struct MHD_Daemon *daemon; /* NULL: not started */
    uint64_t conns_limit;
    uint64_t accepted;        /* connections handed to MHD; the timekeeper's */
    char *tls_key, *tls_cert; /* PEM, or NULL */

    pk_prepared root;      /* keeps the connection */
    pk_prepared root_last; /* the same with Connection: close, for the drain */
    _Atomic(const pk_prepared *) root_now;
    bool root_is_plain; /* no delay, fault or file stands before the prepared answer */
    pk_strbuf root_body;

    int static_fd;       /* the directory, or -1 */
    const char *pattern; /* options->max_bytes bytes to send */

    atomic_bool draining; /* answers say Connection: close */
    atomic_bool stopping; /* waits are over: close */
    int stop_fd;          /* an eventfd, readable once stopping: ends /block */
    int wake_fd;          /* an eventfd that wakes the timekeeper */

    pk_faults faults;
    pk_metrics metrics;
    pk_suspended suspended;

    pthread_mutex_t lock; /* of what follows */
    pk_conn *conns;       /* all open ones */
    uint64_t conns_open, conns_peak, conns_closed;
    bool wants_room;    /* the timekeeper waits for a connection to end */
    char log_line[256]; /* the first message of libmicrohttpd since the last note */
    uint64_t log_count; /* of all since then */
    bool log_urgent;
};

/* pk_conn.waiting_since_ns, when it is no time: */
#define PK_CONN_BUSY 0 /* a request is being answered */
#define PK_CONN_CUT 1  /* the timekeeper has shut the socket */

struct pk_conn {
    pk_conn *prev, *next; /* server->conns */
    pk_server *server;
    struct MHD_Connection *mhd;
    int fd;
    bool secure; /* TLS: nobody but MHD may write to fd */

    /* The end of the last answer (or the accept) when a head is awaited. Only the step from a time
     * to BUSY or CUT is contended: whoever makes it owns the socket from there on. */
    _Atomic uint64_t waiting_since_ns;
    atomic_bool line_seen;                 /* the awaited head has begun: its first line is there */
    atomic_bool reused;                    /* has answered before */
    uint64_t line_epoch_ns, line_since_ns; /* of the timekeeper: head_deadline.c */

    pk_wait wait; /* suspend.h */

    /* The present request; of the MHD thread alone (and of the timekeeper while suspended). */
    pk_counters *counters;
    unsigned stage;        /* of exchange.c */
    uint64_t started_ns;   /* head complete */
    size_t spare_bytes;    /* of the connection's memory, for the head of the answer */
    uint64_t upload_bytes; /* of the request's body, so far */
    uint64_t reply_bytes;  /* of the answer's body, to be counted when it has been sent */
    bool answered;         /* by us; MHD refuses some requests itself */
    bool on_purpose;       /* what looks like a failure is meant: a fault, a refusal around MHD */
    bool is_head;          /* the method is HEAD: no body */
    bool scrape;           /* of /metrics: counted apart */
    pk_request *request;   /* NULL for "/" on its short way */
};

/* A request that is more than a plain "/". */
struct pk_request {
    pk_target target;
    const pk_route *route;
    const char *argument; /* of the path, behind the route's prefix */
    unsigned method;      /* enum pk_method */
    bool planned;         /* fault and delay are drawn */
    bool waited;          /* its delay is over */
    uint64_t due_ns;      /* the end of its delay */
    pk_serve_fault fault; /* to be injected */
    bool fault_counted;
    pk_strbuf upload; /* kept for /echo only */
    char text[];      /* the raw target, then the decoded path */
};

enum pk_method {
    PK_GET = 1,
    PK_HEAD = 2,
    PK_POST = 4,
    PK_PUT = 8,
    PK_PATCH = 16,
    PK_DELETE = 32,
    PK_OPTIONS = 64,
    PK_TRACE = 128,
    PK_CONNECT = 256,
    PK_UNKNOWN = 512
};
#define PK_READ_METHODS (PK_GET | PK_HEAD)
#define PK_BODY_METHODS (PK_POST | PK_PUT | PK_PATCH | PK_DELETE)
#define PK_ALL_METHODS (PK_READ_METHODS | PK_BODY_METHODS)
unsigned pk_method_of(const char *name);     /* names are case-sensitive (RFC 9110, 9.1) */
const char *pk_method_name(unsigned method); /* "" for PK_UNKNOWN */
/* "GET, HEAD, OPTIONS": the value of Allow for a set; OPTIONS is always in it. Returns out. */
#define PK_METHODS_LIST_MAX 128
char *pk_methods_list(unsigned set, char out[PK_METHODS_LIST_MAX]);

/* What /metrics shows beside the counters. */
void pk_server_gauges(pk_server *server, pk_gauges *gauges);

#endif

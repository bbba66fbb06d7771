/* What the parts of the server share; private to lib/serve.
 *
 * Threads. Each worker has its own MHD daemon, its own connections and its own counters; all MHD
 * callbacks on a connection come from its worker. The thread that called pk_serve_run starts the
 * workers, passes notes on and leads the drain (server.c).
 *
 * Shared between them: the atomics, the log under pk_server.lock, and each worker's inbox under
 * pk_worker.lock. All else is set before the workers start and freed after they have ended. */
#ifndef PK_SERVE_SERVER_H
#define PK_SERVE_SERVER_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include "base/array.h"
#include "base/strbuf.h"
#include "serve/faults.h"
#include "serve/listen.h"
#include "serve/metrics.h"
#include "serve/serve.h"
#include "serve/suspend.h"
#include "serve/target.h"

typedef struct pk_server pk_server;
typedef struct pk_worker pk_worker;
typedef struct pk_conn pk_conn;
typedef struct pk_request pk_request;
typedef struct pk_route pk_route;

/* The answer to "/", made once per worker. */
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
    pk_worker *workers;
    size_t n_workers;
    pk_counters *counters; /* one block per worker */
    uint64_t conns_limit;
    char *tls_key, *tls_cert; /* PEM, or NULL */

    bool root_is_plain; /* no delay, fault or file stands before the prepared answer of "/" */
    pk_strbuf root_body;
    const char *root_type;

    int static_fd;       /* the directory, or -1 */
    const char *pattern; /* options->max_bytes bytes to send */

    atomic_bool draining; /* no new connections; answers say Connection: close */
    atomic_bool stopping; /* waits are over: close */
    int stop_fd;          /* an eventfd, readable once stopping: ends /block */
    int wake_fd;          /* an eventfd that wakes the thread of pk_serve_run */

    _Atomic uint64_t conns_present, conns_peak; /* accepted and not closed */
    atomic_bool limit_near, starved;            /* what is to be warned of */
    pk_faults faults;

    pthread_mutex_t lock; /* of what follows */
    char log_line[256];   /* the first message of libmicrohttpd since the last note */
    uint64_t log_count;   /* of all since then */
};

/* A connection accepted by one worker for another. */
typedef struct pk_arrival {
    int fd;
    socklen_t peer_bytes;
    struct sockaddr_storage peer;
} pk_arrival;

struct pk_worker {
    alignas(64) pk_server *server; /* a cache line is no other worker's */
    pthread_t thread;
    bool running;
    struct MHD_Daemon *daemon;
    int wake_fd; /* an eventfd */
    pk_counters *counters;
    pk_prepared root;      /* keeps the connection */
    pk_prepared root_last; /* the same with Connection: close, for the drain */
    pk_suspended suspended;
    pk_conn *conns;  /* all of its open ones */
    uint64_t now_ns; /* the last reading of the clock: after the wait, or the last answer's end */
    struct pollfd *fds;
    uint64_t next_look_ns, starved_until_ns;
    uint64_t ended;     /* requests so far; this worker alone writes and reads it */
    uint64_t waited_ns; /* when it last waited for work */
    bool is_serving;    /* the last turn ended a request */

    uint64_t left;         /* connections that have ended */
    _Atomic uint64_t load; /* its connections, those in the inbox too */
    pthread_mutex_t lock;  /* of the inbox */
    pk_array inbox;        /* pk_arrival */
};

struct pk_conn {
    pk_conn *prev, *next; /* worker->conns */
    pk_server *server;
    pk_worker *worker;
    pk_counters *counters;
    struct MHD_Connection *mhd;
    int fd;
    bool secure; /* TLS: nobody but MHD may write to fd */

    /* Between requests (head_deadline.c) */
    bool waiting;              /* for a head */
    bool reused;               /* has answered before */
    bool cut;                  /* the socket is shut: nothing more is answered */
    uint64_t waiting_since_ns; /* the accept or the end of the last answer */
    uint64_t line_since_ns;    /* the request line was there; 0: not yet */

    pk_wait wait; /* suspend.h */

    /* The present request */
    unsigned stage;        /* of exchange.c */
    uint64_t started_ns;   /* the worker turned to it, to read the rest of its head */
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

/* All counters, and what /metrics shows beside them. Any thread. */
void pk_server_totals(const pk_server *server, pk_totals *totals);
void pk_server_gauges(pk_server *server, pk_gauges *gauges);
/* A line for the caller of pk_serve_run; from its thread. */
void pk_note(const pk_server *server, pk_serve_note level, const char *fmt, ...) PK_PRINTF(3, 4);
/* Wakes whoever polls this eventfd. */
void pk_wake(int event_fd);

#endif

/* A thread that serves: its own MHD daemon, driven from here.
 *
 * MHD neither listens nor has threads of its own. Its own way to stop listening
 * (MHD_quiesce_daemon) races with its event loop in 0.9.75: both remove the socket from epoll, and
 * who comes second calls abort. And handing connections from a thread that accepts to a thread of
 * MHD's costs 9 us of CPU for each. So a worker waits for MHD's epoll descriptor and the listeners
 * together, accepts, and lets MHD run; what is suspended is resumed here too, without a lock. */
#ifndef PK_SERVE_WORKER_H
#define PK_SERVE_WORKER_H

#include "serve/server.h"

/* Makes worker fit for pk_serve_worker_fini. */
void pk_serve_worker_init(pk_worker *worker, pk_server *server, pk_counters *counters);
/* Makes its answers and its daemon. */
bool pk_serve_worker_prepare(pk_worker *worker, pk_err *err) PK_MUST_CHECK;
/* Starts its thread. After all have been prepared: it may hand connections to any of them. */
bool pk_serve_worker_start(pk_worker *worker, pk_err *err) PK_MUST_CHECK;
/* Waits for its end, which server->stopping brings; for one that never started it is nothing. */
void pk_serve_worker_join(pk_worker *worker);
/* Frees what it has. After all have been joined: until then others may hand it connections. */
void pk_serve_worker_fini(pk_worker *worker);

/* Accepts what waits at a listener and hands it to the workers; from any thread. */
typedef enum pk_accept_result {
    PK_ACCEPT_DONE,    /* nobody waits */
    PK_ACCEPT_MORE,    /* a whole batch: others may wait */
    PK_ACCEPT_FULL,    /* the limit is reached */
    PK_ACCEPT_STARVED, /* no descriptors or memory: try again after a while */
} pk_accept_result;
pk_accept_result pk_accept_batch(pk_server *server, const pk_listener *listener, pk_worker *self);

/* A connection of this worker has ended. */
void pk_serve_worker_leave(pk_worker *worker);

#endif

/* The MHD daemon, and how connections get to it.
 *
 * MHD does not listen: it would be stopped by MHD_quiesce_daemon, which in 0.9.75 races with its
 * own event loop over the listening socket (both remove it from epoll; who comes second calls
 * abort). Connections are accepted by the timekeeper and handed over; so accepting ends at once and
 * for sure, several listeners share one limit and one set of threads, and the limit being reached
 * is known at the moment it happens. It costs a kept connection nothing, a new one a hand-over. */
#ifndef PK_SERVE_DAEMON_H
#define PK_SERVE_DAEMON_H

#include "serve/server.h"

/* On failure nothing runs. */
bool pk_daemon_start(pk_server *server, pk_err *err) PK_MUST_CHECK;
/* Joins its threads. No connection may be suspended. */
void pk_daemon_stop(pk_server *server);

typedef enum pk_accept_result {
    PK_ACCEPT_DONE,    /* nobody waits */
    PK_ACCEPT_MORE,    /* a whole batch: others may wait */
    PK_ACCEPT_FULL,    /* the limit is reached: server->wants_room, a wake-up comes with room */
    PK_ACCEPT_STARVED, /* no descriptors or memory, errno says which: try again after a while */
} pk_accept_result;
/* Accepts what waits at one listener, at most a batch. The timekeeper's. */
pk_accept_result pk_daemon_accept(pk_server *server, pk_listener *listener);
/* Connections handed over and not ended, among them those MHD has not looked at yet. */
uint64_t pk_daemon_connections(pk_server *server);

#endif

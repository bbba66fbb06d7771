/* One MHD daemon behind one listening socket. */
#ifndef PK_SERVE_DAEMON_H
#define PK_SERVE_DAEMON_H

#include "serve/server.h"

/* Starts the daemon of door->listener; door->limit is set. On failure nothing runs. */
bool pk_daemon_start(pk_server *server, pk_door *door, pk_err *err) PK_MUST_CHECK;
/* Accepts no more; connections that are open go on. The socket is closed and its name removed. */
void pk_daemon_quiesce(pk_door *door);
/* Joins its threads. No connection may be suspended. */
void pk_daemon_stop(pk_door *door);
/* Open connections, as MHD counts them. */
unsigned pk_daemon_connections(const pk_door *door);

#endif

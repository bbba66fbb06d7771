/* What the thread that called pk_serve_run does while others serve: it accepts connections, resumes
 * what was put aside, cuts late heads, passes notes on, and in the end drains. */
#ifndef PK_SERVE_TIMEKEEPER_H
#define PK_SERVE_TIMEKEEPER_H

#include "serve/server.h"

/* Until intr is signalled, and then until the connections are gone or drain_ns are over: accepts no
 * more (the listeners are closed), answers with Connection: close, closes kept connections on which
 * nothing comes. False: could not begin. */
bool pk_keep_time(pk_server *server, pk_interrupt *intr, pk_err *err) PK_MUST_CHECK;
/* A line for the caller. */
void pk_note(const pk_server *server, pk_serve_note level, const char *fmt, ...) PK_PRINTF(3, 4);

#endif

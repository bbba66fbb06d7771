/* What the thread that called pk_serve_run does while others serve: it resumes what was put aside,
 * cuts late heads, passes notes on, and in the end drains. */
#ifndef PK_SERVE_TIMEKEEPER_H
#define PK_SERVE_TIMEKEEPER_H

#include "serve/server.h"

/* Until intr is signalled. */
void pk_keep_time(pk_server *server, pk_interrupt *intr);
/* From the signal on: accepts no more, answers with Connection: close, waits until the connections
 * are gone or drain_ns are over. */
void pk_drain(pk_server *server);
/* A line for the caller. */
void pk_note(const pk_server *server, pk_serve_note level, const char *fmt, ...) PK_PRINTF(3, 4);

#endif

/* Delays and faults that stand before a route's own answer. */
#ifndef PK_SERVE_INJECT_H
#define PK_SERVE_INJECT_H

#include "serve/server.h"

/* The answer to a complete request, or a wait for it: called again after each wait. */
enum MHD_Result pk_inject_and_answer(pk_conn *conn);

/* Answers with the fault instead of what was asked for; counts it. */
enum MHD_Result pk_inject_fault(pk_conn *conn, pk_serve_fault kind);

/* Puts the request aside until due_ns; *result is what the callback returns. False: the time has
 * come already (*result is not set). The route is called again afterwards. */
bool pk_wait_until(pk_conn *conn, uint64_t due_ns, enum MHD_Result *result);

#endif

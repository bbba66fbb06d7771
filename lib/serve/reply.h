/* Queueing answers: counting them, and saying Connection: close while draining. */
#ifndef PK_SERVE_REPLY_H
#define PK_SERVE_REPLY_H

#include "serve/server.h"

/* Queues `response` and gives up the reference to it. NULL closes the connection (out of memory).
 * body_bytes is counted when the answer has been sent completely. */
enum MHD_Result pk_reply(pk_conn *conn, unsigned status, struct MHD_Response *response,
                         uint64_t body_bytes);
/* At most so much memory is needed for the head of this answer. */
size_t pk_response_head_bytes(struct MHD_Response *response);
/* The request's head left no memory for that of an answer: MHD would close without one. Sends 431
 * around MHD and closes; over TLS, where that cannot be done, it only closes. */
enum MHD_Result pk_reply_no_memory(pk_conn *conn);
/* A line of plain text; a newline is added. */
enum MHD_Result pk_reply_text(pk_conn *conn, unsigned status, const char *fmt, ...) PK_PRINTF(3, 4);
/* 400 with the reason in err, named after the parameter. */
enum MHD_Result pk_reply_bad(pk_conn *conn, const char *parameter, const pk_err *err);
/* Takes what is in *body (and empties it). */
enum MHD_Result pk_reply_buffer(pk_conn *conn, unsigned status, const char *type, pk_strbuf *body);
/* The same as a response, to add fields to; NULL when out of memory. */
struct MHD_Response *pk_response_of_buffer(const char *type, pk_strbuf *body, uint64_t *body_bytes);
struct MHD_Response *pk_response_of_text(const char *text, uint64_t *body_bytes);

/* Adds a field; false when out of memory or not allowed. NULL is passed on as false. */
bool pk_response_field(struct MHD_Response *response, const char *name, const char *value);

#endif

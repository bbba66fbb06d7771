/* The answers of the endpoints; one function per row of the route table. All of them are called
 * with a complete request whose method the route allows, and again after each wait they asked for.
 */
#ifndef PK_SERVE_ENDPOINTS_H
#define PK_SERVE_ENDPOINTS_H

#include "serve/server.h"

/* The answer made at the start; request may be NULL. */
enum MHD_Result pk_answer_prepared(pk_conn *conn);
enum MHD_Result pk_answer_root(pk_conn *conn);
enum MHD_Result pk_answer_help(pk_conn *conn);
enum MHD_Result pk_answer_healthz(pk_conn *conn);
enum MHD_Result pk_answer_readyz(pk_conn *conn);
enum MHD_Result pk_answer_metrics(pk_conn *conn);
enum MHD_Result pk_answer_echo(pk_conn *conn);
enum MHD_Result pk_answer_headers(pk_conn *conn); /* inspect.c */
enum MHD_Result pk_answer_ip(pk_conn *conn);      /* inspect.c */
enum MHD_Result pk_answer_method(pk_conn *conn);  /* inspect.c */
enum MHD_Result pk_answer_bytes(pk_conn *conn);
enum MHD_Result pk_answer_status(pk_conn *conn);
enum MHD_Result pk_answer_delay(pk_conn *conn);
enum MHD_Result pk_answer_block(pk_conn *conn);
enum MHD_Result pk_answer_stream(pk_conn *conn);
enum MHD_Result pk_answer_drip(pk_conn *conn);
enum MHD_Result pk_answer_redirect(pk_conn *conn);
enum MHD_Result pk_answer_redirect_to(pk_conn *conn);
enum MHD_Result pk_answer_error(pk_conn *conn);
enum MHD_Result pk_answer_not_found(pk_conn *conn);
enum MHD_Result pk_answer_file(pk_conn *conn); /* static_files.c */

#endif

/* What is made before the first connection: the answer to "/". */
#ifndef PK_SERVE_PREPARE_H
#define PK_SERVE_PREPARE_H

#include "serve/server.h"

enum { PK_BODY_MAX = 64 << 20 };
/* Fills server->root_body, root_type and root_is_plain from the options; root_body is initialised.
 */
bool pk_prepare_body(pk_server *server, pk_err *err) PK_MUST_CHECK;
/* The answers of one worker, from that body. */
bool pk_prepare_answers(pk_worker *worker, pk_err *err) PK_MUST_CHECK;
void pk_prepare_fini(pk_worker *worker);

#endif

/* What is made before the first connection: the answer to "/". */
#ifndef PK_SERVE_PREPARE_H
#define PK_SERVE_PREPARE_H

#include "serve/server.h"

/* Fills server->root, root_last, root_now, root_body and root_is_plain from the options. */
bool pk_prepare_root(pk_server *server, pk_err *err) PK_MUST_CHECK;
void pk_prepare_fini(pk_server *server);

#endif

/* Feeds the parser as a connection does: pieces come, what it does not take is kept and fed again
 * with the next piece behind it. Each call sees a block of exactly its size, so that a sanitizer
 * sees a read behind it. */
#ifndef PK_TESTS_ORACLE_HTTP1_FEEDER_H
#define PK_TESTS_ORACLE_HTTP1_FEEDER_H

#include "load/http1.h"

typedef struct http1_feeder {
    pk_http1 parser;
    pk_http1_step step;
    uint64_t used; /* bytes that the parser has taken, in all */
    char *kept;
    size_t n_kept;
} http1_feeder;

void http1_feeder_begin(http1_feeder *feeder, bool request_is_head, bool request_is_connect);
/* Not to be called after DONE or ERROR. */
pk_http1_step http1_feeder_piece(http1_feeder *feeder, const char *data, size_t bytes);
void http1_feeder_end(http1_feeder *feeder); /* frees what is kept */

#endif

#include "http1_feeder.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void http1_feeder_begin(http1_feeder *f, bool request_is_head, bool request_is_connect) {
    *f = (http1_feeder){.step = PK_HTTP1_MORE};
    pk_http1_begin(&f->parser, request_is_head, request_is_connect);
}

pk_http1_step http1_feeder_piece(http1_feeder *f, const char *data, size_t bytes) {
    assert(f->step == PK_HTTP1_MORE && bytes > 0);
    size_t n = f->n_kept + bytes, used = n + 1;
    char *block = malloc(n);
    assert(block);
    if (f->n_kept) memcpy(block, f->kept, f->n_kept);
    memcpy(block + f->n_kept, data, bytes);
    free(f->kept);
    f->step = pk_http1_feed(&f->parser, block, n, &used);
    assert(used <= n && (f->step != PK_HTTP1_ERROR || used == 0));
    f->used += used;
    f->n_kept = n - used;
    f->kept = malloc(f->n_kept ? f->n_kept : 1);
    assert(f->kept);
    memcpy(f->kept, block + used, f->n_kept);
    free(block);
    return f->step;
}

void http1_feeder_end(http1_feeder *f) {
    free(f->kept);
    f->kept = NULL;
    f->n_kept = 0;
}

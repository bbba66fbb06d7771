/* What conformance_server saw, per path and scheme. Any thread may call. */
#ifndef CONFORMANCE_COUNTS_H
#define CONFORMANCE_COUNTS_H

#include <stdbool.h>
#include <stdint.h>

#define COUNT_ROWS_MAX 8192
#define COUNT_PATH_MAX 128

enum count {
    COUNT_REQUESTS,    /* heads read to their end */
    COUNT_ANSWERS,     /* sent to the last byte that the case has */
    COUNT_CONNECTIONS, /* by the path of their first request */
    COUNT_SENT_BYTES,  /* of answers and whatever came with them, without TLS' own */
    COUNT_BODY_BYTES,  /* of request bodies, received */
    COUNTS
};

typedef struct counts counts;
typedef struct count_row count_row;

counts *counts_new(void); /* NULL: out of memory */
void counts_free(counts *c);
/* The row of this path, made on the first call; NULL when the table is full. */
count_row *counts_row(counts *c, const char *path, bool is_tls);
/* The number before. */
uint64_t counts_add(counts *c, count_row *row, enum count what, uint64_t n);
/* A connection begins (+1) or is over (-1); one without a request is counted on its own. */
void counts_active(counts *c, int change, bool had_request);
unsigned counts_active_now(counts *c);
/* "SCHEME PATH requests N answers N connections N sent_bytes N body_bytes N", a line per row, and
 * a last line "unused connections N". */
void counts_print(counts *c);

#endif

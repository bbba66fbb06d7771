/* Inside bench: pieces that several renderers share. */
#ifndef PK_BENCH_RENDER_PARTS_H
#define PK_BENCH_RENDER_PARTS_H

#include "bench/bench.h"
#include "report/json.h"

/* Criterion's title of an id: its first 100 bytes, cut between characters, and "..." if anything
 * was cut. Returns the bytes of the id in it. */
size_t pk_bench_title_bytes(const char *id, bool *cut);

/* As the object "verdict". */
void pk_bench_verdict_to_json(pk_json *parent, const pk_verdict *verdict);
void pk_bench_outliers_to_json(pk_json *parent, const pk_outlier_counts *counts);
void pk_bench_failures_to_json(pk_json *parent, const pk_bench_result *result);

#endif

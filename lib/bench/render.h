/* Renderers: a result and a stream, nothing else. */
#ifndef PK_BENCH_RENDER_H
#define PK_BENCH_RENDER_H

#include <stdio.h>
#include "bench/bench.h"
#include "bench/analyse.h"

typedef enum pk_bench_detail {
    PK_DETAIL_QUIET,
    PK_DETAIL_NORMAL,
    PK_DETAIL_VERBOSE
} pk_bench_detail;

/* The block of one benchmark, in Criterion's layout (README there, section 3.3 of the page on it):
 * with our verdict sentences, or with Criterion's own words and nothing of ours (`criterion`). */
void pk_bench_render_block(FILE *out, const pk_bench_result *result, pk_bench_detail detail,
                           bool criterion, bool colour);
/* The table at the end: one line per benchmark; failures and warnings. */
void pk_bench_render_summary(FILE *out, const pk_bench_report *report, bool colour);
/* "test ID ... bench: 1,234 ns/iter (+/- 56)". */
void pk_bench_render_bencher(FILE *out, const pk_bench_result *result);
void pk_bench_render_progress(char *line, size_t bytes, const pk_bench_progress *progress);

/* One document, schema "bench/1". */
bool pk_bench_render_json(FILE *out, const pk_bench_report *report, pk_err *err) PK_MUST_CHECK;
/* cargo-criterion's messages: one object per line; ours are added keys. */
bool pk_bench_render_message(FILE *out, const pk_bench_result *result,
                             const pk_bench_report *report, const char *report_directory,
                             pk_err *err) PK_MUST_CHECK;
bool pk_bench_render_group_message(FILE *out, const pk_bench_report *report, const char *group,
                                   const char *report_directory, pk_err *err) PK_MUST_CHECK;
bool pk_bench_render_openmetrics(FILE *out, const pk_bench_report *report,
                                 pk_err *err) PK_MUST_CHECK;
/* Google benchmark's files. */
bool pk_bench_render_gbench_json(FILE *out, const pk_bench_report *report,
                                 pk_err *err) PK_MUST_CHECK;
bool pk_bench_render_gbench_csv(FILE *out, const pk_bench_report *report,
                                pk_err *err) PK_MUST_CHECK;

/* One saved result as text, for another program or later: pk_bench_result <-> JSON object. The
 * parser takes any bytes; what it returns lives in the arena. */
bool pk_bench_result_write(FILE *out, const pk_bench_result *result,
                           const pk_environment *environment, pk_err *err) PK_MUST_CHECK;
bool pk_bench_result_parse(const char *text, size_t bytes, pk_arena *arena, pk_bench_result *result,
                           pk_err *err) PK_MUST_CHECK;

/* ---- HTML ---- */

/* The page of one benchmark; sessions: its history, oldest first, n may be 0. old: the workers'
 * values of the baseline compared with are in result->workers[].side[PK_SIDE_OLD] (live), else
 * result->change.old. */
bool pk_bench_page_benchmark(FILE *out, const pk_bench_result *result,
                             const pk_environment *environment, size_t n,
                             const pk_bench_session sessions[], pk_err *err) PK_MUST_CHECK;
/* The page of a group: n results of one group. */
bool pk_bench_page_group(FILE *out, const char *group, size_t n,
                         const pk_bench_result *const results[], pk_err *err) PK_MUST_CHECK;
/* The index: everything in the store. `directory` of each result is relative to the home folder. */
typedef struct pk_index_entry {
    const pk_bench_result *result;
    const char *directory;
    bool fresh; /* measured in this run */
} pk_index_entry;
bool pk_bench_page_index(FILE *out, size_t n, const pk_index_entry entries[],
                         const pk_environment *environment, pk_err *err) PK_MUST_CHECK;

#endif

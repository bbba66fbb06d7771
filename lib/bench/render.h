/* Renderers: a result and a stream, nothing else. */
#ifndef PK_BENCH_RENDER_H
#define PK_BENCH_RENDER_H

#include <stdio.h>
#include "bench/bench.h"
#include "bench/analyse.h"
#include "report/json.h"

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

/* "killed by SIGSEGV (invalid memory access)", "exited with code 3", "not done after 10 s": one
 * line, without `why` and `output`. */
#define PK_BENCH_FAILURE_MAX 128
char *pk_bench_failure_text(char *out, size_t bytes, const pk_bench_failure *failure);
/* "killed by SIGSEGV (invalid memory access)" into out[0..bytes). Returns out. */
char *pk_bench_signal_text(char *out, size_t bytes, int signal);
const char *pk_bench_failure_name(pk_bench_failure_kind kind); /* "signal" */
const char *pk_bench_source_name(pk_change_source source);     /* "live"; "none" */

/* Everything in a result, as keys of *object: the one form of it in JSON, in the document, in the
 * store and for the parser below. What is not known is null; docs/formats.md, "a bench result". */
void pk_bench_result_to_json(pk_json *object, const pk_bench_result *result);
void pk_bench_environment_to_json(pk_json *object, const pk_environment *environment);

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

#endif

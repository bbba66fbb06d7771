/* From workers to figures: everything in a pk_bench_result that is computed. Pure: no clock, no
 * files, no processes; the same workers and seed give the same figures. */
#ifndef PK_BENCH_ANALYSE_H
#define PK_BENCH_ANALYSE_H

#include "bench/bench.h"

/* Fills typical, criterion, fences, outliers, modes, spreads and, where the workers measured two
 * sides, change (live). result->workers, the levels and thresholds, and change.source, .baseline
 * and .identical_code are set by the caller. Texts are allocated in the arena. */
bool pk_bench_analyse(pk_bench_result *result, const pk_bench_options *options, pk_arena *arena,
                      pk_err *err) PK_MUST_CHECK;

/* Live change from workers that measured both sides, or from blocks of one-sided workers
 * (isolated: new and old workers in the order ABBA BAAB). */
void pk_bench_change_live(pk_bench_result *result, const pk_bench_options *options);

/* One stored session of a benchmark: what a later comparison needs. */
typedef struct pk_bench_session {
    uint64_t time_unix_ns;
    char artefact[65];
    char environment[65]; /* pk_environment_id */
    size_t workers;
    /* natural logarithms of ns per iteration; [1]: divided by the reference loop, NaN: unknown */
    double location[2], standard_error[2], spread[2];
    double typical_ns, low_ns, high_ns;
    double throughput_per_iteration; /* 0: none */
    bool throughput_bytes;
    char history_id[128], history_description[256];
    char verdict[24]; /* word, or empty */
    double change;    /* ratio - 1; NaN: none */
} pk_bench_session;
void pk_bench_session_of(const pk_bench_result *result, const pk_environment *environment,
                         pk_bench_session *session);
/* Change of result against n stored sessions of one artefact, the newest last; methods.md,
 * "stored". Fills result->change with source PK_CHANGE_STORED. */
void pk_bench_change_stored(pk_bench_result *result, const pk_environment *environment, size_t n,
                            const pk_bench_session sessions[], const pk_bench_options *options);

/* Has the interval become narrow enough (half width <= half the threshold)? Looks at the width
 * only, never at significance: peeking would multiply false verdicts. */
bool pk_bench_width_reached(const pk_bench_result *result, const pk_bench_options *options);

#endif

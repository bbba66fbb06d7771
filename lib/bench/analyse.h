/* From workers to figures: everything in a pk_bench_result that is computed. Pure: no clock, no
 * files, no processes; the same workers and seed give the same figures. */
#ifndef PK_BENCH_ANALYSE_H
#define PK_BENCH_ANALYSE_H

#include "bench/bench.h"

/* Fills metric, typical, between_runs_ns, criterion, fences, outliers, modes, clock, ratios, parts,
 * warnings (behind those that stand there) and, where change.source is live or isolated, change
 * with the old side's estimates and the change of the median. result->workers, the levels and
 * thresholds, and change.source, .baseline and .identical_code are set by the caller; a stored
 * change is computed by pk_bench_change_stored, before this, which warns about it. What cannot be
 * known (no worker: `failed` is set then; one worker: intervals) is NaN. Texts are allocated in
 * the arena. PK_E_LIMIT without memory. */
bool pk_bench_analyse(pk_bench_result *result, const pk_bench_options *options, pk_arena *arena,
                      pk_err *err) PK_MUST_CHECK;

/* Criterion's estimates of a sample: n totals in ns of iterations[i] iterations each (NULL: of
 * one), n >= 1; linear: with the slope. Resamples and seed are the options'. */
bool pk_bench_criterion(size_t n, const double iterations[], const double times_ns[], bool linear,
                        double confidence, const pk_bench_options *options,
                        pk_criterion_estimates *estimates, pk_err *err) PK_MUST_CHECK;

/* Live change from workers that measured both sides, or from blocks of one-sided workers
 * (isolated: new and old workers in the order ABBA BAAB). Sets ratio, old_ns, order_effect and
 * verdict of result->change; NaN and "cannot tell" without memory or with fewer than two units. */
void pk_bench_change_live(pk_bench_result *result, const pk_bench_options *options);
/* Criterion's other number: change of the median of the workers' values against old_ns[0..n), by
 * bootstrap. Sets median_point, _low, _high of result->change; NaN for fewer than two on a side. */
bool pk_bench_change_median(pk_bench_result *result, size_t n, const double old_ns[],
                            const pk_bench_options *options, pk_err *err) PK_MUST_CHECK;

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
/* history_id and _description are left empty: they are the caller's. */
void pk_bench_session_of(const pk_bench_result *result, const pk_environment *environment,
                         pk_bench_session *session);
/* Change of result against n stored sessions of one artefact, the newest last; methods.md,
 * "Change, against stored numbers". Sets ratio, old_ns, normalised, history, refused and verdict of
 * result->change and its source to PK_CHANGE_STORED; what only a live comparison knows becomes NaN.
 */
void pk_bench_change_stored(pk_bench_result *result, const pk_environment *environment, size_t n,
                            const pk_bench_session sessions[], const pk_bench_options *options);

/* *line: that the clock varied too much in some benchmark of the report, in the report's arena;
 * NULL: it did not. False: no memory. */
bool pk_bench_warn_of_clock(const pk_bench_report *report, const char **line) PK_MUST_CHECK;

/* Has the interval become narrow enough: half width <= half the threshold, of the change when
 * old code runs too, else of the time? Looks at the width only, never at significance: peeking
 * would multiply false verdicts. */
bool pk_bench_width_reached(const pk_bench_result *result, const pk_bench_options *options);

#endif

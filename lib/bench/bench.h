/* bench: options -> run -> result. The worker process is the unit of statistics: many short
 * processes each measure one benchmark in small units, interleaved with a reference loop and,
 * when comparing, with the old code. Method and measurements behind it: docs/methods.md. */
#ifndef PK_BENCH_BENCH_H
#define PK_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/textlist.h"
#include "stats/density.h"
#include "stats/outlier.h"
#include "stats/verdict.h"
#include "timing/environment.h"

typedef enum pk_bench_metric { /* of a unit's time; section "time" of docs/methods.md */
                               PK_METRIC_ONCPU, /* wall - time spent ready but waiting for a CPU */
                               PK_METRIC_WALL,
                               PK_METRIC_CPU, /* CLOCK_THREAD_CPUTIME_ID */
                               PK_METRICS
} pk_bench_metric;
const char *pk_bench_metric_name(pk_bench_metric metric); /* "oncpu" */

/* ---- options ---- */

typedef enum pk_bench_compare {
    PK_COMPARE_NONE,
    PK_COMPARE_BASELINE,         /* with the baseline of this name; a missing one is an error */
    PK_COMPARE_BASELINE_LENIENT, /* ... is passed over */
    PK_COMPARE_OBJECT,           /* with the same id in another object */
} pk_bench_compare;

typedef struct pk_bench_options {
    pk_text_list objects; /* FILE.so, FILE.c, FILE.py ... A source without a table of benchmarks is
                             linked to each of those that have one */
    pk_text_list drivers; /* commands that speak docs/driver-protocol.md. Neither object nor driver:
                             the built-in suite */
    const char *python, *node; /* interpreters, a name or a path; NULL: not on this machine */
    pk_text_list filters;      /* regular expressions (POSIX extended), any may match; empty: all */
    pk_text_list skips;        /* what matches one of these is left out */
    bool exact;                /* filters and skips are whole ids */
    const char *param;         /* "20", "10,20,30", "10:30:5"; NULL: each benchmark's own */

    /* 0 or negative: not given on the command line, so a benchmark's own setting or else the
     * default holds (PK_BENCH_DEFAULT_...). */
    uint64_t sample_size;                      /* least number of workers */
    double measurement_time_s, warm_up_time_s; /* totals that the workers of a benchmark share;
                                                  warm-up: negative means not given, 0 is allowed */
    double noise_threshold, confidence_level;
    bool quick; /* 30 workers of 10 ms */

    double significance_level; /* of Criterion's p; 0.05 */
    uint64_t nresamples;       /* of the bootstrap behind Criterion's files */
    double equivalence;        /* eps of "no change": 0.02 */
    bool strict;               /* rule A: the interval must lie wholly beyond the threshold */
    bool robust;               /* Yuen's t on trimmed workers instead of Student's */
    pk_bench_metric metric;
    bool isolate; /* old and new in workers of their own */
    uint64_t seed;
    uint64_t timeout_ns;  /* per worker, on top of what it should take; 0: 10 s */
    uint64_t deadline_ns; /* of the whole run; 0: none */
    bool more;            /* continue the last session: its workers count too */

    pk_bench_compare compare;
    const char *compare_with; /* baseline name, or the other object's path */
    const char *home;         /* the store; may not exist yet */
    const char *cflags;       /* for sources that perfkit compiles; NULL: "-O2" */
    const char *cc, *cxx;     /* the compilers of C and C++, with their flags; NULL: cc, c++ */
    unsigned layouts;         /* of such code: 0 means the default, 32 */
} pk_bench_options;

#define PK_BENCH_DEFAULT_WORKERS 140 /* what the default times are shared by */
#define PK_BENCH_DEFAULT_WORKERS_LEAST 30
#define PK_BENCH_DEFAULT_MEASUREMENT_S 4.2 /* 140 x 30 ms */
#define PK_BENCH_DEFAULT_WARM_UP_S 0.7     /* 140 x 5 ms */
#define PK_BENCH_DEFAULT_TIMEOUT_NS 10000000000u
#define PK_BENCH_DEFAULT_NOISE 0.01
#define PK_BENCH_DEFAULT_CONFIDENCE 0.95
#define PK_BENCH_BUDGET_FACTOR_MAX 3 /* while comparing, until the width is reached */

/* ---- result ---- */

enum { PK_SIDE_NEW, PK_SIDE_OLD, PK_SIDES };

enum { PK_BENCH_COUNTERS_MAX = 8 }; /* PERFKIT_COUNTERS_MAX */

/* One side of one worker, all per iteration, in the metric, loop cost included. */
typedef struct pk_bench_side {
    double trimmed_ns; /* 20 %-trimmed mean over units: the worker's value */
    double mean_ns, min_ns, q1_ns, median_ns, q3_ns;
    double wall_ns, cpu_ns; /* trimmed means in the two other ways to look at it; NaN: unknown */
    uint64_t units;         /* kept, after the warm-up */
    uint64_t iterations;    /* in all units kept */
    double counters[PK_BENCH_COUNTERS_MAX]; /* the benchmark's own, per iteration; 0 without */
} pk_bench_side;

typedef struct pk_bench_worker {
    pk_bench_side side[PK_SIDES]; /* [PK_SIDE_OLD].units = 0: nothing compared */
    bool old_first;               /* which side was opened and timed first */
    int layout;                   /* -1: code as it is */
    double reference_ns;          /* per step of the reference loop, trimmed; NaN: unknown */
    double latency_ns, throughput_ns, loop_ns; /* per iteration resp. item; NaN: not measured */
    pk_bench_metric metric; /* that was used: oncpu falls back where it is not known */
    uint64_t duration_ns;   /* of its units */
    uint64_t wait_ns;       /* of them ready to run, without a CPU */
    uint64_t switches_voluntary, switches_involuntary, faults_minor, faults_major;
} pk_bench_worker;

typedef enum pk_bench_failure_kind {
    PK_FAIL_SIGNAL,  /* died of it */
    PK_FAIL_EXIT,    /* ended by itself; code */
    PK_FAIL_TIMEOUT, /* killed by us after timeout_ns */
    PK_FAIL_GARBAGE, /* broke the protocol */
    PK_FAIL_REFUSED, /* measured, and refused: `why` says the reason (work removed, ...) */
} pk_bench_failure_kind;

typedef struct pk_bench_failure {
    pk_bench_failure_kind kind;
    int number; /* signal, or exit code */
    uint64_t timeout_ns;
    char why[256];     /* one line, what and how to fix; may be empty */
    char output[1024]; /* the end of what it had printed; any bytes; NUL-terminated */
} pk_bench_failure;

typedef struct pk_estimate {
    double point, low, high; /* interval at the confidence level */
    double standard_error;
} pk_estimate;

/* Criterion's statistics of its sample (one value per worker), ns per iteration; what
 * estimates.json holds. Intervals: bootstrap, percentile. */
typedef struct pk_criterion_estimates {
    pk_estimate mean, median, median_abs_dev, std_dev, slope;
    bool has_slope; /* linear sampling only: samples read from Criterion's own files */
} pk_criterion_estimates;

typedef enum pk_change_source {
    PK_CHANGE_NONE,
    PK_CHANGE_LIVE,     /* old code run again, beside the new */
    PK_CHANGE_ISOLATED, /* ... in workers of its own */
    PK_CHANGE_STORED,   /* against stored numbers */
} pk_change_source;

typedef struct pk_bench_change {
    pk_change_source source;
    const char *baseline;        /* its name, or the other object's path */
    const char *old_artefact;    /* SHA-256 of the old code; NULL: not known */
    bool identical_code;         /* both artefacts have the same hash: this is an A/A self-test */
    bool normalised;             /* stored: both divided by their reference loop */
    unsigned history;            /* stored: former sessions used */
    pk_estimate ratio;           /* new / old - 1, of times: +0.05 is 5 % slower */
    pk_criterion_estimates *old; /* of the old side; NULL if unknown */
    double old_ns;               /* the old side's headline */
    double order_effect;         /* old-first against new-first groups, as ratio - 1; NaN: none */
    pk_verdict verdict;          /* words, workers needed, p: stats/verdict.h */
    char refused[256];           /* stored: why nothing can be said; empty otherwise */
    double median_point, median_low, median_high; /* Criterion's other number: change of median */
} pk_bench_change;

typedef struct pk_bench_throughput {
    bool given, bytes; /* bytes or elements */
    uint64_t per_iteration;
} pk_bench_throughput;

typedef struct pk_bench_result {
    const char *group, *function, *value; /* function, value: may be NULL */
    const char *id;                       /* group/function/value */
    bool value_is_number;
    double value_number;
    pk_bench_throughput throughput;
    const char *method;   /* what is special about how it is measured, one line; NULL: nothing */
    const char *counters; /* their names, with commas between; NULL: none */
    const char *object, *artefact; /* path as given, or "built-in"; SHA-256 in hex */
    /* What `artefact` is the hash of, for the store: the object as it was opened; of sources the
     * compiled, not yet linked object. NULL in a result that was read from a file. */
    const void *artefact_data;
    size_t artefact_bytes;

    pk_bench_worker *workers; /* n_workers, in the order they ran */
    size_t n_workers,
        n_workers_former; /* the first n_workers_former come from sessions continued */
    pk_bench_failure *failures;
    size_t n_failures;
    bool failed;  /* more than 2 % of the workers failed, more refused than did not, or none was
                     left:  no figures below */
    bool partial; /* interrupted */

    pk_bench_metric metric;
    double confidence_level, noise_threshold, significance_level, equivalence;
    pk_estimate typical;    /* headline: mean over workers of their trimmed means, t interval */
    double between_runs_ns; /* half width in which a further run's headline is to be expected */
    pk_criterion_estimates criterion;
    pk_fences fences; /* Tukey's, over workers */
    pk_outlier_counts outliers;
    pk_modes modes;                            /* more than one: bimodal */
    double clock_hz, clock_range_ratio;        /* effective clock from the reference loop; spread */
    double wait_ratio;                         /* run-queue wait / wall, over all workers */
    double process_sd_ratio;                   /* SD between workers / mean */
    bool has_parts;                            /* below 5 cycles: the three figures */
    double latency_ns, throughput_ns, loop_ns; /* medians over workers; NaN: not measured */
    pk_bench_change change;
    const char *const *warnings; /* one line each */
    size_t n_warnings;
    uint64_t started_unix_ns;
    uint64_t duration_ns; /* of its workers of this run, without those of others in between */
} pk_bench_result;

typedef struct pk_bench_counter {
    const char *name; /* name_bytes of it */
    int name_bytes;
    double per_iteration, old_per_iteration; /* mean over workers; NaN: unknown */
} pk_bench_counter;
/* The counters of a result, into out; returns how many. */
size_t pk_bench_counters(const pk_bench_result *result,
                         pk_bench_counter out[PK_BENCH_COUNTERS_MAX]);

typedef struct pk_bench_report {
    pk_arena *arena; /* owns everything below */
    pk_bench_result *results;
    size_t n_results;
    pk_environment environment;
    uint64_t seed, nresamples;
    bool interrupted, quick;
    const char *const *warnings; /* of the whole run (the machine); one line each */
    size_t n_warnings;
    const char *history_id, *history_description; /* set by the caller; may be NULL */
    uint64_t started_unix_ns, duration_ns;
} pk_bench_report;
void pk_bench_report_fini(pk_bench_report *report);

/* The new code's side, if this worker measured it, else NULL: with each side in workers of its own,
 * half of them have none. */
const pk_bench_side *pk_bench_sample(const pk_bench_worker *worker);
/* How many did: the n of all figures of the new code. */
size_t pk_bench_samples(const pk_bench_result *result);

/* ---- run ---- */

typedef struct pk_bench_progress {
    const char *id;
    size_t done, total;                /* benchmarks finished; selected */
    uint64_t workers, workers_planned; /* of all benchmarks */
    double elapsed_s, expected_s;
} pk_bench_progress;

typedef struct pk_bench_hooks {
    void *context;
    void (*progress)(void *context, const pk_bench_progress *progress); /* may be NULL; at most
                                                                           5 times a second */
    void (*note)(void *context, const char *line);     /* one warning; may be NULL */
    void (*compiler)(void *context, const char *text); /* what it printed, as it is; may be NULL */
    /* A benchmark is finished and analysed; results come in the order of the list. */
    void (*finished)(void *context, const pk_bench_result *result);
} pk_bench_hooks;

/* Fills *report (fini it on success), whose texts may be those of the options. A benchmark that
 * fails loses only itself. Interrupted: what was measured so far, marked. */
bool pk_bench_run(const pk_bench_options *options, const pk_bench_hooks *hooks, pk_interrupt *intr,
                  pk_bench_report *report, pk_err *err) PK_MUST_CHECK;

typedef struct pk_bench_id {
    const char *group, *function, *value, *id;
    const char *object;
} pk_bench_id;
/* What the options select, in order, for --list and completion; *ids lives in the arena. An object
 * that cannot be listed is an error. */
bool pk_bench_list(const pk_bench_options *options, pk_arena *arena, pk_bench_id **ids, size_t *n,
                   pk_err *err) PK_MUST_CHECK;
/* Runs each selected benchmark once, untimed (--test), or for the given time without analysis
 * (--profile-time); calls each(context, id, failure or NULL). False only if nothing could start. */
bool pk_bench_exercise(const pk_bench_options *options, double profile_s,
                       void (*each)(void *context, const char *id, const pk_bench_failure *failure),
                       void *context, pk_interrupt *intr, pk_err *err) PK_MUST_CHECK;

#endif

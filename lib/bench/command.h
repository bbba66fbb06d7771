/* Whole commands (`perfkit time`): options -> cases -> runs -> figures. Each run is one process,
 * started by a small launcher of its own so that neither our size nor our work is in its figures;
 * with several commands the runs are interleaved, and a comparison rests on blocks of rounds.
 * Methods and their sources: docs/methods.md. */
#ifndef PK_BENCH_COMMAND_H
#define PK_BENCH_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/textlist.h"
#include "stats/verdict.h"
#include "timing/counters.h"
#include "timing/environment.h"

/* ---- options ---- */

typedef enum pk_command_order {
    PK_ORDER_INTERLEAVED, /* A B, B A, ...: rounds; which goes first is balanced and shuffled */
    PK_ORDER_RANDOM,      /* each round in random order */
    PK_ORDER_GROUPED,     /* all of A, then all of B: hyperfine's */
    PK_ORDERS
} pk_command_order;

typedef enum pk_shell_kind {
    PK_SHELL_AUTO, /* a shell only for command lines that need one */
    PK_SHELL_NONE, /* words, PATH, exec */
    PK_SHELL_GIVEN /* always `shell -c LINE` */
} pk_shell_kind;

typedef enum pk_output_kind {
    PK_OUTPUT_NULL,
    PK_OUTPUT_PIPE, /* read and thrown away, inside the time */
    PK_OUTPUT_INHERIT,
    PK_OUTPUT_FILE /* truncated at each run */
} pk_output_kind;

typedef enum pk_command_metric { /* what ranks, and what the first verdict is about */
                                 PK_COMMAND_WALL,
                                 PK_COMMAND_CPU, /* user + system */
                                 PK_COMMAND_USER,
                                 PK_COMMAND_SYSTEM,
                                 PK_COMMAND_RSS,
                                 PK_COMMAND_INSTRUCTIONS,
                                 PK_COMMAND_METRICS
} pk_command_metric;
const char *pk_command_metric_name(pk_command_metric metric); /* "wall" */

typedef struct pk_command_line { /* as it was given, {NAME}s not yet replaced */
    const char *text;            /* one command line; NULL: argv */
    const char *const *argv;     /* argc words, NULL behind: never split, never a shell */
    size_t argc;
} pk_command_line;

typedef struct pk_parameter_scan { /* -P; name NULL: none */
    const char *name, *min, *max, *step /* NULL: not given */;
} pk_parameter_scan;

typedef struct pk_parameter_list { /* -L NAME VALUES, not yet split */
    const char *name, *values;
} pk_parameter_list;

typedef struct pk_command_options {
    const pk_command_line *commands; /* n_commands >= 1 */
    size_t n_commands;
    const char *reference, *reference_name; /* NULL: none */
    pk_text_list names;                     /* -n */
    pk_parameter_scan scan;
    const pk_parameter_list *lists; /* n_lists */
    size_t n_lists;

    const char *setup, *cleanup;      /* NULL: none */
    pk_text_list prepares, concludes; /* none, one for all, or one per case */

    uint64_t warmup;
    uint64_t runs;               /* exactly; 0: decided by time and width */
    uint64_t min_runs, max_runs; /* 0: not given (10; none) */
    double min_time_s;           /* 3: per command, what the number of runs is computed from */
    double max_time_s;           /* of the whole; 0: none */
    double target_ci;            /* go on until the median's interval is within +- this; 0: off */
    uint64_t timeout_ns;         /* of one run; 0: none */

    pk_shell_kind shell_kind;
    const char *shell;         /* PK_SHELL_GIVEN and for AUTO's lines; NULL: "sh" */
    pk_text_list outputs;      /* "null", "pipe", "inherit", a path: none, one, or one per case */
    const char *input;         /* NULL: /dev/null */
    const char *input_command; /* fresh input for each run: its output, made before; NULL: none */
    bool ignore_failure;
    const int *ignore_codes; /* n; ignore_failure with n = 0: all */
    size_t n_ignore_codes;
    bool failed_in_statistics; /* failed runs that are ignored count in the times (hyperfine's) */
    const char *check;         /* CMD given the output of each run; NULL: none */
    const char *cpus;          /* "0-3,8": where the command runs; NULL: anywhere */

    pk_command_order order;
    uint64_t seed;
    pk_command_metric metric;
    bool launch_included; /* times from clone instead of from exec: what hyperfine reports */
    bool debug_mode;      /* nothing is run: `sleep X` takes exactly X */
    double confidence_level, noise_threshold, equivalence; /* 0.95, 0.01, 0.02 */
} pk_command_options;

#define PK_COMMAND_DEFAULT_MIN_RUNS 10
#define PK_COMMAND_DEFAULT_MIN_TIME_S 3.0
#define PK_COMMAND_CASES_MAX 100000

/* ---- cases: what will be run, parameters replaced ---- */

typedef struct pk_parameter_value {
    const char *name, *value;
} pk_parameter_value;

typedef struct pk_command_case {
    const char *command;     /* the line as exports and messages show it */
    const char *name;        /* -n's, else the command */
    const char *shown;       /* name, with unused parameters behind: "make (threads = 2)" */
    const char *const *argv; /* to be run; NULL behind; argv[0] not yet looked up */
    bool through_shell;
    bool reference;                                   /* --reference's own */
    const char *setup, *prepare, *conclude, *cleanup; /* lines; NULL: none */
    pk_output_kind output;
    const char *output_path;              /* PK_OUTPUT_FILE */
    const pk_parameter_value *parameters; /* n_parameters, by name */
    size_t n_parameters;
} pk_command_case;

/* Everything that can be wrong with what was asked, before anything runs: reference first, then the
 * commands for each value. PK_E_USAGE: counts, names, ranges, unknown output; PK_E_INPUT: a line
 * that cannot be split. In the arena. */
bool pk_command_cases(const pk_command_options *options, pk_arena *arena, pk_command_case **cases,
                      size_t *n, pk_err *err) PK_MUST_CHECK;
/* Words of one line as a POSIX shell would split them, for -N: quotes, backslash, # comments;
 * nothing expanded. NULL behind the last. An open quote is PK_E_INPUT. */
bool pk_command_words(const char *line, pk_arena *arena, const char *const **words,
                      pk_err *err) PK_MUST_CHECK;
/* Does the line hold anything that only a shell can do (operators, expansions, globs, a prefix
 * A=b, a word that is a shell's own)? */
bool pk_command_needs_shell(const char *line);
/* argv for a line of setup, prepare, ...: as the options say (AUTO, NONE, GIVEN). */
bool pk_command_argv(const pk_command_options *options, const char *line, pk_arena *arena,
                     const char *const **argv, bool *through_shell, pk_err *err) PK_MUST_CHECK;

/* ---- runs ---- */

typedef struct pk_command_run { /* one timed run */
    double wall_s;              /* exec to exit; launch_included: clone to exit */
    double user_s, system_s;    /* of the whole tree that was waited for */
    double launch_s;            /* clone to exec; NaN: not known */
    double shell_s;             /* taken off wall_s for the shell; 0: none */
    uint64_t rss_bytes;         /* peak of the largest process of the tree; 0: not known */
    bool rss_is_floor;          /* not above what the launcher itself takes: "at most" */
    uint64_t faults_minor, faults_major, switches_voluntary, switches_involuntary;
    uint64_t blocks_in, blocks_out; /* of 512 bytes */
    pk_counter_values counters;
    int code, signal; /* as in pk_exit: code -1 when a signal ended it */
    bool failed;      /* non-zero, signal, timed out, or refused by --check */
    bool timed_out;   /* wall_s is a lower bound */
    uint64_t round;   /* in which it ran, from 0 */
    uint64_t place;   /* in that round, from 0 */
} pk_command_run;

typedef struct pk_command_failure { /* what stopped us, or the first failed run */
    char what[256];                 /* one line */
    char output[4096];              /* the end of its stderr (or output); any bytes; NUL behind */
    bool cut;                       /* there was more */
    int code, signal;
} pk_command_failure;

typedef struct pk_command_interval {
    double point, low, high; /* low, high NaN: too few runs to say */
} pk_command_interval;

/* Of the runs that count, in seconds (bytes, instructions). n = 0: all NaN. */
typedef struct pk_command_figures {
    size_t n;
    double mean, sd /* n - 1; NaN for one run */, min, max;
    double mad;                 /* median absolute deviation, x 1.4826 */
    pk_command_interval median; /* order statistics at the confidence level */
    pk_command_interval mean_ci;
    double percentile[6]; /* 5 25 75 90 95 99; NaN where the runs do not reach so far */
} pk_command_figures;
#define PK_COMMAND_PERCENTILES \
    { 5, 25, 75, 90, 95, 99 }

typedef struct pk_command_change { /* against the reference of the summary */
    bool compared;
    pk_verdict verdict; /* ratio - 1 of means, this / reference */
    double confidence;  /* of the verdict's interval: stricter than that of the figures, so that of
                           equal commands far fewer than 5 % are told apart (0.995 for 0.95) */
    unsigned blocks;    /* time blocks it rests on; pairs below 20 rounds */
    bool grouped;       /* the runs were not interleaved: the verdict is not to be trusted */
    /* Only of a comparison with stored numbers (bench/command_store.h): */
    const char *refused; /* why no verdict is given, one line; NULL: there is one */
    bool elsewhere; /* the stored runs are of another machine or kernel, or of an unknown one */
} pk_command_change;

typedef struct pk_command_result {
    const pk_command_case *of;
    pk_command_run *runs; /* n_runs, in order; failed ones too */
    size_t n_runs;
    size_t n_failed, n_timed_out;
    pk_command_failure *first_failure; /* NULL: none */

    pk_command_figures wall, cpu, user, system, rss, instructions; /* rss: bytes */
    double ratio, ratio_sd; /* of means, hyperfine's: slower / faster to the reference, with its
                               sigma; NaN: unknown */
    bool is_fastest, is_reference;
    pk_command_change change[2]; /* [0] wall (or the metric), [1] CPU */
    pk_command_change stored[2]; /* against the baseline of the store; compared: false when none */
    /* hyperfine's warnings: a first run far slower than the others, else runs far from the others
     * (each against the median, in median absolute deviations); some run through a shell is
     * shorter than 5 ms. Ours: less is left than was taken off for the shell. */
    bool first_run_slow, has_outliers, below_5ms, below_shell;
    double first_run_s;          /* of the first that counts; NaN: none */
    size_t outliers;             /* of the metric: beyond Tukey's inner fences */
    const char *const *warnings; /* ours; one line each */
    size_t n_warnings;
    struct pk_command_lines *lines; /* pk_command_analyse's own: where the warnings stand */
} pk_command_result;

typedef struct pk_command_report {
    pk_arena *arena;                   /* owns everything below */
    const pk_command_options *options; /* pk_command_analyse sets it; must outlive the report */
    const pk_command_case *cases;
    pk_command_result *results; /* n_results of them begun, in the order of the cases */
    size_t n_cases, n_results;
    size_t reference; /* index of what the others are compared with */
    bool shell_used;
    double shell_s, shell_sd_s; /* calibration; NaN: none */
    bool rounds;                /* interleaved or random */
    pk_environment environment;
    bool interrupted, partial;
    uint64_t started_unix_ns, duration_ns, seed;
} pk_command_report;
void pk_command_report_fini(pk_command_report *report);

typedef enum pk_command_phase {
    PK_PHASE_SHELL,
    PK_PHASE_SETUP,
    PK_PHASE_WARMUP,
    PK_PHASE_FIRST,
    PK_PHASE_RUNS,
    PK_PHASE_CLEANUP
} pk_command_phase;

typedef struct pk_command_progress {
    pk_command_phase phase;
    size_t index; /* of the case */
    const char *name;
    uint64_t done, planned;             /* runs of this case (grouped) or of all (rounds) */
    double estimate_s;                  /* running mean; NaN: none */
    double median_low_s, median_high_s; /* live interval; NaN: none */
    double elapsed_s, expected_s;
} pk_command_progress;

typedef struct pk_command_hooks {
    void *context;
    /* Grouped: before a case begins. Rounds: for each, just before its results. May be NULL. */
    void (*started)(void *context, size_t index, const pk_command_case *of);
    void (*progress)(void *context, const pk_command_progress *progress); /* between runs only */
    /* Results of one case are final (its change too, as far as known); false: stop with *err. */
    bool (*finished)(void *context, const pk_command_report *report, size_t index, pk_err *err);
} pk_command_hooks;

/* Runs everything. False with one line in *err: the first failure that is not ignored, after the
 * cleanups (report->results hold what was finished; failure says what its stderr said);
 * interrupted: true, with report->interrupted. Cleanup runs whenever setup did. */
bool pk_command_run_all(const pk_command_options *options, const pk_command_hooks *hooks,
                        pk_interrupt *intr, pk_command_report *report, pk_command_failure *failure,
                        pk_err *err) PK_MUST_CHECK;

/* ---- figures; pure ---- */

/* What one run has in the metric: seconds, bytes, instructions; NaN: not known. */
double pk_command_value(const pk_command_run *run, pk_command_metric metric);
/* Is the run one of those that the figures are made of? Not if it timed out; if it failed, only
 * when asked for. */
bool pk_command_counts(const pk_command_options *options, const pk_command_run *run);
const pk_command_figures *pk_command_figures_of(const pk_command_result *result,
                                                pk_command_metric metric);
/* slower / faster of two means, so at least 1, and its sigma by the propagation of independent
 * errors (hyperfine's). *sd NaN where a sigma is; both NaN where a mean is 0 or missing. */
void pk_command_ratio(const pk_command_figures *one, const pk_command_figures *other, double *ratio,
                      double *sd);
/* How many runs in all, from the first one's cost (run + shell + prepare + conclude, s):
 * max(min_runs, trunc(min_time / cost)), then at most max_runs; `runs` wins. */
uint64_t pk_command_count(const pk_command_options *options, double first_cost_s);
/* All figures, counts of failures, ratios, changes, warnings of all results begun, which of them is
 * the fastest and which the reference: --reference's, else the fastest. May be called again as runs
 * come. PK_E_LIMIT: out of memory; the results may be half done then. */
bool pk_command_analyse(const pk_command_options *options, pk_command_report *report,
                        pk_err *err) PK_MUST_CHECK;
/* Is the interval of the metric's median within +- target of it? */
bool pk_command_width_reached(const pk_command_result *result, pk_command_metric metric,
                              double target);

#endif

/* What the parts of `perfkit bench` share: the options as they stand on the line, and what is made
 * of them. Private to the tool's files. */
#ifndef PK_CMD_BENCH_CLI_H
#define PK_CMD_BENCH_CLI_H

#include "bench/bench.h"
#include "bench/gate.h"
#include "cli/command.h"

typedef enum bench_format {
    BENCH_PERFKIT,
    BENCH_CRITERION,
    BENCH_BENCHER,
    BENCH_QUIET,
    BENCH_VERBOSE,
    BENCH_JSON,
    BENCH_GBENCH_JSON,
    BENCH_GBENCH_CSV,
} bench_format;

enum { LIST_PRETTY, LIST_TERSE };
enum { MESSAGE_JSON, MESSAGE_OPENMETRICS };
enum { PLOT_AUTO, PLOT_GNUPLOT, PLOT_PLOTTERS, PLOT_DISABLED };

typedef struct bench_cli {
    pk_text_list words, skips, drivers;
    bool exact, list, test, init;
    int list_format;
    const char *param;

    uint64_t sample_size, warm_up_ns, measurement_ns, nresamples;
    double noise_threshold, confidence_level, significance_level, equivalence;
    bool quick, more, isolate, strict, robust;
    int metric;
    uint64_t seed, timeout_ns, profile_ns;
    const char *cflags;
    uint64_t layouts;

    const char *save, *baseline, *lenient, *load, *compare_with, *home;
    bool discard;
    int fail_on;

    int format, message_format, color, plotting;
    bool json, quiet, verbose, no_plot;
    const char *output, *history_id, *history_description;

    bool ignored, bench, include_ignored, nocapture, show_output;
} bench_cli;

/* The options of one run, after all that the table cannot say. */
typedef struct bench_plan {
    pk_bench_options bench;
    const char *save;    /* the baseline to make; NULL: none */
    bool store;          /* write into the store at all */
    bool pages;          /* ... and the HTML pages */
    bench_format format; /* of the results */
    bool messages;       /* machine messages on the output, the text on stderr */
    pk_bench_gate gate;
} bench_plan;

/* Where results are stored when --home does not say: CRITERION_HOME, else below CARGO_TARGET_DIR,
 * else target/criterion. NULL: out of memory. */
const char *bench_home(pk_arena *arena);

/* Fills *plan from the line; texts live in the arena. */
bool bench_plan_make(const bench_cli *cli, const pk_parsed *parsed, bench_plan *plan, pk_err *err);

/* Is it an existing file whose name says that it brings benchmarks? */
bool bench_is_target(const char *word);

/* Checks names of baselines to read, and to write. */
pk_checker bench_check_baseline, bench_check_save;

/* Completers: ids, sources and objects; baselines; baselines and objects; baselines and files of
 * results; directories; any file. */
pk_completer bench_complete_words, bench_complete_baselines, bench_complete_skips,
    bench_complete_compare, bench_complete_results, bench_complete_home, bench_complete_driver;

/* Everything after the line was understood; returns the exit code. */
int bench_go(const pk_invocation *invocation, const bench_cli *cli, const bench_plan *plan,
             pk_err *err);

/* Writes the example, under the name on the line if there is one; never over a file. */
bool bench_init(const bench_cli *cli, pk_err *err);

extern const pk_command pk_cmd_bench;

#endif

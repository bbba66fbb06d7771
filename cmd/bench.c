/* perfkit bench: the option table. What the options come to is in bench_plan.c, what is then done
 * in bench_go.c. */
#include "cli/complete.h"
#include "cmd/bench_cli.h"
#include "cmd/commands.h"

#define EXIT_WRONG 2

static const char *const list_formats[] = {"pretty", "terse", NULL};
static const char *const list_format_help[] = {"an empty line behind each group", "without it",
                                               NULL};
static const char *const metrics[] = {"oncpu", "wall", "cpu", NULL};
static const char *const metric_help[] = {"wall time less the time spent waiting for a CPU",
                                          "wall time, for work of several threads",
                                          "CPU time of the thread, without sleeps and I/O", NULL};
static const char *const formats[] = {"perfkit", "criterion",   "bencher",    "quiet", "verbose",
                                      "json",    "gbench-json", "gbench-csv", NULL};
static const char *const format_help[] = {
    "Criterion's layout, perfkit's verdicts, a table at the end",
    "Criterion's output, to the letter",
    "one line per benchmark, as Rust's libtest prints",
    "the times alone",
    "all statistics",
    "one document, every figure (schema bench/1)",
    "Google Benchmark's JSON",
    "Google Benchmark's CSV",
    NULL};
static const char *const messages[] = {"json", "openmetrics", NULL};
static const char *const message_help[] = {"cargo-criterion's messages, one object a line",
                                           "OpenMetrics text, for Prometheus", NULL};
static const char *const plots[] = {"auto", "gnuplot", "plotters", "disabled", NULL};
static const char *const plot_help[] = {"perfkit's own charts", "the same", "the same",
                                        "none, as --noplot", NULL};
static const char *const gates[] = {"never", "regressed", "not-unchanged", NULL};
static const char *const gate_help[] = {"verdicts are no failure",
                                        "a benchmark is slower beyond the threshold for sure",
                                        "a benchmark is anything but unchanged", NULL};
static const char *const color_values[] = {"auto", "always", "never", NULL};

#define OPTION(member, type) PK_FIELD(bench_cli, member, type)
#define ANY INT64_MAX

// clang-format off
static const pk_opt bench_opts[] = {
    {0, "FILTER|FILE", PK_OPT_TEXT_LIST, OPTION(words, pk_text_list), .arg = "FILTER|FILE",
     .help = "benchmarks to run, by a part of their id; or files that bring some",
     .details = "An existing file that ends in .so, .c, .cc, .cpp, .cxx, .py or .js brings its benchmarks; without one, "
                "the built-in suite runs. Sources are compiled by $CC and $CXX; one without benchmarks is linked to those "
                "that have some. Every other word is a regular expression (POSIX extended) that may match anywhere in an id; of "
                "several, any may match.", .complete = bench_complete_words, .flags = PK_OPT_POSITIONAL},

    {0, "init", PK_OPT_FLAG, OPTION(init, bool), .help = "write an example source, bench_example.c or FILE, and run nothing",
     .details = "It shows parameters, throughput, set-up outside the time, a clock of its own, threads and counters. A file "
                "that is there already is left alone.", .group = "Selection", .conflicts = "list test profile-time load-baseline"},
    {0, "skip", PK_OPT_TEXT_LIST, OPTION(skips, pk_text_list), .arg = "filter",
     .help = "leave out what this matches", .group = "Selection", .complete = bench_complete_skips},
    {0, "exact", PK_OPT_FLAG, OPTION(exact, bool), .help = "filters and --skip are whole ids", .group = "Selection"},
    {0, "param", PK_OPT_TEXT, OPTION(param, const char *), .arg = "values",
     .help = "parameters to run with: 20, 10,20,30 or 10:30:5", .shown_default = "each benchmark's own", .group = "Selection"},
    {0, "list", PK_OPT_FLAG, OPTION(list, bool), .help = "print the ids, run nothing", .group = "Selection",
     .conflicts = "test profile-time load-baseline"},
    {0, "format", PK_OPT_ENUM, OPTION(list_format, int), .arg = "format", .fallback = "pretty",
     .help = "how --list prints", .group = "Selection", .values = list_formats, .value_help = list_format_help},
    {0, "test", PK_OPT_FLAG, OPTION(test, bool), .help = "run each benchmark once, measure nothing", .group = "Selection",
     .conflicts = "profile-time load-baseline"},
    {0, "profile-time", PK_OPT_DURATION, OPTION(profile_ns, uint64_t), .arg = "duration",
     .help = "run each benchmark for so long, for a profiler; measure nothing", .group = "Selection",
     .conflicts = "load-baseline", .min = 1000000000, .max = 86400000000000},

    {0, "quick", PK_OPT_FLAG, OPTION(quick, bool), .help = "30 workers of 10 ms: seconds, wider intervals", .group = "Measuring",
     .conflicts = "sample-size"},
    {0, "sample-size", PK_OPT_COUNT, OPTION(sample_size, uint64_t), .arg = "count", .shown_default = "30 or more",
     .help = "least number of worker processes per benchmark",
     .details = "Each worker is one sample. How many there are is measuring time by --measurement-time; a comparison "
                "stops when its interval is narrow enough.", .group = "Measuring", .min = 4, .max = 100000},
    {0, "measurement-time", PK_OPT_DURATION, OPTION(measurement_ns, uint64_t), .arg = "seconds", .shown_default = "4.2",
     .help = "measuring time per benchmark, shared by its workers", .group = "Measuring", .min = 1, .max = ANY},
    {0, "warm-up-time", PK_OPT_DURATION, OPTION(warm_up_ns, uint64_t), .arg = "seconds", .shown_default = "0.7",
     .help = "warm-up per benchmark, shared by its workers", .group = "Measuring", .min = 0, .max = ANY},
    {0, "metric", PK_OPT_ENUM, OPTION(metric, int), .arg = "name", .fallback = "oncpu", .help = "which time is measured",
     .group = "Measuring", .values = metrics, .value_help = metric_help},
    {0, "more", PK_OPT_FLAG, OPTION(more, bool), .help = "go on with the last session: its workers count too",
     .details = "For a verdict of \"cannot tell\". The code must be the same as then.", .group = "Measuring",
     .conflicts = "load-baseline"},
    {0, "isolate", PK_OPT_FLAG, OPTION(isolate, bool), .help = "old and new code in workers of their own",
     .details = "Beside each other in one process, two large working sets share a cache, and a difference looks smaller "
                "than it is. Apart, the interval is wider.", .group = "Measuring"},
    {0, "timeout", PK_OPT_DURATION, OPTION(timeout_ns, uint64_t), .arg = "duration", .fallback = "10s",
     .help = "longest time for a worker, on top of what it should take", .group = "Measuring", .min = 1, .max = ANY},
    {0, "seed", PK_OPT_COUNT, OPTION(seed, uint64_t), .arg = "number", .shown_default = "from the clock",
     .help = "for the same order, layouts and resamples again", .details = "The JSON has the one that was used.",
     .group = "Measuring", .min = 1, .max = ANY},
    {0, "driver", PK_OPT_TEXT_LIST, OPTION(drivers, pk_text_list), .arg = "command",
     .help = "a program that brings benchmarks in any language",
     .details = "It speaks the driver protocol (docs/driver-protocol.md). Words are split without a shell. May be given "
                "several times.", .group = "Selection", .complete = bench_complete_driver},
    {0, "cflags", PK_OPT_TEXT, OPTION(cflags, const char *), .arg = "flags", .shown_default = "-O2",
     .help = "flags for sources that perfkit compiles",
     .details = "Those of the linker too, as in '-O3 -Iinclude -lm'.", .group = "Measuring"},
    {0, "layouts", PK_OPT_COUNT, OPTION(layouts, uint64_t), .arg = "count", .shown_default = "32",
     .help = "layouts of such code to measure in",
     .details = "Where the linker happens to put a function can be several per cent. 1 leaves the code where it is.",
     .group = "Measuring", .min = 1, .max = 1024},

    {'s', "save-baseline", PK_OPT_TEXT, OPTION(save, const char *), .arg = "name", .shown_default = "base",
     .help = "keep the results under this name; compare with what it was",
     .details = "With --baseline it is compared with that one instead.", .group = "Comparison",
     .complete = bench_complete_baselines, .check = bench_check_save, .conflicts = "load-baseline"},
    {'b', "baseline", PK_OPT_TEXT, OPTION(baseline, const char *), .arg = "name",
     .help = "compare with this baseline, and leave it as it is",
     .details = "It is an error if a benchmark has none of that name.", .group = "Comparison",
     .complete = bench_complete_baselines, .check = bench_check_baseline, .conflicts = "baseline-lenient"},
    {0, "baseline-lenient", PK_OPT_TEXT, OPTION(lenient, const char *), .arg = "name",
     .help = "the same, but benchmarks without one are only measured", .group = "Comparison",
     .complete = bench_complete_baselines, .check = bench_check_baseline},
    {0, "load-baseline", PK_OPT_TEXT, OPTION(load, const char *), .arg = "name",
     .help = "measure nothing: report these stored samples again",
     .details = "With --baseline, compared with that one by stored numbers.", .group = "Comparison",
     .complete = bench_complete_baselines, .check = bench_check_baseline},
    {0, "discard-baseline", PK_OPT_FLAG, OPTION(discard, bool), .help = "store nothing", .group = "Comparison",
     .conflicts = "save-baseline baseline baseline-lenient load-baseline"},
    {0, "compare-with", PK_OPT_TEXT, OPTION(compare_with, const char *), .arg = "FILE|baseline",
     .help = "compare with the same benchmarks of another object or source, or with a baseline", .group = "Comparison",
     .complete = bench_complete_compare, .conflicts = "baseline baseline-lenient load-baseline"},
    {0, "home", PK_OPT_TEXT, OPTION(home, const char *), .arg = "directory", .shown_default = "target/criterion",
     .help = "where results are stored", .details = "Before the default come $CRITERION_HOME and "
     "$CARGO_TARGET_DIR/criterion.", .group = "Comparison", .complete = bench_complete_home},
    {0, "fail-on", PK_OPT_ENUM, OPTION(fail_on, int), .arg = "verdict", .fallback = "never",
     .help = "exit with 1 when this is found, for scripts",
     .details = "All benchmarks are judged together (Holm's correction): the more there are, the more it takes for each.",
     .group = "Comparison", .values = gates, .value_help = gate_help},

    {0, "noise-threshold", PK_OPT_RATIO, OPTION(noise_threshold, double), .arg = "share", .shown_default = "0.01",
     .help = "changes up to this do not matter", .group = "Statistics"},
    {0, "equivalence", PK_OPT_RATIO, OPTION(equivalence, double), .arg = "share", .fallback = "0.02",
     .help = "\"no change\" means: surely less than this", .group = "Statistics"},
    {0, "confidence-level", PK_OPT_RATIO, OPTION(confidence_level, double), .arg = "share", .shown_default = "0.95",
     .help = "of all intervals", .group = "Statistics"},
    {0, "significance-level", PK_OPT_RATIO, OPTION(significance_level, double), .arg = "share", .fallback = "0.05",
     .help = "of Criterion's p, in its output format", .group = "Statistics"},
    {0, "nresamples", PK_OPT_COUNT, OPTION(nresamples, uint64_t), .arg = "count", .fallback = "100000",
     .help = "bootstrap resamples behind the statistics that Criterion has", .group = "Statistics", .min = 1, .max = 10000000},
    {0, "strict", PK_OPT_FLAG, OPTION(strict, bool), .help = "improved and regressed need the whole interval beyond the threshold",
     .group = "Statistics"},
    {0, "robust", PK_OPT_FLAG, OPTION(robust, bool), .help = "trim the workers as well: narrower where some are far off",
     .details = "Yuen's t on 20 %-trimmed means instead of Student's.", .group = "Statistics"},

    {0, "output-format", PK_OPT_ENUM, OPTION(format, int), .arg = "format", .fallback = "perfkit", .help = "what to print",
     .group = "Output", .values = formats, .value_help = format_help},
    {'j', "json", PK_OPT_FLAG, OPTION(json, bool), .help = "the same as --output-format json", .group = "Output",
     .conflicts = "output-format message-format quiet verbose"},
    {0, "message-format", PK_OPT_ENUM, OPTION(message_format, int), .arg = "format", .shown_default = "none",
     .help = "results for programs on the output, text on stderr", .group = "Output", .values = messages,
     .value_help = message_help},
    {'o', "output", PK_OPT_OUTPUT, OPTION(output, const char *), .arg = "file", .help = "write the results to a file",
     .details = "Replaced in one step when the run is over: a failed run leaves the old one.", .group = "Output",
     .suffixes = "json txt csv"},
    {'n', "noplot", PK_OPT_FLAG, OPTION(no_plot, bool), .help = "no HTML report", .group = "Output"},
    {0, "plotting-backend", PK_OPT_ENUM, OPTION(plotting, int), .arg = "name", .fallback = "auto",
     .help = "taken for Criterion's sake: perfkit draws itself", .group = "Output", .values = plots, .value_help = plot_help},
    {0, "history-id", PK_OPT_TEXT, OPTION(history_id, const char *), .arg = "text",
     .help = "name of this run in the history (a commit)", .group = "Output"},
    {0, "history-description", PK_OPT_TEXT, OPTION(history_description, const char *), .arg = "text",
     .help = "what it is about", .group = "Output"},
    {0, "quiet", PK_OPT_FLAG, OPTION(quiet, bool), .help = "the times alone, nothing on stderr but errors", .group = "Output",
     .conflicts = "verbose"},
    {'v', "verbose", PK_OPT_FLAG, OPTION(verbose, bool), .help = "all statistics", .group = "Output"},
    {'c', "color", PK_OPT_ENUM, OPTION(color, int), .arg = "when", .fallback = "auto", .help = "colour the results",
     .group = "Output", .aliases = "colour", .values = color_values},

    {0, "bench", PK_OPT_FLAG, OPTION(bench, bool), .help = "measure, as without it", .group = "Taken as cargo passes them"},
    {0, "ignored", PK_OPT_FLAG, OPTION(ignored, bool), .help = "only ignored benchmarks: there are none",
     .group = "Taken as cargo passes them"},
    {0, "include-ignored", PK_OPT_FLAG, OPTION(include_ignored, bool), .help = "changes nothing",
     .group = "Taken as cargo passes them"},
    {0, "nocapture", PK_OPT_FLAG, OPTION(nocapture, bool), .help = "changes nothing", .group = "Taken as cargo passes them"},
    {0, "show-output", PK_OPT_FLAG, OPTION(show_output, bool), .help = "changes nothing",
     .group = "Taken as cargo passes them"},
    {0},
};
// clang-format on

static const pk_example bench_examples[] = {
    {"perfkit bench", "measure the built-in suite; from the second time on, compare"},
    {"perfkit bench --quick fib/recursive fib/lookup", "two of its benchmarks, in a few seconds"},
    {"perfkit bench --init && perfkit bench bench_example.c",
     "write an example of your own, and measure it"},
    {"perfkit bench fib.c --cflags '-O3 -march=native'", "benchmarks of your own, from a C file"},
    {"perfkit bench new.so --compare-with old.so",
     "two builds beside each other, in the same processes"},
    {"perfkit bench sum file.c mod.py mod.js", "what has sum in its id, in three languages"},
    {"perfkit bench --save-baseline main", "keep results and code under a name"},
    {"perfkit bench --baseline main --fail-on regressed", "a gate for continuous integration"},
    {"perfkit bench --param 10:40:5 --json -o scan.json", "a scan over n, for a script"},
    {0},
};

// clang-format off
static const pk_section bench_sections[] = {
    {"DESCRIPTION",
     "Measures small pieces of code and says whether they became faster or slower. The options, the stored files and the "
     "layout of the output are Criterion's; the method is not, since on shared machines Criterion calls unchanged code "
     "changed in every second run.\n\n"
     "A benchmark is measured by many short worker processes, each of which runs it in units of about 0.1 ms, one unit of "
     "a reference loop between any two. The worker's trimmed mean is one sample: what two processes differ by (addresses, "
     "pages, luck) is part of the error, and no number of units in one process shows it. Workers of all benchmarks are "
     "interleaved, so that a slow minute hits all.\n\n"
     "A comparison runs the old code again: a baseline keeps the object itself, and each worker opens both and measures "
     "them in turn. Only where the old code is not at hand are stored numbers used, with the spread between runs in the "
     "error.\n\n"
     "The time is wall time less what the worker spent ready to run without a CPU (--metric oncpu)."},
    {"BENCHMARKS",
     "A shared object offers benchmarks through one table, which perfkit.h declares; `perfkit bench FILE.c` compiles a "
     "source, with that header on the include path:\n\n"
     "  #include \"perfkit.h\"\n"
     "  static void body(perfkit_run *run) {\n"
     "      for (uint64_t i = 0; i < run->iterations; i++) {\n"
     "          int64_t n = run->param;\n"
     "          perfkit_hide(n);\n"
     "          perfkit_keep(fibonacci(n));\n"
     "      }\n"
     "  }\n"
     "  PERFKIT_BENCHMARKS({.group = \"fib\", .function = \"mine\",\n"
     "                      .body = body, .params = \"20\"});\n\n"
     "What is set there (sample size, times, threshold) holds until the command line says otherwise. A benchmark whose "
     "work the compiler has removed is refused; one that crashes, hangs or prints rubbish loses only itself.\n\n"
     "The built-in suite computes Fibonacci numbers: fib/recursive, fib/iterative, fib/lookup, fib/doubling, and in Python "
     "fib/python/recursive and fib/python/lookup."},
    {"VERDICTS",
     "* improved, regressed: the interval of the change excludes 0, and the change is beyond --noise-threshold. With "
     "--strict the whole interval is beyond it.\n\n"
     "* no change beyond X %: the whole interval lies within --equivalence.\n\n"
     "* cannot tell: anything else, with the number of workers that would decide it; --more adds them to those that "
     "have been measured.\n\n"
     "--output-format criterion and bencher use Criterion's words instead.\n\n"
     "The gate of --fail-on tests for each benchmark whether the change is beyond the threshold for sure, and corrects "
     "for their number by Holm's method. So one that is printed as regressed by just more than the threshold may pass; "
     "a line on stderr says what was found."},
    {"BASELINES",
     "Without options the results become the baseline base, after they have been compared with what it was. Each is a "
     "folder of Criterion's files beside the object that was measured, and is replaced in one step: whoever reads it, "
     "or is killed, has the old one or the new one.\n\n"
     "* --save-baseline NAME: compare with NAME, then replace it\n\n"
     "* --baseline NAME: compare with NAME, keep it\n\n"
     "* --save-baseline NEW --baseline OLD: compare with OLD, save as NEW\n\n"
     "* --load-baseline NEW --baseline OLD: compare what is stored\n\n"
     "`perfkit compare A B` shows baselines beside each other."},
    {"DEVIATIONS FROM CRITERION",
     "* A sample is a worker process. --sample-size is the least number of them, --measurement-time and --warm-up-time "
     "are totals for a benchmark, --quick is 30 workers of 10 ms. A warm-up of 0 is allowed, and so are fewer than 10 "
     "samples.\n\n"
     "* The command line wins over what a benchmark sets for itself.\n\n"
     "* --save-baseline and --baseline may stand together; --load-baseline may stand alone.\n\n"
     "* Without a filter that matches there is an error; several filters and --skip are understood.\n\n"
     "* Filters are POSIX extended regular expressions.\n\n"
     "* Without --bench it measures just the same.\n\n"
     "* R^2 is computed right.\n\n"
     "* Wrong options are exit 2, failed benchmarks exit 1."},
    {"ENVIRONMENT",
     "* CRITERION_HOME: where results are stored, if --home does not say. Without it $CARGO_TARGET_DIR/criterion, then "
     "target/criterion.\n\n"
     "* NO_COLOR: no colour, unless --color always."},
    {"EXIT STATUS",
     "* 0: everything was measured, whatever came out.\n\n"
     "* 1: a benchmark failed (the others are reported), or --fail-on found what it looks for.\n\n"
     "* 2: the command line or a file is wrong, or nothing could start.\n\n"
     "* 130: Ctrl-C or SIGTERM; what was measured is reported and marked as partial, and not stored."},
    {0},
};
// clang-format on

static int bench_run(const pk_invocation *invocation, const void *parsed, pk_err *err) {
    const bench_cli *cli = parsed;
    bench_plan plan;
    if (!bench_plan_make(cli, invocation->parsed, &plan, err)) return EXIT_WRONG;
    return bench_go(invocation, cli, &plan, err);
}

const pk_command pk_cmd_bench = {
    .name = "bench",
    .summary = "benchmarks, and what changed for sure",
    .usage = "[options] [FILTER|FILE.c|FILE.so|FILE.py ...]",
    .opts = bench_opts,
    .options_bytes = sizeof(bench_cli),
    .examples = bench_examples,
    .sections = bench_sections,
    .run = bench_run,
};

/* perfkit time: the option table. What the options come to is in time_plan.c, what is then done in
 * time_go.c. */
#include <string.h>

#include "cmd/bench_cli.h"
#include "cmd/commands.h"
#include "cmd/time_cli.h"

#define EXIT_WRONG 2

static const char *const orders[] = {"interleaved", "random", "grouped", NULL};
static const char *const order_help[] = {
    "rounds of one run each; who goes first is balanced and shuffled",
    "rounds, each in random order", "all runs of the first, then all of the next", NULL};
static const char *const failures[] = {"separate", "include", NULL};
static const char *const failure_help[] = {"counted and shown, but in no figure",
                                           "in all figures, as hyperfine does", NULL};
static const char *const metrics[] = {"wall", "cpu", "user", "system", "rss", "instructions", NULL};
static const char *const metric_help[] = {"from exec to exit",
                                          "user and system time together",
                                          "CPU time in the program itself",
                                          "CPU time in the kernel",
                                          "peak memory",
                                          "instructions, where the machine counts them",
                                          NULL};
static const char *const gates[] = {"never", "regressed", NULL};
static const char *const gate_help[] = {"verdicts are no failure",
                                        "a command is slower beyond the threshold for sure", NULL};
static const char *const looks[] = {"auto",  "basic", "full",    "nocolor",
                                    "color", "none",  "compact", NULL};
static const char *const look_help[] = {
    "full on a terminal, else basic", "neither colour nor progress line",
    "colour and progress line",       "progress line, no colour",
    "colour, no progress line",       "nothing on standard output",
    "one line per command",           NULL};
static const char *const colors[] = {"auto", "always", "never", NULL};
static const char *const sorts[] = {"auto", "command", "mean-time", NULL};
static const char *const sort_help[] = {"the summary by mean, tables as given",
                                        "everything as given", "everything by mean", NULL};
static const char *const units[] = {"microsecond", "millisecond", "second", NULL};

static bool check_command(const char *text, pk_err *err) {
    if (text[strspn(text, " \t\n")]) return true;
    pk_fail(err, PK_E_USAGE, NULL, "is empty");
    pk_fix(err, "give a command line such as 'sleep 0.1'");
    return false;
}

#define OPTION(member, type) PK_FIELD(time_cli, member, type)
#define ANY INT64_MAX
#define EXPORT(format) OPTION(exports[format], const char *)

// clang-format off
static const pk_opt time_opts[] = {
    {0, "COMMAND", PK_OPT_TEXT_LIST, OPTION(commands, pk_text_list), .arg = "COMMAND",
     .help = "what to measure; each is one whole command line",
     .details = "It runs without a shell, unless it has something that only a shell understands; see -S and -N.",
     .complete = time_complete_command, .check = check_command, .flags = PK_OPT_POSITIONAL},
    {0, "ARGV", PK_OPT_TEXT_LIST, OPTION(argv, pk_text_list), .arg = "ARGV",
     .help = "after --: one command and its arguments, word by word, never through a shell",
     .flags = PK_OPT_POSITIONAL | PK_OPT_REST},

    {'w', "warmup", PK_OPT_COUNT, OPTION(warmup, uint64_t), .arg = "number", .fallback = "0",
     .help = "runs of each command that are not counted, before the others", .group = "Runs", .max = ANY, .flags = PK_OPT_LATE},
    {'r', "runs", PK_OPT_COUNT, OPTION(runs, uint64_t), .arg = "number", .shown_default = "as many as fit in --min-time",
     .help = "exactly so many runs of each command", .group = "Runs", .conflicts = "min-runs max-runs target-ci",
     .min = 1, .max = ANY, .flags = PK_OPT_LATE},
    {'m', "min-runs", PK_OPT_COUNT, OPTION(min_runs, uint64_t), .arg = "number", .shown_default = "10",
     .help = "at least so many", .group = "Runs", .max = ANY, .flags = PK_OPT_LATE},
    {'M', "max-runs", PK_OPT_COUNT, OPTION(max_runs, uint64_t), .arg = "number", .shown_default = "none",
     .help = "at most so many", .details = "Below 10 it is the least number as well.", .group = "Runs",
     .min = 1, .max = ANY, .flags = PK_OPT_LATE},
    {0, "min-time", PK_OPT_DURATION, OPTION(min_time_ns, uint64_t), .arg = "duration", .fallback = "3s",
     .help = "time for each command that the number of runs is worked out from", .group = "Runs",
     .aliases = "min-benchmarking-time", .min = 0, .max = ANY, .flags = PK_OPT_LATE},
    {0, "max-time", PK_OPT_DURATION, OPTION(max_time_ns, uint64_t), .arg = "duration", .shown_default = "none",
     .help = "start no run after so long, over all commands", .group = "Runs", .min = 1, .max = ANY},
    {0, "target-ci", PK_OPT_RATIO, OPTION(target_ci, double), .arg = "share",
     .help = "go on until each interval is so narrow: 1% is the median +- 1 %",
     .details = "--max-runs and --max-time bound it.", .group = "Runs"},
    {0, "timeout", PK_OPT_DURATION, OPTION(timeout_ns, uint64_t), .arg = "duration", .shown_default = "none",
     .help = "longest time for one run; what takes longer is killed, and has failed", .group = "Runs", .min = 1, .max = ANY},
    {0, "order", PK_OPT_ENUM, OPTION(order, int), .arg = "order", .shown_default = "interleaved",
     .help = "which run comes after which, with several commands",
     .details = "Grouped runs are no fair comparison: what the machine does meanwhile meets one command and not the other. "
                "Called as hyperfine, grouped is the default.", .group = "Runs", .values = orders, .value_help = order_help},
    {0, "seed", PK_OPT_COUNT, OPTION(seed, uint64_t), .arg = "number", .shown_default = "from the clock",
     .help = "for the same order again", .group = "Runs", .min = 1, .max = ANY},

    {'p', "prepare", PK_OPT_TEXT_LIST, OPTION(prepares, pk_text_list), .arg = "command",
     .help = "run this before each run, warm-up runs too", .details = "Once for all commands, or once for each, in their order.",
     .group = "Around the runs", .complete = time_complete_command},
    {'C', "conclude", PK_OPT_TEXT_LIST, OPTION(concludes, pk_text_list), .arg = "command", .help = "run this after each run",
     .details = "As --prepare.", .group = "Around the runs", .complete = time_complete_command},
    {'s', "setup", PK_OPT_TEXT, OPTION(setup, const char *), .arg = "command",
     .help = "run this once for each command, before its first run", .group = "Around the runs", .complete = time_complete_command},
    {'c', "cleanup", PK_OPT_TEXT, OPTION(cleanup, const char *), .arg = "command",
     .help = "run this once for each command, after its last run", .group = "Around the runs", .complete = time_complete_command},

    {'n', "command-name", PK_OPT_TEXT_LIST, OPTION(names, pk_text_list), .arg = "name", .help = "a name to show instead of the command",
     .details = "In the order of the commands. With parameters: one for all, which may hold them, or one for each.",
     .group = "Commands"},
    {0, "reference", PK_OPT_TEXT, OPTION(reference, const char *), .arg = "command", .shown_default = "the fastest",
     .help = "measure this too, and compare the others with it", .group = "Commands", .complete = time_complete_command},
    {0, "reference-name", PK_OPT_TEXT, OPTION(reference_name, const char *), .arg = "name", .help = "its name", .group = "Commands",
     .needs = "reference"},
    {'P', "parameter-scan", PK_OPT_TEXT_LIST, OPTION(scan, pk_text_list), .arg = "var min max",
     .help = "measure with {var} replaced by each number from min to max", .group = "Commands", .conflicts = "parameter-list",
     .flags = PK_OPT_ONCE, .words = 3},
    {'D', "parameter-step-size", PK_OPT_TEXT, OPTION(step, const char *), .arg = "delta", .shown_default = "1",
     .help = "step of -P; needed where its bounds have decimals", .group = "Commands", .conflicts = "parameter-list",
     .needs = "parameter-scan", .flags = PK_OPT_LATE},
    {'L', "parameter-list", PK_OPT_TEXT_LIST, OPTION(lists, pk_text_list), .arg = "var values",
     .help = "measure with {var} replaced by each of the values, which commas separate",
     .details = "\\, is a comma in a value. Of several lists, all combinations are measured.", .group = "Commands", .words = 2},

    {'S', "shell", PK_OPT_TEXT, OPTION(shell, const char *), .arg = "shell", .shown_default = "sh, and only where it is needed",
     .help = "run all commands through this shell; default: sh; none: as -N",
     .details = "What starting it takes is measured first and subtracted.", .group = "How they run", .complete = time_complete_shell},
    {'N', "no-shell", PK_OPT_FLAG, OPTION(no_shell, bool), .help = "split commands into words and run them without a shell",
     .group = "How they run", .conflicts = "shell debug-mode"},
    {'i', "ignore-failure", PK_OPT_TEXT, OPTION(ignore, const char *), .arg = "codes", .bare = "all-non-zero",
     .help = "go on when a command fails; with codes such as 1,3: with these only",
     .details = "A signal n is code 128 + n.", .group = "How they run", .complete = time_complete_ignore},
    {0, "failed", PK_OPT_ENUM, OPTION(failed, int), .arg = "what", .shown_default = "separate", .help = "what becomes of failed runs that are ignored",
     .details = "Called as hyperfine, include is the default.", .group = "How they run", .values = failures, .value_help = failure_help},
    {0, "check", PK_OPT_TEXT, OPTION(check, const char *), .arg = "command",
     .help = "give each run's output to this command; the run has failed if it says so", .group = "How they run",
     .complete = time_complete_command},
    {0, "input", PK_OPT_TEXT, OPTION(input, const char *), .arg = "null|FILE", .fallback = "null",
     .help = "the commands' standard input", .group = "How they run", .complete = time_complete_input},
    {0, "input-cmd", PK_OPT_TEXT, OPTION(input_command, const char *), .arg = "command",
     .help = "... is the output of this command, made before each run", .group = "How they run", .conflicts = "input",
     .complete = time_complete_command},
    {0, "output", PK_OPT_TEXT_LIST, OPTION(outputs, pk_text_list), .arg = "null|pipe|inherit|FILE", .shown_default = "null",
     .help = "where their output goes; once for all or once for each",
     .details = "A file is written as ./NAME. pipe: perfkit reads it, and the time includes that.",
     .group = "How they run", .complete = time_complete_output},
    {0, "show-output", PK_OPT_FLAG, OPTION(show_output, bool), .help = "the same as --output inherit", .group = "How they run",
     .conflicts = "output style check"},
    {0, "cpu", PK_OPT_TEXT, OPTION(cpus, const char *), .arg = "list", .help = "CPUs to run on, such as 2 or 0-3,8",
     .group = "How they run", .complete = time_complete_cpus},
    {0, "debug-mode", PK_OPT_FLAG, OPTION(debug_mode, bool), .help = "run nothing: `sleep X` takes exactly X",
     .flags = PK_OPT_HIDDEN},

    {0, "metric", PK_OPT_ENUM, OPTION(metric, int), .arg = "name", .fallback = "wall", .help = "what ranks and compares the commands",
     .group = "Comparison", .values = metrics, .value_help = metric_help},
    {0, "save-baseline", PK_OPT_TEXT, OPTION(save, const char *), .arg = "name", .help = "keep the results under this name",
     .group = "Comparison", .complete = bench_complete_baselines, .check = bench_check_save},
    {0, "baseline", PK_OPT_TEXT, OPTION(baseline, const char *), .arg = "name|file",
     .help = "compare with results kept under this name, or exported to a file (hyperfine's too)",
     .details = "A word that ends in .json is a file. Stored numbers are of another session, and a machine drifts in between: the interval says by how much. "
                "Where the old program is at hand, --reference is the better comparison.",
     .group = "Comparison", .complete = bench_complete_results, .check = time_check_baseline},
    {0, "home", PK_OPT_TEXT, OPTION(home, const char *), .arg = "directory", .shown_default = "target/criterion",
     .help = "where results are stored", .details = "Before the default come $CRITERION_HOME and "
     "$CARGO_TARGET_DIR/criterion.", .group = "Comparison", .complete = bench_complete_home},
    {0, "fail-on", PK_OPT_ENUM, OPTION(fail_on, int), .arg = "verdict", .fallback = "never",
     .help = "exit with 1 when this is found, for scripts",
     .details = "Against the baseline, else against the reference. All commands are judged together (Holm's correction).",
     .group = "Comparison", .values = gates, .value_help = gate_help},
    {0, "fail-if-slower", PK_OPT_RATIO, OPTION(fail_if_slower, double), .arg = "share",
     .help = "exit with 1 when a command is slower by more than this for sure",
     .details = "The whole interval of its change lies beyond it.", .group = "Comparison"},
    {0, "confidence-level", PK_OPT_RATIO, OPTION(confidence_level, double), .arg = "share", .fallback = "0.95",
     .help = "of the figures' intervals; comparisons are stricter", .group = "Comparison"},
    {0, "noise-threshold", PK_OPT_RATIO, OPTION(noise_threshold, double), .arg = "share", .fallback = "0.01",
     .help = "changes up to this do not matter", .group = "Comparison"},
    {0, "equivalence", PK_OPT_RATIO, OPTION(equivalence, double), .arg = "share", .fallback = "0.02",
     .help = "\"no change\" means: surely less than this", .group = "Comparison"},

    {0, "style", PK_OPT_ENUM, OPTION(look, int), .arg = "style", .fallback = "auto", .help = "what the text looks like",
     .group = "Output", .values = looks, .value_help = look_help},
    {0, "color", PK_OPT_ENUM, OPTION(color, int), .arg = "when", .fallback = "auto", .help = "colour, whatever the style",
     .group = "Output", .aliases = "colour", .values = colors},
    {0, "histogram", PK_OPT_FLAG, OPTION(histogram, bool), .help = "show how the times are spread, for each command", .group = "Output"},
    {0, "sort", PK_OPT_ENUM, OPTION(sort, int), .arg = "method", .fallback = "auto", .help = "order of the summary and of tables",
     .group = "Output", .values = sorts, .value_help = sort_help},
    {'u', "time-unit", PK_OPT_ENUM, OPTION(unit, int), .arg = "unit", .shown_default = "what suits the mean",
     .help = "unit of times in text and tables", .details = "CSV and JSON always have seconds.", .group = "Output", .values = units},
    {'j', "json", PK_OPT_FLAG, OPTION(json, bool), .help = "one document with every figure (schema time/1), in place of the text",
     .group = "Output"},
    {0, "report", PK_OPT_OUTPUT, OPTION(page, const char *), .arg = "file", .help = "write a page with charts", .group = "Output",
     .suffixes = "html"},

    {0, "export-json", PK_OPT_OUTPUT, EXPORT(PK_EXPORT_JSON), .arg = "file", .help = "results as hyperfine's JSON",
     .details = "- is standard output, for all of these. Each file is replaced in one step, after each command where they run "
                "one after the other; one that is there stays until then.", .group = "Exports", .suffixes = "json"},
    {0, "export-csv", PK_OPT_OUTPUT, EXPORT(PK_EXPORT_CSV), .arg = "file", .help = "one line per command", .group = "Exports",
     .suffixes = "csv"},
    {0, "export-csv-runs", PK_OPT_OUTPUT, EXPORT(PK_EXPORT_CSV_RUNS), .arg = "file",
     .help = "one line per run, with all that is known of it", .group = "Exports", .suffixes = "csv"},
    {0, "export-markdown", PK_OPT_OUTPUT, EXPORT(PK_EXPORT_MARKDOWN), .arg = "file", .help = "a table in Markdown",
     .group = "Exports", .suffixes = "md"},
    {0, "export-asciidoc", PK_OPT_OUTPUT, EXPORT(PK_EXPORT_ASCIIDOC), .arg = "file", .help = "a table in AsciiDoc",
     .group = "Exports", .suffixes = "adoc asciidoc"},
    {0, "export-orgmode", PK_OPT_OUTPUT, EXPORT(PK_EXPORT_ORG), .arg = "file", .help = "a table for Org mode", .group = "Exports",
     .suffixes = "org"},
    {0},
};
// clang-format on

static const pk_example time_examples[] = {
    {"perfkit time 'grep -r main lib' 'git grep main'",
     "two commands in turn, and which is faster"},
    {"perfkit time -- make -j4 all", "one command, word by word"},
    {"perfkit time -w 3 -p 'make clean' make", "warm-up runs, and something before each run"},
    {"perfkit time -P threads 1 8 'make -j{threads}'", "a scan over a number"},
    {"perfkit time --reference ./old --fail-if-slower 5% ./new",
     "a gate for continuous integration"},
    {"perfkit time --target-ci 1% --max-time 60s ./program", "until the median is known to 1 %"},
    {"perfkit time --export-json out.json --report out.html ./a ./b", "for scripts and for people"},
    {0},
};

// clang-format off
static const pk_section time_sections[] = {
    {"DESCRIPTION",
     "Runs whole commands many times and says how long they take, how much memory, and which is faster for sure. The options, "
     "exports and text are hyperfine's; a link named hyperfine runs this tool with hyperfine's defaults and exit codes.\n\n"
     "Several commands run in turn, in rounds, so that a slow minute of the machine meets all of them. A comparison rests on "
     "these rounds, and says so when it cannot tell; it is made for wall time and for CPU time, which is far steadier on a "
     "machine that others use too.\n\n"
     "Each run is started by a small program of 0.5 MiB, so that perfkit's own size is not in the peak memory. The time counts "
     "from the moment before exec to the end of the process."},
    {"COMMANDS",
     "Each COMMAND is one whole command line. It is split into words as a shell would, with quotes and backslashes, and run "
     "without one; only where it has operators, variables, globs or a word that is the shell's own does it go through sh. With -S "
     "all commands go through a shell: starting it is measured first, and subtracted. Words after -- are one further command, "
     "which is not split, and never goes through a shell.\n\n"
     "{var} is replaced in commands, names, and what runs around them, but not in --reference.\n\n"
     "With several commands, --setup runs for all of them before the first round, --cleanup after the last; in grouped order "
     "before and after each command."},
    {"VERDICTS",
     "* improved, regressed: faster or slower; the interval of the change excludes 0, and the change is beyond "
     "--noise-threshold.\n\n"
     "* no change beyond X %: the whole interval lies within --equivalence.\n\n"
     "* cannot tell: anything else, such as too few rounds.\n\n"
     "Neighbouring rounds resemble each other, so the interval rests on blocks of rounds, by Student's t on their mean log "
     "ratios."},
    {"FAILED RUNS",
     "A command that fails ends the run with exit code 1, after its cleanup, and the end of what it wrote to standard error is shown. With "
     "-i it goes on, and failed runs are counted apart and are in no figure, unless --failed include. So are runs that --timeout "
     "has ended, and those that --check refuses."},
    {"DEVIATIONS FROM HYPERFINE",
     "Under its own name perfkit time differs on purpose:\n\n"
     "* Runs of several commands are interleaved; hyperfine measures one after the other (--order grouped).\n\n"
     "* A shell is used only where one is needed (-S default: always).\n\n"
     "* The time starts at exec, not before the process is made.\n\n"
     "* Failed runs that -i ignores are in no figure (--failed include).\n\n"
     "* What stands after -- is one command with its arguments; for hyperfine, each word is a command line.\n\n"
     "* The text has more lines, and a verdict below the ratio; the JSON of an export has a further key in each result.\n\n"
     "* The exit codes below.\n\n"
     "Called as hyperfine these are hyperfine's own. Always:\n\n"
     "* Peak memory is each run's own; hyperfine shows the largest of all commands so far.\n\n"
     "* -r 0 and -M 0 are errors. Numbers may end in k or m, --min-benchmarking-time may have a unit.\n\n"
     "* A file of --export-... that was there stays until there are results.\n\n"
     "* Ctrl-C ends the run after cleanup, with the results so far; a second one ends it at once."},
    {"ENVIRONMENT",
     "* Set for the commands: HYPERFINE_ITERATION and PERFKIT_ITERATION, 0, 1, ... in measured runs and warmup-0, ... in the "
     "others; HYPERFINE_RANDOMIZED_ENVIRONMENT_OFFSET, of random length, so that where the stack starts is not the same in "
     "each run.\n\n"
     "* CRITERION_HOME: where results are stored, if --home does not say. Without it $CARGO_TARGET_DIR/criterion, then "
     "target/criterion.\n\n"
     "* NO_COLOR, CLICOLOR_FORCE, TERM: colour, unless --color or --style says."},
    {"EXIT STATUS",
     "* 0: everything was measured, whatever came out.\n\n"
     "* 1: a command failed, or what runs around it; or --fail-on or --fail-if-slower found what it looks for.\n\n"
     "* 2: the command line or a file is wrong, or a command cannot be started.\n\n"
     "* 130: Ctrl-C or SIGTERM; what was measured is reported and marked as partial."},
    {0},
};
// clang-format on

static const char *const time_peers[] = {"hyperfine", NULL};
static const char *const time_peer_exits[] = {
    "0 after any complete run; 1 when a command failed, cannot be started, or an option's value "
    "cannot be used; 2 when the command line is wrong",
    NULL};

static int time_run(const pk_invocation *invocation, const void *parsed, pk_err *err) {
    const time_cli *cli = parsed;
    time_plan plan;
    if (!time_plan_make(invocation, cli, &plan, err)) return EXIT_WRONG;
    return time_go(invocation, cli, &plan, err);
}

const pk_command pk_cmd_time = {
    .name = "time",
    .summary = "whole commands: time, memory, and which is faster for sure",
    .usage = "[options] COMMAND... [-- COMMAND ARG...]",
    .opts = time_opts,
    .options_bytes = sizeof(time_cli),
    .examples = time_examples,
    .sections = time_sections,
    .peers = time_peers,
    .peer_exits = time_peer_exits,
    .peer_usage_exit = 2,
    .peer_setup_exit = 1,
    .run = time_run,
};

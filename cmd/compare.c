/* perfkit compare: stored results side by side. */
#include <string.h>

#include "bench/compare.h"
#include "bench/store.h"
#include "cli/complete.h"
#include "cmd/bench_cli.h"
#include "cmd/commands.h"
#include "cmd/compare_allocs.h"
#include "cmd/compare_profiles.h"
#include "cmd/terminal.h"

#define EXIT_GATE 1
#define EXIT_WRONG 2
#define SOURCES_MAX 60
#define ROWS_MAX 1000000000 /* more functions than there can be */
#define ARENA_BYTES (64u << 20)

typedef struct compare_cli {
    pk_text_list sources;
    const char *home, *filter, *reference;
    double threshold, noise_threshold, confidence_level, equivalence;
    int sort, fail_on, color, by, rows, weight;
    uint64_t top;
    const char *output;
    bool list, json;
} compare_cli;

static const char *const sorts[] = {"id", "time", "ratio", NULL};
static const char *const sort_help[] = {"by name", "the fastest first", "what differs most first",
                                        NULL};
static const char *const figures[] = {"self", "total", NULL};
static const char *const figure_help[] = {"of the function's own code", "with all it calls", NULL};
static const char *const weights[] = {"calls", "bytes", "peak", "leaked", "temporary", NULL};
static const char *const weight_help[] = {"allocations",
                                          "bytes allocated",
                                          "bytes live at the peak",
                                          "bytes never freed",
                                          "freed before the next allocation",
                                          NULL};
static const char *const row_kinds[] = {"stack", "function", "object", NULL};
static const char *const row_help[] = {"call stacks", "what called the allocator",
                                       "programs and libraries", NULL};
static const char *const gates[] = {"never", "regressed", "not-unchanged", NULL};
static const char *const color_values[] = {"auto", "always", "never", NULL};

static void compare_complete_results(pk_choices *choices) {
    bench_complete_results(choices);
    pk_complete_paths(choices, "data folded collapsed svg");
}

#define OPTION(member, type) PK_FIELD(compare_cli, member, type)

// clang-format off
static const pk_opt compare_opts[] = {
    {0, "RESULT", PK_OPT_TEXT_LIST, OPTION(sources, pk_text_list), .arg = "RESULT",
     .help = "baselines by name, files of perfkit bench --json, perfkit time or hyperfine, two profiles, or two of perfkit alloc --json",
     .details = "A file that holds a profile (perf.data, folded stacks, a flame graph) is one, and so are results of perfkit alloc. Of the others, a word that ends in "
     ".json is a file, every other one the name of a baseline in the store.",
     .complete = compare_complete_results, .flags = PK_OPT_POSITIONAL},

    {0, "list", PK_OPT_FLAG, OPTION(list, bool), .help = "print the baselines and how many benchmarks each has", .group = "Selection"},
    {'f', "filter", PK_OPT_TEXT, OPTION(filter, const char *), .arg = "regex",
     .help = "only benchmarks in whose id this is found", .group = "Selection"},
    {'t', "threshold", PK_OPT_RATIO, OPTION(threshold, double), .arg = "share", .fallback = "0",
     .help = "leave out rows whose times differ by less: 5%", .group = "Selection"},
    {0, "home", PK_OPT_TEXT, OPTION(home, const char *), .arg = "directory", .shown_default = "target/criterion",
     .help = "where results are stored", .details = "Before the default come $CRITERION_HOME and "
     "$CARGO_TARGET_DIR/criterion.", .group = "Selection", .complete = bench_complete_home},

    {0, "ref", PK_OPT_TEXT, OPTION(reference, const char *), .arg = "RESULT", .shown_default = "the best of each row",
     .help = "the one whose times are 1.00", .group = "Table", .complete = bench_complete_results},
    {0, "sort", PK_OPT_ENUM, OPTION(sort, int), .arg = "order", .fallback = "id", .help = "order of the rows",
     .group = "Table", .values = sorts, .value_help = sort_help},

    {0, "top", PK_OPT_COUNT, OPTION(top, uint64_t), .arg = "rows", .fallback = "20", .help = "functions in the table; 0 is all of them",
     .group = "Profiles", .max = ROWS_MAX},
    {0, "by", PK_OPT_ENUM, OPTION(by, int), .arg = "figure", .fallback = "self", .help = "whose changes are in front",
     .group = "Profiles", .values = figures, .value_help = figure_help},
    {'o', "output", PK_OPT_OUTPUT, OPTION(output, const char *), .arg = "file", .help = "write the flame graph of the difference: diff.svg",
     .details = "As wide as the second profile; red is more, blue is less of it. The first is scaled to the same total.", .group = "Profiles"},

    {'w', "weight", PK_OPT_ENUM, OPTION(weight, int), .arg = "what", .fallback = "bytes", .help = "whose changes are in front, and drawn",
     .group = "Allocations", .values = weights, .value_help = weight_help},
    {0, "rows", PK_OPT_ENUM, OPTION(rows, int), .arg = "of", .fallback = "function", .help = "what a row of the table is",
     .group = "Allocations", .values = row_kinds, .value_help = row_help},

    {0, "fail-on", PK_OPT_ENUM, OPTION(fail_on, int), .arg = "verdict", .fallback = "never",
     .help = "exit with 1 when the second of two is so, for scripts",
     .details = "All benchmarks are judged together (Holm's correction).", .group = "Verdicts", .values = gates},
    {0, "noise-threshold", PK_OPT_RATIO, OPTION(noise_threshold, double), .arg = "share", .fallback = "0.01",
     .help = "changes up to this do not matter", .group = "Verdicts"},
    {0, "equivalence", PK_OPT_RATIO, OPTION(equivalence, double), .arg = "share", .fallback = "0.02",
     .help = "\"no change\" means: surely less than this", .group = "Verdicts"},
    {0, "confidence-level", PK_OPT_RATIO, OPTION(confidence_level, double), .arg = "share", .fallback = "0.95",
     .help = "of the intervals of changes", .group = "Verdicts"},

    {'j', "json", PK_OPT_FLAG, OPTION(json, bool), .help = "one JSON document (schema compare/1; of profiles flame-compare/1, of allocations alloc-compare/1)", .group = "Output",
     .conflicts = "list"},
    {'c', "color", PK_OPT_ENUM, OPTION(color, int), .arg = "when", .fallback = "auto", .help = "colour the table",
     .group = "Output", .aliases = "colour", .values = color_values},
    {0},
};

static const pk_example compare_examples[] = {
    {"perfkit compare main new", "two baselines, with verdicts"},
    {"perfkit compare --list", "what there is"},
    {"perfkit compare v1 v2 v3 --ref v1 -t 5%", "three, against the first, where they differ"},
    {"perfkit compare before.json after.json --fail-on regressed", "a gate over two files"},
    {"perfkit compare before.svg after.svg -o diff.svg", "which functions take more now"},
    {"perfkit compare before.json after.json -w leaked", "which functions leak more now"},
    {0},
};

static const pk_section compare_sections[] = {
    {"DESCRIPTION",
     "One row per benchmark, two figures per result: the time as a multiple of the row's best (or of --ref), and the time "
     "itself with the half width of its interval. \"-\" is where a result lacks the benchmark. The last row is the geometric "
     "mean of the multiples over the benchmarks that all results have.\n\n"
     "With two results there are verdicts, of the second against the first. They rest on stored numbers alone: both are "
     "divided by the reference loop that ran beside them, where both come from one machine, and how much runs differ is part "
     "of the interval, so \"cannot tell\" is frequent. perfkit bench --baseline runs the old code again and sees far more."},
    {"PROFILES",
     "Of two profiles the shares of the functions are compared: perf.data, folded stacks and flame graphs (of perfkit, inferno "
     "or FlameGraph), told apart by their content. Each row has a function's weight and share before and after, and the "
     "changes of its share in points, +- the half width of their 95 % intervals. Shares of samples differ by chance: \"more\" "
     "and \"less\" stand where chance alone would hardly do it (Fisher's exact test over all functions together, at 1 - "
     "--confidence-level), \"may be chance\" where it would. \"-\": how many samples there are is not in the file. How much "
     "whole runs differ is not in two profiles: record each twice and compare those first."},
    {"ALLOCATIONS",
     "Two files of perfkit alloc --json are told by their content too. Totals come first, then functions, call stacks or objects "
     "(--rows) by how much their own part of --weight has changed; \"of total\" is the change with all they called. Functions are "
     "the same by their names. --top and --output are as for profiles, but the picture is not scaled: counts are exact. Where one "
     "side was sampled, \"error\" is the standard error of the change of the total."},
    {"EXIT STATUS",
     "* 0: compared, whatever came out.\n\n* 1: --fail-on found what it looks for.\n\n"
     "* 2: the command line is wrong, or a result cannot be read."},
    {0},
};
// clang-format on

static bool fail_memory(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "out of memory");
    return false;
}

/* ---- --list ---- */

static size_t count_with(size_t n, const pk_store_entry entries[], const char *name) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < entries[i].n_names; j++)
            count += strcmp(entries[i].names[j], name) == 0;
    return count;
}

static bool is_first(const pk_store_entry entries[], size_t at, size_t name_at) {
    const char *name = entries[at].names[name_at];
    return count_with(at, entries, name) == 0;
}

static bool list(const char *home, pk_arena *arena, pk_err *err) {
    pk_store_entry *entries;
    size_t n;
    pk_store *store = pk_store_open(home, false, false, err);
    bool ok = store && pk_store_list(store, NULL, arena, &entries, &n, err);
    for (size_t i = 0; ok && i < n; i++) {
        for (size_t j = 0; j < entries[i].n_names; j++) {
            if (!is_first(entries, i, j)) continue;
            size_t count = count_with(n, entries, entries[i].names[j]);
            printf("%s: %zu benchmark%s\n", entries[i].names[j], count, count == 1 ? "" : "s");
        }
    }
    pk_store_close(store);
    return ok;
}

/* ---- the table ---- */

static bool check_sources(const compare_cli *cli, pk_err *err) {
    if (cli->sources.count >= 2 && cli->sources.count <= SOURCES_MAX) return true;
    if (cli->sources.count > SOURCES_MAX)
        pk_fail(err, PK_E_USAGE, NULL, "more than %d results do not fit in a table", SOURCES_MAX);
    else pk_fail(err, PK_E_USAGE, NULL, "two results or more are needed");
    pk_fix(err, "perfkit compare --list names what there is");
    return false;
}

static bool judge(const compare_cli *cli, const pk_compare_table *table, bool *failed,
                  pk_err *err) {
    pk_bench_gate_result g;
    *failed = false;
    if (cli->fail_on == PK_GATE_NONE) return true;
    if (!pk_bench_gate_judge((pk_bench_gate)cli->fail_on, &table->changes, &g, err)) return false;
    fprintf(stderr, "gate %s: %zu of %zu compared\n", g.failed ? "failed" : "passed", g.failures,
            g.compared);
    *failed = g.failed;
    return true;
}

static int show(const compare_cli *cli, const char *home, pk_err *err) {
    const pk_compare_options options = {.sources = cli->sources,
                                        .home = home,
                                        .filter = cli->filter,
                                        .reference = cli->reference,
                                        .threshold = cli->threshold,
                                        .sort = (pk_compare_sort)cli->sort,
                                        .noise_threshold = cli->noise_threshold,
                                        .confidence_level = cli->confidence_level,
                                        .equivalence = cli->equivalence};
    pk_compare_table table;
    bool failed = false;
    if (!pk_compare_load(&options, &table, err)) return EXIT_WRONG;
    bool ok = true;
    if (cli->json) ok = pk_compare_render_json(stdout, &table, err);
    else
        pk_compare_render_text(stdout, &table,
                               pk_terminal_colour(stdout, (pk_colour_when)cli->color));
    fflush(stdout);
    ok = ok && judge(cli, &table, &failed, err);
    pk_compare_fini(&table);
    return !ok ? EXIT_WRONG : failed ? EXIT_GATE : 0;
}

static bool check_levels(const compare_cli *cli, pk_err *err) {
    if (cli->confidence_level > 0 && cli->confidence_level < 1 && cli->equivalence > 0) return true;
    pk_fail(err, PK_E_USAGE, NULL,
            "--confidence-level must be between 0 and 1, --equivalence more than 0");
    pk_fix(err, "leave them out for 0.95 and 0.02");
    return false;
}

static bool check_gate(const compare_cli *cli, pk_err *err) {
    if (cli->fail_on == PK_GATE_NONE || cli->sources.count == 2) return true;
    pk_fail(err, PK_E_USAGE, "--fail-on", "verdicts need exactly two results");
    pk_fix(err, "give the old one and the new one");
    return false;
}

/* ---- profiles ---- */

/* Options that are for other results than these. */
static bool refuse(const pk_invocation *invocation, const char *const others[], const char *whose,
                   pk_err *err) {
    for (; *others; others++) {
        if (!pk_parsed_given(&pk_cmd_compare, invocation->parsed, *others)) continue;
        pk_fail(err, PK_E_USAGE, NULL, "--%s is for %s", *others, whose);
        pk_fix(err, "leave it out");
        return false;
    }
    return true;
}

static bool check_profile_options(const pk_invocation *invocation, pk_err *err) {
    static const char *const others[] = {"filter",  "threshold",       "ref",         "sort",
                                         "fail-on", "noise-threshold", "equivalence", NULL};
    static const char *const allocs[] = {"weight", "rows", NULL};
    return refuse(invocation, others, "benchmarks, not for profiles", err) &&
           refuse(invocation, allocs, "allocations, not for profiles", err);
}

static bool check_alloc_options(const pk_invocation *invocation, pk_err *err) {
    static const char *const others[] = {"filter",      "threshold",        "ref",
                                         "sort",        "fail-on",          "noise-threshold",
                                         "equivalence", "confidence-level", NULL};
    static const char *const profiles[] = {"by", NULL};
    return refuse(invocation, others, "benchmarks, not for allocations", err) &&
           refuse(invocation, profiles, "profiles, not for allocations", err);
}

static bool check_result_options(const pk_invocation *invocation, pk_err *err) {
    static const char *const others[] = {"top", "by", "output", NULL};
    static const char *const allocs[] = {"weight", "rows", NULL};
    return refuse(invocation, others, "profiles, not for benchmarks", err) &&
           refuse(invocation, allocs, "allocations, not for benchmarks", err);
}

static size_t count_sources(const compare_cli *cli, bool (*is_one)(const char *path)) {
    size_t n = 0;
    for (size_t i = 0; i < cli->sources.count; i++) n += is_one(cli->sources.items[i]);
    return n;
}

static int profiles(const pk_invocation *invocation, const compare_cli *cli, size_t n,
                    pk_err *err) {
    if (n != 2 || cli->sources.count != 2) {
        pk_fail(err, PK_E_USAGE, NULL, "a profile is compared with one other profile");
        pk_fix(err, "give two files of perf.data, folded stacks or flame graphs");
        return EXIT_WRONG;
    }
    if (!check_levels(cli, err) || !check_profile_options(invocation, err)) return EXIT_WRONG;
    const compare_profiles_options options = {
        .before = cli->sources.items[0],
        .after = cli->sources.items[1],
        .output = cli->output,
        .rows = cli->top,
        .order = cli->by,
        .alpha = 1 - cli->confidence_level,
        .json = cli->json,
        .colour = pk_terminal_colour(stdout, (pk_colour_when)cli->color)};
    return compare_profiles(&options, invocation, err);
}

/* ---- allocations ---- */

static int allocs(const pk_invocation *invocation, const compare_cli *cli, size_t n, pk_err *err) {
    if (n != 2 || cli->sources.count != 2) {
        pk_fail(err, PK_E_USAGE, NULL, "allocations are compared with one other result of them");
        pk_fix(err, "give two files of perfkit alloc --json");
        return EXIT_WRONG;
    }
    if (!check_alloc_options(invocation, err)) return EXIT_WRONG;
    const compare_allocs_options options = {
        .before = cli->sources.items[0],
        .after = cli->sources.items[1],
        .output = cli->output,
        .rows = cli->top,
        .by = cli->rows,
        .weight = cli->weight,
        .json = cli->json,
        .colour = pk_terminal_colour(stdout, (pk_colour_when)cli->color)};
    return compare_allocs(&options, err);
}

static int benchmarks(const pk_invocation *invocation, const compare_cli *cli, const char *home,
                      pk_err *err) {
    bool ok = check_sources(cli, err) && check_levels(cli, err) && check_gate(cli, err) &&
              check_result_options(invocation, err);
    return ok ? show(cli, home, err) : EXIT_WRONG;
}

static int compare_run(const pk_invocation *invocation, const void *parsed, pk_err *err) {
    const compare_cli *cli = parsed;
    const char *home = cli->home ? cli->home : bench_home(invocation->parsed->arena);
    int code = EXIT_WRONG;
    if (!home) {
        fail_memory(err);
        return code;
    }
    size_t n = cli->list ? 0 : count_sources(cli, compare_is_alloc);
    if (n > 0) return allocs(invocation, cli, n, err);
    n = cli->list ? 0 : count_sources(cli, compare_is_profile);
    if (n > 0) return profiles(invocation, cli, n, err);
    if (!cli->list) return benchmarks(invocation, cli, home, err);
    pk_arena *arena = pk_arena_new(ARENA_BYTES);
    if (!arena) fail_memory(err);
    else if (list(home, arena, err)) code = 0;
    pk_arena_free(arena);
    return code;
}

const pk_command pk_cmd_compare = {
    .name = "compare",
    .summary = "stored results side by side",
    .usage = "[options] RESULT RESULT [RESULT...]",
    .opts = compare_opts,
    .options_bytes = sizeof(compare_cli),
    .examples = compare_examples,
    .sections = compare_sections,
    .helper = true,
    .run = compare_run,
};

/* perfkit bench: from the options on the line to what is to be done. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/process.h"
#include "cmd/bench_cli.h"
#include "timing/clock.h"

#define BASE "base"

/* ---- names ---- */

static bool bad_name(pk_err *err, const char *what) {
    pk_fail(err, PK_E_USAGE, NULL, "%s", what);
    pk_fix(err, "use a name such as main or before-rewrite");
    return false;
}

bool bench_check_baseline(const char *text, pk_err *err) {
    if (!text[0]) return bad_name(err, "a baseline needs a name");
    if (strchr(text, '/')) return bad_name(err, "a baseline's name is one folder, without /");
    if (text[0] == '.') return bad_name(err, "a baseline's name starts with no dot");
    if (strlen(text) > 64) return bad_name(err, "a baseline's name has at most 64 letters");
    if (strcmp(text, "change") == 0 || strcmp(text, "report") == 0 || strcmp(text, "profile") == 0)
        return bad_name(err, "change, report and profile are folders of other things");
    return true;
}

bool bench_check_save(const char *text, pk_err *err) {
    if (strcmp(text, "new") == 0) return bad_name(err, "new is what every run writes anyway");
    return bench_check_baseline(text, err);
}

/* ---- words ---- */

static bool ends_in(const char *word, const char *const suffixes[]) {
    const char *dot = strrchr(word, '.');
    for (size_t i = 0; dot && suffixes[i]; i++)
        if (strcmp(dot, suffixes[i]) == 0) return true;
    return false;
}

static bool is_file(const char *word) {
    struct stat st;
    return stat(word, &st) == 0 && S_ISREG(st.st_mode);
}

bool bench_is_target(const char *word) {
    static const char *const targets[] = {".so", ".c", ".cc", ".cpp", ".cxx", ".py", ".js", NULL};
    return ends_in(word, targets) && is_file(word);
}

static void sort_words(const pk_text_list *words, pk_text_list *objects, pk_text_list *filters) {
    for (size_t i = 0; i < words->count; i++) {
        const char *word = words->items[i];
        pk_text_list *list = bench_is_target(word) ? objects : filters;
        list->items[list->count++] = word;
    }
}

static bool split_words(const bench_cli *cli, pk_arena *arena, pk_bench_options *o, pk_err *err) {
    o->objects.items = PK_NEW(arena, cli->words.count, const char *);
    o->filters.items = PK_NEW(arena, cli->words.count, const char *);
    if (o->objects.items && o->filters.items) {
        sort_words(&cli->words, &o->objects, &o->filters);
        return true;
    }
    pk_fail(err, PK_E_LIMIT, NULL, "no memory for a command line this long");
    return false;
}

/* ---- programs ---- */

/* Can this be started: a path, or a name that is on PATH? */
static bool is_program(const char *name, pk_arena *arena) {
    const char *path = getenv("PATH");
    if (strchr(name, '/')) return access(name, X_OK) == 0;
    for (const char *end; path; path = *end ? end + 1 : NULL) {
        end = strchrnul(path, ':');
        const char *at = pk_arena_printf(arena, "%.*s/%s", (int)(end - path), path, name);
        if (at && access(at, X_OK) == 0 && is_file(at)) return true;
    }
    return false;
}

static bool check_drivers(const pk_text_list *drivers, pk_arena *arena, pk_err *err) {
    for (size_t i = 0; i < drivers->count; i++) {
        char **words = pk_words_split(drivers->items[i], err);
        if (!words) return false;
        bool found = !words[0] || is_program(words[0], arena); /* empty: bench says it */
        if (!found) {
            pk_fail(err, PK_E_USAGE, words[0], "there is no such program for --driver");
            pk_fix(err, "give its path, make it executable, or name its interpreter first");
        }
        free(words);
        if (!found) return false;
    }
    return true;
}

/* ---- the store ---- */

const char *bench_home(pk_arena *arena) {
    const char *home = getenv("CRITERION_HOME"), *target = getenv("CARGO_TARGET_DIR");
    if (home && home[0]) return home;
    if (target && target[0]) return pk_arena_printf(arena, "%s/criterion", target);
    return "target/criterion";
}

/* Which baseline is compared with, and which is written. */
static void choose_baselines(const bench_cli *cli, bench_plan *plan) {
    pk_bench_options *o = &plan->bench;
    bool only_reads = cli->baseline || cli->lenient || cli->compare_with || cli->discard;
    plan->save = cli->save ? cli->save : only_reads ? NULL : BASE;
    o->compare = PK_COMPARE_BASELINE_LENIENT;
    o->compare_with = cli->save ? cli->save : BASE;
    if (cli->lenient) o->compare_with = cli->lenient;
    if (cli->baseline) {
        o->compare = PK_COMPARE_BASELINE;
        o->compare_with = cli->baseline;
    }
    if (cli->compare_with) {
        o->compare = bench_is_target(cli->compare_with) ? PK_COMPARE_OBJECT : PK_COMPARE_BASELINE;
        o->compare_with = cli->compare_with;
    }
    if (cli->load) { /* nothing is measured, so nothing is written */
        plan->save = NULL;
        if (!cli->baseline && !cli->lenient) {
            o->compare = PK_COMPARE_NONE;
            o->compare_with = NULL;
        }
    }
    plan->store = !cli->discard;
}

/* ---- compilers ---- */

static const char *setting(const char *name) {
    const char *value = getenv(name);
    return value && value[0] ? value : NULL;
}

/* ---- numbers ---- */

static bool fail_share(pk_err *err, const char *name, double value) {
    pk_fail(err, PK_E_USAGE, name, "%g is not between 0 and 1", value);
    pk_fix(err, "use a share such as 0.95 or 95%%, neither 0 nor 1");
    return false;
}

/* The table's bounds are inclusive; these are not. */
static bool check_shares(const bench_cli *cli, const pk_parsed *parsed, pk_err *err) {
    const struct {
        const char *name;
        double value, below;
    } shares[] = {
        {"noise-threshold", cli->noise_threshold, 2},
        {"confidence-level", cli->confidence_level, 1},
        {"significance-level", cli->significance_level, 1},
        {"equivalence", cli->equivalence, 2},
    };
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        if (!pk_parsed_given(&pk_cmd_bench, parsed, shares[i].name)) continue;
        if (shares[i].value > 0 && shares[i].value < shares[i].below) continue;
        char name[64];
        snprintf(name, sizeof name, "--%s", shares[i].name);
        return fail_share(err, name, shares[i].value);
    }
    return true;
}

static void set_numbers(const bench_cli *cli, const pk_parsed *parsed, pk_bench_options *o) {
    bool warm_up = pk_parsed_given(&pk_cmd_bench, parsed, "warm-up-time");
    o->sample_size = cli->sample_size;
    o->measurement_time_s = (double)cli->measurement_ns / 1e9;
    o->warm_up_time_s = warm_up ? (double)cli->warm_up_ns / 1e9 : -1;
    o->noise_threshold = cli->noise_threshold;
    o->confidence_level = cli->confidence_level;
    o->significance_level = cli->significance_level;
    o->equivalence = cli->equivalence;
    o->nresamples = cli->nresamples;
    o->timeout_ns = cli->timeout_ns;
    o->layouts = (unsigned)cli->layouts;
    /* Stored samples analysed twice shall give the same twice. */
    o->seed = cli->seed ? cli->seed : cli->load ? 1 : pk_now_ns();
}

/* ---- output ---- */

static bench_format choose_format(const bench_cli *cli, const pk_parsed *parsed) {
    if (cli->json) return BENCH_JSON;
    if (pk_parsed_given(&pk_cmd_bench, parsed, "output-format")) return (bench_format)cli->format;
    return cli->quiet ? BENCH_QUIET : cli->verbose ? BENCH_VERBOSE : BENCH_PERFKIT;
}

static bool is_document(bench_format format) {
    return format == BENCH_JSON || format == BENCH_GBENCH_JSON || format == BENCH_GBENCH_CSV;
}

static bool check_output(const bench_plan *plan, pk_err *err) {
    if (!plan->messages || !is_document(plan->format)) return true;
    pk_fail(err, PK_E_USAGE, NULL, "--message-format and --output-format both want the output");
    pk_fix(err, "give one of them");
    return false;
}

bool bench_plan_make(const bench_cli *cli, const pk_parsed *parsed, bench_plan *plan, pk_err *err) {
    bench_plan made = {
        .bench = {.skips = cli->skips,
                  .drivers = cli->drivers,
                  .python = is_program("python3", parsed->arena) ? "python3" : NULL,
                  .node = is_program("node", parsed->arena) ? "node" : NULL,
                  .exact = cli->exact,
                  .param = cli->param,
                  .quick = cli->quick,
                  .strict = cli->strict,
                  .robust = cli->robust,
                  .metric = (pk_bench_metric)cli->metric,
                  .isolate = cli->isolate,
                  .more = cli->more,
                  .cflags = cli->cflags},
        .format = choose_format(cli, parsed),
        .messages = pk_parsed_given(&pk_cmd_bench, parsed, "message-format"),
        .gate = (pk_bench_gate)cli->fail_on,
    };
    made.bench.home = cli->home ? cli->home : bench_home(parsed->arena);
    if (!made.bench.home || !made.bench.home[0]) {
        pk_fail(err, PK_E_USAGE, "--home", "is empty");
        pk_fix(err, "name a directory, such as target/criterion");
        return false;
    }
    choose_baselines(cli, &made);
    made.bench.cc = setting("CC");
    made.bench.cxx = setting("CXX");
    set_numbers(cli, parsed, &made.bench);
    made.pages = made.store && !cli->no_plot && cli->plotting != PLOT_DISABLED;
    if (!check_shares(cli, parsed, err) || !check_output(&made, err) ||
        !split_words(cli, parsed->arena, &made.bench, err) ||
        !check_drivers(&cli->drivers, parsed->arena, err))
        return false;
    *plan = made;
    return true;
}

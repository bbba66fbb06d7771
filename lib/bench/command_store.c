#include "bench/command_store.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "bench/analyse.h"
#include "bench/command_parts.h"
#include "bench/reload.h"

enum { FILE_BYTES_MAX = 256 << 20, SAVE_ARENA_BYTES = 1 << 30 };

/* ---- saving ---- */

#define RESAMPLED_MOST 20000000.0 /* values drawn for the intervals in Criterion's files */
enum { RESAMPLES_LEAST = 200, RESAMPLES_MOST = 10000 };

static uint64_t resamples_for(size_t n) {
    return (uint64_t)fmin(fmax(RESAMPLED_MOST / (double)n, RESAMPLES_LEAST), RESAMPLES_MOST);
}

/* *n: how many are saved. */
static bool save_one(pk_store *store, const pk_command_options *options,
                     const pk_command_report *report, const pk_command_result *r, const char *name,
                     size_t *n, pk_arena *arena, pk_err *err) {
    pk_command_samples samples;
    pk_bench_result result;
    if (!pk_command_samples_of(options, r, arena, &samples, err)) return false;
    if (samples.n < 2) return true;
    if (!pk_command_samples_result(options, r->of->shown, &samples, resamples_for(samples.n), arena,
                                   &result, err))
        return false;
    result.started_unix_ns = report->started_unix_ns;
    for (size_t i = 0; i < samples.n; i++)
        result.duration_ns += (uint64_t)(samples.wall_s[i] * 1e9);
    const pk_bench_report session = {.environment = report->environment};
    ++*n;
    return pk_store_save(store, &result, &session, name, err);
}

bool pk_command_store_save(pk_store *store, const pk_command_options *options,
                           const pk_command_report *report, const char *name, pk_err *err) {
    size_t saved = 0;
    for (size_t i = 0; i < report->n_results; i++) {
        pk_arena *arena = pk_arena_new(SAVE_ARENA_BYTES);
        if (!arena) return pk_command_no_room(err);
        bool ok = save_one(store, options, report, &report->results[i], name, &saved, arena, err);
        pk_arena_free(arena);
        if (!ok) return false;
    }
    if (saved > 0) return true;
    pk_fail(err, PK_E_INPUT, name, "nothing to save: no command has two runs that count");
    pk_fix(err, "let more of them succeed, or ask for more runs");
    return false;
}

/* ---- loading ---- */

struct pk_command_baseline {
    const char *source;
    bool file;
    const pk_command_stored *items; /* of the store: only .result */
    const pk_environment *const *environments;
    size_t n;
    pk_arena *arena;
};

bool pk_command_baseline_is_file(const char *source) {
    size_t length = strlen(source);
    return length > 5 && strcmp(source + length - 5, ".json") == 0;
}

static bool load_file(const char *path, const pk_command_options *options, pk_command_baseline *b,
                      pk_err *err) {
    pk_strbuf text;
    pk_command_record record = {0};
    bool mine = false;
    pk_strbuf_init(&text, FILE_BYTES_MAX);
    bool ok = pk_file_read(path, FILE_BYTES_MAX, &text, err) &&
              pk_command_record_parse(text.data, text.length, path, options->failed_in_statistics,
                                      b->arena, &record, &mine, err);
    pk_strbuf_fini(&text);
    if (!ok) return false;
    if (!mine || record.n == 0) {
        pk_fail(err, PK_E_INPUT, path, "it holds no runs of commands");
        pk_fix(err, "give a file that --export-json wrote, or a baseline's name");
        return false;
    }
    const pk_environment **environments = PK_NEW(b->arena, record.n, const pk_environment *);
    if (!environments) return pk_command_no_room(err);
    for (size_t i = 0; i < record.n; i++) environments[i] = record.environment;
    b->items = record.items;
    b->environments = environments;
    b->n = record.n;
    return true;
}

/* Each command of the store that has the baseline. */
static bool load_entries(pk_store *store, const char *name, const pk_command_options *options,
                         pk_command_baseline *b, pk_err *err) {
    pk_store_entry *entries;
    size_t n;
    if (!pk_store_list(store, name, b->arena, &entries, &n, err)) return false;
    pk_command_stored *items = PK_NEW(b->arena, n, pk_command_stored);
    const pk_environment **environments = PK_NEW(b->arena, n, const pk_environment *);
    if (!items || !environments) return pk_command_no_room(err);
    const pk_bench_options levels = {.confidence_level = options->confidence_level,
                                     .noise_threshold = options->noise_threshold,
                                     .equivalence = options->equivalence,
                                     .nresamples = PK_COMMAND_RESAMPLES_FEW};
    for (size_t i = 0; i < n; i++) {
        if (strcmp(entries[i].group, PK_COMMAND_GROUP) != 0) continue;
        pk_baseline *old = pk_store_load(store, entries[i].directory, name, b->arena, err);
        if (!old && err->kind != PK_OK) return false;
        if (!old) continue; /* gone since the list was made */
        pk_bench_result *result = PK_NEW(b->arena, 1, pk_bench_result);
        if (!result) return pk_command_no_room(err);
        if (!pk_bench_result_of_baseline(old, &levels, b->arena, result, err)) return false;
        items[b->n].result = result;
        environments[b->n++] = old->environment;
    }
    b->items = items;
    b->environments = environments;
    return true;
}

static bool load_baseline(const char *home, const char *name, const pk_command_options *options,
                          pk_command_baseline *b, pk_err *err) {
    pk_store *store = pk_store_open(home, false, false, err);
    if (!store) return false;
    bool ok = load_entries(store, name, options, b, err);
    pk_store_close(store);
    if (!ok || b->n > 0) return ok;
    pk_fail(err, PK_E_INPUT, name, "no command in %s has a baseline of this name", home);
    pk_fix(err, "make one with --save-baseline %s, or name the store with --home", name);
    return false;
}

const pk_command_baseline *pk_command_baseline_load(const char *home, const char *source,
                                                    const pk_command_options *options,
                                                    pk_arena *arena, pk_err *err) {
    pk_command_baseline *b = PK_NEW(arena, 1, pk_command_baseline);
    if (!b) {
        pk_command_no_room(err);
        return NULL;
    }
    *b = (pk_command_baseline){
        .source = source, .file = pk_command_baseline_is_file(source), .arena = arena};
    bool ok =
        b->file ? load_file(source, options, b, err) : load_baseline(home, source, options, b, err);
    return ok ? b : NULL;
}

/* ---- which ---- */

static bool same_parameters(const pk_command_stored *item, const pk_command_case *of) {
    if (item->n_parameters != of->n_parameters) return false;
    for (size_t i = 0; i < of->n_parameters; i++) {
        bool same = false;
        for (size_t k = 0; k < item->n_parameters && !same; k++)
            same = strcmp(item->parameters[k].name, of->parameters[i].name) == 0 &&
                   strcmp(item->parameters[k].value, of->parameters[i].value) == 0;
        if (!same) return false;
    }
    return true;
}

/* By name; by command line where a file has none of the name. */
static size_t find_in_file(const pk_command_baseline *b, const pk_command_case *of) {
    for (size_t i = 0; i < b->n; i++)
        if (strcmp(b->items[i].command, of->name) == 0 && same_parameters(&b->items[i], of))
            return i;
    for (size_t i = 0; i < b->n; i++) {
        const char *line = b->items[i].line ? b->items[i].line : b->items[i].command;
        if (strcmp(line, of->command) == 0 && same_parameters(&b->items[i], of)) return i;
    }
    return b->n;
}

static size_t find(const pk_command_baseline *b, const pk_command_case *of, const char *id) {
    if (b->file) return find_in_file(b, of);
    for (size_t i = 0; i < b->n; i++)
        if (strcmp(b->items[i].result->id, id) == 0) return i;
    return b->n;
}

/* ---- comparing ---- */

/* A result like `from` whose workers have the metric's values as their time; false: no memory. */
static bool in_metric(const pk_bench_result *from, pk_command_metric metric, pk_arena *arena,
                      pk_bench_result *out) {
    *out = *from;
    if (metric == PK_COMMAND_WALL) return true;
    out->workers = PK_NEW(arena, from->n_workers, pk_bench_worker);
    if (!out->workers) return false;
    for (size_t i = 0; i < from->n_workers; i++) {
        pk_bench_side *side = &out->workers[i].side[PK_SIDE_NEW];
        out->workers[i] = from->workers[i];
        side->trimmed_ns = side->cpu_ns;
    }
    return true;
}

static bool has_values(const pk_bench_session *session) {
    return session->workers >= 2 && isfinite(session->standard_error[0]);
}

static bool compare_in(const pk_command_baseline *b, size_t item, const pk_bench_result *now_wall,
                       const pk_environment *environment, const pk_command_options *options,
                       pk_command_metric metric, pk_arena *arena, pk_command_change *change) {
    pk_bench_result old, now;
    pk_bench_session then, today;
    const pk_environment *there = b->environments[item];
    if (!in_metric(b->items[item].result, metric, arena, &old) ||
        !in_metric(now_wall, metric, arena, &now))
        return false;
    pk_bench_session_of(&old, there ? there : environment, &then);
    pk_bench_session_of(&now, environment, &today);
    if (!has_values(&then) || !has_values(&today)) return true; /* not known: not compared */
    const pk_bench_options bench = {.confidence_level = options->confidence_level};
    pk_bench_change_stored(&now, environment, 1, &then, &bench);
    double spread = fmax(then.spread[0], today.spread[0]);
    *change = (pk_command_change){
        .compared = true,
        .verdict = now.change.verdict,
        .confidence = options->confidence_level,
        .elsewhere = !there || strcmp(then.environment, today.environment) != 0,
    };
    if (!now.change.refused[0]) return true;
    change->refused = pk_arena_printf(
        arena, "runs differ by %.0f %%, too much for stored numbers; run the old command beside it",
        100 * spread);
    return change->refused != NULL;
}

bool pk_command_baseline_compare(const pk_command_baseline *b, const pk_command_options *options,
                                 const pk_command_report *report, size_t index, pk_err *err) {
    pk_command_result *r = &report->results[index];
    pk_command_samples samples;
    pk_bench_result now;
    r->stored[0] = r->stored[1] = (pk_command_change){0};
    if (!pk_command_samples_of(options, r, report->arena, &samples, err)) return false;
    if (samples.n < 2) return true;
    if (!pk_command_samples_result(options, r->of->shown, &samples, PK_COMMAND_RESAMPLES_FEW,
                                   report->arena, &now, err))
        return false;
    size_t item = find(b, r->of, now.id);
    if (item == b->n) return true;
    now.noise_threshold = options->noise_threshold;
    bool timed = options->metric == PK_COMMAND_WALL || options->metric == PK_COMMAND_CPU;
    const pk_environment *environment = &report->environment;
    bool ok = (!timed || compare_in(b, item, &now, environment, options, options->metric,
                                    report->arena, &r->stored[0])) &&
              compare_in(b, item, &now, environment, options, PK_COMMAND_CPU, report->arena,
                         &r->stored[1]);
    return ok || pk_command_no_room(err);
}

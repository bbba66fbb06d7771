/* Results of commands out of JSON files. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/command_parts.h"
#include "bench/command_store.h"
#include "bench/result_json.h"
#include "report/json_read.h"

#define TREE_BYTES_MAX (1u << 30)

/* What files do not say: intervals at the usual level; no thresholds are needed. */
static const pk_command_options usual = {.confidence_level = PK_BENCH_DEFAULT_CONFIDENCE,
                                         .noise_threshold = PK_BENCH_DEFAULT_NOISE,
                                         .equivalence = 0.02,
                                         .seed = 1};

typedef struct parser {
    pk_json_reader reader;
    bool failed_too;
    pk_arena *arena; /* what is kept */
    pk_command_stored *items;
    size_t n;
} parser;

static const char *keep(parser *p, const char *text) {
    const char *copy = p->reader.failed || !text ? NULL : pk_arena_strdup(p->arena, text);
    if (text && !copy) pk_json_no_room(&p->reader);
    return copy;
}

static void read_parameters(parser *p, const pk_json_value *o, pk_command_stored *item) {
    const pk_json_value *list = pk_json_get_object(&p->reader, o, "parameters");
    if (!list || list->count == 0) return;
    pk_parameter_value *values = PK_NEW(p->arena, list->count, pk_parameter_value);
    if (!values) {
        pk_json_no_room(&p->reader);
        return;
    }
    for (const pk_json_value *v = list->first; v; v = v->next) {
        const char *value = pk_json_text_of(&p->reader, v);
        pk_parameter_value *out = &values[item->n_parameters++];
        *out = (pk_parameter_value){keep(p, v->key), keep(p, value)};
    }
    item->parameters = values;
}

/* ---- runs ---- */

/* hyperfine's: a list of times, and exit codes beside it where it knew them. */
static void read_times(parser *p, const pk_json_value *o, const pk_json_value *times,
                       pk_command_samples *samples) {
    const pk_json_value *codes = pk_json_get_array(&p->reader, o, "exit_codes");
    const pk_json_value *code = codes && codes->count == times->count ? codes->first : NULL;
    for (const pk_json_value *v = times->first; v; v = v->next) {
        double wall_s = pk_json_double_of(&p->reader, v);
        /* null: killed by a signal, in older versions */
        bool failed =
            code && (code->kind == PK_JSON_NULL || !(pk_json_double_of(&p->reader, code) == 0));
        if (!failed || p->failed_too) pk_command_samples_add(samples, wall_s, NAN);
        if (code) code = code->next;
    }
}

static void read_runs(parser *p, const pk_json_value *runs, pk_command_samples *samples) {
    pk_json_reader *r = &p->reader;
    for (const pk_json_value *v = runs->first; v; v = v->next) {
        if (!pk_json_is_object(r, v)) return;
        bool failed = pk_json_get_bool(r, v, "failed"), late = pk_json_get_bool(r, v, "timed_out");
        double cpu_s = pk_json_get_double(r, v, "user") + pk_json_get_double(r, v, "system");
        if (!late && (!failed || p->failed_too))
            pk_command_samples_add(samples, pk_json_get_double(r, v, "wall"), cpu_s);
    }
}

static void read_samples(parser *p, const pk_json_value *o, pk_command_samples *samples) {
    const pk_json_value *runs = pk_json_get_array(&p->reader, o, "runs");
    const pk_json_value *list = runs ? runs : pk_json_get_array(&p->reader, o, "times");
    if (!list) {
        pk_json_require(&p->reader, o, "times");
        return;
    }
    if (!pk_command_samples_init(samples, list->count, p->arena)) {
        pk_json_no_room(&p->reader);
        return;
    }
    if (runs) read_runs(p, list, samples);
    else read_times(p, o, list, samples);
}

/* ---- commands ---- */

/* Is there another command of this name in the file? Then parameters tell them apart. */
static bool is_shared(const pk_json_value *results, const pk_json_value *self, const char *name) {
    for (const pk_json_value *o = results->first; o; o = o->next) {
        if (o == self || o->kind != PK_JSON_OBJECT) continue;
        const char *other = NULL;
        for (const pk_json_value *m = o->first; m; m = m->next)
            if (m->kind == PK_JSON_TEXT &&
                (strcmp(m->key, "name") == 0 || (!other && strcmp(m->key, "command") == 0)))
                other = m->text;
        if (other && strcmp(other, name) == 0) return true;
    }
    return false;
}

/* NULL: no memory. */
static const char *name_of(parser *p, const pk_command_stored *item, bool shared) {
    const char *text = item->command;
    for (size_t i = 0; shared && text && i < item->n_parameters; i++)
        text = pk_arena_printf(p->arena, "%s%s%s = %s%s", text, i > 0 ? ", " : " (",
                               item->parameters[i].name, item->parameters[i].value,
                               i + 1 == item->n_parameters ? ")" : "");
    return text;
}

static void read_command(parser *p, const pk_json_value *results, const pk_json_value *o) {
    pk_json_reader *r = &p->reader;
    pk_command_stored item = {0};
    pk_command_samples samples = {0};
    if (!pk_json_is_object(r, o)) return;
    const pk_json_value *self = o, *own = pk_json_get_object(r, o, "perfkit");
    if (own) o = own; /* our own export holds it all once more, with the CPU time of runs */
    pk_json_require(r, o, "command");
    const char *name = pk_json_get_text(r, o, "name");
    const char *line = pk_json_get_text(r, o, "command");
    item.command = keep(p, name ? name : line);
    item.line = name ? keep(p, line) : NULL;
    read_parameters(p, o, &item);
    read_samples(p, o, &samples);
    if (r->failed || samples.n == 0) return;
    pk_bench_result *result = PK_NEW(p->arena, 1, pk_bench_result);
    const char *full = name_of(p, &item, is_shared(results, self, item.command));
    if (!result || !full) {
        pk_json_no_room(r);
        return;
    }
    item.result = result;
    if (!pk_command_samples_result(&usual, full, &samples, PK_COMMAND_RESAMPLES_FEW, p->arena,
                                   result, r->err)) {
        r->failed = true;
        return;
    }
    p->items[p->n++] = item;
}

/* ---- the file ---- */

/* The results, if this is a file of commands. */
static const pk_json_value *results_of(const pk_json_value *root) {
    if (!root || root->kind != PK_JSON_OBJECT) return NULL;
    for (const pk_json_value *m = root->first; m; m = m->next) {
        if (strcmp(m->key, "results") != 0 || m->kind != PK_JSON_ARRAY || !m->first) continue;
        if (m->first->kind != PK_JSON_OBJECT) continue;
        bool command = false, runs = false;
        for (const pk_json_value *f = m->first->first; f; f = f->next) {
            command = command || strcmp(f->key, "command") == 0;
            runs = runs || strcmp(f->key, "times") == 0 || strcmp(f->key, "runs") == 0;
        }
        if (command && runs) return m;
    }
    return NULL;
}

static void read_environment(parser *p, const pk_json_value *root, pk_command_record *record) {
    const pk_json_value *o = pk_json_get_object(&p->reader, root, "environment");
    if (!o) return;
    pk_environment *environment = PK_NEW(p->arena, 1, pk_environment);
    if (!environment) pk_json_no_room(&p->reader);
    else if (pk_bench_environment_from_json(&p->reader, o, environment))
        record->environment = environment;
}

static bool read_all(parser *p, const pk_json_value *root, const pk_json_value *results,
                     pk_command_record *record) {
    p->items = PK_NEW(p->arena, results->count, pk_command_stored);
    if (!p->items) pk_json_no_room(&p->reader);
    for (const pk_json_value *o = results->first; o && !p->reader.failed; o = o->next)
        read_command(p, results, o);
    if (!p->reader.failed) read_environment(p, root, record);
    record->items = p->items;
    record->n = p->n;
    return !p->reader.failed;
}

bool pk_command_record_parse(const char *text, size_t bytes, const char *where, bool failed_too,
                             pk_arena *arena, pk_command_record *record, bool *mine, pk_err *err) {
    pk_err ignored;
    pk_json_reader probe = {.where = where, .err = &ignored, .arena = pk_arena_new(TREE_BYTES_MAX)};
    if (!probe.arena) return pk_command_no_room(err);
    const pk_json_value *root = pk_json_read(&probe, text, bytes);
    const pk_json_value *results = results_of(root);
    pk_command_record read = {0};
    bool ok = true;
    if (results) {
        parser p = {.reader = probe, .failed_too = failed_too, .arena = arena};
        p.reader.err = err;
        ok = read_all(&p, root, results, &read);
    }
    pk_arena_free(probe.arena);
    if (ok) {
        *mine = results != NULL;
        *record = read;
    }
    return ok;
}

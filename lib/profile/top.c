#include "profile/top.h"

#include <math.h>
#include <stdlib.h>

#include "profile/cells.h"

#define TAKEN_CELLS 44 /* by what stands before the name, with generous figures */

static uint64_t all_of(const pk_profile *profile) {
    return pk_node(&profile->tree, PK_NODE_ROOT)->total[0];
}

static double share(uint64_t part, uint64_t all) {
    return all > 0 ? (double)part / (double)all : NAN;
}

static pk_cells begin_table(const pk_profile *profile, const pk_top_options *options,
                            const char *aligns) {
    return pk_cells_begin(aligns, profile->weight_is_time, all_of(profile), options->width,
                          TAKEN_CELLS);
}

static const char *text_of(const pk_names *names, uint32_t name) {
    return name == PK_NAME_NONE ? NULL : pk_names_text(names, name, NULL);
}

/* ---- functions ---- */

static size_t rows_of(const pk_array *functions, const pk_top_options *options) {
    return options->rows > 0 && options->rows < functions->count ? options->rows : functions->count;
}

static bool functions_of(const pk_profile *profile, const pk_top_options *options,
                         pk_array *functions, pk_err *err) {
    *functions = PK_ARRAY(pk_function, 1);
    if (!pk_functions(&profile->tree, functions, err)) {
        pk_array_fini(functions);
        return false;
    }
    pk_functions_sort(functions, profile->tree.names, options->order, 0);
    return true;
}

bool pk_top_functions(FILE *out, const pk_profile *profile, const pk_top_options *options,
                      pk_err *err) {
    pk_array functions;
    if (!functions_of(profile, options, &functions, err)) return false;
    size_t rows = all_of(profile) > 0 ? rows_of(&functions, options) : 0;
    uint64_t all = all_of(profile);
    pk_cells t = begin_table(profile, options, "rrrrl");
    if (rows > 0) {
        pk_cells_weight_heading(&t, "self");
        pk_cells_heading(&t, "");
        pk_cells_weight_heading(&t, "total");
        pk_cells_heading(&t, "");
        pk_cells_heading(&t, "function");
    }
    for (size_t i = 0; i < rows; i++) {
        const pk_function *f = &PK_AT(&functions, pk_function, i);
        pk_cells_weight(&t, f->self[0]);
        pk_cells_share(&t, share(f->self[0], all));
        pk_cells_weight(&t, f->total[0]);
        pk_cells_share(&t, share(f->total[0], all));
        pk_cells_name(&t, PK_PLAIN, text_of(profile->tree.names, f->name), "");
    }
    bool ok = pk_cells_end(&t, out, options->colour, err);
    size_t more = rows > 0 ? functions.count - rows : 0;
    if (ok && more > 0) fprintf(out, "and %zu more function%s\n", more, more == 1 ? "" : "s");
    pk_array_fini(&functions);
    return ok;
}

/* ---- callers and callees ---- */

typedef struct surroundings {
    pk_array callers, callees;
    pk_function of;
    size_t n; /* how many functions the text meant */
} surroundings;

static bool look(const pk_profile *profile, const char *function, surroundings *s, pk_err *err) {
    bool *chosen;
    *s = (surroundings){.callers = PK_ARRAY(pk_function, 1), .callees = PK_ARRAY(pk_function, 1)};
    if (!pk_functions_named(profile->tree.names, function, &chosen, &s->n, err)) return false;
    bool ok = pk_functions_around(&profile->tree, chosen, &s->callers, &s->callees, &s->of, err);
    free(chosen);
    if (ok) return true;
    pk_array_fini(&s->callers);
    pk_array_fini(&s->callees);
    return false;
}

/* One of the functions next to it. */
typedef struct side {
    const pk_array *functions;
    const char *word, *none; /* what stands for no function */
} side;

static void add_weights(pk_cells *t, const pk_profile *profile, uint64_t weight, uint64_t of) {
    pk_cells_weight(t, weight);
    pk_cells_share(t, share(weight, of));
    pk_cells_share(t, share(weight, all_of(profile)));
}

static void add_side(pk_cells *t, const pk_profile *profile, const pk_top_options *options,
                     const side *s, uint64_t of) {
    size_t rows = rows_of(s->functions, options);
    for (size_t i = 0; i < rows; i++) {
        const pk_function *f = &PK_AT(s->functions, pk_function, i);
        const char *name = text_of(profile->tree.names, f->name);
        add_weights(t, profile, f->total[0], of);
        pk_cells_none(t, s->word);
        if (name) pk_cells_name(t, PK_PLAIN, name, "");
        else pk_cells_none(t, s->none);
    }
    if (rows == s->functions->count) return;
    for (int i = 0; i < 3; i++) pk_cells_none(t, "");
    pk_cells_none(t, s->word);
    pk_table_cell(t->table, PK_DIM, "%zu more", s->functions->count - rows);
}

bool pk_top_around(FILE *out, const pk_profile *profile, const char *function, bool callers,
                   bool callees, const pk_top_options *options, pk_err *err) {
    surroundings s;
    char others[40] = "";
    if (!look(profile, function, &s, err)) return false;
    if (s.n > 1) snprintf(others, sizeof others, " (%zu functions)", s.n);
    const side above = {&s.callers, "from", "(it begins the stack)"};
    const side below = {&s.callees, "to", "(its own code)"};
    uint64_t of = s.of.total[0];
    pk_cells t = begin_table(profile, options, "rrrll");
    pk_cells_weight_heading(&t, "weight");
    pk_cells_heading(&t, "of it");
    pk_cells_heading(&t, "of all");
    pk_cells_heading(&t, "");
    pk_cells_heading(&t, "function");
    if (callers) add_side(&t, profile, options, &above, of);
    add_weights(&t, profile, of, of);
    pk_cells_none(&t, "");
    pk_cells_name(&t, PK_BOLD, function, others);
    if (callees) add_side(&t, profile, options, &below, of);
    pk_array_fini(&s.callers);
    pk_array_fini(&s.callees);
    return pk_cells_end(&t, out, options->colour, err);
}

/* ---- modules ---- */

static void add_has(pk_cells *t, bool known, bool has) {
    if (!known) pk_cells_none(t, "-");
    else pk_table_cell(t->table, has ? PK_PLAIN : PK_YELLOW, has ? "yes" : "no");
}

static void add_module(pk_cells *t, const pk_profile *profile, const pk_profile_module *m) {
    bool known = !m->missing && !m->changed;
    pk_table_cell(t->table, PK_PLAIN, "%llu", (unsigned long long)m->frames);
    pk_cells_share(t, share(m->unknown, m->frames));
    if (profile->stacks_copied)
        pk_table_cell(t->table, PK_PLAIN, "%llu", (unsigned long long)m->lost);
    else pk_cells_none(t, "-");
    add_has(t, known, m->symbols);
    add_has(t, known, m->debug_information);
    add_has(t, known, m->call_frame_information);
    pk_cells_name(t, PK_PLAIN, m->path,
                  m->missing   ? " (cannot be opened)"
                  : m->changed ? " (has changed since)"
                               : "");
}

bool pk_top_modules(FILE *out, const pk_profile *profile, const pk_top_options *options,
                    pk_err *err) {
    static const char *const heads[] = {"frames", "without name", "lost",  "symbols",
                                        "debug",  "CFI",          "module"};
    if (profile->modules.count == 0) return true;
    size_t rows = rows_of(&profile->modules, options);
    pk_cells t = begin_table(profile, options, "rrrllll");
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) pk_cells_heading(&t, heads[i]);
    for (size_t i = 0; i < rows; i++)
        add_module(&t, profile, &PK_AT(&profile->modules, pk_profile_module, i));
    bool ok = pk_cells_end(&t, out, options->colour, err);
    size_t more = profile->modules.count - rows;
    if (ok && more > 0) fprintf(out, "and %zu more module%s\n", more, more == 1 ? "" : "s");
    return ok;
}

/* ---- JSON ---- */

static void add_summary(pk_json *document, const pk_profile *p) {
    pk_json_text(document, "command", p->command);
    pk_json_text(document, "host", p->host);
    pk_json_text(document, "kernel", p->kernel);
    pk_json_text(document, "event", p->event);
    pk_json_text(document, "unit", p->unit);
    pk_json_bool(document, "off_cpu", p->off_cpu);
    pk_json_double(document, "frequency_hz", p->frequency_hz > 0 ? p->frequency_hz : NAN);
    pk_json_uint_if(document, "period", p->period > 0, p->period);
    pk_json_uint_if(document, "duration_ns", p->duration_ns > 0, p->duration_ns);
    pk_json_uint(document, "weight", all_of(p));
    pk_json_uint(document, "samples", p->n_samples);
    pk_json_uint(document, "lost", p->lost);
    pk_json_uint(document, "throttled", p->throttled);
    pk_json_uint(document, "other_events", p->other_events);
    pk_json_uint_if(document, "whole", p->stacks_copied, p->whole);
    pk_json_uint_if(document, "truncated", p->stacks_copied, p->truncated);
    pk_json_uint_if(document, "unfinished", p->stacks_copied, p->unfinished);
    pk_json_bool(document, "incomplete", p->incomplete);
}

static void add_threads(pk_json *document, const pk_profile *p) {
    pk_json *threads = pk_json_array(document, "threads");
    for (size_t i = 0; i < p->threads.count; i++) {
        const pk_profile_thread *t = &PK_AT(&p->threads, pk_profile_thread, i);
        pk_json *row = pk_json_object(threads, NULL);
        pk_json_text(row, "name", text_of(p->names, t->name));
        pk_json_uint(row, "pid", t->pid);
        pk_json_uint(row, "tid", t->tid);
        pk_json_uint(row, "samples", t->samples);
        pk_json_uint(row, "first_ns", t->first_ns);
        pk_json_uint(row, "last_ns", t->last_ns);
    }
}

static void add_functions(pk_json *document, const pk_profile *p, const pk_array *functions,
                          const pk_top_options *options) {
    pk_json_uint(document, "functions_in_all", functions->count);
    pk_json *rows = pk_json_array(document, "functions");
    for (size_t i = 0; i < rows_of(functions, options); i++) {
        const pk_function *f = &PK_AT(functions, pk_function, i);
        pk_json *row = pk_json_object(rows, NULL);
        pk_json_text(row, "name", text_of(p->tree.names, f->name));
        pk_json_uint(row, "self", f->self[0]);
        pk_json_double(row, "self_share", share(f->self[0], all_of(p)));
        pk_json_uint(row, "total", f->total[0]);
        pk_json_double(row, "total_share", share(f->total[0], all_of(p)));
    }
}

static void add_around(pk_json *parent, const char *key, const pk_profile *p,
                       const pk_array *functions, const pk_top_options *options) {
    pk_json *rows = pk_json_array(parent, key);
    for (size_t i = 0; i < rows_of(functions, options); i++) {
        const pk_function *f = &PK_AT(functions, pk_function, i);
        pk_json *row = pk_json_object(rows, NULL);
        pk_json_text(row, "name", text_of(p->tree.names, f->name));
        pk_json_uint(row, "weight", f->total[0]);
    }
}

static bool add_surroundings(pk_json *document, const pk_profile *p, const char *function,
                             const pk_top_options *options, pk_err *err) {
    surroundings s;
    if (!look(p, function, &s, err)) return false;
    pk_json *around = pk_json_object(document, "around");
    pk_json_text(around, "function", function);
    pk_json_uint(around, "functions", s.n);
    pk_json_uint(around, "self", s.of.self[0]);
    pk_json_uint(around, "total", s.of.total[0]);
    add_around(around, "callers", p, &s.callers, options);
    add_around(around, "callees", p, &s.callees, options);
    pk_array_fini(&s.callers);
    pk_array_fini(&s.callees);
    return true;
}

static void add_has_json(pk_json *row, const char *key, bool known, bool has) {
    if (known) pk_json_bool(row, key, has);
    else pk_json_null(row, key);
}

static void add_modules(pk_json *document, const pk_profile *p) {
    pk_json *modules = pk_json_array(document, "modules");
    for (size_t i = 0; i < p->modules.count; i++) {
        const pk_profile_module *m = &PK_AT(&p->modules, pk_profile_module, i);
        pk_json *row = pk_json_object(modules, NULL);
        pk_json_text(row, "path", m->path);
        pk_json_uint(row, "frames", m->frames);
        pk_json_uint(row, "without_name", m->unknown);
        pk_json_uint_if(row, "lost", p->stacks_copied, m->lost);
        bool known = !m->missing && !m->changed;
        add_has_json(row, "symbols", known, m->symbols);
        add_has_json(row, "debug_information", known, m->debug_information);
        add_has_json(row, "call_frame_information", known, m->call_frame_information);
        pk_json_bool(row, "missing", m->missing);
        pk_json_bool(row, "changed", m->changed);
    }
}

pk_json *pk_top_json(const pk_profile *profile, const pk_top_options *options, const char *around,
                     pk_err *err) {
    pk_array functions;
    if (!functions_of(profile, options, &functions, err)) return NULL;
    pk_json *document = pk_json_document("flame/1");
    add_summary(document, profile);
    add_threads(document, profile);
    add_functions(document, profile, &functions, options);
    pk_array_fini(&functions);
    if (around && !add_surroundings(document, profile, around, options, err)) {
        pk_json_free(document);
        return NULL;
    }
    add_modules(document, profile);
    if (!document) pk_fail(err, PK_E_LIMIT, NULL, "out of memory for the JSON document");
    return document;
}

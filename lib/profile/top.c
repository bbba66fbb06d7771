#include "profile/top.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "report/escape.h"
#include "report/quantity.h"
#include "report/table.h"
#include "report/utf8.h"

#define NAME_BYTES_MAX (1u << 20)
#define NAME_CELLS_MIN 20
#define FIGURES_CELLS 44 /* what stands before the name, with generous figures */
#define TIME_DIGITS 4

/* What a table needs to know of its profile. */
typedef struct table_of {
    const pk_profile *profile;
    const pk_top_options *options;
    pk_table *table;
    uint64_t all;
    pk_unit unit; /* of times */
} table_of;

static uint64_t all_of(const pk_profile *profile) {
    return pk_node(&profile->tree, PK_NODE_ROOT)->total[0];
}

static double share(uint64_t part, uint64_t all) {
    return all > 0 ? (double)part / (double)all : NAN;
}

static table_of begin_table(const pk_profile *profile, const pk_top_options *options,
                            const char *aligns) {
    table_of t = {.profile = profile, .options = options, .table = pk_table_new(aligns)};
    t.all = all_of(profile);
    t.unit = pk_unit_for(PK_Q_TIME, (double)t.all);
    return t;
}

static bool end_table(table_of *t, FILE *out, pk_err *err) {
    bool ok = pk_table_write(out, t->table, 0, t->options->colour);
    pk_table_free(t->table);
    if (!ok) pk_fail(err, PK_E_SYS, NULL, "cannot write the table");
    return ok;
}

/* ---- cells ---- */

static void add_weight(table_of *t, uint64_t weight) {
    char text[PK_QUANTITY_MAX];
    if (t->profile->weight_is_time)
        pk_table_cell(t->table, PK_PLAIN, "%s",
                      pk_quantity_fixed(text, sizeof text, PK_Q_TIME, (double)weight, t->unit,
                                        t->all < 1000 ? 0 : TIME_DIGITS - 2));
    else pk_table_cell(t->table, PK_PLAIN, "%llu", (unsigned long long)weight);
}

static void add_share(table_of *t, uint64_t part, uint64_t all) {
    double s = share(part, all);
    if (isfinite(s)) pk_table_cell(t->table, PK_PLAIN, "%.2f %%", 100 * s);
    else pk_table_cell(t->table, PK_DIM, "-");
}

/* Escaped, and cut where it would not fit in the terminal's line. */
static void add_text(table_of *t, pk_style style, const char *text, const char *behind) {
    pk_strbuf safe;
    pk_strbuf_init(&safe, NAME_BYTES_MAX);
    pk_escape_terminal(&safe, text, strlen(text));
    size_t bytes = safe.length;
    int room = t->options->width - FIGURES_CELLS - (int)strlen(behind), cells;
    if (room < NAME_CELLS_MIN) room = NAME_CELLS_MIN;
    if (t->options->width > 0 && pk_utf8_fit(safe.data, bytes, room, &cells) < bytes)
        pk_table_cell(t->table, style, "%.*s..%s",
                      (int)pk_utf8_fit(safe.data, bytes, room - 2, &cells), safe.data, behind);
    else pk_table_cell(t->table, style, "%s%s", safe.data, behind);
    pk_strbuf_fini(&safe);
}

static void add_name(table_of *t, pk_style style, uint32_t name, const char *none) {
    if (name == PK_NAME_NONE) pk_table_cell(t->table, PK_DIM, "%s", none);
    else add_text(t, style, pk_names_text(t->profile->tree.names, name, NULL), "");
}

/* "self ms": with the unit, where it is a time. */
static void add_heading(table_of *t, const char *what) {
    if (t->profile->weight_is_time) pk_table_cell(t->table, PK_BOLD, "%s %s", what, t->unit.name);
    else pk_table_cell(t->table, PK_BOLD, "%s", what);
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
    table_of t = begin_table(profile, options, "rrrrl");
    if (rows > 0) {
        add_heading(&t, "self");
        pk_table_cell(t.table, PK_BOLD, "%s", "");
        add_heading(&t, "total");
        pk_table_cell(t.table, PK_BOLD, "%s", "");
        pk_table_cell(t.table, PK_BOLD, "function");
    }
    for (size_t i = 0; i < rows; i++) {
        const pk_function *f = &PK_AT(&functions, pk_function, i);
        add_weight(&t, f->self[0]);
        add_share(&t, f->self[0], t.all);
        add_weight(&t, f->total[0]);
        add_share(&t, f->total[0], t.all);
        add_name(&t, PK_PLAIN, f->name, "");
    }
    bool ok = end_table(&t, out, err);
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

static void add_neighbours(table_of *t, const pk_array *functions, uint64_t of, const char *word,
                           const char *none) {
    size_t rows = rows_of(functions, t->options);
    for (size_t i = 0; i < rows; i++) {
        const pk_function *f = &PK_AT(functions, pk_function, i);
        add_weight(t, f->total[0]);
        add_share(t, f->total[0], of);
        add_share(t, f->total[0], t->all);
        pk_table_cell(t->table, PK_DIM, "%s", word);
        add_name(t, PK_PLAIN, f->name, none);
    }
    if (rows == functions->count) return;
    for (int i = 0; i < 3; i++) pk_table_cell(t->table, PK_PLAIN, "%s", "");
    pk_table_cell(t->table, PK_DIM, "%s", word);
    pk_table_cell(t->table, PK_DIM, "%zu more", functions->count - rows);
}

static void add_middle(table_of *t, const surroundings *s, const char *function) {
    char others[40] = "";
    if (s->n > 1) snprintf(others, sizeof others, " (%zu functions)", s->n);
    add_weight(t, s->of.total[0]);
    add_share(t, s->of.total[0], s->of.total[0]);
    add_share(t, s->of.total[0], t->all);
    pk_table_cell(t->table, PK_BOLD, "%s", "");
    add_text(t, PK_BOLD, function, others);
}

bool pk_top_around(FILE *out, const pk_profile *profile, const char *function, bool callers,
                   bool callees, const pk_top_options *options, pk_err *err) {
    surroundings s;
    if (!look(profile, function, &s, err)) return false;
    table_of t = begin_table(profile, options, "rrrll");
    add_heading(&t, "weight");
    pk_table_cell(t.table, PK_BOLD, "of it");
    pk_table_cell(t.table, PK_BOLD, "of all");
    pk_table_cell(t.table, PK_BOLD, "%s", "");
    pk_table_cell(t.table, PK_BOLD, "function");
    if (callers) add_neighbours(&t, &s.callers, s.of.total[0], "from", "(it begins the stack)");
    add_middle(&t, &s, function);
    if (callees) add_neighbours(&t, &s.callees, s.of.total[0], "to", "(its own code)");
    pk_array_fini(&s.callers);
    pk_array_fini(&s.callees);
    return end_table(&t, out, err);
}

/* ---- modules ---- */

static void add_has(table_of *t, bool known, bool has) {
    if (!known) pk_table_cell(t->table, PK_DIM, "-");
    else pk_table_cell(t->table, has ? PK_PLAIN : PK_YELLOW, has ? "yes" : "no");
}

bool pk_top_modules(FILE *out, const pk_profile *profile, const pk_top_options *options,
                    pk_err *err) {
    static const char *const heads[] = {"frames", "without name", "lost",  "symbols",
                                        "debug",  "CFI",          "module"};
    if (profile->modules.count == 0) return true;
    table_of t = begin_table(profile, options, "rrrllll");
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        pk_table_cell(t.table, PK_BOLD, "%s", heads[i]);
    size_t rows = rows_of(&profile->modules, options);
    for (size_t i = 0; i < rows; i++) {
        const pk_profile_module *m = &PK_AT(&profile->modules, pk_profile_module, i);
        bool known = !m->missing && !m->changed;
        pk_table_cell(t.table, PK_PLAIN, "%llu", (unsigned long long)m->frames);
        add_share(&t, m->unknown, m->frames);
        if (profile->stacks_copied)
            pk_table_cell(t.table, PK_PLAIN, "%llu", (unsigned long long)m->lost);
        else pk_table_cell(t.table, PK_DIM, "-");
        add_has(&t, known, m->symbols);
        add_has(&t, known, m->debug_information);
        add_has(&t, known, m->call_frame_information);
        add_text(&t, PK_PLAIN, m->path,
                 m->missing   ? " (cannot be opened)"
                 : m->changed ? " (has changed since)"
                              : "");
    }
    bool ok = end_table(&t, out, err);
    size_t more = profile->modules.count - rows;
    if (ok && more > 0) fprintf(out, "and %zu more module%s\n", more, more == 1 ? "" : "s");
    return ok;
}

/* ---- JSON ---- */

static void add_known(pk_json *parent, const char *key, bool known, uint64_t value) {
    if (known) pk_json_uint(parent, key, value);
    else pk_json_null(parent, key);
}

static const char *text_of(const pk_names *names, uint32_t name) {
    return name == PK_NAME_NONE ? NULL : pk_names_text(names, name, NULL);
}

static void add_summary(pk_json *document, const pk_profile *p) {
    pk_json_text(document, "command", p->command);
    pk_json_text(document, "host", p->host);
    pk_json_text(document, "kernel", p->kernel);
    pk_json_text(document, "event", p->event);
    pk_json_text(document, "unit", p->unit);
    pk_json_bool(document, "off_cpu", p->off_cpu);
    pk_json_double(document, "frequency_hz", p->frequency_hz > 0 ? p->frequency_hz : NAN);
    add_known(document, "period", p->period > 0, p->period);
    add_known(document, "duration_ns", p->duration_ns > 0, p->duration_ns);
    pk_json_uint(document, "weight", all_of(p));
    pk_json_uint(document, "samples", p->n_samples);
    pk_json_uint(document, "lost", p->lost);
    pk_json_uint(document, "throttled", p->throttled);
    pk_json_uint(document, "other_events", p->other_events);
    add_known(document, "whole", p->stacks_copied, p->whole);
    add_known(document, "truncated", p->stacks_copied, p->truncated);
    add_known(document, "unfinished", p->stacks_copied, p->unfinished);
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

static void add_modules(pk_json *document, const pk_profile *p) {
    pk_json *modules = pk_json_array(document, "modules");
    for (size_t i = 0; i < p->modules.count; i++) {
        const pk_profile_module *m = &PK_AT(&p->modules, pk_profile_module, i);
        pk_json *row = pk_json_object(modules, NULL);
        pk_json_text(row, "path", m->path);
        pk_json_uint(row, "frames", m->frames);
        pk_json_uint(row, "without_name", m->unknown);
        add_known(row, "lost", p->stacks_copied, m->lost);
        pk_json_bool(row, "symbols", m->symbols);
        pk_json_bool(row, "debug_information", m->debug_information);
        pk_json_bool(row, "call_frame_information", m->call_frame_information);
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

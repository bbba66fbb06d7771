#include "bench/compare.h"

#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/file.h"
#include "bench/analyse.h"
#include "bench/command_store.h"
#include "bench/reload.h"
#include "bench/result_json.h"
#include "bench/store.h"

enum { ARENA_BYTES = 1 << 30, FILE_BYTES_MAX = 256 << 20, ROWS_MAX = 100000 };

typedef struct loader {
    const pk_compare_options *options;
    pk_bench_options bench; /* levels for the analysis */
    pk_arena *arena;
    pk_store *store; /* opened by the first column that needs it */
    regex_t filter;
    bool has_filter;
    size_t n_columns;
    pk_array rows; /* pk_compare_row */
} loader;

static bool no_memory(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "the results do not fit in memory");
    pk_fix(err, "select fewer with --filter");
    return false;
}

/* ---- columns ---- */

static pk_compare_row *row_of(loader *l, const char *id) {
    for (size_t i = 0; i < l->rows.count; i++) {
        pk_compare_row *row = &PK_AT(&l->rows, pk_compare_row, i);
        if (strcmp(row->id, id) == 0) return row;
    }
    pk_compare_row *row = pk_array_push(&l->rows);
    if (!row) return NULL;
    *row = (pk_compare_row){.id = id, .cells = PK_NEW(l->arena, l->n_columns, pk_compare_cell)};
    return row->cells ? row : NULL;
}

static bool add(loader *l, size_t column, const pk_bench_result *result,
                const pk_environment *environment, size_t *n, pk_err *err) {
    if (result->failed || !(result->typical.point > 0)) return true;
    if (l->has_filter && regexec(&l->filter, result->id, 0, NULL, 0) != 0) return true;
    pk_compare_row *row = row_of(l, result->id);
    if (!row) return no_memory(err);
    row->cells[column] = (pk_compare_cell){.result = result, .environment = environment};
    ++*n;
    return true;
}

static bool add_entry(loader *l, size_t column, const pk_store_entry *entry, const char *name,
                      size_t *n, pk_err *err) {
    pk_baseline *b = pk_store_load(l->store, entry->directory, name, l->arena, err);
    if (!b) return err->kind == PK_OK; /* gone since the list was made */
    pk_bench_result *result = PK_NEW(l->arena, 1, pk_bench_result);
    if (!result) return no_memory(err);
    return pk_bench_result_of_baseline(b, &l->bench, l->arena, result, err) &&
           add(l, column, result, b->environment, n, err);
}

static bool load_baseline(loader *l, size_t column, const char *name, size_t *n, pk_err *err) {
    pk_store_entry *entries;
    size_t n_entries;
    if (!l->store && !(l->store = pk_store_open(l->options->home, false, false, err))) return false;
    if (!pk_store_list(l->store, name, l->arena, &entries, &n_entries, err)) return false;
    if (n_entries == 0) {
        pk_fail(err, PK_E_INPUT, name, "no benchmark in %s has a baseline of this name",
                l->options->home);
        pk_fix(err, "perfkit bench --save-baseline %s makes one; --home names another store", name);
        return false;
    }
    for (size_t i = 0; i < n_entries; i++)
        if (!add_entry(l, column, &entries[i], name, n, err)) return false;
    return true;
}

/* Results of bench, of time, or of hyperfine. */
static bool parse_file(loader *l, const pk_strbuf *text, const char *path, pk_bench_record *record,
                       pk_err *err) {
    pk_command_record commands;
    bool mine;
    if (!pk_command_record_parse(text->data, text->length, path, false, l->arena, &commands, &mine,
                                 err))
        return false;
    if (!mine) return pk_bench_record_parse(text->data, text->length, path, l->arena, record, err);
    record->results = PK_NEW(l->arena, commands.n, pk_bench_result);
    if (!record->results) return no_memory(err);
    for (size_t i = 0; i < commands.n; i++) record->results[i] = *commands.items[i].result;
    record->n_results = commands.n;
    record->has_environment = commands.environment != NULL;
    if (commands.environment) record->environment = *commands.environment;
    return true;
}

static bool load_file(loader *l, size_t column, const char *path, size_t *n, pk_err *err) {
    pk_strbuf text;
    pk_bench_record *record = PK_NEW(l->arena, 1, pk_bench_record);
    if (!record) return no_memory(err);
    pk_strbuf_init(&text, FILE_BYTES_MAX);
    bool ok =
        pk_file_read(path, FILE_BYTES_MAX, &text, err) && parse_file(l, &text, path, record, err);
    pk_strbuf_fini(&text);
    const pk_environment *environment = record->has_environment ? &record->environment : NULL;
    for (size_t i = 0; ok && i < record->n_results; i++)
        ok = add(l, column, &record->results[i], environment, n, err);
    return ok;
}

static bool load_columns(loader *l, pk_err *err) {
    for (size_t i = 0; i < l->n_columns; i++) {
        const char *source = l->options->sources.items[i];
        size_t n = 0;
        bool ok = pk_command_baseline_is_file(source) ? load_file(l, i, source, &n, err)
                                                      : load_baseline(l, i, source, &n, err);
        if (!ok) return false;
        if (n > 0) continue;
        pk_fail(err, PK_E_INPUT, source, "it holds no benchmark%s",
                l->has_filter ? " that --filter matches" : "");
        pk_fix(err, l->has_filter
                        ? "loosen the filter"
                        : "give results of perfkit bench, of perfkit time, or of hyperfine");
        return false;
    }
    return true;
}

/* ---- the table ---- */

static double time_of(const pk_compare_cell *cell) {
    return cell->result ? cell->result->typical.point : NAN;
}

/* fmin and fmax pass over NaN. */
static void fill_ratios(pk_compare_row *row, size_t n_columns, size_t reference) {
    double fastest = NAN, slowest = NAN;
    size_t n = 0;
    for (size_t i = 0; i < n_columns; i++) {
        fastest = fmin(fastest, time_of(&row->cells[i]));
        slowest = fmax(slowest, time_of(&row->cells[i]));
        n += row->cells[i].result != NULL;
    }
    double base = reference < n_columns ? time_of(&row->cells[reference]) : fastest;
    for (size_t i = 0; i < n_columns; i++) row->cells[i].ratio = time_of(&row->cells[i]) / base;
    row->fastest_ns = fastest;
    row->spread = n > 1 ? slowest / fastest - 1 : NAN;
}

/* Over all rows: what is not shown counts all the same. */
static void fill_means(pk_compare_table *t) {
    for (size_t i = 0; i < t->n_rows + t->n_hidden; i++) {
        const pk_compare_row *row = &t->rows[i];
        bool all = true;
        for (size_t k = 0; k < t->n_columns; k++) all = all && isfinite(row->cells[k].ratio);
        if (!all) continue;
        t->n_common++;
        for (size_t k = 0; k < t->n_columns; k++) t->means[k] += log(row->cells[k].ratio);
    }
    for (size_t k = 0; k < t->n_columns; k++)
        t->means[k] = t->n_common ? exp(t->means[k] / (double)t->n_common) : NAN;
}

static int by_id(const void *a, const void *b) {
    return strcmp(((const pk_compare_row *)a)->id, ((const pk_compare_row *)b)->id);
}

static int by_time(const void *a, const void *b) {
    double x = ((const pk_compare_row *)a)->fastest_ns, y = ((const pk_compare_row *)b)->fastest_ns;
    return x != y ? (x > y) - (x < y) : by_id(a, b);
}

static int by_ratio(const void *a, const void *b) { /* what differs most first; lone ones last */
    double x = ((const pk_compare_row *)a)->spread, y = ((const pk_compare_row *)b)->spread;
    if (isnan(x) || isnan(y)) return isnan(x) != isnan(y) ? isnan(x) - isnan(y) : by_id(a, b);
    return x != y ? (x < y) - (x > y) : by_id(a, b);
}

/* Of commands the runs are what stands for workers, and another word runs them again. */
static void say_runs(pk_bench_result *r) {
    if (!r->change.refused[0] || strcmp(r->group, PK_COMMAND_GROUP) != 0) return;
    snprintf(
        r->change.refused, sizeof r->change.refused,
        "runs differ too much, or are too few; run both again: perfkit time --reference OLD NEW");
}

/* Of two columns: what the second's result says against the first, in rows not shown too: a gate is
 * not to be opened by showing less. */
static bool fill_changes(const loader *l, pk_compare_table *t, pk_err *err) {
    t->changes = (pk_bench_report){.arena = NULL};
    if (t->n_columns != 2) return true;
    const size_t n_rows = t->n_rows + t->n_hidden;
    t->changes.results = PK_NEW(l->arena, n_rows, pk_bench_result);
    if (!t->changes.results) return no_memory(err);
    static const pk_environment unknown;
    for (size_t i = 0; i < n_rows; i++) {
        const pk_compare_cell *old = &t->rows[i].cells[0], *now = &t->rows[i].cells[1];
        if (!old->result || !now->result) continue;
        pk_bench_result *r = &t->changes.results[t->changes.n_results++];
        pk_bench_session session;
        bool known = old->environment && now->environment;
        *r = *now->result;
        r->noise_threshold = l->options->noise_threshold;
        r->confidence_level = l->options->confidence_level;
        r->equivalence = l->options->equivalence;
        r->change = (pk_bench_change){.baseline = t->names[0]};
        pk_bench_session_of(old->result, known ? old->environment : &unknown, &session);
        if (!known) session.environment[0] = '\0'; /* raw times are compared */
        r->change.identical_code =
            r->artefact[0] != '\0' && strcmp(r->artefact, session.artefact) == 0;
        pk_bench_change_stored(r, known ? now->environment : &unknown, 1, &session, &l->bench);
        say_runs(r);
    }
    return true;
}

static bool find_reference(const pk_compare_options *o, size_t *reference, pk_err *err) {
    *reference = SIZE_MAX;
    if (!o->reference) return true;
    for (size_t i = 0; i < o->sources.count; i++)
        if (strcmp(o->sources.items[i], o->reference) == 0) *reference = i;
    if (*reference != SIZE_MAX) return true;
    pk_fail(err, PK_E_USAGE, "--ref", "\"%.100s\" is none of the results compared", o->reference);
    pk_fix(err, "name one of them, such as %.100s", o->sources.items[0]);
    return false;
}

static bool make_table(loader *l, size_t reference, pk_compare_table *t, pk_err *err) {
    static int (*const orders[])(const void *, const void *) = {by_id, by_time, by_ratio};
    *t = (pk_compare_table){.arena = l->arena,
                            .names = l->options->sources.items,
                            .n_columns = l->n_columns,
                            .rows = PK_NEW(l->arena, l->rows.count, pk_compare_row),
                            .means = PK_NEW(l->arena, l->n_columns, double)};
    if (!t->rows || !t->means) return no_memory(err);
    for (size_t i = 0; i < l->rows.count; i++) {
        pk_compare_row *row = &PK_AT(&l->rows, pk_compare_row, i);
        fill_ratios(row, l->n_columns, reference);
        bool hidden = row->spread < l->options->threshold;
        t->rows[hidden ? l->rows.count - ++t->n_hidden : t->n_rows++] = *row;
    }
    if (t->n_rows > 0) qsort(t->rows, t->n_rows, sizeof *t->rows, orders[l->options->sort]);
    fill_means(t);
    return fill_changes(l, t, err);
}

/* ---- all of it ---- */

static bool open_filter(loader *l, pk_err *err) {
    if (!l->options->filter) return true;
    int code = regcomp(&l->filter, l->options->filter, REG_EXTENDED | REG_NOSUB);
    l->has_filter = code == 0;
    if (code == 0) return true;
    char why[128];
    regerror(code, &l->filter, why, sizeof why);
    pk_fail(err, PK_E_USAGE, "--filter", "\"%.100s\" is no regular expression: %s",
            l->options->filter, why);
    pk_fix(err, "write a POSIX extended one, such as 'fib/(iter|look)'");
    return false;
}

bool pk_compare_load(const pk_compare_options *o, pk_compare_table *table, pk_err *err) {
    loader l = {.options = o,
                .bench = {.noise_threshold = o->noise_threshold,
                          .confidence_level = o->confidence_level,
                          .equivalence = o->equivalence,
                          .significance_level = 0.05,
                          .nresamples = 1000,
                          .seed = 1},
                .n_columns = o->sources.count,
                .rows = PK_ARRAY(pk_compare_row, ROWS_MAX)};
    size_t reference;
    if (!find_reference(o, &reference, err) || !open_filter(&l, err)) return false;
    l.arena = pk_arena_new(ARENA_BYTES);
    bool ok = l.arena || no_memory(err);
    ok = ok && load_columns(&l, err) && make_table(&l, reference, table, err);
    if (l.store) pk_store_close(l.store);
    if (l.has_filter) regfree(&l.filter);
    pk_array_fini(&l.rows);
    if (!ok) pk_arena_free(l.arena);
    return ok;
}

void pk_compare_fini(pk_compare_table *table) {
    pk_arena_free(table->arena);
    *table = (pk_compare_table){0};
}

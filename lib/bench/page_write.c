#include "bench/pages.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/units.h"
#include "bench/page_parts.h"

enum { DIRECTORY_BYTES = 512 };

typedef struct writing {
    pk_store *store;
    const pk_bench_report *report;
    pk_arena *arena;
    pk_bench_page_entry *entries; /* by id; one group side by side */
    size_t n;
    pk_err *err;
} writing;

static bool out_of_memory(writing *w) {
    return pk_page_out_of_memory(w->err);
}

/* ---- what there is ---- */

/* Numbers that Criterion itself or another program stored, as far as they go. */
static pk_bench_result *result_of(pk_arena *arena, const pk_baseline *b) {
    pk_bench_result *r = PK_NEW(arena, 1, pk_bench_result);
    pk_err ignored;
    if (!r) return NULL;
    const pk_estimate unknown = {NAN, NAN, NAN, NAN};
    *r = (pk_bench_result){.group = b->group,
                           .function = b->function[0] ? b->function : NULL,
                           .value = b->value[0] ? b->value : NULL,
                           .id = b->id,
                           .throughput = b->throughput,
                           .criterion = b->estimates,
                           .fences = b->fences,
                           .typical = unknown,
                           .between_runs_ns = NAN};
    if (b->has_estimates)
        r->typical = b->estimates.has_slope ? b->estimates.slope : b->estimates.mean;
    r->value_is_number = r->value && pk_parse_double(r->value, &r->value_number, &ignored);
    return r;
}

/* The stored result of an id: the last measurement, else any baseline there is. *result stays NULL
 * where nothing can be read. */
static bool load(writing *w, const pk_store_entry *entry, const pk_bench_result **result) {
    const char *name = entry->n_names ? entry->names[0] : NULL;
    for (size_t i = 0; i < entry->n_names; i++)
        if (strcmp(entry->names[i], "new") == 0) name = "new";
    if (!name) return true;
    pk_err err = {0};
    const pk_baseline *b = pk_store_load(w->store, entry->directory, name, w->arena, &err);
    if (!b) return true; /* one broken file of the past does not take this run's pages away */
    *result = b->result ? b->result : result_of(w->arena, b);
    return *result || out_of_memory(w);
}

static const pk_bench_result *fresh_of(const writing *w, const char *id) {
    for (size_t i = 0; i < w->report->n_results; i++)
        if (strcmp(w->report->results[i].id, id) == 0) return &w->report->results[i];
    return NULL;
}

/* This run's, also those that failed and so never came into the store. */
static bool add_fresh(writing *w) {
    for (size_t i = 0; i < w->report->n_results; i++) {
        const pk_bench_result *r = &w->report->results[i];
        char directory[DIRECTORY_BYTES];
        if (!pk_store_place(w->store, r->group, r->function, r->value, directory, sizeof directory))
            continue;
        const char *copy = pk_arena_strdup(w->arena, directory);
        if (!copy) return out_of_memory(w);
        w->entries[w->n++] = (pk_bench_page_entry){.result = r, .directory = copy, .fresh = true};
    }
    return true;
}

static bool add_stored(writing *w, size_t n, const pk_store_entry stored[]) {
    for (size_t i = 0; i < n; i++) {
        const pk_bench_result *result = NULL;
        if (fresh_of(w, stored[i].id)) continue;
        if (!load(w, &stored[i], &result)) return false;
        if (result)
            w->entries[w->n++] =
                (pk_bench_page_entry){.result = result, .directory = stored[i].directory};
    }
    return true;
}

static int compare_texts(const char *a, const char *b) {
    return strcmp(a ? a : "", b ? b : "");
}

/* By group and function; numeric values by their size, so that 5 stands before 10. */
static int by_name(const void *a, const void *b) {
    const pk_bench_result *x = ((const pk_bench_page_entry *)a)->result;
    const pk_bench_result *y = ((const pk_bench_page_entry *)b)->result;
    int order = strcmp(x->group, y->group);
    if (order == 0) order = compare_texts(x->function, y->function);
    if (order == 0 && x->value_is_number && y->value_is_number)
        order = (x->value_number > y->value_number) - (x->value_number < y->value_number);
    return order ? order : compare_texts(x->value, y->value);
}

static bool collect(writing *w) {
    pk_store_entry *stored = NULL;
    size_t n_stored = 0;
    if (!pk_store_list(w->store, NULL, w->arena, &stored, &n_stored, w->err)) return false;
    w->entries = PK_NEW(w->arena, n_stored + w->report->n_results, pk_bench_page_entry);
    if (!w->entries) return out_of_memory(w);
    if (!add_fresh(w) || !add_stored(w, n_stored, stored)) return false;
    qsort(w->entries, w->n, sizeof *w->entries, by_name);
    return true;
}

/* ---- writing ---- */

typedef bool write_page(FILE *out, const void *context, pk_err *err);

/* HOME/DIRECTORY/report/index.html from what `write` prints. */
static bool write_file(writing *w, const char *directory, write_page *write, const void *context) {
    const char *slash = *directory ? "/" : "";
    const char *folder =
        pk_arena_printf(w->arena, "%s/%s%sreport", pk_store_home(w->store), directory, slash);
    const char *path = folder ? pk_arena_printf(w->arena, "%s/index.html", folder) : NULL;
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    if (!path || !out) {
        if (out) fclose(out);
        free(text);
        return out_of_memory(w);
    }
    bool ok = write(out, context, w->err);
    if (fclose(out) != 0 && ok) ok = out_of_memory(w);
    ok = ok && pk_folder_make(folder, w->err) && pk_file_replace(path, text, bytes, w->err);
    free(text);
    return ok;
}

typedef struct benchmark_page {
    const pk_bench_page_entry *entry;
    const pk_bench_report *run;
    size_t n;
    const pk_bench_session *sessions;
} benchmark_page;

static bool write_benchmark(FILE *out, const void *context, pk_err *err) {
    const benchmark_page *p = context;
    return pk_bench_page_benchmark(out, p->entry, p->run, p->n, p->sessions, err);
}

static bool write_benchmarks(writing *w) {
    for (size_t i = 0; i < w->n; i++) {
        benchmark_page p = {.entry = &w->entries[i], .run = w->report};
        pk_bench_session *sessions = NULL;
        if (!p.entry->fresh) continue;
        if (!pk_store_sessions(w->store, p.entry->directory, NULL, w->arena, &sessions, &p.n,
                               w->err))
            return false;
        p.sessions = sessions;
        if (!write_file(w, p.entry->directory, write_benchmark, &p)) return false;
    }
    return true;
}

typedef struct group_page {
    size_t n;
    const pk_bench_page_entry *entries;
} group_page;

static bool write_group(FILE *out, const void *context, pk_err *err) {
    const group_page *p = context;
    return pk_bench_page_group(out, p->entries[0].result->group, p->n, p->entries, err);
}

/* A benchmark without function and value has the folder of its group: its page stays. */
static bool write_one_group(writing *w, const group_page *p) {
    char directory[DIRECTORY_BYTES];
    bool fresh = false;
    if (!pk_store_directory(p->entries[0].result->group, NULL, NULL, directory, sizeof directory))
        return true;
    for (size_t i = 0; i < p->n; i++) {
        if (strcmp(p->entries[i].directory, directory) == 0) return true;
        fresh = fresh || p->entries[i].fresh;
    }
    return !fresh || write_file(w, directory, write_group, p);
}

static bool write_groups(writing *w) {
    for (size_t i = 0, end; i < w->n; i = end) {
        const char *group = w->entries[i].result->group;
        for (end = i; end < w->n && strcmp(w->entries[end].result->group, group) == 0;) end++;
        const group_page p = {.n = end - i, .entries = &w->entries[i]};
        if (!write_one_group(w, &p)) return false;
    }
    return true;
}

static bool write_index(FILE *out, const void *context, pk_err *err) {
    const writing *w = context;
    return pk_bench_page_index(out, w->n, w->entries, w->report, err);
}

bool pk_bench_write_pages(pk_store *store, const pk_bench_report *report, pk_err *err) {
    writing w = {.store = store, .report = report, .err = err};
    w.arena = pk_arena_new(1u << 30);
    bool ok = w.arena || out_of_memory(&w);
    ok = ok && collect(&w) && write_benchmarks(&w) && write_groups(&w) &&
         write_file(&w, "", write_index, &w);
    pk_arena_free(w.arena);
    return ok;
}

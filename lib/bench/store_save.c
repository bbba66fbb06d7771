/* Into the store: a result as Criterion's files and our record. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/render.h"
#include "bench/store_internal.h"

/* ---- a result as files ---- */

typedef struct text_file {
    char *data;
    size_t bytes;
    FILE *out;
} text_file;

static bool text_begin(text_file *t, pk_err *err) {
    *t = (text_file){0};
    t->out = open_memstream(&t->data, &t->bytes);
    if (!t->out) pk_fail(err, PK_E_LIMIT, NULL, "out of memory");
    return t->out != NULL;
}

/* False, and nothing to free, when the text is not whole. */
static bool text_end(text_file *t, bool written, pk_err *err) {
    bool closed = fclose(t->out) == 0;
    if (written && closed) return true;
    if (written) pk_fail(err, PK_E_LIMIT, NULL, "out of memory");
    free(t->data);
    t->data = NULL;
    return false;
}

static bool criterion_text(text_file *t, pk_criterion_writer *write, const pk_bench_result *result,
                           const char *directory, pk_err *err) {
    return text_begin(t, err) && text_end(t, write(t->out, result, directory, err), err);
}

static bool record_text(text_file *t, const pk_bench_result *result,
                        const pk_environment *environment, pk_err *err) {
    return text_begin(t, err) &&
           text_end(t, pk_bench_result_write(t->out, result, environment, err), err);
}

enum { FILES = 5 };

static void free_files(pk_store_file files[FILES]) {
    for (size_t i = 0; i < FILES; i++) free((char *)files[i].data);
}

static bool make_files(const pk_bench_result *result, const pk_environment *environment,
                       const char *directory, pk_store_file files[FILES], pk_err *err) {
    static const struct {
        const char *name;
        pk_criterion_writer *write;
    } kinds[FILES] = {{PK_CRITERION_BENCHMARK, pk_criterion_write_benchmark},
                      {PK_CRITERION_ESTIMATES, pk_criterion_write_estimates},
                      {PK_CRITERION_SAMPLE, pk_criterion_write_sample},
                      {PK_CRITERION_TUKEY, pk_criterion_write_tukey},
                      {PK_STORE_RECORD, NULL}};
    bool ok = true;
    for (size_t i = 0; i < FILES; i++) {
        text_file t = {0};
        if (ok)
            ok = kinds[i].write ? criterion_text(&t, kinds[i].write, result, directory, err)
                                : record_text(&t, result, environment, err);
        files[i] = (pk_store_file){.name = kinds[i].name, .data = t.data, .bytes = t.bytes};
    }
    if (!ok) free_files(files);
    return ok;
}

static bool replace(pk_store *store, const char *directory, const char *name, size_t n,
                    const pk_store_file files[], pk_err *err) {
    char place[PATH_MAX];
    int length = snprintf(place, sizeof place, "%s/%s", directory, name);
    if (length < 0 || length >= PATH_MAX) {
        pk_fail(err, PK_E_LIMIT, directory, "the id is too long for a folder");
        pk_fix(err, "use a shorter one");
        return false;
    }
    return n > 0 ? pk_store_replace_folder(store, place, n, files, err)
                 : pk_store_remove_folder(store, place, err);
}

/* change/ says how `new` differs from what it was compared with; else there is none. */
static bool save_change(pk_store *store, const char *directory, const pk_bench_result *result,
                        pk_err *err) {
    bool compared = result->change.source != PK_CHANGE_NONE && isfinite(result->change.ratio.point);
    text_file t = {0};
    if (compared && !criterion_text(&t, pk_criterion_write_change, result, directory, err))
        return false;
    pk_store_file file = {.name = PK_CRITERION_ESTIMATES, .data = t.data, .bytes = t.bytes};
    bool ok = replace(store, directory, "change", compared, &file, err);
    free(t.data);
    return ok;
}

static bool save_session(pk_store *store, const char *directory, const pk_bench_result *result,
                         const pk_bench_report *report, pk_err *err) {
    pk_bench_session session;
    pk_bench_session_of(result, &report->environment, &session);
    snprintf(session.history_id, sizeof session.history_id, "%s",
             report->history_id ? report->history_id : "");
    snprintf(session.history_description, sizeof session.history_description, "%s",
             report->history_description ? report->history_description : "");
    return pk_store_append_session(store, directory, &session, result->n_workers_former > 0, err);
}

bool pk_store_save(pk_store *store, const pk_bench_result *result, const pk_bench_report *report,
                   const char *name, pk_err *err) {
    char directory[PATH_MAX];
    pk_store_file files[FILES];
    if (!pk_store_may_write(store, err)) return false;
    if (name && !pk_store_baseline_name(name, err)) return false;
    if (result->failed || result->n_workers < 2) {
        pk_fail(err, PK_E_INPUT, result->id, "nothing to save: it has too few results");
        pk_fix(err, "let at least two workers end well");
        return false;
    }
    if (!pk_store_place(store, result->group, result->function, result->value, directory,
                        sizeof directory)) {
        pk_fail(err, PK_E_LIMIT, result->id, "no folder can be named for it");
        pk_fix(err, "use a shorter id");
        return false;
    }
    if (!make_files(result, &report->environment, directory, files, err)) return false;
    bool ok =
        replace(store, directory, "new", FILES, files, err) &&
        save_change(store, directory, result, err) &&
        (!name || strcmp(name, "new") == 0 || replace(store, directory, name, FILES, files, err)) &&
        save_session(store, directory, result, report, err);
    free_files(files);
    return ok;
}

#include "bench/reload.h"

#include <math.h>
#include <string.h>

#include "bench/analyse.h"
#include "bench/select.h"
#include "bench/store.h"
#include "timing/clock.h"

#define ARENA_BYTES ((size_t)1 << 30)

typedef struct reload {
    const pk_bench_options *options;
    const pk_bench_hooks *hooks;
    pk_store *store;
    pk_arena *arena;
    pk_environment environment; /* of now; what stood then is known by its id alone */
    pk_store_entry *entries;
    size_t n_entries;
} reload;

static bool no_memory(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "the stored results do not fit in memory");
    pk_fix(err, "select fewer with a filter");
    return false;
}

/* ---- which ---- */

/* The filters work on offers: each id in the store is made one, whole. */
static bool select_entries(const reload *l, pk_bench_case **cases, size_t *n, pk_err *err) {
    pk_bench_options filters = *l->options;
    pk_worker_offer *offers = PK_NEW(l->arena, l->n_entries, pk_worker_offer);
    if (!offers) return no_memory(err);
    for (size_t i = 0; i < l->n_entries; i++) offers[i].group = l->entries[i].id;
    filters.param = NULL;
    const pk_bench_offers all = {.object = "the store", .items = offers, .n = l->n_entries};
    return pk_bench_select(&filters, 1, &all, l->arena, cases, n, err);
}

/* ---- a baseline as a result ---- */

/* Criterion's samples know nothing of processes; each stands for a worker of one unit. */
static bool workers_of_samples(const pk_baseline *b, pk_arena *arena, pk_bench_result *r,
                               pk_err *err) {
    r->workers = PK_NEW(arena, b->n, pk_bench_worker);
    if (!r->workers) return no_memory(err);
    r->n_workers = b->n;
    for (size_t i = 0; i < b->n; i++) {
        double ns = b->times_ns[i] / b->iterations[i];
        r->workers[i] = (pk_bench_worker){
            .side[PK_SIDE_NEW] = {.trimmed_ns = ns,
                                  .mean_ns = ns,
                                  .min_ns = ns,
                                  .q1_ns = ns,
                                  .median_ns = ns,
                                  .q3_ns = ns,
                                  .wall_ns = ns,
                                  .cpu_ns = NAN,
                                  .units = 1,
                                  .iterations = (uint64_t)b->iterations[i]},
            .layout = -1,
            .reference_ns = NAN,
            .latency_ns = NAN,
            .throughput_ns = NAN,
            .loop_ns = NAN,
            .metric = PK_METRIC_WALL,
        };
    }
    r->metric = PK_METRIC_WALL;
    return true;
}

static const char *or_null(const char *text) {
    return text[0] ? text : NULL;
}

bool pk_bench_result_of_baseline(const pk_baseline *b, const pk_bench_options *o, pk_arena *arena,
                                 pk_bench_result *r, pk_err *err) {
    if (b->result) {
        *r = *b->result;
        /* A comparison made then is not the one that is asked for now. */
        for (size_t i = 0; i < r->n_workers; i++)
            r->workers[i].side[PK_SIDE_OLD] = (pk_bench_side){0};
        r->change = (pk_bench_change){0};
    } else {
        *r = (pk_bench_result){.id = b->id,
                               .group = b->group,
                               .function = or_null(b->function),
                               .value = or_null(b->value),
                               .throughput = b->throughput,
                               .object = "unknown",
                               .artefact = "",
                               .noise_threshold = PK_BENCH_DEFAULT_NOISE,
                               .confidence_level = PK_BENCH_DEFAULT_CONFIDENCE};
        if (!workers_of_samples(b, arena, r, err)) return false;
    }
    if (o->noise_threshold > 0) r->noise_threshold = o->noise_threshold;
    if (o->confidence_level > 0) r->confidence_level = o->confidence_level;
    r->significance_level = o->significance_level;
    r->equivalence = o->equivalence;
    return pk_bench_analyse(r, o, arena, err);
}

/* ---- the comparison ---- */

static bool session_of(const reload *l, const pk_baseline *old, pk_bench_session *session,
                       pk_err *err) {
    pk_bench_result r;
    if (old->session.workers > 0) {
        *session = old->session;
        return true;
    }
    if (!pk_bench_result_of_baseline(old, l->options, l->arena, &r, err)) return false;
    pk_bench_session_of(&r, &l->environment, session);
    session->environment[0] = '\0'; /* not known: raw times are compared */
    return true;
}

static bool compare(const reload *l, const pk_store_entry *entry, pk_bench_result *r, pk_err *err) {
    const char *name = l->options->compare_with;
    pk_bench_session session;
    if (l->options->compare == PK_COMPARE_NONE) return true;
    pk_baseline *old = pk_store_load(l->store, entry->directory, name, l->arena, err);
    if (!old) {
        if (err->kind != PK_OK) return false;
        if (l->options->compare == PK_COMPARE_BASELINE_LENIENT) return true;
        pk_fail(err, PK_E_INPUT, entry->id, "has no baseline %s", name);
        pk_fix(err, "see perfkit bench --list, or use --baseline-lenient %s", name);
        return false;
    }
    if (!session_of(l, old, &session, err)) return false;
    r->change.baseline = name;
    r->change.identical_code = r->artefact[0] && strcmp(r->artefact, session.artefact) == 0;
    pk_bench_change_stored(r, &l->environment, 1, &session, l->options);
    if (!r->change.old && old->has_estimates) r->change.old = &old->estimates;
    return true;
}

/* ---- all of it ---- */

static bool reload_one(const reload *l, const pk_store_entry *entry, const char *name,
                       pk_bench_result *r, pk_err *err) {
    pk_baseline *b = pk_store_load(l->store, entry->directory, name, l->arena, err);
    if (!b) {
        if (err->kind == PK_OK)
            pk_fail(err, PK_E_INPUT, entry->id, "its baseline %s is gone", name);
        return false;
    }
    return pk_bench_result_of_baseline(b, l->options, l->arena, r, err) &&
           compare(l, entry, r, err);
}

static bool reload_all(reload *l, const char *name, pk_bench_report *report, pk_err *err) {
    pk_bench_case *cases;
    size_t n;
    if (!pk_store_list(l->store, name, l->arena, &l->entries, &l->n_entries, err)) return false;
    if (l->n_entries == 0) {
        pk_fail(err, PK_E_INPUT, pk_store_home(l->store), "no benchmark has a baseline %s", name);
        pk_fix(err, "make one with --save-baseline %s, or name the store with --home", name);
        return false;
    }
    if (!select_entries(l, &cases, &n, err)) return false;
    report->results = PK_NEW(l->arena, n, pk_bench_result);
    if (!report->results) return no_memory(err);
    for (size_t i = 0; i < n; i++) {
        pk_bench_result *r = &report->results[report->n_results];
        if (!reload_one(l, &l->entries[cases[i].index], name, r, err)) return false;
        report->n_results++;
        if (l->hooks->finished) l->hooks->finished(l->hooks->context, r);
    }
    return true;
}

bool pk_bench_reload(const pk_bench_options *options, const char *name, const pk_bench_hooks *hooks,
                     pk_bench_report *report, pk_err *err) {
    reload l = {.options = options, .hooks = hooks, .arena = pk_arena_new(ARENA_BYTES)};
    if (!l.arena) return no_memory(err);
    uint64_t start_ns = pk_now_ns();
    pk_environment_read("", &l.environment);
    pk_bench_report made = {.arena = l.arena,
                            .environment = l.environment,
                            .seed = options->seed,
                            .nresamples = options->nresamples};
    l.store = pk_store_open(options->home, false, false, err);
    bool ok = l.store && reload_all(&l, name, &made, err);
    pk_store_close(l.store);
    if (!ok) {
        pk_arena_free(l.arena);
        return false;
    }
    if (made.n_results) made.started_unix_ns = made.results[0].started_unix_ns;
    made.duration_ns = pk_now_ns() - start_ns;
    *report = made;
    return true;
}

/* Benchmarks without statistics: what there are, and whether they run. */
#include <string.h>

#include "bench/bench.h"
#include "bench/memory.h"
#include "bench/render.h"
#include "bench/session.h"

#define EXERCISE_BYTES_MAX ((size_t)512 << 20)

/* ---- list ---- */

static bool none_is_broken(const pk_session *s, pk_err *err) {
    for (size_t i = 0; i < s->n_objects; i++) {
        const pk_object *object = &s->objects[i];
        char text[PK_BENCH_FAILURE_MAX];
        if (!object->failure) continue;
        pk_fail(err, PK_E_INPUT, object->name, "it cannot be asked for its benchmarks: %s%s%s",
                pk_bench_failure_text(text, sizeof text, object->failure),
                object->failure->why[0] ? ": " : "", object->failure->why);
        pk_fix(err, "mend it, or leave it out");
        return false;
    }
    return true;
}

static bool copy_ids(const pk_session *s, pk_bench_id **ids, size_t *n, pk_err *err) {
    pk_bench_id *copy = PK_NEW(s->arena, s->n_cases, pk_bench_id);
    if (!copy) return pk_bench_no_memory(err);
    for (size_t i = 0; i < s->n_cases; i++) {
        const pk_bench_case *c = &s->cases[i];
        copy[i] = (pk_bench_id){.group = c->group,
                                .function = c->function,
                                .value = c->value,
                                .id = c->id,
                                .object = s->objects[c->object].name};
    }
    *ids = copy;
    *n = s->n_cases;
    return true;
}

bool pk_bench_list(const pk_bench_options *options, pk_arena *arena, pk_bench_id **ids, size_t *n,
                   pk_err *err) {
    pk_session session;
    if (!pk_session_open(&session, options, NULL, false, NULL, arena, err)) return false;
    bool ok = none_is_broken(&session, err) && copy_ids(&session, ids, n, err);
    pk_session_close(&session);
    return ok;
}

/* ---- exercise ---- */

typedef void pk_each(void *context, const char *id, const pk_bench_failure *failure);

static bool exercise_all(const pk_session *s, double profile_s, pk_each *each, void *context,
                         pk_err *err) {
    for (size_t i = 0; i < s->n_objects; i++)
        if (s->objects[i].failure) each(context, s->objects[i].name, s->objects[i].failure);
    for (size_t i = 0; i < s->n_cases; i++) {
        const pk_bench_case *c = &s->cases[i];
        const pk_worker_job job = {
            .task = profile_s > 0 ? PK_TASK_FOR : PK_TASK_ONCE,
            .objects = {[PK_SIDE_NEW] = pk_object_path(&s->objects[c->object], -1)},
            .index = {[PK_SIDE_NEW] = c->index},
            .param = c->param,
            .driver = s->objects[c->object].driver,
            .group = c->group,
            .function = c->function,
            .metric = s->options->metric,
            .worker_ns = profile_s > 0 ? (uint64_t)(profile_s * 1e9) : 0,
        };
        pk_worker_outcome outcome;
        if (!pk_worker_spawn(&s->place, &job, 0, &outcome, err)) return false;
        if (outcome.stopped) return true; /* the caller knows of the interrupt */
        each(context, c->id, outcome.failed ? &outcome.failure : NULL);
    }
    return true;
}

bool pk_bench_exercise(const pk_bench_options *options, double profile_s, pk_each *each,
                       void *context, pk_interrupt *intr, pk_err *err) {
    pk_session session;
    pk_arena *arena = pk_arena_new(EXERCISE_BYTES_MAX);
    if (!arena) return pk_bench_no_memory(err);
    bool ok = pk_session_open(&session, options, NULL, false, intr, arena, err);
    if (ok) {
        ok = pk_session_start(&session, err) &&
             exercise_all(&session, profile_s, each, context, err);
        pk_session_close(&session);
    }
    pk_arena_free(arena);
    return ok;
}

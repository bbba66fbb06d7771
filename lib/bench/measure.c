#include "bench/measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/units.h"
#include "bench/analyse.h"
#include "bench/memory.h"
#include "bench/plan.h"
#include "bench/render.h"
#include "stats/random.h"
#include "timing/clock.h"

#define PROGRESS_EVERY_NS (200 * PK_NS_PER_MS)
#define WORKERS_MAX 10000000u

typedef struct task { /* one benchmark on its way */
    const pk_bench_case *c;
    const pk_object *object;
    const pk_old_side *old;
    pk_plan plan;
    pk_plan_state state;
    pk_array workers, failures; /* pk_bench_worker, pk_bench_failure */
    pk_bench_options options;   /* with the levels of this benchmark */
    pk_bench_result *result;
    bool turned; /* to isolation, on the way */
    bool done;
} task;

typedef struct measuring {
    pk_session *session;
    pk_bench_report *report;
    task *tasks;
    size_t n, n_done, n_delivered;
    size_t *order;
    pk_random random;
    uint64_t started_ns, progress_ns;
    bool stopped; /* by an interrupt or at the deadline */
} measuring;

/* ---- tasks ---- */

static unsigned layouts_of(const task *t) {
    unsigned new = t->object->n_layouts;
    unsigned old = t->old->source == PK_CHANGE_LIVE ? t->old->object->n_layouts : 0;
    return new > old ? new : old;
}

static bool copy_former(task *t, pk_err *err) {
    const pk_bench_result *former = t->old->former;
    for (size_t i = 0; former && i < former->n_workers; i++) {
        pk_bench_worker *slot = pk_array_push(&t->workers);
        if (!slot) return pk_bench_no_memory(err);
        *slot = former->workers[i];
    }
    t->state.workers = t->state.former = t->workers.count;
    return true;
}

/* What is known of the result before anything is measured. */
static bool name_result(const measuring *m, const task *t, pk_err *err) {
    pk_bench_result *r = t->result;
    pk_arena *arena = m->report->arena;
    *r = (pk_bench_result){
        .group = t->c->group,
        .function = t->c->function,
        .value = t->c->value,
        .id = t->c->id,
        .value_is_number = t->c->value_is_number,
        .value_number = t->c->value_number,
        .object = t->object->name,
        .artefact = pk_arena_strdup(arena, t->object->hash),
        .artefact_data = t->object->data,
        .artefact_bytes = t->object->bytes,
        .metric = t->options.metric,
        .confidence_level = t->plan.confidence_level,
        .noise_threshold = t->plan.noise_threshold,
        .significance_level = t->options.significance_level,
        .equivalence = t->options.equivalence,
        .latency_ns = NAN,
        .throughput_ns = NAN,
        .loop_ns = NAN,
        .change = {.source = t->old->source, .baseline = t->old->label, .old_ns = NAN},
    };
    if (t->old->artefact) {
        r->change.old_artefact = pk_arena_strdup(arena, t->old->artefact);
        r->change.identical_code = strcmp(t->old->artefact, t->object->hash) == 0;
    }
    return (r->artefact && (!t->old->artefact || r->change.old_artefact)) ||
           pk_bench_no_memory(err);
}

static bool init_task(measuring *m, size_t i, const pk_old_side *old, pk_err *err) {
    task *t = &m->tasks[i];
    const pk_session *s = m->session;
    t->c = &s->cases[i];
    t->object = &s->objects[t->c->object];
    t->old = old;
    t->result = &m->report->results[i];
    t->workers = PK_ARRAY(pk_bench_worker, WORKERS_MAX);
    t->failures = PK_ARRAY(pk_bench_failure, WORKERS_MAX);
    if (!copy_former(t, err)) return false;
    bool live = old->source == PK_CHANGE_LIVE;
    bool isolated = s->options->isolate || t->object->driver || (live && old->object->driver) ||
                    (old->former && old->former->change.source == PK_CHANGE_ISOLATED);
    pk_plan_sides sides = !live      ? PK_PLAN_SINGLE
                          : isolated ? PK_PLAN_ISOLATED
                                     : PK_PLAN_INTERLEAVED;
    t->plan = pk_plan_of(s->options, t->c->offer, sides, layouts_of(t), t->state.former,
                         m->report->environment.timer_cost_ns);
    t->options = *s->options;
    t->options.noise_threshold = t->plan.noise_threshold;
    t->options.confidence_level = t->plan.confidence_level;
    if (!name_result(m, t, err)) return false;
    if (sides == PK_PLAN_ISOLATED) t->result->change.source = PK_CHANGE_ISOLATED;
    if (old->former) {
        t->result->throughput = old->former->throughput;
        t->result->method = old->former->method;
        t->result->counters = old->former->counters;
    }
    return true;
}

/* ---- results ---- */

/* What the way it was measured gives to say; the analysis adds what the workers tell. */
static bool warn_of_course(const measuring *m, task *t, pk_err *err) {
    pk_arena *arena = m->report->arena;
    pk_bench_result *r = t->result;
    enum { LINES_MAX = 5 };
    const char **lines = PK_NEW(arena, LINES_MAX, const char *);
    char failure[PK_BENCH_FAILURE_MAX];
    size_t n = 0;
    if (!lines) return pk_bench_no_memory(err);
    if (t->old->warning) lines[n++] = t->old->warning;
    if (r->partial)
        lines[n++] = pk_arena_printf(arena, "stopped after %zu of %llu workers", r->n_workers,
                                     (unsigned long long)t->plan.planned);
    if (r->change.source == PK_CHANGE_ISOLATED && t->turned)
        lines[n++] = "too slow to interleave: old and new code ran in workers of their own";
    if (r->failed && r->change.source == PK_CHANGE_LIVE)
        lines[n++] = "old and new code run in one process: --isolate tells which of them fails";
    if (r->n_failures > 0 && !r->failed)
        lines[n++] = pk_arena_printf(arena, "%zu of %zu workers failed, the first: %s",
                                     r->n_failures, r->n_failures + r->n_workers,
                                     pk_bench_failure_text(failure, sizeof failure, r->failures));
    for (size_t i = 0; i < n; i++)
        if (!lines[i]) return pk_bench_no_memory(err);
    r->warnings = lines;
    r->n_warnings = n;
    return true;
}

/* Workers so far, as the analysis wants them; the array stays the task's. */
static void show_workers(const task *t, bool balanced) {
    uint64_t each = t->plan.sides == PK_PLAN_ISOLATED      ? 4
                    : t->plan.sides == PK_PLAN_INTERLEAVED ? 2
                                                           : 1;
    size_t n = t->workers.count;
    t->result->workers = t->workers.items;
    t->result->n_workers = balanced ? n - n % each : n;
    t->result->n_workers_former = t->state.former;
}

static bool keep_workers(const measuring *m, task *t, pk_err *err) {
    pk_bench_result *r = t->result;
    show_workers(t, true);
    pk_bench_worker *workers = PK_NEW(m->report->arena, r->n_workers, pk_bench_worker);
    pk_bench_failure *failures = PK_NEW(m->report->arena, t->failures.count, pk_bench_failure);
    if (!workers || !failures) return pk_bench_no_memory(err);
    if (r->n_workers > 0) memcpy(workers, r->workers, r->n_workers * sizeof *workers);
    if (t->failures.count > 0)
        memcpy(failures, t->failures.items, t->failures.count * sizeof *failures);
    r->workers = workers;
    r->failures = failures;
    r->n_failures = t->failures.count;
    if (r->n_workers_former > r->n_workers) r->n_workers_former = r->n_workers;
    return true;
}

static bool analyse(const measuring *m, const task *t, pk_err *err) {
    pk_bench_result *r = t->result;
    const pk_old_side *old = t->old;
    bool stored = old->source == PK_CHANGE_STORED && !r->failed;
    size_t n_workers = r->n_workers;
    if (r->failed) r->n_workers = 0; /* no figures from what is left of them */
    if (stored)
        pk_bench_change_stored(r, &m->report->environment, old->n_sessions, old->sessions,
                               &t->options);
    bool ok = pk_bench_analyse(r, &t->options, m->report->arena, err);
    r->n_workers = n_workers;
    if (!ok || !stored) return ok;
    if (!r->change.old) r->change.old = old->estimates;
    if (isnan(r->change.old_ns)) r->change.old_ns = old->typical_ns;
    return pk_bench_change_median(r, old->n_values, old->values_ns, &t->options, err);
}

static void deliver(measuring *m) {
    const pk_bench_hooks *hooks = m->session->hooks;
    for (; m->n_delivered < m->n && m->tasks[m->n_delivered].done; m->n_delivered++)
        if (hooks && hooks->finished)
            hooks->finished(hooks->context, m->tasks[m->n_delivered].result);
}

static bool finish(measuring *m, task *t, pk_err *err) {
    pk_bench_result *r = t->result;
    if (!keep_workers(m, t, err)) return false;
    r->partial = m->stopped;
    r->failed = r->n_workers == 0 || pk_plan_failed(&t->state);
    r->duration_ns = t->state.spent_ns;
    if (!warn_of_course(m, t, err) || !analyse(m, t, err)) return false;
    t->done = true;
    m->n_done++;
    deliver(m);
    return true;
}

/* ---- one worker ---- */

static bool push_failure(task *t, const pk_plan_turn *turn, const pk_bench_failure *failure,
                         pk_err *err) {
    pk_bench_failure *slot = pk_array_push(&t->failures);
    if (!slot) return pk_bench_no_memory(err);
    *slot = *failure;
    if (!turn->has[PK_SIDE_NEW])
        snprintf(slot->why, sizeof slot->why, "in the old code%s%.200s",
                 failure->why[0] ? ": " : "", failure->why);
    *(failure->kind == PK_FAIL_REFUSED ? &t->state.refusals : &t->state.failures) += 1;
    return true;
}

static bool push_worker(task *t, const pk_plan_turn *turn, const pk_worker_reply *reply,
                        pk_err *err) {
    pk_bench_worker *slot = pk_array_push(&t->workers);
    if (!slot) return pk_bench_no_memory(err);
    *slot = reply->worker;
    slot->layout = turn->layout;
    t->state.workers++;
    if (turn->has[PK_SIDE_NEW]) {
        t->result->throughput = reply->throughput;
        t->result->method = reply->method;
        t->result->counters = reply->counters;
    }
    return true;
}

static bool take_outcome(task *t, const pk_plan_turn *turn, const pk_worker_outcome *outcome,
                         pk_err *err) {
    if (outcome->failed) return push_failure(t, turn, &outcome->failure, err);
    if (outcome->reply.kind == PK_REPLY_DONE) return push_worker(t, turn, &outcome->reply, err);
    if (t->plan.sides == PK_PLAN_INTERLEAVED && t->state.workers == 0) {
        pk_plan_isolate(&t->plan);
        t->turned = true;
        t->result->change.source = PK_CHANGE_ISOLATED;
        return true;
    }
    pk_bench_failure slow = {.kind = PK_FAIL_REFUSED};
    snprintf(slow.why, sizeof slow.why, "%s", outcome->reply.why);
    return push_failure(t, turn, &slow, err);
}

static bool run_worker(measuring *m, task *t, pk_err *err) {
    pk_plan_turn turn = pk_plan_turn_of(&t->plan, t->state.workers);
    pk_worker_job job = {
        .task = PK_TASK_MEASURE,
        .param = t->c->param,
        .group = t->c->group,
        .function = t->c->function,
        .old_first = turn.old_first,
        .metric = t->options.metric,
        .worker_ns = t->plan.worker_ns,
        .warm_ns = t->plan.warm_ns,
        .unit_ns = t->plan.unit_ns,
        .parts = true,
    };
    if (turn.has[PK_SIDE_NEW]) {
        job.objects[PK_SIDE_NEW] = pk_object_path(t->object, turn.layout);
        job.index[PK_SIDE_NEW] = t->c->index;
        job.driver = t->object->driver;
    }
    if (turn.has[PK_SIDE_OLD]) {
        job.objects[PK_SIDE_OLD] = pk_object_path(t->old->object, turn.layout);
        job.index[PK_SIDE_OLD] = t->old->index;
        job.driver = t->old->object->driver;
    }
    size_t padding_bytes = 16 * (size_t)pk_random_below(&m->random, PK_PLAN_PADDING_STEPS);
    pk_worker_outcome outcome;
    if (t->result->started_unix_ns == 0) t->result->started_unix_ns = pk_unix_ns();
    if (!pk_worker_spawn(&m->session->place, &job, padding_bytes, &outcome, err)) return false;
    if (outcome.stopped) {
        m->stopped = true;
        return true;
    }
    t->state.spent_ns += outcome.duration_ns;
    return take_outcome(t, &turn, &outcome, err);
}

/* ---- rounds ---- */

static bool narrow_enough(const task *t) {
    show_workers(t, false);
    return pk_bench_width_reached(t->result, &t->options);
}

static bool step(measuring *m, task *t, pk_err *err) {
    pk_plan_step next = pk_plan_next(&t->plan, &t->state);
    if (next == PK_STEP_LOOK) next = narrow_enough(t) ? PK_STEP_ENOUGH : PK_STEP_WORKER;
    return next == PK_STEP_WORKER ? run_worker(m, t, err) : finish(m, t, err);
}

static void tell_progress(measuring *m, const task *last) {
    const pk_bench_hooks *hooks = m->session->hooks;
    uint64_t now_ns = pk_now_ns();
    if (!hooks || !hooks->progress || now_ns - m->progress_ns < PROGRESS_EVERY_NS) return;
    m->progress_ns = now_ns;
    pk_bench_progress progress = {.id = last->c->id,
                                  .done = m->n_done,
                                  .total = m->n,
                                  .elapsed_s = (double)(now_ns - m->started_ns) / 1e9};
    double left_s = 0;
    for (size_t i = 0; i < m->n; i++) {
        const task *t = &m->tasks[i];
        uint64_t run = t->state.workers - t->state.former + t->state.failures + t->state.refusals;
        uint64_t planned = t->plan.planned - t->state.former;
        uint64_t left = t->done || planned < run ? 0 : planned - run;
        double each_ns = run > 0 ? (double)t->state.spent_ns / (double)run
                                 : (double)(t->plan.worker_ns + t->plan.warm_ns + PK_PLAN_START_NS);
        progress.workers += run;
        progress.workers_planned += run + left;
        left_s += (double)left * each_ns / 1e9;
    }
    progress.expected_s = progress.elapsed_s + left_s;
    hooks->progress(hooks->context, &progress);
}

static bool run_rounds(measuring *m, pk_err *err) {
    while (m->n_done < m->n && !m->stopped) {
        pk_random_shuffle(&m->random, m->n, m->order);
        for (size_t i = 0; i < m->n && !m->stopped; i++) {
            task *t = &m->tasks[m->order[i]];
            if (t->done) continue;
            if (!step(m, t, err)) return false;
            tell_progress(m, t);
        }
    }
    for (size_t i = 0; i < m->n; i++)
        if (!m->tasks[i].done && !finish(m, &m->tasks[i], err)) return false;
    m->report->interrupted = pk_interrupt_signal(m->session->intr) != 0;
    return true;
}

bool pk_bench_measure_all(pk_session *session, const pk_old_side olds[], pk_bench_report *report,
                          pk_err *err) {
    measuring m = {
        .session = session, .report = report, .n = session->n_cases, .started_ns = pk_now_ns()};
    pk_random_seed(&m.random, session->options->seed);
    m.tasks = calloc(m.n > 0 ? m.n : 1, sizeof *m.tasks);
    m.order = calloc(m.n > 0 ? m.n : 1, sizeof *m.order);
    bool ok = (m.tasks && m.order) || pk_bench_no_memory(err);
    for (size_t i = 0; i < m.n && ok; i++) ok = init_task(&m, i, &olds[i], err);
    ok = ok && run_rounds(&m, err);
    for (size_t i = 0; m.tasks && i < m.n; i++) {
        pk_array_fini(&m.tasks[i].workers);
        pk_array_fini(&m.tasks[i].failures);
    }
    free(m.tasks);
    free(m.order);
    return ok;
}

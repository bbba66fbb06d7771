#include <stdlib.h>
#include <string.h>

#include "bench/analyse.h"
#include "bench/bench.h"
#include "bench/measure.h"
#include "bench/memory.h"
#include "timing/clock.h"

#define REPORT_BYTES_MAX ((size_t)2 << 30)
#define MACHINE_WARNINGS_MAX 16

/* ---- the machine ---- */

typedef struct machine {
    pk_environment before, after;
    const char **lines; /* n, in the report's arena, each once */
    size_t n;
} machine;

/* What stands now and has not been said yet. */
static bool check_machine(machine *m, bool at_end, const pk_session *session, pk_err *err) {
    pk_environment_warning found[MACHINE_WARNINGS_MAX];
    size_t n =
        pk_environment_check(&m->before, at_end ? &m->after : NULL, MACHINE_WARNINGS_MAX, found);
    for (size_t i = 0; i < n && m->n < MACHINE_WARNINGS_MAX; i++) {
        const char *line = pk_arena_printf(session->arena, "%s%s%s", found[i].what,
                                           found[i].fix[0] ? "; " : "", found[i].fix);
        if (!line) return pk_bench_no_memory(err);
        bool said = false;
        for (size_t j = 0; j < m->n && !said; j++) said = strcmp(m->lines[j], line) == 0;
        if (said) continue;
        m->lines[m->n++] = line;
        pk_session_note(session, line);
    }
    return true;
}

static bool begin_machine(machine *m, const pk_session *session, pk_err *err) {
    m->lines = PK_NEW(session->arena, MACHINE_WARNINGS_MAX, const char *);
    if (!m->lines) return pk_bench_no_memory(err);
    pk_environment_read("", &m->before);
    return check_machine(m, false, session, err);
}

/* The clock is the machine's, whichever benchmark saw it vary most: one line for all. */
static bool check_clock(machine *m, const pk_bench_report *report, pk_err *err) {
    const char *line;
    if (!pk_bench_warn_of_clock(report, &line)) return pk_bench_no_memory(err);
    if (line && m->n < MACHINE_WARNINGS_MAX) m->lines[m->n++] = line;
    return true;
}

static bool end_machine(machine *m, const pk_session *session, pk_bench_report *report,
                        pk_err *err) {
    pk_environment_read("", &m->after);
    if (!check_machine(m, true, session, err) || !check_clock(m, report, err)) return false;
    report->warnings = m->lines;
    report->n_warnings = m->n;
    return true;
}

/* ---- results ---- */

/* Objects that could not even be asked for their benchmarks: one failed result each, last. */
static bool report_broken_objects(const pk_session *session, pk_bench_report *report, size_t from,
                                  pk_err *err) {
    for (size_t i = 0; i < session->n_objects; i++) {
        const pk_object *object = &session->objects[i];
        if (!object->failure) continue;
        pk_bench_result *r = &report->results[from++];
        pk_bench_failure *failure = PK_NEW(session->arena, 1, pk_bench_failure);
        char *artefact = pk_arena_strdup(session->arena, object->hash);
        if (!failure || !artefact) return pk_bench_no_memory(err);
        *failure = *object->failure;
        *r = (pk_bench_result){.group = object->name,
                               .id = object->name,
                               .object = object->name,
                               .artefact = artefact,
                               .failures = failure,
                               .n_failures = 1,
                               .failed = true,
                               .started_unix_ns = report->started_unix_ns,
                               .metric = session->options->metric};
        if (session->hooks && session->hooks->finished)
            session->hooks->finished(session->hooks->context, r);
    }
    return true;
}

static bool find_old_sides(pk_old_sides *sides, const pk_session *session, pk_old_side olds[],
                           pk_err *err) {
    for (size_t i = 0; i < session->n_cases; i++)
        if (!pk_old_sides_find(sides, &session->cases[i], &olds[i], err)) return false;
    return true;
}

static bool measure_all(pk_session *session, pk_bench_report *report, pk_err *err) {
    pk_old_sides *sides = pk_old_sides_open(session, &report->environment, err);
    if (!sides) return false;
    pk_old_side *olds = calloc(session->n_cases > 0 ? session->n_cases : 1, sizeof *olds);
    bool ok = (olds || pk_bench_no_memory(err)) && find_old_sides(sides, session, olds, err) &&
              pk_bench_measure_all(session, olds, report, err);
    free(olds);
    pk_old_sides_close(sides);
    return ok;
}

static bool run(pk_session *session, pk_bench_report *report, pk_err *err) {
    size_t broken = 0;
    for (size_t i = 0; i < session->n_objects; i++) broken += session->objects[i].failure != NULL;
    report->n_results = session->n_cases + broken;
    report->results = PK_NEW(session->arena, report->n_results, pk_bench_result);
    if (!report->results) return pk_bench_no_memory(err);
    machine seen = {0};
    if (!begin_machine(&seen, session, err)) return false;
    report->environment = seen.before;
    return measure_all(session, report, err) &&
           report_broken_objects(session, report, session->n_cases, err) &&
           end_machine(&seen, session, report, err);
}

bool pk_bench_run(const pk_bench_options *options, const pk_bench_hooks *hooks, pk_interrupt *intr,
                  pk_bench_report *report, pk_err *err) {
    pk_bench_report made = {.seed = options->seed,
                            .nresamples = options->nresamples,
                            .quick = options->quick,
                            .started_unix_ns = pk_unix_ns()};
    uint64_t started_ns = pk_now_ns();
    pk_session session;
    made.arena = pk_arena_new(REPORT_BYTES_MAX);
    if (!made.arena) return pk_bench_no_memory(err);
    bool ok = pk_session_open(&session, options, hooks, true, intr, made.arena, err);
    if (ok) {
        ok = pk_session_start(&session, err) && run(&session, &made, err);
        pk_session_close(&session);
    }
    if (!ok) {
        pk_arena_free(made.arena);
        return false;
    }
    made.duration_ns = pk_now_ns() - started_ns;
    *report = made;
    return true;
}

void pk_bench_report_fini(pk_bench_report *report) {
    pk_arena_free(report->arena);
    *report = (pk_bench_report){0};
}

#include "bench/session.h"

#include <stdlib.h>

#include "bench/memory.h"
#include "bench/render.h"
#include "timing/clock.h"

/* Object i in the order: those that are named, then drivers, then the built-in suite, in C and in
 * Python. */
static bool open_object(const pk_session *s, size_t i, pk_object *object, pk_err *err) {
    const pk_text_list *names = &s->options->objects, *drivers = &s->options->drivers;
    if (i < names->count) return pk_object_open_file(&s->opener, names->items[i], object, err);
    i -= names->count;
    if (i < drivers->count)
        return pk_object_open_command(&s->opener, drivers->items[i], object, err);
    return i == 0 ? pk_object_open_suite(&s->opener, object, err)
                  : pk_object_open_python_suite(&s->opener, object, err);
}

static bool open_objects(pk_session *s, pk_err *err) {
    size_t named = s->options->objects.count + s->options->drivers.count;
    /* Beside named ones a filter can mean the suite: "fib mod.py". */
    size_t wanted = named + (named == 0 || s->options->filters.count > 0 ? 2 : 0);
    s->objects = calloc(wanted, sizeof *s->objects);
    if (!s->objects) return pk_bench_no_memory(err);
    for (size_t i = 0; i < wanted; i++) {
        const pk_text_list *names = &s->options->objects;
        if (i < names->count && pk_sources_is_part(&s->sources, names->items[i])) continue;
        if (!open_object(s, i, &s->objects[s->n_objects], err)) return false;
        s->objects[s->n_objects++].beside = named > 0 && i >= named;
    }
    return true;
}

static bool select_cases(pk_session *s, pk_err *err) {
    pk_bench_offers *offers = calloc(s->n_objects, sizeof *offers);
    if (!offers) return pk_bench_no_memory(err);
    size_t failed = 0;
    for (size_t i = 0; i < s->n_objects; i++) {
        const pk_object *object = &s->objects[i];
        offers[i] =
            (pk_bench_offers){object->name, object->offers, object->n_offers, object->beside};
        failed += object->failure != NULL || object->beside;
    }
    /* With every object broken their failures are the answer, not that no id matches. */
    bool ok = failed == s->n_objects || pk_bench_select(s->options, s->n_objects, offers, s->arena,
                                                        &s->cases, &s->n_cases, err);
    free(offers);
    return ok;
}

/* ---- the shipped functions in Python ---- */

static bool nothing_left(const char *why, pk_err *err) {
    pk_fail(err, PK_E_UNSUPPORTED, "fib/python", "%s", why);
    pk_fix(err, "install Python 3, or choose other benchmarks");
    return false;
}

/* Takes the cases of this object out. */
static bool leave_out(pk_session *s, size_t object, const char *why, pk_err *err) {
    size_t kept = 0;
    for (size_t i = 0; i < s->n_cases; i++)
        if (s->cases[i].object != object) s->cases[kept++] = s->cases[i];
    if (kept == s->n_cases) return true;
    s->n_cases = kept;
    if (kept == 0) return nothing_left(why, err);
    const char *line = pk_arena_printf(s->arena, "fib/python: skipped, %s", why);
    if (!line) return pk_bench_no_memory(err);
    pk_session_note(s, line);
    return true;
}

static bool has_cases(const pk_session *s, size_t object) {
    for (size_t i = 0; i < s->n_cases; i++)
        if (s->cases[i].object == object) return true;
    return false;
}

static const char no_python[] = "python3 is not on PATH";

static bool leave_out_missing(pk_session *s, pk_err *err) {
    for (size_t i = 0; i < s->n_objects; i++)
        if (s->objects[i].shipped && !s->objects[i].driver && !leave_out(s, i, no_python, err))
            return false;
    return true;
}

bool pk_session_start(pk_session *s, pk_err *err) {
    for (size_t i = 0; i < s->n_objects; i++) {
        pk_object *object = &s->objects[i];
        char text[PK_BENCH_FAILURE_MAX];
        if (!object->shipped || !has_cases(s, i)) continue;
        if (!pk_object_start_shipped(&s->opener, object, err)) return false;
        if (!object->failure) continue;
        pk_bench_failure_text(text, sizeof text, object->failure);
        object->failure = NULL; /* it is no result of this run */
        const char *why = pk_arena_printf(s->arena, "python3 does not run: it %s", text);
        if (!why) return pk_bench_no_memory(err);
        if (!leave_out(s, i, why, err)) return false;
    }
    return true;
}

bool pk_session_open(pk_session *s, const pk_bench_options *options, const pk_bench_hooks *hooks,
                     bool layouts, pk_interrupt *intr, pk_arena *arena, pk_err *err) {
    *s = (pk_session){.options = options,
                      .hooks = hooks,
                      .intr = intr,
                      .arena = arena,
                      .worker = PK_PROGRAM_NONE};
    if (!pk_program_worker(&s->worker, err)) return false;
    uint64_t deadline_ns = UINT64_MAX;
    if (options->deadline_ns > 0) {
        uint64_t now_ns = pk_now_ns();
        if (options->deadline_ns < UINT64_MAX - now_ns) deadline_ns = now_ns + options->deadline_ns;
    }
    s->place = (pk_spawn_place){.program = s->worker.path,
                                .timeout_ns = options->timeout_ns ? options->timeout_ns
                                                                  : PK_BENCH_DEFAULT_TIMEOUT_NS,
                                .deadline_ns = deadline_ns,
                                .intr = intr,
                                .arena = arena};
    s->opener = (pk_object_opener){
        .place = &s->place, .options = options, .sources = &s->sources, .layouts = layouts};
    if (pk_sources_open(options, hooks, &s->sources, err) && open_objects(s, err) &&
        select_cases(s, err) && leave_out_missing(s, err))
        return true;
    pk_session_close(s);
    return false;
}

void pk_session_close(pk_session *s) {
    for (size_t i = 0; i < s->n_objects; i++) pk_object_close(&s->objects[i]);
    free(s->objects);
    pk_sources_close(&s->sources);
    pk_program_close(&s->worker);
    s->objects = NULL;
    s->n_objects = 0;
}

void pk_session_note(const pk_session *s, const char *line) {
    if (s->hooks && s->hooks->note) s->hooks->note(s->hooks->context, line);
}

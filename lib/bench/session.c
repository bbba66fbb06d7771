#include "bench/session.h"

#include <stdlib.h>

#include "bench/memory.h"
#include "timing/clock.h"

static bool open_objects(pk_session *s, pk_err *err) {
    const pk_text_list *names = &s->options->objects;
    size_t wanted = names->count > 0 ? names->count : 1;
    s->objects = calloc(wanted, sizeof *s->objects);
    if (!s->objects) return pk_bench_no_memory(err);
    for (; s->n_objects < wanted; s->n_objects++) {
        pk_object *object = &s->objects[s->n_objects];
        bool ok = names->count > 0
                      ? pk_object_open_file(&s->opener, names->items[s->n_objects], object, err)
                      : pk_object_open_suite(&s->opener, object, err);
        if (!ok) return false;
    }
    return true;
}

static bool select_cases(pk_session *s, pk_err *err) {
    pk_bench_offers *offers = calloc(s->n_objects, sizeof *offers);
    if (!offers) return pk_bench_no_memory(err);
    size_t failed = 0;
    for (size_t i = 0; i < s->n_objects; i++) {
        const pk_object *object = &s->objects[i];
        offers[i] = (pk_bench_offers){object->name, object->offers, object->n_offers};
        failed += object->failure != NULL;
    }
    /* With every object broken their failures are the answer, not that no id matches. */
    bool ok = failed == s->n_objects || pk_bench_select(s->options, s->n_objects, offers, s->arena,
                                                        &s->cases, &s->n_cases, err);
    free(offers);
    return ok;
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
        .place = &s->place, .options = options, .hooks = hooks, .layouts = layouts};
    if (open_objects(s, err) && select_cases(s, err)) return true;
    pk_session_close(s);
    return false;
}

void pk_session_close(pk_session *s) {
    for (size_t i = 0; i < s->n_objects; i++) pk_object_close(&s->objects[i]);
    free(s->objects);
    pk_program_close(&s->worker);
    s->objects = NULL;
    s->n_objects = 0;
}

void pk_session_note(const pk_session *s, const char *line) {
    if (s->hooks && s->hooks->note) s->hooks->note(s->hooks->context, line);
}

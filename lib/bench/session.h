/* What a run, a list and an exercise share: the worker program, the objects, the selection. */
#ifndef PK_BENCH_SESSION_H
#define PK_BENCH_SESSION_H

#include "bench/object.h"
#include "bench/select.h"
#include "bench/store.h"

typedef struct pk_session {
    const pk_bench_options *options;
    const pk_bench_hooks *hooks; /* may be NULL */
    pk_interrupt *intr;          /* may be NULL */
    pk_arena *arena;             /* the caller's */
    pk_program worker;
    pk_spawn_place place;
    pk_object_opener opener; /* points into this struct: a session does not move */
    pk_sources sources;
    pk_object *objects; /* n_objects, those with a failure too */
    size_t n_objects;
    pk_bench_case *cases; /* of the objects without a failure */
    size_t n_cases;
} pk_session;

/* Opens the objects and selects. `layouts`: compiled code in many of them. On failure nothing is
 * left open. False if there is nothing to do, unless an object has a failure to tell. */
bool pk_session_open(pk_session *session, const pk_bench_options *options,
                     const pk_bench_hooks *hooks, bool layouts, pk_interrupt *intr, pk_arena *arena,
                     pk_err *err) PK_MUST_CHECK;
/* Before the first worker: starts Python once for the shipped functions, and leaves out those that
 * cannot be run, with a note. False if nothing is left then. */
bool pk_session_start(pk_session *session, pk_err *err) PK_MUST_CHECK;
void pk_session_close(pk_session *session);

/* hooks->note, if anybody listens. */
void pk_session_note(const pk_session *session, const char *line);

#endif

#include "bench/old_side.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "bench/driver.h"
#include "bench/memory.h"

#define OLD_OBJECTS_MAX 4096
#define HISTORY_MAX 20 /* former sessions that a comparison with stored numbers rests on */

struct pk_old_sides {
    pk_session *session;
    char environment[65];
    pk_store *store;  /* NULL: there is none yet */
    pk_object *other; /* --compare-with FILE */
    pk_array objects; /* pk_object *: from the store, each hash once */
};

/* ---- opening ---- */

static bool open_store(pk_old_sides *sides, pk_err *err) {
    const pk_bench_options *o = sides->session->options;
    bool needed =
        o->more || o->compare == PK_COMPARE_BASELINE || o->compare == PK_COMPARE_BASELINE_LENIENT;
    if (!needed || !o->home || (access(o->home, F_OK) < 0 && errno == ENOENT)) return true;
    sides->store = pk_store_open(o->home, false, false, err);
    return sides->store != NULL;
}

/* Two handles for two sides, whichever of the new objects it is compared with. */
static bool separate_from_new(const pk_old_sides *sides, pk_object *old, pk_err *err) {
    const pk_session *s = sides->session;
    for (size_t i = 0; i < s->n_objects; i++)
        if (!s->objects[i].failure && !pk_object_separate(&s->opener, old, &s->objects[i], err))
            return false;
    return true;
}

/* An old file of another name has the benchmarks of the new one. */
static const char *group_of_new(const pk_session *s) {
    for (size_t i = 0; i < s->n_objects; i++)
        if (s->objects[i].driver) return s->objects[i].driver->group;
    return NULL;
}

static bool open_other(pk_old_sides *sides, pk_err *err) {
    const pk_session *s = sides->session;
    if (s->options->compare != PK_COMPARE_OBJECT) return true;
    pk_object *other = calloc(1, sizeof *other);
    if (!other) return pk_bench_no_memory(err);
    pk_object_opener opener = s->opener;
    opener.group = group_of_new(s);
    if (!pk_object_open_file(&opener, s->options->compare_with, other, err)) {
        free(other);
        return false;
    }
    sides->other = other;
    if (other->failure) {
        pk_fail(err, PK_E_INPUT, other->name, "it cannot be asked for its benchmarks: %s",
                other->failure->why);
        pk_fix(err, "compare with another object, or mend this one");
        return false;
    }
    return separate_from_new(sides, other, err);
}

pk_old_sides *pk_old_sides_open(pk_session *session, const pk_environment *environment,
                                pk_err *err) {
    pk_old_sides *sides = calloc(1, sizeof *sides);
    if (!sides) {
        pk_bench_no_memory(err);
        return NULL;
    }
    sides->session = session;
    sides->objects = PK_ARRAY(pk_object *, OLD_OBJECTS_MAX);
    pk_environment_id(environment, sides->environment);
    if (open_store(sides, err) && open_other(sides, err)) return sides;
    pk_old_sides_close(sides);
    return NULL;
}

static void close_object(pk_object *object) {
    if (object) pk_object_close(object);
    free(object);
}

void pk_old_sides_close(pk_old_sides *sides) {
    if (!sides) return;
    for (size_t i = 0; i < sides->objects.count; i++)
        close_object(PK_AT(&sides->objects, pk_object *, i));
    pk_array_fini(&sides->objects);
    close_object(sides->other);
    if (sides->store) pk_store_close(sides->store);
    free(sides);
}

/* ---- old code ---- */

static bool new_artefact(pk_old_sides *sides, const pk_bench_case *c, const char *label,
                         const char *path, pk_object **out, pk_err *err) {
    pk_object *object = calloc(1, sizeof *object);
    if (!object) return pk_bench_no_memory(err);
    pk_object **slot = NULL;
    const pk_session *s = sides->session;
    bool ok = pk_object_open_artefact(&s->opener, label, path, &s->objects[c->object], object, err);
    if (ok) ok = separate_from_new(sides, object, err);
    if (ok) {
        slot = pk_array_push(&sides->objects);
        ok = slot || pk_bench_no_memory(err);
    }
    if (!ok) {
        close_object(object);
        return false;
    }
    *out = *slot = object;
    return true;
}

/* *out = NULL: the store does not have it. */
static bool artefact_of(pk_old_sides *sides, const pk_bench_case *c, const char *label,
                        const char *hash, pk_object **out, pk_err *err) {
    char path[4096];
    *out = NULL;
    if (!hash || !*hash || !sides->store) return true;
    for (size_t i = 0; i < sides->objects.count; i++) {
        pk_object *object = PK_AT(&sides->objects, pk_object *, i);
        if (strcmp(object->hash, hash) != 0) continue;
        *out = object;
        return true;
    }
    if (!pk_store_artefact(sides->store, hash, path, sizeof path)) return true;
    return new_artefact(sides, c, label, path, out, err);
}

/* Live, if the object can run this benchmark. */
static void live(const pk_object *object, const pk_bench_case *c, const char *label,
                 pk_old_side *out) {
    uint32_t index;
    if (!object || object->failure || !pk_object_find(object, c->group, c->function, &index))
        return;
    out->source = PK_CHANGE_LIVE;
    out->label = label;
    out->object = object;
    out->index = index;
    out->artefact = object->hash;
}

/* ---- stored numbers ---- */

/* Keeps the sessions of this machine; those of another only if the newest is of it too: then
 * nothing of here can be compared, and the newest alone says so. */
static size_t keep_sessions(const char *environment, pk_bench_session *sessions, size_t n) {
    if (n == 0) return 0;
    if (strcmp(sessions[n - 1].environment, environment) != 0) {
        sessions[0] = sessions[n - 1];
        return 1;
    }
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (strcmp(sessions[i].environment, environment) == 0) sessions[kept++] = sessions[i];
    size_t skip = kept > HISTORY_MAX ? kept - HISTORY_MAX : 0;
    memmove(sessions, sessions + skip, (kept - skip) * sizeof *sessions);
    return kept - skip;
}

static bool copy_values(pk_arena *arena, const pk_baseline *baseline, pk_old_side *out,
                        pk_err *err) {
    out->values_ns = PK_NEW(arena, baseline->n, double);
    if (!out->values_ns) return pk_bench_no_memory(err);
    for (size_t i = 0; i < baseline->n; i++)
        out->values_ns[i] = baseline->times_ns[i] / baseline->iterations[i];
    out->n_values = baseline->n;
    return true;
}

static bool stored(pk_old_sides *sides, pk_baseline *baseline, const char *directory,
                   const char *label, pk_old_side *out, pk_err *err) {
    const char *hash = baseline->session.workers > 0 ? baseline->session.artefact : "";
    out->source = PK_CHANGE_STORED;
    out->label = label;
    out->artefact = *hash ? hash : NULL;
    out->estimates = baseline->has_estimates ? &baseline->estimates : NULL;
    out->typical_ns = baseline->session.workers > 0 ? baseline->session.typical_ns
                      : baseline->has_estimates     ? baseline->estimates.mean.point
                                                    : NAN;
    if (!copy_values(sides->session->arena, baseline, out, err)) return false;
    if (*hash && !pk_store_sessions(sides->store, directory, hash, sides->session->arena,
                                    &out->sessions, &out->n_sessions, err))
        return false;
    if (out->n_sessions == 0 && baseline->session.workers > 0) {
        out->sessions = &baseline->session;
        out->n_sessions = 1;
    }
    out->n_sessions = keep_sessions(sides->environment, out->sessions, out->n_sessions);
    return true;
}

/* ---- baselines ---- */

static bool missing(const pk_bench_case *c, const char *name, pk_err *err) {
    pk_fail(err, PK_E_INPUT, name, "there is no such baseline of %s", c->id);
    pk_fix(err, "save one with --save-baseline %.60s, or pass over with --baseline-lenient", name);
    return false;
}

static bool find_baseline(pk_old_sides *sides, const pk_bench_case *c, const char *directory,
                          pk_old_side *out, pk_err *err) {
    const pk_bench_options *o = sides->session->options;
    bool lenient = o->compare == PK_COMPARE_BASELINE_LENIENT;
    pk_arena *arena = sides->session->arena;
    pk_err why = {0};
    pk_baseline *baseline =
        sides->store ? pk_store_load(sides->store, directory, o->compare_with, arena, &why) : NULL;
    if (!baseline && why.kind == PK_OK) return lenient || missing(c, o->compare_with, err);
    if (!baseline && !lenient) {
        *err = why;
        return false;
    }
    if (!baseline) {
        char line[PK_ERR_LINE_MAX];
        pk_err_format(&why, line, sizeof line);
        out->warning = pk_arena_printf(arena, "not compared: %s", line);
        return true;
    }
    pk_object *object = NULL;
    if (!artefact_of(sides, c, o->compare_with, baseline->session.artefact, &object, err))
        return false;
    live(object, c, o->compare_with, out);
    if (out->source == PK_CHANGE_LIVE) return true;
    bool kept = sides->session->objects[c->object].data != NULL;
    out->warning = pk_arena_printf(arena, "compared with stored numbers: the old code of '%s' %s",
                                   o->compare_with,
                                   object ? "does not run any more"
                                   : kept ? "is not in the store"
                                          : "is a driver's own, which cannot be kept");
    return stored(sides, baseline, directory, o->compare_with, out, err);
}

/* ---- continuing ---- */

static bool same_text(const char *a, const char *b) {
    return a && b && strcmp(a, b) == 0;
}

/* Why the last session cannot be continued; NULL: it can. */
static const char *cannot_continue(const pk_old_sides *sides, const pk_bench_case *c,
                                   const pk_bench_result *last) {
    const pk_session *s = sides->session;
    if (!last || last->n_workers == 0) return "there is no former session";
    if (!same_text(last->artefact, s->objects[c->object].hash)) return "the code has changed";
    if (last->metric != s->options->metric && !last->method)
        return "it was measured in another metric";
    bool layouts = last->workers[0].layout >= 0;
    if (layouts != (s->objects[c->object].n_layouts > 0)) return "it ran in other layouts";
    bool live_then =
        last->change.source == PK_CHANGE_LIVE || last->change.source == PK_CHANGE_ISOLATED;
    bool other = s->options->compare == PK_COMPARE_OBJECT ||
                 (s->options->compare != PK_COMPARE_NONE && live_then &&
                  !same_text(last->change.baseline, s->options->compare_with));
    return other ? "it compared with something else" : NULL;
}

/* The last session's comparison goes on with the same old side: its baseline's name may stand for
 * newer code by now, since that session was saved. Returns why it cannot, or NULL. */
static const char *old_side_of(pk_old_sides *sides, const pk_bench_case *c, const char *directory,
                               const pk_bench_change *then, pk_old_side *out, pk_err *err) {
    if (then->source == PK_CHANGE_NONE) return NULL;
    if (then->source == PK_CHANGE_STORED) {
        out->source = PK_CHANGE_STORED;
        out->label = then->baseline;
        out->artefact = then->old_artefact;
        out->estimates = then->old;
        out->typical_ns = then->old_ns;
        if (then->old_artefact &&
            !pk_store_sessions(sides->store, directory, then->old_artefact, sides->session->arena,
                               &out->sessions, &out->n_sessions, err))
            return "its sessions cannot be read";
        out->n_sessions = keep_sessions(sides->environment, out->sessions, out->n_sessions);
        return NULL;
    }
    pk_object *object = NULL;
    if (!artefact_of(sides, c, then->baseline, then->old_artefact, &object, err))
        return "the old code cannot be opened";
    live(object, c, then->baseline, out);
    return out->source == PK_CHANGE_LIVE ? NULL : "the old code is not in the store";
}

static bool continue_last(pk_old_sides *sides, const pk_bench_case *c, const char *directory,
                          pk_old_side *out, pk_err *err) {
    pk_arena *arena = sides->session->arena;
    pk_err why = {0};
    pk_baseline *last =
        sides->store ? pk_store_load(sides->store, directory, "new", arena, &why) : NULL;
    const pk_bench_result *result = last ? last->result : NULL;
    const char *reason = cannot_continue(sides, c, result);
    if (!reason) reason = old_side_of(sides, c, directory, &result->change, out, &why);
    if (why.kind != PK_OK) {
        *err = why;
        return false;
    }
    if (!reason) out->former = result;
    else out->warning = pk_arena_printf(arena, "nothing to continue: %s", reason);
    return true;
}

bool pk_old_sides_find(pk_old_sides *sides, const pk_bench_case *c, pk_old_side *out, pk_err *err) {
    const pk_bench_options *o = sides->session->options;
    char directory[1024];
    *out = (pk_old_side){.typical_ns = NAN};
    if (!pk_store_directory(c->group, c->function, c->value, directory, sizeof directory)) {
        pk_fail(err, PK_E_INPUT, c->id, "the id is too long for the store");
        pk_fix(err, "shorten the names of group and function");
        return false;
    }
    if (o->more && !continue_last(sides, c, directory, out, err)) return false;
    if (out->former || o->compare == PK_COMPARE_NONE) return true;
    if (o->compare != PK_COMPARE_OBJECT) return find_baseline(sides, c, directory, out, err);
    live(sides->other, c, o->compare_with, out);
    if (out->source == PK_CHANGE_NONE)
        out->warning = pk_arena_printf(sides->session->arena, "not compared: %s has no %s",
                                       o->compare_with, c->id);
    return true;
}

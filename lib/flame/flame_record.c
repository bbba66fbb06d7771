#include "flame/flame_record.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/process.h"
#include "base/procfs.h"
#include "flame/events.h"
#include "flame/notes.h"

/* ---- which recorder ---- */

/* What only perf can do; NULL: both can. */
static const char *needs_perf(const pk_record_options *o) {
    if (o->perf_words) return "its words were given";
    if (o->root && o->root[0]) return "--root is for perf";
    if (o->keep) return "a file of perf is to be kept";
    if (o->call_graph == PK_CALL_GRAPH_LBR) return "LBR is read by perf";
    return NULL;
}

static bool is_perf_there(const pk_record_options *o) {
    char path[PATH_MAX];
    pk_err err;
    return pk_process_find(o->perf ? o->perf : "perf", path, sizeof path, &err);
}

static bool is_known_event(const pk_record_options *o) {
    pk_event event;
    pk_err err;
    return !o->event || pk_event_parse(o->event, NULL, &event, &err);
}

/* Where both can do what was asked the built-in one is taken: docs/methods.md has the figures. */
bool pk_flame_choose(const pk_flame_options *options, pk_flame_result *result, pk_err *err) {
    const pk_record_options *o = &options->record;
    const char *only_perf = needs_perf(o);
    if (options->recorder == PK_RECORDER_OWN && only_perf) {
        pk_fail(err, PK_E_USAGE, NULL, "the built-in recorder cannot do this: %s", only_perf);
        pk_fix(err, "use --recorder perf");
        return false;
    }
    bool automatic = options->recorder == PK_RECORDER_AUTO;
    if (automatic && !only_perf && !is_known_event(o) && is_perf_there(o))
        only_perf = "only perf may know this event";
    bool perf = options->recorder == PK_RECORDER_PERF || only_perf;
    result->recorder = perf ? "perf" : "builtin";
    result->recorder_reason = !automatic  ? "it was asked for"
                              : only_perf ? only_perf
                                          : "it begins sooner than perf and takes less CPU time";
    return true;
}

/* ---- recording ---- */

static bool take(void *context, const pk_perf_info *info, const pk_record *record, pk_err *err) {
    return pk_collapse_record(context, info, record, err);
}

/* The command as words by blanks: what perf says of itself is its own line. */
static const char *command_text(const pk_record_options *o, pk_arena *arena) {
    if (o->argv) {
        const char *text = o->argv[0];
        for (size_t i = 1; o->argv[i] && text; i++)
            text = pk_arena_printf(arena, "%s %s", text, o->argv[i]);
        return text;
    }
    pk_process_info info;
    if (o->n_pids == 1 && pk_procfs_process(o->pids[0], &info))
        return pk_arena_strdup(arena, info.command);
    return NULL;
}

static void take_facts(const pk_flame_options *options, const char *command,
                       pk_flame_result *result) {
    pk_profile *profile = &result->profile;
    const pk_recording *recording = &result->recording;
    profile->duration_ns = recording->duration_ns;
    profile->command = command;
    if (!profile->event) profile->event = recording->event;
    if (options->record.frequency_hz > 0 && !options->record.off_cpu)
        profile->frequency_hz =
            (double)(recording->frequency_hz > 0 ? recording->frequency_hz
                                                 : options->record.frequency_hz);
    if (recording->end == PK_RECORDING_RECORDER) profile->incomplete = true;
}

/* A perf with capabilities of its own may do what we may not. Nothing has begun then. */
static bool may_perf_instead(const pk_flame_options *options, const pk_flame_result *result,
                             const pk_err *why) {
    return options->recorder == PK_RECORDER_AUTO && strcmp(result->recorder, "perf") != 0 &&
           (why->sys_errno == EACCES || why->sys_errno == EPERM) &&
           !result->recording.command_ran && is_perf_there(&options->record);
}

static bool record(const pk_flame_options *options, const pk_interrupt *interrupt,
                   pk_collapse *collapse, pk_flame_result *result, pk_err *why) {
    const pk_record_options *o = &options->record;
    pk_arena *arena = result->profile.arena;
    pk_recording *recording = &result->recording;
    if (strcmp(result->recorder, "perf") == 0)
        return pk_record_perf(o, interrupt, take, collapse, arena, recording, why);
    if (pk_record_own(o, interrupt, take, collapse, arena, recording, why)) return true;
    if (!may_perf_instead(options, result, why)) return false;
    pk_err perfs = {0};
    result->recorder = "perf";
    result->recorder_reason = "the built-in recorder may not do this, and perf may";
    bool ok = pk_record_perf(o, interrupt, take, collapse, arena, recording, &perfs);
    if (ok) *why = perfs; /* else what kept the built-in one from it says more */
    return ok;
}

bool pk_flame_record(const pk_flame_options *options, const pk_collapse_options *collapse,
                     const pk_interrupt *interrupt, pk_flame_result *result, pk_err *err) {
    const char *command = command_text(&options->record, result->profile.arena);
    pk_collapse *into = pk_collapse_new(collapse, &result->profile, err);
    if (!into) return false;
    pk_err why = {0}, end = {0};
    bool ok = record(options, interrupt, into, result, &why);
    result->recorded = ok;
    if (!ok) *err = why;
    if (ok && !pk_collapse_end(into, &end)) {
        ok = false;
        *err = end;
    }
    pk_collapse_free(into);
    if (!ok) return false;
    if (result->recording.end == PK_RECORDING_RECORDER) pk_flame_note_error(result, &why);
    take_facts(options, command, result);
    return true;
}

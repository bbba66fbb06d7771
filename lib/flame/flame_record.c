#include "flame/flame_record.h"

#include <stdio.h>
#include <string.h>

#include "base/procfs.h"
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

bool pk_flame_choose(const pk_flame_options *options, pk_flame_result *result, pk_err *err) {
    const pk_record_options *o = &options->record;
    const char *only_perf = needs_perf(o);
    if (options->recorder == PK_RECORDER_OWN && only_perf) {
        pk_fail(err, PK_E_USAGE, NULL, "the built-in recorder cannot do this: %s", only_perf);
        pk_fix(err, "use --recorder perf");
        return false;
    }
    bool perf = options->recorder == PK_RECORDER_PERF || only_perf;
    result->recorder = perf ? "perf" : "builtin";
    result->recorder_reason = options->recorder != PK_RECORDER_AUTO ? "it was asked for"
                              : only_perf                           ? only_perf
                                          : "it loses nothing, and needs no package";
    return true;
}

/* ---- recording ---- */

typedef struct sink {
    pk_collapse *collapse;
    bool failed; /* the error is ours, not the recorder's */
} sink;

static bool take(void *context, const pk_perf_info *info, const pk_record *record, pk_err *err) {
    sink *s = context;
    s->failed = !pk_collapse_record(s->collapse, info, record, err);
    return !s->failed;
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

bool pk_flame_record(const pk_flame_options *options, const pk_collapse_options *collapse,
                     const pk_interrupt *interrupt, pk_flame_result *result, pk_err *err) {
    const pk_record_options *o = &options->record;
    pk_profile *profile = &result->profile;
    const char *command = command_text(o, profile->arena);
    bool perf = strcmp(result->recorder, "perf") == 0;
    sink s = {.collapse = pk_collapse_new(collapse, profile, err)};
    if (!s.collapse) return false;
    pk_err why = {0}, end = {0};
    bool ok = (perf ? pk_record_perf : pk_record_own)(o, interrupt, take, &s, profile->arena,
                                                      &result->recording, &why);
    result->recorded = ok;
    if (!ok) *err = why;
    if (ok && !pk_collapse_end(s.collapse, &end)) {
        ok = false;
        *err = end;
    }
    pk_collapse_free(s.collapse);
    if (!ok) return false;
    if (result->recording.end == PK_RECORDING_RECORDER) pk_flame_note_error(result, &why);
    take_facts(options, command, result);
    return true;
}

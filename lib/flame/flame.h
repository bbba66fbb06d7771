/* perfkit flame: options -> profile. A profile comes from a recorder, from perf.data, from text of
 * `perf script`, or from folded stacks; how it is drawn is in profile/ and flame/render.h. */
#ifndef PK_FLAME_FLAME_H
#define PK_FLAME_FLAME_H

#include "flame/collapse.h"
#include "flame/recorder.h"
#include "profile/profile.h"

typedef enum pk_recorder_choice {
    PK_RECORDER_AUTO,
    PK_RECORDER_PERF,
    PK_RECORDER_OWN
} pk_recorder_choice;

typedef struct pk_flame_options {
    pk_recorder_choice recorder;
    pk_record_options record; /* of a command, processes or the machine; else one of: */
    const char *perf_data;    /* a file of `perf record`; NULL: none */
    pk_text_list inputs; /* texts, folded or of `perf script` (told apart by their content); "-":
                            standard input. Several are merged */
    pk_collapse_options collapse;
    const pk_debug_folders *folders;
    pk_collapse_progress *progress; /* of reading files; may be NULL */
    void *progress_context;
} pk_flame_options;

typedef struct pk_flame_note { /* a sentence for people, with what to do */
    const char *text, *fix;    /* fix may be NULL */
} pk_flame_note;

typedef struct pk_flame_result {
    pk_profile profile;
    pk_recording recording; /* command_ran, exit, ...; all 0 where nothing was recorded */
    bool recorded;
    const char *recorder, *recorder_reason; /* "perf" or "builtin", and why; NULL */
    pk_array notes; /* pk_flame_note: fallbacks, what was lost, hidden, missing or changed */
} pk_flame_result;

/* False: there is no profile; err says why. A recording without a sample is no failure of this
 * call: profile.n_samples is 0, and a note says which event, how long, and why. result is always
 * to be given to pk_flame_fini. */
bool pk_flame_run(const pk_flame_options *options, const pk_interrupt *interrupt,
                  pk_flame_result *result, pk_err *err) PK_MUST_CHECK;
void pk_flame_fini(pk_flame_result *result);

#endif

#include "flame/flame.h"

#include <string.h>

#include "flame/flame_record.h"
#include "flame/flame_text.h"
#include "flame/kernel_symbols.h"
#include "flame/notes.h"
#include "profile/saved.h"

#define KALLSYMS "/proc/kallsyms"
#define NOTES_MAX 1024

static bool read_perf_data(const pk_flame_options *options, const pk_collapse_options *collapse,
                           pk_flame_result *result, pk_err *err) {
    pk_err warning = {0};
    bool ok = pk_collapse_file(options->perf_data, collapse, options->progress,
                               options->progress_context, &result->profile, &warning, err);
    if (ok && warning.kind != PK_OK) pk_flame_note_error(result, &warning);
    return ok;
}

static bool read_texts(const pk_flame_options *options, const pk_collapse_options *collapse,
                       pk_flame_result *result, pk_err *err) {
    for (size_t i = 0; i < options->inputs.count; i++) {
        const char *path = options->inputs.items[i];
        pk_flame_text_read read;
        if (!pk_flame_text_add(path, collapse, options->progress, options->progress_context,
                               &result->profile, &read, err))
            return false;
        pk_flame_note_text(path, &read, result);
    }
    /* Of folded stacks it is weights that were counted, and a weight may be a period. */
    uint64_t samples = pk_saved_samples(&result->profile.tree);
    if (!result->profile.event && samples > 0) result->profile.n_samples = samples;
    return true;
}

static bool is_kernel_hidden(const pk_profile *profile) {
    for (size_t i = 0; i < profile->modules.count; i++) {
        const pk_profile_module *m = &PK_AT(&profile->modules, pk_profile_module, i);
        if (strcmp(m->path, "[kernel.kallsyms]") == 0) return !m->symbols;
    }
    return false;
}

bool pk_flame_run(const pk_flame_options *options, const pk_interrupt *interrupt,
                  pk_flame_result *result, pk_err *err) {
    *result = (pk_flame_result){.notes = PK_ARRAY(pk_flame_note, NOTES_MAX)};
    if (!pk_profile_init(&result->profile, 1, options->collapse.in_order, err)) return false;
    pk_collapse_options collapse = options->collapse;
    collapse.folders = options->folders;
    if (options->inputs.count > 0) {
        if (!read_texts(options, &collapse, result, err)) return false;
        pk_flame_notes_make(options, false, result);
        return true;
    }
    if (!options->perf_data && !pk_flame_choose(options, result, err)) return false;
    /* A recording is not to be kept waiting when its first kernel frame comes. */
    pk_kallsyms *kallsyms = options->perf_data ? NULL : pk_kernel_symbols_read(KALLSYMS);
    collapse.kallsyms = kallsyms;
    if (options->perf_data) collapse.kallsyms_path = KALLSYMS;
    bool ok = options->perf_data ? read_perf_data(options, &collapse, result, err)
                                 : pk_flame_record(options, &collapse, interrupt, result, err);
    if (ok) pk_flame_notes_make(options, is_kernel_hidden(&result->profile), result);
    pk_kallsyms_free(kallsyms);
    return ok;
}

void pk_flame_fini(pk_flame_result *result) {
    pk_array_fini(&result->notes);
    pk_profile_fini(&result->profile);
}

/* What a killed perfkit has left behind. */
#include <stdio.h>

#include "alloc/alloc.h"
#include "alloc/collector.h"
#include "alloc/folder.h"

bool pk_alloc_recover(const pk_alloc_options *options, pk_alloc_result *result, pk_err *err) {
    pk_alloc_folder folder;
    char fix[PATH_MAX + 64];
    if (!pk_alloc_begin(result, options, err) ||
        !pk_alloc_folder_find(options->folder, &options->runtime_folders, &folder, err))
        return false;
    result->backend = "preload";
    result->backend_reason = "recovered";
    result->interrupted = true;
    bool ok = pk_alloc_add_folder(result, folder.path, err) && pk_alloc_end(result, err);
    if (ok) {
        size_t n = pk_alloc_still_running(result);
        snprintf(fix, sizeof fix, "remove it when it has been seen: rm -r %s", folder.path);
        pk_alloc_note_add(result, fix, "recovered from %s%s", folder.path,
                          n > 0 ? "; a program still counts there" : "");
    }
    pk_alloc_folder_close(&folder);
    return ok;
}

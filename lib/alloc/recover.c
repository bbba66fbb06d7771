/* What a killed perfkit has left behind. */
#include <signal.h>
#include <stdio.h>

#include "alloc/alloc.h"
#include "alloc/collector.h"
#include "alloc/folder.h"

/* A program goes on counting when perfkit has gone. */
static size_t still_running(const pk_alloc_result *result) {
    size_t n = 0;
    for (size_t i = 0; i < result->processes.count; i++) {
        const pk_alloc_process *p = &PK_AT(&result->processes, pk_alloc_process, i);
        n += p->ended_ns == UINT64_MAX && p->pid > 0 && kill((pid_t)p->pid, 0) == 0;
    }
    return n;
}

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
        size_t n = still_running(result);
        snprintf(fix, sizeof fix, "remove it when it has been seen: rm -r %s", folder.path);
        pk_alloc_note_add(result, fix, "recovered from %s%s", folder.path,
                          n > 0 ? "; a program still counts there" : "");
    }
    pk_alloc_folder_close(&folder);
    return ok;
}

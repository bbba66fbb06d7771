/* The folder of a run: the hook, for programs to load, and the images that they write. It stays
 * when perfkit is killed; a lock says whether perfkit is still there. */
#ifndef PK_ALLOC_FOLDER_H
#define PK_ALLOC_FOLDER_H

#include <stdbool.h>
#include <limits.h>

#include "base/error.h"
#include "base/textlist.h"

#define PK_ALLOC_FOLDER_NAME "perfkit-alloc-"
#define PK_ALLOC_HOOK_NAME "perfkit-hook.so"

typedef struct pk_alloc_folder {
    char path[PATH_MAX];
    int lock; /* -1: none */
} pk_alloc_folder;

/* Makes `asked`, or where that is NULL one of our own in the first of `parents` where a program may
 * load objects from; the hook is in it. Programs of other users are to reach it: everyone may look,
 * and where we are root also leave images there, as in /tmp. */
bool pk_alloc_folder_make(const char *asked, const pk_text_list *parents, pk_alloc_folder *folder,
                          pk_err *err) PK_MUST_CHECK;
/* Removes it with what we and the hook have put there; nothing after a failed make. */
void pk_alloc_folder_remove(pk_alloc_folder *folder);
/* What a killed perfkit has left: `asked`, or the newest of ours in `parents`. False: there is
 * none, or its perfkit is still there. */
bool pk_alloc_folder_find(const char *asked, const pk_text_list *parents, pk_alloc_folder *folder,
                          pk_err *err) PK_MUST_CHECK;
/* Leaves the folder where it is. */
void pk_alloc_folder_close(pk_alloc_folder *folder);

#endif

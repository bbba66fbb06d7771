/* Where the file lies that a process has mapped, and whether it still is the one. */
#ifndef PK_PROFILE_MODULE_FILE_H
#define PK_PROFILE_MODULE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "profile/modules.h"

/* 0: the process sees the files that we see, or we may not know; otherwise a number of the other
 * root or mount namespace, in which the same path may be another file. */
uint64_t pk_module_root(uint32_t pid);

/* May the file become unreachable when the process ends: is it deleted, or in another root? */
bool pk_module_is_fleeting(const pk_module_id *id, uint64_t root);

/* Tried in this order: what the process itself can see (another root; /proc/PID/exe for a deleted
 * program), the path, and by the build-id what lies below the folders. *image: of
 * PK_MODULE_READY, the caller frees it; NULL otherwise. */
pk_module_state pk_module_file_open(const pk_module_id *id, uint64_t root,
                                    const pk_debug_folders *folders,
                                    pk_elf_image **image) PK_MUST_CHECK;

#endif

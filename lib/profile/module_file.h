/* Where the file lies that a process has mapped, and whether it still is the one. */
#ifndef PK_PROFILE_MODULE_FILE_H
#define PK_PROFILE_MODULE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "profile/modules.h"

/* What root and mount namespace we live in, as a number; 0: not known. */
uint64_t pk_module_own_root(void);
/* The same of a process; 0: ours, or not known. In another one the same path may be another file.
 */
uint64_t pk_module_root(uint32_t pid, uint64_t own);

/* May the file become unreachable when the process ends: is it deleted, or in another root? */
bool pk_module_is_fleeting(const pk_module_id *id, uint64_t root);

/* Tried in this order: what the process itself can see (a deleted file that it has mapped; another
 * root), the path, and by the build-id what lies below the folders. *image: of
 * PK_MODULE_READY, the caller frees it; NULL otherwise. */
pk_module_state pk_module_file_open(const pk_module_id *id, uint64_t root,
                                    const pk_debug_folders *folders,
                                    pk_elf_image **image) PK_MUST_CHECK;

#endif

/* The functions of the kernel of a recording. */
#ifndef PK_FLAME_KERNEL_SYMBOLS_H
#define PK_FLAME_KERNEL_SYMBOLS_H

#include "profile/debug_file.h"
#include "profile/kallsyms.h"

typedef struct pk_kernel_id {
    const uint8_t *build_id; /* build_id_bytes; 0: not known */
    size_t build_id_bytes;
} pk_kernel_id;

/* From a file like /proc/kallsyms. NULL: it cannot be read, or hides its addresses. */
pk_kallsyms *pk_kernel_symbols_read(const char *path) PK_MUST_CHECK;

/* Those that perf kept of this very kernel when it recorded (CACHE/.build-id/ab/cdef.../kallsyms),
 * which costs a tenth of asking the running kernel; else those of the running one, if it may be the
 * same: `path` (NULL: none) and `notes`, /proc/kallsyms and /sys/kernel/notes. NULL: neither. */
pk_kallsyms *pk_kernel_symbols_find(const pk_kernel_id *id, const pk_debug_folders *folders,
                                    const char *path, const char *notes) PK_MUST_CHECK;

#endif

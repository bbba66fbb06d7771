/* The separate file with an ELF file's symbols and debug information, where gdb's manual
 * ("Debugging Information in Separate Files") says that it lies. Never asks a server. */
#ifndef PK_PROFILE_DEBUG_FILE_H
#define PK_PROFILE_DEBUG_FILE_H

#include "profile/elf_image.h"

/* Where to look; fields may be NULL, and so may be a pointer to all. */
typedef struct pk_debug_folders {
    const char *const *roots; /* like /usr/lib/debug; ends with NULL */
    const char *perf_cache;   /* perf's own: ~/.debug */
} pk_debug_folders;

/* Tried in this order: ROOT/.build-id/ab/cdef.debug; .gnu_debuglink's NAME beside the file, in
 * .debug/ there, and in ROOT/FOLDER-OF-THE-FILE; CACHE/.build-id/ab/cdef/debug and .../elf. What is
 * found by its build-id must have that build-id, what is found by its name must have the CRC-32 of
 * the link, and it must have the section `section`. NULL: there is none. The caller frees it. */
pk_elf_image *pk_debug_file_open(const pk_elf_image *image, const pk_debug_folders *folders,
                                 const char *section) PK_MUST_CHECK;

#endif

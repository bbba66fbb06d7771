/* The debug sections of an ELF file that tell of inlined functions, as an ELF image of their own in
 * memory, for libdw: it would unpack and read all of them at once, of which most (lines, places of
 * variables) are of no use here, and of .debug_info usually little is asked for. Compressed ones
 * (System V gABI, "Section Compression", zlib) are unpacked. Takes any bytes. Not thread-safe. */
#ifndef PK_PROFILE_DEBUG_VIEW_H
#define PK_PROFILE_DEBUG_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "profile/elf_image.h"

typedef struct pk_debug_view pk_debug_view;

/* The image must outlive it. NULL: give libdw the image itself. That is so where it knows more: for
 * files of another class or byte order than ours, relocatable ones, those that share information
 * with another file (.gnu_debugaltlink), sections that are packed in another way or damaged; and
 * where memory is short. */
pk_debug_view *pk_debug_view_open(const pk_elf_image *image) PK_MUST_CHECK;
void pk_debug_view_free(pk_debug_view *view);

/* libelf's handle, which the view keeps. All sections are there but .debug_info, which is zeros
 * from where pk_debug_view_reach has come to. */
struct Elf *pk_debug_view_elf(const pk_debug_view *view);
/* Makes .debug_info right up to this offset in it, or its end. False: the file is damaged, and the
 * rest stays zeros. */
bool pk_debug_view_reach(pk_debug_view *view, uint64_t offset) PK_MUST_CHECK;

#endif

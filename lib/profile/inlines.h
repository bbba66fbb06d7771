/* The functions that a compiler inlined at an address, from DWARF (versions 2 to 5, through libdw).
 * The units of a file are listed once, up to the one that has the address; the entries of a unit
 * are walked when the first address of it is asked for, all of them once, and their ranges searched
 * from then on. Not thread-safe. */
#ifndef PK_PROFILE_INLINES_H
#define PK_PROFILE_INLINES_H

#include <stddef.h>
#include <stdint.h>

#include "profile/debug_file.h"
#include "profile/elf_image.h"

typedef struct pk_inlines pk_inlines;

/* The debug information of the image or of its separate debug file; with none nothing is ever
 * inlined. Split units (.dwo) are not followed. The image must outlive it. NULL: out of memory. */
pk_inlines *pk_inlines_open(const pk_elf_image *image, const pk_debug_folders *folders,
                            pk_err *err) PK_MUST_CHECK;
void pk_inlines_free(pk_inlines *inlines);
/* Is there debug information of any code? */
bool pk_inlines_known(pk_inlines *inlines);

/* names[0..n) = what is inlined at vaddr (the file's own numbering), the outermost first; the
 * function into which names[0] was inlined is the symbol's (profile/symbols) and not among them.
 * Mangled where the debug information has it so; "" has no name. They live as long as *inlines.
 * Returns n; of more than `max` the innermost are left out. */
size_t pk_inlines_at(pk_inlines *inlines, uint64_t vaddr, const char *names[], size_t max);

#endif

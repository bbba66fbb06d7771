/* The entries of an x86-64 file's procedure linkage table, by what they jump to. */
#ifndef PK_PROFILE_PLT_H
#define PK_PROFILE_PLT_H

#include "profile/elf_image.h"

/* One entry: [begin, begin + bytes) jumps to `name`. False ends the walk. */
typedef bool pk_plt_visitor(void *context, uint64_t begin, uint64_t bytes, const char *name);

/* An entry jumps through a slot of the GOT ("jmp *slot(%rip)"), and the slot's relocation has the
 * function's name: this holds for .plt, .plt.sec and .plt.got and whatever order a linker gives
 * them. Nothing is visited on other machines. False if `each` returned false or out of memory. */
bool pk_plt_each(const pk_elf_image *image, pk_plt_visitor *each, void *context) PK_MUST_CHECK;

#endif

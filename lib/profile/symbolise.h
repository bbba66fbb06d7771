/* From an address to the names of its frames: the function, and what was inlined into it. Each
 * address of a file is resolved once. Not thread-safe. */
#ifndef PK_PROFILE_SYMBOLISE_H
#define PK_PROFILE_SYMBOLISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profile/address_space.h"
#include "profile/kallsyms.h"
#include "profile/modules.h"
#include "profile/names.h"
#include "profile/tidy.h"

typedef struct pk_frame {
    uint32_t name;   /* of *names */
    uint32_t module; /* UINT32_MAX: not in a module */
    bool unknown;    /* no symbol: the name is "[MODULE]" or "[unknown]" */
    bool inlined;
    bool kernel;
    bool skip_callers; /* it is one of skip_after */
} pk_frame;

typedef struct pk_symboliser pk_symboliser;

/* All must outlive it; kallsyms may be NULL (frames "[kernel]"), and options' texts too. NULL: out
 * of memory. */
pk_symboliser *pk_symboliser_new(const pk_symbolise_options *options, pk_names *names,
                                 const pk_spaces *spaces, pk_modules *modules,
                                 const pk_kallsyms *kallsyms);
void pk_symboliser_free(pk_symboliser *symboliser);

/* The frames at an address of a process (PK_PID_KERNEL: of the kernel), the outermost, which is the
 * function itself, first; at least one. They stay valid until the symboliser goes. NULL: out of
 * memory. java: tidy its names as those of a Java program. */
const pk_frame *pk_symbolise(pk_symboliser *symboliser, uint32_t pid, uint64_t address, bool java,
                             size_t *n) PK_MUST_CHECK;

#endif

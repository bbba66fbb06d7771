/* The kernel's functions, from /proc/kallsyms (proc(5)): lines "ADDRESS TYPE NAME", for modules
 * with "\t[MODULE]" behind. Takes any bytes; lines that are none are passed over. */
#ifndef PK_PROFILE_KALLSYMS_H
#define PK_PROFILE_KALLSYMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct pk_kallsyms pk_kallsyms;

typedef struct pk_kernel_symbol {
    uint64_t begin, end; /* as the text has them, without relocation */
    const char *name;
    const char *module; /* NULL: the kernel itself; also "bpf", "__builtin__ftrace" */
} pk_kernel_symbol;

/* Code only (types t T w W). A symbol ends where the next one begins; the last one of a module, and
 * of all, with the page after the one it begins in, since sizes are not told. Of several at one
 * address the one with fewer leading '_' is kept, then the global one. The text may go afterwards.
 * NULL: out of memory. */
pk_kallsyms *pk_kallsyms_parse(const char *text, size_t bytes, pk_err *err) PK_MUST_CHECK;
/* The same piece by piece, each of whole lines; what is found is only right once it is finished.
 * NULL, false: out of memory. */
pk_kallsyms *pk_kallsyms_new(void) PK_MUST_CHECK;
bool pk_kallsyms_add(pk_kallsyms *kallsyms, const char *text, size_t bytes) PK_MUST_CHECK;
void pk_kallsyms_finish(pk_kallsyms *kallsyms);
void pk_kallsyms_free(pk_kallsyms *kallsyms);

/* All addresses are zero, or there are none: kptr_restrict is set, or the reader has no CAP_SYSLOG.
 * Nothing is found then. */
bool pk_kallsyms_restricted(const pk_kallsyms *kallsyms);
size_t pk_kallsyms_count(const pk_kallsyms *kallsyms);

/* For a recording in which the kernel's _text lay at `recorded`: the offset of the kernel's map.
 * Another place than in this text is another boot of it, whose kernel is moved as a whole (KASLR):
 * from now on addresses are looked up moved back, and modules, which move each for itself, are not
 * found. False, and nothing is changed: no _text here, or no whole number of pages lies between, so
 * that it is another kernel. */
bool pk_kallsyms_relocate(pk_kallsyms *kallsyms, uint64_t recorded) PK_MUST_CHECK;

/* The symbol that covers an address of the recording; its texts live as long as *kallsyms. False:
 * none does. */
bool pk_kallsyms_find(const pk_kallsyms *kallsyms, uint64_t address,
                      pk_kernel_symbol *found) PK_MUST_CHECK;

#endif

/* Where the kernel lies in memory, from /proc/kallsyms (proc(5)). */
#ifndef PK_FLAME_KERNEL_TEXT_H
#define PK_FLAME_KERNEL_TEXT_H

#include <stdbool.h>
#include <stdint.h>

/* The address of _text (_stext where there is none) from `path`, of the form of /proc/kallsyms.
 * False: not readable, or addresses are hidden from us (kernel.kptr_restrict, or no CAP_SYSLOG).
 * Reads no further than it must, since all of it takes the kernel tens of milliseconds. */
bool pk_kernel_text_find(const char *path, uint64_t *address);

#endif

/* perfkit alloc, attached to running processes by BPF: probes in the kernel at the entries of the
 * functions that allocate. A program there follows the stack by tables made of the call frame
 * information of everything that is mapped, and counts calls and bytes by stack. Nothing is put
 * into the processes but the kernel's own breakpoints; these go with us, however we end. */
#ifndef PK_ALLOC_BPF_H
#define PK_ALLOC_BPF_H

#include "alloc/alloc.h"

/* Is it built in, and does this kernel let us? Tries it. False: err says what is missing, and what
 * helps. */
bool pk_alloc_bpf_usable(pk_err *err) PK_MUST_CHECK;

/* Counts in options->pids until all have ended, options->duration_ns is over or the interrupt
 * comes. Of options it takes pids, function, duration_ns, timeline_ns, debug_folders, attached and
 * context. The result is one that was begun (pk_alloc_begin), and the caller ends it
 * (pk_alloc_end); added to it are the processes with their stacks (calls and bytes alone: frees are
 * not followed), sizes, moments, notes, attached, interrupted, backend, duration_ns and
 * started_unix_ns. Processes that a counted one starts are not counted. False: nothing was counted;
 * the processes go on as before in any case. */
bool pk_alloc_bpf_run(const pk_alloc_options *options, const pk_interrupt *interrupt,
                      pk_alloc_result *result, pk_err *err) PK_MUST_CHECK;

#endif

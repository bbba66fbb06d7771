/* perfkit alloc, attached to running processes by BPF: probes in the kernel at the entries of the
 * functions that allocate. A program there follows the stack by tables made of the call frame
 * information of everything that is mapped, and counts calls and bytes by stack. Nothing is put
 * into the processes but the kernel's own breakpoints; these go with us, however we end. */
#ifndef PK_ALLOC_BPF_H
#define PK_ALLOC_BPF_H

#include "alloc/alloc.h"

/* Is it built in, and may we? False: err (PK_E_UNSUPPORTED) says what is missing, and what helps.
 */
bool pk_alloc_bpf_usable(pk_err *err) PK_MUST_CHECK;

/* Counts in options->pids until all have ended, options->duration_ns is over or the interrupt
 * comes. Of options it takes: pids, function, duration_ns, timeline_ns, and all that
 * pk_alloc_add_image takes. The result is one that was begun empty; added to it are an image per
 * process (pk_alloc_add_image; calls and bytes alone: frees are not followed), moments, notes,
 * attached, interrupted, backend, duration_ns and started_unix_ns. False: nothing was counted; the
 * processes are as before in any case. */
bool pk_alloc_bpf_run(const pk_alloc_options *options, const pk_interrupt *interrupt,
                      pk_alloc_result *result, pk_err *err) PK_MUST_CHECK;

#endif

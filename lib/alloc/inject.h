/* perfkit alloc, attached to running processes by injection: the hook (alloc/hook.h) is loaded into
 * each of them while it runs, and stands in for the allocator from then on. x86-64, glibc. */
#ifndef PK_ALLOC_INJECT_H
#define PK_ALLOC_INJECT_H

#include "alloc/alloc.h"

/* Counts in options->pids, and in what these fork, until all of them have ended,
 * options->duration_ns is over or the interrupt comes; then the hook is out of use in all of them.
 * A process of ours does the attaching and outlives us for that: a process is given back also when
 * we are killed. Of options it takes pids, counts_only, check, mappings, sample_bytes, duration_ns,
 * timeline_ns, folder, runtime_folders, attached and context. The result is one that was begun
 * (pk_alloc_begin), and the caller ends it (pk_alloc_end); added are the images, moments, attached,
 * interrupted, backend, duration_ns and started_unix_ns. False: nothing was counted, and the
 * processes are as they were. PK_E_UNSUPPORTED: the hook cannot be brought into this one, or not
 * now (it has called no allocator for two seconds); BPF may do. */
bool pk_alloc_inject_run(const pk_alloc_options *options, const pk_interrupt *interrupt,
                         pk_alloc_result *result, pk_err *err) PK_MUST_CHECK;

#endif

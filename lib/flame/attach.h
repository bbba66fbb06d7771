/* Processes that already run: their threads, names and maps, as the kernel's records would have
 * told of them. */
#ifndef PK_FLAME_ATTACH_H
#define PK_FLAME_ATTACH_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/array.h"
#include "flame/recorder.h"

/* Appends the threads of a process that are not yet among tids (pid_t, unsorted). False: there is
 * no such process. */
bool pk_attach_threads(pid_t pid, pk_array *tids, pk_err *err) PK_MUST_CHECK;

/* Gives the sink the names (COMM) and maps (MMAP2) of a process, as of time 0. A process that is
 * gone, or that may not be looked at, gives what could be seen. False: the sink said so. */
bool pk_attach_process(pid_t pid, const pk_perf_info *info, pk_record_sink *sink, void *context,
                       pk_err *err) PK_MUST_CHECK;
/* The same for all processes that there are. */
bool pk_attach_machine(const pk_perf_info *info, pk_record_sink *sink, void *context,
                       pk_err *err) PK_MUST_CHECK;
/* The kernel's map, as perf tells of it; nothing where addresses are hidden. */
bool pk_attach_kernel(const pk_perf_info *info, pk_record_sink *sink, void *context,
                      pk_err *err) PK_MUST_CHECK;

#endif

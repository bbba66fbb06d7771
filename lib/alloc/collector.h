/* Stacks as they were counted into a pk_alloc_result: named, equal ones summed, merged into the
 * tree. Who counts (images of the hook, the kernel) fills a result through this. */
#ifndef PK_ALLOC_COLLECTOR_H
#define PK_ALLOC_COLLECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alloc/alloc.h"
#include "alloc/image.h"

typedef struct pk_collector pk_collector;

/* What pk_alloc_begin makes; it fills *result, which must outlive it. NULL: out of memory. */
pk_collector *pk_collector_new(pk_alloc_result *result, const pk_alloc_options *options,
                               pk_err *err) PK_MUST_CHECK;
void pk_collector_free(pk_collector *collector);

/* A process more, to which what follows belongs; nothing is mapped in it yet. started_ns and
 * ended_ns are CLOCK_MONOTONIC until pk_alloc_end. Texts are copied. Returns it, to be filled
 * further until the next one; NULL: out of memory. */
pk_alloc_process *pk_collector_process(pk_collector *collector, const pk_alloc_process *process,
                                       pk_err *err) PK_MUST_CHECK;
/* Nothing is mapped in the present process from here on. */
bool pk_collector_unmap(pk_collector *collector, pk_err *err) PK_MUST_CHECK;
/* The text of its /proc/PID/maps, changed on the way; it takes the place of what it overlaps. */
bool pk_collector_maps(pk_collector *collector, char *text, size_t bytes,
                       pk_err *err) PK_MUST_CHECK;
/* The same text of a process that still runs, as soon as it is there: files are opened before they
 * are deleted or replaced, or the process ends that alone can reach them. */
bool pk_collector_meet(pk_collector *collector, uint32_t pid, char *text, size_t bytes,
                       pk_err *err) PK_MUST_CHECK;
/* Where the functions that are called lie, as `object` of their places; NULL: the allocator among
 * what is mapped. For the present process. */
void pk_collector_called(pk_collector *collector, const char *object);

/* A stack of the present process, whose addresses mean what is mapped now. Of *stack frames,
 * n_frames, flags, function and the sums are read, frames only during the call; n_frames at most
 * PK_IMAGE_FRAMES_MAX. */
bool pk_collector_stack(pk_collector *collector, const pk_alloc_stack *stack,
                        pk_err *err) PK_MUST_CHECK;
/* The maps as they are now are those to be shown. */
bool pk_collector_keep_maps(pk_collector *collector, pk_err *err) PK_MUST_CHECK;

/* How many of the processes have not ended; after pk_alloc_end. */
size_t pk_alloc_still_running(const pk_alloc_result *result);

/* A sentence for people, into result->notes; fix may be NULL. Without memory it is left out. */
void pk_alloc_note_add(pk_alloc_result *result, const char *fix, const char *fmt, ...)
    PK_PRINTF(3, 4);

/* Sums that stay at the greatest value. */
static inline void pk_alloc_sum(uint64_t *sum, uint64_t more) {
    if (__builtin_add_overflow(*sum, more, sum)) *sum = UINT64_MAX;
}

#endif

/* Calls and live bytes over time, read from the images while programs run; they are not stopped and
 * not asked. */
#ifndef PK_ALLOC_TIMELINE_H
#define PK_ALLOC_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "alloc/alloc.h"

typedef struct pk_timeline pk_timeline;

/* Watches the images of a folder, also those that are yet to be made. Moments go to the result,
 * with CLOCK_MONOTONIC for their time; new snapshots of mappings to its collector, so that files
 * which only the program can reach are opened in time. period_ns: between two moments; 0: 10 ms.
 * follow: programs without an image are noted at the end (alloc/untraced.h). NULL: out of memory or
 * descriptors. */
pk_timeline *pk_timeline_begin(pk_alloc_result *result, const char *folder, uint64_t period_ns,
                               bool follow, pk_err *err) PK_MUST_CHECK;
/* How long until the next moment is due. */
uint64_t pk_timeline_wait_ns(const pk_timeline *timeline, uint64_t now_ns);
/* Adds one if it is due. A long run has moments further apart: at most PK_TIMELINE_MOMENTS. */
void pk_timeline_tick(pk_timeline *timeline, uint64_t now_ns);
#define PK_TIMELINE_MOMENTS 4096u
/* The last moment; NULL is fine. */
void pk_timeline_end(pk_timeline *timeline, uint64_t now_ns);

#endif

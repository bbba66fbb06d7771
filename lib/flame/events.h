/* Events by the names that `perf list` gives them -> what perf_event_open(2) takes. */
#ifndef PK_FLAME_EVENTS_H
#define PK_FLAME_EVENTS_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

typedef struct pk_event {
    uint32_t type; /* PERF_TYPE_... */
    uint64_t config;
    bool exclude_user, exclude_kernel; /* ":u", ":k" */
    unsigned precise;                  /* ":p" to ":ppp": how many */
} pk_event;

/* "cycles", "page-faults:u", "L1-dcache-load-misses", "r01c4" (raw, hexadecimal), a tracepoint
 * "sched:sched_switch" with its number from `tracefs` (NULL: where it is usually mounted). Errors:
 * no such event, one that must be looked up in the folder of a PMU, several at once, a tracepoint
 * that may not be read. */
bool pk_event_parse(const char *text, const char *tracefs, pk_event *event,
                    pk_err *err) PK_MUST_CHECK;

#endif

/* Hardware counters (perf_event_open) of one thread or process, grouped so that all count over
 * the same time. Often missing in virtual machines: then `known` is false, never zero. */
#ifndef PK_TIMING_COUNTERS_H
#define PK_TIMING_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum pk_counter {
    PK_COUNTER_INSTRUCTIONS,
    PK_COUNTER_CYCLES,
    PK_COUNTER_BRANCH_MISSES,
    PK_COUNTER_CACHE_MISSES,
    PK_COUNTERS
} pk_counter;

typedef struct pk_counter_values {
    bool known[PK_COUNTERS];
    double value[PK_COUNTERS]; /* scaled by enabled/running time where the PMU multiplexed */
} pk_counter_values;

typedef struct pk_counters {
    int fd[PK_COUNTERS]; /* -1: missing */
} pk_counters;

/* The calling thread, counting from now; user and kernel where allowed, else user only. Never
 * fails: what is missing is marked. */
void pk_counters_open_thread(pk_counters *counters);
void pk_counters_read(const pk_counters *counters, pk_counter_values *values);
void pk_counters_close(pk_counters *counters);
/* into += from; a counter missing in either is missing in the sum. */
void pk_counter_values_add(pk_counter_values *into, const pk_counter_values *from);
const char *pk_counter_name(pk_counter counter); /* "instructions" */

#endif

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
    double value[PK_COUNTERS]; /* scaled by enabled/running time where the PMU multiplexed; NaN
                                  if not known */
    bool user_only;            /* the kernel's share is not in them */
} pk_counter_values;

typedef struct pk_counters {
    int fd[PK_COUNTERS]; /* -1: missing */
    bool user_only;
} pk_counters;

/* The calling thread, counting from now; user and kernel where allowed, else user only. Never
 * fails: what is missing is marked. Close from any thread. */
void pk_counters_open_thread(pk_counters *counters);
/* The program that the next child of the calling thread becomes, from its exec on, with all that it
 * starts: not the caller itself. Complete once the child was waited for; what it left behind adds
 * its share when it ends. Open anew for each child: when the kernel switches from parent to child
 * it may swap their events, and after the first child's end ours would count nothing more. */
void pk_counters_open_children(pk_counters *counters);
void pk_counters_read(const pk_counters *counters, pk_counter_values *values);
void pk_counters_close(pk_counters *counters);
/* What a counter would have shown had it counted all the time it was enabled: raw * enabled /
 * running (perf_event_open(2), PERF_FORMAT_TOTAL_TIME_*). NaN if it never ran. */
double pk_counter_scaled(uint64_t raw, uint64_t enabled_ns, uint64_t running_ns);
/* into += from; a counter missing in either is missing in the sum. */
void pk_counter_values_add(pk_counter_values *into, const pk_counter_values *from);
const char *pk_counter_name(pk_counter counter); /* "instructions" */

#endif

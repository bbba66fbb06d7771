/* Time: uint64_t nanoseconds from CLOCK_MONOTONIC. */
#ifndef PK_TIMING_CLOCK_H
#define PK_TIMING_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t pk_now_ns(void) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}
/* The date: nanoseconds since 1970, CLOCK_REALTIME. For records, never for durations. */
static inline uint64_t pk_unix_ns(void) {
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}
/* Sleeps until the given moment, going on after signals. */
void pk_sleep_until_ns(uint64_t when_ns);
/* Timer slack of the calling thread to 1 ns (prctl PR_SET_TIMERSLACK): the default 50 us shows up
 * as lateness in every paced wait. */
void pk_timer_slack_minimal(void);
typedef struct pk_clock_quality {
    double call_ns;   /* median cost of one pk_now_ns call */
    uint64_t step_ns; /* smallest difference seen between two readings that differ */
    char source[32];  /* "tsc", from sysfs; empty if unknown */
} pk_clock_quality;
/* Measures for about a millisecond. */
void pk_clock_measure(pk_clock_quality *quality);

#endif

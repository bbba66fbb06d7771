/* Of the worker: one unit of work, timed. */
#ifndef PK_BENCH_WORKER_UNIT_H
#define PK_BENCH_WORKER_UNIT_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/perfkit.h"

typedef struct pk_unit_clock {
    int schedstat; /* /proc/thread-self/schedstat of the thread that opened it; -1: there is none */
} pk_unit_clock;

typedef struct pk_unit {
    uint64_t start_ns; /* CLOCK_MONOTONIC */
    uint64_t wall_ns;
    uint64_t elapsed_ns; /* with what is not timed (inputs, beside a benchmark's own clock), but
                            without waiting for a CPU then */
    uint64_t wait_ns;    /* of the thread, ready to run without a CPU; 0 if unknown */
    uint64_t cpu_ns;     /* CLOCK_THREAD_CPUTIME_ID */
    uint64_t switches_voluntary, switches_involuntary, faults_minor, faults_major;
} pk_unit;

void pk_unit_clock_open(pk_unit_clock *clock);
void pk_unit_clock_close(pk_unit_clock *clock);
/* How long the thread waited so far, ready to run without a CPU; 0 if unknown. */
uint64_t pk_unit_wait_ns(const pk_unit_clock *clock);
/* CPU time of the calling thread so far. */
uint64_t pk_unit_cpu_ns(void);

/* Yields, so that a preemption that is due happens before and not within, then runs the body once
 * with `iterations`. Nested around it, from the outside: usage, CPU clock, run-queue wait, wall
 * clock. The wall clock is innermost so that what the other readings cost, or a preemption on their
 * way back, is not in it; a wait that falls between the two makes wait_ns a little too large. */
void pk_unit_run(const pk_unit_clock *clock, perfkit_body *body, perfkit_run *run,
                 uint64_t iterations, pk_unit *unit);
/* The same without yielding first. */
void pk_unit_part(const pk_unit_clock *clock, perfkit_body *body, perfkit_run *run,
                  uint64_t iterations, pk_unit *unit);

/* Wall less wait, not below 0: the time that the metric "oncpu" means. */
double pk_unit_oncpu_ns(const pk_unit *unit);

/* The median cost of one reading of the wall clock; takes about 50 us. */
double pk_unit_clock_cost_ns(void);

/* A chain of PK_REFERENCE_STEPS multiplications and additions per iteration, each of which waits
 * for the one before: 3 + 1 cycles per step on x86-64 and aarch64 of today, whatever the caches do.
 * Its time tells the clock rate of the core. */
#define PK_REFERENCE_STEPS 4
void pk_unit_reference(perfkit_run *run);
/* Only the loop that every body has around its work. */
void pk_unit_empty_loop(perfkit_run *run);

#endif

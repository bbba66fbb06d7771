/* Of the worker: the work that a unit times, in each of the ways a benchmark can be written. */
#ifndef PK_BENCH_WORKER_WORK_H
#define PK_BENCH_WORKER_WORK_H

#include "base/error.h"
#include "bench/worker_unit.h"

typedef struct pk_crew pk_crew;

typedef struct pk_work {
    perfkit_body *body;
    perfkit_run *run;             /* counters are set by each unit */
    const perfkit_benchmark *how; /* NULL: the body alone */
    pk_crew *crew;                /* its threads; NULL: none */
} pk_work;

#define PK_WORK_INPUTS_MAX 65536 /* of a batched benchmark, at a time */

/* The work of an item that makes sense, behind its set-up; both must outlive it. Close it in any
 * case. False: no memory, no threads. */
bool pk_work_open(pk_work *work, const perfkit_benchmark *benchmark, perfkit_run *run,
                  pk_err *err) PK_MUST_CHECK;
void pk_work_close(pk_work *work);

/* Is the time that of one call of the body in this thread? */
bool pk_work_is_plain(const pk_work *work);
/* Does only the wall clock make sense: threads, or a clock of its own? */
bool pk_work_is_wall(const pk_work *work);

/* Runs one unit (pk_unit_run). Batched: once per batch, and the unit is the sum. Self-timed:
 * wall_ns is what it said. With threads: from the common start to the end of the last, CPU time and
 * counters of all. */
void pk_work_unit(const pk_unit_clock *clock, const pk_work *work, uint64_t iterations,
                  pk_unit *unit);

/* Inputs per batch of a unit of so many iterations, from 1. */
uint64_t pk_work_batch(const perfkit_benchmark *benchmark, uint64_t iterations);

#endif

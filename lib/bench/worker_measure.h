/* Of the worker: measures one benchmark, on one side or on two in turn. The method and what it was
 * compared with: docs/methods.md. */
#ifndef PK_BENCH_WORKER_MEASURE_H
#define PK_BENCH_WORKER_MEASURE_H

#include "bench/worker_target.h"
#include "bench/worker_unit.h"

/* A side of the measurement; target NULL: there is none. */
typedef struct pk_measure_sides {
    pk_target *target[PK_SIDES];
} pk_measure_sides;

/* Fills kind and why, or worker. False: a refusal, with the reason in err. PK_REPLY_TOO_SLOW and
 * its `why` (a constant) are no failure here. Calibrates, warms up, then runs units in the order
 * A R B R, B R A R (one side: A R) until worker_ns have passed and there are enough of them. */
bool pk_measure(const pk_worker_job *job, const pk_measure_sides *sides, pk_worker_reply *reply,
                pk_err *err) PK_MUST_CHECK;

/* --profile-time: runs the body for at least `ns`, in calls of about 10 ms. */
void pk_measure_exercise(const pk_unit_clock *clock, pk_target *target, uint64_t ns);

/* ---- its parts ---- */

/* How many iterations make a unit of unit_ns: doubles until half of that, takes the best of three,
 * then scales; 1 for work longer than a unit. With inputs, or a clock of its own: fewer, where the
 * unit would take more than elapsed_most_ns with them. Fails when the time does not grow. */
bool pk_calibrate(const pk_unit_clock *clock, const pk_work *work, uint64_t unit_ns,
                  uint64_t elapsed_most_ns, uint64_t *iterations, pk_err *err) PK_MUST_CHECK;

/* Twice the iterations must take 1.9 to 2.1 times as long (after some attempts 1.5 to 3: caches
 * and neighbours), and one iteration no less than 0.03 ns: otherwise the compiler has removed the
 * work, or the body does not loop. Noise only makes it try again; needs iterations >= 2. */
bool pk_check_scaling(const pk_unit_clock *clock, const pk_work *work, uint64_t iterations,
                      pk_err *err) PK_MUST_CHECK;

/* What n > 0 units of `iterations` each say in this metric; sets all of *side. scratch[n] is
 * written. The minimum is over units that never waited for a CPU, if these are most: of the others,
 * a wait that fell just outside the wall clock's window makes "oncpu" too small. */
void pk_measure_side(const pk_unit units[], size_t n, uint64_t iterations, pk_bench_metric metric,
                     double scratch[], pk_bench_side *side);

/* The metric in force: oncpu needs the run-queue wait; without it CPU time serves if the work never
 * slept, else wall. */
pk_bench_metric pk_measure_metric(pk_bench_metric asked, bool wait_known, bool slept);

#endif

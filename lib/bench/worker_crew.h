/* Of the worker: threads that start together. They wait between two units, so that starting them is
 * in no unit. */
#ifndef PK_BENCH_WORKER_CREW_H
#define PK_BENCH_WORKER_CREW_H

#include "bench/worker_work.h"

/* Starts `threads` of them. NULL: err says why. */
pk_crew *pk_crew_new(uint32_t threads, pk_err *err) PK_MUST_CHECK;
void pk_crew_free(pk_crew *crew);

/* Each thread runs the body with a copy of *run. They meet, the last to come reads the clock and
 * lets all go; a thread waits for that without sleeping, since waking it would take as long as a
 * short unit. *unit is from there to the end of the last. Counters are added to run's. */
void pk_crew_unit(pk_crew *crew, perfkit_body *body, perfkit_run *run, pk_unit *unit);

#endif

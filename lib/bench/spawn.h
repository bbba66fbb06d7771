/* One worker process: started, given its job, watched, and what became of it. Only one runs at a
 * time, since two would disturb each other. */
#ifndef PK_BENCH_SPAWN_H
#define PK_BENCH_SPAWN_H

#include "base/arena.h"
#include "base/interrupt.h"
#include "bench/worker.h"

typedef struct pk_spawn_place {
    const char *program;  /* the worker's path */
    uint64_t timeout_ns;  /* on top of what the job should take */
    uint64_t deadline_ns; /* of the whole run, on pk_now_ns' clock; UINT64_MAX: none */
    pk_interrupt *intr;   /* may be NULL */
    pk_arena *arena;      /* of replies */
} pk_spawn_place;

typedef struct pk_worker_outcome {
    bool stopped; /* by an interrupt or at the deadline; nothing else is set then */
    bool failed;  /* failure says how; else reply is complete */
    pk_worker_reply reply;
    pk_bench_failure failure;
    uint64_t duration_ns; /* from its start to its end */
} pk_worker_outcome;

/* Runs the job to its end. padding_bytes are put in front of the worker's environment: they move
 * its stack, and with it addresses that would otherwise be the same in every worker. The worker
 * and the children it left are gone when this returns. False: it could not even be started; not
 * the benchmark's doing. */
bool pk_worker_spawn(const pk_spawn_place *place, const pk_worker_job *job, size_t padding_bytes,
                     pk_worker_outcome *outcome, pk_err *err) PK_MUST_CHECK;

/* The end of a worker, as it was seen. */
typedef struct pk_worker_end {
    int code, signal;     /* as in pk_exit */
    uint64_t duration_ns; /* from its start */
    bool timed_out;
    uint64_t timeout_ns; /* what it had beyond its time */
    const char *reply;   /* reply_bytes; more than PK_WORKER_TEXT_MAX: it never ended */
    size_t reply_bytes;
    const char *output; /* output_bytes: the end of what it printed */
    size_t output_bytes;
} pk_worker_end;
/* Fills outcome->failed and reply or failure. Pure. */
void pk_worker_judge(const pk_worker_job *job, const pk_worker_end *end, pk_arena *arena,
                     pk_worker_outcome *outcome);

#endif

/* The worker: a small program of its own (lib/bench/worker_main.c, embedded, so that a process
 * starts in well under a millisecond), which opens one or two objects, measures one benchmark and
 * prints its result. Job on standard input, result on descriptor 3; what the benchmark prints on
 * stdout and stderr is kept apart. Lines of text, "key value...", see docs/formats.md. */
#ifndef PK_BENCH_WORKER_H
#define PK_BENCH_WORKER_H

#include "bench/bench.h"

typedef enum pk_worker_task {
    PK_TASK_MEASURE,
    PK_TASK_LIST, /* what does the object offer? */
    PK_TASK_ONCE, /* --test */
    PK_TASK_FOR,  /* --profile-time: run for worker_ns, without measuring */
} pk_worker_task;

typedef struct pk_worker_job {
    pk_worker_task task;
    const char *objects[PK_SIDES]; /* paths; NULL: no such side */
    uint32_t index[PK_SIDES];      /* of the benchmark in the object's table */
    const char *param;             /* NULL: none */
    bool old_first;
    pk_bench_metric metric;
    uint64_t worker_ns, warm_ns, unit_ns; /* measuring, warming up, one unit */
    bool parts;                           /* also latency, throughput, loop (of very short work) */
    uint64_t seed;
} pk_worker_job;

/* One benchmark of an object's table. */
typedef struct pk_worker_offer {
    const char *group, *function, *params; /* may be NULL: function, params */
    int64_t param_min, param_max;
    bool has_bounds, has_latency, has_throughput;
    pk_bench_throughput throughput; /* for `units_param`, else per_iteration is asked later */
    uint64_t sample_size;
    double measurement_time_s, warm_up_time_s, noise_threshold, confidence_level;
} pk_worker_offer;

#endif

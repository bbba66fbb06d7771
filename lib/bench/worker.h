/* The worker: a small program of its own (lib/bench/worker_main.c, embedded, so that a process
 * starts in well under a millisecond), which opens one or two objects, measures one benchmark and
 * says its result. The job comes on standard input, which is read to its end; the reply goes to
 * PK_WORKER_REPLY_FD; what the benchmark prints on stdout and stderr is kept apart. Lines of text,
 * see bench/protocol.h and docs/formats.md.
 *
 * A worker that could do what it was asked, or refuses it with a reason, exits 0 and its reply is
 * complete. Whatever else happens (a signal, another exit code, no or half a reply) is the
 * benchmark's doing. How long a measuring worker takes: start and set-up of both sides, then
 * warm_ns + worker_ns; of functions longer than a unit, the time for
 * 2 calls per side, and with two sides for 4, but not more than 256 times worker_ns before it says
 * PK_REPLY_TOO_SLOW. */
#ifndef PK_BENCH_WORKER_H
#define PK_BENCH_WORKER_H

#include "bench/bench.h"

#define PK_WORKER_REPLY_FD 3
#define PK_WORKER_OFFERS_MAX 4096 /* benchmarks of one object */

typedef enum pk_worker_task {
    PK_TASK_MEASURE,
    PK_TASK_LIST, /* what does the object offer? */
    PK_TASK_ONCE, /* --test */
    PK_TASK_FOR,  /* --profile-time: run for worker_ns, without measuring */
    PK_WORKER_TASKS
} pk_worker_task;

typedef struct pk_driver pk_driver; /* bench/driver.h */

typedef struct pk_worker_job {
    pk_worker_task task;
    const char *objects[PK_SIDES]; /* paths; NULL: no such side */
    uint32_t index[PK_SIDES];      /* of the benchmark in the object's table */
    const char *param;             /* NULL: none */
    bool old_first;
    pk_bench_metric metric;
    uint64_t worker_ns, warm_ns, unit_ns; /* measuring, warming up, one unit */
    bool parts; /* also latency, throughput, loop, where the object brings bodies for them or the
                   work takes less than 5 cycles */
    /* For the parent, no part of the text. */
    const pk_driver *driver;      /* does the job, which has one side; NULL: the embedded worker */
    const char *group, *function; /* of a driver's benchmark; may be NULL */
} pk_worker_job;

/* One benchmark of an object's table, in the table's order. */
typedef struct pk_worker_offer {
    const char *group, *function, *params; /* may be NULL: function, params */
    int64_t param_min, param_max;
    const char *bounds_reason; /* "fib(94) does not fit in 64 bits"; NULL: none given */
    bool has_bounds, has_latency, has_throughput;
    pk_bench_throughput throughput; /* per_iteration 0: depends on the parameter, and every other
                                       reply tells it */
    uint64_t sample_size;           /* these: 0 where the object leaves it to us */
    double measurement_time_s, warm_up_time_s, noise_threshold, confidence_level;
    uint64_t start_ns; /* what the start of a driver took; 0: not one. No part of the text */
} pk_worker_offer;

typedef enum pk_reply_kind {
    PK_REPLY_DONE,
    PK_REPLY_REFUSED, /* cannot or should not be measured; `why` says what to do */
    PK_REPLY_TOO_SLOW /* to interleave: give each side workers of its own */
} pk_reply_kind;

typedef struct pk_worker_reply {
    pk_reply_kind kind;
    const char *why; /* of the two refusals: one line, never empty; else NULL */
    /* Done. The task decides which of these is set, the rest is zero. */
    pk_bench_worker worker;         /* MEASURE; layout is the parent's, -1 here */
    pk_bench_throughput throughput; /* MEASURE, ONCE, FOR: of the new side, for the job's param */
    const char *method, *counters;  /* the same; NULL: none. As in pk_bench_result */
    pk_worker_offer *offers;        /* LIST: n_offers */
    size_t n_offers;
    const char *program; /* LIST, of a driver: pk_driver_reply's. No part of the text */
} pk_worker_reply;

#endif

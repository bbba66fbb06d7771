/* One load thread: its engine, its share of the connections and of the schedule, its tally.
 *
 * A slot (a connection's worth of one request at a time) is in one of four places:
 *   cold    idle, not known to have a live connection
 *   warm    idle after an answer: its connection is probably still there
 *   active  a request is in flight
 *   waiting backing off after a failed connection (1 ms, doubling to 100 ms)
 * Transitions: cold/warm -> active (send), active -> warm (answer), active -> cold (timeout),
 * active -> waiting (other error), waiting -> cold (its time is over). */
#ifndef PK_LOAD_WORKER_H
#define PK_LOAD_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"
#include "load/engine.h"
#include "load/plan.h"
#include "load/schedule.h"
#include "load/tally.h"
#include "timing/counters.h"
#include "timing/cpu.h"

/* All workers set up, then start at the same moment. */
typedef struct pk_gate {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    unsigned n_ready;
    enum { PK_GATE_SHUT, PK_GATE_OPEN, PK_GATE_CANCELLED } state;
    uint64_t start_ns; /* valid when open */
} pk_gate;

typedef struct pk_worker_config {
    const pk_plan *plan;
    const pk_engine_ops *ops;
    uint32_t n_slots;
    uint64_t first_slot;
    pk_schedule schedule;
    uint64_t duration_ns; /* 0: until the schedule is empty */
    bool wait_ongoing;
    int wake_fd;             /* readable when *stop is set */
    const _Atomic int *stop; /* 0, or a signal: end now */
    int done_fd;             /* eventfd: +1 when this worker has ended */
    pk_gate *gate;
} pk_worker_config;

typedef struct pk_worker pk_worker;

/* NULL and *err on failure; the thread waits at the gate. */
pk_worker *pk_worker_start(const pk_worker_config *config, pk_err *err) PK_MUST_CHECK;

typedef struct pk_worker_report {
    pk_tally *tally;        /* the caller's to free */
    uint64_t window_end_ns; /* deadline, signal, or last answer */
    uint64_t drain_end_ns;  /* = window_end_ns without a drain */
    pk_cpu_usage cpu;       /* inside the window */
    uint64_t spun_ns;       /* of that: looking at the clock until a request was due */
    uint64_t paused_ns;     /* inside the window, off the CPU: letting answers gather (gather.h) */
    bool cpu_wait_known;
    uint64_t cpu_wait_ns; /* inside the window: ready to run, but no CPU was free */
    pk_counter_values counters;
    pk_engine_totals totals;
} pk_worker_report;

/* Joins and frees. False when it could not set up its engine. */
bool pk_worker_finish(pk_worker *worker, pk_worker_report *report, pk_err *err) PK_MUST_CHECK;
/* For the progress line; any thread, until finish. */
const pk_tally *pk_worker_tally(const pk_worker *worker);

#endif

/* How many workers, how long each, in which order: decided before and between workers. Pure.
 * The length of a worker is not adapted to what the first ones show (Kalibera & Jones 2013 give the
 * best length from the variances within and between processes): the figures of workers of different
 * length are no one sample. */
#ifndef PK_BENCH_PLAN_H
#define PK_BENCH_PLAN_H

#include "bench/worker.h"

#define PK_PLAN_UNIT_NS 100000u          /* long against the timer, short against a preemption */
#define PK_PLAN_UNIT_TIMER_READS 1000    /* a unit lasts at least so many clock readings */
#define PK_PLAN_WORKER_NS_MIN 5000000u   /* many short workers beat few long ones ... */
#define PK_PLAN_WORKER_NS_MAX 100000000u /* ... but each has to start and to warm up */
#define PK_PLAN_START_NS 3000000u        /* what starting a worker takes, in the time budget */
#define PK_PLAN_LOOK_EVERY 10            /* workers between two looks at the width */
#define PK_PLAN_QUICK_WORKERS 30
#define PK_PLAN_QUICK_WORKER_NS 10000000u
#define PK_PLAN_HOPELESS 3 /* a benchmark whose first workers all fail is given up */
#define PK_PLAN_FAILED_RATIO_MAX 0.02
#define PK_PLAN_PADDING_STEPS 250 /* of 16 bytes */

/* How the two sides of a comparison are dealt to workers. */
typedef enum pk_plan_sides {
    PK_PLAN_SINGLE, /* nothing compared, or with stored numbers */
    PK_PLAN_INTERLEAVED /* both in each worker; which goes first alternates */,
    PK_PLAN_ISOLATED /* one in each worker: old new new old, new old old new, ... */
} pk_plan_sides;

typedef struct pk_plan {
    pk_plan_sides sides;
    unsigned layouts; /* worker i uses layout i mod layouts; 0: code as it is */
    uint64_t worker_ns, warm_ns, unit_ns;
    /* Workers come in groups in which everything that alternates is balanced; least, planned and
     * most are multiples of it. */
    uint64_t group;
    uint64_t least, planned, most; /* workers, those of sessions continued included */
    uint64_t budget_ns;            /* for the workers of this run, beyond least */
    double noise_threshold, confidence_level;
} pk_plan;

/* The command line wins over the offer (the benchmark's settings in code), that over the defaults.
 * former: workers of sessions continued; timer_cost_ns: of one clock reading, NaN if unknown. */
pk_plan pk_plan_of(const pk_bench_options *options, const pk_worker_offer *offer,
                   pk_plan_sides sides, unsigned layouts, uint64_t former, double timer_cost_ns);
/* The same plan with each side in workers of its own, from the start. */
void pk_plan_isolate(pk_plan *plan);

/* What worker number i (from 0) of a benchmark does. */
typedef struct pk_plan_turn {
    bool has[PK_SIDES];
    bool old_first;
    int layout; /* -1: none */
} pk_plan_turn;
pk_plan_turn pk_plan_turn_of(const pk_plan *plan, uint64_t i);

/* Where a benchmark stands between two workers. */
typedef struct pk_plan_state {
    uint64_t workers, former; /* good ones, `former` of them from sessions continued */
    uint64_t failures;        /* refusals not counted */
    uint64_t refusals;
    uint64_t spent_ns; /* by the workers of this run */
} pk_plan_state;
typedef enum pk_plan_step {
    PK_STEP_WORKER, /* one more */
    PK_STEP_LOOK,   /* one more, unless the interval is narrow enough */
    PK_STEP_ENOUGH, /* the budget is used up */
    PK_STEP_FAILED  /* too many failures */
} pk_plan_step;
pk_plan_step pk_plan_next(const pk_plan *plan, const pk_plan_state *state);
/* More than 2 % of its workers failed. A refusal rests on measured times: on a busy machine single
 * workers refuse honest work, so only more refusals than workers count. former ones do not. */
bool pk_plan_failed(const pk_plan_state *state);

#endif

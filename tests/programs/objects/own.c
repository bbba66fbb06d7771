/* Benchmarks with known answers, in each of the ways to be measured. What is wrong aborts. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "perfkit.h"

#define REQUIRE(condition)                                                          \
    do {                                                                            \
        if (!(condition)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                \
        }                                                                           \
    } while (0)

static void some_work(uint64_t steps) {
    uint64_t x = 1;
    for (uint64_t i = 0; i < steps; i++) {
        x = x * 6364136223846793005u + 1;
        perfkit_hide(x);
    }
    perfkit_keep(x);
}

/* ---- batched: each input is used once, by the body, and dropped once ---- */

typedef struct input {
    int used;
} input;

static uint64_t n_made, n_dropped, most_alive;

static void *make(const perfkit_run *run) {
    input *made = calloc(1, sizeof *made);
    REQUIRE(made && run->data == &n_made);
    n_made++;
    if (n_made - n_dropped > most_alive) most_alive = n_made - n_dropped;
    return made;
}

static void *make_slowly(const perfkit_run *run) {
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    return make(run);
}

static void drop(const perfkit_run *run, void *of) {
    input *used = of;
    REQUIRE(used->used == 1 && run->data == &n_made);
    free(used);
    n_dropped++;
}

static void use(perfkit_run *run) {
    for (uint64_t i = 0; i < run->iterations; i++) {
        input *fresh = run->inputs[i];
        REQUIRE(fresh->used++ == 0);
        some_work(200);
    }
    run->counters[0] += (double)run->iterations;
}

static void *begin(int64_t param, const char *text) {
    (void)param, (void)text;
    return &n_made;
}

static void all_dropped(void *data) {
    REQUIRE(data == &n_made && n_made == n_dropped && n_made > 0);
}
static void one_at_a_time(void *data) {
    all_dropped(data);
    REQUIRE(most_alive == 1);
}
static void seven_at_a_time(void *data) {
    all_dropped(data);
    REQUIRE(most_alive == 7 || n_made < 7); /* --test makes one */
}

/* ---- a clock of its own ---- */

static uint64_t says_1000(perfkit_run *run) {
    run->counters[0] += 3 * (double)run->iterations;
    run->counters[1] += 0.5 * (double)run->iterations;
    return 1000 * run->iterations;
}

static uint64_t says_nothing(perfkit_run *run) {
    (void)run;
    return 0;
}

/* ---- threads ---- */

enum { THREADS = 4, ADDED = 5 };
static pthread_barrier_t barrier;

static void *init_barrier(int64_t param, const char *text) {
    (void)param, (void)text;
    REQUIRE(pthread_barrier_init(&barrier, NULL, THREADS) == 0);
    return &barrier;
}

/* Comes to an end only if all are there at the same time. */
static void together(perfkit_run *run) {
    REQUIRE(run->threads == THREADS && run->thread < THREADS && run->data == &barrier);
    for (uint64_t i = 0; i < run->iterations; i++) {
        pthread_barrier_wait(&barrier);
        run->counters[0] += ADDED;
        run->counters[1] += run->thread;
    }
}

static void by_param(perfkit_run *run) {
    REQUIRE((int64_t)run->threads == run->param);
    for (uint64_t i = 0; i < run->iterations; i++) some_work(200);
}

static void counted(perfkit_run *run) {
    for (uint64_t i = 0; i < run->iterations; i++) {
        some_work(100);
        run->counters[0] += 3;
    }
}

static void counted_down(perfkit_run *run) {
    counted(run);
    run->counters[0] = -1;
}

#define BATCHED                                                                   \
    .group = "batched", .body = use, .input = make, .drop = drop, .setup = begin, \
    .teardown = all_dropped, .counters = "used"

PERFKIT_BENCHMARKS(
    {BATCHED, .function = "small"}, {BATCHED, .function = "large", .batch = PERFKIT_LARGE_INPUT},
    {.group = "batched",
     .function = "single",
     .body = use,
     .input = make,
     .drop = drop,
     .setup = begin,
     .teardown = one_at_a_time,
     .batch = PERFKIT_PER_ITERATION},
    {BATCHED, .function = "two", .batch = PERFKIT_NUM_BATCHES, .batch_count = 2},
    {.group = "batched",
     .function = "sevens",
     .body = use,
     .input = make,
     .drop = drop,
     .setup = begin,
     .teardown = seven_at_a_time,
     .batch = PERFKIT_NUM_ITERATIONS,
     .batch_count = 7},
    {.group = "batched",
     .function = "slow-input",
     .body = use,
     .input = make_slowly,
     .drop = drop,
     .setup = begin,
     .teardown = all_dropped},
    {.group = "own", .function = "microsecond", .timed = says_1000, .counters = "threes,halves"},
    {.group = "own", .function = "liar", .timed = says_nothing},
    {.group = "threads",
     .function = "together",
     .body = together,
     .threads = THREADS,
     .setup = init_barrier,
     .unit = PERFKIT_ELEMENTS,
     .counters = "added,numbers"},
    {.group = "threads",
     .function = "some",
     .body = by_param,
     .threads = PERFKIT_THREADS_PARAM,
     .params = "1,2"},
    {.group = "counted", .function = "three", .body = counted, .counters = "threes"},
    {.group = "counted", .function = "below", .body = counted_down, .counters = "wrong"});

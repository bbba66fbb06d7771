/* perfkit.h: how a shared object offers benchmarks to `perfkit bench FILE.so`, or a source to
 * `perfkit bench FILE.c`. Header only; needs nothing but this file and gcc or clang, C99 or C++11.
 *
 *     #include "perfkit.h"
 *     static void body(perfkit_run *run) {
 *         for (uint64_t i = 0; i < run->iterations; i++) {
 *             int64_t n = run->param;
 *             perfkit_hide(n);                  // the compiler must not know the input
 *             perfkit_keep(fibonacci(n));       // nor throw the result away
 *         }
 *     }
 *     PERFKIT_BENCHMARKS({.group = "fib", .function = "recursive", .body = body, .params = "20"});
 *
 * perfkit opens the object in short-lived worker processes, and calls `body` again and again with
 * as many iterations as fill about 0.1 ms. `perfkit bench --init` writes an example of all that a
 * benchmark can have. */
#ifndef PERFKIT_H
#define PERFKIT_H

#include <stddef.h>
#include <stdint.h>

#define PERFKIT_ABI 2 /* objects of 1 still run */

/* Hides the value of an lvalue from the optimiser: what is computed from it is computed at run
 * time. */
#define perfkit_hide(lvalue) __asm__ volatile("" : "+r"(lvalue))
/* Uses a scalar result, so that computing it is not dead code. */
#define perfkit_keep(value)                                     \
    do {                                                        \
        __typeof__(value) perfkit_kept_ = (value);              \
        __asm__ volatile("" : : "r"(perfkit_kept_) : "memory"); \
    } while (0)
/* All memory may have been read and written. */
#define perfkit_clobber() __asm__ volatile("" : : : "memory")

#define PERFKIT_COUNTERS_MAX 8

typedef struct perfkit_run {
    uint64_t iterations; /* the work is to be done so many times */
    int64_t param;       /* the parameter as an integer; 0 without one */
    const char *param_text;
    void *data; /* what setup returned */
    /* since 2 */
    void **inputs; /* of a batched benchmark: `iterations` of them, each to be used once */
    uint32_t thread, threads;              /* which of how many runs this; 0 of 1 without threads */
    double counters[PERFKIT_COUNTERS_MAX]; /* add to them what the iterations have counted */
} perfkit_run;

typedef void perfkit_body(perfkit_run *run);

typedef enum perfkit_unit { /* what one iteration processes, for throughput */
                            PERFKIT_NOTHING,
                            PERFKIT_BYTES,
                            PERFKIT_ELEMENTS
} perfkit_unit;

/* How many inputs of a batched benchmark exist at a time, of the n iterations of a unit of 0.1 ms.
 * More of them cost more memory and cache; fewer, more readings of the clock. */
typedef enum perfkit_batch {
    PERFKIT_SMALL_INPUT,   /* a tenth of n */
    PERFKIT_LARGE_INPUT,   /* a thousandth */
    PERFKIT_PER_ITERATION, /* one */
    PERFKIT_NUM_BATCHES,   /* n / batch_count */
    PERFKIT_NUM_ITERATIONS /* batch_count */
} perfkit_batch;

#define PERFKIT_THREADS_PARAM 0xffffffffu /* .threads: as many as the parameter says */

typedef struct perfkit_benchmark {
    const char *group, *function; /* the id is group/function[/param]; function may be NULL */
    perfkit_body *body;
    /* For work of less than about 5 cycles, one number says little (how much of it hides behind
     * the loop?), so such a benchmark brings further bodies: `throughput` does the work
     * `throughput_lanes` times per iteration, independently of each other; in `latency` each
     * iteration needs the result of the one before. Both may be NULL. */
    perfkit_body *throughput;
    uint32_t throughput_lanes;
    perfkit_body *latency;
    const char *params;           /* "20", "10,20,30", "sorted,random"; NULL: no parameter */
    int64_t param_min, param_max; /* of integer parameters; both 0: no bounds */
    const char *bounds_reason;    /* "fib(94) does not fit in 64 bits"; shown with a refused one */
    void *(*setup)(int64_t param, const char *param_text); /* before timing; NULL is fine */
    void (*teardown)(void *data);
    perfkit_unit unit;
    uint64_t (*units)(int64_t param); /* per iteration; NULL with unit set: 1 */
    /* Settings; 0: perfkit's. The command line wins over them. */
    uint64_t sample_size; /* least number of workers */
    double measurement_time_s, warm_up_time_s;
    double noise_threshold, confidence_level; /* 0.01, 0.95 */
    /* since 2 */
    /* Batched, for work that uses up what it works on: `input` makes one, and the body finds
     * run->iterations of them in run->inputs; `drop` ends one (NULL: nothing to do). Neither is
     * timed. At most 65536 exist at a time. */
    void *(*input)(const perfkit_run *run);
    void (*drop)(const perfkit_run *run, void *input);
    perfkit_batch batch;
    uint64_t batch_count;
    /* Self-timed, in place of a body: does the work run->iterations times and returns the ns that
     * it took, by whatever clock. */
    uint64_t (*timed)(perfkit_run *run);
    /* The body runs in so many threads at once, in each with all iterations. The time is from their
     * common start to the end of the last: wall time. Throughput and counters are those of all. */
    uint32_t threads;
    const char *counters; /* names of run->counters, "swaps,compares"; shown per iteration */
} perfkit_benchmark;

typedef struct perfkit_table {
    uint32_t abi; /* PERFKIT_ABI */
    uint32_t count;
    const perfkit_benchmark *items; /* count of them, each `item_bytes` long */
    uint32_t item_bytes;
} perfkit_table;

/* Defines the one symbol that perfkit looks for: const perfkit_table perfkit_benchmarks. Once per
 * object, outside of any namespace. */
#ifdef __cplusplus
#define PERFKIT_EXTERN extern "C"
#else
#define PERFKIT_EXTERN extern
#endif
#define PERFKIT_BENCHMARKS(...)                                                                   \
    static const perfkit_benchmark perfkit_items_[] = {__VA_ARGS__};                              \
    PERFKIT_EXTERN __attribute__((visibility("default"))) const perfkit_table perfkit_benchmarks; \
    const perfkit_table perfkit_benchmarks = {PERFKIT_ABI,                                        \
                                              sizeof perfkit_items_ / sizeof perfkit_items_[0],   \
                                              perfkit_items_, sizeof perfkit_items_[0]}

#endif

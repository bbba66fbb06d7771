/* Benchmarks for perfkit, each in another way to be measured. Compile and run them in one step:
 *
 *     perfkit bench bench_example.c
 *
 * Change something and run that again: it says what became faster or slower. More of your own:
 *
 *     perfkit bench bench_example.c mine.c --cflags '-O3 -Iinclude -lm'
 *     perfkit bench --list bench_example.c
 *     perfkit bench --quick bench_example.c sum       only what has "sum" in its name
 *
 * perfkit finds perfkit.h by itself; it says what each field below means. */
#include "perfkit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- a plain body, with a parameter, set-up and throughput ---- */

/* What is to be measured. It could as well be in another file, or in a library. */
static uint32_t sum_of(const unsigned char *bytes, size_t n) {
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++) sum = sum * 31 + bytes[i];
    return sum;
}

/* Once before all measuring; the result is run->data. */
static void *make_bytes(int64_t n, const char *text) {
    (void)text;
    void *bytes = malloc((size_t)n);
    if (!bytes) abort(); /* perfkit reports it, and goes on with the others */
    return memset(bytes, 7, (size_t)n);
}

/* Does the work run->iterations times. */
static void sum(perfkit_run *run) {
    for (uint64_t i = 0; i < run->iterations; i++) {
        const unsigned char *bytes = (const unsigned char *)run->data;
        perfkit_hide(bytes);                             /* the compiler must not know the input, */
        perfkit_keep(sum_of(bytes, (size_t)run->param)); /* nor throw the result away */
    }
}

/* What one iteration processes; perfkit prints bytes per second as well. */
static uint64_t bytes_of(int64_t n) {
    return (uint64_t)n;
}

/* ---- batched: each iteration uses up an input of its own; and a counter ---- */

enum { NUMBERS = 100 };

static uint64_t sort(int numbers[], size_t n) {
    uint64_t moves = 0;
    for (size_t i = 1; i < n; i++) {
        int number = numbers[i];
        size_t k = i;
        for (; k > 0 && numbers[k - 1] > number; k--, moves++) numbers[k] = numbers[k - 1];
        numbers[k] = number;
    }
    return moves;
}

/* Sorted numbers cannot be sorted again, so each iteration gets new ones. Making them is not in the
 * time, nor is dropping them. */
static void *make_numbers(const perfkit_run *run) {
    (void)run;
    int *numbers = (int *)malloc(NUMBERS * sizeof *numbers);
    if (!numbers) abort();
    for (int i = 0; i < NUMBERS; i++) numbers[i] = i * 37 % NUMBERS;
    return numbers;
}

static void drop_numbers(const perfkit_run *run, void *numbers) {
    (void)run;
    free(numbers);
}

static void sort_all(perfkit_run *run) {
    uint64_t moves = 0;
    for (uint64_t i = 0; i < run->iterations; i++) moves += sort((int *)run->inputs[i], NUMBERS);
    perfkit_clobber();
    run->counters[0] += (double)moves; /* perfkit divides by the iterations */
}

/* ---- self-timed: the benchmark says how long it took ---- */

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Only the second half of each iteration is of interest. */
static uint64_t clear_what_was_filled(perfkit_run *run) {
    static char buffer[16384];
    uint64_t taken_ns = 0;
    for (uint64_t i = 0; i < run->iterations; i++) {
        memset(buffer, 1, sizeof buffer);
        perfkit_clobber();
        const uint64_t start_ns = now_ns();
        memset(buffer, 0, sizeof buffer);
        perfkit_clobber();
        taken_ns += now_ns() - start_ns;
    }
    return taken_ns;
}

/* ---- threads: they start together, and each does all iterations ---- */

static void count_together(perfkit_run *run) {
    static uint64_t count; /* all threads want it */
    for (uint64_t i = 0; i < run->iterations; i++) __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED);
}

/* ---- the table: once per program, at the end; the fields in the order of perfkit.h ---- */

PERFKIT_BENCHMARKS({.group = "example",
                    .function = "sum",
                    .body = sum,
                    .params = "64,4096", /* or --param 64:1024:64 */
                    .param_min = 1,
                    .param_max = 1 << 20,
                    .setup = make_bytes,
                    .teardown = free,
                    .unit = PERFKIT_BYTES,
                    .units = bytes_of},
                   {.group = "example",
                    .function = "sort",
                    .body = sort_all,
                    .input = make_numbers,
                    .drop = drop_numbers,
                    .batch = PERFKIT_SMALL_INPUT, /* a tenth of a unit's inputs exist at a time */
                    .counters = "moves"},
                   {.group = "example", .function = "clear", .timed = clear_what_was_filled},
                   {.group = "example",
                    .function = "count",
                    .body = count_together,
                    .params = "1,2",
                    .unit = PERFKIT_ELEMENTS, /* one per iteration and thread */
                    .threads = PERFKIT_THREADS_PARAM /* or a number */});

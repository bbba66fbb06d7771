/* Benchmarks with a known slow-down: the objects pace_0.so, pace_20.so, ... come from this one
 * source and differ in one word of data, so that neither code nor its placement explains a
 * difference. With SLOWER per mille of more work:
 *   recursive  fib(20) by 21891 calls, and as many per mille of those as fib(8) of 67 calls can be
 *   iterative  fib(20), so many more iterations
 *   lookup     one load behind a call, so many more iterations
 *   memory     1024 dependent loads through 4 MiB, and so many more */
#include <stdlib.h>

#include "perfkit.h"

#define NOT_INLINE __attribute__((noinline))

static const volatile uint64_t slower_per_mille = SLOWER;

static uint64_t with_more(uint64_t count) {
    return count + (count * slower_per_mille + 500) / 1000;
}

/* ---- recursive ---- */

static NOT_INLINE uint64_t fib(int64_t n) {
    return n < 2 ? (uint64_t)n : fib(n - 1) + fib(n - 2);
}

static void recursive(perfkit_run *run) {
    const uint64_t more = (with_more(21891) - 21891 + 33) / 67;
    for (uint64_t i = 0; i < run->iterations; i++) {
        int64_t n = 20, little = 8;
        perfkit_hide(n);
        perfkit_keep(fib(n));
        for (uint64_t k = 0; k < more; k++) {
            perfkit_hide(little);
            perfkit_keep(fib(little));
        }
    }
}

/* ---- iterative and lookup ---- */

static NOT_INLINE uint64_t fib_iterative(int64_t n) {
    uint64_t a = 0, b = 1;
    for (int64_t i = 0; i < n; i++) {
        uint64_t next = a + b;
        a = b;
        b = next;
    }
    return a;
}

static void iterative(perfkit_run *run) {
    const uint64_t iterations = with_more(run->iterations);
    for (uint64_t i = 0; i < iterations; i++) {
        int64_t n = 20;
        perfkit_hide(n);
        perfkit_keep(fib_iterative(n));
    }
}

static const uint64_t table[] = {0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610};

static NOT_INLINE uint64_t look_up(int64_t n) {
    return table[n];
}

static void lookup(perfkit_run *run) {
    const uint64_t iterations = with_more(run->iterations);
    for (uint64_t i = 0; i < iterations; i++) {
        int64_t n = 10;
        perfkit_hide(n);
        perfkit_keep(look_up(n));
    }
}

/* ---- memory ---- */

enum { LINE_BYTES = 64, LINES = (4 << 20) / LINE_BYTES };

typedef struct line {
    uint32_t next;
    char rest[LINE_BYTES - sizeof(uint32_t)];
} line;

typedef struct chain {
    line *lines;
    uint32_t at; /* kept from call to call, so that all lines come round */
} chain;

/* One random cycle through all lines (Sattolo), from a fixed start: the same on both sides. */
static void *shuffle_lines(int64_t param, const char *text) {
    (void)param, (void)text;
    line *lines = aligned_alloc(LINE_BYTES, sizeof(line) * LINES);
    chain *made = calloc(1, sizeof *made);
    if (!lines || !made) abort();
    for (uint32_t i = 0; i < LINES; i++) lines[i].next = i;
    uint64_t state = 1;
    for (uint32_t i = LINES - 1; i > 0; i--) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        uint32_t j = (uint32_t)((state >> 33) % i);
        uint32_t kept = lines[i].next;
        lines[i].next = lines[j].next;
        lines[j].next = kept;
    }
    made->lines = lines;
    return made;
}

static void free_lines(void *data) {
    free(((chain *)data)->lines);
    free(data);
}

static void memory(perfkit_run *run) {
    chain *place = run->data;
    const line *lines = place->lines;
    const uint64_t steps = with_more(1024);
    uint32_t at = place->at;
    for (uint64_t i = 0; i < run->iterations; i++)
        for (uint64_t step = 0; step < steps; step++) at = lines[at].next;
    perfkit_keep(at);
    place->at = at;
}

PERFKIT_BENCHMARKS({.group = "pace", .function = "recursive", .body = recursive},
                   {.group = "pace", .function = "iterative", .body = iterative},
                   {.group = "pace", .function = "lookup", .body = lookup},
                   {.group = "pace",
                    .function = "memory",
                    .body = memory,
                    .setup = shuffle_lines,
                    .teardown = free_lines});

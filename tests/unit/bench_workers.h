/* Results made of hand-made workers, to be analysed. */
#ifndef PK_TESTS_UNIT_BENCH_WORKERS_H
#define PK_TESTS_UNIT_BENCH_WORKERS_H

#include "check.h"

#include "bench/analyse.h"

enum { WORKERS_MAX = 400 };

/* A result to be analysed, with its options, and room for workers. */
typedef struct bench {
    pk_bench_result r;
    pk_bench_options options;
    pk_bench_worker workers[WORKERS_MAX];
    pk_arena *arena;
} bench;

static inline void begin(bench *b) {
    *b = (bench){
        .r = {.confidence_level = 0.95,
              .noise_threshold = 0.01,
              .significance_level = 0.05,
              .equivalence = 0.02,
              .artefact = "abc",
              .started_unix_ns = 5},
        .options = {.nresamples = 2000, .seed = 1},
        .arena = pk_arena_new(1 << 20),
    };
    b->r.workers = b->workers;
    assert_non_null(b->arena);
}

static inline void end(bench *b) {
    pk_arena_free(b->arena);
}

static inline pk_bench_side side_of(double ns) {
    return (pk_bench_side){.trimmed_ns = ns,
                           .mean_ns = ns,
                           .min_ns = ns,
                           .q1_ns = ns,
                           .median_ns = ns,
                           .q3_ns = ns,
                           .wall_ns = ns,
                           .cpu_ns = ns,
                           .units = 100,
                           .iterations = 1000};
}

/* One worker more; NaN: that side was not measured. */
static inline pk_bench_worker *add(bench *b, double new_ns, double old_ns) {
    assert_true(b->r.n_workers < WORKERS_MAX);
    pk_bench_worker *w = &b->workers[b->r.n_workers];
    *w = (pk_bench_worker){
        .old_first = b->r.n_workers % 2,
        .layout = -1,
        .reference_ns = 1,
        .latency_ns = NAN,
        .throughput_ns = NAN,
        .loop_ns = NAN,
        .duration_ns = 30000000,
    };
    if (!isnan(new_ns)) w->side[PK_SIDE_NEW] = side_of(new_ns);
    if (!isnan(old_ns)) w->side[PK_SIDE_OLD] = side_of(old_ns);
    b->r.n_workers++;
    return w;
}

static inline void analyse(bench *b) {
    pk_err err = {0};
    assert_ok(pk_bench_analyse(&b->r, &b->options, b->arena, &err), &err);
}

static inline bool warned(const bench *b, const char *words) {
    for (size_t i = 0; i < b->r.n_warnings; i++)
        if (strstr(b->r.warnings[i], words)) return true;
    return false;
}

#endif

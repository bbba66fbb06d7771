/* Of the worker: a benchmark in a shared object, opened and ready to run. */
#ifndef PK_BENCH_WORKER_TARGET_H
#define PK_BENCH_WORKER_TARGET_H

#include "base/arena.h"
#include "bench/perfkit.h"
#include "bench/worker_work.h"
#include "bench/worker.h"

typedef struct pk_target {
    perfkit_benchmark benchmark;
    perfkit_run run;
    pk_work work; /* points to the two above: a target does not move once it is open */
} pk_target;

/* Opens the object, finds the benchmark with this index in its table, checks the parameter (NULL:
 * none) and calls setup. The object stays open until the process ends. On failure err says what is
 * wrong with the object, in one line without its path, which may be one of our own. */
bool pk_target_open(const char *path, uint32_t index, const char *param, pk_target *target,
                    pk_err *err) PK_MUST_CHECK;
/* Ends its threads and calls teardown. */
void pk_target_close(pk_target *target);
/* What one iteration processes, in all threads. */
pk_bench_throughput pk_target_throughput(const pk_target *target);

/* How it is measured where that is no plain body, one line; NULL: it is one. */
const char *pk_target_method(const pk_target *target, pk_arena *arena);

/* What the object's table offers. Texts are the object's own. */
bool pk_target_list(const char *path, pk_arena *arena, pk_worker_offer **offers, size_t *n,
                    pk_err *err) PK_MUST_CHECK;

/* Is param within the benchmark's bounds? With bounds, it must be a whole number. *number is its
 * value, 0 for a text. */
bool pk_target_param(const perfkit_benchmark *benchmark, const char *param, int64_t *number,
                     pk_err *err) PK_MUST_CHECK;
/* Fails with what the dynamic linker said, less the object's own path. */
void pk_target_dl_error(pk_err *err, const char *said, const char *path);

#endif

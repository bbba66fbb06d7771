/* Runs of commands as samples of benchmarks: each run is a process, so each stands for a worker. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/command_parts.h"
#include "bench/command_store.h"
#include "bench/reload.h"

enum { NAME_BYTES_MAX = 200 };

/* The store compares the first 255 bytes of a name, so a longer one ends in its hash. */
static bool bounded_name(const char *name, char out[256], pk_err *err) {
    char hash[65];
    if (strlen(name) <= NAME_BYTES_MAX) {
        snprintf(out, 256, "%s", name);
        return true;
    }
    if (!pk_store_hash(name, strlen(name), hash, err)) return false;
    size_t kept = NAME_BYTES_MAX;
    while (kept > 0 && ((unsigned char)name[kept] & 0xc0) == 0x80) kept--;
    snprintf(out, 256, "%.*s... %.16s", (int)kept, name, hash);
    return true;
}

bool pk_command_samples_result(const pk_command_options *options, const char *name,
                               const pk_command_samples *samples, uint64_t resamples,
                               pk_arena *arena, pk_bench_result *result, pk_err *err) {
    pk_baseline *b = PK_NEW(arena, 1, pk_baseline);
    double *iterations = PK_NEW(arena, samples->n, double);
    double *times_ns = PK_NEW(arena, samples->n, double);
    if (!b || !iterations || !times_ns) return pk_command_no_room(err);
    if (!bounded_name(name, b->function, err)) return false;
    snprintf(b->group, sizeof b->group, "%s", PK_COMMAND_GROUP);
    snprintf(b->id, sizeof b->id, "%s/%s", PK_COMMAND_GROUP, b->function);
    b->n = samples->n;
    b->iterations = iterations;
    b->times_ns = times_ns;
    for (size_t i = 0; i < samples->n; i++) {
        iterations[i] = 1;
        times_ns[i] = samples->wall_s[i] * 1e9;
    }
    const pk_bench_options analysis = {.confidence_level = options->confidence_level,
                                       .noise_threshold = options->noise_threshold,
                                       .equivalence = options->equivalence,
                                       .significance_level = 1 - options->confidence_level,
                                       .nresamples = resamples,
                                       .seed = options->seed};
    if (!pk_bench_result_of_baseline(b, &analysis, arena, result, err)) return false;
    for (size_t i = 0; i < samples->n; i++)
        result->workers[i].side[PK_SIDE_NEW].cpu_ns = samples->cpu_s[i] * 1e9;
    result->object = "command";
    result->n_warnings = 0; /* they speak of workers */
    return true;
}

bool pk_command_samples_init(pk_command_samples *samples, size_t most, pk_arena *arena) {
    *samples = (pk_command_samples){.wall_s = PK_NEW(arena, most, double),
                                    .cpu_s = PK_NEW(arena, most, double)};
    return samples->wall_s && samples->cpu_s;
}

void pk_command_samples_add(pk_command_samples *samples, double wall_s, double cpu_s) {
    /* 0: all of it was taken off for the shell; the rest is no time that a file can mean */
    if (!(wall_s >= 1e-12 && wall_s <= 1e12)) return;
    samples->wall_s[samples->n] = wall_s;
    samples->cpu_s[samples->n++] = cpu_s > 0 ? cpu_s : NAN;
}

bool pk_command_samples_of(const pk_command_options *options, const pk_command_result *result,
                           pk_arena *arena, pk_command_samples *samples, pk_err *err) {
    if (!pk_command_samples_init(samples, result->n_runs, arena)) return pk_command_no_room(err);
    for (size_t i = 0; i < result->n_runs; i++) {
        const pk_command_run *run = &result->runs[i];
        if (pk_command_counts(options, run))
            pk_command_samples_add(samples, run->wall_s, run->user_s + run->system_s);
    }
    return true;
}

#include <math.h>
#include <string.h>

#include "bench/bench.h"

/* The mean over the workers that have this side. */
static double mean_of(const pk_bench_result *r, int side, size_t k) {
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < r->n_workers; i++) {
        const pk_bench_side *s = &r->workers[i].side[side];
        if (s->units == 0) continue;
        sum += s->counters[k];
        n++;
    }
    return n > 0 ? sum / (double)n : NAN;
}

size_t pk_bench_counters(const pk_bench_result *r, pk_bench_counter out[PK_BENCH_COUNTERS_MAX]) {
    size_t n = 0;
    for (const char *name = r->counters; name && n < PK_BENCH_COUNTERS_MAX; n++) {
        size_t bytes = strcspn(name, ",");
        out[n] = (pk_bench_counter){.name = name,
                                    .name_bytes = (int)bytes,
                                    .per_iteration = mean_of(r, PK_SIDE_NEW, n),
                                    .old_per_iteration = mean_of(r, PK_SIDE_OLD, n)};
        name = name[bytes] ? name + bytes + 1 : NULL;
    }
    return n;
}

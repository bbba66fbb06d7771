#include "bench/bench.h"

const char *pk_bench_metric_name(pk_bench_metric metric) {
    static const char *const names[PK_METRICS] = {
        [PK_METRIC_ONCPU] = "oncpu", [PK_METRIC_WALL] = "wall", [PK_METRIC_CPU] = "cpu"};
    return names[metric];
}

const pk_bench_side *pk_bench_sample(const pk_bench_worker *worker) {
    const pk_bench_side *side = &worker->side[PK_SIDE_NEW];
    return side->units > 0 ? side : NULL;
}

size_t pk_bench_samples(const pk_bench_result *result) {
    size_t n = 0;
    for (size_t i = 0; i < result->n_workers; i++)
        n += pk_bench_sample(&result->workers[i]) != NULL;
    return n;
}

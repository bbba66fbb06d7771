#include "bench/bench.h"

const char *pk_bench_metric_name(pk_bench_metric metric) {
    static const char *const names[PK_METRICS] = {
        [PK_METRIC_ONCPU] = "oncpu", [PK_METRIC_WALL] = "wall", [PK_METRIC_CPU] = "cpu"};
    return names[metric];
}

/* An object of the first perfkit.h: what that had, spelt out, and nothing of today's. */
#include <stddef.h>
#include <stdint.h>

typedef struct run {
    uint64_t iterations;
    int64_t param;
    const char *param_text;
    void *data;
} run;

typedef struct benchmark {
    const char *group, *function;
    void (*body)(run *r);
    void (*throughput)(run *r);
    uint32_t throughput_lanes;
    void (*latency)(run *r);
    const char *params;
    int64_t param_min, param_max;
    const char *bounds_reason;
    void *(*setup)(int64_t param, const char *param_text);
    void (*teardown)(void *data);
    int unit;
    uint64_t (*units)(int64_t param);
    uint64_t sample_size;
    double measurement_time_s, warm_up_time_s;
    double noise_threshold, confidence_level;
} benchmark;

typedef struct table {
    uint32_t abi, count;
    const benchmark *items;
    uint32_t item_bytes;
} table;

static void body(run *r) {
    for (uint64_t i = 0; i < r->iterations; i++) {
        uint64_t x = i;
        for (int64_t k = 0; k < r->param; k++) {
            x = x * 6364136223846793005u + 1;
            __asm__ volatile("" : "+r"(x));
        }
        __asm__ volatile("" : : "r"(x));
    }
}

static const benchmark items[] = {
    {.group = "old", .function = "one", .body = body, .params = "100"},
    {.group = "old", .function = "two", .body = body, .params = "200"},
};
extern const table perfkit_benchmarks;
const table perfkit_benchmarks = {1, 2, items, sizeof items[0]};

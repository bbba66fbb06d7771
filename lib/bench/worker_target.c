#include "bench/worker_target.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"

enum { PK_ABI_OLDEST = 1, THREADS_MAX = 1024 };

/* ---- the object and its table ---- */

/* What stands behind the prefix; NULL if text does not begin with it. */
static const char *behind(const char *text, const char *prefix) {
    size_t length = strlen(prefix);
    return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

void pk_target_dl_error(pk_err *err, const char *said, const char *path) {
    static const char missing[] = ": cannot open shared object file: ";
    if (!said) said = "the dynamic linker does not say why";
    const char *own = behind(said, path), *gone = strstr(said, missing);
    if (own && behind(own, missing)) {
        pk_fail(err, PK_E_INPUT, NULL, "cannot open the object: %s", behind(own, missing));
        pk_fix(err, "look at its name and permissions");
    } else if (own && behind(own, ": ")) {
        pk_fail(err, PK_E_INPUT, NULL, "cannot open the object: %s", own + 2);
        pk_fix(err, "it must be a shared object for this machine (cc -shared -fPIC)");
    } else if (gone) {
        pk_fail(err, PK_E_INPUT, NULL, "the object needs the library %.*s, which is not found",
                (int)(gone - said), said);
        pk_fix(err, "install it, or say where it is (LD_LIBRARY_PATH)");
    } else {
        pk_fail(err, PK_E_INPUT, NULL, "cannot open the object: %s", said);
        pk_fix(err, "link it with all it needs");
    }
}

static bool check_table(const perfkit_table *table, pk_err *err) {
    if (table->abi < PK_ABI_OLDEST || table->abi > PERFKIT_ABI) {
        pk_fail(err, PK_E_INPUT, NULL,
                "the object was compiled with version %" PRIu32 " of perfkit.h, this is version %d",
                table->abi, PERFKIT_ABI);
        pk_fix(err, "compile it again with the perfkit.h of this perfkit");
        return false;
    }
    /* Later versions may add to the end of an item; what an item must have is its body. */
    const size_t least = offsetof(perfkit_benchmark, body) + sizeof(perfkit_body *);
    if (table->count <= PK_WORKER_OFFERS_MAX && table->item_bytes >= least &&
        table->item_bytes <= 1u << 16 && table->items)
        return true;
    pk_fail(err, PK_E_INPUT, NULL, "the object's table perfkit_benchmarks makes no sense");
    pk_fix(err, "define it with PERFKIT_BENCHMARKS, from 1 to %d benchmarks", PK_WORKER_OFFERS_MAX);
    return false;
}

static const perfkit_table *open_table(const char *object, pk_err *err) {
    char path[PATH_MAX]; /* a name without a slash would be searched for among the libraries */
    snprintf(path, sizeof path, "%s%s", strchr(object, '/') ? "" : "./", object);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        pk_target_dl_error(err, dlerror(), path);
        return NULL;
    }
    const perfkit_table *table = dlsym(handle, "perfkit_benchmarks");
    if (!table) {
        pk_fail(err, PK_E_INPUT, NULL, "the object offers no benchmarks");
        pk_fix(err, "include perfkit.h in it and list them with PERFKIT_BENCHMARKS");
        return NULL;
    }
    return check_table(table, err) ? table : NULL;
}

/* A copy of what the item has; what it is too short for is 0. */
static perfkit_benchmark item(const perfkit_table *table, uint32_t index) {
    perfkit_benchmark benchmark = {0};
    const char *at = (const char *)table->items + (size_t)index * table->item_bytes;
    size_t bytes = table->item_bytes < sizeof benchmark ? table->item_bytes : sizeof benchmark;
    memcpy(&benchmark, at, bytes);
    return benchmark;
}

static bool is_setting(double value) {
    return isfinite(value) && value >= 0;
}

/* The ways to be measured exclude each other. */
static const char *wrong_method(const perfkit_benchmark *b) {
    bool parts = b->throughput || b->latency;
    return b->body && b->timed     ? "has a body and times itself"
           : !b->body && !b->timed ? "has no body"
           : b->timed && (b->input || b->threads)
               ? "times itself, so it has no input and no threads"
           : b->input && b->threads ? "is batched and has threads"
           : parts && (!b->body || b->input || b->threads)
               ? "has throughput or latency, which go with a plain body alone"
           : b->batch > PERFKIT_NUM_ITERATIONS                  ? "has no such batch"
           : b->batch >= PERFKIT_NUM_BATCHES && !b->batch_count ? "does not say its batch_count"
           : b->threads > THREADS_MAX && b->threads != PERFKIT_THREADS_PARAM
               ? "has more than 1024 threads"
               : NULL;
}

/* Names between commas. */
static const char *wrong_counters(const char *names) {
    size_t n = 1;
    if (!names) return NULL;
    for (const char *p = names; *p; p++) {
        if (*p == ',') n++;
        if ((unsigned char)*p < ' ') return "has a control character in a counter's name";
        if (*p == ',' && (p == names || !p[1] || p[1] == ','))
            return "has a counter without a name";
    }
    return !*names                    ? "has a counter without a name"
           : n > PERFKIT_COUNTERS_MAX ? "has more than 8 counters"
                                      : NULL;
}

static bool check_item(const perfkit_benchmark *b, uint32_t index, pk_err *err) {
    const char *wrong = !b->group || !*b->group       ? "has no group"
                        : b->param_min > b->param_max ? "has its bounds the wrong way round"
                        : b->throughput && !b->throughput_lanes
                            ? "does not say its throughput_lanes"
                        : !is_setting(b->measurement_time_s) || !is_setting(b->warm_up_time_s) ||
                                !is_setting(b->noise_threshold) || !is_setting(b->confidence_level)
                            ? "has a setting below 0"
                        : b->confidence_level >= 1   ? "has a confidence_level that is not below 1"
                        : b->sample_size > INT64_MAX ? "has an impossible sample_size"
                                                     : NULL;
    if (!wrong) wrong = wrong_method(b);
    if (!wrong) wrong = wrong_counters(b->counters);
    if (!wrong) return true;
    pk_fail(err, PK_E_INPUT, NULL, "benchmark %" PRIu32 " of the object (%s) %s", index,
            b->group && b->function ? b->function : "no name", wrong);
    pk_fix(err, "perfkit.h says what each field means");
    return false;
}

/* ---- parameters ---- */

static bool has_bounds(const perfkit_benchmark *benchmark) {
    return benchmark->param_min || benchmark->param_max;
}

bool pk_target_param(const perfkit_benchmark *benchmark, const char *param, int64_t *number,
                     pk_err *err) {
    pk_err ignored;
    int64_t value = 0;
    bool whole = param && pk_parse_int(param, INT64_MIN, INT64_MAX, &value, &ignored);
    if (!param || !has_bounds(benchmark) ||
        (whole && value >= benchmark->param_min && value <= benchmark->param_max)) {
        *number = whole ? value : 0;
        return true;
    }
    const char *reason = benchmark->bounds_reason;
    pk_fail(err, PK_E_INPUT, NULL,
            "the parameter %.40s is not within %" PRId64 " .. %" PRId64 "%s%s", param,
            benchmark->param_min, benchmark->param_max, reason ? ": " : "", reason ? reason : "");
    pk_fix(err, "give one that is");
    return false;
}

/* ---- opening ---- */

static bool check_threads(const perfkit_benchmark *benchmark, int64_t param, pk_err *err) {
    if (benchmark->threads != PERFKIT_THREADS_PARAM || (param >= 1 && param <= THREADS_MAX))
        return true;
    pk_fail(err, PK_E_INPUT, NULL, "the parameter is its number of threads, and not 1 to %d",
            THREADS_MAX);
    pk_fix(err, "give `params` such as \"1,2,4\"");
    return false;
}

bool pk_target_open(const char *path, uint32_t index, const char *param, pk_target *target,
                    pk_err *err) {
    const perfkit_table *table = open_table(path, err);
    if (!table) return false;
    if (index >= table->count) {
        pk_fail(err, PK_E_INPUT, NULL,
                "the object has %" PRIu32 " benchmarks, not a number %" PRIu32, table->count,
                index);
        pk_fix(err, "it has changed since it was listed: start again");
        return false;
    }
    pk_target opened = {.benchmark = item(table, index), .run.param_text = param};
    const perfkit_benchmark *benchmark = &opened.benchmark;
    if (!check_item(benchmark, index, err) ||
        !pk_target_param(benchmark, param, &opened.run.param, err))
        return false;
    if (!check_threads(benchmark, opened.run.param, err)) return false;
    if (benchmark->setup) opened.run.data = benchmark->setup(opened.run.param, param);
    *target = opened;
    if (pk_work_open(&target->work, &target->benchmark, &target->run, err)) return true;
    pk_target_close(target);
    return false;
}

void pk_target_close(pk_target *target) {
    pk_work_close(&target->work);
    if (target->benchmark.teardown) target->benchmark.teardown(target->run.data);
}

pk_bench_throughput pk_target_throughput(const pk_target *target) {
    const perfkit_benchmark *b = &target->benchmark;
    pk_bench_throughput throughput = {.given = b->unit != PERFKIT_NOTHING,
                                      .bytes = b->unit == PERFKIT_BYTES};
    if (!throughput.given) return throughput;
    uint64_t units = b->units ? b->units(target->run.param) : 1;
    if (__builtin_mul_overflow(units, target->run.threads, &units)) units = 0;
    throughput.per_iteration = units <= INT64_MAX ? units : 0;
    return throughput;
}

const char *pk_target_method(const pk_target *target, pk_arena *arena) {
    const perfkit_benchmark *b = &target->benchmark;
    if (b->timed) return "self-timed: the time is what the benchmark says";
    if (b->input) return "batched: making and dropping inputs is not in the time";
    if (!b->threads) return NULL;
    return pk_arena_printf(arena,
                           "%" PRIu32 " thread%s: wall time from their common start to the end of "
                           "the last",
                           target->run.threads, target->run.threads == 1 ? "" : "s");
}

/* ---- listing ---- */

static pk_worker_offer offer_of(const perfkit_benchmark *b) {
    bool given = b->unit != PERFKIT_NOTHING;
    return (pk_worker_offer){
        .group = b->group,
        .function = b->function,
        .params = b->params,
        .param_min = b->param_min,
        .param_max = b->param_max,
        .bounds_reason = b->bounds_reason,
        .has_bounds = has_bounds(b),
        .has_latency = b->latency != NULL,
        .has_throughput = b->throughput != NULL,
        .throughput = {given, b->unit == PERFKIT_BYTES, given && !b->units},
        .sample_size = b->sample_size,
        .measurement_time_s = b->measurement_time_s,
        .warm_up_time_s = b->warm_up_time_s,
        .noise_threshold = b->noise_threshold,
        .confidence_level = b->confidence_level,
    };
}

bool pk_target_list(const char *path, pk_arena *arena, pk_worker_offer **offers, size_t *n,
                    pk_err *err) {
    const perfkit_table *table = open_table(path, err);
    if (!table) return false;
    pk_worker_offer *list = PK_NEW(arena, table->count, pk_worker_offer);
    if (!list) {
        pk_fail(err, PK_E_LIMIT, NULL, "no memory for %" PRIu32 " benchmarks", table->count);
        return false;
    }
    for (uint32_t i = 0; i < table->count; i++) {
        perfkit_benchmark benchmark = item(table, i);
        if (!check_item(&benchmark, i, err)) return false;
        list[i] = offer_of(&benchmark);
    }
    *offers = list;
    *n = table->count;
    return true;
}

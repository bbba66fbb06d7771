/* The way back from result_to_json.c, in the same order. */
#include "bench/result_json.h"

#include <math.h>
#include <string.h>
#include "bench/render.h"

/* Of a tree; a result with all its workers takes about a hundredth. */
#define TREE_BYTES_MAX (256u << 20)

static const char *metric_name(int i) {
    return pk_bench_metric_name((pk_bench_metric)i);
}
static const char *source_name(int i) {
    return pk_bench_source_name((pk_change_source)i);
}
static const char *failure_name(int i) {
    return pk_bench_failure_name((pk_bench_failure_kind)i);
}
static const char *verdict_name(int i) {
    return pk_verdict_name((pk_verdict_word)i);
}
static const char *unit_name(int i) {
    static const char *const names[] = {"elements", "bytes"};
    return names[i];
}

/* A member's text, for the result. */
static const char *keep_text(pk_json_reader *r, const pk_json_value *o, const char *key,
                             pk_arena *arena) {
    const char *text = pk_json_get_text(r, o, key);
    char *copy = text ? pk_arena_strdup(arena, text) : NULL;
    if (text && !copy) pk_json_no_room(r);
    return copy;
}

/* n zeroed items for an array's elements; NULL with n = 0: no memory. */
static void *new_items(pk_json_reader *r, const pk_json_value *array, pk_arena *arena,
                       size_t item_bytes, size_t *n) {
    void *items = pk_arena_alloc(arena, array ? array->count : 0, item_bytes);
    if (!items) pk_json_no_room(r);
    *n = items && array ? array->count : 0;
    return items;
}

static pk_estimate get_estimate(pk_json_reader *r, const pk_json_value *parent, const char *key) {
    const pk_json_value *o = pk_json_get_object(r, parent, key);
    return (pk_estimate){.point = pk_json_get_double(r, o, "point"),
                         .low = pk_json_get_double(r, o, "low"),
                         .high = pk_json_get_double(r, o, "high"),
                         .standard_error = pk_json_get_double(r, o, "standard_error")};
}

static pk_criterion_estimates get_criterion(pk_json_reader *r, const pk_json_value *o) {
    return (pk_criterion_estimates){
        .mean = get_estimate(r, o, "mean"),
        .median = get_estimate(r, o, "median"),
        .median_abs_dev = get_estimate(r, o, "median_abs_dev"),
        .std_dev = get_estimate(r, o, "std_dev"),
        .slope = get_estimate(r, o, "slope"),
        .has_slope = pk_json_get_object(r, o, "slope") != NULL,
    };
}

static void get_identity(pk_json_reader *r, const pk_json_value *o, pk_arena *arena,
                         pk_bench_result *result) {
    pk_json_require(r, o, "id");
    pk_json_require(r, o, "group");
    result->id = keep_text(r, o, "id", arena);
    result->group = keep_text(r, o, "group", arena);
    result->function = keep_text(r, o, "function", arena);
    result->value = keep_text(r, o, "value", arena);
    double number = pk_json_get_double(r, o, "value_number");
    result->value_is_number = !isnan(number);
    result->value_number = result->value_is_number ? number : 0;
    const pk_json_value *t = pk_json_get_object(r, o, "throughput");
    result->throughput.given = t != NULL;
    result->throughput.bytes = pk_json_get_word(r, t, "unit", 2, unit_name) == 1;
    result->throughput.per_iteration = pk_json_get_uint(r, t, "per_iteration");
    result->method = keep_text(r, o, "method", arena);
    result->counters = keep_text(r, o, "counter_names", arena);
    result->object = keep_text(r, o, "object", arena);
    result->artefact = keep_text(r, o, "artefact", arena);
}

static void get_settings(pk_json_reader *r, const pk_json_value *o, pk_bench_result *result) {
    result->metric = (pk_bench_metric)pk_json_get_word(r, o, "metric", PK_METRICS, metric_name);
    result->confidence_level = pk_json_get_double(r, o, "confidence_level");
    result->noise_threshold = pk_json_get_double(r, o, "noise_threshold");
    result->significance_level = pk_json_get_double(r, o, "significance_level");
    result->equivalence = pk_json_get_double(r, o, "equivalence");
    result->started_unix_ns = pk_json_get_uint(r, o, "started_unix_ns");
    result->duration_ns = pk_json_get_uint(r, o, "duration_ns");
    result->failed = pk_json_get_bool(r, o, "failed");
    result->partial = pk_json_get_bool(r, o, "partial");
}

static void get_modes(pk_json_reader *r, const pk_json_value *o, pk_modes *modes) {
    const pk_json_value *list = pk_json_get_array(r, o, "modes");
    if (!list) return;
    if (list->count > PK_MODES_MAX) {
        pk_json_complain(r, list, "more than %d modes", PK_MODES_MAX);
        return;
    }
    modes->count = list->count;
    for (const pk_json_value *v = list->first; v; v = v->next)
        modes->mode[v->index] = (pk_mode){.value = pk_json_get_double(r, v, "value_ns"),
                                          .share = pk_json_get_double(r, v, "share")};
}

static void get_figures(pk_json_reader *r, const pk_json_value *o, pk_bench_result *result) {
    result->typical = get_estimate(r, o, "typical");
    result->between_runs_ns = pk_json_get_double(r, o, "between_runs_ns");
    result->criterion = get_criterion(r, pk_json_get_object(r, o, "criterion"));
    const pk_json_value *fences = pk_json_get_object(r, o, "fences");
    result->fences = (pk_fences){.low_severe = pk_json_get_double(r, fences, "low_severe"),
                                 .low_mild = pk_json_get_double(r, fences, "low_mild"),
                                 .high_mild = pk_json_get_double(r, fences, "high_mild"),
                                 .high_severe = pk_json_get_double(r, fences, "high_severe")};
    const pk_json_value *outliers = pk_json_get_object(r, o, "outliers");
    result->outliers =
        (pk_outlier_counts){.low_severe = pk_json_get_uint(r, outliers, "low_severe"),
                            .low_mild = pk_json_get_uint(r, outliers, "low_mild"),
                            .high_mild = pk_json_get_uint(r, outliers, "high_mild"),
                            .high_severe = pk_json_get_uint(r, outliers, "high_severe")};
    get_modes(r, o, &result->modes);
    result->clock_hz = pk_json_get_double(r, o, "clock_hz");
    result->clock_range_ratio = pk_json_get_double(r, o, "clock_range_ratio");
    result->wait_ratio = pk_json_get_double(r, o, "wait_ratio");
    result->process_sd_ratio = pk_json_get_double(r, o, "process_sd_ratio");
    const pk_json_value *parts = pk_json_get_object(r, o, "parts");
    result->has_parts = parts != NULL;
    result->latency_ns = pk_json_get_double(r, parts, "latency_ns");
    result->throughput_ns = pk_json_get_double(r, parts, "throughput_ns");
    result->loop_ns = pk_json_get_double(r, parts, "loop_ns");
}

static pk_verdict get_verdict(pk_json_reader *r, const pk_json_value *o) {
    enum { WORDS = PK_NO_CHANGE + 1 };
    return (pk_verdict){
        .word = (pk_verdict_word)pk_json_get_word(r, o, "word", WORDS, verdict_name),
        .estimate = pk_json_get_double(r, o, "estimate"),
        .low = pk_json_get_double(r, o, "low"),
        .high = pk_json_get_double(r, o, "high"),
        .bound = pk_json_get_double(r, o, "bound"),
        .p = pk_json_get_double(r, o, "p"),
        .p_zero = pk_json_get_double(r, o, "p_zero"),
        .workers_needed = pk_json_get_uint(r, o, "workers_needed"),
    };
}

static void get_change(pk_json_reader *r, const pk_json_value *parent, pk_arena *arena,
                       pk_bench_change *c) {
    enum { SOURCES = PK_CHANGE_STORED + 1 };
    const pk_json_value *o = pk_json_get_object(r, parent, "change");
    if (!o) return; /* PK_CHANGE_NONE */
    c->source = (pk_change_source)pk_json_get_word(r, o, "source", SOURCES, source_name);
    c->baseline = keep_text(r, o, "baseline", arena);
    c->old_artefact = keep_text(r, o, "old_artefact", arena);
    c->identical_code = pk_json_get_bool(r, o, "identical_code");
    c->normalised = pk_json_get_bool(r, o, "normalised");
    c->history = (unsigned)pk_json_get_uint(r, o, "history");
    pk_json_get_chars(r, o, "refused", c->refused, sizeof c->refused);
    c->ratio = get_estimate(r, o, "ratio");
    c->old_ns = pk_json_get_double(r, o, "old_ns");
    const pk_json_value *old = pk_json_get_object(r, o, "old");
    c->old = old ? PK_NEW(arena, 1, pk_criterion_estimates) : NULL;
    if (c->old) *c->old = get_criterion(r, old);
    else if (old) pk_json_no_room(r);
    c->order_effect = pk_json_get_double(r, o, "order_effect");
    c->verdict = get_verdict(r, pk_json_get_object(r, o, "verdict"));
    const pk_json_value *median = pk_json_get_object(r, o, "median");
    c->median_point = pk_json_get_double(r, median, "point");
    c->median_low = pk_json_get_double(r, median, "low");
    c->median_high = pk_json_get_double(r, median, "high");
}

static void get_warnings(pk_json_reader *r, const pk_json_value *o, pk_arena *arena,
                         pk_bench_result *result) {
    const pk_json_value *list = pk_json_get_array(r, o, "warnings");
    const char **lines = new_items(r, list, arena, sizeof lines[0], &result->n_warnings);
    result->warnings = lines;
    for (const pk_json_value *v = list ? list->first : NULL; v && !r->failed; v = v->next) {
        const char *text = pk_json_text_of(r, v);
        lines[v->index] = pk_arena_strdup(arena, text ? text : "");
        if (!lines[v->index]) pk_json_no_room(r);
    }
}

static void get_failures(pk_json_reader *r, const pk_json_value *o, pk_arena *arena,
                         pk_bench_result *result) {
    enum { KINDS = PK_FAIL_REFUSED + 1 };
    const pk_json_value *list = pk_json_get_array(r, o, "failures");
    result->failures = new_items(r, list, arena, sizeof result->failures[0], &result->n_failures);
    for (const pk_json_value *v = list ? list->first : NULL; v && !r->failed; v = v->next) {
        pk_bench_failure *f = &result->failures[v->index];
        f->kind = (pk_bench_failure_kind)pk_json_get_word(r, v, "kind", KINDS, failure_name);
        f->number = pk_json_get_int(r, v, "number", 0);
        f->timeout_ns = pk_json_get_uint(r, v, "timeout_ns");
        pk_json_get_chars(r, v, "why", f->why, sizeof f->why);
        pk_json_get_chars(r, v, "output", f->output, sizeof f->output);
    }
}

static pk_bench_side get_side(pk_json_reader *r, const pk_json_value *parent, const char *key) {
    const pk_json_value *o = pk_json_get_object(r, parent, key);
    if (!o) return (pk_bench_side){0};
    pk_bench_side side = {.trimmed_ns = pk_json_get_double(r, o, "trimmed_ns"),
                          .mean_ns = pk_json_get_double(r, o, "mean_ns"),
                          .min_ns = pk_json_get_double(r, o, "min_ns"),
                          .q1_ns = pk_json_get_double(r, o, "q1_ns"),
                          .median_ns = pk_json_get_double(r, o, "median_ns"),
                          .q3_ns = pk_json_get_double(r, o, "q3_ns"),
                          .wall_ns = pk_json_get_double(r, o, "wall_ns"),
                          .cpu_ns = pk_json_get_double(r, o, "cpu_ns"),
                          .units = pk_json_get_uint(r, o, "units"),
                          .iterations = pk_json_get_uint(r, o, "iterations")};
    const pk_json_value *counters = pk_json_get_array(r, o, "counters");
    for (const pk_json_value *v = counters ? counters->first : NULL; v; v = v->next)
        if (v->index < PK_BENCH_COUNTERS_MAX) side.counters[v->index] = pk_json_double_of(r, v);
    return side;
}

static pk_bench_worker get_worker(pk_json_reader *r, const pk_json_value *o) {
    return (pk_bench_worker){
        .side = {get_side(r, o, "new"), get_side(r, o, "old")},
        .old_first = pk_json_get_bool(r, o, "old_first"),
        .layout = pk_json_get_int(r, o, "layout", -1),
        .reference_ns = pk_json_get_double(r, o, "reference_ns"),
        .latency_ns = pk_json_get_double(r, o, "latency_ns"),
        .throughput_ns = pk_json_get_double(r, o, "throughput_ns"),
        .loop_ns = pk_json_get_double(r, o, "loop_ns"),
        .metric = (pk_bench_metric)pk_json_get_word(r, o, "metric", PK_METRICS, metric_name),
        .duration_ns = pk_json_get_uint(r, o, "duration_ns"),
        .wait_ns = pk_json_get_uint(r, o, "wait_ns"),
        .switches_voluntary = pk_json_get_uint(r, o, "switches_voluntary"),
        .switches_involuntary = pk_json_get_uint(r, o, "switches_involuntary"),
        .faults_minor = pk_json_get_uint(r, o, "faults_minor"),
        .faults_major = pk_json_get_uint(r, o, "faults_major"),
    };
}

static void get_workers(pk_json_reader *r, const pk_json_value *o, pk_arena *arena,
                        pk_bench_result *result) {
    const pk_json_value *list = pk_json_get_array(r, o, "workers");
    result->workers = new_items(r, list, arena, sizeof result->workers[0], &result->n_workers);
    for (const pk_json_value *v = list ? list->first : NULL; v && !r->failed; v = v->next)
        result->workers[v->index] = get_worker(r, v);
    uint64_t former = pk_json_get_uint(r, o, "workers_former");
    if (former > result->n_workers && !r->failed)
        pk_json_complain(r, pk_json_member(r, o, "workers_former"), "more than there are workers");
    result->n_workers_former = former;
}

bool pk_bench_result_from_json(pk_json_reader *r, const pk_json_value *object, pk_arena *arena,
                               pk_bench_result *result) {
    *result = (pk_bench_result){0};
    get_identity(r, object, arena, result);
    get_settings(r, object, result);
    get_figures(r, object, result);
    get_change(r, object, arena, &result->change);
    get_warnings(r, object, arena, result);
    get_failures(r, object, arena, result);
    get_workers(r, object, arena, result);
    return !r->failed;
}

bool pk_bench_environment_from_json(pk_json_reader *r, const pk_json_value *o, pk_environment *e) {
    *e = (pk_environment){0};
#define CHARS(member) pk_json_get_chars(r, o, #member, e->member, sizeof e->member)
#define INT(member) e->member = pk_json_get_int(r, o, #member, -1)
#define DOUBLE(member) e->member = pk_json_get_double(r, o, #member)
    CHARS(cpu_model), CHARS(microcode), CHARS(hypervisor), CHARS(scaling_driver), CHARS(governor);
    CHARS(cpuidle_driver), CHARS(isolated), CHARS(nohz_full), CHARS(clock_source), CHARS(kernel);
    CHARS(host), CHARS(boot_id), CHARS(compiler);
    INT(cpus), INT(cpus_allowed), INT(turbo), INT(smt), INT(aslr), INT(runnable), INT(on_ac_power);
    DOUBLE(mhz_min), DOUBLE(mhz_max), DOUBLE(mhz_now), DOUBLE(load_1), DOUBLE(load_5);
    DOUBLE(load_15), DOUBLE(psi_cpu_some_10), DOUBLE(temperature_c), DOUBLE(timer_cost_ns);
#undef CHARS
#undef INT
#undef DOUBLE
    return !r->failed;
}

/* ---- files ---- */

bool pk_bench_result_write(FILE *out, const pk_bench_result *result,
                           const pk_environment *environment, pk_err *err) {
    pk_json *document = pk_json_document("bench-result/1");
    pk_bench_environment_to_json(pk_json_object(document, "environment"), environment);
    pk_bench_result_to_json(pk_json_object(document, "result"), result);
    bool ok = pk_json_write(out, document, err);
    pk_json_free(document);
    return ok;
}

/* One result, or the list of a document. */
static void get_results(pk_json_reader *r, const pk_json_value *root, pk_arena *arena,
                        pk_bench_record *record) {
    const pk_json_value *one = pk_json_get_object(r, root, "result");
    const pk_json_value *list = one ? NULL : pk_json_get_array(r, root, "benchmarks");
    if (!one && !list) pk_json_require(r, root, "benchmarks");
    record->n_results = one ? 1 : list ? list->count : 0;
    record->results = PK_NEW(arena, record->n_results, pk_bench_result);
    if (!record->results) pk_json_no_room(r);
    if (r->failed) return;
    if (one && !pk_bench_result_from_json(r, one, arena, record->results)) return;
    for (const pk_json_value *v = list ? list->first : NULL; v; v = v->next)
        if (!pk_bench_result_from_json(r, v, arena, &record->results[v->index])) return;
}

bool pk_bench_record_parse(const char *text, size_t bytes, const char *where, pk_arena *arena,
                           pk_bench_record *record, pk_err *err) {
    pk_json_reader r = {.where = where, .err = err, .arena = pk_arena_new(TREE_BYTES_MAX)};
    pk_bench_record read = {0};
    if (!r.arena) pk_json_no_room(&r);
    const pk_json_value *root = pk_json_read(&r, text, bytes);
    const char *schema = pk_json_get_text(&r, root, "schema");
    if (!r.failed && (!schema || strncmp(schema, "bench", 5) != 0))
        pk_json_complain(&r, root, "it is no result of perfkit bench");
    const pk_json_value *environment = pk_json_get_object(&r, root, "environment");
    read.has_environment = environment != NULL;
    if (pk_bench_environment_from_json(&r, environment, &read.environment))
        get_results(&r, root, arena, &read);
    pk_arena_free(r.arena);
    if (!r.failed) *record = read;
    return !r.failed;
}

bool pk_bench_result_parse(const char *text, size_t bytes, pk_arena *arena, pk_bench_result *result,
                           pk_err *err) {
    pk_bench_record record;
    if (!pk_bench_record_parse(text, bytes, "the saved result", arena, &record, err)) return false;
    if (record.n_results != 1) {
        pk_fail(err, PK_E_INPUT, "the saved result", "it holds %zu results, not one",
                record.n_results);
        pk_fix(err, "give a file with one result");
        return false;
    }
    *result = record.results[0];
    return true;
}

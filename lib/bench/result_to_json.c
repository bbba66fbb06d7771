/* A result as a JSON object. Key names follow cargo-criterion's style (snake_case); times are ns
 * per iteration and say so. Order: what it is, how it was measured, figures, change, remarks,
 * workers.
 */
#include "bench/render.h"

#include <math.h>
#include <string.h>

#include "bench/render_parts.h"

enum { TITLE_BYTES_MAX = 100, COUNTER_BYTES_MAX = 256 };

size_t pk_bench_title_bytes(const char *id, bool *cut) {
    size_t bytes = strlen(id);
    *cut = bytes > TITLE_BYTES_MAX;
    if (*cut)
        for (bytes = TITLE_BYTES_MAX; bytes > 0 && (id[bytes] & 0xc0) == 0x80;) bytes--;
    return bytes;
}

static void text_or_null(pk_json *o, const char *key, const char *text) {
    if (text && text[0]) pk_json_text(o, key, text);
    else pk_json_null(o, key);
}

/* Negative: unknown. */
static void int_or_null(pk_json *o, const char *key, int value) {
    if (value >= 0) pk_json_int(o, key, value);
    else pk_json_null(o, key);
}

static void double_or_null(pk_json *o, const char *key, double value) {
    pk_json_double(o, key, value >= 0 ? value : NAN);
}

static void add_estimate(pk_json *parent, const char *key, const pk_estimate *e) {
    pk_json *o = pk_json_object(parent, key);
    pk_json_double(o, "point", e->point);
    pk_json_double(o, "low", e->low);
    pk_json_double(o, "high", e->high);
    pk_json_double(o, "standard_error", e->standard_error);
}

static void add_criterion(pk_json *parent, const char *key, const pk_criterion_estimates *e) {
    if (!e) {
        pk_json_null(parent, key);
        return;
    }
    pk_json *o = pk_json_object(parent, key);
    add_estimate(o, "mean", &e->mean);
    add_estimate(o, "median", &e->median);
    add_estimate(o, "median_abs_dev", &e->median_abs_dev);
    add_estimate(o, "std_dev", &e->std_dev);
    if (e->has_slope) add_estimate(o, "slope", &e->slope);
    else pk_json_null(o, "slope");
}

static void add_throughput(pk_json *parent, const pk_bench_throughput *t) {
    if (!t->given) {
        pk_json_null(parent, "throughput");
        return;
    }
    pk_json *o = pk_json_object(parent, "throughput");
    pk_json_text(o, "unit", t->bytes ? "bytes" : "elements");
    pk_json_uint(o, "per_iteration", t->per_iteration);
}

static void add_identity(pk_json *o, const pk_bench_result *r) {
    pk_json_text(o, "id", r->id);
    pk_json_text(o, "group", r->group);
    pk_json_text(o, "function", r->function);
    pk_json_text(o, "value", r->value);
    pk_json_double(o, "value_number", r->value_is_number ? r->value_number : NAN);
    add_throughput(o, &r->throughput);
    pk_json_text(o, "method", r->method);
    pk_json_text(o, "counter_names", r->counters);
    pk_json_text(o, "object", r->object);
    pk_json_text(o, "artefact", r->artefact);
}

static void add_settings(pk_json *o, const pk_bench_result *r) {
    pk_json_text(o, "metric", pk_bench_metric_name(r->metric));
    pk_json_double(o, "confidence_level", r->confidence_level);
    pk_json_double(o, "noise_threshold", r->noise_threshold);
    pk_json_double(o, "significance_level", r->significance_level);
    pk_json_double(o, "equivalence", r->equivalence);
    pk_json_uint(o, "started_unix_ns", r->started_unix_ns);
    pk_json_uint(o, "duration_ns", r->duration_ns);
    pk_json_bool(o, "failed", r->failed);
    pk_json_bool(o, "partial", r->partial);
}

static void add_counters(pk_json *parent, const pk_bench_result *r) {
    pk_bench_counter counters[PK_BENCH_COUNTERS_MAX];
    const size_t n = pk_bench_counters(r, counters);
    pk_json *list = pk_json_array(parent, "counters");
    for (size_t i = 0; i < n; i++) {
        char name[COUNTER_BYTES_MAX];
        snprintf(name, sizeof name, "%.*s", counters[i].name_bytes, counters[i].name);
        pk_json *o = pk_json_object(list, NULL);
        pk_json_text(o, "name", name);
        pk_json_double(o, "per_iteration", counters[i].per_iteration);
        pk_json_double(o, "old_per_iteration", counters[i].old_per_iteration);
    }
}

static void add_fences(pk_json *parent, const pk_fences *f) {
    pk_json *o = pk_json_object(parent, "fences");
    pk_json_double(o, "low_severe", f->low_severe);
    pk_json_double(o, "low_mild", f->low_mild);
    pk_json_double(o, "high_mild", f->high_mild);
    pk_json_double(o, "high_severe", f->high_severe);
}

static void add_modes(pk_json *parent, const pk_modes *modes) {
    pk_json *list = pk_json_array(parent, "modes");
    for (size_t i = 0; i < modes->count; i++) {
        pk_json *o = pk_json_object(list, NULL);
        pk_json_double(o, "value_ns", modes->mode[i].value);
        pk_json_double(o, "share", modes->mode[i].share);
    }
}

static void add_parts(pk_json *parent, const pk_bench_result *r) {
    if (!r->has_parts) {
        pk_json_null(parent, "parts");
        return;
    }
    pk_json *o = pk_json_object(parent, "parts");
    pk_json_double(o, "latency_ns", r->latency_ns);
    pk_json_double(o, "throughput_ns", r->throughput_ns);
    pk_json_double(o, "loop_ns", r->loop_ns);
}

void pk_bench_outliers_to_json(pk_json *parent, const pk_outlier_counts *counts) {
    pk_json *o = pk_json_object(parent, "outliers");
    pk_json_uint(o, "low_severe", counts->low_severe);
    pk_json_uint(o, "low_mild", counts->low_mild);
    pk_json_uint(o, "high_mild", counts->high_mild);
    pk_json_uint(o, "high_severe", counts->high_severe);
}

/* Without figures the keys are there all the same, as null. */
static void add_figures(pk_json *o, const pk_bench_result *r) {
    static const char *const keys[] = {
        "typical",  "between_runs_ns",   "criterion",  "fences",           "outliers", "modes",
        "clock_hz", "clock_range_ratio", "wait_ratio", "process_sd_ratio", "parts",    "counters"};
    if (r->failed) {
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) pk_json_null(o, keys[i]);
        return;
    }
    add_estimate(o, "typical", &r->typical);
    pk_json_double(o, "between_runs_ns", r->between_runs_ns);
    add_criterion(o, "criterion", &r->criterion);
    add_fences(o, &r->fences);
    pk_bench_outliers_to_json(o, &r->outliers);
    add_modes(o, &r->modes);
    pk_json_double(o, "clock_hz", r->clock_hz);
    pk_json_double(o, "clock_range_ratio", r->clock_range_ratio);
    pk_json_double(o, "wait_ratio", r->wait_ratio);
    pk_json_double(o, "process_sd_ratio", r->process_sd_ratio);
    add_parts(o, r);
    add_counters(o, r);
}

void pk_bench_verdict_to_json(pk_json *parent, const pk_verdict *v) {
    pk_json *o = pk_json_object(parent, "verdict");
    pk_json_text(o, "word", pk_verdict_name(v->word));
    pk_json_double(o, "estimate", v->estimate);
    pk_json_double(o, "low", v->low);
    pk_json_double(o, "high", v->high);
    pk_json_double(o, "bound", v->word == PK_NO_CHANGE ? v->bound : NAN);
    pk_json_double(o, "p", v->p);
    pk_json_double(o, "p_zero", v->p_zero);
    pk_json_uint_if(o, "workers_needed", v->workers_needed > 0, v->workers_needed);
}

static void add_change(pk_json *parent, const pk_bench_change *c) {
    if (c->source == PK_CHANGE_NONE) {
        pk_json_null(parent, "change");
        return;
    }
    pk_json *o = pk_json_object(parent, "change");
    pk_json_text(o, "source", pk_bench_source_name(c->source));
    pk_json_text(o, "baseline", c->baseline);
    pk_json_text(o, "old_artefact", c->old_artefact);
    pk_json_bool(o, "identical_code", c->identical_code);
    pk_json_bool(o, "normalised", c->normalised);
    pk_json_uint(o, "history", c->history);
    text_or_null(o, "refused", c->refused);
    add_estimate(o, "ratio", &c->ratio);
    pk_json_double(o, "old_ns", c->old_ns);
    add_criterion(o, "old", c->old);
    pk_json_double(o, "order_effect", c->order_effect);
    pk_bench_verdict_to_json(o, &c->verdict);
    pk_json *median = pk_json_object(o, "median");
    pk_json_double(median, "point", c->median_point);
    pk_json_double(median, "low", c->median_low);
    pk_json_double(median, "high", c->median_high);
}

static void add_warnings(pk_json *parent, const char *const *warnings, size_t n) {
    pk_json *list = pk_json_array(parent, "warnings");
    for (size_t i = 0; i < n; i++) pk_json_text(list, NULL, warnings[i]);
}

void pk_bench_failures_to_json(pk_json *parent, const pk_bench_result *r) {
    pk_json *list = pk_json_array(parent, "failures");
    for (size_t i = 0; i < r->n_failures; i++) {
        const pk_bench_failure *f = &r->failures[i];
        char text[PK_BENCH_FAILURE_MAX];
        pk_json *o = pk_json_object(list, NULL);
        pk_json_text(o, "kind", pk_bench_failure_name(f->kind));
        pk_json_text(o, "text", pk_bench_failure_text(text, sizeof text, f));
        pk_json_int(o, "number", f->number);
        pk_json_uint(o, "timeout_ns", f->timeout_ns);
        pk_json_text(o, "why", f->why);
        pk_json_text(o, "output", f->output);
    }
}

static void add_side(pk_json *parent, const char *key, const pk_bench_side *s, size_t n_counters) {
    if (s->units == 0) {
        pk_json_null(parent, key);
        return;
    }
    pk_json *o = pk_json_object(parent, key);
    pk_json_double(o, "trimmed_ns", s->trimmed_ns);
    pk_json_double(o, "mean_ns", s->mean_ns);
    pk_json_double(o, "min_ns", s->min_ns);
    pk_json_double(o, "q1_ns", s->q1_ns);
    pk_json_double(o, "median_ns", s->median_ns);
    pk_json_double(o, "q3_ns", s->q3_ns);
    pk_json_double(o, "wall_ns", s->wall_ns);
    pk_json_double(o, "cpu_ns", s->cpu_ns);
    pk_json_uint(o, "units", s->units);
    pk_json_uint(o, "iterations", s->iterations);
    pk_json *counters = pk_json_array(o, "counters");
    for (size_t i = 0; i < n_counters; i++) pk_json_double(counters, NULL, s->counters[i]);
}

static void add_worker(pk_json *list, const pk_bench_worker *w, size_t n_counters) {
    pk_json *o = pk_json_object(list, NULL);
    add_side(o, "new", &w->side[PK_SIDE_NEW], n_counters);
    add_side(o, "old", &w->side[PK_SIDE_OLD], n_counters);
    pk_json_bool(o, "old_first", w->old_first);
    int_or_null(o, "layout", w->layout);
    pk_json_double(o, "reference_ns", w->reference_ns);
    pk_json_double(o, "latency_ns", w->latency_ns);
    pk_json_double(o, "throughput_ns", w->throughput_ns);
    pk_json_double(o, "loop_ns", w->loop_ns);
    pk_json_text(o, "metric", pk_bench_metric_name(w->metric));
    pk_json_uint(o, "duration_ns", w->duration_ns);
    pk_json_uint(o, "wait_ns", w->wait_ns);
    pk_json_uint(o, "switches_voluntary", w->switches_voluntary);
    pk_json_uint(o, "switches_involuntary", w->switches_involuntary);
    pk_json_uint(o, "faults_minor", w->faults_minor);
    pk_json_uint(o, "faults_major", w->faults_major);
}

void pk_bench_result_to_json(pk_json *object, const pk_bench_result *r) {
    add_identity(object, r);
    add_settings(object, r);
    add_figures(object, r);
    add_change(object, &r->change);
    add_warnings(object, r->warnings, r->n_warnings);
    pk_bench_failures_to_json(object, r);
    pk_json_uint(object, "workers_former", r->n_workers_former);
    pk_json *workers = pk_json_array(object, "workers");
    pk_bench_counter counters[PK_BENCH_COUNTERS_MAX];
    const size_t n_counters = pk_bench_counters(r, counters);
    for (size_t i = 0; i < r->n_workers; i++) add_worker(workers, &r->workers[i], n_counters);
}

void pk_bench_environment_to_json(pk_json *o, const pk_environment *e) {
    text_or_null(o, "cpu_model", e->cpu_model);
    text_or_null(o, "microcode", e->microcode);
    text_or_null(o, "hypervisor", e->hypervisor);
    int_or_null(o, "cpus", e->cpus);
    int_or_null(o, "cpus_allowed", e->cpus_allowed);
    text_or_null(o, "scaling_driver", e->scaling_driver);
    text_or_null(o, "governor", e->governor);
    text_or_null(o, "cpuidle_driver", e->cpuidle_driver);
    int_or_null(o, "turbo", e->turbo);
    double_or_null(o, "mhz_min", e->mhz_min);
    double_or_null(o, "mhz_max", e->mhz_max);
    double_or_null(o, "mhz_now", e->mhz_now);
    int_or_null(o, "smt", e->smt);
    text_or_null(o, "isolated", e->isolated);
    text_or_null(o, "nohz_full", e->nohz_full);
    int_or_null(o, "aslr", e->aslr);
    text_or_null(o, "clock_source", e->clock_source);
    text_or_null(o, "kernel", e->kernel);
    text_or_null(o, "host", e->host);
    text_or_null(o, "boot_id", e->boot_id);
    double_or_null(o, "load_1", e->load_1);
    double_or_null(o, "load_5", e->load_5);
    double_or_null(o, "load_15", e->load_15);
    int_or_null(o, "runnable", e->runnable);
    double_or_null(o, "psi_cpu_some_10", e->psi_cpu_some_10);
    double_or_null(o, "temperature_c", e->temperature_c);
    int_or_null(o, "on_ac_power", e->on_ac_power);
    double_or_null(o, "timer_cost_ns", e->timer_cost_ns);
    text_or_null(o, "compiler", e->compiler);
    char id[65]; /* stored numbers are compared only where it is equal */
    pk_environment_id(e, id);
    pk_json_text(o, "id", id);
}

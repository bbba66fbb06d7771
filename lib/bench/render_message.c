/* cargo-criterion's messages: its keys in its order with its meaning, ours behind them. What it
 * leaves out or gets wrong is right under new names: `full_id` (its `id` is cut at 100 bytes),
 * `change.mean_percent` (its `change.*.unit` says "%" of numbers that are fractions). */
#include "bench/render.h"

#include <math.h>
#include <string.h>

#include "base/version.h"
#include "bench/render_parts.h"

static void add_title(pk_json *o, const char *key, const char *id) {
    char title[128];
    bool cut;
    size_t bytes = pk_bench_title_bytes(id, &cut);
    snprintf(title, sizeof title, "%.*s...", (int)bytes, id);
    pk_json_text(o, key, cut ? title : id);
}

static void add_estimate(pk_json *parent, const char *key, const pk_estimate *e, const char *unit) {
    pk_json *o = pk_json_object(parent, key);
    pk_json_double(o, "estimate", e->point);
    pk_json_double(o, "lower_bound", e->low);
    pk_json_double(o, "upper_bound", e->high);
    pk_json_text(o, "unit", unit);
}

static void add_sample(pk_json *o, const pk_bench_result *r) {
    pk_json *counts = pk_json_array(o, "iteration_count");
    for (size_t i = 0; i < r->n_workers; i++) {
        const pk_bench_side *s = pk_bench_sample(&r->workers[i]);
        if (s) pk_json_uint(counts, NULL, s->iterations);
    }
    pk_json *values = pk_json_array(o, "measured_values");
    for (size_t i = 0; i < r->n_workers; i++) {
        const pk_bench_side *s = pk_bench_sample(&r->workers[i]);
        if (s) pk_json_double(values, NULL, s->trimmed_ns * (double)s->iterations);
    }
    pk_json_text(o, "unit", "ns");
}

static void add_throughput(pk_json *o, const pk_bench_throughput *t) {
    pk_json *list = pk_json_array(o, "throughput");
    if (!t->given) return;
    pk_json *one = pk_json_object(list, NULL);
    pk_json_uint(one, "per_iteration", t->per_iteration);
    pk_json_text(one, "unit", t->bytes ? "bytes" : "elements");
}

static pk_estimate percent(const pk_estimate *ratio) {
    return (pk_estimate){ratio->point * 100, ratio->low * 100, ratio->high * 100,
                         ratio->standard_error * 100};
}

static void add_change(pk_json *parent, const pk_bench_change *c) {
    if (c->source == PK_CHANGE_NONE) {
        pk_json_null(parent, "change");
        return;
    }
    const pk_estimate median = {c->median_point, c->median_low, c->median_high, NAN};
    const pk_estimate mean_percent = percent(&c->ratio);
    pk_verdict_word word = c->verdict.word;
    pk_json *o = pk_json_object(parent, "change");
    add_estimate(o, "mean", &c->ratio, "%");
    add_estimate(o, "median", &median, "%");
    pk_json_text(o, "change",
                 word == PK_REGRESSED  ? "Regressed"
                 : word == PK_IMPROVED ? "Improved"
                                       : "NoChange");
    add_estimate(o, "mean_percent", &mean_percent, "%");
    pk_json_text(o, "verdict", pk_verdict_name(word));
    pk_json_text(o, "source", pk_bench_source_name(c->source));
    pk_json_text(o, "baseline", c->baseline);
    pk_json_bool(o, "identical_code", c->identical_code);
    pk_json_text(o, "refused", c->refused[0] ? c->refused : NULL);
    pk_json_double(o, "p_value", c->verdict.p_zero);
    pk_json_double(o, "p_beyond_threshold", c->verdict.p);
}

static void add_ours(pk_json *o, const pk_bench_result *r, const pk_bench_report *report) {
    pk_json_text(o, "schema", "bench-message/1");
    pk_json_text(o, "perfkit", PK_VERSION);
    pk_json_text(o, "full_id", r->id);
    pk_json_text(o, "group", r->group);
    pk_json_text(o, "function", r->function);
    pk_json_text(o, "value", r->value);
    add_estimate(o, "std_dev", &r->criterion.std_dev, "ns");
    pk_json_double(o, "between_runs", r->between_runs_ns);
    pk_json_double(o, "confidence_level", r->confidence_level);
    pk_json_double(o, "significance_level", r->significance_level);
    pk_json_double(o, "noise_threshold", r->noise_threshold);
    pk_bench_outliers_to_json(o, &r->outliers);
    pk_json_text(o, "metric", pk_bench_metric_name(r->metric));
    pk_json_text(o, "artefact", r->artefact);
    pk_json_bool(o, "partial", r->partial);
    pk_json_text(o, "history_id", report->history_id);
    pk_json_text(o, "history_description", report->history_description);
    pk_json *warnings = pk_json_array(o, "warnings");
    for (size_t i = 0; i < r->n_warnings; i++) pk_json_text(warnings, NULL, r->warnings[i]);
    pk_bench_environment_to_json(pk_json_object(o, "env"), &report->environment);
}

static void add_complete(pk_json *o, const pk_bench_result *r, const pk_bench_report *report,
                         const char *report_directory) {
    const pk_criterion_estimates *e = &r->criterion;
    pk_json_text(o, "reason", "benchmark-complete");
    add_title(o, "id", r->id);
    pk_json_text(o, "report_directory", report_directory);
    add_sample(o, r);
    add_throughput(o, &r->throughput);
    add_estimate(o, "typical", &r->typical, "ns");
    add_estimate(o, "mean", &e->mean, "ns");
    add_estimate(o, "median", &e->median, "ns");
    add_estimate(o, "median_abs_dev", &e->median_abs_dev, "ns");
    if (e->has_slope) add_estimate(o, "slope", &e->slope, "ns");
    else pk_json_null(o, "slope");
    add_change(o, &r->change);
    add_ours(o, r, report);
}

/* cargo-criterion has no word for it. */
static void add_failed(pk_json *o, const pk_bench_result *r) {
    pk_json_text(o, "reason", "benchmark-failed");
    add_title(o, "id", r->id);
    pk_json_text(o, "schema", "bench-message/1");
    pk_json_text(o, "perfkit", PK_VERSION);
    pk_json_text(o, "full_id", r->id);
    pk_bench_failures_to_json(o, r);
}

/* One line, and frees the object. */
static bool write_line(FILE *out, pk_json *o, pk_err *err) {
    bool ok = pk_json_write_compact(out, o, err);
    pk_json_free(o);
    if (!ok) return false;
    putc('\n', out);
    if (fflush(out) == 0 && !ferror(out)) return true;
    pk_fail(err, PK_E_SYS, NULL, "cannot write the message");
    return false;
}

bool pk_bench_render_message(FILE *out, const pk_bench_result *result,
                             const pk_bench_report *report, const char *report_directory,
                             pk_err *err) {
    pk_json *o = pk_json_new();
    if (result->failed) add_failed(o, result);
    else add_complete(o, result, report, report_directory);
    return write_line(out, o, err);
}

bool pk_bench_render_group_message(FILE *out, const pk_bench_report *report, const char *group,
                                   const char *report_directory, pk_err *err) {
    pk_json *o = pk_json_new();
    pk_json_text(o, "reason", "group-complete");
    pk_json_text(o, "group_name", group);
    pk_json *ids = pk_json_array(o, "benchmarks");
    for (size_t i = 0; i < report->n_results; i++)
        if (strcmp(report->results[i].group, group) == 0)
            add_title(ids, NULL, report->results[i].id);
    pk_json_text(o, "report_directory", report_directory);
    pk_json_text(o, "schema", "bench-message/1");
    pk_json_text(o, "perfkit", PK_VERSION);
    return write_line(out, o, err);
}

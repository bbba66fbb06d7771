/* OpenMetrics 1.0 text: cargo-criterion's two families with their labels, then ours. Families stand
 * together and are described; label values are escaped; what is not known has no sample. */
#include "bench/render.h"

#include <math.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/units.h"
#include "base/version.h"
#include "bench/store.h"
#include "report/escape.h"

enum { TEXT_BYTES_MAX = 64 << 10, DIRECTORY_MAX = 512 };

typedef struct writer {
    FILE *out;
    const pk_bench_report *report;
    pk_strbuf clean;
} writer;

/* ,name="value": UTF-8 with \\, \" and \n. separator: "{" or ",". */
static void put_label(writer *w, char separator, const char *name, const char *value) {
    pk_strbuf_clear(&w->clean);
    pk_escape_utf8(&w->clean, value, strlen(value));
    fprintf(w->out, "%c%s=\"", separator, name);
    for (const char *p = w->clean.data; *p; p++) {
        if (*p == '"' || *p == '\\') putc('\\', w->out);
        if (*p == '\n') fputs("\\n", w->out);
        else putc(*p, w->out);
    }
    putc('"', w->out);
}

/* Begins a sample with the labels that name the benchmark, as cargo-criterion's do: `id` is the
 * group. */
static void begin(writer *w, const char *name, const pk_bench_result *r) {
    fputs(name, w->out);
    put_label(w, '{', "id", r->group);
    if (r->function) put_label(w, ',', "function", r->function);
    if (r->value) put_label(w, ',', "input_size", r->value);
}

static void end(writer *w, double value) {
    char number[PK_FORMAT_MAX];
    fprintf(w->out, "} %s\n", pk_format_double(number, sizeof number, value));
}

static void describe(writer *w, const char *family, const char *type, const char *unit,
                     const char *help) {
    fprintf(w->out, "# TYPE %s %s\n", family, type);
    if (unit) fprintf(w->out, "# UNIT %s %s\n", family, unit);
    fprintf(w->out, "# HELP %s %s\n", family, help);
}

/* ---- what an estimate is made of ---- */

typedef void extra_labels(writer *w, const pk_bench_result *r);

static void no_labels(writer *w, const pk_bench_result *r) {
    (void)w, (void)r;
}

static void put_bound(writer *w, const char *family, const pk_bench_result *r, extra_labels *extra,
                      const char *aggregation, const char *bound, double value) {
    if (!isfinite(value)) return;
    begin(w, family, r);
    put_label(w, ',', "confidence", bound);
    if (aggregation) put_label(w, ',', "aggregation", aggregation);
    extra(w, r);
    end(w, value);
}

static void put_estimate(writer *w, const char *family, const pk_bench_result *r,
                         extra_labels *extra, const char *aggregation, double point, double low,
                         double high) {
    put_bound(w, family, r, extra, aggregation, "estimate", point);
    put_bound(w, family, r, extra, aggregation, "lower_bound", low);
    put_bound(w, family, r, extra, aggregation, "upper_bound", high);
}

/* ---- families: one sample or more of one measured benchmark ---- */

static void put_result(writer *w, const char *family, const pk_bench_result *r) {
    const struct {
        const char *aggregation;
        const pk_estimate *e;
    } all[] = {
        {"typical", &r->typical},           {"mean", &r->criterion.mean},
        {"median", &r->criterion.median},   {"median_abs_dev", &r->criterion.median_abs_dev},
        {"std_dev", &r->criterion.std_dev}, {"slope", &r->criterion.slope},
    };
    size_t n = sizeof all / sizeof all[0] - !r->criterion.has_slope;
    for (size_t i = 0; i < n; i++)
        put_estimate(w, family, r, no_labels, all[i].aggregation, all[i].e->point, all[i].e->low,
                     all[i].e->high);
}

static void put_info(writer *w, const char *family, const pk_bench_result *r) {
    char directory[DIRECTORY_MAX], path[DIRECTORY_MAX + 8];
    (void)family; /* samples of an info have a suffix */
    if (!pk_store_directory(r->group, r->function, r->value, directory, sizeof directory)) return;
    snprintf(path, sizeof path, "%s/report", directory);
    begin(w, "criterion_benchmark_info", r);
    put_label(w, ',', "report_directory", path);
    put_label(w, ',', "full_id", r->id);
    if (r->artefact) put_label(w, ',', "artefact", r->artefact);
    end(w, 1);
}

static void put_between_runs(writer *w, const char *family, const pk_bench_result *r) {
    if (!isfinite(r->between_runs_ns)) return;
    begin(w, family, r);
    end(w, r->between_runs_ns);
}

static void put_workers(writer *w, const char *family, const pk_bench_result *r) {
    begin(w, family, r);
    end(w, (double)r->n_workers);
}

static void put_rate(writer *w, const char *family, const pk_bench_result *r, bool bytes) {
    if (!r->throughput.given || r->throughput.bytes != bytes) return;
    double per_s_ns = (double)r->throughput.per_iteration * (double)PK_NS_PER_S;
    put_estimate(w, family, r, no_labels, NULL, per_s_ns / r->typical.point,
                 per_s_ns / r->typical.high, per_s_ns / r->typical.low);
}

static void put_bytes_rate(writer *w, const char *family, const pk_bench_result *r) {
    put_rate(w, family, r, true);
}

static void put_elements_rate(writer *w, const char *family, const pk_bench_result *r) {
    put_rate(w, family, r, false);
}

static void change_labels(writer *w, const pk_bench_result *r) {
    put_label(w, ',', "source", pk_bench_source_name(r->change.source));
    if (r->change.baseline) put_label(w, ',', "baseline", r->change.baseline);
}

static void put_change(writer *w, const char *family, const pk_bench_result *r) {
    const pk_bench_change *c = &r->change;
    if (c->source == PK_CHANGE_NONE) return;
    put_estimate(w, family, r, change_labels, "mean", c->ratio.point, c->ratio.low, c->ratio.high);
    put_estimate(w, family, r, change_labels, "median", c->median_point, c->median_low,
                 c->median_high);
}

static void put_verdict(writer *w, const char *family, const pk_bench_result *r) {
    static const pk_verdict_word words[] = {PK_REGRESSED, PK_IMPROVED, PK_NO_CHANGE,
                                            PK_CANNOT_TELL};
    if (r->change.source == PK_CHANGE_NONE) return;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        begin(w, family, r);
        change_labels(w, r);
        put_label(w, ',', family, pk_verdict_name(words[i]));
        end(w, words[i] == r->change.verdict.word);
    }
}

static const struct family {
    const char *name, *type, *unit, *help;
    void (*put)(writer *w, const char *family, const pk_bench_result *r);
} families[] = {
    {"criterion_benchmark_result_ns", "gauge", "ns", "Time of an iteration.", put_result},
    {"criterion_benchmark", "info", NULL, "The benchmark; its report is below the store's folder.",
     put_info},
    {"perfkit_benchmark_between_runs_ns", "gauge", "ns",
     "Half width in which the typical time of a further run is to be expected.", put_between_runs},
    {"perfkit_benchmark_workers", "gauge", NULL, "Worker processes measured.", put_workers},
    {"perfkit_benchmark_throughput_bytes_per_second", "gauge", "bytes_per_second",
     "Bytes processed per second.", put_bytes_rate},
    {"perfkit_benchmark_throughput_elements_per_second", "gauge", "elements_per_second",
     "Elements processed per second.", put_elements_rate},
    {"perfkit_benchmark_change_ratio", "gauge", "ratio",
     "Change of time against the baseline: 0.05 is 5 percent slower.", put_change},
    {"perfkit_benchmark_verdict", "stateset", NULL, "What the change means.", put_verdict},
};

/* ---- the whole ---- */

static void put_machine(writer *w) {
    const pk_environment *e = &w->report->environment;
    char id[65];
    pk_environment_id(e, id);
    describe(w, "perfkit_machine", "info", NULL, "The machine that measured.");
    fputs("perfkit_machine_info", w->out);
    put_label(w, '{', "environment", id);
    put_label(w, ',', "cpu_model", e->cpu_model);
    put_label(w, ',', "kernel", e->kernel);
    put_label(w, ',', "host", e->host);
    put_label(w, ',', "perfkit", PK_VERSION);
    end(w, 1);
}

static void put_failed(writer *w) {
    static const char family[] = "perfkit_benchmark_failed";
    describe(w, family, "gauge", NULL, "1: it crashed, hung or was refused, and has no figures.");
    for (size_t i = 0; i < w->report->n_results; i++) {
        begin(w, family, &w->report->results[i]);
        end(w, w->report->results[i].failed);
    }
}

bool pk_bench_render_openmetrics(FILE *out, const pk_bench_report *report, pk_err *err) {
    writer w = {.out = out, .report = report};
    pk_strbuf_init(&w.clean, TEXT_BYTES_MAX);
    for (size_t f = 0; f < sizeof families / sizeof families[0]; f++) {
        const struct family *one = &families[f];
        describe(&w, one->name, one->type, one->unit, one->help);
        for (size_t i = 0; i < report->n_results; i++)
            if (!report->results[i].failed) one->put(&w, one->name, &report->results[i]);
    }
    put_failed(&w);
    put_machine(&w);
    fputs("# EOF\n", out);
    pk_strbuf_fini(&w.clean);
    if (fflush(out) == 0 && !ferror(out)) return true;
    pk_fail(err, PK_E_SYS, NULL, "cannot write the metrics");
    return false;
}

/* The document "bench/1": all that is shown anywhere. docs/bench.schema.json describes it. */
#include "bench/render.h"

#include "bench/group_figures.h"

static void add_scans(pk_json *document, const pk_bench_report *report) {
    pk_bench_scan scan;
    pk_json *list = pk_json_array(document, "growth");
    for (size_t i = 0; i < report->n_results; i++) {
        if (!pk_bench_scan_of(report, i, &scan)) continue;
        pk_json *o = pk_json_object(list, NULL);
        pk_json_text(o, "group", report->results[i].group);
        pk_json_text(o, "function", report->results[i].function);
        pk_json_text(o, "of", pk_growth_name(scan.fit.growth));
        pk_json_double(o, "coefficient_ns", scan.fit.coefficient);
        pk_json_double(o, "rms", scan.fit.rms);
        pk_json *ids = pk_json_array(o, "benchmarks");
        for (size_t k = 0; k < scan.n; k++) pk_json_text(ids, NULL, scan.results[k]->id);
    }
}

static void add_relatives(pk_json *document, const pk_bench_report *report) {
    pk_bench_relative relative;
    pk_json *list = pk_json_array(document, "relative");
    for (size_t i = 0; i < report->n_results; i++) {
        if (!pk_bench_relative_of(report, i, &relative)) continue;
        pk_json *o = pk_json_object(list, NULL);
        pk_json_text(o, "id", report->results[i].id);
        pk_json_text(o, "fastest", relative.fastest->id);
        pk_json_double(o, "ratio", relative.ratio.point);
        pk_json_double(o, "low", relative.ratio.low);
        pk_json_double(o, "high", relative.ratio.high);
    }
}

static void add_run(pk_json *d, const pk_bench_report *report) {
    pk_json_uint(d, "seed", report->seed);
    pk_json_uint(d, "nresamples", report->nresamples);
    pk_json_bool(d, "quick", report->quick);
    pk_json_bool(d, "interrupted", report->interrupted);
    pk_json_text(d, "history_id", report->history_id);
    pk_json_text(d, "history_description", report->history_description);
    pk_json_uint(d, "started_unix_ns", report->started_unix_ns);
    pk_json_uint(d, "duration_ns", report->duration_ns);
    pk_json *warnings = pk_json_array(d, "warnings");
    for (size_t i = 0; i < report->n_warnings; i++)
        pk_json_text(warnings, NULL, report->warnings[i]);
    pk_bench_environment_to_json(pk_json_object(d, "environment"), &report->environment);
}

bool pk_bench_render_json(FILE *out, const pk_bench_report *report, pk_err *err) {
    pk_json *d = pk_json_document("bench/1");
    add_run(d, report);
    pk_json *list = pk_json_array(d, "benchmarks");
    for (size_t i = 0; i < report->n_results; i++)
        pk_bench_result_to_json(pk_json_object(list, NULL), &report->results[i]);
    add_relatives(d, report);
    add_scans(d, report);
    bool ok = pk_json_write(out, d, err);
    pk_json_free(d);
    return ok;
}

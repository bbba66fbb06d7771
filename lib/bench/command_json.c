/* Commands as JSON: our document, schema "time/1". Times are seconds, as hyperfine's are. */
#include "bench/command_json_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/render.h"
#include "bench/render_parts.h"

/* ---- figures ---- */

static void add_interval(pk_json *parent, const char *key, const pk_command_interval *i) {
    pk_json *o = pk_json_object(parent, key);
    pk_json_double(o, "point", i->point);
    pk_json_double(o, "low", i->low);
    pk_json_double(o, "high", i->high);
}

static void add_figures(pk_json *parent, const char *key, const pk_command_figures *f) {
    static const int at[] = PK_COMMAND_PERCENTILES;
    pk_json *o = pk_json_object(parent, key);
    pk_json_uint(o, "n", f->n);
    pk_json_double(o, "mean", f->mean);
    pk_json_double(o, "sd", f->sd);
    pk_json_double(o, "min", f->min);
    pk_json_double(o, "max", f->max);
    pk_json_double(o, "mad", f->mad);
    add_interval(o, "median", &f->median);
    add_interval(o, "mean_interval", &f->mean_ci);
    pk_json *percentiles = pk_json_object(o, "percentiles");
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        char name[8];
        snprintf(name, sizeof name, "p%d", at[i]);
        pk_json_double(percentiles, name, f->percentile[i]);
    }
}

static void add_counter_values(pk_json *parent, const double value[PK_COUNTERS], bool user_only) {
    pk_json *o = pk_json_object(parent, "counters");
    for (size_t i = 0; i < PK_COUNTERS; i++)
        pk_json_double(o, pk_counter_name((pk_counter)i), value[i]);
    pk_json_bool(o, "user_only", user_only);
}

static void add_mean_counters(pk_json *o, const pk_command_report *report,
                              const pk_command_result *r) {
    double value[PK_COUNTERS];
    for (size_t i = 0; i < PK_COUNTERS; i++)
        value[i] = pk_command_counter(report, r, (pk_counter)i);
    add_counter_values(o, value, pk_command_counters_user_only(r));
}

static void add_changes(pk_json *parent, const char *key, const pk_command_report *report,
                        const pk_command_change changes[2]) {
    pk_json *list = pk_json_array(parent, key);
    for (size_t i = 0; i < 2; i++) {
        if (!changes[i].compared) continue;
        pk_json *o = pk_json_object(list, NULL);
        pk_json_text(
            o, "metric",
            pk_command_metric_name(i == 0 ? pk_command_ranked_by(report) : PK_COMMAND_CPU));
        pk_bench_verdict_to_json(o, &changes[i].verdict);
        pk_json_double(o, "confidence_level", changes[i].confidence);
        pk_json_uint(o, "blocks", changes[i].blocks);
        pk_json_bool(o, "grouped", changes[i].grouped);
        pk_json_text(o, "refused", changes[i].refused);
        pk_json_bool(o, "elsewhere", changes[i].elsewhere);
    }
}

static void add_ratio(pk_json *o, const pk_command_result *r) {
    pk_json *ratio = pk_json_object(o, "ratio");
    pk_json_double(ratio, "point", r->ratio);
    pk_json_double(ratio, "sd", r->ratio_sd);
    pk_json_bool(o, "fastest", r->is_fastest);
    pk_json_bool(o, "reference", r->is_reference);
}

/* ---- the case ---- */

static const char *output_text(const pk_command_case *of) {
    static const char *const names[] = {
        [PK_OUTPUT_NULL] = "null", [PK_OUTPUT_PIPE] = "pipe", [PK_OUTPUT_INHERIT] = "inherit"};
    return of->output == PK_OUTPUT_FILE ? of->output_path : names[of->output];
}

static void add_case(pk_json *o, const pk_command_case *of) {
    pk_json_text(o, "command", of->command);
    pk_json_text(o, "name", of->name);
    pk_json *argv = pk_json_array(o, "argv");
    for (size_t i = 0; of->argv && of->argv[i]; i++) pk_json_text(argv, NULL, of->argv[i]);
    pk_json_bool(o, "through_shell", of->through_shell);
    pk_json *parameters = pk_json_object(o, "parameters");
    for (size_t i = 0; i < of->n_parameters; i++)
        pk_json_text(parameters, of->parameters[i].name, of->parameters[i].value);
    pk_json_text(o, "setup", of->setup);
    pk_json_text(o, "prepare", of->prepare);
    pk_json_text(o, "conclude", of->conclude);
    pk_json_text(o, "cleanup", of->cleanup);
    pk_json_text(o, "output", output_text(of));
}

/* ---- runs ---- */

void pk_command_bytes_to_json(pk_json *parent, const char *key, const pk_command_run *run) {
    pk_json_uint_if(parent, key, run->rss_bytes > 0, run->rss_bytes);
}

static void add_run(pk_json *list, const pk_command_report *report, const pk_command_run *run) {
    pk_json *o = pk_json_object(list, NULL);
    double counters[PK_COUNTERS];
    pk_json_double(o, "wall", run->wall_s);
    pk_json_double(o, "user", run->user_s);
    pk_json_double(o, "system", run->system_s);
    pk_json_double(o, "launch", run->launch_s);
    pk_json_double(o, "shell", run->shell_s);
    pk_command_bytes_to_json(o, "memory_bytes", run);
    pk_json_bool(o, "memory_at_most", run->rss_is_floor);
    pk_json_uint(o, "faults_minor", run->faults_minor);
    pk_json_uint(o, "faults_major", run->faults_major);
    pk_json_uint(o, "switches_voluntary", run->switches_voluntary);
    pk_json_uint(o, "switches_involuntary", run->switches_involuntary);
    pk_json_uint(o, "blocks_in", run->blocks_in);
    pk_json_uint(o, "blocks_out", run->blocks_out);
    for (size_t i = 0; i < PK_COUNTERS; i++)
        counters[i] = run->counters.known[i] ? run->counters.value[i] : (double)NAN;
    add_counter_values(o, counters, run->counters.user_only);
    pk_json_int(o, "exit_code", pk_command_status(run));
    pk_json_bool(o, "failed", run->failed);
    pk_json_bool(o, "timed_out", run->timed_out);
    pk_json_bool(o, "counted", pk_command_counted(report, run));
    pk_json_uint(o, "round", run->round);
    pk_json_uint(o, "place", run->place);
}

static void add_failure(pk_json *o, const pk_command_failure *f) {
    if (!f) {
        pk_json_null(o, "first_failure");
        return;
    }
    pk_json *failure = pk_json_object(o, "first_failure");
    pk_json_text(failure, "what", f->what);
    pk_json_text(failure, "output", f->output);
    pk_json_bool(failure, "cut", f->cut);
    pk_json_int(failure, "exit_code", f->signal ? 128 + f->signal : f->code);
}

void pk_command_result_to_json(pk_json *o, const pk_command_report *report, size_t index) {
    const pk_command_result *r = &report->results[index];
    add_case(o, r->of);
    pk_json_uint(o, "failed", r->n_failed);
    pk_json_uint(o, "timed_out", r->n_timed_out);
    add_failure(o, r->first_failure);
    add_figures(o, "wall", &r->wall);
    add_figures(o, "cpu", &r->cpu);
    add_figures(o, "user", &r->user);
    add_figures(o, "system", &r->system);
    add_figures(o, "memory", &r->rss);
    add_figures(o, "instructions", &r->instructions);
    add_mean_counters(o, report, r);
    add_ratio(o, r);
    add_changes(o, "changes", report, r->change);
    add_changes(o, "baseline_changes", report, r->stored);
    pk_json_double(o, "first_run", r->first_run_s);
    pk_json_bool(o, "first_run_slow", r->first_run_slow);
    pk_json_uint(o, "outliers", r->outliers);
    pk_json *warnings = pk_json_array(o, "warnings");
    for (size_t i = 0; i < r->n_warnings; i++) pk_json_text(warnings, NULL, r->warnings[i]);
    pk_json *runs = pk_json_array(o, "runs");
    for (size_t i = 0; i < r->n_runs; i++) add_run(runs, report, &r->runs[i]);
}

/* ---- the document ---- */

static void add_shell(pk_json *d, const pk_command_report *report) {
    if (!report->shell_used) {
        pk_json_null(d, "shell");
        return;
    }
    pk_json *o = pk_json_object(d, "shell");
    pk_json_double(o, "mean", report->shell_s);
    pk_json_double(o, "sd", report->shell_sd_s);
}

static void add_measurement(pk_json *d, const pk_command_report *report) {
    const pk_command_options *options = report->options;
    pk_json_uint(d, "started_unix_ns", report->started_unix_ns);
    pk_json_uint(d, "duration_ns", report->duration_ns);
    pk_json_uint(d, "seed", report->seed);
    pk_json_bool(d, "interrupted", report->interrupted);
    pk_json_bool(d, "partial", report->partial);
    pk_json_text(d, "order", pk_command_order_name(report));
    pk_json_text(d, "metric", pk_command_metric_name(pk_command_ranked_by(report)));
    pk_json_bool(d, "launch_included", options && options->launch_included);
    pk_json_double(d, "confidence_level", pk_command_confidence(report));
    pk_json_double(d, "noise_threshold", options ? options->noise_threshold : (double)NAN);
    pk_json_double(d, "equivalence", options ? options->equivalence : (double)NAN);
    add_shell(d, report);
    pk_bench_environment_to_json(pk_json_object(d, "environment"), &report->environment);
}

bool pk_command_json_finish(pk_json *document, pk_strbuf *out, pk_err *err) {
    char *text = NULL;
    size_t bytes = 0;
    FILE *stream = open_memstream(&text, &bytes);
    bool ok = stream && pk_json_write(stream, document, err);
    if (!stream) pk_fail(err, PK_E_LIMIT, NULL, "out of memory for the JSON document");
    else if (fclose(stream) != 0 && ok) {
        pk_fail(err, PK_E_LIMIT, NULL, "out of memory for the JSON document");
        ok = false;
    }
    if (ok) pk_strbuf_add(out, text, bytes);
    if (ok && !pk_strbuf_ok(out)) {
        pk_fail(err, PK_E_LIMIT, NULL, "the JSON document is too large");
        ok = false;
    }
    free(text);
    pk_json_free(document);
    return ok;
}

bool pk_command_json(const pk_command_report *report, pk_strbuf *out, pk_err *err) {
    pk_json *d = pk_json_document("time/1");
    add_measurement(d, report);
    pk_json *results = pk_json_array(d, "results");
    for (size_t i = 0; i < report->n_results; i++)
        pk_command_result_to_json(pk_json_object(results, NULL), report, i);
    return pk_command_json_finish(d, out, err);
}

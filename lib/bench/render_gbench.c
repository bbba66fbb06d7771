/* google/benchmark's files: JSON (its json_schema_version 1) and CSV, for compare.py and what else
 * reads them. Keys and columns in its order. */
#include "bench/render.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "base/units.h"
#include "base/version.h"
#include "bench/gbench.h"

enum { NAME_MAX_BYTES = 4096 };

static bool is_aggregate(pk_gbench_kind kind) {
    return kind != PK_GBENCH_ITERATION && kind != PK_GBENCH_ERROR;
}

/* What made a failed benchmark fail, in one line. */
static char *error_text(char *out, size_t size, const pk_bench_result *r) {
    char text[PK_BENCH_FAILURE_MAX] = "nothing was measured";
    const char *why = "";
    if (r->n_failures) {
        pk_bench_failure_text(text, sizeof text, &r->failures[0]);
        why = r->failures[0].why;
    }
    snprintf(out, size, "%s%s%s", text, why[0] ? ": " : "", why);
    return out;
}

/* ---- JSON ---- */

static void add_date(pk_json *context, uint64_t unix_ns) {
    time_t seconds = (time_t)(unix_ns / PK_NS_PER_S);
    struct tm tm;
    char date[64];
    if (gmtime_r(&seconds, &tm) && strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S+00:00", &tm))
        pk_json_text(context, "date", date);
    else pk_json_null(context, "date");
}

static void add_context(pk_json *document, const pk_bench_report *report) {
    const pk_environment *e = &report->environment;
    pk_json *o = pk_json_object(document, "context");
    add_date(o, report->started_unix_ns);
    pk_json_text(o, "host_name", e->host);
    pk_json_text(o, "executable", "perfkit");
    pk_json_int(o, "num_cpus", e->cpus);
    pk_json_double(o, "mhz_per_cpu", e->mhz_now >= 0 ? round(e->mhz_now) : NAN);
    if (e->governor[0])
        pk_json_bool(o, "cpu_scaling_enabled", strcmp(e->governor, "performance") != 0);
    else pk_json_null(o, "cpu_scaling_enabled");
    if (e->aslr >= 0) pk_json_bool(o, "aslr_enabled", e->aslr > 0);
    else pk_json_null(o, "aslr_enabled");
    pk_json_array(o, "caches"); /* not looked at */
    pk_json *load = pk_json_array(o, "load_avg");
    pk_json_double(load, NULL, e->load_1);
    pk_json_double(load, NULL, e->load_5);
    pk_json_double(load, NULL, e->load_15);
    pk_json_text(o, "library_version", "perfkit " PK_VERSION);
    pk_json_text(o, "library_build_type", "release");
    pk_json_uint(o, "json_schema_version", 1);
}

static void add_times(pk_json *o, const pk_gbench_row *row) {
    if (row->kind == PK_GBENCH_RMS) {
        pk_json_double(o, "rms", row->real);
        return;
    }
    bool growth = row->kind == PK_GBENCH_BIG_O;
    pk_json_double(o, growth ? "cpu_coefficient" : "real_time", growth ? row->cpu : row->real);
    pk_json_double(o, growth ? "real_coefficient" : "cpu_time", growth ? row->real : row->cpu);
    if (growth) pk_json_text(o, "big_o", pk_gbench_big_o(row->growth));
    pk_json_text(o, "time_unit", "ns");
}

static void add_error(pk_json *o, const pk_bench_result *r) {
    char text[512];
    pk_json_bool(o, "error_occurred", true);
    pk_json_text(o, "error_message", error_text(text, sizeof text, r));
}

static void add_row(void *context, const pk_gbench_row *row) {
    const pk_bench_result *r = row->result;
    char name[NAME_MAX_BYTES];
    pk_json *o = pk_json_object(context, NULL);
    pk_json_text(o, "name", pk_gbench_name(name, sizeof name, row));
    pk_json_uint(o, "family_index", row->family);
    pk_json_uint(o, "per_family_instance_index", row->instance);
    pk_json_text(o, "run_name", pk_gbench_run_name(name, sizeof name, row));
    pk_json_text(o, "run_type", is_aggregate(row->kind) ? "aggregate" : "iteration");
    pk_json_uint(o, "repetitions", pk_bench_samples(r));
    if (!is_aggregate(row->kind)) pk_json_uint(o, "repetition_index", row->repetition);
    pk_json_uint(o, "threads", 1);
    if (is_aggregate(row->kind)) {
        pk_json_text(o, "aggregate_name", pk_gbench_kind_name(row->kind));
        pk_json_text(o, "aggregate_unit", pk_gbench_is_ratio(row->kind) ? "percentage" : "time");
    }
    if (row->kind == PK_GBENCH_ERROR) add_error(o, r);
    if (!pk_gbench_is_growth(row->kind)) pk_json_uint(o, "iterations", row->iterations);
    add_times(o, row);
    if (isfinite(row->per_second))
        pk_json_double(o, r->throughput.bytes ? "bytes_per_second" : "items_per_second",
                       row->per_second);
}

bool pk_bench_render_gbench_json(FILE *out, const pk_bench_report *report, pk_err *err) {
    pk_json *document = pk_json_new();
    add_context(document, report);
    bool ok = pk_gbench_rows(report, add_row, pk_json_array(document, "benchmarks"), err) &&
              pk_json_write(out, document, err);
    pk_json_free(document);
    return ok;
}

/* ---- CSV ---- */

static void put_quoted(FILE *out, const char *text) {
    putc('"', out);
    for (; *text; text++) {
        if (*text == '"') putc('"', out);
        putc(*text, out);
    }
    putc('"', out);
}

static void put_number(FILE *out, double value) {
    char number[PK_FORMAT_MAX];
    if (isfinite(value)) fputs(pk_format_double(number, sizeof number, value), out);
    putc(',', out);
}

/* name,iterations,real_time,cpu_time,time_unit,bytes_per_second,items_per_second,label,
 * error_occurred,error_message */
static void put_csv_row(void *context, const pk_gbench_row *row) {
    FILE *out = context;
    char text[NAME_MAX_BYTES];
    put_quoted(out, pk_gbench_name(text, sizeof text, row));
    putc(',', out);
    if (row->kind == PK_GBENCH_ERROR) {
        fputs(",,,,,,,true,", out);
        put_quoted(out, error_text(text, sizeof text, row->result));
        putc('\n', out);
        return;
    }
    bool growth = pk_gbench_is_growth(row->kind), bytes = row->result->throughput.bytes;
    if (!growth) fprintf(out, "%" PRIu64, row->iterations);
    putc(',', out);
    put_number(out, row->real);
    put_number(out, row->cpu);
    if (row->kind == PK_GBENCH_BIG_O) fputs(pk_gbench_big_o(row->growth), out);
    else if (!pk_gbench_is_ratio(row->kind)) fputs("ns", out);
    putc(',', out);
    put_number(out, bytes ? row->per_second : NAN);
    put_number(out, bytes ? NAN : row->per_second);
    fputs(",,\n", out);
}

bool pk_bench_render_gbench_csv(FILE *out, const pk_bench_report *report, pk_err *err) {
    fputs("name,iterations,real_time,cpu_time,time_unit,bytes_per_second,items_per_second,label,"
          "error_occurred,error_message\n",
          out);
    if (!pk_gbench_rows(report, put_csv_row, out, err)) return false;
    if (fflush(out) == 0 && !ferror(out)) return true;
    pk_fail(err, PK_E_SYS, NULL, "cannot write the CSV file");
    return false;
}

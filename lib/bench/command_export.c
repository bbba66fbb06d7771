/* The export formats of hyperfine: its keys, columns and layout. JSON has keys of ours behind its
 * own; CSV_RUNS is ours altogether. */
#include "bench/command_render.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "bench/command_json_parts.h"
#include "bench/command_render_parts.h"

static bool out_of_memory(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "out of memory for the export");
    return false;
}

/* ---- JSON ---- */

static void add_times(pk_json *o, const pk_command_report *report, const pk_command_result *r) {
    pk_json *list = pk_json_array(o, "times");
    for (size_t i = 0; i < r->n_runs; i++)
        if (pk_command_counted(report, &r->runs[i])) pk_json_float(list, NULL, r->runs[i].wall_s);
}

/* hyperfine's keys in its order. The lists hold the runs that are in the figures. */
static void add_hyperfine_keys(pk_json *o, const pk_command_report *report,
                               const pk_command_result *r) {
    pk_json_text(o, "command", r->of->name);
    pk_json_float(o, "mean", r->wall.mean);
    pk_json_float(o, "stddev", r->wall.sd);
    pk_json_float(o, "median", r->wall.median.point);
    pk_json_float(o, "user", r->user.mean);
    pk_json_float(o, "system", r->system.mean);
    pk_json_float(o, "min", r->wall.min);
    pk_json_float(o, "max", r->wall.max);
    add_times(o, report, r);
    pk_json *memory = pk_json_array(o, "memory_usage_byte");
    for (size_t i = 0; i < r->n_runs; i++)
        if (pk_command_counted(report, &r->runs[i]))
            pk_command_bytes_to_json(memory, NULL, &r->runs[i]);
    pk_json *codes = pk_json_array(o, "exit_codes");
    for (size_t i = 0; i < r->n_runs; i++)
        if (pk_command_counted(report, &r->runs[i]))
            pk_json_int(codes, NULL, pk_command_status(&r->runs[i]));
    if (r->of->n_parameters == 0) return;
    pk_json *parameters = pk_json_object(o, "parameters");
    for (size_t i = 0; i < r->of->n_parameters; i++)
        pk_json_text(parameters, r->of->parameters[i].name, r->of->parameters[i].value);
}

static bool json(const pk_command_report *report, const pk_command_style *style, pk_strbuf *out,
                 pk_err *err) {
    pk_json *document = pk_json_new();
    pk_json *results = pk_json_array(document, "results");
    for (size_t i = 0; i < report->n_results; i++) {
        pk_json *o = pk_json_object(results, NULL);
        add_hyperfine_keys(o, report, &report->results[i]);
        if (!style->hyperfine) pk_command_result_to_json(pk_json_object(o, "perfkit"), report, i);
    }
    return pk_command_json_finish(document, out, err);
}

/* ---- CSV ---- */

/* RFC 4180: quoted where it must be. */
static void csv_text(pk_strbuf *out, const char *text) {
    if (!text[strcspn(text, ",\"\r\n")]) {
        pk_strbuf_add_str(out, text);
        return;
    }
    pk_strbuf_add_char(out, '"');
    for (; *text; text++) {
        if (*text == '"') pk_strbuf_add_char(out, '"');
        pk_strbuf_add_char(out, *text);
    }
    pk_strbuf_add_char(out, '"');
}

/* An empty field for what is not known. */
static void csv_number(pk_strbuf *out, double value) {
    char text[PK_FORMAT_MAX];
    pk_strbuf_add_char(out, ',');
    if (isfinite(value)) pk_strbuf_add_str(out, pk_format_double(text, sizeof text, value));
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The parameters of all results, by name, each once. NULL: out of memory; the caller frees it. */
static const char **parameter_names(const pk_command_report *report, size_t *n) {
    size_t room = 0, kept = 0;
    for (size_t i = 0; i < report->n_results; i++) room += report->results[i].of->n_parameters;
    const char **names = calloc(room + 1, sizeof *names);
    if (!names) return NULL;
    room = 0;
    for (size_t i = 0; i < report->n_results; i++)
        for (size_t k = 0; k < report->results[i].of->n_parameters; k++)
            names[room++] = report->results[i].of->parameters[k].name;
    qsort(names, room, sizeof *names, by_name);
    for (size_t i = 0; i < room; i++)
        if (kept == 0 || strcmp(names[kept - 1], names[i]) != 0) names[kept++] = names[i];
    *n = kept;
    return names;
}

static void csv_parameters(pk_strbuf *out, const pk_command_case *of, size_t n,
                           const char *const names[]) {
    for (size_t i = 0; i < n; i++) {
        const char *value = "";
        for (size_t k = 0; k < of->n_parameters; k++)
            if (strcmp(of->parameters[k].name, names[i]) == 0) value = of->parameters[k].value;
        pk_strbuf_add_char(out, ',');
        csv_text(out, value);
    }
}

static void csv_head(pk_strbuf *out, const char *columns, size_t n, const char *const names[]) {
    pk_strbuf_add_str(out, columns);
    for (size_t i = 0; i < n; i++) {
        char name[256];
        snprintf(name, sizeof name, "parameter_%s", names[i]);
        pk_strbuf_add_char(out, ',');
        csv_text(out, name);
    }
    pk_strbuf_add_char(out, '\n');
}

static bool csv(const pk_command_report *report, const pk_command_style *style, pk_strbuf *out,
                pk_err *err) {
    size_t n = 0;
    const char **names = parameter_names(report, &n);
    (void)style;
    if (!names) return out_of_memory(err);
    csv_head(out, "command,mean,stddev,median,user,system,min,max", n, names);
    for (size_t i = 0; i < report->n_results; i++) {
        const pk_command_result *r = &report->results[i];
        const pk_command_figures *w = &r->wall;
        const double values[] = {w->mean,      w->n == 1 ? 0 : w->sd, w->median.point,
                                 r->user.mean, r->system.mean,        w->min,
                                 w->max};
        csv_text(out, r->of->name);
        for (size_t k = 0; k < sizeof values / sizeof values[0]; k++) csv_number(out, values[k]);
        csv_parameters(out, r->of, n, names);
        pk_strbuf_add_char(out, '\n');
    }
    free(names);
    return true;
}

/* ---- CSV_RUNS ---- */

static void csv_count(pk_strbuf *out, uint64_t value) {
    pk_strbuf_addf(out, ",%" PRIu64, value);
}

static void run_row(pk_strbuf *out, const pk_command_report *report, const pk_command_result *r,
                    size_t index) {
    const pk_command_run *run = &r->runs[index];
    csv_text(out, r->of->name);
    pk_strbuf_addf(out, ",%zu", index);
    csv_count(out, run->round);
    csv_count(out, run->place);
    const double times[] = {run->wall_s, run->user_s, run->system_s, run->launch_s, run->shell_s};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) csv_number(out, times[i]);
    csv_number(out, run->rss_bytes ? (double)run->rss_bytes : (double)NAN);
    pk_strbuf_add_str(out, run->rss_is_floor ? ",true" : ",false");
    const uint64_t counts[] = {run->faults_minor,       run->faults_major,
                               run->switches_voluntary, run->switches_involuntary,
                               run->blocks_in,          run->blocks_out};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) csv_count(out, counts[i]);
    for (size_t i = 0; i < PK_COUNTERS; i++)
        csv_number(out, run->counters.known[i] ? run->counters.value[i] : (double)NAN);
    pk_strbuf_addf(out, ",%d", pk_command_status(run));
    pk_strbuf_add_str(out, run->failed ? ",true" : ",false");
    pk_strbuf_add_str(out, run->timed_out ? ",true" : ",false");
    pk_strbuf_add_str(out, pk_command_counted(report, run) ? ",true" : ",false");
}

static bool csv_runs(const pk_command_report *report, const pk_command_style *style, pk_strbuf *out,
                     pk_err *err) {
    size_t n = 0;
    const char **names = parameter_names(report, &n);
    (void)style;
    if (!names) return out_of_memory(err);
    csv_head(out,
             "command,run,round,place,wall,user,system,launch,shell,memory_byte,memory_at_most,"
             "faults_minor,faults_major,switches_voluntary,switches_involuntary,blocks_in,"
             "blocks_out,instructions,cycles,branch_misses,cache_misses,exit_code,failed,timed_out,"
             "counted",
             n, names);
    for (size_t i = 0; i < report->n_results; i++)
        for (size_t k = 0; k < report->results[i].n_runs; k++) {
            run_row(out, report, &report->results[i], k);
            csv_parameters(out, report->results[i].of, n, names);
            pk_strbuf_add_char(out, '\n');
        }
    free(names);
    return true;
}

/* ---- tables ---- */

/* One table format: what stands around its parts. */
typedef struct markup {
    const char *begin;
    const char *head_first, *head_command, *head_end;
    const char *rule; /* between head and rows */
    const char *row_begin, *command_first, *command_end, *row_end;
    const char *cell; /* between two of a row, or of the head */
    const char *end;
} markup;

static const markup markdown = {
    .begin = "",
    .head_first = "| ",
    .head_command = "Command",
    .head_end = " |\n",
    .rule = "|:---|---:|---:|---:|---:|\n",
    .row_begin = "",
    .command_first = "| `",
    .command_end = "`",
    .cell = " | ",
    .row_end = " |\n",
    .end = "",
};
static const markup asciidoc = {
    .begin = "[cols=\"<,>,>,>,>\"]\n|===\n",
    .head_first = "| ",
    .head_command = "Command",
    .head_end = " \n",
    .rule = "",
    .row_begin = "\n",
    .command_first = "| `",
    .command_end = "`",
    .cell = " \n| ",
    .row_end = " \n",
    .end = "|===\n",
};
static const markup org = {
    .begin = "",
    .head_first = "| ",
    .head_command = "Command ",
    .head_end = " |\n",
    .rule = "|--+--+--+--+--|\n",
    .row_begin = "",
    .command_first = "| =",
    .command_end = "= ",
    .cell = " |  ",
    .row_end = " |\n",
    .end = "",
};

static void escape_bars(pk_strbuf *out, const char *text) {
    for (; *text; text++) {
        if (*text == '|') pk_strbuf_add_char(out, '\\');
        pk_strbuf_add_char(out, *text);
    }
}

static void table_row(pk_strbuf *out, const markup *m, const pk_command_report *report,
                      size_t index, size_t fastest, pk_command_unit unit) {
    const pk_command_result *r = &report->results[index];
    char text[PK_COMMAND_TEXT_MAX];
    pk_strbuf_add_str(out, m->row_begin);
    pk_strbuf_add_str(out, m->command_first);
    escape_bars(out, r->of->shown);
    pk_strbuf_add_str(out, m->command_end);
    pk_strbuf_addf(out, "%s%s", m->cell, pk_command_number(text, r->wall.mean, unit));
    if (isfinite(r->wall.sd))
        pk_strbuf_addf(out, " ± %s", pk_command_number(text, r->wall.sd, unit));
    pk_strbuf_addf(out, "%s%s", m->cell, pk_command_number(text, r->wall.min, unit));
    pk_strbuf_addf(out, "%s%s", m->cell, pk_command_number(text, r->wall.max, unit));
    pk_strbuf_add_str(out, m->cell);
    double sd = NAN, ratio = 1;
    if (index != fastest) pk_command_ratio(&r->wall, &report->results[fastest].wall, &ratio, &sd);
    if (isfinite(ratio)) pk_strbuf_addf(out, "%.2f", ratio);
    else pk_strbuf_add_char(out, '-');
    if (isfinite(sd)) pk_strbuf_addf(out, " ± %.2f", sd);
    pk_strbuf_add_str(out, m->row_end);
}

static bool table(const pk_command_report *report, const markup *m, const pk_command_style *style,
                  pk_strbuf *out, pk_err *err) {
    double first = report->n_results ? report->results[0].wall.mean : 1;
    pk_command_unit unit = pk_command_unit_for(style->unit, first);
    size_t fastest = pk_command_fastest(report);
    size_t *order = pk_command_ascending(report, PK_COMMAND_WALL);
    if (!order) return out_of_memory(err);
    pk_strbuf_addf(out, "%s%s%s%sMean [%s]%sMin [%s]%sMax [%s]%sRelative%s%s", m->begin,
                   m->head_first, m->head_command, m->cell, unit.name, m->cell, unit.name, m->cell,
                   unit.name, m->cell, m->head_end, m->rule);
    for (size_t i = 0; i < report->n_results; i++)
        table_row(out, m, report, style->sort == PK_SORT_MEAN ? order[i] : i, fastest, unit);
    pk_strbuf_add_str(out, m->end);
    free(order);
    return true;
}

bool pk_command_export_text(const pk_command_report *report, pk_command_export format,
                            const pk_command_style *style, pk_strbuf *out, pk_err *err) {
    bool ok = false;
    switch (format) {
    case PK_EXPORT_JSON:
        ok = json(report, style, out, err);
        break;
    case PK_EXPORT_CSV:
        ok = csv(report, style, out, err);
        break;
    case PK_EXPORT_MARKDOWN:
        ok = table(report, &markdown, style, out, err);
        break;
    case PK_EXPORT_ASCIIDOC:
        ok = table(report, &asciidoc, style, out, err);
        break;
    case PK_EXPORT_ORG:
        ok = table(report, &org, style, out, err);
        break;
    case PK_EXPORT_CSV_RUNS:
        ok = csv_runs(report, style, out, err);
        break;
    case PK_EXPORTS:
        pk_fail(err, PK_E_INTERNAL, NULL, "no such export format");
        break;
    }
    return ok && (pk_strbuf_ok(out) || out_of_memory(err));
}

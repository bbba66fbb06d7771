/* oha's text report, section by section (titles, order, tabs and units are what scripts read), with
 * our own lines in places where no section of oha's is broken: a third block in the summary,
 * further rows in the details, a section of two columns for runs at a rate, the generator. */
#include "load/render.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "load/report_numbers.h"
#include "load/syn_retry.h"
#include "report/colour.h"
#include "report/table.h"
#include "stats/quantile.h"

#define BAR_MAX 32
#define WEAK_SAMPLES 10 /* a percentile resting on fewer is marked */

typedef struct text {
    FILE *out;
    const pk_load_result *r;
    bool colour;
    double unit_ns; /* one unit for the whole report */
    const char *unit;
} text;

/* The largest unit below the slowest latency; without one, below the run's length. */
static void choose_unit(text *t) {
    static const struct {
        double ns;
        const char *name;
    } units[] = {{1, "ns"}, {1e3, "us"}, {1e6, "ms"}, {1e9, "sec"}, {60e9, "min"}, {3600e9, "hr"}};
    const pk_hist *latency = pk_load_main_latency(t->r);
    double largest_ns = (double)(latency->total ? latency->max : t->r->elapsed_ns);
    size_t i = 0;
    while (i + 1 < sizeof units / sizeof units[0] && units[i + 1].ns <= largest_ns) i++;
    t->unit_ns = units[i].ns;
    t->unit = units[i].name;
}

/* "4.7300 ms", or "-" when it is not known. */
static const char *in_unit(const text *t, char *out, size_t bytes, double ns) {
    if (isfinite(ns)) snprintf(out, bytes, "%.4f %s", ns / t->unit_ns, t->unit);
    else snprintf(out, bytes, "-");
    return out;
}

static void line_begin(const text *t, pk_style style) {
    fputs(pk_style_on(t->colour, style), t->out);
}

static void line_end(const text *t, pk_style style) {
    fprintf(t->out, "%s\n", pk_style_off(t->colour, style));
}

static void heading(const text *t, const char *title) {
    line_begin(t, PK_HEADING);
    fprintf(t->out, "%s", title);
    line_end(t, PK_HEADING);
}

static void time_line(const text *t, pk_style style, const char *name, double ns) {
    char value[PK_FORMAT_MAX];
    line_begin(t, style);
    fprintf(t->out, "  %s:\t%s", name, in_unit(t, value, sizeof value, ns));
    line_end(t, style);
}

static void percent_line(const text *t, pk_style style, const char *name, double ratio) {
    line_begin(t, style);
    if (isfinite(ratio)) fprintf(t->out, "  %s:\t%.2f%%", name, 100 * ratio);
    else fprintf(t->out, "  %s:\t-", name);
    line_end(t, style);
}

/* oha's thresholds: in seconds, whatever the unit shown */
static pk_style latency_style(double ns) {
    if (!isfinite(ns)) return PK_PLAIN;
    return ns <= 0.1e9 ? PK_GREEN : ns <= 0.4e9 ? PK_YELLOW : PK_RED;
}

static void render_success(const text *t, double ratio) {
    pk_style style = ratio >= 1 ? PK_GREEN : ratio >= 0.99 ? PK_YELLOW : PK_RED;
    fputs(pk_style_on(t->colour, PK_BOLD), t->out);
    percent_line(t, isfinite(ratio) ? style : PK_PLAIN, "Success rate", ratio);
}

static void render_data(const text *t, const pk_load_summary *s) {
    char value[PK_FORMAT_MAX];
    fprintf(t->out, "\n  Total data:\t%s\n",
            pk_format_bytes(value, sizeof value, (double)s->body_bytes));
    fprintf(t->out, "  Size/request:\t%s\n",
            s->has_answers ? pk_format_bytes(value, sizeof value, (double)s->bytes_per_answer)
                           : "-");
    fprintf(t->out, "  Size/sec:\t%s\n",
            isfinite(s->bytes_per_s) ? pk_format_bytes(value, sizeof value, floor(s->bytes_per_s))
                                     : "-");
}

static void render_in_flight(const text *t) {
    const pk_load_result *r = t->r;
    fprintf(t->out, "  In flight:\t%.2f of %" PRIu64 " connection%s on average",
            r->generator.mean_in_flight, r->connections, r->connections == 1 ? "" : "s");
    if (!(r->rate_hz > 0) && pk_load_is_mostly_answers(r))
        fprintf(t->out, ", perfkit's own share %.2f", r->generator.mean_idle);
    fprintf(t->out, "\n");
}

/* Our own block of the summary: what oha does not say. */
static void render_accounts(const text *t, const pk_load_summary *s) {
    const pk_load_result *r = t->r;
    char age[PK_FORMAT_MAX];
    fprintf(t->out, "\n");
    percent_line(t, PK_PLAIN, "2xx/3xx rate", s->good_ratio);
    render_in_flight(t);
    if (r->drain_ns > 0)
        fprintf(t->out, "  Drain:\t%s after the deadline, %" PRIu64 " answers\n",
                pk_format_duration(age, sizeof age, (double)r->drain_ns),
                r->responses - r->responses_in_window);
    if (r->timeouts > 0)
        fprintf(t->out, "  Timeouts:\t%" PRIu64 ", counted in the latencies at their timeout\n",
                r->timeouts);
    if (r->errors_ours > 0)
        fprintf(t->out,
                "  Own limits:\t%" PRIu64
                " failed for want of something on this machine, counted in "
                "no rate\n",
                r->errors_ours);
    if (r->aborted > 0)
        fprintf(t->out, "  Aborted:\t%" PRIu64 " in flight at the end, oldest %s\n", r->aborted,
                pk_format_duration(age, sizeof age, (double)r->aborted_oldest_ns));
    if (r->never_sent > 0)
        fprintf(
            t->out, "  Never sent:\t%" PRIu64 " due, but no connection came free, oldest %s late\n",
            r->never_sent, pk_format_duration(age, sizeof age, (double)r->never_sent_oldest_ns));
    if (r->retried > 0)
        fprintf(t->out, "  Retried:\t%" PRIu64 " on a new connection, the kept one was closed\n",
                r->retried);
    if (r->suspicious > 0)
        fprintf(t->out,
                "  Suspicious:\t%" PRIu64 " answers with two lengths, or bytes behind their end\n",
                r->suspicious);
}

static void render_summary(const text *t, const pk_load_summary *s) {
    heading(t, "Summary:");
    render_success(t, s->success_ratio);
    time_line(t, PK_PLAIN, "Total", s->total_ns);
    time_line(t, PK_YELLOW, "Slowest", s->slowest_ns);
    time_line(t, PK_GREEN, "Fastest", s->fastest_ns);
    time_line(t, PK_CYAN, "Average", s->average_ns);
    if (isfinite(s->rate_hz)) fprintf(t->out, "  Requests/sec:\t%.4f\n", s->rate_hz);
    else fprintf(t->out, "  Requests/sec:\t-\n");
    render_data(t, s);
    render_accounts(t, s);
    fprintf(t->out, "\n");
}

/* One bin: "  <edge> ms [<count>]<pad> |<bar>" */
static void render_bin(const text *t, double edge_ns, int edge_width, uint64_t count,
                       int count_width, uint64_t count_max) {
    char number[PK_FORMAT_MAX];
    int digits = snprintf(number, sizeof number, "%" PRIu64, count);
    pk_style style = latency_style(edge_ns);
    line_begin(t, style);
    fprintf(t->out, "  %*.3f %s [%s]%*s |", edge_width, edge_ns / t->unit_ns, t->unit, number,
            count_width - digits, "");
    for (uint64_t i = 0; i < BAR_MAX * count / count_max; i++) fputs("\xe2\x96\xa0", t->out);
    line_end(t, style);
}

static void render_histogram(const text *t) {
    pk_load_bins bins;
    uint64_t count_max = 1;
    pk_load_bins_fill(pk_load_main_latency(t->r), &bins);
    heading(t, "Response time histogram:");
    for (size_t i = 0; i < bins.n; i++)
        if (bins.count[i] > count_max) count_max = bins.count[i];
    if (bins.n > 0) {
        int edge_width = snprintf(NULL, 0, "%.3f", bins.edge_ns[bins.n - 1] / t->unit_ns);
        int count_width = snprintf(NULL, 0, "%" PRIu64, count_max);
        for (size_t i = 0; i < bins.n; i++)
            render_bin(t, bins.edge_ns[i], edge_width, bins.count[i], count_width, count_max);
    } else {
        fprintf(t->out, "  no answers\n");
    }
    fprintf(t->out, "\n");
}

static void render_distribution(const text *t) {
    const pk_hist *latency = pk_load_main_latency(t->r);
    heading(t, "Response time distribution:");
    for (size_t i = 0; i < PK_LOAD_PERCENTILES; i++) {
        double q = pk_load_percentiles[i].q;
        double ns = pk_load_percentile_ns(latency, q);
        uint64_t tail = pk_quantile_tail(q, latency->total);
        char value[PK_FORMAT_MAX];
        line_begin(t, latency_style(ns));
        fprintf(t->out, "  %.2f%% in %s", 100 * q, in_unit(t, value, sizeof value, ns));
        if (isfinite(ns) && tail < WEAK_SAMPLES)
            fprintf(t->out, " (rests on %" PRIu64 " sample%s)", tail, tail == 1 ? "" : "s");
        else if (isnan(ns) && latency->total > 0)
            fprintf(t->out, " (needs %.0f answers, there are %" PRIu64 ")", ceil(1 / (1 - q) - 0.5),
                    latency->total);
        line_end(t, latency_style(ns));
    }
    fprintf(t->out, "\n");
}

static void two_cells(pk_table *table, const text *t, const char *name, double response_ns,
                      double service_ns) {
    char value[PK_FORMAT_MAX];
    pk_table_cell(table, PK_PLAIN, "%s", name);
    pk_table_cell(table, PK_PLAIN, "%s", in_unit(t, value, sizeof value, response_ns));
    pk_table_cell(table, PK_PLAIN, "%s", in_unit(t, value, sizeof value, service_ns));
}

/* At a rate the two latencies differ by what a request waited before it could leave. */
static void render_both_latencies(const text *t) {
    const pk_hist *response = t->r->response, *service = t->r->service;
    if (!response) return;
    heading(t, "Response and service time:");
    pk_table *table = pk_table_new("lrr");
    pk_table_cell(table, PK_PLAIN, "%s", "");
    pk_table_cell(table, PK_PLAIN, "%s", "response (from schedule)");
    pk_table_cell(table, PK_PLAIN, "%s", "service (from send)");
    pk_table_cell(table, PK_PLAIN, "%s", "Samples");
    pk_table_cell(table, PK_PLAIN, "%" PRIu64, response->total);
    pk_table_cell(table, PK_PLAIN, "%" PRIu64, service->total);
    two_cells(table, t, "Average", pk_hist_mean(response), pk_hist_mean(service));
    for (size_t i = 0; i < PK_LOAD_PERCENTILES; i++) {
        double q = pk_load_percentiles[i].q;
        char name[PK_FORMAT_MAX];
        snprintf(name, sizeof name, "%.2f%%", 100 * q);
        two_cells(table, t, name, pk_load_percentile_ns(response, q),
                  pk_load_percentile_ns(service, q));
    }
    two_cells(table, t, "Slowest", response->total ? (double)response->max : NAN,
              service->total ? (double)service->max : NAN);
    if (!pk_table_write(t->out, table, 2, t->colour)) fprintf(t->out, "  (out of memory)\n");
    pk_table_free(table);
    fprintf(t->out, "\n");
}

static void detail(const text *t, const char *name, const pk_hist *hist) {
    char average[PK_FORMAT_MAX], fastest[PK_FORMAT_MAX], slowest[PK_FORMAT_MAX];
    bool any = hist && hist->total > 0;
    fprintf(t->out, "  %s:\t%s, %s, %s\n", name,
            in_unit(t, average, sizeof average, any ? pk_hist_mean(hist) : NAN),
            in_unit(t, fastest, sizeof fastest, any ? (double)hist->min : NAN),
            in_unit(t, slowest, sizeof slowest, any ? (double)hist->max : NAN));
}

/* Connect times that a timer of this machine has made, not the server. */
static void render_syn_retries(const text *t) {
    pk_syn_retries found;
    pk_syn_retries_find(t->r->tcp, t->r->syn_linear_timeouts, &found);
    if (found.n == 0) return;
    fprintf(t->out,
            "  SYN retries:\t%" PRIu64 " of %" PRIu64 " connects waited for one:", found.count,
            t->r->tcp->total);
    for (size_t i = 0; i < found.n; i++)
        fprintf(t->out, "%s %" PRIu64 " took %.0f s", i ? "," : "", found.clusters[i].count,
                (double)found.clusters[i].at_ns / (double)PK_NS_PER_S);
    fprintf(t->out, " (the server's accept queue was full, or packets were lost)\n");
}

static void render_details(const text *t) {
    const pk_load_result *r = t->r;
    heading(t, "Details (average, fastest, slowest):");
    detail(t, "DNS+dialup", r->dialup);
    detail(t, "DNS-lookup", r->dns);
    detail(t, "TCP connect", r->tcp);
    render_syn_retries(t);
    if (r->tls && r->tls->total > 0) detail(t, "TLS handshake", r->tls);
    detail(t, "First answer byte", r->head);
    detail(t, "First body byte", r->first_byte);
    fprintf(t->out, "\n");
}

static pk_style status_style(int code) {
    switch (code / 100) {
    case 2:
        return PK_GREEN;
    case 4:
        return PK_YELLOW;
    case 5:
        return PK_RED;
    default:
        return PK_PLAIN;
    }
}

/* By count, descending; equal counts by code. At most 600 rows, so the plain selection will do. */
static void render_statuses(const text *t) {
    uint64_t below = UINT64_MAX; /* counts of this and more are printed */
    heading(t, "Status code distribution:");
    for (;;) {
        uint64_t next = 0;
        for (int code = 0; code < 600; code++)
            if (t->r->status[code] < below && t->r->status[code] > next) next = t->r->status[code];
        if (next == 0) return;
        for (int code = 0; code < 600; code++) {
            if (t->r->status[code] != next) continue;
            line_begin(t, status_style(code));
            fprintf(t->out, "  [%d] %" PRIu64 " responses", code, next);
            line_end(t, status_style(code));
        }
        below = next;
    }
}

static void render_errors(const text *t) {
    char what[128];
    if (t->r->n_errors == 0) return;
    fprintf(t->out, "\nError distribution:\n"); /* without the heading's style, as in oha */
    for (size_t i = 0; i < t->r->n_errors; i++) {
        const pk_load_error_count *e = &t->r->errors[i];
        fprintf(t->out, "  [%" PRIu64 "] %s\n", e->count,
                pk_load_error_text(what, sizeof what, e->class_, e->sys_errno));
    }
}

static void render_lag(const text *t) {
    const pk_load_generator *g = &t->r->generator;
    char p50[PK_FORMAT_MAX], p99[PK_FORMAT_MAX], max[PK_FORMAT_MAX];
    if (!(g->target_rate_hz > 0)) return;
    fprintf(t->out, "  Rate:\t%.4f/s asked, ", g->target_rate_hz);
    if (isfinite(g->rate_ratio))
        fprintf(t->out, "%.2f%% of what was due was sent; ", 100 * g->rate_ratio);
    fprintf(t->out, "own lateness p50 %s, p99 %s, at most %s\n",
            pk_format_duration(p50, sizeof p50, g->lag_p50_ns),
            pk_format_duration(p99, sizeof p99, g->lag_p99_ns),
            pk_format_duration(max, sizeof max, g->lag_max_ns));
}

static void render_machine(const text *t) {
    const pk_load_generator *g = &t->r->generator;
    double own = g->cpus > 0 ? g->cpu_ratio_mean * (double)t->r->threads / g->cpus : NAN;
    if (!isfinite(g->busy_ratio)) return;
    fprintf(t->out, "  Machine:\t%u CPUs %.0f%% busy, perfkit's part %.0f%%", g->cpus,
            100 * g->busy_ratio, 100 * own);
    if (isfinite(g->steal_ratio)) fprintf(t->out, ", stolen %.1f%%", 100 * g->steal_ratio);
    fprintf(t->out, "\n");
}

static void render_generator(const text *t) {
    const pk_load_generator *g = &t->r->generator;
    char loop[PK_FORMAT_MAX], cost[PK_FORMAT_MAX];
    fprintf(t->out, "\n");
    heading(t, "Generator:");
    fprintf(t->out, "  Threads:\t%" PRIu64 " (engine %s), busiest %.0f%% of a CPU", t->r->threads,
            t->r->engine, 100 * g->cpu_ratio_max);
    if (isfinite(g->cpu_wait_ratio))
        fprintf(t->out, " and %.0f%% waiting for one", 100 * g->cpu_wait_ratio);
    fprintf(t->out, ", %s of CPU a request, loop p99 %s\n",
            pk_format_duration(cost, sizeof cost, g->cpu_ns_per_request),
            pk_format_duration(loop, sizeof loop, g->loop_p99_ns));
    fprintf(t->out, "  Connections:\t%" PRIu64 " opened", t->r->connections_opened);
    if (g->retransmits_known) fprintf(t->out, ", %" PRIu64 " retransmits", g->retransmits);
    fprintf(t->out, "\n");
    render_lag(t);
    render_machine(t);
}

static void render_verdict(const text *t) {
    pk_load_verdict verdict;
    pk_load_judge(t->r, &verdict);
    if (!verdict.client_limited) return;
    line_begin(t, PK_YELLOW);
    fprintf(t->out, "  client-limited: latencies include waiting in perfkit");
    line_end(t, PK_YELLOW);
    for (size_t i = 0; i < verdict.n_reasons; i++) fprintf(t->out, "    %s\n", verdict.reasons[i]);
}

static void render_partial(const text *t) {
    char ran[PK_FORMAT_MAX], asked[PK_FORMAT_MAX];
    const pk_load_result *r = t->r;
    if (!r->interrupted) return;
    line_begin(t, PK_YELLOW);
    fprintf(t->out, "Partial: interrupted after %s",
            pk_format_duration(ran, sizeof ran, (double)r->elapsed_ns));
    if (r->duration_asked_ns > 0)
        fprintf(t->out, " of %s",
                pk_format_duration(asked, sizeof asked, (double)r->duration_asked_ns));
    else fprintf(t->out, ", %" PRIu64 " of %" PRIu64 " requests", r->sent, r->requests_asked);
    line_end(t, PK_YELLOW);
    fprintf(t->out, "\n");
}

void pk_load_render_text(FILE *out, const pk_load_result *result, bool colour) {
    text t = {.out = out, .r = result, .colour = colour};
    pk_load_summary summary;
    choose_unit(&t);
    pk_load_summarize(result, &summary);
    render_partial(&t);
    render_summary(&t, &summary);
    render_histogram(&t);
    render_distribution(&t);
    render_both_latencies(&t);
    fprintf(out, "\n");
    render_details(&t);
    render_statuses(&t);
    render_errors(&t);
    render_generator(&t);
    render_verdict(&t);
}

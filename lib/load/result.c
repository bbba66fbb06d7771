#include "load/result.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load/syn_retry.h"

static int more_first(const void *a, const void *b) {
    const pk_load_error_count *x = a;
    const pk_load_error_count *y = b;
    if (x->count != y->count) return x->count < y->count ? 1 : -1;
    if (x->class_ != y->class_) return x->class_ < y->class_ ? -1 : 1;
    return (x->sys_errno > y->sys_errno) - (x->sys_errno < y->sys_errno);
}

static pk_hist *take(pk_tally *t, enum pk_tally_hist which) {
    pk_hist *hist = t->hist[which];
    t->hist[which] = NULL;
    return hist;
}

static void describe(const pk_load_outcome *out, pk_load_result *r) {
    const pk_load_options *o = out->options;
    snprintf(r->url, sizeof r->url, "%s", out->plan->url);
    snprintf(r->method, sizeof r->method, "%s", out->plan->method);
    snprintf(r->engine, sizeof r->engine, "%s", out->engine);
    if (out->plan->has_proxy) snprintf(r->proxy, sizeof r->proxy, "%s", out->plan->proxy.url);
    r->connections = o->connections;
    r->threads = o->threads;
    r->requests_asked = o->duration_ns ? 0 : o->requests;
    r->duration_asked_ns = o->duration_ns;
    r->rate_hz = o->rate_hz;
    r->latency_correction = o->latency_correction;
    r->timeout_ns = o->timeout_ns;
    r->connect_timeout_ns = o->connect_timeout_ns;
    r->wait_ongoing = o->wait_ongoing;
    r->keepalive = !o->disable_keepalive;
    r->started_unix_ns = out->started_unix_ns;
    r->interrupted = out->interrupted;
}

static void take_counts(pk_load_result *r, const pk_tally *t) {
    r->sent = t->sent;
    r->responses = t->responses;
    r->responses_in_window = t->responses_in_window;
    r->timeouts = t->timeouts;
    r->errors_total = t->errors_total;
    r->aborted = t->aborted;
    r->aborted_oldest_ns = t->aborted_oldest_ns;
    r->never_sent = t->never_sent;
    r->never_sent_oldest_ns = t->never_sent_oldest_ns;
    r->retried = t->retried;
    r->suspicious = t->suspicious;
    r->body_bytes = t->body_bytes;
    r->head_bytes = t->head_bytes;
    r->sent_bytes = t->sent_bytes;
    r->connections_opened = t->connections_opened;
    memcpy(r->status, t->status, sizeof r->status);
    r->n_errors = t->n_errors;
    memcpy(r->errors, t->errors, t->n_errors * sizeof t->errors[0]);
    for (size_t i = 0; i < r->n_errors; i++)
        if (pk_load_error_is_ours(r->errors[i].class_)) r->errors_ours += r->errors[i].count;
    qsort(r->errors, r->n_errors, sizeof r->errors[0], more_first);
}

static bool take_intervals(pk_load_result *r, const pk_tally *t, pk_err *err) {
    uint64_t complete = r->elapsed_ns / t->interval_ns;
    r->interval_ns = t->interval_ns;
    r->n_intervals = complete < PK_INTERVALS_MAX ? (size_t)complete : PK_INTERVALS_MAX;
    r->intervals = calloc(r->n_intervals ? r->n_intervals : 1, sizeof *r->intervals);
    if (!r->intervals) {
        pk_fail(err, PK_E_LIMIT, NULL, "out of memory for the intervals");
        return false;
    }
    memcpy(r->intervals, t->intervals, r->n_intervals * sizeof *r->intervals);
    return true;
}

static void take_times(const pk_load_outcome *out, pk_load_result *r) {
    uint64_t window_end_ns = out->start_ns;
    uint64_t drain_end_ns = out->start_ns;
    for (unsigned i = 0; i < out->n_reports; i++) {
        const pk_worker_report *report = &out->reports[i];
        if (report->window_end_ns > window_end_ns) window_end_ns = report->window_end_ns;
        if (report->drain_end_ns > drain_end_ns) drain_end_ns = report->drain_end_ns;
    }
    r->elapsed_ns = window_end_ns - out->start_ns;
    r->drain_ns = drain_end_ns > window_end_ns ? drain_end_ns - window_end_ns : 0;
}

static double or_nan(const pk_hist *hist, double q) {
    return hist ? pk_hist_quantile(hist, q) : NAN;
}

static void judge_schedule(pk_load_generator *g, const pk_load_result *r, const pk_tally *t) {
    double seconds = (double)r->elapsed_ns / 1e9;
    const pk_hist *lag = t->hist[PK_TALLY_LAG];
    const pk_hist *loop = t->hist[PK_TALLY_LOOP];
    g->target_rate_hz = r->rate_hz;
    g->achieved_rate_hz = seconds > 0 ? (double)r->sent / seconds : NAN;
    /* by counts, not by rates: the first request is due at 0, so n requests span n - 1 gaps */
    g->rate_ratio = r->rate_hz > 0 && r->sent + r->never_sent > 0
                        ? (double)r->sent / (double)(r->sent + r->never_sent)
                        : NAN;
    g->lag_p50_ns = or_nan(lag, 0.5);
    g->lag_p99_ns = or_nan(lag, 0.99);
    g->lag_max_ns = lag && lag->total ? (double)lag->max : NAN;
    g->loop_p99_ns = or_nan(loop, 0.99);
    g->loop_max_ns = loop->total ? (double)loop->max : NAN;
    g->mean_in_flight = r->elapsed_ns ? t->in_flight_sum_ns / (double)r->elapsed_ns : NAN;
    g->mean_idle = (double)r->connections - g->mean_in_flight;
}

static void judge_cpu(const pk_load_outcome *out, pk_load_result *r) {
    pk_load_generator *g = &r->generator;
    uint64_t sum_ns = 0;
    uint64_t spun_ns = 0;
    uint64_t paused_ns = 0;
    g->cpus = pk_cpu_count();
    g->ports = out->ports->ports;
    g->port_hold_s = (double)out->ports->hold_ns / 1e9;
    g->cpu_ratio_max = 0;
    g->retransmits_known = true;
    g->counters = out->reports[0].counters;
    for (unsigned i = 0; i < out->n_reports; i++) {
        const pk_worker_report *report = &out->reports[i];
        uint64_t cpu_ns = report->cpu.user_ns + report->cpu.system_ns;
        double ratio = r->elapsed_ns ? (double)cpu_ns / (double)r->elapsed_ns : NAN;
        if (ratio > g->cpu_ratio_max) g->cpu_ratio_max = ratio;
        sum_ns += cpu_ns;
        spun_ns += report->spun_ns;
        paused_ns += report->paused_ns;
        double wait = report->cpu_wait_known && r->elapsed_ns
                          ? (double)report->cpu_wait_ns / (double)r->elapsed_ns
                          : NAN;
        if (i == 0 || isnan(wait) || wait > g->cpu_wait_ratio) g->cpu_wait_ratio = wait;
        g->switches_involuntary += report->cpu.switches_involuntary;
        g->retransmits += report->totals.retransmits;
        g->retransmits_known = g->retransmits_known && report->totals.retransmits_known;
        if (i > 0) pk_counter_values_add(&g->counters, &report->counters);
    }
    double threads_ns = (double)r->elapsed_ns * (double)out->n_reports;
    g->cpu_ratio_mean = r->elapsed_ns ? (double)sum_ns / threads_ns : NAN;
    g->cpu_spun_ratio = r->elapsed_ns ? (double)spun_ns / threads_ns : NAN;
    g->paused_ratio = r->elapsed_ns ? (double)paused_ns / threads_ns : NAN;
    /* what was spun was not always on the CPU */
    uint64_t worked_ns = sum_ns > spun_ns ? sum_ns - spun_ns : 0;
    g->cpu_ns_per_request = r->sent ? (double)worked_ns / (double)r->sent : NAN;
    g->steal_ratio = pk_machine_steal_ratio(out->machine_before, out->machine_after);
    g->busy_ratio = pk_machine_busy_ratio(out->machine_before, out->machine_after);
}

bool pk_load_result_make(const pk_load_outcome *out, pk_load_result *result, pk_err *err) {
    pk_load_result r = {0};
    pk_tally *all = out->reports[0].tally;
    for (unsigned i = 1; i < out->n_reports; i++)
        if (!pk_tally_merge(all, out->reports[i].tally, err)) return false;
    describe(out, &r);
    take_times(out, &r);
    take_counts(&r, all);
    if (!take_intervals(&r, all, err)) return false;
    judge_schedule(&r.generator, &r, all);
    judge_cpu(out, &r);
    r.service = take(all, PK_TALLY_SERVICE);
    r.response = take(all, PK_TALLY_RESPONSE);
    r.first_byte = take(all, PK_TALLY_FIRST_BYTE);
    r.head = take(all, PK_TALLY_HEAD);
    r.dns = take(all, PK_TALLY_DNS);
    r.dialup = take(all, PK_TALLY_DIALUP);
    r.tcp = take(all, PK_TALLY_TCP);
    r.tls = take(all, PK_TALLY_TLS);
    r.syn_linear_timeouts = pk_syn_linear_timeouts();
    *result = r;
    return true;
}

void pk_load_result_fini(pk_load_result *r) {
    pk_hist *owned[] = {r->service, r->response, r->first_byte, r->head,
                        r->dns,     r->dialup,   r->tcp,        r->tls};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) pk_hist_free(owned[i]);
    free(r->intervals);
    *r = (pk_load_result){0};
}

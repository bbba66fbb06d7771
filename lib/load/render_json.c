/* JSON of a load result: oha's keys in oha's order, then our own. docs/formats.md, "load/1", lists
 * and explains every key. Times are seconds unless a key says otherwise; what is not known is null.
 */
#include "load/render.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/units.h"
#include "load/report_numbers.h"
#include "load/syn_retry.h"
#include "report/json.h"
#include "stats/quantile.h"

#define ENCODED_MAX (4u << 20) /* base64 of one histogram; 36,000 buckets give far less */
#define KEY_MAX 160

static double seconds(double ns) {
    return ns / (double)PK_NS_PER_S;
}

/* Milliseconds to three decimals, as oha's "metrics" has them. */
static double rounded_ms(double ns) {
    return round(ns / 1e3) / 1e3;
}

static double largest_ns(const pk_hist *h) {
    return h && h->total ? (double)h->max : NAN;
}

static double smallest_ns(const pk_hist *h) {
    return h && h->total ? (double)h->min : NAN;
}

static double mean_ns(const pk_hist *h) {
    return h ? pk_hist_mean(h) : NAN;
}

static void add_summary(pk_json *doc, const pk_load_summary *s) {
    pk_json *o = pk_json_object(doc, "summary");
    pk_json_double(o, "successRate", s->success_ratio);
    pk_json_double(o, "total", seconds(s->total_ns));
    pk_json_double(o, "slowest", seconds(s->slowest_ns));
    pk_json_double(o, "fastest", seconds(s->fastest_ns));
    pk_json_double(o, "average", seconds(s->average_ns));
    pk_json_double(o, "requestsPerSec", s->rate_hz);
    pk_json_uint(o, "totalData", s->body_bytes);
    pk_json_uint_if(o, "sizePerRequest", s->has_answers, s->bytes_per_answer);
    pk_json_double(o, "sizePerSec", s->bytes_per_s);
}

static void add_metrics(pk_json *doc, const pk_load_result *r, const pk_load_summary *s) {
    const pk_hist *latency = pk_load_main_latency(r);
    pk_json *o = pk_json_object(doc, "metrics");
    pk_json_double(o, "success_rate", s->success_ratio);
    pk_json_double(o, "requests_per_sec", s->rate_hz);
    pk_json *ms = pk_json_object(o, "latency_ms");
    pk_json_double(ms, "min", rounded_ms(s->fastest_ns));
    pk_json_double(ms, "mean", rounded_ms(s->average_ns));
    pk_json_double(ms, "p50", rounded_ms(pk_load_percentile_ns(latency, 0.50)));
    pk_json_double(ms, "p95", rounded_ms(pk_load_percentile_ns(latency, 0.95)));
    pk_json_double(ms, "p99", rounded_ms(pk_load_percentile_ns(latency, 0.99)));
    pk_json_double(ms, "max", rounded_ms(s->slowest_ns));
}

typedef struct keyed_count {
    char key[KEY_MAX];
    uint64_t count;
} keyed_count;

static int by_key(const void *a, const void *b) {
    return strcmp(((const keyed_count *)a)->key, ((const keyed_count *)b)->key);
}

/* {"key": count}, sorted by key as a string, as oha's maps are. */
static void add_counts(pk_json *doc, const char *name, keyed_count items[], size_t n) {
    pk_json *o = pk_json_object(doc, name);
    qsort(items, n, sizeof items[0], by_key);
    for (size_t i = 0; i < n; i++) pk_json_uint(o, items[i].key, items[i].count);
}

static void add_bins(pk_json *doc, const char *name, const pk_hist *hist) {
    pk_load_bins bins = {0};
    keyed_count items[PK_LOAD_BINS];
    if (hist) pk_load_bins_fill(hist, &bins);
    for (size_t i = 0; i < bins.n; i++) {
        pk_format_double(items[i].key, sizeof items[i].key, seconds(bins.edge_ns[i]));
        items[i].count = bins.count[i];
    }
    add_counts(doc, name, items, bins.n);
}

static void add_percentiles(pk_json *parent, const char *name, const pk_hist *hist) {
    pk_json *o = pk_json_object(parent, name);
    for (size_t i = 0; i < PK_LOAD_PERCENTILES; i++)
        pk_json_double(o, pk_load_percentiles[i].name,
                       seconds(pk_load_percentile_ns(hist, pk_load_percentiles[i].q)));
}

static void add_rps(pk_json *doc, const pk_load_rps *rps) {
    pk_json *o = pk_json_object(doc, "rps");
    pk_json_double(o, "mean", rps->mean);
    pk_json_double(o, "stddev", rps->stddev);
    pk_json_double(o, "max", rps->max);
    pk_json_double(o, "min", rps->min);
    pk_json *p = pk_json_object(o, "percentiles");
    for (size_t i = 0; i < PK_LOAD_PERCENTILES; i++)
        pk_json_double(p, pk_load_percentiles[i].name, rps->percentile[i]);
}

static void add_detail(pk_json *details, const char *name, const pk_hist *hist) {
    pk_json *o = pk_json_object(details, name);
    pk_json_double(o, "average", seconds(mean_ns(hist)));
    pk_json_double(o, "fastest", seconds(smallest_ns(hist)));
    pk_json_double(o, "slowest", seconds(largest_ns(hist)));
}

static void add_details(pk_json *doc, const pk_load_result *r) {
    pk_json *o = pk_json_object(doc, "details");
    add_detail(o, "DNSDialup", r->dialup);
    add_detail(o, "DNSLookup", r->dns);
    add_detail(o, "firstByte", r->first_byte);
}

static void add_statuses(pk_json *doc, const pk_load_result *r) {
    pk_json *o = pk_json_object(doc, "statusCodeDistribution");
    char key[PK_FORMAT_MAX];
    for (int code = 100; code < 600; code++) { /* three digits: in order as strings too */
        if (r->status[code] == 0) continue;
        snprintf(key, sizeof key, "%d", code);
        pk_json_uint(o, key, r->status[code]);
    }
}

static void add_errors(pk_json *doc, const pk_load_result *r) {
    keyed_count items[PK_LOAD_ERRORS_MAX] = {0};
    for (size_t i = 0; i < r->n_errors; i++) {
        const pk_load_error_count *e = &r->errors[i];
        pk_load_error_text(items[i].key, sizeof items[i].key, e->class_, e->sys_errno);
        items[i].count = e->count;
    }
    add_counts(doc, "errorDistribution", items, r->n_errors);
}

/* From here on: our own keys. */

static void add_config(pk_json *doc, const pk_load_result *r) {
    pk_json *o = pk_json_object(doc, "config");
    pk_json_text(o, "url", r->url);
    pk_json_text(o, "method", r->method);
    pk_json_text(o, "engine", r->engine);
    if (r->proxy[0]) pk_json_text(o, "proxy", r->proxy);
    else pk_json_null(o, "proxy");
    pk_json_uint(o, "connections", r->connections);
    pk_json_uint(o, "threads", r->threads);
    if (r->duration_asked_ns > 0) {
        pk_json_null(o, "requests");
        pk_json_double(o, "duration", seconds((double)r->duration_asked_ns));
    } else {
        pk_json_uint(o, "requests", r->requests_asked);
        pk_json_null(o, "duration");
    }
    pk_json_double(o, "rate", r->rate_hz > 0 ? r->rate_hz : NAN);
    pk_json_bool(o, "latencyCorrection", r->latency_correction);
    pk_json_bool(o, "waitOngoing", r->wait_ongoing);
    pk_json_bool(o, "keepalive", r->keepalive);
    pk_json_double(o, "timeout", r->timeout_ns ? seconds((double)r->timeout_ns) : NAN);
    pk_json_double(o, "connectTimeout",
                   r->connect_timeout_ns ? seconds((double)r->connect_timeout_ns) : NAN);
    pk_json_double(o, "startedUnix", seconds((double)r->started_unix_ns));
}

static void add_requests(pk_json *doc, const pk_load_result *r, const pk_load_summary *s) {
    pk_json *o = pk_json_object(doc, "requests");
    pk_json_uint(o, "sent", r->sent);
    pk_json_uint(o, "responses", r->responses);
    pk_json_uint(o, "responsesInWindow", r->responses_in_window);
    pk_json_uint(o, "good", s->good);
    pk_json_double(o, "goodRate", s->good_ratio);
    pk_json_uint(o, "errors", r->errors_total);
    pk_json_uint(o, "ownErrors", r->errors_ours);
    pk_json_uint(o, "retried", r->retried);
    pk_json_uint(o, "suspicious", r->suspicious);
    pk_json *classes = pk_json_object(o, "errorClasses");
    for (int c = PK_LOAD_NO_ERROR + 1; c < PK_LOAD_E_CLASSES; c++) {
        uint64_t count = 0;
        for (size_t i = 0; i < r->n_errors; i++)
            if ((int)r->errors[i].class_ == c) count += r->errors[i].count;
        if (count > 0) pk_json_uint(classes, pk_load_error_name((pk_load_error_class)c), count);
    }
}

/* What is in the latencies, or missing from them, as a lower bound only. */
static void add_censored(pk_json *doc, const pk_load_result *r) {
    pk_json *o = pk_json_object(doc, "censored");
    pk_json *timeouts = pk_json_object(o, "timeouts");
    pk_json_uint(timeouts, "count", r->timeouts);
    pk_json *aborted = pk_json_object(o, "aborted");
    pk_json_uint(aborted, "count", r->aborted);
    pk_json_double(aborted, "oldest", r->aborted ? seconds((double)r->aborted_oldest_ns) : NAN);
    pk_json *never = pk_json_object(o, "neverSent");
    pk_json_uint(never, "count", r->never_sent);
    pk_json_double(never, "oldest", r->never_sent ? seconds((double)r->never_sent_oldest_ns) : NAN);
}

/* null without values, so that "corrected" says by itself whether there was a schedule. */
static void add_latency(pk_json *parent, const char *name, const pk_hist *hist) {
    if (!hist) {
        pk_json_null(parent, name);
        return;
    }
    pk_json *o = pk_json_object(parent, name);
    pk_json_uint(o, "count", hist->total);
    pk_json_uint(o, "overHistogram", hist->overflow);
    pk_json_double(o, "average", seconds(pk_hist_mean(hist)));
    pk_json_double(o, "stddev", seconds(pk_hist_stddev(hist)));
    pk_json_double(o, "fastest", seconds(smallest_ns(hist)));
    pk_json_double(o, "slowest", seconds(largest_ns(hist)));
    add_percentiles(o, "percentiles", hist);
}

static void add_phases(pk_json *doc, const pk_load_result *r) {
    pk_json *o = pk_json_object(doc, "phases");
    add_latency(o, "dns", r->dns);
    add_latency(o, "tcp", r->tcp);
    add_latency(o, "tls", r->tls && r->tls->total ? r->tls : NULL);
    add_latency(o, "dialup", r->dialup);
    add_latency(o, "head", r->head);
    add_latency(o, "firstByte", r->first_byte);
}

static void add_syn_retries(pk_json *doc, const pk_load_result *r) {
    pk_syn_retries found;
    pk_syn_retries_find(r->tcp, r->syn_linear_timeouts, &found);
    pk_json *o = pk_json_object(doc, "synRetries");
    pk_json_uint(o, "connects", found.count);
    pk_json *clusters = pk_json_array(o, "clusters");
    for (size_t i = 0; i < found.n; i++) {
        pk_json *c = pk_json_object(clusters, NULL);
        pk_json_uint(c, "retries", found.clusters[i].retries);
        pk_json_double(c, "after", seconds((double)found.clusters[i].at_ns));
        pk_json_uint(c, "connects", found.clusters[i].count);
    }
}

static void add_bytes(pk_json *doc, const pk_load_result *r) {
    pk_json *o = pk_json_object(doc, "bytes");
    pk_json_uint(o, "bodies", r->body_bytes);
    pk_json_uint(o, "heads", r->head_bytes);
    pk_json_uint(o, "sent", r->sent_bytes);
}

static bool add_encoded(pk_json *o, const char *name, const pk_hist *hist, pk_err *err) {
    pk_strbuf text;
    if (!hist) {
        pk_json_null(o, name);
        return true;
    }
    pk_strbuf_init(&text, ENCODED_MAX);
    bool ok = pk_hist_encode(hist, &text, err);
    if (ok) pk_json_text(o, name, text.data);
    pk_strbuf_fini(&text);
    return ok;
}

static bool add_encoded_all(pk_json *doc, const pk_load_result *r, pk_err *err) {
    pk_json *o = pk_json_object(doc, "histogram");
    pk_json_text(o, "encoding", "HdrHistogram V2, compressed, base64");
    pk_json_text(o, "unit", "ns");
    return add_encoded(o, "service", r->service, err) &&
           add_encoded(o, "response", r->response, err) &&
           add_encoded(o, "firstByte", r->first_byte, err);
}

static void add_intervals(pk_json *doc, const pk_load_result *r) {
    pk_json *o = pk_json_object(doc, "intervals");
    pk_json_double(o, "length", seconds((double)r->interval_ns));
    pk_json *responses = pk_json_array(o, "responses");
    pk_json *errors = pk_json_array(o, "errors");
    pk_json *bytes = pk_json_array(o, "bytes");
    for (size_t i = 0; i < r->n_intervals; i++) {
        pk_json_uint(responses, NULL, r->intervals[i].responses);
        pk_json_uint(errors, NULL, r->intervals[i].errors);
        pk_json_uint(bytes, NULL, r->intervals[i].bytes);
    }
}

static void add_counters(pk_json *generator, const pk_counter_values *counters) {
    pk_json *o = pk_json_object(generator, "counters");
    bool any = false;
    for (int c = 0; c < PK_COUNTERS; c++) {
        pk_json_double(o, pk_counter_name((pk_counter)c),
                       counters->known[c] ? counters->value[c] : NAN);
        any = any || counters->known[c];
    }
    if (any) pk_json_bool(o, "userOnly", counters->user_only);
    else pk_json_null(o, "userOnly");
}

static void add_generator(pk_json *doc, const pk_load_result *r) {
    const pk_load_generator *g = &r->generator;
    pk_json *o = pk_json_object(doc, "generator");
    pk_json_double(o, "targetRate", g->target_rate_hz > 0 ? g->target_rate_hz : NAN);
    pk_json_double(o, "achievedRate", g->achieved_rate_hz);
    pk_json_double(o, "rateRatio", g->rate_ratio);
    pk_json *lag = pk_json_object(o, "lag");
    pk_json_double(lag, "p50", seconds(g->lag_p50_ns));
    pk_json_double(lag, "p99", seconds(g->lag_p99_ns));
    pk_json_double(lag, "max", seconds(g->lag_max_ns));
    pk_json *loop = pk_json_object(o, "loop");
    pk_json_double(loop, "p99", seconds(g->loop_p99_ns));
    pk_json_double(loop, "max", seconds(g->loop_max_ns));
    pk_json_double(o, "cpuBusiestThread", g->cpu_ratio_max);
    pk_json_double(o, "cpuMeanThread", g->cpu_ratio_mean);
    pk_json_double(o, "cpuSpinning", g->cpu_spun_ratio);
    pk_json_double(o, "paused", g->paused_ratio);
    pk_json_double(o, "cpuWaiting", g->cpu_wait_ratio);
    pk_json_double(o, "cpuPerRequest", seconds(g->cpu_ns_per_request));
    pk_json_uint(o, "cpus", g->cpus);
    pk_json_double(o, "machineBusy", g->busy_ratio);
    pk_json_double(o, "machineStolen", g->steal_ratio);
    pk_json_uint(o, "involuntarySwitches", g->switches_involuntary);
    pk_json_uint_if(o, "retransmits", g->retransmits_known, g->retransmits);
    pk_json_uint(o, "connectionsOpened", r->connections_opened);
    pk_json_uint_if(o, "localPorts", g->ports, g->ports);
    pk_json_double(o, "portHold", g->ports ? g->port_hold_s : NAN);
    pk_json_double(o, "meanInFlight", g->mean_in_flight);
    pk_json_double(o, "meanIdle", g->mean_idle);
    add_counters(o, &g->counters);
}

static void add_verdict(pk_json *doc, const pk_load_result *r) {
    pk_load_verdict verdict;
    pk_load_judge(r, &verdict);
    pk_json *o = pk_json_object(doc, "verdict");
    pk_json_bool(o, "clientLimited", verdict.client_limited);
    pk_json *reasons = pk_json_array(o, "reasons");
    for (size_t i = 0; i < verdict.n_reasons; i++) pk_json_text(reasons, NULL, verdict.reasons[i]);
}

static void add_ohas_keys(pk_json *doc, const pk_load_result *r, const pk_load_summary *summary,
                          const pk_load_rps *rps) {
    const pk_hist *latency = pk_load_main_latency(r);
    add_summary(doc, summary);
    add_metrics(doc, r, summary);
    add_bins(doc, "responseTimeHistogram", latency);
    add_percentiles(doc, "latencyPercentiles", latency);
    add_bins(doc, "firstByteHistogram", r->first_byte);
    add_percentiles(doc, "firstBytePercentiles", r->first_byte);
    add_rps(doc, rps);
    add_details(doc, r);
    add_statuses(doc, r);
    add_errors(doc, r);
}

bool pk_load_render_json(FILE *out, const pk_load_result *r, pk_err *err) {
    pk_load_summary summary;
    pk_load_rps rps;
    if (!pk_load_rps_fill(r, &rps)) {
        pk_fail(err, PK_E_LIMIT, NULL, "out of memory for the intervals");
        return false;
    }
    pk_load_summarize(r, &summary);
    pk_json *doc = pk_json_document("load/1");
    add_ohas_keys(doc, r, &summary, &rps);
    add_config(doc, r);
    pk_json_bool(doc, "interrupted", r->interrupted);
    pk_json_double(doc, "drain", seconds((double)r->drain_ns));
    add_requests(doc, r, &summary);
    add_bytes(doc, r);
    add_censored(doc, r);
    add_latency(doc, "corrected", r->response);
    add_latency(doc, "service", r->service);
    add_phases(doc, r);
    add_syn_retries(doc, r);
    add_intervals(doc, r);
    add_generator(doc, r);
    add_verdict(doc, r);
    bool ok = add_encoded_all(doc, r, err) && pk_json_write(out, doc, err);
    pk_json_free(doc);
    return ok;
}

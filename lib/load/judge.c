#include "load/load.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/units.h"
#include "load/report_numbers.h"

/* Where the client counts as the limit. Bounds and their reasons: docs/load.md, "Verdict". */
#define RATE_RATIO_MIN 0.99
#define CPU_RATIO_MAX 0.90
#define WAIT_SHARE_MAX 0.25
#define WAIT_RATIO_MIN 0.02
#define LAG_SHARE_MAX 0.10
#define IDLE_SHARE_MAX 0.10
#define STEAL_RATIO_MAX 0.05
#define BUSY_RATIO_MAX 0.90
#define LITTLE_TOLERANCE 0.02

static const char all_busy[] = "all CPUs were busy, load from another machine";

static PK_PRINTF(2, 3) void reason(pk_load_verdict *v, const char *fmt, ...) {
    const size_t max = sizeof v->reasons / sizeof v->reasons[0];
    va_list args;
    if (v->n_reasons == max) return;
    va_start(args, fmt);
    vsnprintf(v->reasons[v->n_reasons++], sizeof v->reasons[0], fmt, args);
    va_end(args);
}

static void judge_rate(const pk_load_generator *g, pk_load_verdict *v) {
    if (!(g->rate_ratio < RATE_RATIO_MIN)) return;
    reason(v, "of the requests due at %.1f/s only %.1f %% were sent: raise -c, or ask for less",
           g->target_rate_hz, 100 * g->rate_ratio);
}

static void judge_cpu(const pk_load_result *r, pk_load_verdict *v) {
    const pk_load_generator *g = &r->generator;
    if (!(g->cpu_ratio_max > CPU_RATIO_MAX)) return;
    reason(v, "a thread of perfkit used %.0f %% of a CPU: %s", 100 * g->cpu_ratio_max,
           r->threads < g->cpus ? "raise --threads" : "use a machine with more cores");
}

static const char *advice_on_waiting(const pk_load_result *r) {
    if (r->generator.busy_ratio > BUSY_RATIO_MAX) return all_busy;
    return "other programs ran on its CPU";
}

/* An answer that comes while the thread waits for a CPU is read that much later. What counts is the
 * share of the time in which a request of the thread was running. */
static void judge_wait(const pk_load_result *r, pk_load_verdict *v) {
    const pk_load_generator *g = &r->generator;
    double running = fmin(1, g->mean_in_flight / (double)r->threads);
    if (!(g->cpu_wait_ratio > WAIT_RATIO_MIN && g->cpu_wait_ratio > WAIT_SHARE_MAX * running))
        return;
    reason(v,
           "a thread of perfkit waited for a CPU, %.0f %% of the time in which it had requests "
           "running: %s",
           100 * fmin(1, g->cpu_wait_ratio / running), advice_on_waiting(r));
}

static void judge_lag(const pk_load_result *r, pk_load_verdict *v) {
    const pk_load_generator *g = &r->generator;
    double p99_ns = pk_load_percentile_ns(pk_load_main_latency(r), 0.99); /* as it is shown */
    char lag[PK_FORMAT_MAX], p99[PK_FORMAT_MAX];
    if (!(g->lag_p99_ns > LAG_SHARE_MAX * p99_ns)) return;
    reason(v, "requests left late though a connection was free: p99 %s, p99 of the latency %s",
           pk_format_duration(lag, sizeof lag, g->lag_p99_ns),
           pk_format_duration(p99, sizeof p99, p99_ns));
}

static void judge_limits(const pk_load_result *r, pk_load_verdict *v) {
    char text[128];
    for (size_t i = 0; i < r->n_errors; i++) {
        const pk_load_error_count *e = &r->errors[i];
        if (!pk_load_error_is_ours(e->class_)) continue;
        reason(v, "%llu request%s failed at this machine's own limit: %s: %s",
               (unsigned long long)e->count, e->count == 1 ? "" : "s",
               pk_load_error_text(text, sizeof text, e->class_, e->sys_errno),
               pk_load_error_advice(e->class_));
    }
}

static void judge_steal(const pk_load_generator *g, pk_load_verdict *v) {
    if (!(g->steal_ratio > STEAL_RATIO_MAX)) return;
    reason(v, "the hypervisor took %.1f %% of the CPU time from this machine",
           100 * g->steal_ratio);
}

static const char *advice_on_idling(const pk_load_result *r) {
    const pk_load_generator *g = &r->generator;
    if (g->busy_ratio > BUSY_RATIO_MAX) return all_busy;
    return r->threads < g->cpus ? "raise --threads" : "use a machine with more cores";
}

/* In a closed loop a connection without a request is perfkit's own time. */
static void judge_idle(const pk_load_result *r, pk_load_verdict *v) {
    const pk_load_generator *g = &r->generator;
    double sure = g->mean_idle - pk_load_edge_connections(r);
    if (r->rate_hz > 0 || !pk_load_is_mostly_answers(r)) return;
    if (!(sure > IDLE_SHARE_MAX * (double)r->connections)) return;
    reason(v, "of %llu connections %.1f had no request in flight on average: %s",
           (unsigned long long)r->connections, g->mean_idle, advice_on_idling(r));
}

/* Little's law (J. Little, Operations Research 9(3), 1961): mean number in flight = rate x mean
 * time in flight. The two sides are counted apart, so a gap means that one of them is wrong. */
static void judge_little(const pk_load_result *r, pk_load_verdict *v) {
    double in_flight = r->generator.mean_in_flight;
    if (!pk_load_is_mostly_answers(r) || r->service->total == 0 || r->elapsed_ns == 0) return;
    double product = pk_hist_mean(r->service) * (double)r->service->total / (double)r->elapsed_ns;
    double off = fabs(product - in_flight) - pk_load_edge_connections(r);
    if (!(off > LITTLE_TOLERANCE * in_flight)) return;
    reason(v, "rate x mean latency is %.2f but %.2f requests were in flight: figures disagree",
           product, in_flight);
}

void pk_load_judge(const pk_load_result *r, pk_load_verdict *v) {
    *v = (pk_load_verdict){0};
    judge_limits(r, v); /* first: it explains a rate that was not reached */
    judge_rate(&r->generator, v);
    judge_cpu(r, v);
    judge_wait(r, v);
    judge_lag(r, v);
    judge_steal(&r->generator, v);
    judge_idle(r, v);
    judge_little(r, v);
    v->client_limited = v->n_reasons > 0;
}

#include "bench/analyse.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/analyse_parts.h"
#include "stats/robust.h"

#define STORED_SPREAD_MOST 0.1 /* of workers, above which stored numbers say nothing */
#define STORED_DF 12           /* of an interval from two sessions */
#define HISTORY_LEAST 3        /* sessions from which their own spread is used */

/* ---- live ---- */

static double log_ratio(const pk_bench_worker *worker) {
    return log(pk_worker_new_ns(worker) / pk_worker_old_ns(worker));
}

/* Log of a one-sided worker's time in units of its reference loop, if it has one. *is_new: which
 * side it measured. */
static double log_one_side(const pk_bench_worker *worker, bool *is_new) {
    *is_new = worker->side[PK_SIDE_NEW].units > 0;
    double ns = *is_new ? pk_worker_new_ns(worker) : pk_worker_old_ns(worker);
    double reference = worker->reference_ns;
    return log(isfinite(reference) && reference > 0 ? ns / reference : ns);
}

/* The change that four workers in a row show, if two of them are new and two old, of one layout,
 * and all or none have a reference; else NaN. */
static double block_change(const pk_bench_worker four[4]) {
    double sum = 0;
    size_t news = 0, referenced = 0;
    for (size_t i = 0; i < 4; i++) {
        bool is_new;
        double x = log_one_side(&four[i], &is_new);
        if (four[i].layout != four[0].layout) return NAN;
        news += is_new;
        referenced += isfinite(four[i].reference_ns) && four[i].reference_ns > 0;
        sum += is_new ? x : -x;
    }
    return news == 2 && referenced % 4 == 0 ? sum / 2 : NAN;
}

/* ABBA BAAB: if a worker is missing from the row, blocks begin again where one fits. */
static pk_unit_estimate isolated_estimate(const pk_bench_result *result,
                                          const pk_bench_options *options) {
    pk_unit_estimate e = pk_unit_estimate_unknown;
    pk_worker_values blocks;
    if (pk_worker_values_init(&blocks, result->n_workers)) {
        for (size_t i = 0; i + 4 <= result->n_workers;) {
            double d = block_change(&result->workers[i]);
            if (isfinite(d)) pk_worker_values_add(&blocks, d, false, result->workers[i].layout);
            i += isfinite(d) ? 4 : 1;
        }
        e = pk_unit_estimate_of(&blocks, options->robust, false);
    }
    pk_worker_values_fini(&blocks);
    return e;
}

pk_unit_estimate pk_live_estimate(const pk_bench_result *result, const pk_bench_options *options) {
    if (result->change.source == PK_CHANGE_ISOLATED) return isolated_estimate(result, options);
    pk_unit_estimate e = pk_unit_estimate_unknown;
    pk_worker_values d;
    if (pk_worker_values_of(&d, result, log_ratio))
        e = pk_unit_estimate_of(&d, options->robust, true);
    pk_worker_values_fini(&d);
    return e;
}

static double mean_old_ns(const pk_bench_result *result) {
    double sum = 0, n = 0;
    for (size_t i = 0; i < result->n_workers; i++) {
        double ns = pk_worker_old_ns(&result->workers[i]);
        if (!isfinite(ns)) continue;
        sum += ns;
        n++;
    }
    return sum / n;
}

/* Ratio and verdict from a difference of logs. n: units that more of would narrow it. */
static void set_verdict(pk_bench_result *result, const pk_bench_options *options, double d,
                        double standard_error, double df, uint64_t n) {
    pk_bench_change *change = &result->change;
    pk_verdict_rule rule = {
        .threshold = result->noise_threshold,
        .equivalence = result->equivalence,
        .confidence = result->confidence_level,
        .strict = options->strict,
    };
    change->verdict = pk_verdict_of_log(&rule, d, standard_error, df, n);
    change->ratio = (pk_estimate){
        .point = change->verdict.estimate,
        .low = change->verdict.low,
        .high = change->verdict.high,
        .standard_error = exp(d) * standard_error,
    };
}

void pk_bench_change_live(pk_bench_result *result, const pk_bench_options *options) {
    pk_unit_estimate e = pk_live_estimate(result, options);
    /* more workers narrow the interval only where they, or blocks of them, are the unit */
    uint64_t workers = e.by_layout ? 0 : result->n_workers;
    set_verdict(result, options, e.location, e.standard_error, e.df, workers);
    result->change.order_effect = expm1(e.order_effect);
    result->change.old_ns = mean_old_ns(result);
    result->change.history = 0;
    result->change.refused[0] = '\0';
}

/* ---- stored ---- */

static double log_time(const pk_bench_worker *worker) {
    return log(pk_worker_new_ns(worker));
}

static double log_normalised(const pk_bench_worker *worker) {
    double reference = worker->reference_ns;
    return reference > 0 ? log(pk_worker_new_ns(worker) / reference) : NAN;
}

void pk_bench_session_of(const pk_bench_result *result, const pk_environment *environment,
                         pk_bench_session *session) {
    *session = (pk_bench_session){
        .time_unix_ns = result->started_unix_ns,
        .typical_ns = result->typical.point,
        .low_ns = result->typical.low,
        .high_ns = result->typical.high,
        .throughput_bytes = result->throughput.bytes,
        .change = result->change.source == PK_CHANGE_NONE ? NAN : result->change.ratio.point,
    };
    if (result->throughput.given)
        session->throughput_per_iteration = (double)result->throughput.per_iteration;
    if (result->artefact)
        snprintf(session->artefact, sizeof session->artefact, "%s", result->artefact);
    pk_environment_id(environment, session->environment);
    if (result->change.source != PK_CHANGE_NONE)
        snprintf(session->verdict, sizeof session->verdict, "%s",
                 pk_verdict_name(result->change.verdict.word));

    static pk_worker_value *const value[2] = {log_time, log_normalised};
    for (size_t k = 0; k < 2; k++) {
        session->location[k] = session->standard_error[k] = session->spread[k] = NAN;
        pk_worker_values x;
        if (pk_worker_values_of(&x, result, value[k])) {
            if (k == 0) session->workers = x.n;
            pk_sort(x.x, x.n);
            pk_trimmed t = pk_trimmed_mean(x.x, x.n, PK_WORKERS_TRIM);
            session->location[k] = t.mean;
            session->standard_error[k] = t.standard_error;
            session->spread[k] = pk_iqr_spread(x.x, x.n);
        }
        pk_worker_values_fini(&x);
    }
}

static bool known(const pk_bench_session *s, int column) {
    return isfinite(s->location[column]) && isfinite(s->standard_error[column]) &&
           isfinite(s->spread[column]);
}

/* Why these two sessions cannot be compared; false: they can. */
static bool refuse(char out[256], const pk_bench_session *now, const pk_bench_session *old,
                   int column) {
    static const char *const how = "run the old build again beside the new one with --compare-with";
    if (!old || !known(old, column)) {
        snprintf(out, 256, "the baseline has no numbers of its workers; %s", how);
        return true;
    }
    if (!known(now, column)) {
        snprintf(out, 256, "too few workers to compare with stored numbers; %s", how);
        return true;
    }
    double spread = fmax(now->spread[column], old->spread[column]);
    if (spread <= STORED_SPREAD_MOST) return false;
    snprintf(out, 256, "workers differ by %.0f %%; %s", 100 * spread, how);
    return true;
}

/* A prediction interval for one more session, its spread shrunk towards that of the workers. */
typedef struct history {
    size_t n;
    double mean, standard_error, df;
} history;

/* Only calm sessions of the machine that the newest one ran on. */
static bool belongs(const pk_bench_session *s, const pk_bench_session *newest, int column) {
    return known(s, column) && s->spread[column] <= STORED_SPREAD_MOST &&
           strcmp(s->environment, newest->environment) == 0;
}

static history history_of(size_t n, const pk_bench_session sessions[],
                          const pk_bench_session *newest, int column) {
    history h = {0};
    double sum = 0, worker_squares = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        if (!belongs(&sessions[i], newest, column)) continue;
        h.n++;
        sum += sessions[i].location[column];
        worker_squares += sessions[i].spread[column] * sessions[i].spread[column];
    }
    double count = (double)h.n;
    h.mean = sum / count;
    for (size_t i = 0; i < n; i++) {
        if (!belongs(&sessions[i], newest, column)) continue;
        double d = sessions[i].location[column] - h.mean;
        squares += d * d;
    }
    double variance = (3 * worker_squares / count + squares) / (count + 2);
    h.standard_error = sqrt(variance * (1 + 1 / count));
    h.df = count + 2;
    return h;
}

/* Of one session: sampling, and how much sessions differ, for which the workers' spread stands. */
static double session_variance(const pk_bench_session *s, int column) {
    return s->standard_error[column] * s->standard_error[column] +
           s->spread[column] * s->spread[column];
}

void pk_bench_change_stored(pk_bench_result *result, const pk_environment *environment, size_t n,
                            const pk_bench_session sessions[], const pk_bench_options *options) {
    pk_bench_change *change = &result->change;
    const pk_bench_session *old = n > 0 ? &sessions[n - 1] : NULL;
    pk_bench_session now;
    pk_bench_session_of(result, environment, &now);
    bool normalised =
        old && known(&now, 1) && known(old, 1) && strcmp(old->environment, now.environment) == 0;
    int column = normalised ? 1 : 0;

    change->source = PK_CHANGE_STORED;
    change->normalised = normalised;
    change->order_effect = NAN;
    change->history = old ? 1 : 0;
    change->old_ns = old ? old->typical_ns : NAN;
    change->median_point = change->median_low = change->median_high = NAN;
    change->refused[0] = '\0';
    double d = old ? now.location[column] - old->location[column] : NAN;
    if (refuse(change->refused, &now, old, column)) {
        set_verdict(result, options, d, NAN, STORED_DF, 0);
        return;
    }
    history h = history_of(n, sessions, old, column);
    if (h.n >= HISTORY_LEAST) {
        change->history = (unsigned)h.n;
        set_verdict(result, options, now.location[column] - h.mean, h.standard_error, h.df, 0);
    } else {
        double variance = session_variance(&now, column) + session_variance(old, column);
        set_verdict(result, options, d, sqrt(variance), STORED_DF, 0);
    }
}

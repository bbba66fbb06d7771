/* A hand-made load result for the tests of what reads one: every figure is round and can be worked
 * out on paper. 1000 answers in 2 s over 4 connections: latencies of 1 to 10 ms. */
#ifndef PK_TESTS_UNIT_LOAD_RESULT_H
#define PK_TESTS_UNIT_LOAD_RESULT_H

#include "check.h"

#include "base/units.h"
#include "load/load.h"

static inline pk_hist *hist_of(void) {
    pk_err err = {0};
    pk_hist *hist = pk_hist_new_latency(&err);
    assert_ok(hist != NULL, &err);
    return hist;
}

static inline void add_ms(pk_hist *hist, double ms, uint64_t n) {
    pk_hist_record_n(hist, (uint64_t)(ms * 1e6), n);
}

/* Latencies: min 1 ms, max 11 ms, 99 or 100 in the middle of each of the ten 1 ms bins between:
 * 1 at 1, 99 at 1.5, 100 each at 2.5 .. 9.5, 99 at 10.5, 1 at 11. Mean 6 ms. */
static inline void fill_latencies(pk_hist *hist) {
    add_ms(hist, 1, 1);
    add_ms(hist, 1.5, 99);
    for (int i = 2; i <= 9; i++) add_ms(hist, i + 0.5, 100);
    add_ms(hist, 10.5, 99);
    add_ms(hist, 11, 1);
}

static inline pk_load_result result_begin(void) {
    pk_load_result r = {
        .url = "http://127.0.0.1:3000/",
        .method = "GET",
        .engine = "curl",
        .connections = 4,
        .threads = 2,
        .duration_asked_ns = 2 * PK_NS_PER_S,
        .keepalive = true,
        .connect_timeout_ns = 5 * PK_NS_PER_S,
        .started_unix_ns = 1700000000ull * PK_NS_PER_S,
        .elapsed_ns = 2 * PK_NS_PER_S,
        .sent = 1000,
        .responses = 1000,
        .responses_in_window = 1000,
        .body_bytes = 13000,
        .head_bytes = 100000,
        .sent_bytes = 80000,
        .connections_opened = 4,
        .interval_ns = 500 * PK_NS_PER_MS,
        .n_intervals = 4,
        .generator = {.achieved_rate_hz = 500,
                      .rate_ratio = NAN,
                      .lag_p50_ns = NAN,
                      .lag_p99_ns = NAN,
                      .lag_max_ns = NAN,
                      .loop_p99_ns = 45e3,
                      .loop_max_ns = 90e3,
                      .cpu_ratio_max = 0.25,
                      .cpu_ratio_mean = 0.2,
                      .cpu_wait_ratio = 0.015,
                      .cpu_spun_ratio = 0,
                      .paused_ratio = 0.03,
                      .cpu_ns_per_request = 800e3,
                      .steal_ratio = 0.001,
                      .busy_ratio = 0.5,
                      .cpus = 2,
                      .switches_involuntary = 7,
                      .retransmits = 0,
                      .retransmits_known = true,
                      .mean_in_flight = 3.0,
                      .mean_idle = 0.02},
    };
    r.status[200] = 1000;
    r.service = hist_of();
    r.first_byte = hist_of();
    r.head = hist_of();
    r.dns = hist_of();
    r.dialup = hist_of();
    r.tcp = hist_of();
    r.tls = hist_of();
    fill_latencies(r.service);
    add_ms(r.first_byte, 2, 1000);
    add_ms(r.head, 1, 1000);
    add_ms(r.dns, 0.25, 4);
    add_ms(r.tcp, 0.5, 3);
    add_ms(r.tcp, 1.5, 1);
    add_ms(r.dialup, 0.75, 3);
    add_ms(r.dialup, 1.75, 1);
    static const uint64_t responses[] = {240, 260, 245, 255};
    r.intervals = calloc(4, sizeof *r.intervals);
    assert_non_null(r.intervals);
    for (size_t i = 0; i < 4; i++)
        r.intervals[i] = (pk_load_interval){.responses = responses[i], .bytes = 13 * responses[i]};
    return r;
}

static inline void add_error(pk_load_result *r, pk_load_error_class class_, int sys_errno,
                             uint64_t count) {
    r->errors[r->n_errors++] =
        (pk_load_error_count){.class_ = class_, .sys_errno = sys_errno, .count = count};
}

#endif

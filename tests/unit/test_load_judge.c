#include "load_result.h"

#include <errno.h>

/* 1000 answers of 6 ms on average in 2 s: 3 in flight, as the result says. */
static void good_figures_are_no_verdict(void **state) {
    (void)state;
    pk_load_result r = result_begin();
    pk_load_verdict v;
    pk_load_judge(&r, &v);
    assert_false(v.client_limited);
    assert_int_equal(v.n_reasons, 0);
    pk_load_result_fini(&r);
}

/* Exactly one reason, with this text in it. */
static void assert_reason(pk_load_result *r, const char *text) {
    pk_load_verdict v;
    pk_load_judge(r, &v);
    for (size_t i = 0; i < v.n_reasons; i++)
        if (v.n_reasons > 1 || !strstr(v.reasons[i], text)) print_error("%s\n", v.reasons[i]);
    assert_true(v.client_limited);
    assert_int_equal(v.n_reasons, 1);
    assert_non_null(strstr(v.reasons[0], text));
}

static void assert_no_reason(pk_load_result *r) {
    pk_load_verdict v;
    pk_load_judge(r, &v);
    for (size_t i = 0; i < v.n_reasons; i++) print_error("%s\n", v.reasons[i]);
    assert_false(v.client_limited);
}

static void less_than_99_percent_of_the_rate_is_too_little(void **state) {
    (void)state;
    pk_load_result r = result_begin();
    r.rate_hz = r.generator.target_rate_hz = 500;
    r.generator.rate_ratio = 0.99;
    assert_no_reason(&r);
    r.generator.rate_ratio = 0.989;
    assert_reason(&r, "of the requests due at 500.0/s only 98.9 % were sent");
    pk_load_result_fini(&r);
}

static void a_thread_over_90_percent_is_the_limit(void **state) {
    (void)state;
    pk_load_result r = result_begin();
    r.generator.cpu_ratio_max = 0.9;
    assert_no_reason(&r);
    r.generator.cpu_ratio_max = 0.97;
    assert_reason(&r, "97 % of a CPU: use a machine with more cores");
    r.threads = 1;
    assert_reason(&r, "97 % of a CPU: raise --threads");
    pk_load_result_fini(&r);
}

/* Three requests are in flight over two threads: each thread has one at any time. */
static void a_thread_without_a_cpu_is_the_limit(void **state) {
    (void)state;
    pk_load_result r = result_begin();
    r.generator.cpu_wait_ratio = 0.25;
    assert_no_reason(&r);
    r.generator.cpu_wait_ratio = 0.3;
    assert_reason(&r, "waited for a CPU, 30 % of the time in which it had requests running: other "
                      "programs ran on its CPU");
    r.generator.busy_ratio = 0.95;
    assert_reason(&r, "30 % of the time in which it had requests running: all CPUs were busy, load "
                      "from another machine");
    r.generator.cpu_wait_ratio = NAN; /* not known */
    assert_no_reason(&r);
    pk_load_result_fini(&r);
}

/* At a low rate a thread has nothing to do most of the time: what counts is the rest. */
static void waiting_counts_against_the_time_with_requests(void **state) {
    (void)state;
    pk_load_result r = result_begin();
    r.rate_hz = r.generator.target_rate_hz = 16;
    pk_hist_reset(r.service);
    add_ms(r.service, 6, 32);
    r.responses = r.responses_in_window = r.sent = r.status[200] = 32;
    r.generator.mean_in_flight = 0.096; /* 16 x 6 ms; 0.048 for each thread */
    r.generator.mean_idle = 3.904;
    r.generator.cpu_wait_ratio = 0.019; /* 40 % of that, but nothing beside the window */
    assert_no_reason(&r);
    r.generator.cpu_wait_ratio = 0.024;
    assert_reason(&r, "50 % of the time in which it had requests running");
    r.generator.cpu_wait_ratio = 0.12; /* waiting to send is not part of the time in flight */
    assert_reason(&r, "100 % of the time in which it had requests running");
    pk_load_result_fini(&r);
}

static void lag_counts_against_the_latency_reported(void **state) {
    (void)state;
    pk_load_result r = result_begin();
    double p99_ns = pk_hist_quantile(r.service, 0.99); /* 10.5 ms */
    r.generator.lag_p99_ns = 0.1 * p99_ns;
    assert_no_reason(&r);
    r.generator.lag_p99_ns = 2e6;
    assert_reason(&r, "p99 2 ms, p99 of the latency 10.5 ms");
    /* the same lag beside a latency from the schedule that is far longer */
    r.rate_hz = r.generator.target_rate_hz = 500;
    r.latency_correction = true;
    r.response = hist_of();
    add_ms(r.response, 100, 1000);
    assert_no_reason(&r);
    /* a p99 that is not shown, for want of samples, is not compared */
    r.latency_correction = false;
    pk_hist_reset(r.service);
    add_ms(r.service, 6, 99);
    r.generator.mean_in_flight = 0.3;
    assert_no_reason(&r);
    add_ms(r.service, 6, 1);
    assert_reason(&r, "requests left late");
    pk_load_result_fini(&r);
}

static void limits_of_this_machine_are_named(void **state) {
    (void)state;
    pk_load_result r = result_begin();
    add_error(&r, PK_LOAD_E_CONNECT, ECONNREFUSED, 3);
    r.errors_total = 3;
    assert_no_reason(&r); /* the server's */
    add_error(&r, PK_LOAD_E_FILES, EMFILE, 2);
    r.errors_total = 5;
    assert_reason(
        &r, "2 requests failed at this machine's own limit: Too many open files (os error 24): "
            "raise it with `ulimit -n`");
    pk_load_result_fini(&r);
}

static void stolen_time_is_named(void **state) {
    (void)state;
    pk_load_result r = result_begin();
    r.generator.steal_ratio = NAN;
    assert_no_reason(&r);
    r.generator.steal_ratio = 0.06;
    assert_reason(&r, "took 6.0 % of the CPU time");
    pk_load_result_fini(&r);
}

/* Edge: 4 connections may idle for one longest latency (11 ms of 2 s) each: 0.022. */
static void idle_connections_are_the_clients(void **state) {
    (void)state;
    pk_load_result r = result_begin();
    r.generator.mean_idle = 0.42;
    assert_no_reason(&r);
    r.generator.mean_idle = 0.43;
    assert_reason(&r, "of 4 connections 0.4 had no request in flight on average: use a machine");
    r.threads = 1;
    assert_reason(&r, "on average: raise --threads");
    r.generator.busy_ratio = 0.95;
    assert_reason(&r, "on average: all CPUs were busy");
    r.rate_hz = 100; /* at a rate connections idle on purpose */
    assert_no_reason(&r);
    r.rate_hz = 0;
    r.errors_total = 10; /* of 1000: too few to matter */
    assert_reason(&r, "had no request in flight");
    r.errors_total = 11; /* refused connections pause on purpose */
    assert_no_reason(&r);
    r.timeouts = 1; /* timeouts are known latencies */
    assert_reason(&r, "had no request in flight");
    r.responses = 950; /* and count among what is known */
    r.errors_total = 60;
    r.timeouts = 50;
    assert_reason(&r, "had no request in flight");
    pk_load_result_fini(&r);
}

/* Little: 500/s x 6 ms = 3 in flight; 2 % and the edge of 0.022 are allowed. */
static void rate_times_latency_is_what_was_in_flight(void **state) {
    (void)state;
    pk_load_result r = result_begin();
    assert_near(pk_hist_mean(r.service), 6e6, 1e-12);
    r.generator.mean_in_flight = 3.08;
    assert_no_reason(&r);
    r.generator.mean_in_flight = 3.09;
    assert_reason(&r, "rate x mean latency is 3.00 but 3.09 requests were in flight");
    r.generator.mean_in_flight = 2.91;
    assert_reason(&r, "figures disagree");
    r.errors_total = 11; /* their time in flight is in no histogram */
    assert_no_reason(&r);
    r.errors_total = 0;
    /* what was aborted in flight is in no histogram, but it is known how old it was at most */
    r.aborted = 1;
    r.aborted_oldest_ns = 500 * PK_NS_PER_MS;
    r.generator.mean_in_flight = 3.5;
    assert_no_reason(&r);
    pk_load_result_fini(&r);
}

static void a_run_without_answers_is_not_judged_by_its_latencies(void **state) {
    (void)state;
    pk_load_result r = result_begin();
    pk_hist_reset(r.service);
    r.responses = r.responses_in_window = r.status[200] = 0;
    r.generator.lag_p99_ns = 1e9;
    r.generator.mean_in_flight = 4;
    assert_no_reason(&r);
    pk_load_result_fini(&r);
}

static void all_reasons_have_room(void **state) {
    (void)state;
    pk_load_result r = result_begin();
    pk_load_verdict v;
    r.generator.target_rate_hz = 1000;
    r.generator.rate_ratio = 0.5;
    r.generator.cpu_ratio_max = 1;
    r.generator.lag_p99_ns = 1e9;
    r.generator.steal_ratio = 0.5;
    r.generator.mean_idle = 2;
    r.generator.mean_in_flight = 2;
    for (int i = 0; i < 20; i++) add_error(&r, PK_LOAD_E_PORTS, EADDRNOTAVAIL, 1);
    pk_load_judge(&r, &v);
    assert_int_equal(v.n_reasons, sizeof v.reasons / sizeof v.reasons[0]);
    for (size_t i = 0; i < v.n_reasons; i++)
        assert_in_range(strlen(v.reasons[i]), 10, sizeof v.reasons[i] - 2); /* none is cut */
    pk_load_result_fini(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_figures_are_no_verdict),
        cmocka_unit_test(less_than_99_percent_of_the_rate_is_too_little),
        cmocka_unit_test(a_thread_over_90_percent_is_the_limit),
        cmocka_unit_test(a_thread_without_a_cpu_is_the_limit),
        cmocka_unit_test(waiting_counts_against_the_time_with_requests),
        cmocka_unit_test(lag_counts_against_the_latency_reported),
        cmocka_unit_test(limits_of_this_machine_are_named),
        cmocka_unit_test(stolen_time_is_named),
        cmocka_unit_test(idle_connections_are_the_clients),
        cmocka_unit_test(rate_times_latency_is_what_was_in_flight),
        cmocka_unit_test(a_run_without_answers_is_not_judged_by_its_latencies),
        cmocka_unit_test(all_reasons_have_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

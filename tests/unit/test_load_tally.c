#include "check.h"

#include <errno.h>

#include "load/tally.h"

static pk_tally *tally(bool has_rate) {
    pk_err err = {0};
    pk_tally *t = pk_tally_new(has_rate, &err);
    assert_ok(t != NULL, &err);
    return t;
}

static pk_completion answer(uint64_t start_ns, uint64_t end_ns, uint64_t bytes) {
    return (pk_completion){.status = 200,
                           .start_ns = start_ns,
                           .end_ns = end_ns,
                           .head_ns = start_ns + 1,
                           .body_bytes = bytes,
                           .head_bytes = 10,
                           .sent_bytes = 20};
}

static void in_flight_is_integrated_over_time(void **state) {
    (void)state;
    pk_tally *t = tally(false);
    t->window_start_ns = 90;
    pk_tally_in_flight(t, 100, +1); /* one from 100 */
    pk_tally_in_flight(t, 150, +1); /* two from 150 */
    pk_tally_in_flight(t, 160, -1); /* one from 160 */
    pk_tally_window_end(t, 200);
    assert_near(t->in_flight_sum_ns, 50 * 1 + 10 * 2 + 40 * 1, 0);
    pk_tally_in_flight(t, 300, -1); /* in the drain */
    assert_near(t->in_flight_sum_ns, 50 * 1 + 10 * 2 + 40 * 1, 0);
    assert_int_equal(t->in_flight, 0);
    pk_tally_free(t);
}

/* The first ends, at 120, within the call that sends the second at 150; it is told of later. */
static void in_flight_does_not_depend_on_the_order_of_news(void **state) {
    (void)state;
    pk_tally *t = tally(false);
    t->window_start_ns = 100;
    pk_tally_in_flight(t, 100, +1);
    pk_tally_in_flight(t, 150, +1);
    pk_tally_in_flight(t, 120, -1);
    pk_tally_in_flight(t, 190, -1);
    pk_tally_window_end(t, 200);
    assert_near(t->in_flight_sum_ns, 20 + 40, 0);
    pk_tally_free(t);
}

static void an_answer_counts_everywhere(void **state) {
    (void)state;
    pk_tally *t = tally(true);
    pk_completion c = answer(1000, 3000, 13);
    c.opened = true;
    c.dns_ns = 1;
    c.tcp_ns = 2;
    c.dialup_ns = 3;
    c.first_byte_ns = 2500;
    pk_tally_completion(t, &c, 500, 0, true);
    assert_int_equal(t->responses, 1);
    assert_int_equal(t->responses_in_window, 1);
    assert_int_equal(t->status[200], 1);
    assert_int_equal(t->body_bytes, 13);
    assert_int_equal(t->connections_opened, 1);
    assert_int_equal(t->hist[PK_TALLY_SERVICE]->max, 2000);
    assert_int_equal(t->hist[PK_TALLY_RESPONSE]->max, 2500); /* from the intended start */
    assert_int_equal(t->hist[PK_TALLY_FIRST_BYTE]->max, 1500);
    assert_int_equal(t->hist[PK_TALLY_TLS]->total, 0);
    pk_tally_free(t);
}

static void a_timeout_enters_at_its_timeout_other_errors_do_not(void **state) {
    (void)state;
    pk_tally *t = tally(false);
    pk_completion c = answer(0, 1000, 0);
    c.status = 0;
    c.error = PK_LOAD_E_TIMEOUT;
    pk_tally_completion(t, &c, 0, 0, true);
    c.error = PK_LOAD_E_CONNECT;
    c.sys_errno = ECONNREFUSED;
    pk_tally_completion(t, &c, 0, 0, true);
    assert_int_equal(t->responses, 0);
    assert_int_equal(t->timeouts, 1);
    assert_int_equal(t->errors_total, 2);
    assert_int_equal(t->hist[PK_TALLY_SERVICE]->total, 1);
    pk_tally_free(t);
}

static void failed_requests_bring_no_bytes(void **state) {
    (void)state;
    pk_tally *t = tally(false);
    pk_completion c = answer(0, 1000, 500);
    c.error = PK_LOAD_E_TRUNCATED;
    pk_tally_completion(t, &c, 0, 0, true);
    assert_int_equal(t->body_bytes, 0);
    assert_int_equal(t->sent_bytes, 20);
    pk_tally_free(t);
}

static void too_many_kinds_of_error_keep_the_sum(void **state) {
    (void)state;
    pk_tally *t = tally(false);
    for (int e = 0; e < 200; e++) pk_tally_error(t, PK_LOAD_E_CONNECT, e, 3);
    uint64_t sum = 0;
    for (size_t i = 0; i < t->n_errors; i++) sum += t->errors[i].count;
    assert_int_equal(t->n_errors, PK_LOAD_ERRORS_MAX);
    assert_int_equal(sum, 600);
    pk_tally_free(t);
}

static void intervals_double_and_keep_the_sum(void **state) {
    (void)state;
    pk_tally *t = tally(false);
    const uint64_t seconds = 3600;
    for (uint64_t s = 0; s < seconds; s++) {
        pk_completion c = answer(s * 1000000000ull, s * 1000000000ull + 5, 2);
        pk_tally_completion(t, &c, 0, 0, true);
    }
    uint64_t sum = 0;
    for (size_t i = 0; i < PK_INTERVALS_MAX; i++) sum += t->intervals[i].responses;
    assert_int_equal(sum, seconds);
    assert_int_equal(t->interval_ns, 1600000000ull); /* 100 ms doubled until 3600 s fit in 4096 */
    assert_int_equal(t->intervals[0].responses, 2);  /* seconds 0 and 1 */
    assert_int_equal(t->intervals[0].bytes, 4);
    pk_tally_free(t);
}

static void merging_equals_counting_in_one(void **state) {
    (void)state;
    pk_tally *a = tally(true);
    pk_tally *b = tally(true);
    pk_tally *one = tally(true);
    pk_err err = {0};
    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t start = i * 7000000u;
        pk_completion c = answer(start, start + 100 + i * 977, i);
        if (i % 10 == 0) c.error = i % 20 ? PK_LOAD_E_RESET : PK_LOAD_E_TIMEOUT;
        pk_tally_completion(i % 3 ? a : b, &c, start / 2, 0, i % 2);
        pk_tally_completion(one, &c, start / 2, 0, i % 2);
    }
    assert_ok(pk_tally_merge(a, b, &err), &err);
    assert_int_equal(a->responses, one->responses);
    assert_int_equal(a->responses_in_window, one->responses_in_window);
    assert_int_equal(a->errors_total, one->errors_total);
    assert_int_equal(a->timeouts, one->timeouts);
    assert_int_equal(a->body_bytes, one->body_bytes);
    assert_int_equal(a->n_errors, one->n_errors);
    assert_memory_equal(a->status, one->status, sizeof a->status);
    assert_memory_equal(a->intervals, one->intervals, sizeof a->intervals);
    assert_memory_equal(a->hist[PK_TALLY_RESPONSE]->counts, one->hist[PK_TALLY_RESPONSE]->counts,
                        a->hist[PK_TALLY_RESPONSE]->counts_length * sizeof(uint64_t));
    pk_tally_free(a);
    pk_tally_free(b);
    pk_tally_free(one);
}

static void merging_joins_intervals_of_different_lengths(void **state) {
    (void)state;
    pk_tally *shorter = tally(false);
    pk_tally *longer = tally(false);
    pk_err err = {0};
    pk_completion early = answer(0, 5, 0);
    pk_completion late = answer(0, 1000000000000ull, 0);
    pk_tally_completion(shorter, &early, 0, 0, true);
    pk_tally_completion(longer, &late, 0, 0, true);
    assert_ok(pk_tally_merge(shorter, longer, &err), &err);
    assert_int_equal(shorter->interval_ns, longer->interval_ns);
    assert_int_equal(shorter->intervals[0].responses, 1);
    assert_int_equal(shorter->intervals[1000000000000ull / shorter->interval_ns].responses, 1);
    pk_tally_free(shorter);
    pk_tally_free(longer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_flight_is_integrated_over_time),
        cmocka_unit_test(in_flight_does_not_depend_on_the_order_of_news),
        cmocka_unit_test(an_answer_counts_everywhere),
        cmocka_unit_test(a_timeout_enters_at_its_timeout_other_errors_do_not),
        cmocka_unit_test(failed_requests_bring_no_bytes),
        cmocka_unit_test(too_many_kinds_of_error_keep_the_sum),
        cmocka_unit_test(intervals_double_and_keep_the_sum),
        cmocka_unit_test(merging_equals_counting_in_one),
        cmocka_unit_test(merging_joins_intervals_of_different_lengths),
    };
    return cmocka_run_group_tests_name("load/tally", tests, NULL, NULL);
}

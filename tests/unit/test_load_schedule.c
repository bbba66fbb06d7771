#include "check.h"

#include "load/schedule.h"

static void without_a_rate_everything_is_due_at_once(void **state) {
    (void)state;
    pk_schedule s = pk_schedule_make(0, 3, 0, 1);
    s.start_ns = 77;
    for (int i = 0; i < 3; i++) {
        assert_true(pk_schedule_left(&s));
        assert_int_equal(pk_schedule_next_ns(&s), 0);
        pk_schedule_take(&s);
    }
    assert_false(pk_schedule_left(&s));
    assert_int_equal(pk_schedule_backlog(&s, UINT64_MAX), 0);
}

static void ticket_k_is_due_at_k_over_rate(void **state) {
    (void)state;
    pk_schedule s = pk_schedule_make(100, UINT64_MAX, 0, 1);
    s.start_ns = 1000;
    assert_int_equal(pk_schedule_due_ns(&s, 0), 1000);
    assert_int_equal(pk_schedule_due_ns(&s, 1), 1000 + 10000000);
    assert_int_equal(pk_schedule_due_ns(&s, 12345), 1000 + 123450000000ull);
    s.rate_hz = 0.5;
    assert_int_equal(pk_schedule_due_ns(&s, 3), 1000 + 6000000000ull);
    s.rate_hz = 3;
    assert_int_equal(pk_schedule_due_ns(&s, 1), 1000 + 333333333);
}

/* ten days at 1 MHz: the sum of steps, or k * 1e9 / rate in a double, would have drifted */
static void the_schedule_does_not_drift(void **state) {
    (void)state;
    pk_schedule s = pk_schedule_make(1e6, UINT64_MAX, 0, 1);
    assert_int_equal(pk_schedule_due_ns(&s, 864000ull * 1000000ull + 1), 864000000000000ull + 1000);
}

static void threads_share_the_tickets_without_overlap(void **state) {
    (void)state;
    bool seen[10] = {false};
    for (uint64_t t = 0; t < 3; t++) {
        pk_schedule s = pk_schedule_make(0, 10, t, 3);
        for (; pk_schedule_left(&s); pk_schedule_take(&s)) {
            assert_false(seen[s.next]);
            seen[s.next] = true;
        }
    }
    for (int i = 0; i < 10; i++) assert_true(seen[i]);
}

static void backlog_is_what_stepping_would_count(void **state) {
    (void)state;
    const double rates[] = {0.7, 3, 9.7, 100, 333.3, 12345.6};
    for (size_t r = 0; r < sizeof rates / sizeof rates[0]; r++)
        for (uint64_t thread = 0; thread < 3; thread++)
            for (uint64_t until = 0; until < 3000000000ull; until += 123456789ull) {
                pk_schedule s = pk_schedule_make(rates[r], 20000, thread, 3);
                uint64_t counted = pk_schedule_backlog(&s, until);
                uint64_t stepped = 0;
                for (; pk_schedule_left(&s) && pk_schedule_next_ns(&s) <= until; stepped++)
                    pk_schedule_take(&s);
                assert_int_equal(counted, stepped);
            }
}

static void absurd_rates_and_tickets_stay_defined(void **state) {
    (void)state;
    pk_schedule s = pk_schedule_make(1e-9, UINT64_MAX, 0, 1);
    assert_true(pk_schedule_due_ns(&s, UINT64_MAX - 1) == UINT64_MAX);
    s = pk_schedule_make(1e300, UINT64_MAX, 0, 1);
    assert_int_equal(pk_schedule_due_ns(&s, 1000), 0);
    assert_true(pk_schedule_backlog(&s, 1000000000) >= 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_rate_everything_is_due_at_once),
        cmocka_unit_test(ticket_k_is_due_at_k_over_rate),
        cmocka_unit_test(the_schedule_does_not_drift),
        cmocka_unit_test(threads_share_the_tickets_without_overlap),
        cmocka_unit_test(backlog_is_what_stepping_would_count),
        cmocka_unit_test(absurd_rates_and_tickets_stay_defined),
    };
    return cmocka_run_group_tests_name("load/schedule", tests, NULL, NULL);
}

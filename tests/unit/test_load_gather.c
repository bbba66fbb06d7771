#include "check.h"

#include "load/gather.h"

#define US 1000u
#define MS 1000000u

/* Periods of 1 ms, of which so much is waited. */
static void spend(pk_gather *g, uint64_t *now_ns, int periods, uint64_t waited_ns) {
    for (int i = 0; i < periods; i++) {
        *now_ns += MS;
        pk_gather_waited(g, *now_ns - waited_ns, *now_ns);
    }
}

static pk_gather busy(void) {
    pk_gather g;
    uint64_t now_ns = 5 * MS;
    pk_gather_begin(&g, now_ns);
    spend(&g, &now_ns, 1, 0);
    return g;
}

static void nobody_is_busy_before_a_period_is_over(void **state) {
    (void)state;
    pk_gather g;
    pk_gather_begin(&g, 7 * MS);
    assert_int_equal(pk_gather_pause_ns(&g, 1, 400 * US, 64), 0);
    pk_gather_waited(&g, 7 * MS + 1, 7 * MS + 2);
    assert_int_equal(pk_gather_pause_ns(&g, 1, 400 * US, 64), 0);
}

static void who_waits_half_of_the_time_never_pauses(void **state) {
    (void)state;
    pk_gather g;
    uint64_t now_ns = 0;
    pk_gather_begin(&g, now_ns);
    spend(&g, &now_ns, 3, MS / 2);
    assert_int_equal(pk_gather_pause_ns(&g, 1, 400 * US, 64), 0);
    spend(&g, &now_ns, 1, MS / 2 - 1);
    assert_int_equal(pk_gather_pause_ns(&g, 1, 400 * US, 64), 50 * US);
    spend(&g, &now_ns, 1, MS);
    assert_int_equal(pk_gather_pause_ns(&g, 1, 400 * US, 64), 0);
}

static void many_short_waits_count_as_one_long(void **state) {
    (void)state;
    pk_gather g;
    uint64_t now_ns = 0;
    pk_gather_begin(&g, now_ns);
    for (int i = 0; i < 99; i++, now_ns += 10 * US) pk_gather_waited(&g, now_ns, now_ns + 6 * US);
    assert_int_equal(pk_gather_pause_ns(&g, 1, 400 * US, 64), 0); /* 0.99 ms: no period yet */
    pk_gather_waited(&g, MS, MS);
    assert_int_equal(pk_gather_pause_ns(&g, 1, 400 * US, 64), 0); /* 0.594 ms of it */
    for (int i = 0; i < 101; i++, now_ns += 10 * US) pk_gather_waited(&g, now_ns, now_ns + 4 * US);
    assert_int_equal(pk_gather_pause_ns(&g, 1, 400 * US, 64), 50 * US);
}

static void a_pause_is_an_eighth_of_the_fastest_answer(void **state) {
    (void)state;
    pk_gather g = busy();
    assert_int_equal(pk_gather_pause_ns(&g, 1, 240 * US, 64), 30 * US);
    assert_int_equal(pk_gather_pause_ns(&g, 1, 160 * US, 64), 20 * US);
    assert_int_equal(pk_gather_pause_ns(&g, 1, 160 * US - 1, 64), 0); /* not worth it */
    assert_int_equal(pk_gather_pause_ns(&g, 1, 800 * US, 64), 100 * US);
    assert_int_equal(pk_gather_pause_ns(&g, 1, UINT64_MAX, 64), 100 * US);
}

static void many_answers_have_gathered_by_themselves(void **state) {
    (void)state;
    pk_gather g = busy();
    assert_int_equal(pk_gather_pause_ns(&g, 8, 400 * US, 64), 50 * US);
    assert_int_equal(pk_gather_pause_ns(&g, 9, 400 * US, 64), 0);
    assert_int_equal(pk_gather_pause_ns(&g, 1, 400 * US, 8), 50 * US);
    assert_int_equal(pk_gather_pause_ns(&g, 1, 400 * US, 7), 0);
}

static void a_look_without_an_answer_tells_nothing(void **state) {
    (void)state;
    pk_gather g = busy();
    assert_int_equal(pk_gather_pause_ns(&g, 0, UINT64_MAX, 64), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_busy_before_a_period_is_over),
        cmocka_unit_test(who_waits_half_of_the_time_never_pauses),
        cmocka_unit_test(many_short_waits_count_as_one_long),
        cmocka_unit_test(a_pause_is_an_eighth_of_the_fastest_answer),
        cmocka_unit_test(many_answers_have_gathered_by_themselves),
        cmocka_unit_test(a_look_without_an_answer_tells_nothing),
    };
    return cmocka_run_group_tests_name("load/gather", tests, NULL, NULL);
}

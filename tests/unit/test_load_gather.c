#include "check.h"

#include "load/gather.h"

#define US 1000u
#define MS 1000000u

static pk_gather working(uint64_t answer_ns) {
    pk_gather g = {0};
    for (int i = 0; i < 1000; i++) pk_gather_worked(&g, 2, 2 * answer_ns);
    return g;
}

static pk_gather busy(void) {
    return working(1 * MS);
}

static void who_has_not_worked_yet_does_not_pause(void **state) {
    (void)state;
    pk_gather g = {0};
    assert_int_equal(pk_gather_pause_ns(&g, 1, 400 * US, 64), 0);
    pk_gather_worked(&g, 0, 1 * MS); /* on no answer */
    assert_int_equal(pk_gather_pause_ns(&g, 1, 400 * US, 64), 0);
}

/* Of 64 answers in 400 us each has 6.25 us. */
static void who_works_less_pauses_less_or_not_at_all(void **state) {
    (void)state;
    pk_gather g = working(6250 / 2 + 150);
    assert_int_equal(pk_gather_pause_ns(&g, 1, 400 * US, 64), 100 * US);
    g = working(6250 / 2 - 150);
    assert_int_equal(pk_gather_pause_ns(&g, 1, 400 * US, 64), 50 * US);
    g = working(6250 / 4 + 100);
    assert_int_equal(pk_gather_pause_ns(&g, 1, 400 * US, 64), 50 * US);
    g = working(6250 / 4 - 100);
    assert_int_equal(pk_gather_pause_ns(&g, 1, 400 * US, 64), 0);
    assert_int_equal(pk_gather_pause_ns(&g, 1, 200 * US, 64), 25 * US); /* 2.9 of 6.25 us */
    assert_int_equal(pk_gather_pause_ns(&g, 1, 400 * US, 128), 50 * US);
}

static void a_look_that_took_long_does_not_matter(void **state) {
    (void)state;
    pk_gather g = working(1400);
    for (int i = 0; i < 100; i++) { /* each tenth look loses its CPU */
        pk_gather_worked(&g, 1, i % 10 ? 1400 : 4 * MS);
        assert_int_equal(pk_gather_pause_ns(&g, 1, 400 * US, 64), 0);
    }
}

static void the_estimate_follows_the_work(void **state) {
    (void)state;
    pk_gather g = working(70 * US);
    for (int i = 0; i < 300; i++) pk_gather_worked(&g, 3, 3 * 4 * US);
    assert_near((double)g.answer_ns, 4.0 * US, 0.05);
    for (int i = 0; i < 300; i++) pk_gather_worked(&g, 1, 9 * US);
    assert_near((double)g.answer_ns, 9.0 * US, 0.05);
    for (int i = 0; i < 3000; i++) pk_gather_worked(&g, 1, 0);
    assert_true(g.answer_ns <= 1); /* and not below 0 */
}

static void a_pause_is_a_quarter_of_the_fastest_answer(void **state) {
    (void)state;
    pk_gather g = busy();
    assert_int_equal(pk_gather_pause_ns(&g, 1, 240 * US, 64), 60 * US);
    assert_int_equal(pk_gather_pause_ns(&g, 1, 80 * US, 64), 20 * US);
    assert_int_equal(pk_gather_pause_ns(&g, 1, 80 * US - 1, 64), 0); /* not worth it */
    assert_int_equal(pk_gather_pause_ns(&g, 1, 20 * MS, 64), 100 * US);
}

static void many_answers_have_gathered_by_themselves(void **state) {
    (void)state;
    pk_gather g = busy();
    assert_int_equal(pk_gather_pause_ns(&g, 8, 400 * US, 64), 100 * US);
    assert_int_equal(pk_gather_pause_ns(&g, 9, 400 * US, 64), 0);
    assert_int_equal(pk_gather_pause_ns(&g, 1, 400 * US, 8), 100 * US);
    assert_int_equal(pk_gather_pause_ns(&g, 1, 400 * US, 7), 0);
}

static void a_look_without_an_answer_tells_nothing(void **state) {
    (void)state;
    pk_gather g = busy();
    assert_int_equal(pk_gather_pause_ns(&g, 0, UINT64_MAX, 64), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_not_worked_yet_does_not_pause),
        cmocka_unit_test(who_works_less_pauses_less_or_not_at_all),
        cmocka_unit_test(a_look_that_took_long_does_not_matter),
        cmocka_unit_test(the_estimate_follows_the_work),
        cmocka_unit_test(a_pause_is_a_quarter_of_the_fastest_answer),
        cmocka_unit_test(many_answers_have_gathered_by_themselves),
        cmocka_unit_test(a_look_without_an_answer_tells_nothing),
    };
    return cmocka_run_group_tests_name("load/gather", tests, NULL, NULL);
}

/* Places on an axis, and the round values that stand there. */
#include "check.h"

#include "report/scale.h"

static pk_ticks ticks(bool log, double low, double high, pk_quantity quantity, size_t max) {
    pk_scale scale = pk_scale_of(log, low, high, 0, 100);
    pk_ticks t;
    pk_ticks_of(&scale, quantity, max, &t);
    return t;
}

static void assert_ticks(const pk_ticks *t, const char *expected) {
    char all[512] = "";
    for (size_t i = 0; i < t->n; i++) {
        size_t used = strlen(all);
        snprintf(all + used, sizeof all - used, "%s%s", i ? "|" : "", t->text[i]);
    }
    size_t used = strlen(all);
    if (t->unit.name[0]) snprintf(all + used, sizeof all - used, " %s", t->unit.name);
    assert_string_equal(all, expected);
}

static void ticks_are_round_in_the_unit_that_suits(void **state) {
    (void)state;
    pk_ticks t = ticks(false, 0, 10, PK_Q_NUMBER, 6);
    assert_ticks(&t, "0|2|4|6|8|10");
    t = ticks(false, 12980, 13270, PK_Q_TIME, 6);
    assert_ticks(&t, "13.00|13.05|13.10|13.15|13.20|13.25 µs");
    t = ticks(false, 0.21, 0.26, PK_Q_TIME, 6);
    assert_ticks(&t, "210|220|230|240|250|260 ps");
    t = ticks(false, 0, 3 * 1048576, PK_Q_BYTES, 4);
    assert_ticks(&t, "0|1|2|3 MiB");
    t = ticks(false, -0.011, 0.019, PK_Q_CHANGE, 8);
    assert_ticks(&t, "-1.0|-0.5|0.0|+0.5|+1.0|+1.5 %");
    t = ticks(false, 1, 140, PK_Q_COUNT, 8);
    assert_ticks(&t, "20|40|60|80|100|120|140");
    t = ticks(false, 0.2, 2.9, PK_Q_COUNT, 8);
    assert_ticks(&t, "1|2"); /* no half workers */
}

static void a_logarithmic_axis_has_powers_with_their_own_units(void **state) {
    (void)state;
    pk_ticks t = ticks(true, 0.7, 2e4, PK_Q_TIME, 8);
    assert_ticks(&t, "1 ns|10 ns|100 ns|1 µs|10 µs");
    t = ticks(true, 0.7, 2e9, PK_Q_TIME, 5);
    assert_ticks(&t, "1 ns|1 µs|1 ms|1 s");
    t = ticks(true, 3, 60, PK_Q_NUMBER, 8);
    assert_ticks(&t, "5|10|20|50");
    t = ticks(true, 0.02, 1, PK_Q_NUMBER, 8);
    assert_ticks(&t, "0.02|0.05|0.1|0.2|0.5|1");
    t = ticks(true, 31, 39, PK_Q_NUMBER, 5); /* less than half a decade: as a linear one */
    assert_ticks(&t, "32|34|36|38");
}

static void labels_of_any_domain_tell_the_ticks_apart(void **state) {
    (void)state;
    uint64_t x = 88172645463325252u;
    for (int round = 0; round < 20000; round++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17; /* xorshift64, Marsaglia 2003 */
        double low = pow(10, (double)(x % 2400) / 100 - 12),
               span = pow(10, (double)(x % 97) / 10 - 7);
        bool log = x & 1;
        size_t max = 2 + x % 9;
        pk_quantity quantity = (pk_quantity)(x / 100 % PK_QUANTITIES);
        pk_ticks t = ticks(log, low, low * (1 + span), quantity, max);
        assert_true(t.n <= max);
        for (size_t i = 0; i < t.n; i++) {
            assert_true(t.value[i] >= low * (1 - 1e-12));
            assert_true(t.value[i] <= low * (1 + span) * (1 + 1e-12));
            assert_null(strstr(t.text[i], "nan"));
            if (i == 0) continue;
            assert_true(t.value[i] > t.value[i - 1]);
            assert_string_not_equal(t.text[i], t.text[i - 1]);
        }
    }
}

static void places_are_linear_or_logarithmic_and_never_outside(void **state) {
    (void)state;
    pk_scale s = pk_scale_of(false, 10, 20, 100, 300);
    assert_near(pk_scale_at(&s, 10), 100, 0);
    assert_near(pk_scale_at(&s, 12.5), 150, 1e-12);
    assert_near(pk_scale_at(&s, 20), 300, 0);
    assert_near(pk_scale_at(&s, 1e9), 300, 0);
    assert_near(pk_scale_at(&s, -1e9), 100, 0);
    assert_true(isnan(pk_scale_at(&s, NAN)));
    s = pk_scale_of(true, 1, 1000, 200, 50); /* upwards */
    assert_near(pk_scale_at(&s, 10), 150, 1e-12);
    assert_near(pk_scale_at(&s, 1000), 50, 1e-12);
    assert_true(isnan(pk_scale_at(&s, 0)));
    assert_true(isnan(pk_scale_at(&s, -5)));
    assert_true(pk_scale_holds(&s, 1) && pk_scale_holds(&s, 1000) && !pk_scale_holds(&s, 1001) &&
                !pk_scale_holds(&s, NAN));
}

static void any_two_numbers_make_a_domain(void **state) {
    (void)state;
    static const double values[] = {0,     1,   -1,       5,         1e-300,
                                    1e300, NAN, INFINITY, -INFINITY, 1 + 1e-15};
    enum { N = sizeof values / sizeof values[0] };
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < N; k++)
            for (int log = 0; log < 2; log++) {
                pk_scale s = pk_scale_of(log, values[i], values[k], 0, 100);
                assert_true(isfinite(s.low) && isfinite(s.high) && s.low < s.high);
                if (log) assert_true(s.low > 0);
                pk_ticks t;
                pk_ticks_of(&s, PK_Q_TIME, 6, &t);
                assert_in_range(t.n, 0, 6);
            }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticks_are_round_in_the_unit_that_suits),
        cmocka_unit_test(a_logarithmic_axis_has_powers_with_their_own_units),
        cmocka_unit_test(labels_of_any_domain_tell_the_ticks_apart),
        cmocka_unit_test(places_are_linear_or_logarithmic_and_never_outside),
        cmocka_unit_test(any_two_numbers_make_a_domain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

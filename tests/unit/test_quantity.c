/* Units and digits of figures. */
#include "check.h"

#include "report/quantity.h"

static const char *text(pk_quantity quantity, double value, int digits) {
    static char out[PK_QUANTITY_MAX];
    return pk_quantity_text(out, sizeof out, quantity, value, digits);
}

static void a_value_gets_the_unit_in_which_it_is_at_least_one(void **state) {
    (void)state;
    assert_string_equal(text(PK_Q_TIME, 0.2306, 4), "230.6 ps");
    assert_string_equal(text(PK_Q_TIME, 0.0000456, 2), "0.0 ps");
    assert_string_equal(text(PK_Q_TIME, 1, 3), "1.00 ns");
    assert_string_equal(text(PK_Q_TIME, 999.994, 5), "999.99 ns");
    assert_string_equal(text(PK_Q_TIME, 13020.6, 5), "13.021 µs");
    assert_string_equal(text(PK_Q_TIME, 5e6, 2), "5.0 ms");
    assert_string_equal(text(PK_Q_TIME, 86400e9, 5), "86400 s");
    assert_string_equal(text(PK_Q_BYTES, 1536, 3), "1.50 KiB");
    assert_string_equal(text(PK_Q_BYTE_RATE, 1073741824.0 * 12, 3), "12.0 GiB/s");
    assert_string_equal(text(PK_Q_ITEM_RATE, 2.5e9, 3), "2.50 Gelem/s");
    assert_string_equal(text(PK_Q_RATE, 1500, 3), "1.50 k/s");
    assert_string_equal(text(PK_Q_FREQUENCY, 4.44e9, 3), "4.44 GHz");
    assert_string_equal(text(PK_Q_SHARE, 0.125, 3), "12.5 %");
    assert_string_equal(text(PK_Q_NUMBER, 0.5, 3), "0.50");
    assert_string_equal(pk_unit_for(PK_Q_TIME, 0).name, "ns");
    assert_string_equal(pk_unit_for(PK_Q_TIME, NAN).name, "ns");
}

static void a_change_has_its_sign(void **state) {
    (void)state;
    assert_string_equal(text(PK_Q_CHANGE, 0.0197913, 5), "+1.9791 %");
    assert_string_equal(text(PK_Q_CHANGE, -0.5, 3), "-50.0 %");
    assert_string_equal(text(PK_Q_CHANGE, -1e-9, 3), "0.00 %"); /* no sign without a digit */
    assert_string_equal(text(PK_Q_TIME, -1500, 3), "-1.50 µs");
}

static void whole_things_have_no_decimals(void **state) {
    (void)state;
    assert_string_equal(text(PK_Q_COUNT, 140, 5), "140");
    assert_string_equal(text(PK_Q_COUNT, 0, 5), "0");
    assert_string_equal(text(PK_Q_NUMBER, 0, 5), "0");
}

static void what_is_no_number_is_a_dash(void **state) {
    (void)state;
    for (int q = 0; q < PK_QUANTITIES; q++) {
        assert_string_equal(text((pk_quantity)q, NAN, 5), "-");
        assert_string_equal(text((pk_quantity)q, INFINITY, 5), "-");
        assert_string_equal(text((pk_quantity)q, -INFINITY, 5), "-");
    }
}

static void any_double_fits_and_has_bounded_digits(void **state) {
    (void)state;
    static const double values[] = {
        1e300, -1e300, 1e-300, 5e-324, 1.7976931348623157e308, 9007199254740993.0, 123456789012.5};
    for (int q = 0; q < PK_QUANTITIES; q++)
        for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
            const char *t = text((pk_quantity)q, values[i], 9);
            assert_in_range(strlen(t), 1, PK_QUANTITY_MAX - 2);
            assert_null(strstr(t, "e+"));
            assert_null(strstr(t, "inf"));
        }
}

static void decimals_are_rounded_and_bounded(void **state) {
    (void)state;
    char out[PK_QUANTITY_MAX];
    assert_string_equal(pk_number_fixed(out, sizeof out, 2.5, 0), "3");
    assert_string_equal(pk_number_fixed(out, sizeof out, 0.005, 2), "0.01");
    assert_string_equal(pk_number_fixed(out, sizeof out, 9.996, 2), "10.00");
    assert_string_equal(pk_number_fixed(out, sizeof out, 1.05, 3), "1.050");
    assert_string_equal(pk_number_fixed(out, sizeof out, 1, 99), "1.000000000000");
    assert_string_equal(pk_number_fixed(out, sizeof out, 1, -5), "1");
    pk_unit us = pk_unit_for(PK_Q_TIME, 5000);
    assert_string_equal(pk_quantity_text_in(out, sizeof out, PK_Q_TIME, 50, us, 3), "0.05 µs");
    assert_string_equal(pk_quantity_labelled(out, sizeof out, PK_Q_TIME, 1500, us, 1), "1.5 µs");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_gets_the_unit_in_which_it_is_at_least_one),
        cmocka_unit_test(a_change_has_its_sign),
        cmocka_unit_test(whole_things_have_no_decimals),
        cmocka_unit_test(what_is_no_number_is_a_dash),
        cmocka_unit_test(any_double_fits_and_has_bounded_digits),
        cmocka_unit_test(decimals_are_rounded_and_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

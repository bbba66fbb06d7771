/* Criterion's numbers at every edge. */
#include "bench/criterion_units.h"

#include "check.h"

static void assert_number(double value, const char *expected) {
    char out[PK_CRITERION_MAX];
    assert_string_equal(pk_criterion_number(out, sizeof out, value), expected);
}

static void digits_are_chosen_before_rounding(void **state) {
    (void)state;
    assert_number(0, "0.0000");
    assert_number(9.99994, "9.9999");
    assert_number(9.99996, "10.0000"); /* not 10.000: it was below 10 */
    assert_number(10, "10.000");
    assert_number(99.9994, "99.999");
    assert_number(99.9996, "100.000");
    assert_number(100, "100.00");
    assert_number(999.994, "999.99");
    assert_number(999.999, "1000.00");
    assert_number(1000, "1000.0");
    assert_number(9999.94, "9999.9");
    assert_number(9999.96, "10000.0");
    assert_number(10000, "10000");
    assert_number(123456.7, "123457");
    assert_number(-12.3456, "-12.346");
    assert_number(NAN, "-");
    assert_number(-INFINITY, "-");
    assert_number(1.7976931348623157e308, "1.798e+308");
}

static void assert_time(double ns, const char *expected) {
    char out[PK_CRITERION_MAX];
    assert_string_equal(pk_criterion_time(out, sizeof out, ns), expected);
}

static void a_time_has_the_unit_of_its_own_value(void **state) {
    (void)state;
    assert_time(0, "0.0000 ps");
    assert_time(0.23, "230.00 ps");
    assert_time(0.999999, "1000.00 ps");
    assert_time(1, "1.0000 ns");
    assert_time(134.28, "134.28 ns");
    assert_time(999.999, "1000.00 ns");
    assert_time(1e3, "1.0000 \u00b5s");
    assert_time(13020, "13.020 \u00b5s");
    assert_time(999999, "1000.00 \u00b5s");
    assert_time(1e6, "1.0000 ms");
    assert_time(1e9 - 1, "1000.00 ms");
    assert_time(1e9, "1.0000 s");
    assert_time(3.6e12, "3600.0 s");
    assert_time(12345e9, " 12345 s"); /* at least six places */
    assert_time(-0.5, "-500.00 ps");
    assert_time(NAN, "     - ps");
}

static void assert_bytes(uint64_t bytes, double ns, const char *expected) {
    char out[PK_CRITERION_MAX];
    assert_string_equal(pk_criterion_bytes_rate(out, sizeof out, bytes, ns), expected);
}

static void assert_elements(uint64_t elements, double ns, const char *expected) {
    char out[PK_CRITERION_MAX];
    assert_string_equal(pk_criterion_elements_rate(out, sizeof out, elements, ns), expected);
}

static void rates_are_per_second_in_1024s_and_1000s(void **state) {
    (void)state;
    assert_bytes(1023, 1e9, "1023.0   B/s");
    assert_bytes(1024, 1e9, "1.0000 KiB/s");
    assert_bytes(1048575, 1e9, "1024.0 KiB/s");
    assert_bytes(1048576, 1e9, "1.0000 MiB/s");
    assert_bytes(1073741824, 1e9, "1.0000 GiB/s");
    assert_bytes(1ull << 40, 1e9, "1024.0 GiB/s"); /* no T */
    assert_elements(5, 1e9, "5.0000  elem/s");
    assert_elements(999, 1e9, "999.00  elem/s");
    assert_elements(1000, 1e9, "1.0000 Kelem/s");
    assert_elements(10, 134.28, "74.471 Melem/s");
    assert_elements(1, 1, "1.0000 Gelem/s");
    assert_elements(1, 0.0001, " 10000 Gelem/s");
}

static void assert_change(double change, const char *expected) {
    char out[PK_CRITERION_MAX];
    assert_string_equal(pk_criterion_change(out, sizeof out, change), expected);
}

static void a_change_always_has_its_sign(void **state) {
    (void)state;
    assert_change(0, "+0.0000%");
    assert_change(0.010792, "+1.0792%");
    assert_change(-0.18326, "-18.326%");
    assert_change(0.65171, "+65.171%");
    assert_change(1.5, "+150.00%");
    assert_change(-0.0999996, "-10.0000%");
    assert_change(NAN, "-");
}

static void assert_count(uint64_t count, const char *expected) {
    char out[PK_CRITERION_MAX];
    assert_string_equal(pk_criterion_count(out, sizeof out, count), expected);
}

static void counts_are_short(void **state) {
    (void)state;
    assert_count(0, "0");
    assert_count(9999, "9999");
    assert_count(10000, "10k");
    assert_count(61499, "61k");
    assert_count(999499, "999k");
    assert_count(999999, "1000k");
    assert_count(1000000, "1.0M");
    assert_count(9949999, "9.9M");
    assert_count(10000000, "10M");
    assert_count(999999999, "1000M");
    assert_count(1000000000, "1.0B");
    assert_count(10000000000, "10B");
    assert_count(UINT64_MAX, "18446744074B");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_are_chosen_before_rounding),
        cmocka_unit_test(a_time_has_the_unit_of_its_own_value),
        cmocka_unit_test(rates_are_per_second_in_1024s_and_1000s),
        cmocka_unit_test(a_change_always_has_its_sign),
        cmocka_unit_test(counts_are_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

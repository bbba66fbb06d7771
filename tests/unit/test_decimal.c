#include "base/decimal.h"

#include "check.h"

static pk_decimal parse(const char *text) {
    pk_decimal d;
    pk_err err = {0};
    assert_ok(pk_decimal_parse(text, &d, &err), &err);
    return d;
}

static void test_what_is_parsed_is_printed_again(void **state) {
    (void)state;
    static const struct {
        const char *text, *printed;
        unsigned scale;
    } cases[] = {
        {"0", "0", 0},
        {"0.1", "0.1", 1},
        {"-0.05", "-0.05", 2},
        {"1.50", "1.50", 2},
        {"+3", "3", 0},
        {".5", "0.5", 1},
        {"5.", "5", 0},
        {"007", "7", 0},
        {"-12.0", "-12.0", 1},
        {"0.00", "0.00", 2},
        {"1234567890123456789012345678", "1234567890123456789012345678", 0},
        {"-0.0000000000000000000000000001", "-0.0000000000000000000000000001", 28},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[PK_DECIMAL_MAX];
        pk_decimal d = parse(cases[i].text);
        assert_int_equal(d.scale, cases[i].scale);
        assert_string_equal(pk_decimal_format(text, sizeof text, d), cases[i].printed);
    }
}

static void test_what_is_no_decimal_is_refused(void **state) {
    (void)state;
    static const char *const texts[] = {"",
                                        "-",
                                        ".",
                                        "1e3",
                                        "1.2.3",
                                        " 1",
                                        "1 ",
                                        "--1",
                                        "0x10",
                                        "12345678901234567890123456789",
                                        "0.00000000000000000000000000001"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        pk_decimal d = {.digits = 77};
        pk_err err = {0};
        assert_fails(pk_decimal_parse(texts[i], &d, &err), &err, PK_E_USAGE);
        assert_true(d.digits == 77);
    }
}

static void test_rescaling_keeps_the_value_or_cuts_downwards(void **state) {
    (void)state;
    static const struct {
        const char *text, *to;
        unsigned scale;
    } cases[] = {{"1.5", "1.500", 3},  {"1.59", "1.5", 1}, {"-1.51", "-1.6", 1},
                 {"-1.50", "-1.5", 1}, {"0.999", "0", 0},  {"-0.001", "-1", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[PK_DECIMAL_MAX];
        pk_decimal d = parse(cases[i].text);
        assert_true(pk_decimal_rescale(&d, cases[i].scale));
        assert_string_equal(pk_decimal_format(text, sizeof text, d), cases[i].to);
    }
    pk_decimal large = parse("1234567890123456789012345678");
    assert_false(pk_decimal_rescale(&large, 28));
    assert_int_equal(large.scale, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_parsed_is_printed_again),
        cmocka_unit_test(test_what_is_no_decimal_is_refused),
        cmocka_unit_test(test_rescaling_keeps_the_value_or_cuts_downwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

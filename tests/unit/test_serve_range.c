/* serve/range: byte ranges, dates and entity tags. */
#include "check.h"

#include "serve/range.h"

static void byte_ranges(void **state) {
    (void)state;
    static const struct {
        const char *value;
        uint64_t size;
        pk_range_result result;
        uint64_t first, last;
    } cases[] = {
        /* RFC 9110, 14.1.2: its examples on 10000 bytes */
        {"bytes=0-499", 10000, PK_RANGE_PART, 0, 499},
        {"bytes=500-999", 10000, PK_RANGE_PART, 500, 999},
        {"bytes=-500", 10000, PK_RANGE_PART, 9500, 9999},
        {"bytes=9500-", 10000, PK_RANGE_PART, 9500, 9999},
        {"bytes=0-0,-1", 10000, PK_RANGE_WHOLE, 0, 0},
        {"BYTES=1-1", 10000, PK_RANGE_PART, 1, 1},
        {"bytes=9999-20000", 10000, PK_RANGE_PART, 9999, 9999},
        {"bytes=10000-", 10000, PK_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=-20000", 10000, PK_RANGE_PART, 0, 9999},
        {"bytes=-0", 10000, PK_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=0-", 0, PK_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=-1", 0, PK_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=18446744073709551616-", 10000, PK_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=0-99999999999999999999999", 10000, PK_RANGE_PART, 0, 9999},
        {"bytes=-99999999999999999999999", 10000, PK_RANGE_PART, 0, 9999},
        {"bytes=5-4", 10000, PK_RANGE_WHOLE, 0, 0},
        {"bytes=", 10000, PK_RANGE_WHOLE, 0, 0},
        {"bytes=-", 10000, PK_RANGE_WHOLE, 0, 0},
        {"bytes=1", 10000, PK_RANGE_WHOLE, 0, 0},
        {"bytes=1-2x", 10000, PK_RANGE_WHOLE, 0, 0},
        {"bytes= 1-2", 10000, PK_RANGE_WHOLE, 0, 0},
        {"lines=1-2", 10000, PK_RANGE_WHOLE, 0, 0},
        {"", 10000, PK_RANGE_WHOLE, 0, 0},
        {"bytes=0-", UINT64_MAX, PK_RANGE_PART, 0, UINT64_MAX - 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t first = 0, last = 0;
        assert_int_equal(pk_range_parse(cases[i].value, cases[i].size, &first, &last),
                         cases[i].result);
        assert_int_equal(first, cases[i].first);
        assert_int_equal(last, cases[i].last);
    }
}

static void the_three_forms_of_a_date_mean_the_same(void **state) {
    (void)state;
    /* RFC 9110, 5.6.7: 6 November 1994, 08:49:37 */
    static const time_t expected = 784111777;
    static const char *const forms[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
                                        "Sunday, 06-Nov-94 08:49:37 GMT",
                                        "Sun Nov  6 08:49:37 1994"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        time_t when = 0;
        assert_true(pk_http_date_parse(forms[i], &when));
        assert_int_equal(when, expected);
    }
    char text[PK_HTTP_DATE_MAX];
    assert_string_equal(pk_http_date_format(expected, text), forms[0]);
}

static void dates_print_and_read_back(void **state) {
    (void)state;
    /* leap days, ends of years and months, both ends of the range */
    static const time_t moments[] = {0,          951782400,    951868799,    1709164800, 1735689599,
                                     4102444800, 253402300799, -62135596800, 68169600};
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
        char text[PK_HTTP_DATE_MAX];
        time_t when = 1;
        assert_true(pk_http_date_parse(pk_http_date_format(moments[i], text), &when));
        assert_int_equal(when, moments[i]);
    }
    char text[PK_HTTP_DATE_MAX];
    assert_string_equal(pk_http_date_format(253402300800, text), "");
}

static void a_two_digit_year_has_its_century(void **state) {
    (void)state;
    time_t when = 0;
    char text[PK_HTTP_DATE_MAX];
    assert_true(pk_http_date_parse("Tuesday, 31-Dec-68 23:59:59 GMT", &when));
    assert_non_null(strstr(pk_http_date_format(when, text), "Dec 2068"));
    assert_true(pk_http_date_parse("Wednesday, 01-Jan-69 00:00:00 GMT", &when));
    assert_non_null(strstr(pk_http_date_format(when, text), "Jan 1969"));
}

static void what_is_no_date_is_refused(void **state) {
    (void)state;
    static const char *const wrong[] = {"",
                                        "now",
                                        "Sun",
                                        "Sun, 06 Nov 1994 08:49:37",
                                        "Sun, 06 Nov 1994 08:49:37 GMT ",
                                        "sun, 06 Nov 1994 08:49:37 GMT",
                                        "Sun, 6 Nov 1994 08:49:37 GMT",
                                        "Sun, 06 Nov 94 08:49:37 GMT",
                                        "Sun, 06 Foo 1994 08:49:37 GMT",
                                        "Sun, 06 Nov 1994 24:00:00 GMT",
                                        "Sun, 06 Nov 1994 00:60:00 GMT",
                                        "Sun, 06 Nov 1994 00:00:61 GMT",
                                        "Sun, 00 Nov 1994 00:00:00 GMT",
                                        "Sat, 31 Apr 2022 00:00:00 GMT",
                                        "Tue, 29 Feb 2023 00:00:00 GMT",
                                        "Sunday, 06 Nov 1994 08:49:37 GMT",
                                        "Sun, 06 Nov 1994 08:49:37 CET"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        time_t when = 77;
        assert_false(pk_http_date_parse(wrong[i], &when));
        assert_int_equal(when, 77);
    }
}

static void entity_tags_are_compared_weakly(void **state) {
    (void)state;
    static const char *const yes[] = {"\"a\"", "W/\"a\"",  "\"b\", \"a\"", "\"b\",W/\"a\",\"c\"",
                                      "*",     " ,, \"a\""};
    static const char *const no[] = {"",    "a",  "\"b\"", "\"aa\"",
                                     "\"a", "W/", "W/a",   "\"b\" x \"a\""};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        assert_true(pk_etag_listed(yes[i], "\"a\""));
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        assert_false(pk_etag_listed(no[i], "\"a\""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(byte_ranges),
        cmocka_unit_test(the_three_forms_of_a_date_mean_the_same),
        cmocka_unit_test(dates_print_and_read_back),
        cmocka_unit_test(a_two_digit_year_has_its_century),
        cmocka_unit_test(what_is_no_date_is_refused),
        cmocka_unit_test(entity_tags_are_compared_weakly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

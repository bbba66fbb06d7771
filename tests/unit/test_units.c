#include "check.h"

#include <float.h>
#include <inttypes.h>
#include <locale.h>

#include "base/process.h"
#include "base/units.h"

#define UNTOUCHED 0xDEADBEEFCAFEull
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

typedef struct reading {
    const char *text;
    uint64_t value;
} reading;

typedef bool parser(const char *text, uint64_t *out, pk_err *err);

static void reads(parser *parse, const reading cases[], size_t n) {
    for (size_t i = 0; i < n; i++) {
        uint64_t value = UNTOUCHED;
        pk_err err = {0};
        assert_ok(parse(cases[i].text, &value, &err), &err);
        if (value != cases[i].value)
            fail_msg("\"%s\" gave %" PRIu64 ", not %" PRIu64, cases[i].text, value, cases[i].value);
    }
}

/* The error's text must hold `why`. */
typedef struct refusal {
    const char *text, *why;
} refusal;

static void refuses(parser *parse, const refusal cases[], size_t n) {
    for (size_t i = 0; i < n; i++) {
        uint64_t value = UNTOUCHED;
        pk_err err = {0};
        assert_fails(parse(cases[i].text, &value, &err), &err, PK_E_USAGE);
        assert_true(value == UNTOUCHED);
        assert_string_equal(err.where, "");
        if (!strstr(err.what, cases[i].why))
            fail_msg("\"%s\": \"%s\" does not say \"%s\"", cases[i].text, err.what, cases[i].why);
    }
}

/* ---- durations ---- */

#define S PK_NS_PER_S

static void every_unit_of_time_has_its_worth(void **state) {
    (void)state;
    static const struct {
        const char *names;
        uint64_t ns;
    } units[] = {
        {"ns nsec nanos nanosecond nanoseconds", 1},
        {"us usec micros microsecond microseconds \u00b5s \u03bcs", 1000},
        {"ms msec millis millisecond milliseconds", 1000000},
        {"s sec secs second seconds", S},
        {"m min mins minute minutes", 60 * S},
        {"h hr hrs hour hours", 3600 * S},
        {"d day days", 86400 * S},
        {"w wk wks week weeks", 604800 * S},
        {"M month months", 2630016 * S},
        {"y yr yrs year years", 31557600 * S},
    };
    for (size_t i = 0; i < COUNT(units); i++) {
        char names[128];
        snprintf(names, sizeof names, "%s", units[i].names);
        for (char *rest = names, *name; (name = strsep(&rest, " "));) {
            char joined[64], apart[64];
            snprintf(joined, sizeof joined, "2%s", name);
            snprintf(apart, sizeof apart, "2 %s", name);
            const reading cases[] = {{joined, 2 * units[i].ns}, {apart, 2 * units[i].ns}};
            reads(pk_parse_duration, cases, 2);
        }
    }
}

static void durations_read_as_people_write_them(void **state) {
    (void)state;
    static const reading cases[] = {
        {"3s", 3 * S},
        {"3", 3 * S},
        {" 3 ", 3 * S},
        {"0", 0},
        {"0s", 0},
        {"00005ms", 5000000},
        {"1m30s", 90 * S},
        {"1h 2min", 3720 * S},
        {"1h2m3s4ms5us6ns", 3723004005006},
        {"  1 day\t2 hours ", 93600 * S},
        {"30s1m", 90 * S}, /* any order */
        {"1s1s", 2 * S},
        {"292y", 9214819200 * S},
        {"9223372036854775807ns", INT64_MAX},
        {"9223372036s854775807ns", INT64_MAX},
    };
    reads(pk_parse_duration, cases, COUNT(cases));
}

static void fractions_are_exact_to_the_nanosecond(void **state) {
    (void)state;
    static const reading cases[] = {
        {"4.2s", 4200000000},
        {"0.1", 100000000},
        {".5s", 500000000},
        {"1.5m", 90 * S},
        {"0.3s", 300000000},
        {"1.000000001s", 1000000001},
        {"9007199.254740993s", 9007199254740993}, /* 2^53 + 1 ns: no double holds it */
        {"0.123456789123456789d", 10666666580267},
        {"1.5h30.5s", 5430500000000},
        {"0.4ns", 0},
        {"0.5ns", 1},
        {"1.49999999999999999999ns", 1},
        {"0.00000000000000000000000000001y", 0},
        {"2.50000000000000000000000000000000us", 2500},
    };
    reads(pk_parse_duration, cases, COUNT(cases));
}

static void wrong_durations_say_why(void **state) {
    (void)state;
    static const refusal cases[] = {
        {"", "\"\" is no duration: it is empty"},
        {"  \t", "it is empty"},
        {"3x", "\"3x\" is no duration: unknown unit \"x\""},
        {"3S", "unknown unit \"S\""}, /* case counts: m and M differ */
        {"3 sx", "unknown unit \"sx\""},
        {"-1s", "it is negative"},
        {"1m-1s", "it is negative"},
        {"+1s", "a number is missing"},
        {"s", "a number is missing"},
        {".s", "a number is missing"},
        {"1.s", "a unit is missing"},
        {"1..5s", "a unit is missing"},
        {"1m 30", "a unit is missing"},
        {"1 30", "a unit is missing"},
        {"1s,2m", "unknown unit \"s,\""},
        {"1e3", "unknown unit \"e\""},
        {"0x10", "unknown unit \"x\""},
        {"inf", "a number is missing"},
        {"nan", "a number is missing"},
        {"1\xff", "unknown unit"},
        {"9223372036854775808ns", "too long"},
        {"9223372036s854775808ns", "too long"},
        {"293y", "too long"},
        {"18446744073709551615y", "too long"},
        {"18446744073709551616ns", "too long"},
        {"99999999999999999999999999", "too long"},
    };
    refuses(pk_parse_duration, cases, COUNT(cases));
}

static void the_advice_shows_the_grammar(void **state) {
    (void)state;
    uint64_t ns;
    pk_err err;
    assert_false(pk_parse_duration("3x", &ns, &err));
    assert_string_equal(err.fix, "use a number with a unit, as 500ms, 3s or 1m30s");
    char text[4000];
    memset(text, '7', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_false(pk_parse_duration(text, &ns, &err));
    assert_true(strlen(err.what) < 120); /* only the start of the text is shown */
    memset(text + 1, 'q', sizeof text - 2);
    assert_false(pk_parse_duration(text, &ns, &err));
    assert_true(strlen(err.what) < 160);
}

/* ---- sizes, counts ---- */

static void sizes_know_both_kinds_of_units(void **state) {
    (void)state;
    static const reading cases[] = {
        {"0", 0},
        {"1024", 1024},
        {"1024B", 1024},
        {"7 bytes", 7},
        {"64k", 65536},
        {"64K", 65536},
        {"64KiB", 65536},
        {"64kB", 64000},
        {"1M", 1048576},
        {"1m", 1048576},
        {"1MiB", 1048576},
        {"1MB", 1000000},
        {"1.5M", 1572864},
        {"2G", 2147483648},
        {"2 GiB", 2147483648},
        {"2GB", 2000000000},
        {"1T", 1099511627776},
        {"1TiB", 1099511627776},
        {"1TB", 1000000000000},
        {" 5 k ", 5120},
        {"1.3k", 1331}, /* 1331.2 */
        {"0.0005k", 1}, /* 0.512 */
        {"18446744073709551615", UINT64_MAX},
        {"18014398509481983.999k", UINT64_MAX},
    };
    reads(pk_parse_bytes, cases, COUNT(cases));
    static const refusal wrong[] = {
        {"", "is no size: it is empty"},
        {"k", "is no size"},
        {"-1k", "it is negative"},
        {"1x", "is no size: unknown unit \"x\""},
        {"1kk", "unknown unit"},
        {"1k 2", "unknown unit"},
        {"1 2", "unknown unit \"2\""},
        {"1.k", "unknown unit"},
        {"1KiBs", "unknown unit"},
        {"18446744073709551616", "too large"},
        {"18014398509481984k", "too large"},
        {"99999999999999T", "too large"},
    };
    refuses(pk_parse_bytes, wrong, COUNT(wrong));
}

static void counts_must_come_out_whole(void **state) {
    (void)state;
    static const reading cases[] = {
        {"200", 200},
        {"10k", 10000},
        {"10K", 10000},
        {"2.6k", 2600},
        {"1m", 1000000},
        {"1M", 1000000},
        {"0.001m", 1000},
        {"0", 0},
        {"5.0", 5},
        {"0.0000010m", 1},
        {"1.50000000000000000000000k", 1500},
        {"18446744073709551615", UINT64_MAX},
    };
    reads(pk_parse_count, cases, COUNT(cases));
    static const refusal wrong[] = {
        {"", "is no number: it is empty"},
        {"-1", "it is negative"},
        {"1.5", "\"1.5\" is no whole number"},
        {"2.6001k", "\"2.6001k\" is no whole number"},
        {"1.00000000000000000000001m", "is no whole number"},
        {"0.0000001m", "is no whole number"},
        {"3g", "unknown unit \"g\""},
        {"k", "is no number"},
        {"1e3", "unknown unit"},
        {"18446744073709551616", "too large"},
        {"18446744073709552k", "too large"},
    };
    refuses(pk_parse_count, wrong, COUNT(wrong));
}

/* ---- plain numbers ---- */

static void whole_numbers_keep_to_their_range(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t min, max, value;
    } good[] = {
        {"0", 0, 10, 0},
        {"10", 0, 10, 10},
        {"+7", 0, 10, 7},
        {"-5", -5, 5, -5},
        {"-0", 0, 10, 0},
        {"007", 0, 10, 7},
        {"9223372036854775807", INT64_MIN, INT64_MAX, INT64_MAX},
        {"-9223372036854775808", INT64_MIN, INT64_MAX, INT64_MIN},
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        int64_t value = 99;
        pk_err err = {0};
        assert_ok(pk_parse_int(good[i].text, good[i].min, good[i].max, &value, &err), &err);
        assert_true(value == good[i].value);
    }
    static const struct {
        const char *text;
        int64_t min, max;
        const char *why, *fix;
    } bad[] = {
        {"", 1, 9, "it is empty", "use a whole number from 1 to 9"},
        {"-", 1, 9, "\"-\" is no whole number", "use a whole number from 1 to 9"},
        {"+", 1, 9, "is no whole number", "from 1 to 9"},
        {"--1", -9, 9, "is no whole number", "from -9 to 9"},
        {"12abc", 1, 99, "\"12abc\" is no whole number", "from 1 to 99"},
        {"1.0", 1, 99, "is no whole number", "from 1 to 99"},
        {" 1", 1, 99, "is no whole number", "from 1 to 99"},
        {"1 ", 1, 99, "is no whole number", "from 1 to 99"},
        {"0x1", 1, 99, "is no whole number", "from 1 to 99"},
        {"0", 1, INT64_MAX, "\"0\" is out of range", "use a whole number from 1 up"},
        {"10", 1, 9, "is out of range", "from 1 to 9"},
        {"-6", -5, 5, "is out of range", "from -5 to 5"},
        {"9223372036854775808", INT64_MIN, INT64_MAX, "is out of range",
         "from -9223372036854775808 up"},
        {"-9223372036854775809", INT64_MIN, INT64_MAX, "is out of range", "up"},
        {"18446744073709551616", 0, 9, "is out of range", "from 0 to 9"},
        {"18446744073709551617", 0, 9, "is out of range", "from 0 to 9"},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        int64_t value = 99;
        pk_err err = {0};
        assert_fails(pk_parse_int(bad[i].text, bad[i].min, bad[i].max, &value, &err), &err,
                     PK_E_USAGE);
        assert_true(value == 99);
        assert_non_null(strstr(err.what, bad[i].why));
        assert_non_null(strstr(err.fix, bad[i].fix));
    }
}

static void decimals_read_to_the_nearest_double(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double value;
    } good[] = {
        {"0", 0},
        {"0.1", 0.1},
        {".5", 0.5},
        {"5.", 5},
        {"1e3", 1000},
        {"1.5E-2", 0.015},
        {"1e+2", 100},
        {"9007199254740993", 9007199254740992.0},
        {"1.7976931348623157e308", DBL_MAX},
        {"1e-400", 0},
        {"4.9e-324", 0x1p-1074},
        {"123456.789", 123456.789},
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        double value = -1;
        pk_err err = {0};
        assert_ok(pk_parse_double(good[i].text, &value, &err), &err);
        assert_near(value, good[i].value, 0);
    }
    static const char *const bad[] = {
        "",   ".",  "-1",   "-0.5", "+1",  "1e",       "1e+",   "e5",  "1x",
        " 1", "1 ", "0x10", "inf",  "nan", "infinity", "1e309", "1,5", "1.5.2",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        double value = -1;
        pk_err err = {0};
        assert_fails(pk_parse_double(bad[i], &value, &err), &err, PK_E_USAGE);
        assert_true(value == -1);
    }
}

static void shares_read_as_fractions_or_percentages(void **state) {
    (void)state;
    static const struct {
        const char *text;
        double value;
    } good[] = {
        {"0", 0},    {"1", 1},        {"0.01", 0.01}, {"1%", 0.01},
        {"100%", 1}, {"0.5%", 0.005}, {"1e-3", 1e-3}, {"99.9%", 0.999},
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        double value = -1;
        pk_err err = {0};
        assert_ok(pk_parse_ratio(good[i].text, &value, &err), &err);
        assert_near(value, good[i].value, 1e-15);
    }
    static const char *const bad[] = {"",    "%",   "1.01", "101%", "-0.1",
                                      "1%%", "1 %", "x",    "0.1x", "nan"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        double value = -1;
        pk_err err = {0};
        assert_fails(pk_parse_ratio(bad[i], &value, &err), &err, PK_E_USAGE);
        assert_true(value == -1);
        assert_non_null(strstr(err.fix, "0.01 or 1%"));
    }
}

/* ---- formatting ---- */

typedef struct shown {
    double value;
    const char *text;
} shown;

static void shows(char *format(char *, size_t, double), const shown cases[], size_t n) {
    for (size_t i = 0; i < n; i++) {
        char text[PK_FORMAT_MAX];
        assert_ptr_equal(format(text, sizeof text, cases[i].value), text);
        assert_string_equal(text, cases[i].text);
    }
}

static void durations_show_three_digits(void **state) {
    (void)state;
    static const shown cases[] = {
        {0, "0"},
        {0.004, "0"},
        {0.5, "0.5 ns"},
        {1, "1 ns"},
        {850, "850 ns"},
        {999.4, "999 ns"},
        {999.6, "1 us"},
        {1234, "1.23 us"},
        {1235, "1.24 us"},
        {9994, "9.99 us"},
        {9996, "10 us"},
        {99940, "99.9 us"},
        {99960, "100 us"},
        {45.6e6, "45.6 ms"},
        {100e6, "100 ms"},
        {3e9, "3 s"},
        {59.94e9, "59.9 s"},
        {59.96e9, "1m"},
        {60e9, "1m"},
        {90e9, "1m 30s"},
        {90.6e9, "1m 31s"},
        {3599.4e9, "59m 59s"},
        {3599.6e9, "1h"},
        {3720e9, "1h 2m"},
        {86399e9, "1d"},
        {90000e9, "1d 1h"},
        {1e18, "11574d 2h"},
        {9.3e18, "over 292 y"},
        {-1500, "-1.5 us"},
        {-90e9, "-1m 30s"},
        {NAN, "NaN"},
        {INFINITY, "inf"},
        {-INFINITY, "-inf"},
    };
    shows(pk_format_duration, cases, COUNT(cases));
}

static void exact_durations_read_back(void **state) {
    (void)state;
    static const struct {
        uint64_t ns;
        const char *text;
    } cases[] = {
        {0, "0s"},
        {1, "1ns"},
        {1000, "1us"},
        {1500000000, "1500ms"},
        {1000000001, "1000000001ns"},
        {3 * S, "3s"},
        {90 * S, "1m30s"},
        {90500 * PK_NS_PER_MS, "1m30500ms"},
        {3600 * S, "1h"},
        {86400 * S + 1, "1d1ns"},
        {INT64_MAX, "106751d23h47m16854775807ns"},
    };
    char text[PK_FORMAT_MAX];
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(pk_format_duration_exact(text, sizeof text, cases[i].ns),
                            cases[i].text);
    uint64_t x = 88172645463325252ull; /* xorshift64 (Marsaglia 2003) */
    for (int i = 0; i < 20000; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        uint64_t ns = (x >> 1) >> (x % 63), back = 0;
        if (i % 3 == 0) ns -= ns % (i % 2 ? PK_NS_PER_MS : S);
        pk_err err = {0};
        pk_format_duration_exact(text, sizeof text, ns);
        assert_ok(pk_parse_duration(text, &back, &err), &err);
        assert_true(back == ns);
    }
}

static void sizes_show_binary_units(void **state) {
    (void)state;
    static const shown cases[] = {
        {0, "0 B"},
        {13, "13 B"},
        {10.6, "11 B"},
        {1023, "1023 B"},
        {1023.6, "1.00 KiB"},
        {1024, "1.00 KiB"},
        {53309, "52.06 KiB"},
        {1048575, "1.00 MiB"},
        {1048576, "1.00 MiB"},
        {4404019, "4.20 MiB"},
        {0x1p30, "1.00 GiB"},
        {0x1p40, "1.00 TiB"},
        {0x1p50, "1.00 PiB"},
        {0x1p64, "16.00 EiB"},
        {0x1p75, "32768.00 EiB"},
        {-2048, "-2.00 KiB"},
        {-0.0, "0 B"},
        {NAN, "NaN"},
        {INFINITY, "inf"},
    };
    shows(pk_format_bytes, cases, COUNT(cases));
}

static void doubles_show_the_shortest_decimal(void **state) {
    (void)state;
    static const shown cases[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {0.1, "0.1"},
        {-2.5, "-2.5"},
        {100, "100"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {1e20, "100000000000000000000"},
        {123456789012345680000.0, "123456789012345680000"},
        {1e21, "1e21"},
        {1.5e21, "1.5e21"},
        {1e-9, "0.000000001"},
        {1.25e-9, "0.00000000125"},
        {9.9e-10, "9.9e-10"},
        {5e-324, "5e-324"},
        {DBL_MAX, "1.7976931348623157e308"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {9007199254740991, "9007199254740991"},
        /* Powers of two, where the nearest decimal of 16 digits reads back as another double
         * (checked against Python's repr). */
        {0x1p-44, "5.684341886080802e-14"},
        {0x1p-1017, "7.120236347223045e-307"},
        {-0x1p-655, "-6.688871304346933e-198"},
        {NAN, "NaN"},
        {INFINITY, "inf"},
        {-INFINITY, "-inf"},
    };
    shows(pk_format_double, cases, COUNT(cases));
}

static void every_double_reads_back(void **state) {
    (void)state;
    uint64_t x = 88172645463325252ull;
    for (int i = 0; i < 20000; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        double value, back = 0;
        memcpy(&value, &x, sizeof value);
        if (i % 2) value = (double)(x % 1000000) / 1000;
        if (!isfinite(value)) continue;
        value = fabs(value);
        char text[PK_FORMAT_MAX];
        pk_err err = {0};
        assert_ok(pk_parse_double(pk_format_double(text, sizeof text, value), &back, &err), &err);
        assert_true(back == value);
        bool plain = value == 0 || (value >= 1e-9 && value < 1e21);
        assert_int_equal(!strchr(text, 'e'), plain);
    }
}

static void a_small_buffer_is_not_overrun(void **state) {
    (void)state;
    for (size_t size = 1; size < 8; size++) {
        char text[16];
        memset(text, 'X', sizeof text);
        pk_format_duration(text, size, 90e9);
        assert_int_equal(text[size], 'X');
        pk_format_duration_exact(text, size, 123456789012345);
        assert_int_equal(text[size], 'X');
        pk_format_bytes(text, size, 123456789);
        assert_int_equal(text[size], 'X');
        pk_format_double(text, size, 1.0 / 3);
        assert_int_equal(text[size], 'X');
        assert_int_equal(strlen(text), size - 1);
    }
}

/* Makes and sets a locale that writes 0,5 with libc's own localedef, since a bare machine has none:
 * its source, a character map of ASCII, and LOCPATH. False where there is no localedef. */
static bool set_decimal_comma(const char *folder) {
    char source[CHECK_PATH_MAX], map[CHECK_PATH_MAX], locale[CHECK_PATH_MAX];
    check_write_file(check_path(source, folder, "source"),
                     "LC_NUMERIC\ndecimal_point \",\"\nthousands_sep \"\"\ngrouping -1\n"
                     "END LC_NUMERIC\n");
    FILE *file = fopen(check_path(map, folder, "map"), "w");
    assert_non_null(file);
    fputs("<code_set_name> ASCII\n<mb_cur_max> 1\nCHARMAP\n", file);
    for (int i = 0; i < 128; i++) fprintf(file, "<U%04X> /x%02x letter\n", i, i);
    fputs("END CHARMAP\n", file);
    assert_int_equal(fclose(file), 0);

    check_path(locale, folder, "comma");
    char *argv[] = {"localedef", "--quiet", "--force", "--no-archive", "-f",
                    map,         "-i",      source,    locale,         NULL};
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    const pk_spawn_options options = {.stdin_fd = -1, .stdout_fd = null, .stderr_fd = null};
    pk_process process;
    pk_exit exit;
    pk_err err;
    bool ran = pk_process_spawn(argv, &options, &process, &err);
    if (ran) assert_true(pk_process_wait(&process, UINT64_MAX, &exit));
    close(null);
    assert_int_equal(setenv("LOCPATH", folder, 1), 0);
    return ran && setlocale(LC_NUMERIC, "comma") && strcmp(localeconv()->decimal_point, ",") == 0;
}

static void a_decimal_comma_in_the_locale_changes_nothing(void **state) {
    (void)state;
    char folder[CHECK_PATH_MAX];
    check_folder_begin(folder);
    bool set = set_decimal_comma(folder);
    check_folder_end(folder);
    if (!set) {
        print_message("skipped: localedef makes no locale with a decimal comma here\n");
        skip();
    }
    char text[PK_FORMAT_MAX];
    double value = 0;
    pk_err err = {0};
    snprintf(text, sizeof text, "%.1f", 0.5);
    assert_string_equal(text, "0,5");
    assert_string_equal(pk_format_double(text, sizeof text, 0.5), "0.5");
    assert_string_equal(pk_format_duration(text, sizeof text, 1500), "1.5 us");
    assert_string_equal(pk_format_bytes(text, sizeof text, 1536), "1.50 KiB");
    assert_ok(pk_parse_double("0.5", &value, &err), &err);
    assert_near(value, 0.5, 0);
    assert_string_equal(localeconv()->decimal_point, ","); /* and the caller keeps theirs */
    setlocale(LC_NUMERIC, "C");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_unit_of_time_has_its_worth),
        cmocka_unit_test(durations_read_as_people_write_them),
        cmocka_unit_test(fractions_are_exact_to_the_nanosecond),
        cmocka_unit_test(wrong_durations_say_why),
        cmocka_unit_test(the_advice_shows_the_grammar),
        cmocka_unit_test(sizes_know_both_kinds_of_units),
        cmocka_unit_test(counts_must_come_out_whole),
        cmocka_unit_test(whole_numbers_keep_to_their_range),
        cmocka_unit_test(decimals_read_to_the_nearest_double),
        cmocka_unit_test(shares_read_as_fractions_or_percentages),
        cmocka_unit_test(durations_show_three_digits),
        cmocka_unit_test(exact_durations_read_back),
        cmocka_unit_test(sizes_show_binary_units),
        cmocka_unit_test(doubles_show_the_shortest_decimal),
        cmocka_unit_test(every_double_reads_back),
        cmocka_unit_test(a_small_buffer_is_not_overrun),
        cmocka_unit_test(a_decimal_comma_in_the_locale_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

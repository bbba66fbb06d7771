#include "base/units.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- scanning ---- */

/* Not <ctype.h>: those depend on the locale. */
static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

static const char *skip_blanks(const char *p) {
    while (is_blank(*p)) p++;
    return p;
}

/* How much of the user's text an error shows: enough to know it again, one line at most. */
#define SHOWN "\"%.60s\""

/* A decimal number, exact: whole + fraction / 10^18. Further digits only say that there is more. */
typedef struct decimal {
    uint64_t whole;
    uint64_t fraction;
    bool more; /* a non-zero digit stands behind the 18th */
} decimal;

#define FRACTION_ONE 1000000000000000000ull /* 10^18: the largest power of ten below 2^63 */

typedef enum scan { SCAN_OK, SCAN_NONE, SCAN_OVERFLOW } scan;

static bool add_digit(uint64_t *value, char digit) {
    return !__builtin_mul_overflow(*value, 10u, value) &&
           !__builtin_add_overflow(*value, (uint64_t)(digit - '0'), value);
}

/* Both scanners move *text behind the number, also when it does not fit. */
static scan scan_whole(const char **text, uint64_t *out) {
    const char *p = *text;
    scan result = is_digit(*p) ? SCAN_OK : SCAN_NONE;
    uint64_t value = 0;
    for (; is_digit(*p); p++)
        if (!add_digit(&value, *p)) result = SCAN_OVERFLOW;
    *text = p;
    if (result == SCAN_OK) *out = value;
    return result;
}

/* digits, digits.digits or .digits */
static scan scan_decimal(const char **text, decimal *out) {
    decimal d = {0};
    scan result = scan_whole(text, &d.whole);
    const char *p = *text;
    if (*p == '.' && is_digit(p[1])) {
        uint64_t weight = FRACTION_ONE;
        for (p++; is_digit(*p); p++) {
            weight /= 10;
            d.fraction += weight * (uint64_t)(*p - '0');
            d.more = d.more || (weight == 0 && *p != '0');
        }
        *text = p;
        if (result == SCAN_NONE) result = SCAN_OK;
    }
    if (result == SCAN_OK) *out = d;
    return result;
}

/* *out = d * unit, rounded to the nearest whole, half up; *exact: nothing was rounded away.
 * False when it is over 2^64 - 1. fraction < 2^60, so the product with the largest unit, a year in
 * ns (< 2^55), fits in 128 bits with room to spare. */
static bool scale(const decimal *d, uint64_t unit, uint64_t *out, bool *exact) {
    unsigned __int128 part = (unsigned __int128)d->fraction * unit;
    unsigned __int128 total =
        (unsigned __int128)d->whole * unit + (part + FRACTION_ONE / 2) / FRACTION_ONE;
    if (total > UINT64_MAX) return false;
    *out = (uint64_t)total;
    *exact = part % FRACTION_ONE == 0 && !d->more;
    return true;
}

/* A unit: its spellings, separated by blanks, and what it is worth. */
typedef struct unit {
    const char *names;
    uint64_t worth;
} unit;

static bool name_matches(const char *name, size_t bytes, const char *text, size_t length,
                         bool any_case) {
    if (bytes != length) return false;
    for (size_t i = 0; i < bytes; i++) {
        bool upper = any_case && text[i] >= 'A' && text[i] <= 'Z';
        bool name_upper = any_case && name[i] >= 'A' && name[i] <= 'Z';
        if ((upper ? text[i] - 'A' + 'a' : text[i]) != (name_upper ? name[i] - 'A' + 'a' : name[i]))
            return false;
    }
    return true;
}

static const unit *find_unit(const unit *units, const char *text, size_t length, bool any_case) {
    for (const unit *u = units; u->names; u++)
        for (const char *name = u->names; *name;) {
            size_t bytes = strcspn(name, " ");
            if (name_matches(name, bytes, text, length, any_case)) return u;
            name += bytes + (name[bytes] == ' ');
        }
    return NULL;
}

/* A unit's letters: everything up to a blank, a digit or punctuation of numbers. */
static size_t unit_length(const char *p) {
    size_t n = 0;
    while (p[n] && !is_blank(p[n]) && !is_digit(p[n]) && !strchr(".+-", p[n])) n++;
    return n;
}

/* ---- durations ---- */

static const unit duration_units[] = {
    {"ns nsec nanos nanosecond nanoseconds", 1},
    {"us usec micros microsecond microseconds \u00b5s \u03bcs", PK_NS_PER_US},
    {"ms msec millis millisecond milliseconds", PK_NS_PER_MS},
    {"s sec secs second seconds", PK_NS_PER_S},
    {"m min mins minute minutes", 60 * PK_NS_PER_S},
    {"h hr hrs hour hours", 3600 * PK_NS_PER_S},
    {"d day days", 86400 * PK_NS_PER_S},
    {"w wk wks week weeks", 604800 * PK_NS_PER_S},
    {"M month months", 2630016 * PK_NS_PER_S},       /* 30.44 days */
    {"y yr yrs year years", 31557600 * PK_NS_PER_S}, /* 365.25 days */
    {0},
};

static bool no_duration(pk_err *err, const char *text, const char *why) {
    pk_fail(err, PK_E_USAGE, NULL, SHOWN " is no duration: %s", text, why);
    pk_fix(err, "use a number with a unit, as 500ms, 3s or 1m30s");
    return false;
}

static bool duration_too_long(pk_err *err, const char *text) {
    pk_fail(err, PK_E_USAGE, NULL, SHOWN " is too long a duration", text);
    pk_fix(err, "use at most 292y");
    return false;
}

/* One number with its unit; *p moves behind it. `first`: nothing stands before it, so that a bare
 * number at the end of the text may mean seconds. */
static bool duration_part(const char **p, bool first, const char *text, uint64_t *ns, pk_err *err) {
    decimal number = {0};
    bool exact;
    scan scanned = scan_decimal(p, &number);
    if (scanned == SCAN_OVERFLOW) return duration_too_long(err, text);
    if (scanned == SCAN_NONE)
        return no_duration(err, text, **p == '-' ? "it is negative" : "a number is missing");

    *p = skip_blanks(*p);
    size_t length = unit_length(*p);
    uint64_t worth = PK_NS_PER_S;
    if (length > 0) {
        const unit *u = find_unit(duration_units, *p, length, false);
        if (!u) {
            char why[64];
            snprintf(why, sizeof why, "unknown unit \"%.*s\"", (int)(length < 40 ? length : 40),
                     *p);
            return no_duration(err, text, why);
        }
        worth = u->worth;
        *p = skip_blanks(*p + length);
    } else if (!first || **p) {
        return no_duration(err, text, "a unit is missing");
    }
    return scale(&number, worth, ns, &exact) || duration_too_long(err, text);
}

bool pk_parse_duration(const char *text, uint64_t *ns, pk_err *err) {
    const char *p = skip_blanks(text);
    uint64_t total = 0;
    if (!*p) return no_duration(err, text, "it is empty");
    for (bool first = true; *p; first = false) {
        uint64_t part = 0;
        if (!duration_part(&p, first, text, &part, err)) return false;
        if (__builtin_add_overflow(total, part, &total) || total > INT64_MAX)
            return duration_too_long(err, text);
    }
    *ns = total;
    return true;
}

/* ---- sizes and counts: one number with at most one unit ---- */

typedef struct quantity {
    const char *noun;  /* "size" */
    const char *usage; /* the advice */
    const unit *units; /* names in lower case: any case is taken */
    bool whole_only;   /* a result that is no whole number is an error; else it is rounded */
} quantity;

static bool parse_quantity(const quantity *q, const char *text, uint64_t *out, pk_err *err) {
    const char *p = skip_blanks(text);
    decimal number = {0};
    scan scanned = scan_decimal(&p, &number);
    if (scanned == SCAN_NONE) {
        pk_fail(err, PK_E_USAGE, NULL, SHOWN " is no %s%s", text, q->noun,
                !*p         ? ": it is empty"
                : *p == '-' ? ": it is negative"
                            : "");
        goto usage;
    }
    p = skip_blanks(p);
    size_t length = unit_length(p);
    const unit *u = length > 0 ? find_unit(q->units, p, length, true) : NULL;
    if ((length > 0 && !u) || *skip_blanks(p + length)) {
        pk_fail(err, PK_E_USAGE, NULL, SHOWN " is no %s: unknown unit \"%.40s\"", text, q->noun, p);
        goto usage;
    }
    uint64_t value;
    bool exact;
    if (scanned == SCAN_OVERFLOW || !scale(&number, u ? u->worth : 1, &value, &exact)) {
        pk_fail(err, PK_E_USAGE, NULL, SHOWN " is too large a %s", text, q->noun);
        pk_fix(err, "use less than 2^64");
        return false;
    }
    if (q->whole_only && !exact) {
        pk_fail(err, PK_E_USAGE, NULL, SHOWN " is no whole number", text);
        goto usage;
    }
    *out = value;
    return true;
usage:
    pk_fix(err, "%s", q->usage);
    return false;
}

static const unit byte_units[] = {
    {"b byte bytes", 1},      {"k kib", 1ull << 10},
    {"kb", 1000ull},          {"m mib", 1ull << 20},
    {"mb", 1000000ull},       {"g gib", 1ull << 30},
    {"gb", 1000000000ull},    {"t tib", 1ull << 40},
    {"tb", 1000000000000ull}, {0},
};

bool pk_parse_bytes(const char *text, uint64_t *bytes, pk_err *err) {
    static const quantity size = {
        .noun = "size",
        .usage = "use a number of bytes, or one with a unit, as 64k, 64KiB or 1.5M",
        .units = byte_units,
    };
    return parse_quantity(&size, text, bytes, err);
}

static const unit count_units[] = {{"k", 1000}, {"m", 1000000}, {0}};

bool pk_parse_count(const char *text, uint64_t *count, pk_err *err) {
    static const quantity number = {
        .noun = "number",
        .usage = "use a whole number, or one with k or m, as 200, 10k or 2.5m",
        .units = count_units,
        .whole_only = true,
    };
    return parse_quantity(&number, text, count, err);
}

/* ---- plain numbers ---- */

bool pk_parse_int(const char *text, int64_t min, int64_t max, int64_t *out, pk_err *err) {
    bool negative = *text == '-';
    const char *p = text + (negative || *text == '+');
    uint64_t magnitude = 0;
    scan scanned = scan_whole(&p, &magnitude);
    int64_t value = 0;
    if (scanned == SCAN_NONE || (scanned == SCAN_OK && *p)) {
        pk_fail(err, PK_E_USAGE, NULL, SHOWN " is no whole number%s", text,
                *text ? "" : ": it is empty");
    } else if (scanned == SCAN_OVERFLOW ||
               (negative ? __builtin_sub_overflow((int64_t)0, magnitude, &value)
                         : __builtin_add_overflow((int64_t)0, magnitude, &value)) ||
               value < min || value > max) {
        pk_fail(err, PK_E_USAGE, NULL, SHOWN " is out of range", text);
    } else {
        *out = value;
        return true;
    }
    if (max == INT64_MAX) pk_fix(err, "use a whole number from %lld up", (long long)min);
    else pk_fix(err, "use a whole number from %lld to %lld", (long long)min, (long long)max);
    return false;
}

/* The "C" locale, so that a comma set by the user's LC_NUMERIC changes nothing. glibc and musl give
 * a static object for it: no allocation, nothing to free. */
static locale_t c_locale(void) {
    return newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static double read_double(const char *text) {
    return strtod_l(text, NULL, c_locale());
}

/* The end of digits[.digits][e[+-]digits], also .digits; NULL when text does not start so. The
 * grammar is checked here because strtod takes more: hex, "inf", "nan", blanks, signs. */
static const char *decimal_end(const char *text) {
    const char *p = text;
    while (is_digit(*p)) p++;
    bool any = p > text;
    if (*p == '.' && (any || is_digit(p[1])))
        for (p++; is_digit(*p); p++) any = true;
    if (!any) return NULL;
    if (*p == 'e' || *p == 'E') {
        const char *exponent = p + 1 + (p[1] == '+' || p[1] == '-');
        if (is_digit(*exponent))
            for (p = exponent; is_digit(*p);) p++;
    }
    return p;
}

bool pk_parse_double(const char *text, double *out, pk_err *err) {
    const char *end = decimal_end(text);
    if (!end || *end) {
        pk_fail(err, PK_E_USAGE, NULL, SHOWN " is no number%s", text,
                !*text         ? ": it is empty"
                : *text == '-' ? " from 0 up"
                               : "");
        pk_fix(err, "use a decimal number, as 100 or 0.5");
        return false;
    }
    double value = read_double(text);
    if (!isfinite(value)) {
        pk_fail(err, PK_E_USAGE, NULL, SHOWN " is too large a number", text);
        pk_fix(err, "use less than 1.8e308");
        return false;
    }
    *out = value;
    return true;
}

bool pk_parse_ratio(const char *text, double *out, pk_err *err) {
    const char *end = decimal_end(text);
    double value = end ? read_double(text) : -1;
    if (end && end[0] == '%') {
        value /= 100;
        end++;
    }
    if (!end || *end || !(value >= 0 && value <= 1)) {
        pk_fail(err, PK_E_USAGE, NULL, SHOWN " is no share from 0 to 1", text);
        pk_fix(err, "use a number from 0 to 1 or a percentage, as 0.01 or 1%%");
        return false;
    }
    *out = value;
    return true;
}

/* ---- formatting ---- */

/* snprintf with a point as decimal sign, whatever the locale. */
PK_PRINTF(3, 4)
static void print(char *out, size_t size, const char *fmt, ...) {
    locale_t before = uselocale(c_locale());
    va_list args;
    va_start(args, fmt);
    vsnprintf(out, size, fmt, args);
    va_end(args);
    uselocale(before);
}

/* True, and *out filled, if `value` is NaN or infinite. */
static bool print_special(char *out, size_t size, double value) {
    if (isfinite(value)) return false;
    print(out, size, "%s", isnan(value) ? "NaN" : value < 0 ? "-inf" : "inf");
    return true;
}

static const char *sign_of(double value) {
    return value < 0 ? "-" : "";
}

/* Under a minute: three significant digits of the largest unit that gives at least 1 of it. False
 * when that rounds to a minute or more. */
static bool print_seconds(char *out, size_t size, const char *sign, double ns) {
    static const struct {
        const char *name;
        double worth;
    } units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
    for (size_t i = 0; i < 4; i++) {
        char number[32];
        double value = ns / units[i].worth;
        print(number, sizeof number, "%.*f", value < 10 ? 2 : value < 100 ? 1 : 0, value);
        if (read_double(number) >= (i < 3 ? 1000 : 60)) continue;
        if (strchr(number, '.')) {
            size_t end = strlen(number);
            while (number[end - 1] == '0') end--;
            number[number[end - 1] == '.' ? end - 1 : end] = '\0';
        }
        print(out, size, "%s%s %s", sign, number, units[i].name);
        return true;
    }
    return false;
}

char *pk_format_duration(char *out, size_t size, double ns) {
    static const struct {
        const char *big, *small;
        uint64_t big_s, small_s;
    } pairs[] = {{"m", "s", 60, 1}, {"h", "m", 3600, 60}, {"d", "h", 86400, 3600}};
    const char *sign = sign_of(ns);
    double magnitude = fabs(ns);
    if (print_special(out, size, ns)) return out;
    if (magnitude < 0.005) {
        print(out, size, "0");
        return out;
    }
    if (print_seconds(out, size, sign, magnitude)) return out;
    if (magnitude >= 0x1p63) {
        print(out, size, "%sover 292 y", sign);
        return out;
    }
    for (size_t i = 0;; i++) {
        double worth_ns = (double)pairs[i].small_s * 1e9;
        uint64_t smalls = (uint64_t)(magnitude / worth_ns + 0.5);
        uint64_t per_big = pairs[i].big_s / pairs[i].small_s;
        if (i < 2 && smalls * pairs[i].small_s >= pairs[i + 1].big_s) continue;
        unsigned long long bigs = smalls / per_big, rest = smalls % per_big;
        if (rest)
            print(out, size, "%s%llu%s %llu%s", sign, bigs, pairs[i].big, rest, pairs[i].small);
        else print(out, size, "%s%llu%s", sign, bigs, pairs[i].big);
        return out;
    }
}

char *pk_format_duration_exact(char *out, size_t size, uint64_t ns) {
    static const struct {
        const char *name;
        uint64_t worth;
    } large[] = {{"d", 86400 * PK_NS_PER_S}, {"h", 3600 * PK_NS_PER_S}, {"m", 60 * PK_NS_PER_S}},
      small[] = {{"s", PK_NS_PER_S}, {"ms", PK_NS_PER_MS}, {"us", PK_NS_PER_US}, {"ns", 1}};
    char text[PK_FORMAT_MAX];
    size_t length = 0;
    for (size_t i = 0; i < 3; i++)
        if (ns >= large[i].worth) {
            length += (size_t)snprintf(text + length, sizeof text - length, "%llu%s",
                                       (unsigned long long)(ns / large[i].worth), large[i].name);
            ns %= large[i].worth;
        }
    size_t i = 0;
    while (ns % small[i].worth) i++;
    if (ns || length == 0)
        snprintf(text + length, sizeof text - length, "%llu%s",
                 (unsigned long long)(ns / small[i].worth), small[i].name);
    print(out, size, "%s", text);
    return out;
}

char *pk_format_bytes(char *out, size_t size, double bytes) {
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (print_special(out, size, bytes)) return out;
    double value = fabs(bytes);
    size_t i = 0;
    /* What would be rounded up to 1024 is one of the next unit. */
    while (i < 6 && value >= (i ? 1023.995 : 1023.5)) {
        value /= 1024;
        i++;
    }
    print(out, size, "%s%.*f %s", value > 0 ? sign_of(bytes) : "", i ? 2 : 0, value, names[i]);
    return out;
}

/* Adds one to the last digit of "d.ddde±x". False, text untouched, when all digits are nines. */
static bool last_digit_up(char *text) {
    char *p = strchr(text, 'e');
    while (p > text && (p[-1] == '9' || p[-1] == '.')) p--;
    if (p == text) return false;
    p[-1]++;
    for (; *p != 'e'; p++)
        if (is_digit(*p)) *p = '0';
    return true;
}

/* The fewest significant digits that read back as the same double, as "d.ddde±x". 15 always
 * suffice for a decimal to survive in a double and 17 for a double to survive in decimal (IEEE
 * 754-2008, 5.12.2), so normal numbers start at 15, whose trailing zeros are dropped later;
 * subnormal ones hold fewer. Below a power of two the next double is only half as far as above, so
 * there the nearest decimal may read back as another one while the next higher does not. */
static void shortest_digits(char *out, size_t size, double magnitude) {
    for (int digits = magnitude < DBL_MIN ? 1 : 15; digits <= 17; digits++) {
        print(out, size, "%.*e", digits - 1, magnitude);
        if (read_double(out) == magnitude) return;
        if (last_digit_up(out) && read_double(out) == magnitude) return;
    }
}

char *pk_format_double(char *out, size_t size, double value) {
    if (print_special(out, size, value)) return out;
    const char *sign = signbit(value) ? "-" : "";
    if (value == 0) {
        print(out, size, "%s0", sign);
        return out;
    }
    char text[40], digits[24];
    shortest_digits(text, sizeof text, fabs(value));
    const char *e = strchr(text, 'e');
    int64_t exponent = 0;
    pk_err ignored;
    if (!pk_parse_int(e + 1, -400, 400, &exponent, &ignored)) exponent = 0;
    size_t n = 0;
    for (const char *p = text; p < e; p++)
        if (is_digit(*p)) digits[n++] = *p;
    while (n > 1 && digits[n - 1] == '0') n--;
    digits[n] = '\0';

    int count = (int)n, point = (int)exponent + 1; /* digits before the decimal point */
    if (exponent < -9 || exponent >= 21)
        print(out, size, "%s%.1s%s%se%d", sign, digits, n > 1 ? "." : "", digits + 1,
              (int)exponent);
    else if (point <= 0) print(out, size, "%s0.%.*s%s", sign, -point, "000000000", digits);
    else if (point >= count)
        print(out, size, "%s%s%.*s", sign, digits, point - count, "000000000000000000000");
    else print(out, size, "%s%.*s.%s", sign, point, digits, digits + point);
    return out;
}

#include "base/decimal.h"

#include <string.h>

static bool refuse(pk_err *err, const char *text, const char *what) {
    pk_fail(err, PK_E_USAGE, NULL, "\"%.100s\" %s", text, what);
    pk_fix(err, "give a number such as 3, -2 or 0.25");
    return false;
}

bool pk_decimal_parse(const char *text, pk_decimal *out, pk_err *err) {
    pk_decimal d = {0};
    unsigned digits = 0, significant = 0;
    bool negative = *text == '-', point = false;
    const char *p = text + (*text == '-' || *text == '+');
    for (; *p; p++) {
        if (*p == '.' && !point) {
            point = true;
            continue;
        }
        if (*p < '0' || *p > '9') return refuse(err, text, "is no decimal number");
        significant += significant > 0 || *p != '0';
        if (significant > PK_DECIMAL_DIGITS || d.scale + point > PK_DECIMAL_DIGITS)
            return refuse(err, text, "has more than 28 digits");
        d.digits = d.digits * 10 + (*p - '0');
        d.scale += point;
        digits++;
    }
    if (digits == 0) return refuse(err, text, "is no decimal number");
    if (negative) d.digits = -d.digits;
    *out = d;
    return true;
}

bool pk_decimal_rescale(pk_decimal *number, unsigned scale) {
    pk_decimal d = *number;
    for (; d.scale < scale; d.scale++)
        if (__builtin_mul_overflow(d.digits, (pk_int128)10, &d.digits)) return false;
    for (; d.scale > scale; d.scale--) {
        bool downwards = d.digits % 10 < 0;
        d.digits = d.digits / 10 - downwards;
    }
    *number = d;
    return true;
}

char *pk_decimal_format(char *out, size_t size, pk_decimal number) {
    char reversed[PK_DECIMAL_MAX];
    size_t n = 0;
    bool negative = number.digits < 0;
    /* digit by digit: the smallest number has no positive counterpart */
    for (unsigned i = 0; number.digits != 0 || i <= number.scale; i++) {
        if (i == number.scale && i > 0) reversed[n++] = '.';
        int digit = (int)(number.digits % 10);
        reversed[n++] = (char)('0' + (digit < 0 ? -digit : digit));
        number.digits /= 10;
    }
    if (negative) reversed[n++] = '-';
    size_t kept = 0;
    for (; kept < n && kept + 1 < size; kept++) out[kept] = reversed[n - 1 - kept];
    if (size > 0) out[kept] = '\0';
    return out;
}

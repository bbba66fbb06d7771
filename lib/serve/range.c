#include "serve/range.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* 1*DIGIT at *text, which moves behind it; a number too large becomes UINT64_MAX. False: no digit.
 */
static bool take_number(const char **text, uint64_t *number) {
    const char *start = *text;
    uint64_t n = 0;
    bool too_large = false;
    for (; **text >= '0' && **text <= '9'; ++*text)
        too_large |= __builtin_mul_overflow(n, 10, &n) ||
                     __builtin_add_overflow(n, (uint64_t)(**text - '0'), &n);
    *number = too_large ? UINT64_MAX : n;
    return *text > start;
}

pk_range_result pk_range_parse(const char *value, uint64_t size, uint64_t *first, uint64_t *last) {
    static const char unit[] = "bytes=";
    if (strncasecmp(value, unit, sizeof unit - 1) != 0) return PK_RANGE_WHOLE;
    value += sizeof unit - 1;
    uint64_t from = 0, to = 0;
    bool has_from = take_number(&value, &from);
    if (*value++ != '-') return PK_RANGE_WHOLE;
    bool has_to = take_number(&value, &to);
    if (*value || (!has_from && !has_to) || (has_from && has_to && to < from))
        return PK_RANGE_WHOLE;
    if (!has_from) { /* the last `to` bytes */
        if (to == 0 || size == 0) return PK_RANGE_UNSATISFIABLE;
        from = to < size ? size - to : 0;
        to = size - 1;
    } else {
        if (from >= size) return PK_RANGE_UNSATISFIABLE;
        if (!has_to || to >= size) to = size - 1;
    }
    *first = from;
    *last = to;
    return PK_RANGE_PART;
}

static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                   "Thursday", "Friday", "Saturday"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

char *pk_http_date_format(time_t when, char out[PK_HTTP_DATE_MAX]) {
    struct tm tm;
    *out = '\0';
    if (!gmtime_r(&when, &tm) || tm.tm_year < 1 - 1900 || tm.tm_year > 9999 - 1900) return out;
    snprintf(out, PK_HTTP_DATE_MAX, "%.3s, %02u %s %04u %02u:%02u:%02u GMT", days[tm.tm_wday],
             (unsigned)tm.tm_mday % 100, months[tm.tm_mon], (unsigned)(tm.tm_year + 1900) % 10000,
             (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
    return out;
}

/* Reads text by a pattern: d a digit of the next number (numbers are kept in order in numbers[]),
 * _ a digit or a blank, @ the three letters of a month, all else itself. */
static bool read_by(const char *text, const char *pattern, int numbers[], int *month) {
    int *number = numbers;
    for (; *pattern; pattern++) {
        bool digit = *text >= '0' && *text <= '9';
        if (*pattern == 'd' || *pattern == '_') {
            if (!digit && !(*pattern == '_' && *text == ' ')) return false;
            *number = *number * 10 + (digit ? *text - '0' : 0);
            text++;
            if (pattern[1] != 'd') number++;
        } else if (*pattern == '@') {
            *month = -1;
            for (int m = 0; m < 12; m++)
                if (strncmp(text, months[m], 3) == 0) *month = m;
            if (*month < 0) return false;
            text += 3;
        } else if (*text++ != *pattern) {
            return false;
        }
    }
    return *text == '\0';
}

/* The name of a day at its begin, whole or three letters of it; 0 if there is none. */
static size_t day_bytes(const char *text, bool whole) {
    for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
        size_t bytes = whole ? strlen(days[i]) : 3;
        if (strncmp(text, days[i], bytes) == 0) return bytes;
    }
    return 0;
}

static bool to_time(int year, int month, int day, const int clock[3], time_t *when) {
    struct tm tm = {.tm_year = year - 1900,
                    .tm_mon = month,
                    .tm_mday = day,
                    .tm_hour = clock[0],
                    .tm_min = clock[1],
                    .tm_sec = clock[2]};
    /* 60: a leap second; timegm makes it the next minute */
    if (clock[0] > 23 || clock[1] > 59 || clock[2] > 60 || day < 1 || day > 31) return false;
    struct tm normal = tm;
    normal.tm_sec = 0;
    time_t minute = timegm(&normal);
    if (normal.tm_mday != day) return false; /* 31 April */
    *when = minute + clock[2];
    return true;
}

bool pk_http_date_parse(const char *text, time_t *when) {
    int n[5] = {0}, month;
    size_t day = day_bytes(text, false);
    if (day && read_by(text + day, ", dd @ dddd dd:dd:dd GMT", n, &month))
        return to_time(n[1], month, n[0], n + 2, when);
    memset(n, 0, sizeof n);
    /* asctime: "Sun Nov  6 08:49:37 1994" */
    if (day && read_by(text + day, " @ _d dd:dd:dd dddd", n, &month))
        return to_time(n[4], month, n[0], n + 1, when);
    memset(n, 0, sizeof n);
    day = day_bytes(text, true);
    if (day && read_by(text + day, ", dd-@-dd dd:dd:dd GMT", n, &month))
        /* RFC 9110, 5.6.7: a year that seems over 50 years ahead is in the past. POSIX's pivot. */
        return to_time(n[1] + (n[1] < 69 ? 2000 : 1900), month, n[0], n + 2, when);
    return false;
}

bool pk_etag_listed(const char *list, const char *etag) {
    size_t bytes = strlen(etag);
    while (*list) {
        list += strspn(list, " \t,");
        if (*list == '*') return true;
        if (strncmp(list, "W/", 2) == 0) list += 2;
        if (*list != '"') return false;
        const char *end = strchr(list + 1, '"');
        if (!end) return false;
        end++;
        if ((size_t)(end - list) == bytes && memcmp(list, etag, bytes) == 0) return true;
        list = end;
    }
    return false;
}

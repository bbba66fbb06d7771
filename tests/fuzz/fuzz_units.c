/* Numbers as people type them: each parser either gives a value that prints and reads back as
 * itself, or leaves its output alone and says what is wrong and how to fix it. */
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

#define UNTOUCHED 0x5EED5EED5EED5EEDull

static void refused(const pk_err *err, bool untouched) {
    char line[PK_ERR_LINE_MAX];
    assert(untouched);
    assert(err->kind == PK_E_USAGE && err->what[0] && err->fix[0] && !err->where[0]);
    size_t length = pk_err_format(err, line, sizeof line);
    assert(length == strlen(line) && length < sizeof line - 1);
    for (size_t i = 0; i < length; i++) assert((unsigned char)line[i] >= 0x20 && line[i] != 0x7F);
}

typedef bool whole_parser(const char *text, uint64_t *out, pk_err *err);

/* A value of 0 .. max, which the parser must read from its decimal form with `suffix`, too. */
static void check_whole(whole_parser *parse, const char *text, uint64_t max, const char *suffix) {
    uint64_t value = UNTOUCHED, again = UNTOUCHED;
    pk_err err = {0};
    if (!parse(text, &value, &err)) {
        refused(&err, value == UNTOUCHED);
        return;
    }
    char printed[PK_FORMAT_MAX];
    assert(value <= max);
    snprintf(printed, sizeof printed, "%" PRIu64 "%s", value, suffix);
    assert(parse(printed, &again, &err) && again == value);
}

static void check_exact_duration(uint64_t ns) {
    char printed[PK_FORMAT_MAX];
    uint64_t again = UNTOUCHED;
    pk_err err = {0};
    pk_format_duration_exact(printed, sizeof printed, ns);
    if (ns <= INT64_MAX) assert(pk_parse_duration(printed, &again, &err) && again == ns);
    else assert(!pk_parse_duration(printed, &again, &err));
}

static void check_int(const char *text, int64_t min, int64_t max) {
    int64_t value = 77, again = 77;
    pk_err err = {0};
    if (!pk_parse_int(text, min, max, &value, &err)) {
        refused(&err, value == 77);
        return;
    }
    char printed[PK_FORMAT_MAX];
    assert(min <= value && value <= max);
    snprintf(printed, sizeof printed, "%" PRId64, value);
    assert(pk_parse_int(printed, min, max, &again, &err) && again == value);
}

/* No shorter decimal may do: one digit less does not read back. */
static void check_double_text(double value) {
    char printed[PK_FORMAT_MAX], shorter[PK_FORMAT_MAX];
    double again = -1;
    pk_err err = {0};
    pk_format_double(printed, sizeof printed, fabs(value));
    assert(strlen(printed) < PK_FORMAT_MAX - 1);
    if (!isfinite(value)) {
        assert(!pk_parse_double(printed, &again, &err));
        return;
    }
    assert(pk_parse_double(printed, &again, &err) && again == fabs(value));
    int digits = 0;
    for (const char *p = printed; *p && *p != 'e'; p++)
        digits += *p >= '0' && *p <= '9' && (digits > 0 || *p != '0');
    if (value == 0 || digits < 2 || !strchr(printed, '.')) return;
    snprintf(shorter, sizeof shorter, "%.*e", digits - 2, fabs(value));
    assert(!pk_parse_double(shorter, &again, &err) || again != fabs(value));
}

static void check_doubles(const char *text) {
    double value = -7;
    pk_err err = {0};
    if (pk_parse_double(text, &value, &err)) {
        assert(isfinite(value) && value >= 0);
        check_double_text(value);
    } else {
        refused(&err, value == -7);
    }
    value = -7;
    err = (pk_err){0};
    if (pk_parse_ratio(text, &value, &err)) assert(value >= 0 && value <= 1);
    else refused(&err, value == -7);
}

/* What is shown to people fits, has no control character, and never a unit's worth of the next. */
static void check_shown(double value) {
    char text[PK_FORMAT_MAX];
    pk_format_duration(text, sizeof text, value);
    assert(text[0] && strlen(text) < 24 && !strstr(text, "1000 "));
    pk_format_bytes(text, sizeof text, value);
    assert(text[0] && strncmp(text, "1024", 4) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    uint64_t bits = 0;
    double value;
    memcpy(&bits, data, bytes < sizeof bits ? bytes : sizeof bits);
    memcpy(&value, &bits, sizeof value);
    check_exact_duration(bits);
    check_double_text(value);
    if (fabs(value) < 1e15 || !isfinite(value)) check_shown(value);

    char *text = malloc(bytes + 1);
    assert(text);
    memcpy(text, data, bytes);
    text[bytes] = '\0';
    check_whole(pk_parse_duration, text, INT64_MAX, "ns");
    check_whole(pk_parse_bytes, text, UINT64_MAX, "");
    check_whole(pk_parse_count, text, UINT64_MAX, "");
    check_int(text, INT64_MIN, INT64_MAX);
    check_int(text, 1, 65535);
    check_doubles(text);
    free(text);
    return 0;
}

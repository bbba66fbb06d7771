#include "cli/value.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/suggest.h"
#include "base/units.h"
#include "cli/walk.h"

#define PID_MAX 4194304 /* PID_MAX_LIMIT of linux/threads.h */

/* ---- bounds ---- */

static char *format_bound(const pk_opt *row, int64_t bound, char *out, size_t bytes) {
    static const struct {
        int64_t size;
        const char *suffix;
    } units[] = {{1ll << 30, "GiB"}, {1ll << 20, "MiB"}, {1ll << 10, "KiB"}};
    if (row->kind == PK_OPT_DURATION) return pk_format_duration_exact(out, bytes, (uint64_t)bound);
    for (size_t i = 0; row->kind == PK_OPT_BYTES && bound > 0 && i < 3; i++) {
        if (bound % units[i].size) continue;
        snprintf(out, bytes, "%" PRId64 "%s", bound / units[i].size, units[i].suffix);
        return out;
    }
    snprintf(out, bytes, "%" PRId64, bound);
    return out;
}

/* "1ns or more" would be true, but nobody says so. */
static bool is_above_zero(const pk_opt *row) {
    return row->kind == PK_OPT_DURATION && row->min == 1;
}

char *pk_value_range(const pk_opt *row, char *out, size_t bytes) {
    char low[PK_FORMAT_MAX], high[PK_FORMAT_MAX];
    if (bytes > 0) out[0] = '\0';
    if (row->kind == PK_OPT_RATIO && !row->min && !row->max) {
        snprintf(out, bytes, "0 to 1, or with %%");
    } else if (row->min || row->max) {
        format_bound(row, row->min, low, sizeof low);
        bool all = row->min == 0 && row->max == INT64_MAX && row->kind != PK_OPT_INT;
        if (all) out[0] = '\0'; /* "0 or more", where nothing can be negative */
        else if (row->max == INT64_MAX && is_above_zero(row)) snprintf(out, bytes, "more than 0");
        else if (row->max == INT64_MAX) snprintf(out, bytes, "%s or more", low);
        else snprintf(out, bytes, "%s to %s", low, format_bound(row, row->max, high, sizeof high));
    }
    return out;
}

static const char *noun(const pk_opt *row) {
    switch (row->kind) {
    case PK_OPT_DURATION:
        return "duration";
    case PK_OPT_BYTES:
        return "size";
    case PK_OPT_RATE:
        return "rate";
    case PK_OPT_RATIO:
        return "share";
    default:
        return "number";
    }
}

static bool fail_bound(const pk_opt *row, bool too_low, pk_err *err) {
    char low[PK_FORMAT_MAX], high[PK_FORMAT_MAX];
    format_bound(row, row->min, low, sizeof low);
    format_bound(row, row->max, high, sizeof high);
    if (!too_low) pk_fail(err, PK_E_USAGE, NULL, "must be at most %s", high);
    else if (is_above_zero(row)) pk_fail(err, PK_E_USAGE, NULL, "must be more than 0");
    else pk_fail(err, PK_E_USAGE, NULL, "must be at least %s", low);
    if (row->max == INT64_MAX && is_above_zero(row)) pk_fix(err, "use a duration such as 10s");
    else if (row->max == INT64_MAX) pk_fix(err, "use a %s of %s or more", noun(row), low);
    else pk_fix(err, "use a %s from %s to %s", noun(row), low, high);
    return false;
}

static bool unsigned_fits(const pk_opt *row, uint64_t value, pk_err *err) {
    if (!row->min && !row->max) return true;
    if (value < (uint64_t)row->min) return fail_bound(row, true, err);
    return value <= (uint64_t)row->max || fail_bound(row, false, err);
}

static bool signed_fits(const pk_opt *row, int64_t value, pk_err *err) {
    if (!row->min && !row->max) return true;
    if (value < row->min) return fail_bound(row, true, err);
    return value <= row->max || fail_bound(row, false, err);
}

static bool double_fits(const pk_opt *row, double value, pk_err *err) {
    if (!row->min && !row->max) return true;
    if (value < (double)row->min) return fail_bound(row, true, err);
    return value <= (double)row->max || fail_bound(row, false, err);
}

/* ---- numbers ---- */

static bool store_unsigned(const pk_opt *row, const char *text, void *field, pk_err *err) {
    uint64_t value = 0;
    /* The other parsers call a minus rubbish; a person who typed -1 wants to hear the bound. */
    int64_t negative;
    pk_err ignored;
    if (text[0] == '-' && row->min > 0 &&
        pk_parse_int(text, INT64_MIN, INT64_MAX, &negative, &ignored))
        return fail_bound(row, true, err);
    bool ok = row->kind == PK_OPT_COUNT      ? pk_parse_count(text, &value, err)
              : row->kind == PK_OPT_DURATION ? pk_parse_duration(text, &value, err)
                                             : pk_parse_bytes(text, &value, err);
    if (!ok || !unsigned_fits(row, value, err)) return false;
    *(uint64_t *)field = value;
    return true;
}

static bool store_signed(const pk_opt *row, const char *text, void *field, pk_err *err) {
    int64_t value = 0;
    if (row->kind == PK_OPT_PID) {
        if (!pk_parse_int(text, 1, PID_MAX, &value, err)) {
            pk_fix(err, "use the number of a running process");
            return false;
        }
    } else if (!pk_parse_int(text, INT64_MIN, INT64_MAX, &value, err)) {
        return false;
    }
    if (!signed_fits(row, value, err)) return false;
    *(int64_t *)field = value;
    return true;
}

static bool store_double(const pk_opt *row, const char *text, void *field, pk_err *err) {
    double value = 0;
    bool ok = row->kind == PK_OPT_RATE ? pk_parse_double(text, &value, err)
                                       : pk_parse_ratio(text, &value, err);
    if (!ok || !double_fits(row, value, err)) return false;
    *(double *)field = value;
    return true;
}

/* ---- words ---- */

char *pk_value_names(const pk_opt *row, char *out, size_t bytes) {
    size_t used = 0;
    if (bytes > 0) out[0] = '\0';
    for (size_t i = 0; row->values && row->values[i] && used < bytes; i++) {
        const char *between = i == 0 ? "" : row->values[i + 1] ? ", " : " or ";
        int more = snprintf(out + used, bytes - used, "%s%s", between, row->values[i]);
        if (more > 0) used += (size_t)more;
    }
    return out;
}

static bool fail_enum(const pk_opt *row, const char *text, size_t n, pk_err *err) {
    char all[PK_RANGE_MAX];
    pk_value_names(row, all, sizeof all);
    const char *near = pk_suggest(text, row->values, n);
    pk_fail(err, PK_E_USAGE, NULL, "unknown value");
    if (near) pk_fix(err, "did you mean %s? It takes %s", near, all);
    else pk_fix(err, "use %s", all);
    return false;
}

static bool store_enum(const pk_opt *row, const char *text, void *field, pk_err *err) {
    size_t n = 0;
    for (; row->values[n]; n++) {
        if (strcmp(row->values[n], text) != 0) continue;
        *(int *)field = (int)n;
        return true;
    }
    return fail_enum(row, text, n, err);
}

/* Room for one more: the block doubles whenever the count is a power of two, so that nothing but
 * the count has to be kept. */
static bool append(pk_text_list *list, const char *text, pk_arena *arena) {
    if ((list->count & (list->count - 1)) == 0) {
        size_t room = list->count ? 2 * list->count : 1;
        const char **items = PK_NEW(arena, room, const char *);
        if (!items) return false;
        if (list->count) memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
    }
    list->items[list->count++] = text;
    return true;
}

static bool file_fits(const char *path, pk_err *err) {
    struct stat st;
    if (strcmp(path, "-") == 0) return true;
    if (stat(path, &st) < 0 || access(path, R_OK) < 0) {
        pk_fail(err, PK_E_SYS, NULL, "cannot read this file");
        pk_fix(err, "check the path, or give - for standard input");
        return false;
    }
    if (S_ISDIR(st.st_mode)) {
        pk_fail(err, PK_E_INPUT, NULL, "is a directory");
        pk_fix(err, "name a file");
        return false;
    }
    return true;
}

static bool dir_fits(const char *path, pk_err *err) {
    struct stat st;
    if (stat(path, &st) < 0 || (S_ISDIR(st.st_mode) && access(path, R_OK | X_OK) < 0)) {
        pk_fail(err, PK_E_SYS, NULL, "cannot use this directory");
        pk_fix(err, "check the path");
        return false;
    }
    if (S_ISDIR(st.st_mode)) return true;
    pk_fail(err, PK_E_INPUT, NULL, "is not a directory");
    pk_fix(err, "name a directory");
    return false;
}

/* Said before the run rather than after it, when its result would be lost. */
static bool output_fits(const char *path, pk_arena *arena, pk_err *err) {
    struct stat st;
    if (strcmp(path, "-") == 0) return true;
    if (stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode)) {
            pk_fail(err, PK_E_INPUT, NULL, "is a directory");
            pk_fix(err, "name a file in it");
            return false;
        }
        if (access(path, W_OK) == 0) return true;
        pk_fail(err, PK_E_SYS, NULL, "cannot write this file");
        pk_fix(err, "choose another place");
        return false;
    }
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;
    const char *dir = !slash ? "." : length == 0 ? "/" : pk_arena_strndup(arena, path, length);
    if (dir && access(dir, W_OK | X_OK) == 0) return true;
    pk_fail(err, PK_E_SYS, NULL, "cannot create a file there");
    pk_fix(err, "choose another place, or make its directory first");
    return false;
}

static bool text_fits(const pk_opt *row, const char *text, bool typed, pk_arena *arena,
                      pk_err *err) {
    bool path = row->kind == PK_OPT_FILE || row->kind == PK_OPT_DIR || row->kind == PK_OPT_OUTPUT;
    if (path && !text[0]) {
        pk_fail(err, PK_E_USAGE, NULL, "is empty");
        pk_fix(err, "name a %s", row->kind == PK_OPT_DIR ? "directory" : "file");
        return false;
    }
    if (row->check && !row->check(text, err)) return false;
    if (!typed) return true;
    switch (row->kind) {
    case PK_OPT_FILE:
        return file_fits(text, err);
    case PK_OPT_DIR:
        return dir_fits(text, err);
    case PK_OPT_OUTPUT:
        return output_fits(text, arena, err);
    default:
        return true;
    }
}

static bool store_text(const pk_opt *row, const char *text, bool typed, void *field,
                       pk_arena *arena, pk_err *err) {
    if (!text_fits(row, text, typed, arena, err)) return false;
    const char *copy = pk_arena_strdup(arena, text);
    bool ok = copy != NULL;
    if (ok && row->kind == PK_OPT_TEXT_LIST) ok = append(field, copy, arena);
    else if (ok) *(const char **)field = copy;
    if (!ok) {
        pk_fail(err, PK_E_LIMIT, NULL, "no memory for a command line this long");
        pk_fix(err, "put long values in a file");
    }
    return ok;
}

bool pk_value_store(const pk_opt *row, const char *text, bool typed, void *field, pk_arena *arena,
                    pk_err *err) {
    switch (row->kind) {
    case PK_OPT_FLAG:
        *(bool *)field = true;
        return true;
    case PK_OPT_TALLY:
        *(int *)field += 1;
        return true;
    case PK_OPT_INT:
    case PK_OPT_PID:
        return store_signed(row, text, field, err);
    case PK_OPT_COUNT:
    case PK_OPT_DURATION:
    case PK_OPT_BYTES:
        return store_unsigned(row, text, field, err);
    case PK_OPT_RATE:
    case PK_OPT_RATIO:
        return store_double(row, text, field, err);
    case PK_OPT_ENUM:
        return store_enum(row, text, field, err);
    case PK_OPT_TEXT:
    case PK_OPT_TEXT_LIST:
    case PK_OPT_FILE:
    case PK_OPT_DIR:
    case PK_OPT_OUTPUT:
        return store_text(row, text, typed, field, arena, err);
    }
    pk_fail(err, PK_E_INTERNAL, row->name, "the option's kind is unknown");
    return false;
}

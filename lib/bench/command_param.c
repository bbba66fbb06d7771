/* Parameters of whole commands: ranges, lists and their places in a line. */
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/strbuf.h"
#include "base/units.h"
#include "bench/command_parts.h"

enum { TEXT_BYTES_MAX = 16 << 20 };

bool pk_command_no_room(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "the commands do not fit in memory");
    pk_fix(err, "give fewer values of parameters");
    return false;
}

/* ---- a range ---- */

#define SCAN "--parameter-scan"
#define STEP "--parameter-step-size"

static bool usage(pk_err *err, const char *where, const char *what, const char *fix) {
    pk_fail(err, PK_E_USAGE, where, "%s", what);
    pk_fix(err, "%s", fix);
    return false;
}

static bool is_int32(const char *text) {
    int64_t value;
    pk_err ignored;
    return pk_parse_int(text, INT32_MIN, INT32_MAX, &value, &ignored);
}

static bool scan_number(const char *option, const char *text, pk_decimal *out, pk_err *err) {
    if (pk_decimal_parse(text, out, err)) return true;
    pk_fail(err, PK_E_USAGE, option, "%s", err->what);
    pk_fix(err, "give a number such as 3, -2 or 0.25");
    return false;
}

typedef struct range {
    pk_decimal min, max, step; /* of one scale; 0 < step, min <= max */
    size_t n;
} range;

/* The end is inclusive, and cut to the scale of the values: none can lie between. */
static bool check_range(range *r, pk_err *err) {
    unsigned scale = r->min.scale > r->step.scale ? r->min.scale : r->step.scale;
    if (!pk_decimal_rescale(&r->min, scale) || !pk_decimal_rescale(&r->max, scale) ||
        !pk_decimal_rescale(&r->step, scale))
        return usage(err, SCAN, "its numbers have too many digits", "use shorter ones");
    if (r->max.digits < r->min.digits)
        return usage(err, SCAN, "the range is empty: its end is before its start",
                     "give the smaller value first");
    if (r->step.digits == 0) return usage(err, STEP, "the step is zero", "give one above 0");
    pk_int128 width;
    bool fits = !__builtin_sub_overflow(r->max.digits, r->min.digits, &width);
    if (!fits || r->step.digits < 0 || width / r->step.digits >= PK_COMMAND_CASES_MAX)
        return usage(err, SCAN,
                     "the range is too large: more than 100000 values, or a step below 0",
                     "use a larger step");
    r->n = (size_t)(width / r->step.digits) + 1;
    return true;
}

/* Whole numbers step by 1 unless told; decimals need a step, since none suggests itself. */
static bool scan_range(const pk_parameter_scan *scan, range *r, pk_err *err) {
    bool whole = is_int32(scan->min) && is_int32(scan->max);
    if (!scan_number(SCAN, scan->min, &r->min, err) || !scan_number(SCAN, scan->max, &r->max, err))
        return false;
    if (!scan->step && !whole)
        return usage(err, SCAN, "a range of decimals needs a step",
                     "give one by " STEP ", such as -D 0.1");
    r->step = (pk_decimal){.digits = 1};
    if (scan->step && !scan_number(STEP, scan->step, &r->step, err)) return false;
    return check_range(r, err);
}

static bool scan_axis(const pk_parameter_scan *scan, pk_arena *arena, pk_parameter_axis *axis,
                      pk_err *err) {
    range r;
    if (!scan_range(scan, &r, err)) return false;
    const char **values = PK_NEW(arena, r.n, const char *);
    if (!values) return pk_command_no_room(err);
    pk_decimal at = r.min;
    for (size_t i = 0; i < r.n; i++, at.digits += r.step.digits) {
        char text[PK_DECIMAL_MAX];
        values[i] = pk_arena_strdup(arena, pk_decimal_format(text, sizeof text, at));
        if (!values[i]) return pk_command_no_room(err);
    }
    *axis = (pk_parameter_axis){.name = scan->name, .values = values, .n = r.n};
    return true;
}

/* ---- lists ---- */

static size_t count_items(const char *text) {
    size_t n = 1;
    for (const char *p = text; *p; p++) {
        if (*p == '\\' && (p[1] == ',' || p[1] == '\\')) p++;
        else n += *p == ',';
    }
    return n;
}

const char *const *pk_parameter_split(const char *text, pk_arena *arena, size_t *n) {
    size_t count = count_items(text);
    const char **items = PK_NEW(arena, count, const char *);
    char *out = pk_arena_alloc(arena, strlen(text) + 1, 1);
    if (!items || !out) return NULL;
    size_t i = 0;
    items[i++] = out;
    for (const char *p = text; *p; p++) {
        if (*p == ',') {
            *out++ = '\0';
            items[i++] = out;
            continue;
        }
        if (*p == '\\' && (p[1] == ',' || p[1] == '\\')) p++;
        *out++ = *p;
    }
    *out = '\0';
    *n = count;
    return items;
}

static bool check_names(size_t n, const pk_parameter_axis axes[], pk_err *err) {
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++) {
            if (strcmp(axes[i].name, axes[k].name) != 0) continue;
            pk_fail(err, PK_E_USAGE, "--parameter-list", "the name \"%s\" is given twice",
                    axes[i].name);
            pk_fix(err, "put all its values into one list");
            return false;
        }
    }
    return true;
}

bool pk_parameter_axes(const pk_command_options *options, pk_arena *arena, pk_parameter_axis **axes,
                       size_t *n, pk_err *err) {
    bool scan = options->scan.name != NULL;
    if (scan && options->n_lists > 0)
        return usage(err, SCAN, "a range and a list cannot be combined",
                     "write the range as a second --parameter-list");
    size_t count = scan ? 1 : options->n_lists;
    pk_parameter_axis *all = PK_NEW(arena, count, pk_parameter_axis);
    if (!all) return pk_command_no_room(err);
    if (scan && !scan_axis(&options->scan, arena, all, err)) return false;
    for (size_t i = 0; i < options->n_lists; i++) {
        all[i].name = options->lists[i].name;
        all[i].values = pk_parameter_split(options->lists[i].values, arena, &all[i].n);
        if (!all[i].values) return pk_command_no_room(err);
    }
    if (!check_names(count, all, err)) return false;
    *axes = all;
    *n = count;
    return true;
}

/* ---- replacing ---- */

/* Does "{name}" stand here? Its length, or 0. */
static size_t place_of(const char *at, const char *name) {
    size_t length = strlen(name);
    bool here = *at == '{' && strncmp(at + 1, name, length) == 0 && at[length + 1] == '}';
    return here ? length + 2 : 0;
}

bool pk_parameter_used(const char *text, const char *name) {
    for (const char *p = strchr(text, '{'); p; p = strchr(p + 1, '{'))
        if (place_of(p, name) > 0) return true;
    return false;
}

/* The value whose place is here; NULL: none. */
static const char *value_here(const char *at, size_t n, const pk_parameter_value values[],
                              size_t *length) {
    for (size_t i = 0; i < n; i++) {
        *length = place_of(at, values[i].name);
        if (*length > 0) return values[i].value;
    }
    return NULL;
}

const char *pk_parameter_replace(const char *text, size_t n, const pk_parameter_value values[],
                                 pk_arena *arena) {
    if (n == 0 || !strchr(text, '{')) return pk_arena_strdup(arena, text);
    pk_strbuf out;
    pk_strbuf_init(&out, TEXT_BYTES_MAX);
    for (const char *p = text; *p;) {
        size_t length = 0;
        const char *value = value_here(p, n, values, &length);
        if (value) pk_strbuf_add_str(&out, value);
        else pk_strbuf_add_char(&out, *p);
        p += value ? length : 1;
    }
    char *copy = pk_strbuf_ok(&out) ? pk_arena_strndup(arena, out.data, out.length) : NULL;
    pk_strbuf_fini(&out);
    return copy;
}

#include "report/json_read.h"

#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/hex.h"
#include "base/units.h"
#include "report/utf8.h"

enum { PATH_BYTES = 160 };

/* ---- errors ---- */

/* "workers[3].new" into out, from the root down; the front is cut when it is too long. */
static void path_of(const pk_json_value *value, char out[PATH_BYTES]) {
    char *start = out + PATH_BYTES - 1;
    *start = '\0';
    for (const pk_json_value *v = value; v && v->parent; v = v->parent) {
        char part[PATH_BYTES];
        bool dot = v->key && v->parent->parent;
        int length = v->key ? snprintf(part, sizeof part, "%s%s", dot ? "." : "", v->key)
                            : snprintf(part, sizeof part, "[%zu]", v->index);
        if (length < 0 || length >= (int)sizeof part || start - out < length) break;
        start -= length;
        memcpy(start, part, (size_t)length);
    }
    memmove(out, start, strlen(start) + 1);
}

static void fail_at(pk_json_reader *r, const char *place, const char *what) {
    if (r->failed) return;
    r->failed = true;
    pk_fail(r->err, PK_E_INPUT, r->where, "%s%s%s", place, *place ? ": " : "", what);
    pk_fix(r->err, "it is damaged, or of another program or version: make it again");
}

void pk_json_complain(pk_json_reader *r, const pk_json_value *value, const char *what, ...) {
    char path[PATH_BYTES], text[256];
    va_list args;
    va_start(args, what);
    vsnprintf(text, sizeof text, what, args);
    va_end(args);
    path_of(value, path);
    fail_at(r, path, text);
}

static void complain_absent(pk_json_reader *r, const pk_json_value *object, const char *key) {
    char path[PATH_BYTES], place[2 * PATH_BYTES];
    path_of(object, path);
    snprintf(place, sizeof place, "%s%s%s", path, *path ? "." : "", key);
    fail_at(r, place, "it is missing");
}

/* ---- text to tree ---- */

typedef struct scanner {
    pk_json_reader *reader;
    const char *start, *p, *end;
    int depth;
} scanner;

static void wrong(scanner *s, const char *what) {
    size_t line = 1, column = 1;
    for (const char *p = s->start; p < s->p; p++) {
        column = *p == '\n' ? 1 : column + 1;
        line += *p == '\n';
    }
    char place[80];
    snprintf(place, sizeof place, "line %zu, column %zu", line, column);
    fail_at(s->reader, place, what);
}

void pk_json_no_room(pk_json_reader *r) {
    if (r->failed) return;
    r->failed = true;
    pk_fail(r->err, PK_E_LIMIT, r->where, "it does not fit in memory");
    pk_fix(r->err, "give a smaller file");
}

static void skip_blanks(scanner *s) {
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
        s->p++;
}

static bool at(const scanner *s, char c) {
    return s->p < s->end && *s->p == c;
}

static bool take(scanner *s, char c) {
    if (!at(s, c)) return false;
    s->p++;
    return true;
}

/* The four digits after \u; -1: they are none. */
static int32_t take_hex(scanner *s) {
    int32_t code = 0;
    if (s->end - s->p < 4) return -1;
    for (int i = 0; i < 4; i++) {
        int digit = pk_hex_digit(s->p[i]);
        if (digit < 0) return -1;
        code = code * 16 + digit;
    }
    s->p += 4;
    return code;
}

static char *put_utf8(char *out, uint32_t code) {
    if (code < 0x80) {
        *out++ = (char)code;
        return out;
    }
    int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
    *out++ = (char)(lead[more] | code >> 6 * more);
    while (more-- > 0) *out++ = (char)(0x80 | (code >> 6 * more & 0x3f));
    return out;
}

/* What stands behind \u, as UTF-8; NULL: it is no character, or NUL, which no text can hold. */
static char *take_code(scanner *s, char *out) {
    int32_t code = take_hex(s), low;
    if (code >= 0xd800 && code < 0xdc00) { /* a pair of surrogates is one character */
        if (s->end - s->p < 6 || s->p[0] != '\\' || s->p[1] != 'u') return NULL;
        s->p += 2;
        low = take_hex(s);
        if (low < 0xdc00 || low > 0xdfff) return NULL;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code <= 0 || (code >= 0xdc00 && code < 0xe000)) {
        return NULL;
    }
    return put_utf8(out, (uint32_t)code);
}

static char *take_escape(scanner *s, char *out) {
    static const char named[] = "\"\"\\\\//b\bf\fn\nr\rt\t"; /* letter, character */
    if (s->p == s->end) return NULL;
    char c = *s->p++;
    if (c == 'u') return take_code(s, out);
    for (const char *p = named; *p; p += 2) {
        if (p[0] != c) continue;
        *out = p[1];
        return out + 1;
    }
    return NULL;
}

/* From behind the opening quote to behind the closing one. NULL: failed. */
static const char *take_text(scanner *s) {
    const char *close = s->p;
    while (close < s->end && *close != '"') close += *close == '\\' ? 2 : 1;
    if (close >= s->end) {
        wrong(s, "a text does not end");
        return NULL;
    }
    /* What is written out is never longer than what stood there. */
    char *text = PK_NEW(s->reader->arena, (size_t)(close - s->p) + 1, char), *out = text;
    if (!text) {
        pk_json_no_room(s->reader);
        return NULL;
    }
    while (*s->p != '"') {
        uint32_t code;
        size_t bytes = pk_utf8_next(s->p, (size_t)(s->end - s->p), &code);
        if (code == PK_UTF8_INVALID || code < 0x20) {
            wrong(s, code < 0x20 ? "a control character in a text" : "a text is not UTF-8");
            return NULL;
        }
        if (code != '\\') {
            memcpy(out, s->p, bytes);
            out += bytes;
            s->p += bytes;
            continue;
        }
        s->p++;
        char *behind = take_escape(s, out);
        if (!behind) {
            wrong(s, "no such character in a text");
            return NULL;
        }
        out = behind;
    }
    s->p++;
    return text;
}

static const char *skip_digits(const scanner *s, const char *p) {
    while (p < s->end && *p >= '0' && *p <= '9') p++;
    return p;
}

/* The end of a number as RFC 8259, section 6, has it; NULL: it is none. */
static const char *number_end(const scanner *s) {
    const char *p = s->p + at(s, '-'), *digits = p;
    p = skip_digits(s, p);
    if (p == digits || (*digits == '0' && p > digits + 1)) return NULL;
    if (p < s->end && *p == '.') {
        digits = p + 1;
        p = skip_digits(s, digits);
        if (p == digits) return NULL;
    }
    if (p < s->end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < s->end && (*p == '+' || *p == '-')) p++;
        digits = p;
        p = skip_digits(s, digits);
        if (p == digits) return NULL;
    }
    return p;
}

static bool take_number(scanner *s, pk_json_value *value) {
    const char *end = number_end(s);
    if (!end) {
        wrong(s, "no value stands here");
        return false;
    }
    value->kind = PK_JSON_NUMBER;
    value->text = pk_arena_strndup(s->reader->arena, s->p, (size_t)(end - s->p));
    s->p = end;
    if (!value->text) pk_json_no_room(s->reader);
    return value->text != NULL;
}

static bool take_word(scanner *s, const char *word) {
    size_t length = strlen(word);
    if ((size_t)(s->end - s->p) < length || memcmp(s->p, word, length) != 0) return false;
    s->p += length;
    return true;
}

static pk_json_value *take_value(scanner *s, const pk_json_value *parent);

static pk_json_value *take_item(scanner *s, const pk_json_value *parent) {
    const char *key = NULL;
    skip_blanks(s);
    if (parent->kind == PK_JSON_OBJECT) {
        if (!take(s, '"')) {
            wrong(s, "a key in quotes is missing");
            return NULL;
        }
        key = take_text(s);
        if (!key) return NULL;
        skip_blanks(s);
        if (!take(s, ':')) {
            wrong(s, "a colon is missing");
            return NULL;
        }
    }
    pk_json_value *item = take_value(s, parent);
    if (item) item->key = key;
    return item;
}

/* From behind the opening bracket to behind the closing one. */
static bool take_items(scanner *s, pk_json_value *value, char close) {
    const pk_json_value **link = &value->first;
    if (++s->depth > PK_JSON_DEPTH_MAX) {
        wrong(s, "it is nested too deeply");
        return false;
    }
    skip_blanks(s);
    bool more = !take(s, close);
    while (more) {
        pk_json_value *item = take_item(s, value);
        if (!item) return false;
        item->index = value->count++;
        *link = item;
        link = &item->next;
        skip_blanks(s);
        more = take(s, ',');
        if (!more && !take(s, close)) {
            wrong(s, close == '}' ? "a comma or } is missing" : "a comma or ] is missing");
            return false;
        }
    }
    s->depth--;
    return true;
}

static pk_json_value *take_value(scanner *s, const pk_json_value *parent) {
    pk_json_value *value = PK_NEW(s->reader->arena, 1, pk_json_value);
    if (!value) {
        pk_json_no_room(s->reader);
        return NULL;
    }
    value->parent = parent;
    skip_blanks(s);
    bool ok = true;
    if (take(s, '{')) {
        value->kind = PK_JSON_OBJECT;
        ok = take_items(s, value, '}');
    } else if (take(s, '[')) {
        value->kind = PK_JSON_ARRAY;
        ok = take_items(s, value, ']');
    } else if (take(s, '"')) {
        value->kind = PK_JSON_TEXT;
        value->text = take_text(s);
        ok = value->text != NULL;
    } else if (take_word(s, "true") || take_word(s, "false")) {
        value->kind = PK_JSON_BOOL;
        value->boolean = s->p[-2] == 'u';
    } else if (!take_word(s, "null")) {
        ok = take_number(s, value);
    }
    return ok ? value : NULL;
}

const pk_json_value *pk_json_read(pk_json_reader *reader, const char *text, size_t bytes) {
    scanner s = {.reader = reader, .start = text, .p = text, .end = text + bytes};
    const pk_json_value *value = reader->failed ? NULL : take_value(&s, NULL);
    if (!value) return NULL;
    skip_blanks(&s);
    if (s.p == s.end) return value;
    wrong(&s, "something stands behind its end");
    return NULL;
}

/* ---- out of the tree ---- */

const pk_json_value *pk_json_member(pk_json_reader *r, const pk_json_value *object,
                                    const char *key) {
    if (r->failed || !object || !pk_json_is_object(r, object)) return NULL;
    for (const pk_json_value *v = object->first; v; v = v->next)
        if (strcmp(v->key, key) == 0) return v;
    return NULL;
}

/* The member if it is there and not null. Of another kind: an error, and NULL. */
static const pk_json_value *member_of_kind(pk_json_reader *r, const pk_json_value *object,
                                           const char *key, pk_json_kind kind, const char *what) {
    const pk_json_value *v = pk_json_member(r, object, key);
    if (!v || v->kind == PK_JSON_NULL) return NULL;
    if (v->kind == kind) return v;
    pk_json_complain(r, v, "it is no %s", what);
    return NULL;
}

bool pk_json_is_object(pk_json_reader *r, const pk_json_value *value) {
    if (value->kind == PK_JSON_OBJECT) return true;
    pk_json_complain(r, value, "it is no object");
    return false;
}

static double number_of(pk_json_reader *r, const pk_json_value *v) {
    pk_err ignored;
    double value;
    bool negative = v->text[0] == '-';
    if (pk_parse_double(v->text + negative, &value, &ignored)) return negative ? -value : value;
    pk_json_complain(r, v, "it is too large a number");
    return NAN;
}

double pk_json_double_of(pk_json_reader *r, const pk_json_value *value) {
    if (value->kind == PK_JSON_NUMBER) return number_of(r, value);
    if (value->kind != PK_JSON_NULL) pk_json_complain(r, value, "it is no number");
    return NAN;
}

const char *pk_json_text_of(pk_json_reader *r, const pk_json_value *value) {
    if (value->kind == PK_JSON_TEXT) return value->text;
    if (value->kind != PK_JSON_NULL) pk_json_complain(r, value, "it is no text");
    return NULL;
}

double pk_json_get_double(pk_json_reader *r, const pk_json_value *object, const char *key) {
    const pk_json_value *v = pk_json_member(r, object, key);
    return v ? pk_json_double_of(r, v) : NAN;
}

/* False: it is none. */
static bool whole_of(const char *text, uint64_t *value) {
    pk_err ignored;
    if (text[0] == '-') return false;
    if (pk_parse_count(text, value, &ignored)) return true;
    double d; /* "1.0e3": a whole number all the same */
    if (!pk_parse_double(text, &d, &ignored) || d != floor(d) || d >= 0x1p64) return false;
    *value = (uint64_t)d;
    return true;
}

uint64_t pk_json_get_uint(pk_json_reader *r, const pk_json_value *object, const char *key) {
    const pk_json_value *v = member_of_kind(r, object, key, PK_JSON_NUMBER, "number");
    uint64_t value = 0;
    if (!v || whole_of(v->text, &value)) return value;
    pk_json_complain(r, v, "it is no whole number from 0 up");
    return 0;
}

int pk_json_get_int(pk_json_reader *r, const pk_json_value *object, const char *key, int absent) {
    const pk_json_value *v = member_of_kind(r, object, key, PK_JSON_NUMBER, "number");
    int64_t value = 0;
    pk_err ignored;
    if (!v) return absent;
    if (pk_parse_int(v->text, INT_MIN, INT_MAX, &value, &ignored)) return (int)value;
    pk_json_complain(r, v, "it is no whole number, or out of range");
    return absent;
}

bool pk_json_get_bool(pk_json_reader *r, const pk_json_value *object, const char *key) {
    const pk_json_value *v = member_of_kind(r, object, key, PK_JSON_BOOL, "true or false");
    return v && v->boolean;
}

const char *pk_json_get_text(pk_json_reader *r, const pk_json_value *object, const char *key) {
    const pk_json_value *v = member_of_kind(r, object, key, PK_JSON_TEXT, "text");
    return v ? v->text : NULL;
}

void pk_json_get_chars(pk_json_reader *r, const pk_json_value *object, const char *key, char *out,
                       size_t bytes) {
    const pk_json_value *v = member_of_kind(r, object, key, PK_JSON_TEXT, "text");
    size_t length = v ? strlen(v->text) : 0;
    if (length >= bytes) {
        pk_json_complain(r, v, "it is longer than %zu bytes", bytes - 1);
        length = 0;
    }
    if (length > 0) memcpy(out, v->text, length);
    out[length] = '\0';
}

const pk_json_value *pk_json_get_object(pk_json_reader *r, const pk_json_value *object,
                                        const char *key) {
    return member_of_kind(r, object, key, PK_JSON_OBJECT, "object");
}

const pk_json_value *pk_json_get_array(pk_json_reader *r, const pk_json_value *object,
                                       const char *key) {
    return member_of_kind(r, object, key, PK_JSON_ARRAY, "array");
}

int pk_json_get_word(pk_json_reader *r, const pk_json_value *object, const char *key, int n,
                     const char *(*name)(int i)) {
    const pk_json_value *v = member_of_kind(r, object, key, PK_JSON_TEXT, "text");
    if (!v) return 0;
    for (int i = 0; i < n; i++)
        if (strcmp(v->text, name(i)) == 0) return i;
    pk_json_complain(r, v, "no such word: %.40s", v->text);
    return 0;
}

size_t pk_json_doubles_of(pk_json_reader *r, const pk_json_value *array, double **out) {
    *out = NULL;
    if (r->failed || !array) return 0;
    if (array->kind != PK_JSON_ARRAY) {
        pk_json_complain(r, array, "it is no array");
        return 0;
    }
    double *values = PK_NEW(r->arena, array->count, double);
    if (!values) pk_json_no_room(r);
    for (const pk_json_value *v = array->first; v && !r->failed; v = v->next) {
        if (v->kind == PK_JSON_NULL) pk_json_complain(r, v, "it is no number");
        values[v->index] = pk_json_double_of(r, v);
    }
    if (r->failed) return 0;
    *out = values;
    return array->count;
}

void pk_json_require(pk_json_reader *r, const pk_json_value *object, const char *key) {
    const pk_json_value *v = pk_json_member(r, object, key);
    if (!r->failed && (!v || v->kind == PK_JSON_NULL)) complain_absent(r, object, key);
}

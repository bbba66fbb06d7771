#include "report/json.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include "base/strbuf.h"
#include "base/units.h"
#include "base/version.h"
#include "report/escape.h"

/* cJSON has no place to remember that something could not be added; its `type` has room beside
 * its own bits (0x3ff). pk_json_write looks at it in every object and array. */
enum { INCOMPLETE = 1 << 16 };

enum { TEXT_BYTES_MAX = 64 << 20 };

/* Integers up to here are doubles without loss. */
#define EXACT_MAX (1ll << 53)

/* Hands item over to parent; item may be NULL (out of memory). */
static pk_json *attach(pk_json *parent, const char *key, cJSON *item) {
    if (!parent) {
        cJSON_Delete(item);
        return NULL;
    }
    bool added = item != NULL;
    if (added && key) {
        pk_strbuf clean;
        pk_strbuf_init(&clean, TEXT_BYTES_MAX);
        pk_escape_utf8(&clean, key, strlen(key));
        added = pk_strbuf_ok(&clean) && cJSON_AddItemToObject(parent, clean.data, item);
        pk_strbuf_fini(&clean);
    } else if (added) {
        added = cJSON_AddItemToArray(parent, item);
    }
    if (added) return item;
    cJSON_Delete(item);
    parent->type |= INCOMPLETE;
    return NULL;
}

pk_json *pk_json_document(const char *schema) {
    pk_json *document = cJSON_CreateObject();
    pk_json_text(document, "perfkit", PK_VERSION);
    pk_json_text(document, "schema", schema);
    return document;
}

pk_json *pk_json_new(void) {
    return cJSON_CreateObject();
}

void pk_json_free(pk_json *document) {
    cJSON_Delete(document);
}

pk_json *pk_json_object(pk_json *parent, const char *key) {
    return attach(parent, key, cJSON_CreateObject());
}

pk_json *pk_json_array(pk_json *parent, const char *key) {
    return attach(parent, key, cJSON_CreateArray());
}

void pk_json_double(pk_json *parent, const char *key, double value) {
    attach(parent, key, isfinite(value) ? cJSON_CreateNumber(value) : cJSON_CreateNull());
}

void pk_json_float(pk_json *parent, const char *key, double value) {
    char text[PK_FORMAT_MAX + 2];
    pk_format_double(text, PK_FORMAT_MAX, value);
    size_t length = strlen(text);
    if (!text[strcspn(text, ".e")]) memcpy(text + length, ".0", sizeof ".0");
    attach(parent, key, isfinite(value) ? cJSON_CreateRaw(text) : cJSON_CreateNull());
}

void pk_json_uint(pk_json *parent, const char *key, uint64_t value) {
    char digits[PK_FORMAT_MAX];
    snprintf(digits, sizeof digits, "%" PRIu64, value);
    attach(parent, key,
           value <= EXACT_MAX ? cJSON_CreateNumber((double)value) : cJSON_CreateRaw(digits));
}

void pk_json_int(pk_json *parent, const char *key, int64_t value) {
    char digits[PK_FORMAT_MAX];
    snprintf(digits, sizeof digits, "%" PRId64, value);
    bool exact = value >= -EXACT_MAX && value <= EXACT_MAX;
    attach(parent, key, exact ? cJSON_CreateNumber((double)value) : cJSON_CreateRaw(digits));
}

void pk_json_bool(pk_json *parent, const char *key, bool value) {
    attach(parent, key, cJSON_CreateBool(value));
}

void pk_json_text(pk_json *parent, const char *key, const char *value) {
    if (!value) {
        pk_json_null(parent, key);
        return;
    }
    pk_strbuf clean;
    pk_strbuf_init(&clean, TEXT_BYTES_MAX);
    pk_escape_utf8(&clean, value, strlen(value));
    attach(parent, key, pk_strbuf_ok(&clean) ? cJSON_CreateString(clean.data) : NULL);
    pk_strbuf_fini(&clean);
}

void pk_json_null(pk_json *parent, const char *key) {
    attach(parent, key, cJSON_CreateNull());
}

void pk_json_uint_if(pk_json *parent, const char *key, bool known, uint64_t value) {
    if (known) pk_json_uint(parent, key, value);
    else pk_json_null(parent, key);
}

#define ESCAPED_MAX 8

/* How a character stands in a string (RFC 8259, section 7); NULL: as it is. */
static const char *escaped(unsigned char c, char room[ESCAPED_MAX]) {
    static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* character, letter */
    for (const char *p = named; *p; p += 2)
        if (p[0] == (char)c) {
            snprintf(room, ESCAPED_MAX, "\\%c", p[1]);
            return room;
        }
    if (c >= 0x20) return NULL;
    snprintf(room, ESCAPED_MAX, "\\u%04x", c);
    return room;
}

static void write_string(FILE *out, const char *text) {
    char room[ESCAPED_MAX];
    putc('"', out);
    for (; *text; text++) {
        const char *escape = escaped((unsigned char)*text, room);
        if (escape) fputs(escape, out);
        else putc(*text, out);
    }
    putc('"', out);
}

void pk_json_quote(pk_strbuf *out, const char *text, size_t bytes) {
    char room[ESCAPED_MAX];
    pk_strbuf clean;
    pk_strbuf_init(&clean, TEXT_BYTES_MAX);
    pk_escape_utf8(&clean, text, bytes);
    pk_strbuf_add_char(out, '"');
    for (size_t i = 0; i < clean.length; i++) {
        const char *escape = escaped((unsigned char)clean.data[i], room);
        if (escape) pk_strbuf_add_str(out, escape);
        else pk_strbuf_add_char(out, clean.data[i]);
    }
    pk_strbuf_add_char(out, '"');
    out->failed = out->failed || !pk_strbuf_ok(&clean);
    pk_strbuf_fini(&clean);
}

static void write_scalar(FILE *out, const pk_json *item) {
    char number[PK_FORMAT_MAX];
    switch (item->type & 0xff) {
    case cJSON_Number:
        fputs(pk_format_double(number, sizeof number, item->valuedouble), out);
        break;
    case cJSON_Raw:
        fputs(item->valuestring, out);
        break;
    case cJSON_String:
        write_string(out, item->valuestring);
        break;
    case cJSON_True:
        fputs("true", out);
        break;
    case cJSON_False:
        fputs("false", out);
        break;
    default:
        fputs("null", out);
    }
}

enum { COMPACT = -1 }; /* a depth: no blanks, no line breaks */

static void indent_line(FILE *out, int depth) {
    if (depth != COMPACT) fprintf(out, "\n%*s", 2 * depth, "");
}

static void write_item(FILE *out, const pk_json *item, int depth) {
    bool is_object = cJSON_IsObject(item);
    if (!is_object && !cJSON_IsArray(item)) {
        write_scalar(out, item);
        return;
    }
    int inner = depth == COMPACT ? COMPACT : depth + 1;
    putc(is_object ? '{' : '[', out);
    for (const pk_json *child = item->child; child; child = child->next) {
        if (child != item->child) putc(',', out);
        indent_line(out, inner);
        if (is_object) {
            write_string(out, child->string);
            fputs(depth == COMPACT ? ":" : ": ", out);
        }
        write_item(out, child, inner);
    }
    if (item->child) indent_line(out, depth);
    putc(is_object ? '}' : ']', out);
}

static bool is_whole(const pk_json *item) {
    if (item->type & INCOMPLETE) return false;
    for (const pk_json *child = item->child; child; child = child->next)
        if (!is_whole(child)) return false;
    return true;
}

static bool write_whole(FILE *out, const pk_json *document, int depth, pk_err *err) {
    if (!document || !is_whole(document)) {
        pk_fail(err, PK_E_LIMIT, NULL, "out of memory for the JSON document");
        return false;
    }
    write_item(out, document, depth);
    if (depth != COMPACT) putc('\n', out);
    if ((depth != COMPACT && fflush(out) != 0) || ferror(out)) {
        pk_fail(err, PK_E_SYS, NULL, "cannot write the JSON document");
        return false;
    }
    return true;
}

bool pk_json_write(FILE *out, const pk_json *document, pk_err *err) {
    return write_whole(out, document, 0, err);
}

bool pk_json_write_compact(FILE *out, const pk_json *document, pk_err *err) {
    return write_whole(out, document, COMPACT, err);
}

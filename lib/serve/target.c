#include "serve/target.h"

#include <string.h>
#include "base/hex.h"
#include "base/units.h"

/* The byte that text[0..2] ("%XX") stands for, or -1. Reads no further than the first wrong one. */
static int percent_byte(const char *text) {
    int high = pk_hex_digit(text[1]);
    if (high < 0) return -1;
    int low = pk_hex_digit(text[2]);
    return low < 0 ? -1 : high * 16 + low;
}

/* Where the path begins: behind "http://host" in the absolute form (RFC 9112, 3.2.2: servers must
 * accept it). NULL: neither form. */
static const char *skip_authority(const char *raw) {
    static const char *const schemes[] = {"http://", "https://"};
    if (*raw == '/' || strcmp(raw, "*") == 0) return raw;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t bytes = strlen(schemes[i]);
        if (strncasecmp(raw, schemes[i], bytes) != 0) continue;
        const char *host = raw + bytes;
        const char *path = host + strcspn(host, "/?#");
        return path == host ? NULL : path;
    }
    return NULL;
}

bool pk_target_parse(const char *raw, char *buffer, pk_target *target) {
    const char *at = skip_authority(raw);
    if (!at) return false;
    char *out = buffer;
    bool encoded_slash = false;
    if (*at != '/' && *at != '*') *out++ = '/'; /* "http://host" and "http://host?q" mean "/" */
    for (; *at && *at != '?' && *at != '#'; at++) {
        int byte = (unsigned char)*at;
        if (byte == '%') {
            byte = percent_byte(at);
            if (byte < 0) return false;
            at += 2;
            encoded_slash |= byte == '/';
        }
        if (byte < ' ' || byte == 0x7f) return false;
        *out++ = (char)byte;
    }
    *out = '\0';
    *target = (pk_target){.path = buffer,
                          .path_bytes = (size_t)(out - buffer),
                          .query = *at == '?' ? at + 1 : at + strlen(at),
                          .encoded_slash = encoded_slash};
    return true;
}

/* Decodes text[0..bytes) of a query into out[0..size). */
static bool query_decode(const char *text, size_t bytes, char *out, size_t size) {
    size_t length = 0;
    for (size_t i = 0; i < bytes; i++) {
        int byte = (unsigned char)text[i];
        if (byte == '+') byte = ' ';
        if (byte == '%') {
            byte = bytes - i > 2 ? percent_byte(text + i) : -1;
            i += 2;
        }
        if (byte <= 0 || length + 1 >= size) {
            *out = '\0';
            return false;
        }
        out[length++] = (char)byte;
    }
    out[length] = '\0';
    return true;
}

pk_query_result pk_query_get(const char *query, const char *name, char *out, size_t size) {
    size_t name_bytes = strlen(name);
    *out = '\0';
    while (*query && *query != '#') {
        size_t bytes = strcspn(query, "&#");
        if (bytes > name_bytes && query[name_bytes] == '=' &&
            memcmp(query, name, name_bytes) == 0) {
            const char *value = query + name_bytes + 1;
            return query_decode(value, bytes - name_bytes - 1, out, size) ? PK_QUERY_FOUND
                                                                          : PK_QUERY_BAD;
        }
        query += bytes;
        if (*query == '&') query++;
    }
    return PK_QUERY_ABSENT;
}

bool pk_wait_parse(const char *text, uint64_t *ns, pk_err *err) {
    char with_unit[64];
    size_t bytes = strlen(text);
    uint64_t parsed;
    if (bytes > 0 && bytes + sizeof "ms" <= sizeof with_unit &&
        strspn(text, "0123456789.") == bytes) {
        memcpy(with_unit, text, bytes);
        memcpy(with_unit + bytes, "ms", sizeof "ms");
        text = with_unit;
    }
    if (!pk_parse_duration(text, &parsed, err)) return false;
    if (parsed > PK_SERVE_WAIT_MAX_NS) {
        pk_fail(err, PK_E_USAGE, NULL, "more than an hour");
        pk_fix(err, "give at most 1h");
        return false;
    }
    *ns = parsed;
    return true;
}

/* "503" or "503:0.1" in item[0..bytes). */
static bool choice_parse(const char *item, size_t bytes, pk_status_choice *choice, pk_err *err) {
    char text[64];
    if (bytes >= sizeof text) {
        pk_fail(err, PK_E_USAGE, NULL, "no status code: too long");
        pk_fix(err, "write CODE or CODE:WEIGHT");
        return false;
    }
    memcpy(text, item, bytes);
    text[bytes] = '\0';
    char *colon = strchr(text, ':');
    if (colon) *colon = '\0';
    int64_t status;
    double weight = 1;
    if (!pk_parse_int(text, 200, 599, &status, err)) return false;
    if (colon && !pk_parse_double(colon + 1, &weight, err)) return false;
    *choice = (pk_status_choice){.status = (unsigned)status, .weight = weight};
    return true;
}

bool pk_status_list_parse(const char *text, pk_status_choice *choices, size_t *count, pk_err *err) {
    pk_status_choice parsed[PK_STATUS_CHOICES_MAX];
    size_t n = 0;
    double total = 0;
    for (;; text++) {
        size_t bytes = strcspn(text, ",");
        if (n == PK_STATUS_CHOICES_MAX) {
            pk_fail(err, PK_E_USAGE, NULL, "more than %d status codes", PK_STATUS_CHOICES_MAX);
            pk_fix(err, "name fewer");
            return false;
        }
        if (!choice_parse(text, bytes, &parsed[n], err)) return false;
        total += parsed[n++].weight;
        text += bytes;
        if (!*text) break;
    }
    if (!(total > 0 && total < 1e300)) {
        pk_fail(err, PK_E_USAGE, NULL, "the weights sum to nothing that can be shared out");
        pk_fix(err, "give one of them a weight over 0");
        return false;
    }
    memcpy(choices, parsed, n * sizeof *choices);
    *count = n;
    return true;
}

unsigned pk_status_list_choose(const pk_status_choice *choices, size_t count, double u) {
    double total = 0;
    size_t last = 0;
    for (size_t i = 0; i < count; i++) {
        total += choices[i].weight;
        if (choices[i].weight > 0) last = i;
    }
    double left = u * total;
    for (size_t i = 0; i < last; i++) {
        if (left < choices[i].weight) return choices[i].status;
        left -= choices[i].weight;
    }
    return choices[last].status; /* here rounding cannot run past the end */
}

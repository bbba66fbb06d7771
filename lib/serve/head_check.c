#include <string.h>
#include "base/units.h"
#include "serve/exchange.h"

/* RFC 9110, 5.6.2. */
static bool is_token(const char *name, size_t bytes) {
    static const bool tchar[256] = {
        ['!'] = true,         ['#' ... '\''] = true, ['*'] = true,         ['+'] = true,
        ['-'] = true,         ['.'] = true,          ['0' ... '9'] = true, ['A' ... 'Z'] = true,
        ['^' ... 'z'] = true, ['|'] = true,          ['~'] = true,
    };
    for (size_t i = 0; i < bytes; i++)
        if (!tchar[(unsigned char)name[i]]) return false;
    return bytes > 0;
}

static bool refuse(pk_head_check *check, unsigned status, const char *why) {
    check->status = status;
    check->why = why;
    return false;
}

static bool is(const char *name, size_t bytes, const char *what) {
    return strlen(what) == bytes && strncasecmp(name, what, bytes) == 0;
}

/* MHD itself takes "chunked" alone, and reads until the end of the connection with any other. */
static bool check_coding(pk_head_check *check, const char *value, size_t bytes) {
    static const char chunked[] = "chunked";
    size_t last = sizeof chunked - 1;
    if (check->transfer_encoding) return refuse(check, 400, "Transfer-Encoding stands there twice");
    check->transfer_encoding = true;
    if (is(value, bytes, chunked)) return true;
    if (bytes > last && is(value + bytes - last, last, chunked))
        return refuse(check, 501, "of the transfer codings only chunked is understood");
    return refuse(check, 400, "the last transfer coding is not chunked");
}

static bool check_length(pk_head_check *check, const char *value) {
    pk_err err;
    int64_t bytes;
    if (check->content_length) return refuse(check, 400, "Content-Length stands there twice");
    check->content_length = true;
    check->content_bytes =
        pk_parse_int(value, 0, INT64_MAX, &bytes, &err) ? (uint64_t)bytes : UINT64_MAX;
    return true;
}

bool pk_head_check_field(pk_head_check *check, const char *name, size_t name_bytes,
                         const char *value, size_t value_bytes) {
    if (!is_token(name, name_bytes)) return refuse(check, 400, "a field name that is no token");
    bool ok = true;
    switch (name[0] | 0x20) { /* most fields are none of these: one comparison */
    case 'h':
        if (!is(name, name_bytes, "Host")) break;
        if (check->host) return refuse(check, 400, "Host stands there twice");
        check->host = true;
        break;
    case 'c':
        if (is(name, name_bytes, "Content-Length")) ok = check_length(check, value);
        break;
    case 't':
        if (is(name, name_bytes, "Transfer-Encoding")) ok = check_coding(check, value, value_bytes);
        break;
    case 'e':
        if (is(name, name_bytes, "Expect")) check->expects_continue = true;
        break;
    default:
        break;
    }
    if (ok && check->content_length && check->transfer_encoding)
        return refuse(check, 400, "Content-Length and Transfer-Encoding exclude each other");
    return ok;
}

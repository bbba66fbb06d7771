#include "base/error.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void pk_fail(pk_err *err, pk_err_kind kind, const char *where, const char *what, ...) {
    int sys_errno = errno;
    assert(err && kind != PK_OK);

    /* Built aside: the arguments may be the texts of *err itself, when an error is wrapped. */
    pk_err built = {.kind = kind, .sys_errno = kind == PK_E_SYS ? sys_errno : 0};
    if (where) snprintf(built.where, sizeof built.where, "%s", where);
    va_list args;
    va_start(args, what);
    vsnprintf(built.what, sizeof built.what, what, args);
    va_end(args);
    if (kind == PK_E_INTERNAL)
        snprintf(
            built.fix, sizeof built.fix,
            "this is a mistake in perfkit: please report this line where you got perfkit from");
    *err = built;
    errno = sys_errno;
}

void pk_fix(pk_err *err, const char *fix, ...) {
    int sys_errno = errno;
    char built[sizeof err->fix];
    va_list args;
    va_start(args, fix);
    vsnprintf(built, sizeof built, fix, args);
    va_end(args);
    memcpy(err->fix, built, sizeof built);
    errno = sys_errno;
}

/* How many bytes the valid UTF-8 sequence at p takes (RFC 3629, section 4); 0 if there is none.
 * p is NUL-terminated, and NUL is no continuation byte, so this never reads past the end. */
static size_t utf8_sequence(const unsigned char *p) {
    if (p[0] < 0x80) return 1;
    size_t bytes = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4) return 0;
    for (size_t i = 1; i < bytes; i++)
        if ((p[i] & 0xC0) != 0x80) return 0;
    bool overlong = (p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xF0 && p[1] < 0x90);
    bool surrogate = p[0] == 0xED && p[1] > 0x9F;
    bool too_large = p[0] == 0xF4 && p[1] > 0x8F;
    return overlong || surrogate || too_large ? 0 : bytes;
}

typedef struct line {
    char *out;
    size_t bytes;
    size_t length;
} line;

/* Whole characters only; what a terminal could act on (C0, DEL, C1) and what is no text become
 * '?'. Once one does not fit nothing more is added, so that the line is a true prefix. */
static void line_add(line *l, const char *text) {
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        size_t bytes = utf8_sequence(p);
        bool control = *p < 0x20 || *p == 0x7F || (p[0] == 0xC2 && bytes == 2 && p[1] < 0xA0);
        const char *shown = bytes == 0 || control ? "?" : (const char *)p;
        size_t shown_bytes = bytes == 0 || control ? 1 : bytes;
        if (shown_bytes >= l->bytes - l->length) {
            l->bytes = l->length + 1;
            return;
        }
        memcpy(l->out + l->length, shown, shown_bytes);
        l->length += shown_bytes;
        l->out[l->length] = '\0';
        p += bytes ? bytes : 1;
    }
}

size_t pk_err_format(const pk_err *err, char *out, size_t bytes) {
    if (bytes == 0) return 0;
    line l = {.out = out, .bytes = bytes};
    out[0] = '\0';
    const struct {
        const char *before, *text;
    } parts[] = {
        {"", err->where},
        {": ", err->what},
        {": ", err->sys_errno ? strerror(err->sys_errno) : ""},
        {"; ", err->fix},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (!parts[i].text[0]) continue;
        if (l.length > 0) line_add(&l, parts[i].before);
        line_add(&l, parts[i].text);
    }
    return l.length;
}

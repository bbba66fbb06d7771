/* Whatever comes in, what comes out is valid UTF-8 and can do no harm where it is shown. */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include "report/escape.h"
#include "report/utf8.h"

enum { OUT_MAX = 64 << 20 };

typedef void escape_fn(pk_strbuf *out, const char *text, size_t bytes);

/* Each code point of the result, for which `may_stand` must be true. */
static void check(escape_fn *escape, const char *text, size_t bytes, int may_stand(uint32_t code)) {
    pk_strbuf out, again;
    pk_strbuf_init(&out, OUT_MAX);
    pk_strbuf_init(&again, OUT_MAX);
    escape(&out, text, bytes);
    assert(pk_strbuf_ok(&out));
    for (size_t at = 0; at < out.length;) {
        uint32_t code;
        at += pk_utf8_next(out.data + at, out.length - at, &code);
        assert(code != PK_UTF8_INVALID && may_stand(code));
    }
    pk_escape_utf8(&again, out.data, out.length); /* valid already: nothing to replace */
    assert(again.length == out.length && memcmp(again.data, out.data, out.length) == 0);
    int cells;
    assert(pk_utf8_fit(out.data, out.length, INT32_MAX, &cells) == out.length);
    size_t half = pk_utf8_fit(out.data, out.length, cells / 2, &cells);
    assert(half <= out.length);
    pk_strbuf_fini(&out);
    pk_strbuf_fini(&again);
}

static int in_utf8(uint32_t code) {
    return code <= 0x10ffff;
}

static int in_terminal(uint32_t code) {
    return code >= 0x20 && !(code >= 0x7f && code <= 0x9f) && !(code >= 0x202a && code <= 0x202e);
}

static int in_markup(uint32_t code) {
    if (code == '\t' || code == '\n') return 1;
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return 0;
    return code != '<' && code != '>' && code != '"' && code != '\'' && code != 0xfffe &&
           code != 0xffff;
}

/* Every & starts one of our entities. */
static void check_entities(const char *text, size_t bytes) {
    static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    pk_strbuf out;
    pk_strbuf_init(&out, OUT_MAX);
    pk_escape_markup(&out, text, bytes);
    for (const char *p = out.data; p < out.data + out.length; p++) {
        if (*p != '&') continue;
        int known = 0;
        for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++)
            known |= strncmp(p, entities[i], strlen(entities[i])) == 0;
        assert(known);
    }
    pk_strbuf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    const char *text = (const char *)data;
    check(pk_escape_utf8, text, bytes, in_utf8);
    check(pk_escape_terminal, text, bytes, in_terminal);
    check(pk_escape_markup, text, bytes, in_markup);
    check_entities(text, bytes);
    return 0;
}

#include "report/escape.h"

#include <stdint.h>
#include "report/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static bool is_control(uint32_t code) {
    return code < 0x20 || (code >= 0x7f && code <= 0x9f);
}

/* Characters that change the direction of the text after them: in a process name or URL they can
 * make a line show something else than it says. */
static bool is_direction(uint32_t code) {
    return code == 0x61c || (code >= 0x200e && code <= 0x200f) ||
           (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

void pk_escape_terminal(pk_strbuf *out, const char *text, size_t bytes) {
    for (size_t at = 0, length; at < bytes; at += length) {
        uint32_t code;
        length = pk_utf8_next(text + at, bytes - at, &code);
        if (code == '\t') pk_strbuf_add_str(out, "\\t");
        else if (code == '\n') pk_strbuf_add_str(out, "\\n");
        else if (code == PK_UTF8_INVALID || is_control(code) || is_direction(code))
            for (size_t i = 0; i < length; i++)
                pk_strbuf_addf(out, "\\x%02x", (unsigned char)text[at + i]);
        else pk_strbuf_add(out, text + at, length);
    }
}

/* NULL: as it is. */
static const char *markup_entity(uint32_t code) {
    if (code == '&') return "&amp;";
    if (code == '<') return "&lt;";
    if (code == '>') return "&gt;";
    if (code == '"') return "&quot;";
    if (code == '\'') return "&#39;"; /* &apos; is not in HTML 4 */
    if (code == '\t' || code == '\n') return NULL;
    /* XML 1.0, production 2 (Char), leaves out U+FFFE and U+FFFF too */
    bool allowed = code != PK_UTF8_INVALID && !is_control(code) && code != 0xfffe && code != 0xffff;
    return allowed ? NULL : REPLACEMENT;
}

void pk_escape_markup(pk_strbuf *out, const char *text, size_t bytes) {
    for (size_t at = 0, length; at < bytes; at += length) {
        uint32_t code;
        length = pk_utf8_next(text + at, bytes - at, &code);
        const char *entity = markup_entity(code);
        if (entity) pk_strbuf_add_str(out, entity);
        else pk_strbuf_add(out, text + at, length);
    }
}

void pk_escape_utf8(pk_strbuf *out, const char *text, size_t bytes) {
    for (size_t at = 0, length; at < bytes; at += length) {
        uint32_t code;
        length = pk_utf8_next(text + at, bytes - at, &code);
        if (code == PK_UTF8_INVALID) pk_strbuf_add_str(out, REPLACEMENT);
        else pk_strbuf_add(out, text + at, length);
    }
}

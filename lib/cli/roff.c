#include "cli/roff.h"

#include <stdint.h>
#include <string.h>

/* groff_char(7): these ASCII characters come out as something else unless they are named. */
static const char *name_of(char c) {
    switch (c) {
    case '\\':
        return "\\e";
    case '-':
        return "\\-";
    case '\'':
        return "\\(aq";
    case '`':
        return "\\(ga";
    case '^':
        return "\\(ha";
    case '~':
        return "\\(ti";
    case '"':
        return "\\(dq";
    default:
        return NULL;
    }
}

/* One code point of UTF-8 at *text, which is advanced past it; an ill-formed byte is U+FFFD. */
static uint32_t next_code(const char **text) {
    static const struct {
        unsigned char mask, head;
        int more;
        uint32_t least;
    } forms[] = {
        {0x80, 0, 0, 0}, {0xE0, 0xC0, 1, 0x80}, {0xF0, 0xE0, 2, 0x800}, {0xF8, 0xF0, 3, 0x10000}};
    const unsigned char *s = (const unsigned char *)*text;
    *text += 1;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if ((s[0] & forms[i].mask) != forms[i].head) continue;
        uint32_t code = s[0] & (unsigned char)~forms[i].mask;
        for (int k = 1; k <= forms[i].more; k++) {
            if ((s[k] & 0xC0) != 0x80) return 0xFFFD;
            code = code << 6 | (s[k] & 0x3F);
        }
        if (code < forms[i].least || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
            return 0xFFFD;
        *text += forms[i].more;
        return code;
    }
    return 0xFFFD;
}

static void write_span(FILE *out, const char *text, const char *end, bool line_start) {
    if (line_start && text < end && (*text == '.' || *text == '\'')) fputs("\\&", out);
    while (text < end) {
        uint32_t code = next_code(&text);
        const char *name = code < 128 ? name_of((char)code) : NULL;
        if (name) fputs(name, out);
        else if (code < 128) fputc((int)code, out);
        else fprintf(out, "\\[u%04X]", (unsigned)code);
    }
}

void pk_roff_text(FILE *out, const char *text, bool line_start) {
    write_span(out, text, text + strlen(text), line_start);
}

void pk_roff_section(FILE *out, const char *title) {
    fputs(".SH \"", out);
    pk_roff_text(out, title, false);
    fputs("\"\n", out);
}

/* The lines of one paragraph: text[0..end). */
static void write_paragraph(FILE *out, const char *text, const char *end, bool first) {
    bool verbatim = false;
    if (end - text > 2 && memcmp(text, "* ", 2) == 0) {
        fputs(".IP \\(bu 2\n", out);
        text += 2;
    } else if (!first) {
        fputs(".PP\n", out); /* behind a heading it would have no effect, and a warning */
    }
    while (text < end) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        if (!stop) stop = end;
        bool indented = stop - text > 2 && memcmp(text, "  ", 2) == 0;
        if (indented != verbatim) fputs(indented ? ".RS 4\n.nf\n" : ".fi\n.RE\n", out);
        verbatim = indented;
        const char *start = text + strspn(text, " ");
        if (verbatim) start = text + 2;
        write_span(out, start < stop ? start : stop, stop, true);
        fputc('\n', out);
        text = stop < end ? stop + 1 : end;
    }
    if (verbatim) fputs(".fi\n.RE\n", out);
}

void pk_roff_paragraphs(FILE *out, const char *text) {
    bool first = true;
    while (*text) {
        text += strspn(text, "\n");
        const char *end = strstr(text, "\n\n");
        if (!end) {
            end = text + strlen(text);
            while (end > text && end[-1] == '\n') end--;
        }
        if (end > text) write_paragraph(out, text, end, first);
        first = false;
        text = end;
        text += strspn(text, "\n");
    }
}

#include "profile/svg_scan.h"

#include <string.h>

#include "base/hex.h"
#include "base/units.h"

#define NAME_BYTES_MAX (1u << 20)

/* A piece of the document. */
typedef struct piece {
    const char *at;
    size_t bytes;
} piece;

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool begins(const char *text, size_t bytes, const char *word) {
    size_t n = strlen(word);
    return bytes >= n && memcmp(text, word, n) == 0;
}

/* Where `word` is in text[0..bytes), or `bytes`. */
static size_t find(const char *text, size_t bytes, const char *word) {
    const char *found = memmem(text, bytes, word, strlen(word));
    return found ? (size_t)(found - text) : bytes;
}

/* ---- numbers ---- */

/* "1,234": digits with separators; how many bytes. *value stays where there is none, or too large.
 */
static size_t read_whole(const char *text, size_t bytes, uint64_t *value) {
    uint64_t sum = 0;
    size_t i = 0;
    for (; i < bytes && ((text[i] >= '0' && text[i] <= '9') || (i > 0 && text[i] == ',')); i++) {
        if (text[i] == ',') {
            if (i + 1 < bytes && text[i + 1] >= '0' && text[i + 1] <= '9') continue;
            break;
        }
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (sum > (UINT64_MAX - digit) / 10) return 0;
        sum = sum * 10 + digit;
    }
    if (i > 0) *value = sum;
    return i;
}

/* "12.5", "12.5%", "12px"; 0 for what is none. */
static double read_decimal(piece p) {
    char digits[32];
    size_t n = 0;
    while (n < p.bytes && n + 1 < sizeof digits &&
           (p.at[n] == '.' || (p.at[n] >= '0' && p.at[n] <= '9')))
        n++;
    memcpy(digits, p.at, n);
    digits[n] = '\0';
    double value = 0;
    pk_err ignored;
    return pk_parse_double(digits, &value, &ignored) ? value : 0;
}

/* ---- attributes ---- */

/* The value of an attribute of tag[0..bytes), what is between "<rect" and ">". */
static bool attribute(piece tag, const char *name, piece *value) {
    size_t length = strlen(name);
    for (size_t i = 0; i < tag.bytes;) {
        while (i < tag.bytes && (is_blank(tag.at[i]) || tag.at[i] == '/')) i++;
        size_t begin = i;
        while (i < tag.bytes && !is_blank(tag.at[i]) && tag.at[i] != '=') i++;
        size_t end = i;
        while (i < tag.bytes && is_blank(tag.at[i])) i++;
        if (i >= tag.bytes || tag.at[i] != '=') continue;
        for (i++; i < tag.bytes && is_blank(tag.at[i]);) i++;
        if (i >= tag.bytes || (tag.at[i] != '"' && tag.at[i] != '\'')) continue;
        const char *close = memchr(tag.at + i + 1, tag.at[i], tag.bytes - i - 1);
        if (!close) return false;
        *value = (piece){tag.at + i + 1, (size_t)(close - tag.at) - i - 1};
        if (end - begin == length && memcmp(tag.at + begin, name, length) == 0) return true;
        i = (size_t)(close - tag.at) + 1;
    }
    return false;
}

static bool whole_attribute(piece tag, const char *name, uint64_t *value) {
    piece p;
    return attribute(tag, name, &p) && p.bytes > 0 && read_whole(p.at, p.bytes, value) == p.bytes;
}

static double decimal_attribute(piece tag, const char *name) {
    piece p;
    return attribute(tag, name, &p) ? read_decimal(p) : 0;
}

/* ---- titles ---- */

static void add_code(pk_strbuf *out, uint64_t code) {
    if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) code = 0xfffd;
    if (code < 0x80) {
        pk_strbuf_add_char(out, (char)code);
        return;
    }
    int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char first[] = {0, 0xc0, 0xe0, 0xf0};
    pk_strbuf_add_char(out, (char)(first[more] | code >> 6 * more));
    while (more-- > 0) pk_strbuf_add_char(out, (char)(0x80 | (code >> 6 * more & 0x3f)));
}

/* An entity at text[0] = '&': how many bytes it takes; 0: it is none. */
static size_t add_entity(pk_strbuf *out, const char *text, size_t bytes) {
    static const struct {
        const char *entity;
        char c;
    } named[] = {
        {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''},
    };
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
        if (begins(text, bytes, named[i].entity)) {
            pk_strbuf_add_char(out, named[i].c);
            return strlen(named[i].entity);
        }
    if (!begins(text, bytes, "&#")) return 0;
    uint64_t code = 0;
    bool hex = bytes > 2 && text[2] == 'x';
    size_t begin = hex ? 3 : 2;
    size_t digits = 0;
    for (; begin + digits < bytes && digits < 8; digits++) {
        int digit = pk_hex_digit(text[begin + digits]);
        if (digit < 0 || (!hex && digit > 9)) break;
        code = code * (hex ? 16 : 10) + (unsigned)digit;
    }
    if (digits == 0 || begin + digits >= bytes || text[begin + digits] != ';') return 0;
    add_code(out, code);
    return begin + digits + 1;
}

static void add_text(pk_strbuf *out, const char *text, size_t bytes) {
    for (size_t i = 0; i < bytes;) {
        size_t taken = text[i] == '&' ? add_entity(out, text + i, bytes - i) : 0;
        if (taken == 0) pk_strbuf_add_char(out, text[i]);
        i += taken > 0 ? taken : 1;
    }
}

/* Where " (123 ..." at the end begins; `bytes`: the title has no figures. */
static size_t figures(const char *title, size_t bytes) {
    if (bytes == 0 || title[bytes - 1] != ')') return bytes;
    for (size_t i = bytes - 1; i-- > 0;)
        if (i + 2 < bytes && title[i] == ' ' && title[i + 1] == '(')
            return title[i + 2] >= '0' && title[i + 2] <= '9' ? i : bytes;
    return bytes;
}

/* "1,234 samples, 12.34%": what is before the first comma that is no separator of digits. */
static void read_figures(pk_svg_frame *f, const char *text, size_t bytes) {
    f->has_count = read_whole(text, bytes, &f->count) > 0;
    size_t end = find(text, bytes, ", ");
    if (end == bytes && bytes > 0) end--; /* the bracket */
    if (end >= sizeof f->shown) return;
    memcpy(f->shown, text, end);
    f->shown[end] = '\0';
}

static void read_title(pk_svg_frame *f, const char *text, size_t bytes) {
    pk_strbuf_clear(&f->name);
    add_text(&f->name, text, bytes);
    f->has_count = false;
    f->shown[0] = '\0';
    if (!pk_strbuf_ok(&f->name)) return;
    size_t begin = figures(f->name.data, f->name.length);
    if (begin == f->name.length) return;
    read_figures(f, f->name.data + begin + 2, f->name.length - begin - 2);
    f->name.length = begin;
    f->name.data[begin] = '\0';
}

static void read_rect(pk_svg_frame *f, piece tag) {
    f->x = decimal_attribute(tag, "x");
    f->y = decimal_attribute(tag, "y");
    f->width = decimal_attribute(tag, "width");
    f->has_fg = whole_attribute(tag, "fg:x", &f->fg_x) && whole_attribute(tag, "fg:w", &f->fg_w);
}

/* ---- tags ---- */

/* Behind the end of what begins at text[at] = '<'. */
static size_t tag_end(const char *text, size_t bytes, size_t at) {
    const char *rest = text + at;
    size_t left = bytes - at;
    static const char *const pairs[][2] = {{"<!--", "-->"}, {"<![CDATA[", "]]>"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (begins(rest, left, pairs[i][0])) {
            size_t end = find(rest, left, pairs[i][1]);
            return end == left ? bytes : at + end + strlen(pairs[i][1]);
        }
    char quote = 0;
    for (size_t i = at + 1; i < bytes; i++) {
        if (quote) quote = text[i] == quote ? 0 : quote;
        else if (text[i] == '"' || text[i] == '\'') quote = text[i];
        else if (text[i] == '>') return i + 1;
    }
    return bytes;
}

/* Is the element called so? *inside: what stands behind its name. */
static bool element(const char *tag, size_t bytes, const char *name, piece *inside) {
    size_t n = strlen(name);
    if (bytes < n + 2 || memcmp(tag + 1, name, n) != 0) return false;
    char next = tag[n + 1];
    *inside = (piece){tag + n + 1, bytes - n - 2};
    return is_blank(next) || next == '>' || next == '/';
}

static void note_direction(pk_svg_scan *scan, const char *text, size_t bytes) {
    static const char *const words[] = {"inverted = true", "inverted=true", "data-inverted=\"1\""};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (find(text, bytes, words[i]) < bytes) scan->inverted = true;
}

static void read_stacks(pk_svg_scan *scan, piece tag) {
    piece id;
    if (!attribute(tag, "id", &id) || id.bytes != 6 || memcmp(id.at, "stacks", 6) != 0) return;
    scan->stacks = scan->text + scan->at;
    scan->stacks_bytes = find(scan->stacks, scan->bytes - scan->at, "<");
    scan->stacks_weights = 1;
    (void)whole_attribute(tag, "fg:weights", &scan->stacks_weights);
}

/* One tag; true: it completed a frame. */
static bool take_tag(pk_svg_scan *scan, size_t end) {
    const char *tag = scan->text + scan->at;
    size_t bytes = end - scan->at;
    piece inside;
    scan->at = end;
    if (element(tag, bytes, "title", &inside)) {
        size_t length = find(scan->text + end, scan->bytes - end, "</title");
        read_title(&scan->frame, scan->text + end, length);
        scan->titled = end + length < scan->bytes;
        scan->at = end + length;
    } else if (scan->titled && element(tag, bytes, "rect", &inside)) {
        read_rect(&scan->frame, inside);
        scan->titled = false;
        return true;
    } else if (begins(tag, bytes, "</g") || begins(tag, bytes, "</a")) {
        scan->titled = false;
    } else if (element(tag, bytes, "metadata", &inside)) {
        read_stacks(scan, inside);
    } else if (element(tag, bytes, "svg", &inside) || begins(tag, bytes, "<![CDATA[")) {
        note_direction(scan, tag, bytes);
    }
    return false;
}

void pk_svg_scan_begin(pk_svg_scan *scan, const char *text, size_t bytes) {
    *scan = (pk_svg_scan){.text = text, .bytes = bytes};
    pk_strbuf_init(&scan->frame.name, NAME_BYTES_MAX);
}

bool pk_svg_scan_next(pk_svg_scan *scan) {
    while (scan->at < scan->bytes) {
        size_t left = scan->bytes - scan->at;
        const char *open = memchr(scan->text + scan->at, '<', left);
        if (!open) break;
        scan->at = (size_t)(open - scan->text);
        if (take_tag(scan, tag_end(scan->text, scan->bytes, scan->at))) return true;
    }
    return false;
}

void pk_svg_scan_end(pk_svg_scan *scan) {
    pk_strbuf_fini(&scan->frame.name);
}

#include "profile/tidy.h"

#include <string.h>

#include "base/hex.h"
#include "report/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define TEXT_MAX (1u << 20)

static pk_piece part_of(pk_piece text, size_t begin, size_t end) {
    return (pk_piece){text.at + begin, end - begin};
}

static bool begins_with(pk_piece text, const char *start) {
    size_t n = strlen(start);
    return text.bytes >= n && memcmp(text.at, start, n) == 0;
}

static bool ends_with(pk_piece text, const char *end) {
    size_t n = strlen(end);
    return text.bytes >= n && memcmp(text.at + text.bytes - n, end, n) == 0;
}

static bool has(pk_piece text, const char *part) {
    return text.bytes > 0 && memmem(text.at, text.bytes, part, strlen(part)) != NULL;
}

/* ---- bytes ---- */

/* How many bytes at the start of an ill-formed text could begin a character, at least 1: what a
 * decoder replaces by one U+FFFD. */
static size_t ill_formed(pk_piece text) {
    const unsigned char *b = (const unsigned char *)text.at;
    if (text.bytes < 2 || b[0] < 0xc2 || b[0] > 0xf4) return 1;
    unsigned char low = b[0] == 0xe0 ? 0xa0 : b[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char high = b[0] == 0xed ? 0x9f : b[0] == 0xf4 ? 0x8f : 0xbf;
    if (b[1] < low || b[1] > high) return 1;
    size_t most = b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : 4, n = 2;
    while (n < most && n < text.bytes && (b[n] & 0xc0) == 0x80) n++;
    return n;
}

void pk_tidy_utf8(pk_piece text, pk_strbuf *out) {
    size_t kept = 0, i = 0;
    while (i < text.bytes) {
        unsigned char c = (unsigned char)text.at[i];
        uint32_t code = c;
        size_t n = c < 0x80 ? 1 : pk_utf8_next(text.at + i, text.bytes - i, &code);
        if (code == 0 || code == PK_UTF8_INVALID) {
            if (code != 0) n = ill_formed(part_of(text, i, text.bytes));
            pk_strbuf_add(out, text.at + kept, i - kept);
            pk_strbuf_add_str(out, REPLACEMENT);
            kept = i + n;
        }
        i += n;
    }
    if (i > kept) pk_strbuf_add(out, text.at + kept, i - kept);
}

/* As UTF-8, with `to` in place of `from`. */
static void add_replaced(pk_piece text, char from, char to, pk_strbuf *out) {
    size_t begin = 0;
    for (size_t i = 0; i < text.bytes; i++) {
        if (text.at[i] != from) continue;
        pk_tidy_utf8(part_of(text, begin, i), out);
        pk_strbuf_add_char(out, to);
        begin = i + 1;
    }
    pk_tidy_utf8(part_of(text, begin, text.bytes), out);
}

/* ---- what modules and threads are ---- */

void pk_tidy_comm(pk_piece comm, pk_strbuf *out) {
    add_replaced(comm, ' ', '_', out);
}

bool pk_tidy_is_java(pk_piece comm) {
    return begins_with(comm, "java");
}

static bool is_alnum(char c) {
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

/* An image of the kernel, with or without its version behind. */
static bool is_vmlinux(pk_piece module) {
    size_t i = module.bytes;
    while (i > 0 && (is_alnum(module.at[i - 1]) || strchr("-._", module.at[i - 1]))) i--;
    return has(part_of(module, i, module.bytes), "vmlinux");
}

bool pk_tidy_is_kernel(pk_piece module) {
    if (pk_piece_is(module, "[unknown]")) return false;
    return begins_with(module, "[") || ends_with(module, ".ko") || is_vmlinux(module);
}

bool pk_tidy_is_jit(pk_piece module) {
    return (begins_with(module, "/tmp/perf-") && ends_with(module, ".map")) ||
           (has(module, "/jitted-") && ends_with(module, ".so"));
}

/* ---- Rust names that were demangled as if they were of C++ ---- */

#define RUST_HASH_BYTES 17 /* "h" and 16 digits */

static bool has_rust_hash(pk_piece name) {
    if (name.bytes < RUST_HASH_BYTES) return false;
    const char *hash = name.at + name.bytes - RUST_HASH_BYTES;
    for (size_t i = 1; i < RUST_HASH_BYTES; i++)
        if (pk_hex_digit(hash[i]) < 0) return false;
    return hash[0] == 'h';
}

typedef struct escape {
    const char *mark, *text;
} escape;

/* What rustc's legacy mangling writes for what a name may not hold. */
static const escape escapes[] = {
    {"$SP$", "@"},  {"$BP$", "*"},  {"$RF$", "&"},  {"$LT$", "<"},  {"$GT$", ">"},
    {"$LP$", "("},  {"$RP$", ")"},  {"$C$", ","},   {"$u7e$", "~"}, {"$u20$", " "},
    {"$u27$", "'"}, {"$u3d$", "="}, {"$u5b$", "["}, {"$u5d$", "]"}, {"$u7b$", "{"},
    {"$u7d$", "}"}, {"$u3b$", ";"}, {"$u2b$", "+"}, {"$u21$", "!"}, {"$u22$", "\""},
};

static const escape *escape_at(pk_piece rest) {
    for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++)
        if (begins_with(rest, escapes[i].mark)) return &escapes[i];
    return NULL;
}

/* name has a hash. */
static void add_rust(pk_piece name, pk_strbuf *out) {
    size_t end = name.bytes - RUST_HASH_BYTES;
    if (ends_with(part_of(name, 0, end), "::")) end -= 2;
    size_t i = begins_with(part_of(name, 0, end), "_$") ? 1 : 0;
    while (i < end) {
        pk_piece rest = part_of(name, i, end);
        const escape *known = escape_at(rest);
        if (known) {
            pk_strbuf_add_str(out, known->text);
            i += strlen(known->mark);
        } else if (begins_with(rest, "..")) {
            pk_strbuf_add_str(out, "::");
            i += 2;
        } else if (*rest.at == '$') { /* an unknown escape: the rest stays as it is */
            pk_strbuf_add(out, rest.at, rest.bytes);
            i = end;
        } else {
            pk_strbuf_add_char(out, *rest.at);
            i++;
        }
    }
}

/* ---- one name ---- */

/* The bytes of a name up to its argument list: a '(' outside of other brackets, unless it is a
 * receiver of Go ("net/http.(*Client).Do") or a nameless namespace of C++. */
static size_t bytes_to_arguments(pk_piece name) {
    long depth = 0;
    for (size_t i = 0; i < name.bytes; i++) {
        switch (name.at[i]) {
        case '(':
            if (depth == 0 && (i == 0 || name.at[i - 1] != '.') &&
                !begins_with(part_of(name, i, name.bytes), "(anonymous namespace)"))
                return i;
            depth++;
            break;
        case '<':
        case '{':
        case '[':
            depth++;
            break;
        case '>':
        case '}':
        case ']':
        case ')':
            depth--;
            break;
        default:
            break;
        }
    }
    return name.bytes;
}

/* What stands for a function without a name. */
static pk_piece unknown_name(const pk_symbolise_options *options, const pk_tidy_symbol *symbol,
                             pk_strbuf *scratch) {
    pk_piece module = symbol->module;
    bool nowhere = pk_piece_is(module, "[unknown]");
    if (nowhere && !options->addresses) return symbol->name;
    size_t begin = module.bytes;
    while (begin > 0 && module.at[begin - 1] != '/') begin--;
    pk_strbuf_clear(scratch);
    pk_strbuf_add_char(scratch, '[');
    if (nowhere) pk_strbuf_add_str(scratch, "unknown");
    else pk_strbuf_add(scratch, module.at + begin, module.bytes - begin);
    if (options->addresses) {
        pk_strbuf_add_str(scratch, " <");
        pk_strbuf_add(scratch, symbol->address.at, symbol->address.bytes);
        pk_strbuf_add_char(scratch, '>');
    }
    pk_strbuf_add_char(scratch, ']');
    return (pk_piece){scratch->data, scratch->length};
}

static void annotate(const pk_symbolise_options *options, const pk_tidy_symbol *symbol,
                     bool inlined, size_t begin, pk_strbuf *names) {
    pk_piece name = {names->data + begin, names->length - begin};
    if (inlined) {
        if (!has(name, "_[i]")) pk_strbuf_add_str(names, "_[i]");
    } else if (options->annotate_kernel && pk_tidy_is_kernel(symbol->module)) {
        pk_strbuf_add_str(names, "_[k]");
    } else if (options->annotate_jit && pk_tidy_is_jit(symbol->module) && !has(name, "_[j]")) {
        pk_strbuf_add_str(names, "_[j]");
    }
}

static void add_name(const pk_symbolise_options *options, const pk_tidy_symbol *symbol,
                     pk_piece name, bool inlined, pk_strbuf *scratch, pk_strbuf *names) {
    size_t begin = names->length;
    if (pk_piece_is(name, "[unknown]")) name = unknown_name(options, symbol, scratch);
    if (options->raw) {
        pk_tidy_utf8(name, names);
    } else {
        name.bytes = bytes_to_arguments(name);
        if (symbol->java && begins_with(name, "L") && has(name, "/"))
            name = part_of(name, 1, name.bytes);
        add_replaced(name, ';', ':', names);
    }
    annotate(options, symbol, inlined, begin, names);
    pk_strbuf_add_char(names, '\0');
}

/* The next "->" that parts an inlined Java method from its caller, from `i` on; name.bytes: none.
 * Not those of C++'s "operator->", of Rust's "fn() -> T" and of expressions in brackets. */
static size_t next_arrow(pk_piece name, size_t i) {
    long depth = 0;
    for (; i + 1 < name.bytes; i++) {
        if (name.at[i] == '(') depth++;
        if (name.at[i] == ')') depth--;
        if (name.at[i] != '-' || name.at[i + 1] != '>' || depth > 0) continue;
        if (i > 0 && name.at[i - 1] == ' ') continue;
        if (!ends_with(part_of(name, 0, i), "operator")) return i;
    }
    return name.bytes;
}

static size_t add_parts(const pk_symbolise_options *options, const pk_tidy_symbol *symbol,
                        pk_piece name, pk_strbuf *scratch, pk_strbuf *names) {
    size_t n = 0, begin = 0;
    for (;; n++) {
        size_t end = options->raw ? name.bytes : next_arrow(name, begin);
        add_name(options, symbol, part_of(name, begin, end), n > 0, scratch, names);
        if (end == name.bytes) return n + 1;
        begin = end + 2;
    }
}

static bool is_listed(const pk_text_list *list, pk_piece name) {
    for (size_t i = 0; i < list->count; i++)
        if (pk_piece_is(name, list->items[i])) return true;
    return false;
}

size_t pk_tidy(const pk_symbolise_options *options, const pk_tidy_symbol *symbol, pk_strbuf *names,
               bool *skip) {
    *skip = false;
    pk_piece name = symbol->name;
    if (begins_with(name, "(") && !begins_with(name, "(anonymous namespace)")) return 0;
    pk_strbuf repaired, scratch;
    pk_strbuf_init(&repaired, TEXT_MAX);
    pk_strbuf_init(&scratch, TEXT_MAX);
    if (!options->raw && has_rust_hash(name)) {
        add_rust(name, &repaired);
        name = (pk_piece){repaired.data, repaired.length};
    }
    size_t n = add_parts(options, symbol, name, &scratch, names);
    *skip = is_listed(&options->skip_after, name);
    pk_strbuf_fini(&repaired);
    pk_strbuf_fini(&scratch);
    return n;
}

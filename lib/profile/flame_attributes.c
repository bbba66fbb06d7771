#include "profile/flame_attributes.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/lines.h"
#include "profile/names.h"

#define TEXT_BYTES_MAX ((size_t)256 << 20)
#define FUNCTIONS_MAX (1u << 20)

struct pk_flame_attributes {
    pk_names *names;
    pk_array wishes; /* pk_flame_wish *, by the name's number */
    pk_arena *arena;
};

typedef struct reader {
    pk_flame_attributes *all;
    pk_flame_wish *wish; /* of this line */
    uint64_t *ignored;
    bool failed; /* out of memory */
} reader;

typedef struct span {
    const char *at, *end;
} span;

static bool is(span s, const char *word) {
    size_t n = strlen(word);
    return (size_t)(s.end - s.at) == n && memcmp(s.at, word, n) == 0;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static span trimmed(span s) {
    while (s.at < s.end && is_blank(*s.at)) s.at++;
    while (s.at < s.end && is_blank(s.end[-1])) s.end--;
    return s;
}

/* What stands before the next `c`, or all; *rest begins behind it. False: there is nothing left. */
static bool cut(span *rest, char c, span *part) {
    if (!rest->at) return false;
    const char *found = memchr(rest->at, c, (size_t)(rest->end - rest->at));
    *part = (span){rest->at, found ? found : rest->end};
    rest->at = found ? found + 1 : NULL;
    return true;
}

/* XML 1.0, production 4 (NameStartChar) and 4a, as far as ASCII goes; of the prefixes those that
 * the picture declares. */
static bool is_name(span s) {
    static const char *const prefixes[] = {"xlink:", "fg:"};
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        size_t n = strlen(prefixes[i]);
        if ((size_t)(s.end - s.at) > n && memcmp(s.at, prefixes[i], n) == 0) {
            s.at += n;
            break;
        }
    }
    for (const char *c = s.at; c < s.end; c++) {
        bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_';
        bool later = (*c >= '0' && *c <= '9') || *c == '-' || *c == '.';
        if (!letter && !(later && c > s.at)) return false;
    }
    return s.at < s.end;
}

static const char *copy(reader *r, span s) {
    const char *text = pk_arena_strndup(r->all->arena, s.at, (size_t)(s.end - s.at));
    if (!text) r->failed = true;
    return text ? text : "";
}

/* The same name again replaces the value and keeps the place. */
static void set(reader *r, span name, span value) {
    if (!is_name(name)) {
        ++*r->ignored;
        return;
    }
    pk_flame_wish *wish = r->wish;
    unsigned i = 0;
    while (i < wish->n_attributes && !is(name, wish->attributes[i].name)) i++;
    if (i == PK_FLAME_ATTRIBUTES_MAX) {
        ++*r->ignored;
        return;
    }
    if (i == wish->n_attributes) {
        wish->attributes[i].name = copy(r, name);
        wish->n_attributes++;
    }
    wish->attributes[i].value = copy(r, value);
}

/* name="value" name=value ... */
static void set_extra(reader *r, span text) {
    while (text = trimmed(text), text.at < text.end) {
        span name = {text.at, text.at}, value;
        while (name.end < text.end && *name.end != '=' && !is_blank(*name.end)) name.end++;
        if (name.end == text.end || *name.end != '=') {
            ++*r->ignored;
            text.at = name.end;
            continue;
        }
        value.at = name.end + 1;
        bool quoted = value.at < text.end && *value.at == '"';
        if (quoted) value.at++;
        value.end = value.at;
        while (value.end < text.end && (quoted ? *value.end != '"' : !is_blank(*value.end)))
            value.end++;
        text.at = value.end + (quoted && value.end < text.end);
        set(r, name, value);
    }
}

static void take(reader *r, span key, span value) {
    static const char href[] = "xlink:href";
    if (value.end - value.at >= 2 && value.at[0] == '"' && value.end[-1] == '"')
        value = (span){value.at + 1, value.end - 1};
    if (is(key, "title")) r->wish->title = copy(r, value);
    else if (is(key, "href")) {
        set(r, (span){href, href + sizeof href - 1}, value);
        r->wish->is_link = true;
    } else if (is(key, "id") || is(key, "class") || is(key, "target")) set(r, key, value);
    else if (is(key, "g_extra") || is(key, "a_extra")) set_extra(r, value);
    else ++*r->ignored;
}

static void add_target(reader *r) {
    static const char name[] = "target", value[] = "_top";
    if (!r->wish->is_link) return;
    for (unsigned i = 0; i < r->wish->n_attributes; i++)
        if (strcmp(r->wish->attributes[i].name, name) == 0) return;
    set(r, (span){name, name + sizeof name - 1}, (span){value, value + sizeof value - 1});
}

/* The wish of a function, empty. NULL: out of memory. */
static pk_flame_wish *begin_wish(pk_flame_attributes *all, span function) {
    uint32_t number =
        pk_names_intern(all->names, function.at, (size_t)(function.end - function.at));
    if (number == PK_NAME_NONE) return NULL;
    if (number == all->wishes.count && !pk_array_push(&all->wishes)) return NULL;
    pk_flame_wish *wish = PK_NEW(all->arena, 1, pk_flame_wish);
    return PK_AT(&all->wishes, pk_flame_wish *, number) = wish;
}

static bool read_line(reader *r, const pk_line *line) {
    span rest = {line->at, line->at + line->bytes}, function, pair;
    if (line->bytes && rest.end[-1] == '\r') rest.end--;
    if (!cut(&rest, '\t', &function) || function.at == function.end || !rest.at) {
        if (trimmed((span){line->at, line->at + line->bytes}).at != line->at + line->bytes &&
            line->at[0] != '#')
            ++*r->ignored;
        return true;
    }
    r->wish = begin_wish(r->all, function);
    if (!r->wish) return false;
    while (cut(&rest, '\t', &pair)) {
        span key;
        if (cut(&pair, '=', &key) && pair.at) take(r, key, pair);
        else ++*r->ignored;
    }
    add_target(r);
    return !r->failed;
}

pk_flame_attributes *pk_flame_attributes_read(const char *text, size_t bytes, uint64_t *ignored,
                                              pk_err *err) {
    pk_flame_attributes *all = calloc(1, sizeof *all);
    if (all) {
        all->wishes = PK_ARRAY(pk_flame_wish *, FUNCTIONS_MAX);
        all->names = pk_names_new(TEXT_BYTES_MAX);
        all->arena = pk_arena_new(TEXT_BYTES_MAX);
    }
    bool ok = all && all->names && all->arena;
    reader r = {.all = all, .ignored = ignored};
    pk_line line;
    for (size_t offset = 0; ok && pk_line_next(text, bytes, &offset, &line);)
        ok = read_line(&r, &line);
    if (ok) return all;
    pk_flame_attributes_free(all);
    pk_fail(err, PK_E_LIMIT, NULL, "not enough memory for the attributes of frames");
    return NULL;
}

void pk_flame_attributes_free(pk_flame_attributes *all) {
    if (!all) return;
    pk_names_free(all->names);
    pk_array_fini(&all->wishes);
    pk_arena_free(all->arena);
    free(all);
}

const pk_flame_wish *pk_flame_attributes_find(const pk_flame_attributes *all, const char *name,
                                              size_t bytes) {
    uint32_t number = pk_names_find(all->names, name, bytes);
    return number == PK_NAME_NONE ? NULL : PK_AT(&all->wishes, pk_flame_wish *, number);
}

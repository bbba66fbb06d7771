#include "profile/kallsyms.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/hex.h"
#include "base/lines.h"
#include "profile/intervals.h"

#define SYMBOLS_MAX (1u << 24)
#define TEXTS_MAX (1u << 30)
#define PAGE 4096u

/* A symbol and what decides between those of one address. */
typedef struct entry {
    pk_kernel_symbol symbol;
    size_t order; /* of its line */
    bool global;
} entry;

struct pk_kallsyms {
    pk_arena *texts;
    char *names;            /* where the next name goes */
    pk_array entries;       /* of entry, in the order of addresses */
    pk_interval *intervals; /* one for each entry, in the same order */
    uint64_t text;          /* of _text */
    bool has_text;
    bool moved;
    uint64_t moved_by;  /* modulo 2^64 */
    const char *module; /* of the line before: modules come in one piece */
};

/* The end of the word that begins text[0..bytes). */
static size_t word(const char *text, size_t bytes) {
    size_t n = 0;
    while (n < bytes && text[n] != ' ' && text[n] != '\t' && text[n] != '\r') n++;
    return n;
}

/* The module in what follows the name; *module is NULL without one. False: out of memory. */
static bool take_module(pk_kallsyms *k, const char *rest, size_t bytes, const char **module) {
    const char *open = bytes > 0 ? memchr(rest, '[', bytes) : NULL;
    const char *close = open ? memchr(open, ']', bytes - (size_t)(open - rest)) : NULL;
    *module = NULL;
    if (!close || close == open + 1) return true;
    size_t n = (size_t)(close - open) - 1;
    if (!k->module || strlen(k->module) != n || memcmp(k->module, open + 1, n) != 0) {
        k->module = pk_arena_strndup(k->texts, open + 1, n);
        if (!k->module) return false;
    }
    *module = k->module;
    return true;
}

/* False: out of memory. */
static bool add_line(pk_kallsyms *k, const char *line, size_t bytes) {
    uint64_t address;
    size_t at = pk_hex(line, bytes, &address);
    if (at == 0 || bytes - at < 4 || line[at] != ' ' || line[at + 2] != ' ') return true;
    char type = line[at + 1];
    if (!strchr("tTwW", type) || type == '\0') return true;
    const char *name = line + at + 3;
    size_t left = bytes - at - 3, name_bytes = word(name, left);
    if (name_bytes == 0 || memchr(name, '\0', left)) return true;
    entry item = {.order = k->entries.count, .global = type == 'T' || type == 'W'};
    item.symbol.begin = address;
    if (!take_module(k, name + name_bytes, left - name_bytes, &item.symbol.module)) return false;
    item.symbol.name = memcpy(k->names, name, name_bytes);
    k->names += name_bytes + 1; /* all of it is 0 */
    entry *place = pk_array_push(&k->entries);
    if (!place) return false;
    *place = item;
    if (!item.symbol.module && strcmp(item.symbol.name, "_text") == 0 && address != 0) {
        k->text = address;
        k->has_text = true;
    }
    return true;
}

static int by_address_then_taste(const void *a, const void *b) {
    const entry *x = a, *y = b;
    if (x->symbol.begin != y->symbol.begin) return x->symbol.begin < y->symbol.begin ? -1 : 1;
    size_t x_marks = strspn(x->symbol.name, "_"), y_marks = strspn(y->symbol.name, "_");
    if (x_marks != y_marks) return x_marks < y_marks ? -1 : 1;
    if (x->global != y->global) return x->global ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

static bool same_module(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool settle(pk_kallsyms *k) {
    entry *items = k->entries.items;
    /* Only modules are out of order, and not all machines have some. */
    size_t ordered = 1;
    while (ordered < k->entries.count &&
           items[ordered - 1].symbol.begin <= items[ordered].symbol.begin)
        ordered++;
    if (ordered < k->entries.count)
        qsort(items, k->entries.count, sizeof *items, by_address_then_taste);
    size_t n = 0;
    for (size_t i = 0; i < k->entries.count; i++) {
        if (items[i].symbol.begin == 0) continue; /* hidden, or no address at all */
        if (n == 0 || items[n - 1].symbol.begin != items[i].symbol.begin) items[n++] = items[i];
        else if (by_address_then_taste(&items[i], &items[n - 1]) < 0) items[n - 1] = items[i];
    }
    k->entries.count = n;
    k->intervals = calloc(n + 1, sizeof *k->intervals);
    if (!k->intervals) return false;
    for (size_t i = 0; i < n; i++) {
        pk_kernel_symbol *s = &items[i].symbol;
        const pk_kernel_symbol *next = i + 1 < n ? &items[i + 1].symbol : NULL;
        uint64_t page = s->begin - s->begin % PAGE;
        s->end = page > UINT64_MAX - 2 * PAGE ? UINT64_MAX : page + 2 * PAGE;
        if (next && (same_module(s->module, next->module) || next->begin < s->end))
            s->end = next->begin;
        k->intervals[i] = (pk_interval){.begin = s->begin, .end = s->end, .value = (uint32_t)i};
    }
    pk_intervals_nest(k->intervals, n);
    return true;
}

pk_kallsyms *pk_kallsyms_parse(const char *text, size_t bytes, pk_err *err) {
    pk_kallsyms *k = calloc(1, sizeof *k);
    if (k) k->entries = PK_ARRAY(entry, SYMBOLS_MAX);
    if (k) k->texts = pk_arena_new(TEXTS_MAX);
    /* As much as they could take; what they leave is never touched. */
    if (k && k->texts) k->names = PK_NEW(k->texts, bytes + 1, char);
    bool ok = k && k->names;
    pk_line line;
    for (size_t offset = 0; ok && pk_line_next(text, bytes, &offset, &line);)
        ok = add_line(k, line.at, line.bytes);
    if (ok && settle(k)) return k;
    pk_kallsyms_free(k);
    pk_fail(err, PK_E_LIMIT, "/proc/kallsyms", "not enough memory for the kernel's symbols");
    return NULL;
}

void pk_kallsyms_free(pk_kallsyms *kallsyms) {
    if (!kallsyms) return;
    pk_array_fini(&kallsyms->entries);
    pk_arena_free(kallsyms->texts);
    free(kallsyms->intervals);
    free(kallsyms);
}

bool pk_kallsyms_restricted(const pk_kallsyms *kallsyms) {
    return kallsyms->entries.count == 0;
}

size_t pk_kallsyms_count(const pk_kallsyms *kallsyms) {
    return kallsyms->entries.count;
}

bool pk_kallsyms_relocate(pk_kallsyms *kallsyms, uint64_t recorded) {
    uint64_t difference = recorded - kallsyms->text;
    if (!kallsyms->has_text || difference % PAGE != 0) return false;
    kallsyms->moved_by = difference;
    kallsyms->moved = difference != 0;
    return true;
}

const pk_kernel_symbol *pk_kallsyms_find(const pk_kallsyms *kallsyms, uint64_t address) {
    uint64_t sought = address - kallsyms->moved_by;
    uint32_t i = pk_intervals_find(kallsyms->intervals, kallsyms->entries.count, sought);
    if (i == PK_INTERVAL_NONE) return NULL;
    const pk_kernel_symbol *found = &PK_AT(&kallsyms->entries, entry, i).symbol;
    return kallsyms->moved && found->module ? NULL : found;
}

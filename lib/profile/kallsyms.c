#include "profile/kallsyms.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hex.h"
#include "base/lines.h"
#include "base/strbuf.h"

#define SYMBOLS_MAX (1u << 24)
#define MODULES_MAX (1u << 16)
#define TEXTS_MAX (1u << 30)
#define PAGE 4096u

/* There are more than a hundred thousand: as small as can be. */
typedef struct entry {
    uint64_t begin;
    uint32_t name;        /* where it begins in names; rises from line to line */
    uint32_t module : 31; /* its number + 1; 0: the kernel itself */
    uint32_t global : 1;
} entry;

struct pk_kallsyms {
    pk_strbuf names;  /* with '\0' behind each: of symbols and modules */
    pk_array modules; /* uint32_t: where its name begins */
    pk_array entries; /* entry, in the order of addresses once settled */
    uint64_t text;    /* of _text */
    bool has_text;
    bool moved;
    uint64_t moved_by; /* modulo 2^64 */
};

/* The end of the word that begins text[0..bytes). */
static size_t word(const char *text, size_t bytes) {
    size_t n = 0;
    while (n < bytes && text[n] != ' ' && text[n] != '\t' && text[n] != '\r') n++;
    return n;
}

static const char *text_at(const pk_kallsyms *k, uint32_t place) {
    return k->names.data + place;
}

static uint32_t add_text(pk_kallsyms *k, const char *text, size_t bytes) {
    uint32_t place = (uint32_t)k->names.length;
    pk_strbuf_add(&k->names, text, bytes);
    pk_strbuf_add_char(&k->names, '\0');
    return place;
}

/* The number + 1 of the module in what follows the name, 0 without one. Modules come in one piece,
 * so that it is the last one or a new one. False: out of memory. */
static bool take_module(pk_kallsyms *k, const char *rest, size_t bytes, uint32_t *module) {
    const char *open = bytes > 0 ? memchr(rest, '[', bytes) : NULL;
    const char *close = open ? memchr(open, ']', bytes - (size_t)(open - rest)) : NULL;
    *module = 0;
    if (!close || close == open + 1) return true;
    size_t n = (size_t)(close - open) - 1;
    uint32_t *last = k->modules.items;
    if (last) last += k->modules.count - 1;
    const char *known = last ? text_at(k, *last) : "";
    if (strlen(known) != n || memcmp(known, open + 1, n) != 0) {
        last = pk_array_push(&k->modules);
        if (!last) return false;
        *last = add_text(k, open + 1, n);
    }
    *module = (uint32_t)k->modules.count;
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
    uint32_t module;
    if (!take_module(k, name + name_bytes, left - name_bytes, &module)) return false;
    entry *item = pk_array_push(&k->entries);
    if (!item) return false;
    *item = (entry){.begin = address,
                    .name = add_text(k, name, name_bytes),
                    .module = module & INT32_MAX,
                    .global = type == 'T' || type == 'W'};
    if (!module && name_bytes == 5 && memcmp(name, "_text", 5) == 0 && address != 0) {
        k->text = address;
        k->has_text = true;
    }
    return pk_strbuf_ok(&k->names);
}

/* Before whatever stands at a higher address: what gives the address its name. */
static int by_address_then_taste(const entry *x, const entry *y, const char *names) {
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    size_t x_marks = strspn(names + x->name, "_"), y_marks = strspn(names + y->name, "_");
    if (x_marks != y_marks) return x_marks < y_marks ? -1 : 1;
    if (x->global != y->global) return x->global ? -1 : 1;
    return (x->name > y->name) - (x->name < y->name);
}

static int for_qsort(const void *a, const void *b, void *names) {
    return by_address_then_taste(a, b, names);
}

/* One entry for each address, in their order. */
static void settle(pk_kallsyms *k) {
    entry *items = k->entries.items;
    /* Only modules are out of order, and not all machines have some. */
    size_t ordered = 1;
    while (ordered < k->entries.count && items[ordered - 1].begin <= items[ordered].begin)
        ordered++;
    if (ordered < k->entries.count)
        qsort_r(items, k->entries.count, sizeof *items, for_qsort, k->names.data);
    size_t n = 0;
    for (size_t i = 0; i < k->entries.count; i++) {
        if (items[i].begin == 0) continue; /* hidden, or no address at all */
        if (n == 0 || items[n - 1].begin != items[i].begin) items[n++] = items[i];
        else if (by_address_then_taste(&items[i], &items[n - 1], k->names.data) < 0)
            items[n - 1] = items[i];
    }
    k->entries.count = n;
}

/* ---- public ---- */

pk_kallsyms *pk_kallsyms_new(void) {
    pk_kallsyms *k = calloc(1, sizeof *k);
    if (!k) return NULL;
    k->entries = PK_ARRAY(entry, SYMBOLS_MAX);
    k->modules = PK_ARRAY(uint32_t, MODULES_MAX);
    pk_strbuf_init(&k->names, TEXTS_MAX);
    return k;
}

bool pk_kallsyms_add(pk_kallsyms *kallsyms, const char *text, size_t bytes) {
    pk_line line;
    bool ok = true;
    for (size_t offset = 0; ok && pk_line_next(text, bytes, &offset, &line);)
        ok = add_line(kallsyms, line.at, line.bytes);
    return ok;
}

void pk_kallsyms_finish(pk_kallsyms *kallsyms) {
    settle(kallsyms);
}

pk_kallsyms *pk_kallsyms_parse(const char *text, size_t bytes, pk_err *err) {
    pk_kallsyms *k = pk_kallsyms_new();
    if (k && pk_kallsyms_add(k, text, bytes)) {
        pk_kallsyms_finish(k);
        return k;
    }
    pk_kallsyms_free(k);
    pk_fail(err, PK_E_LIMIT, "/proc/kallsyms", "not enough memory for the kernel's symbols");
    return NULL;
}

void pk_kallsyms_free(pk_kallsyms *kallsyms) {
    if (!kallsyms) return;
    pk_strbuf_fini(&kallsyms->names);
    pk_array_fini(&kallsyms->modules);
    pk_array_fini(&kallsyms->entries);
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

static uint64_t end_of(const entry *items, size_t n, size_t i) {
    uint64_t page = items[i].begin - items[i].begin % PAGE;
    uint64_t end = page > UINT64_MAX - 2 * PAGE ? UINT64_MAX : page + 2 * PAGE;
    if (i + 1 == n) return end;
    uint64_t next = items[i + 1].begin;
    return items[i].module == items[i + 1].module || next < end ? next : end;
}

bool pk_kallsyms_find(const pk_kallsyms *kallsyms, uint64_t address, pk_kernel_symbol *found) {
    const entry *items = kallsyms->entries.items;
    uint64_t sought = address - kallsyms->moved_by;
    size_t low = 0, high = kallsyms->entries.count; /* all before low begin at or below it */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (items[middle].begin <= sought) low = middle + 1;
        else high = middle;
    }
    if (low == 0) return false;
    const entry *e = &items[low - 1];
    uint64_t end = end_of(items, kallsyms->entries.count, low - 1);
    if (sought >= end || (kallsyms->moved && e->module)) return false;
    const char *module =
        e->module ? text_at(kallsyms, PK_AT(&kallsyms->modules, uint32_t, e->module - 1)) : NULL;
    *found = (pk_kernel_symbol){e->begin, end, text_at(kallsyms, e->name), module};
    return true;
}

/* dtrace's layout of an aggregation (libdtrace's dt_print_ustack, dt_print_quantize). */
#include <stdlib.h>
#include <string.h>

#include "alloc/render_parts.h"

#define FRAMES_DEFAULT 20 /* ustackframes */
#define INDENT_DEFAULT 14 /* stackindent */
#define BAR_CELLS 40
#define OCTAVES 65

typedef struct entry { /* one stack of the aggregation */
    size_t begin;      /* of its text in `texts` */
    const char *text;
    uint64_t value;
} entry;

/* A line break in a name would end the frame. */
static void add_name(pk_strbuf *out, const char *name) {
    for (; *name; name++) pk_strbuf_add_char(out, *name == '\n' || *name == '\r' ? ' ' : *name);
}

static void add_frame(pk_strbuf *out, const pk_alloc_place *place, unsigned indent) {
    pk_strbuf_addf(out, "%*s", (int)indent, "");
    if (!place->object) {
        pk_strbuf_addf(out, "0x%llx\n", (unsigned long long)place->address);
        return;
    }
    add_name(out, place->object);
    pk_strbuf_add_char(out, '`');
    if (place->symbol) {
        add_name(out, place->symbol);
        if (place->offset) pk_strbuf_addf(out, "+0x%llx", (unsigned long long)place->offset);
    } else {
        uint64_t at = place->vaddr ? place->vaddr : place->address;
        pk_strbuf_addf(out, "0x%llx", (unsigned long long)at);
    }
    pk_strbuf_add_char(out, '\n');
}

static int by_text(const void *a, const void *b) {
    return strcmp(((const entry *)a)->text, ((const entry *)b)->text);
}

static int by_value(const void *a, const void *b) {
    const entry *x = a, *y = b;
    return x->value != y->value ? (x->value > y->value ? 1 : -1) : strcmp(x->text, y->text);
}

/* Stacks of one text become one entry; returns how many there are. */
static size_t merge(entry *entries, size_t n) {
    size_t kept = 0;
    qsort(entries, n, sizeof *entries, by_text);
    for (size_t i = 0; i < n; i++) {
        if (kept > 0 && strcmp(entries[kept - 1].text, entries[i].text) == 0)
            entries[kept - 1].value += entries[i].value;
        else entries[kept++] = entries[i];
    }
    return kept;
}

static void gather(const pk_alloc_result *result, const pk_alloc_dtrace_style *style,
                   entry *entries, pk_strbuf *texts) {
    unsigned limit = style->frames ? style->frames : FRAMES_DEFAULT;
    unsigned indent = style->indent ? style->indent : INDENT_DEFAULT;
    for (size_t i = 0; i < result->stacks.count; i++) {
        const pk_alloc_stack *s = &PK_AT(&result->stacks, pk_alloc_stack, i);
        uint64_t value = style->aggregation == PK_ALLOC_SUM ? s->bytes : s->calls;
        entries[i] = (entry){.begin = texts->length, .value = value};
        for (uint32_t k = 0; k <= s->n_frames && k < limit; k++)
            add_frame(texts, pk_alloc_place_of(result, s, k), indent);
        pk_strbuf_add_char(texts, '\0');
    }
    for (size_t i = 0; i < result->stacks.count; i++)
        entries[i].text = texts->data + entries[i].begin;
}

static bool stacks(const pk_alloc_result *result, const pk_alloc_dtrace_style *style,
                   pk_strbuf *out) {
    size_t n = result->stacks.count;
    pk_strbuf texts;
    pk_strbuf_init(&texts, out->max_bytes);
    entry *entries = calloc(n ? n : 1, sizeof *entries);
    if (entries) gather(result, style, entries, &texts);
    bool ok = entries && pk_strbuf_ok(&texts);
    if (ok && n > 0) {
        n = merge(entries, n);
        if (!style->by_key) qsort(entries, n, sizeof *entries, by_value);
    }
    for (size_t i = 0; ok && i < n; i++) {
        const entry *e = &entries[style->reversed ? n - 1 - i : i];
        pk_strbuf_add_char(out, '\n');
        pk_strbuf_add_str(out, e->text);
        pk_strbuf_addf(out, " %16llu\n", (unsigned long long)e->value);
    }
    free(entries);
    pk_strbuf_fini(&texts);
    return ok;
}

/* Rows of powers of two: row 0 is for 0, row i for 2^(i-1) and what follows up to the next. */
static unsigned octave_of(uint32_t class) {
    uint64_t least = pk_image_size_least(class);
    return least == 0 ? 0 : 64u - (unsigned)__builtin_clzll(least);
}

static void quantize(const pk_alloc_result *result, pk_strbuf *out) {
    uint64_t counts[OCTAVES + 1] = {0}, all = 0;
    unsigned first = OCTAVES, last = 0;
    for (uint32_t i = 0; i < PK_IMAGE_SIZE_CLASSES; i++) {
        if (result->sizes[i] == 0) continue;
        unsigned row = octave_of(i);
        counts[row] += result->sizes[i];
        all += result->sizes[i];
        if (row < first) first = row;
        if (row > last) last = row;
    }
    if (all == 0) return;
    pk_strbuf_addf(out, "\n%16s %41s %-9s\n", "value", "------------- Distribution -------------",
                   "count");
    first = first > 0 ? first - 1 : 0; /* one empty row on either side, as dtrace has it */
    for (unsigned row = first; row <= last + 1 && row < OCTAVES; row++) {
        int cells = (int)((double)counts[row] * BAR_CELLS / (double)all + 0.5);
        unsigned long long value = row == 0 ? 0 : 1ull << (row - 1);
        pk_strbuf_addf(out, "%16llu |", value);
        for (int i = 0; i < BAR_CELLS; i++) pk_strbuf_add_char(out, i < cells ? '@' : ' ');
        pk_strbuf_addf(out, " %-9llu\n", (unsigned long long)counts[row]);
    }
}

bool pk_alloc_dtrace(const pk_alloc_result *result, const pk_alloc_dtrace_style *style,
                     pk_strbuf *out, pk_err *err) {
    bool ok = true;
    if (style->aggregation == PK_ALLOC_QUANTIZE) quantize(result, out);
    else ok = stacks(result, style, out);
    return ok && pk_strbuf_ok(out) ? true : pk_alloc_no_memory(err);
}

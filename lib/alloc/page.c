/* A result as one page: what it took in all, where, when, and in which sizes. */
#include <math.h>
#include <string.h>

#include "alloc/render_parts.h"
#include "base/units.h"
#include "report/escape.h"
#include "report/page.h"

#define ROWS_MAX 20    /* functions per weight */
#define STACKS_MAX 10  /* per weight */
#define POINTS_MAX 500 /* of a line over time */
#define ARENA_BYTES ((size_t)64 << 20)
#define SVG_BYTES_MAX ((size_t)16 << 20)
#define FLAME_FRAMES 2000u
#define FLAME_WIDTH_PX 1200u
#define FLAME_PAD_PX 30u /* above and below the frames: title and details, at least */

typedef struct writer {
    const pk_alloc_result *result;
    pk_page page;
    pk_arena *arena;
} writer;

static const char *const headings[PK_WEIGHTS] = {"Calls", "Bytes", "Live at the peak", "Leaked",
                                                 "Temporary"};

/* ---- summary ---- */

static const char *exit_text(writer *w) {
    const pk_alloc_result *r = w->result;
    if (!r->command_ran) return "still running";
    if (r->exit.signal != 0) return pk_arena_printf(w->arena, "ended by signal %d", r->exit.signal);
    return pk_arena_printf(w->arena, "status %d", r->exit.code);
}

static void pair(writer *w, const char *name, const char *value) {
    pk_page_cell(&w->page, PK_TINT_NONE, "%s", name);
    pk_page_cell(&w->page, PK_TINT_NONE, "%s", value ? value : "-");
}

static void add_totals(writer *w) {
    static const pk_column columns[] = {{"", false}, {"", false}};
    pk_alloc_total totals[PK_ALLOC_TOTALS_MAX];
    char when[PK_PAGE_TIME_MAX];
    size_t n = pk_alloc_totals(w->result, totals);
    pk_page_table_begin(&w->page, NULL, 2, columns);
    for (size_t i = 0; i < n; i++) pair(w, totals[i].name, totals[i].value);
    pk_page_table_end(&w->page);
    pk_page_table_begin(&w->page, NULL, 2, columns);
    pair(w, "command", w->result->command ? w->result->command : "attached to it");
    pair(w, "end", exit_text(w));
    pair(w, "counted by", w->result->backend);
    pair(w, "when", pk_page_time(when, w->result->started_unix_ns));
    pk_page_table_end(&w->page);
}

static void state_leak(writer *w) {
    char bytes[PK_QUANTITY_MAX], calls[PK_QUANTITY_MAX];
    const pk_alloc_process *p = &w->result->total;
    if (!w->result->live_known) return;
    if (p->leaked_calls == 0) {
        pk_page_statement(&w->page, PK_TINT_GOOD, "=", "Everything that was allocated was freed.");
        return;
    }
    const char *text = pk_arena_printf(
        w->arena, "%s in %s block%s were never freed.",
        pk_format_bytes(bytes, sizeof bytes, (double)p->leaked_bytes),
        pk_alloc_grouped(calls, sizeof calls, p->leaked_calls), p->leaked_calls == 1 ? "" : "s");
    if (text) pk_page_statement(&w->page, PK_TINT_WARN, "!", text);
}

static void add_summary(writer *w) {
    pk_page_section(&w->page, "Summary");
    state_leak(w);
    add_totals(w);
    for (size_t i = 0; i < w->result->notes.count; i++) {
        const pk_alloc_note *n = &PK_AT(&w->result->notes, pk_alloc_note, i);
        pk_page_text(&w->page, PK_TINT_WARN, "%s%s%s", n->text, n->fix ? "; " : "",
                     n->fix ? n->fix : "");
    }
}

/* ---- over time ---- */

typedef struct series {
    size_t n;
    double *time_ns, *live, *rss, *rate;
} series;

/* Every step'th moment; rates are of what lies between two. */
static bool series_of(writer *w, series *s) {
    const pk_array *moments = &w->result->moments;
    size_t step = moments->count / POINTS_MAX + 1, room = moments->count / step + 2;
    *s = (series){.time_ns = PK_NEW(w->arena, room, double),
                  .live = PK_NEW(w->arena, room, double),
                  .rss = PK_NEW(w->arena, room, double),
                  .rate = PK_NEW(w->arena, room, double)};
    if (!s->time_ns || !s->live || !s->rss || !s->rate) return false;
    const pk_alloc_moment begin = {0}, *before = &begin;
    for (size_t i = step - 1; i < moments->count; i += step) {
        const pk_alloc_moment *m = &PK_AT(moments, pk_alloc_moment, i);
        double passed = (double)m->time_ns - (double)before->time_ns;
        double calls = (double)m->calls - (double)before->calls;
        s->time_ns[s->n] = (double)m->time_ns;
        s->live[s->n] = (double)m->live_bytes;
        s->rss[s->n] = m->rss_bytes > 0 ? (double)m->rss_bytes : NAN;
        s->rate[s->n++] = passed > 0 ? calls * (double)PK_NS_PER_S / passed : NAN;
        before = m;
    }
    return true;
}

/* One line from zero, with the area below it. */
static void add_line(writer *w, const series *s, const double *y, const char *title,
                     const char *description, pk_axis axis) {
    const pk_mark mark = {.kind = PK_MARK_AREA,
                          .tone = PK_TONE_NEW,
                          .n = s->n,
                          .x = s->time_ns,
                          .y = y,
                          .tabled = true};
    axis.from_zero = true;
    pk_chart chart = {.title = title,
                      .description = description,
                      .x = {.label = "time", .quantity = PK_Q_TIME, .from_zero = true},
                      .y = axis,
                      .marks = &mark,
                      .n_marks = 1};
    pk_page_figure(&w->page, &chart, description);
}

static void add_lines(writer *w, const series *s) {
    const pk_axis bytes = {.label = "bytes", .quantity = PK_Q_BYTES};
    const pk_axis rate = {.label = "allocations", .quantity = PK_Q_RATE};
    bool rss_known = false;
    for (size_t i = 0; i < s->n; i++) rss_known = rss_known || isfinite(s->rss[i]);
    if (w->result->live_known)
        add_line(w, s, s->live, "Live bytes over time", "What was allocated and not yet freed.",
                 bytes);
    if (rss_known)
        add_line(w, s, s->rss, "Resident set over time",
                 "The memory that the processes had from the system, with code and stacks.", bytes);
    add_line(w, s, s->rate, "Allocations per second",
             "Calls between two moments, by the time between them.", rate);
}

/* ---- sizes ---- */

#define OCTAVES 65

static unsigned octave_of(uint64_t bytes) { /* row 0: no bytes; row i: from 2^(i-1) */
    return bytes == 0 ? 0 : 64u - (unsigned)__builtin_clzll(bytes);
}

/* The size that a row begins with: "0 B", "16 B", "8 KiB". */
static const char *octave_text(writer *w, unsigned row) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (row == 0) return "0 B";
    unsigned log2 = row - 1;
    return pk_arena_printf(w->arena, "%u %s", 1u << log2 % 10, units[log2 / 10]);
}

static bool add_sizes(writer *w) {
    uint64_t counts[OCTAVES] = {0};
    unsigned first = OCTAVES, last = 0;
    for (uint32_t i = 0; i < PK_IMAGE_SIZE_CLASSES; i++) {
        unsigned row = octave_of(pk_image_size_least(i));
        if (w->result->sizes[i] == 0) continue;
        counts[row] += w->result->sizes[i];
        if (row < first) first = row;
        if (row > last) last = row;
    }
    if (first == OCTAVES) return true;
    size_t n = last - first + 1;
    const char **names = PK_NEW(w->arena, n, const char *);
    double *x = PK_NEW(w->arena, n, double), *y = PK_NEW(w->arena, n, double);
    if (!names || !x || !y) return false;
    for (size_t i = 0; i < n; i++) {
        names[i] = octave_text(w, first + (unsigned)i);
        if (!names[i]) return false;
        x[i] = (double)counts[first + i];
        y[i] = (double)i;
    }
    const pk_mark mark = {.kind = PK_MARK_BARS_X,
                          .tone = PK_TONE_NEW,
                          .name = "allocations",
                          .n = n,
                          .x = x,
                          .y = y,
                          .tabled = true};
    pk_chart chart = {.title = "Sizes",
                      .description = "How many allocations were of which size: each row from its "
                                     "own to the next one's.",
                      .x = {.label = "allocations", .quantity = PK_Q_COUNT, .from_zero = true},
                      .y = {.label = "size, from", .categories = names, .n_categories = n},
                      .marks = &mark,
                      .n_marks = 1};
    pk_page_figure(&w->page, &chart, chart.description);
    return true;
}

static bool add_charts(writer *w) {
    series s;
    if (!series_of(w, &s)) return false;
    pk_page_section(&w->page, "Over time, and by size");
    if (s.n >= 2) add_lines(w, &s);
    return add_sizes(w);
}

/* ---- flame graphs ---- */

/* The frames alone, out of a flame graph that is a file: without its script, its style and its
 * texts around, whose ids are those of every other one. */
static bool take_frames(const pk_strbuf *svg, const char *label, pk_strbuf *out) {
    static const char begin_tag[] = "<svg id=\"frames\"", end_tag[] = "</svg>";
    static const char height_key[] = "height=\"";
    const char *from = strstr(svg->data, begin_tag), *height = strstr(svg->data, height_key);
    const char *to = from ? strstr(from, end_tag) : NULL; /* there are no others in it */
    if (!from || !to || !height) return false;
    uint64_t px;
    char digits[16];
    pk_err ignored;
    height += sizeof height_key - 1;
    snprintf(digits, sizeof digits, "%.*s", (int)strspn(height, "0123456789"), height);
    if (!pk_parse_count(digits, &px, &ignored) || px <= 2 * FLAME_PAD_PX) return false;
    pk_strbuf_addf(out, "<svg viewBox=\"0 %u %u %llu\" role=\"img\" aria-label=\"", FLAME_PAD_PX,
                   FLAME_WIDTH_PX, (unsigned long long)px - 2 * FLAME_PAD_PX);
    pk_escape_markup(out, label, strlen(label));
    pk_strbuf_add_str(out, "\" font-family=\"monospace\" font-size=\"12\">\n<svg");
    from += sizeof begin_tag - 1;
    pk_strbuf_add(out, from, (size_t)(to - from));
    pk_strbuf_add_str(out, "</svg>\n</svg>\n");
    return pk_strbuf_ok(out);
}

static bool add_flame(writer *w, pk_alloc_weight weight, pk_err *err) {
    pk_strbuf svg, frames;
    pk_flame_style style = PK_FLAME_STYLE;
    style.image_width = FLAME_WIDTH_PX;
    style.max_frames = FLAME_FRAMES;
    style.min_width = 0.1;
    pk_strbuf_init(&svg, SVG_BYTES_MAX);
    pk_strbuf_init(&frames, SVG_BYTES_MAX);
    bool ok = pk_alloc_flame(w->result, weight, &style, &svg, NULL, err);
    if (ok && take_frames(&svg, headings[weight], &frames))
        pk_page_picture(&w->page, &frames,
                        "Each frame is as wide as what was allocated in it and in what it called; "
                        "its figures show when it is pointed at.");
    else if (ok) ok = pk_alloc_no_memory(err);
    pk_strbuf_fini(&svg);
    pk_strbuf_fini(&frames);
    return ok;
}

/* ---- top lists ---- */

static void add_figure_cells(writer *w, const pk_alloc_row *row, pk_alloc_weight sort) {
    char text[PK_QUANTITY_MAX];
    pk_page_cell(&w->page, PK_TINT_NONE, "%s", pk_alloc_weight_text(text, sort, row->self[sort]));
    pk_page_cell(&w->page, PK_TINT_NONE, "%.2f %%",
                 100 * (double)row->self[sort] / (double)pk_alloc_all(w->result, sort));
    pk_page_cell(&w->page, PK_TINT_NONE, "%s", pk_alloc_weight_text(text, sort, row->total[sort]));
}

static bool add_functions(writer *w, pk_alloc_weight sort, pk_err *err) {
    static const pk_column columns[] = {
        {"function", false}, {"self", true}, {"share", true}, {"total", true}};
    pk_array rows;
    if (!pk_alloc_rows(w->result, PK_ALLOC_BY_FUNCTION, sort, &rows, err)) return false;
    pk_page_table_begin(&w->page, "Functions that called the allocator, with all they called.", 4,
                        columns);
    for (size_t i = 0; i < rows.count && i < ROWS_MAX; i++) {
        const pk_alloc_row *row = &PK_AT(&rows, pk_alloc_row, i);
        if (row->total[sort] == 0) break;
        pk_page_cell(&w->page, PK_TINT_NONE, "%s",
                     pk_names_text(w->result->names, row->name, NULL));
        add_figure_cells(w, row, sort);
    }
    pk_page_table_end(&w->page);
    pk_array_fini(&rows);
    return true;
}

static bool add_stacks(writer *w, pk_alloc_weight sort, pk_err *err) {
    pk_array rows;
    pk_strbuf text;
    char value[PK_QUANTITY_MAX];
    const pk_stack_tree *tree = &w->result->tree;
    if (!pk_alloc_rows(w->result, PK_ALLOC_BY_STACK, sort, &rows, err)) return false;
    pk_strbuf_init(&text, SVG_BYTES_MAX);
    for (size_t i = 0; i < rows.count && i < STACKS_MAX; i++) {
        const pk_alloc_row *row = &PK_AT(&rows, pk_alloc_row, i);
        if (row->self[sort] == 0) break;
        pk_strbuf_addf(&text, "%s%s (%.2f %%)\n", i > 0 ? "\n" : "",
                       pk_alloc_weight_text(value, sort, row->self[sort]),
                       100 * (double)row->self[sort] / (double)pk_alloc_all(w->result, sort));
        for (uint32_t at = row->node; at != PK_NODE_ROOT; at = pk_node(tree, at)->parent)
            pk_strbuf_addf(&text, "    %s\n",
                           pk_names_text(tree->names, pk_node(tree, at)->name, NULL));
    }
    bool ok = pk_strbuf_ok(&text) ? true : pk_alloc_no_memory(err);
    if (ok) {
        pk_page_text(&w->page, PK_TINT_MUTED, "The largest call stacks, innermost frame first.");
        pk_page_output(&w->page, text.data);
    }
    pk_strbuf_fini(&text);
    pk_array_fini(&rows);
    return ok;
}

static bool add_weight(writer *w, pk_alloc_weight weight, pk_err *err) {
    if (!pk_alloc_weight_known(w->result, weight) || pk_alloc_all(w->result, weight) == 0)
        return true;
    pk_page_section(&w->page, headings[weight]);
    return add_flame(w, weight, err) && add_functions(w, weight, err) && add_stacks(w, weight, err);
}

static bool add_body(writer *w, pk_err *err) {
    add_summary(w);
    if (!add_charts(w)) return pk_alloc_no_memory(err);
    for (int weight = 0; weight < PK_WEIGHTS; weight++)
        if (!add_weight(w, (pk_alloc_weight)weight, err)) return false;
    return true;
}

bool pk_alloc_page(FILE *out, const pk_alloc_result *result, pk_err *err) {
    writer w = {.result = result, .arena = pk_arena_new(ARENA_BYTES)};
    if (!w.arena) return pk_alloc_no_memory(err);
    const char *name = result->total.name ? result->total.name : "attached";
    const char *title = pk_arena_printf(w.arena, "Allocations of %s", name);
    pk_page_begin(&w.page, title ? title : "Allocations", 0, NULL);
    bool ok = add_body(&w, err);
    if (ok) ok = pk_page_write(&w.page, out, err);
    else pk_page_drop(&w.page);
    pk_arena_free(w.arena);
    return ok;
}

/* Results in the formats of other tools that are made from stacks as they are. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/render_parts.h"
#include "base/units.h"
#include "profile/folded.h"
#include "profile/pprof.h"

#define SUBTITLE_MAX 512

static bool done(const pk_strbuf *out, pk_err *err) {
    return pk_strbuf_ok(out) ? true : pk_alloc_no_memory(err);
}

static const pk_alloc_stack *stack_at(const pk_alloc_result *result, size_t i) {
    return &PK_AT(&result->stacks, pk_alloc_stack, i);
}

/* ---- folded stacks and flame graphs ---- */

bool pk_alloc_folded(const pk_alloc_result *result, pk_alloc_weight weight, pk_strbuf *out,
                     pk_err *err) {
    pk_stack_tree tree;
    if (!pk_alloc_tree_of(result, weight, &tree, err)) return false;
    bool ok = pk_folded_write(&tree, out, err);
    pk_stack_tree_fini(&tree);
    return ok;
}

bool pk_alloc_flame(const pk_alloc_result *result, pk_alloc_weight weight,
                    const pk_flame_style *style, pk_strbuf *out, size_t *left_out, pk_err *err) {
    static const char *const titles[PK_WEIGHTS] = {"Allocations", "Bytes allocated",
                                                   "Bytes live at the peak", "Bytes leaked",
                                                   "Temporary allocations"};
    static const char *const counts[PK_WEIGHTS] = {"allocations", "bytes", "bytes", "bytes",
                                                   "temporary allocations"};
    pk_flame_style s = style ? *style : PK_FLAME_STYLE;
    char subtitle[SUBTITLE_MAX] = "";
    pk_stack_tree tree;
    if (!pk_alloc_tree_of(result, weight, &tree, err)) return false;
    if (!style || !style->title) s.title = titles[weight];
    s.count_name = counts[weight];
    s.weight_is_bytes = pk_alloc_weight_is_bytes(weight);
    s.weight_is_time = false;
    if (result->sampled && !s.subtitle) {
        char distance[PK_FORMAT_MAX];
        pk_format_bytes(distance, sizeof distance, (double)result->sample_bytes);
        snprintf(subtitle, sizeof subtitle, "estimates: one allocation per %s was looked at",
                 distance);
        s.subtitle = subtitle;
    }
    bool ok = pk_flame_svg(&tree, &s, out, left_out, err);
    pk_stack_tree_fini(&tree);
    return ok;
}

/* ---- pprof ---- */

static void counts_by_node(const pk_alloc_result *result, uint64_t *leaked, uint64_t *peak) {
    for (size_t i = 0; i < result->stacks.count; i++) {
        const pk_alloc_stack *s = stack_at(result, i);
        leaked[s->node] += s->leaked_calls;
        peak[s->node] += s->peak_calls;
    }
}

bool pk_alloc_pprof(const pk_alloc_result *result, pk_strbuf *out, pk_err *err) {
    size_t n = result->tree.nodes.count;
    uint64_t *leaked = calloc(n, sizeof *leaked), *peak = calloc(n, sizeof *peak);
    bool ok = leaked && peak;
    if (ok) {
        counts_by_node(result, leaked, peak);
        const pk_pprof_value values[] = {{"alloc_objects", "count", PK_WEIGHT_CALLS, NULL},
                                         {"alloc_space", "bytes", PK_WEIGHT_BYTES, NULL},
                                         {"inuse_objects", "count", 0, leaked},
                                         {"inuse_space", "bytes", PK_WEIGHT_LEAKED, NULL},
                                         {"peak_objects", "count", 0, peak},
                                         {"peak_space", "bytes", PK_WEIGHT_PEAK, NULL},
                                         {"temporary_objects", "count", PK_WEIGHT_TEMPORARY, NULL}};
        const pk_pprof_types types = {
            .values = values,
            .n_values = result->live_known ? sizeof values / sizeof values[0] : 2,
            .shown = "alloc_space",
            .drop = "malloc|calloc|realloc|reallocarray|aligned_alloc|memalign|posix_memalign|"
                    "valloc|pvalloc|operator new.*",
            .first = result->total.exe,
            .period_type = "space",
            .period_unit = "bytes"};
        const pk_profile profile = {.names = result->names,
                                    .tree = result->tree,
                                    .modules = result->modules,
                                    .period = result->sampled ? result->sample_bytes : 0,
                                    .duration_ns = result->duration_ns,
                                    .command = result->command};
        ok = pk_pprof_values(&profile, &types, out, err);
    } else {
        pk_alloc_no_memory(err);
    }
    free(leaked);
    free(peak);
    return ok;
}

/* ---- gperftools' heap profile ---- */

static void add_counts(pk_strbuf *out, uint64_t live, uint64_t live_bytes, uint64_t calls,
                       uint64_t bytes) {
    pk_strbuf_addf(out, "%6llu: %8llu [%6llu: %8llu] @", (unsigned long long)live,
                   (unsigned long long)live_bytes, (unsigned long long)calls,
                   (unsigned long long)bytes);
}

static uint32_t busiest_process(const pk_alloc_result *result) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < result->processes.count; i++)
        if (PK_AT(&result->processes, pk_alloc_process, i).calls >
            PK_AT(&result->processes, pk_alloc_process, best).calls)
            best = i;
    return best;
}

/* A reader looks the address up, and takes what follows a call: places have just that. */
static void add_addresses(const pk_alloc_result *result, const pk_alloc_stack *s, pk_strbuf *out) {
    for (uint32_t i = 1; i <= s->n_frames; i++)
        pk_strbuf_addf(out, " 0x%08llx",
                       (unsigned long long)(s->frames ? s->frames[i - 1] & (UINT64_MAX >> 1)
                                                      : pk_alloc_place_of(result, s, i)->address));
    pk_strbuf_add_char(out, '\n');
}

bool pk_alloc_heapprofile(const pk_alloc_result *result, pk_strbuf *out, pk_err *err) {
    uint32_t process = busiest_process(result);
    uint64_t live = 0, live_bytes = 0, calls = 0, bytes = 0;
    for (size_t i = 0; i < result->stacks.count; i++) {
        const pk_alloc_stack *s = stack_at(result, i);
        if (s->process != process) continue;
        live += s->leaked_calls;
        live_bytes += s->leaked_bytes;
        calls += s->calls;
        bytes += s->bytes;
    }
    pk_strbuf_add_str(out, "heap profile: ");
    add_counts(out, live, live_bytes, calls, bytes);
    pk_strbuf_add_str(out, " heapprofile\n");
    for (size_t i = 0; i < result->stacks.count; i++) {
        const pk_alloc_stack *s = stack_at(result, i);
        if (s->process != process) continue;
        add_counts(out, s->leaked_calls, s->leaked_bytes, s->calls, s->bytes);
        add_addresses(result, s, out);
    }
    pk_strbuf_add_str(out, "\nMAPPED_LIBRARIES:\n");
    for (size_t i = 0; i < result->maps.count; i++) {
        const pk_alloc_map *m = &PK_AT(&result->maps, pk_alloc_map, i);
        if (m->process != process) continue;
        pk_strbuf_addf(out, "%08llx-%08llx r-xp %08llx 00:00 0 %s\n", (unsigned long long)m->begin,
                       (unsigned long long)m->end, (unsigned long long)m->offset, m->path);
    }
    return done(out, err);
}

/* ---- CSV (RFC 4180) ---- */

static void add_quoted(pk_strbuf *out, const char *text) {
    pk_strbuf_add_char(out, '"');
    for (; *text; text++) {
        if (*text == '"') pk_strbuf_add_char(out, '"');
        pk_strbuf_add_char(out, *text);
    }
    pk_strbuf_add_char(out, '"');
}

static void add_csv_error(pk_strbuf *out, double error) {
    if (isfinite(error)) pk_strbuf_addf(out, "%.6g", error);
    pk_strbuf_add_char(out, ',');
}

static void add_csv_row(const pk_alloc_result *result, const pk_alloc_row *row, uint32_t *path,
                        pk_strbuf *stack, pk_strbuf *out) {
    for (int w = 0; w < PK_WEIGHTS; w++) {
        if (pk_alloc_weight_known(result, (pk_alloc_weight)w))
            pk_strbuf_addf(out, "%llu", (unsigned long long)row->self[w]);
        pk_strbuf_add_char(out, ',');
    }
    add_csv_error(out, row->calls_error);
    add_csv_error(out, row->bytes_error);
    pk_strbuf_clear(stack);
    pk_alloc_add_stack_text(&result->tree, row->node, path, stack);
    add_quoted(out, stack->data);
    pk_strbuf_add_str(out, "\r\n");
    out->failed = out->failed || stack->failed;
}

bool pk_alloc_csv(const pk_alloc_result *result, pk_strbuf *out, pk_err *err) {
    pk_array rows;
    pk_strbuf stack;
    uint32_t *path = calloc(PK_STACK_DEPTH_MAX, sizeof *path);
    if (!path) return pk_alloc_no_memory(err);
    if (!pk_alloc_rows(result, PK_ALLOC_BY_STACK, PK_WEIGHT_CALLS, &rows, err)) {
        free(path);
        return false;
    }
    pk_strbuf_init(&stack, out->max_bytes);
    pk_strbuf_add_str(out, "calls,bytes,peak_bytes,leaked_bytes,temporary_calls,calls_error,"
                           "bytes_error,stack\r\n");
    for (size_t i = 0; i < rows.count; i++)
        add_csv_row(result, &PK_AT(&rows, pk_alloc_row, i), path, &stack, out);
    pk_strbuf_fini(&stack);
    pk_array_fini(&rows);
    free(path);
    return done(out, err);
}

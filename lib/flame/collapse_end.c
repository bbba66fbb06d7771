#include <stdlib.h>
#include <string.h>

#include "flame/collapse_state.h"

static bool no_memory(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "not enough memory for the end of the profile");
    return false;
}

/* ---- samples ---- */

static int by_number(uint64_t a, uint64_t b) {
    return (a > b) - (a < b);
}

/* Nodes count up as stacks come, so equal times stay in order. */
static int by_time(const void *a, const void *b) {
    const pk_profile_sample *x = a, *y = b;
    int order = by_number(x->time_ns, y->time_ns);
    return order ? order : by_number(x->node, y->node);
}

static int by_thread_and_time(const void *a, const void *b) {
    const pk_profile_sample *x = a, *y = b;
    int order = by_number(x->thread, y->thread);
    return order ? order : by_time(a, b);
}

static void sort(pk_array *samples, int (*order)(const void *, const void *)) {
    if (samples->count > 1) qsort(samples->items, samples->count, sizeof(pk_profile_sample), order);
}

/* The chart over time, from samples that came in another order. */
static bool rebuild(pk_collapse *c, pk_err *err) {
    pk_array *samples = &c->profile->samples;
    sort(samples, c->options->by_thread ? by_thread_and_time : by_time);
    for (size_t i = 0; i < samples->count; i++) {
        pk_profile_sample *s = &PK_AT(samples, pk_profile_sample, i);
        size_t n = pk_stack_tree_path(&c->merged, s->node, c->path);
        uint64_t weights[PK_STACK_WEIGHTS_MAX] = {s->weight};
        s->node = pk_stack_tree_add(&c->profile->tree, c->path, n, weights, err);
        if (s->node == PK_NODE_NONE) return false;
    }
    return true;
}

static bool finish_samples(pk_collapse *c, pk_err *err) {
    pk_array *samples = &c->profile->samples;
    for (size_t i = 0; i < c->threads.all.count; i++) {
        pk_collapse_thread *t = &PK_AT(&c->threads.all, pk_collapse_thread, i);
        if (!pk_off_cpu_close(c, t, c->last_ns, err)) return false;
    }
    if (c->reordered && !rebuild(c, err)) return false;
    if (!c->options->keep_samples) pk_array_fini(samples);
    else if (c->options->off_cpu || c->reordered) sort(samples, by_time);
    return true;
}

/* ---- modules ---- */

static void describe_module(pk_collapse *c, uint32_t module, pk_profile_module *m) {
    pk_modules *modules = c->maps.modules;
    const pk_kallsyms *kallsyms = c->maps.kallsyms;
    pk_module_state state = pk_module_open(modules, module);
    m->missing = state == PK_MODULE_MISSING;
    m->changed = state == PK_MODULE_CHANGED;
    if (state == PK_MODULE_KERNEL) m->symbols = kallsyms && !pk_kallsyms_restricted(kallsyms);
    else if (state == PK_MODULE_NOT_A_FILE) m->symbols = m->unknown < m->frames;
    if (state != PK_MODULE_READY) return;
    const pk_symbols *symbols = pk_module_symbols(modules, module);
    pk_inlines *inlines = pk_module_inlines(modules, module);
    const pk_module_cfi *cfi = pk_module_cfi_of(modules, module);
    m->symbols = symbols && pk_symbols_count(symbols) > 0;
    m->debug_information = inlines && pk_inlines_known(inlines);
    m->call_frame_information = cfi && cfi->section.n_bytes > 0;
}

/* module UINT32_MAX: code that is in none. */
static bool add_module(pk_collapse *c, uint32_t module, const pk_module_count *count, pk_err *err) {
    pk_profile *p = c->profile;
    if (count->frames == 0 && count->lost == 0) return true;
    const char *path = module == UINT32_MAX ? "[unknown]" : pk_module_path(c->maps.modules, module);
    pk_profile_module *m = pk_array_push(&p->modules);
    char *copy = m ? pk_arena_strdup(p->arena, path) : NULL;
    if (!copy) return no_memory(err);
    *m = (pk_profile_module){
        .path = copy, .frames = count->frames, .unknown = count->unknown, .lost = count->lost};
    if (module != UINT32_MAX) describe_module(c, module, m);
    return true;
}

static int by_frames(const void *a, const void *b) {
    const pk_profile_module *x = a, *y = b;
    int order = by_number(y->frames, x->frames);
    return order ? order : strcmp(x->path, y->path);
}

static bool finish_modules(pk_collapse *c, pk_err *err) {
    pk_array *modules = &c->profile->modules;
    for (uint32_t i = 0; i < c->stacks.counts.count; i++)
        if (!add_module(c, i, &PK_AT(&c->stacks.counts, pk_module_count, i), err)) return false;
    if (!add_module(c, UINT32_MAX, &c->stacks.nowhere, err)) return false;
    if (modules->count > 1)
        qsort(modules->items, modules->count, sizeof(pk_profile_module), by_frames);
    return true;
}

/* ---- all ---- */

/* Of the part that was asked for. */
static uint64_t duration(const pk_collapse *c) {
    const pk_collapse_options *options = c->options;
    if (c->begin_ns == PK_TIME_NONE) return 0;
    uint64_t all = c->last_ns - c->begin_ns;
    uint64_t end = options->end_ns > 0 && options->end_ns < all ? options->end_ns : all;
    return end > options->begin_ns ? end - options->begin_ns : 0;
}

bool pk_collapse_end(pk_collapse *c, pk_err *err) {
    c->profile->duration_ns = duration(c);
    return finish_samples(c, err) && finish_modules(c, err);
}

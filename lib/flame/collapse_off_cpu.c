#include "flame/collapse_state.h"

/* So long after the first record. */
static uint64_t later(const pk_collapse *c, uint64_t ns) {
    uint64_t sum;
    return __builtin_add_overflow(c->begin_ns, ns, &sum) ? UINT64_MAX : sum;
}

bool pk_off_cpu_close(pk_collapse *c, pk_collapse_thread *t, uint64_t time_ns, pk_err *err) {
    const pk_collapse_options *options = c->options;
    if (!t->off) return true;
    t->off = false;
    uint64_t begin = later(c, options->begin_ns), end = later(c, options->end_ns);
    if (begin < t->off_since) begin = t->off_since;
    if (options->end_ns == 0 || end > time_ns) end = time_ns;
    if (begin >= end) return true;
    pk_profile_sample sample = {
        .time_ns = begin, .node = t->node, .weight = options->count_samples ? 1 : end - begin};
    uint64_t *self = &pk_node(c->tree, t->node)->self[0];
    if (__builtin_add_overflow(*self, sample.weight, self)) *self = UINT64_MAX;
    return pk_collapse_keep(c, t, &sample, t->end, err);
}

bool pk_off_cpu_sample(pk_collapse *c, pk_collapse_thread *t, uint64_t time_ns, uint32_t node,
                       pk_stack_end end, pk_err *err) {
    /* It runs, so the record of its coming back is missing. */
    if (!pk_off_cpu_close(c, t, time_ns, err)) return false;
    t->sampled = true;
    t->node = node;
    t->end = end;
    return true;
}

/* A thread that could go on, but had to make room, waits for a CPU and for nothing else. */
static bool add_preempted(pk_collapse *c, pk_collapse_thread *t, pk_err *err) {
    static const uint64_t none[PK_STACK_WEIGHTS_MAX];
    size_t n = pk_stack_tree_path(c->tree, t->node, c->path);
    if (n == PK_STACK_DEPTH_MAX) return true;
    c->path[n] = c->preempted;
    t->node = pk_stack_tree_add(c->tree, c->path, n + 1, none, err);
    return t->node != PK_NODE_NONE;
}

bool pk_off_cpu_switch(pk_collapse *c, const pk_record *record, pk_err *err) {
    pk_collapse_thread *t = pk_collapse_thread_find(&c->threads, record->pid, record->tid);
    if (!t) return true;
    if (!record->on_cpu.out) {
        t->sampled = false;
        return pk_off_cpu_close(c, t, record->time_ns, err);
    }
    if (!t->sampled) return true;
    t->sampled = false;
    t->off = true;
    t->off_since = record->time_ns;
    return !record->on_cpu.preempted || add_preempted(c, t, err);
}

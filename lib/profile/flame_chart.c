#include "profile/flame_chart.h"

#include <stdlib.h>
#include <string.h>

#include "profile/flame_picture.h"
#include "profile/thread_samples.h"

typedef struct chart {
    const pk_profile *profile;
    pk_thread_samples samples; /* of each thread, by time */
    uint64_t begin_ns, end_ns;
    pk_arena *names;      /* of the lanes */
    pk_flame_lane *lanes; /* of threads with samples; their trees are ours */
    pk_stack_tree *trees;
    size_t n_lanes;
    uint32_t *path; /* PK_STACK_DEPTH_MAX names */
} chart;

typedef struct span {
    uint64_t begin_ns, end_ns;
} span;

/* For how long a sample stands. */
static uint64_t length_ns(const pk_profile *profile, const pk_profile_sample *sample) {
    if (profile->weight_is_time) return sample->weight;
    return profile->frequency_hz > 0 ? (uint64_t)(1e9 / profile->frequency_hz) : 0;
}

/* What a sample stands for by itself. */
static span span_of(const pk_profile *profile, const pk_profile_sample *sample) {
    uint64_t length = length_ns(profile, sample), time = sample->time_ns;
    if (profile->off_cpu) return (span){time, time + length};
    return (span){time - (length < time ? length : time), time};
}

/* And if the thread's time is told up to told_ns by the sample before it. */
static span span_after(const pk_profile *profile, const pk_profile_sample *sample,
                       uint64_t told_ns) {
    span s = span_of(profile, sample);
    uint64_t hole = profile->off_cpu ? 0 : (s.end_ns - s.begin_ns) / 2;
    if (s.begin_ns < told_ns + hole) s.begin_ns = told_ns;
    return s;
}

static void measure(chart *c) {
    c->begin_ns = UINT64_MAX;
    for (size_t i = 0; i < c->profile->samples.count; i++) {
        span s = span_of(c->profile, &PK_AT(&c->profile->samples, pk_profile_sample, i));
        if (s.begin_ns < c->begin_ns) c->begin_ns = s.begin_ns;
        if (s.end_ns > c->end_ns) c->end_ns = s.end_ns;
    }
}

/* ---- one lane ---- */

/* The first frame of a stack is the thread's name, which the lane has already. */
static bool is_label(const chart *c, const pk_profile_thread *thread, uint32_t first) {
    if (thread->name == PK_NAME_NONE) return false;
    size_t bytes, of_first;
    const char *name = pk_names_text(c->profile->names, thread->name, &bytes);
    const char *text = pk_names_text(c->profile->names, first, &of_first);
    if (of_first < bytes) return false;
    for (size_t i = 0; i < bytes; i++)
        if (text[i] != name[i] && !(name[i] == ' ' && text[i] == '_')) return false;
    return of_first == bytes || text[bytes] == '-'; /* "worker-12/34" */
}

static bool add_stack(chart *c, pk_stack_tree *tree, const pk_profile_thread *thread, uint32_t node,
                      uint64_t length_ns, pk_err *err) {
    const pk_stack_tree *stacks = &c->profile->tree;
    size_t n = 0;
    for (uint32_t i = node; i != PK_NODE_ROOT; i = pk_node(stacks, i)->parent)
        if (pk_node(stacks, i)->name != PK_NAME_NONE) n++;
    size_t at = n;
    for (uint32_t i = node; i != PK_NODE_ROOT; i = pk_node(stacks, i)->parent)
        if (pk_node(stacks, i)->name != PK_NAME_NONE) c->path[--at] = pk_node(stacks, i)->name;
    size_t skip = n > 0 && is_label(c, thread, c->path[0]);
    return pk_stack_tree_add(tree, c->path + skip, n - skip, &length_ns, err) != PK_NODE_NONE;
}

static bool add_gap(pk_stack_tree *tree, uint64_t length_ns, pk_err *err) {
    static const uint32_t gap = PK_NAME_NONE;
    return length_ns == 0 || pk_stack_tree_add(tree, &gap, 1, &length_ns, err) != PK_NODE_NONE;
}

static bool fill(chart *c, size_t thread, pk_flame_lane *lane, pk_stack_tree *tree, pk_err *err) {
    const pk_profile_thread *t = &PK_AT(&c->profile->threads, pk_profile_thread, thread);
    size_t first = c->samples.begin[thread], end = c->samples.begin[thread + 1];
    uint64_t told = c->begin_ns;
    for (size_t i = first; i < end; i++) {
        const pk_profile_sample *sample = pk_thread_sample(&c->samples, c->profile, i);
        span s = i == first ? span_of(c->profile, sample) : span_after(c->profile, sample, told);
        if (s.end_ns <= told) continue; /* two samples at one time */
        if (!add_gap(tree, s.begin_ns - told, err) ||
            !add_stack(c, tree, t, sample->node, s.end_ns - s.begin_ns, err))
            return false;
        lane->busy += s.end_ns - s.begin_ns;
        told = s.end_ns;
    }
    bool ok = add_gap(tree, c->end_ns - told, err);
    (void)pk_stack_tree_sum(tree);
    return ok;
}

/* "worker 1234", or the number alone. */
static const char *lane_name(chart *c, const pk_profile_thread *thread) {
    if (thread->name == PK_NAME_NONE) return pk_arena_printf(c->names, "%u", thread->tid);
    return pk_arena_printf(c->names, "%s %u", pk_names_text(c->profile->names, thread->name, NULL),
                           thread->tid);
}

static bool add_lane(chart *c, size_t thread, pk_err *err) {
    pk_flame_lane *lane = &c->lanes[c->n_lanes];
    pk_stack_tree *tree = &c->trees[c->n_lanes];
    lane->name = lane_name(c, &PK_AT(&c->profile->threads, pk_profile_thread, thread));
    if (!lane->name) {
        pk_fail(err, PK_E_LIMIT, NULL, "not enough memory for the names of threads");
        return false;
    }
    if (!pk_stack_tree_init(tree, c->profile->names, 1, true, err)) return false;
    lane->tree = tree;
    c->n_lanes++;
    return fill(c, thread, lane, tree, err);
}

/* ---- the chart ---- */

static bool make_lanes(chart *c, pk_err *err) {
    size_t n = c->profile->threads.count;
    c->names = pk_arena_new((size_t)64 << 20);
    c->lanes = calloc(n, sizeof *c->lanes);
    c->trees = calloc(n, sizeof *c->trees);
    c->path = calloc(PK_STACK_DEPTH_MAX, sizeof *c->path);
    if (!c->names || !c->lanes || !c->trees || !c->path) {
        pk_fail(err, PK_E_LIMIT, NULL, "not enough memory for the charts of %zu threads", n);
        return false;
    }
    measure(c);
    for (size_t i = 0; i < n; i++)
        if (c->samples.begin[i + 1] > c->samples.begin[i] && !add_lane(c, i, err)) return false;
    return true;
}

static void free_lanes(chart *c) {
    for (size_t i = 0; i < c->n_lanes; i++) pk_stack_tree_fini(&c->trees[i]);
    free(c->trees);
    free(c->lanes);
    free(c->path);
    pk_arena_free(c->names);
}

bool pk_flame_chart_possible(const pk_profile *profile) {
    for (size_t i = 0; i < profile->samples.count; i++) {
        uint64_t time_ns = PK_AT(&profile->samples, pk_profile_sample, i).time_ns;
        if (time_ns == 0 || time_ns == UINT64_MAX) return false;
    }
    return profile->samples.count > 0;
}

bool pk_flame_chart_svg(const pk_profile *profile, const pk_flame_style *style, pk_strbuf *out,
                        size_t *left_out, pk_err *err) {
    if (!pk_flame_chart_possible(profile)) {
        pk_fail(err, PK_E_INPUT, NULL, "no samples with their times: nothing to draw over time");
        return false;
    }
    chart c = {.profile = profile};
    if (!pk_thread_samples_init(&c.samples, profile, err)) return false;
    pk_flame_style times = *style;
    times.weight_is_time = true;
    times.sample_weight = 0;
    times.factor = 1;
    times.total = 0;
    if (times.colouring == PK_COLOURING_SEQUENCE) times.colouring = PK_COLOURING_DETERMINISTIC;
    bool ok = make_lanes(&c, err) &&
              pk_flame_draw(c.lanes, c.n_lanes, &profile->tree, &times, out, left_out, err);
    free_lanes(&c);
    pk_thread_samples_fini(&c.samples);
    return ok;
}

#include "flame/perf_text_stacks.h"

#include <stdlib.h>
#include <string.h>

#include "base/digits.h"
#include "base/units.h"

#define KEYS_BYTES_MAX (1u << 28)
#define MODULES_MAX 4096u /* counted; paths of a hostile text could be without end */
#define PATHS_BYTES_MAX (1u << 20)
#define SAMPLES_MAX (1u << 27)
#define LABEL_BYTES_MAX 4096u

static bool no_memory(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "not enough memory for the stacks of the text");
    return false;
}

typedef struct thread_key {
    uint32_t pid, tid;
} thread_key;

static uint32_t key_number(pk_text_stacks *stacks, thread_key key) {
    return pk_names_intern(stacks->thread_keys, (const char *)&key, sizeof key);
}

bool pk_text_stacks_init(pk_text_stacks *stacks, const pk_collapse_options *options,
                         pk_profile *profile, pk_err *err) {
    *stacks = (pk_text_stacks){.options = options,
                               .profile = profile,
                               .thread_keys = pk_names_new(KEYS_BYTES_MAX),
                               .paths = pk_names_new(PATHS_BYTES_MAX),
                               .modules = PK_ARRAY(pk_profile_module, MODULES_MAX),
                               .stack = PK_ARRAY(uint32_t, PK_STACK_DEPTH_MAX),
                               .by_thread = options->in_order && options->by_thread,
                               .samples = PK_ARRAY(pk_profile_sample, SAMPLES_MAX)};
    pk_strbuf_init(&stacks->label, LABEL_BYTES_MAX);
    if (!stacks->thread_keys || !stacks->paths) return no_memory(err);
    for (size_t i = 0; i < profile->threads.count; i++) {
        const pk_profile_thread *t = &PK_AT(&profile->threads, pk_profile_thread, i);
        if (key_number(stacks, (thread_key){t->pid, t->tid}) != i) return no_memory(err);
    }
    return !stacks->by_thread ||
           pk_stack_tree_init(&stacks->waiting, profile->names, 1, false, err);
}

void pk_text_stacks_fini(pk_text_stacks *stacks) {
    pk_names_free(stacks->thread_keys);
    pk_names_free(stacks->paths);
    pk_array_fini(&stacks->modules);
    pk_array_fini(&stacks->stack);
    pk_array_fini(&stacks->samples);
    pk_strbuf_fini(&stacks->label);
    if (stacks->by_thread) pk_stack_tree_fini(&stacks->waiting);
    *stacks = (pk_text_stacks){0};
}

/* ---- threads ---- */

/* 0: not told. */
static uint32_t number_of(pk_piece digits) {
    uint64_t value = 0;
    if (digits.bytes == 0) return 0;
    bool negative = *digits.at == '-';
    size_t n = pk_digits(digits.at + negative, digits.bytes - negative, &value);
    if (n == 0 || value > UINT32_MAX) return 0;
    return negative ? 0 - (uint32_t)value : (uint32_t)value;
}

bool pk_text_stacks_wants(const pk_text_stacks *stacks, pk_piece comm, pk_piece tid) {
    const pk_text_list *list = &stacks->options->threads;
    for (size_t i = 0; i < list->count; i++) {
        const char *wanted = list->items[i];
        int64_t number;
        pk_err err;
        bool same = strlen(wanted) == comm.bytes;
        for (size_t c = 0; same && c < comm.bytes; c++)
            same = wanted[c] == comm.at[c] || (wanted[c] == '_' && comm.at[c] == ' ');
        if (same) return true;
        if (tid.bytes > 0 && pk_parse_int(wanted, 0, UINT32_MAX, &number, &err) &&
            number == number_of(tid))
            return true;
    }
    return list->count == 0;
}

/* Its place in profile->threads; UINT32_MAX: out of memory. */
static uint32_t thread_of(pk_text_stacks *stacks, const pk_text_sample *sample) {
    pk_array *threads = &stacks->profile->threads;
    uint32_t tid = number_of(sample->tid);
    thread_key key = {sample->pid.bytes > 0 ? number_of(sample->pid) : tid, tid};
    uint32_t number = key_number(stacks, key);
    if (number == PK_NAME_NONE) return UINT32_MAX;
    if (number == threads->count) {
        pk_profile_thread *made = pk_array_push(threads);
        if (!made) return UINT32_MAX;
        *made = (pk_profile_thread){
            .pid = key.pid, .tid = key.tid, .name = PK_NAME_NONE, .first_ns = sample->time_ns};
    }
    pk_profile_thread *t = &PK_AT(threads, pk_profile_thread, number);
    if (sample->comm.bytes > 0) {
        pk_strbuf_clear(&stacks->label);
        pk_tidy_utf8(sample->comm, &stacks->label);
        t->name = pk_names_intern(stacks->profile->names, stacks->label.data, stacks->label.length);
        if (t->name == PK_NAME_NONE) return UINT32_MAX;
    }
    t->samples++;
    t->last_ns = sample->time_ns;
    return number;
}

/* "comm", "comm-PID" or "comm-PID/TID". PK_NAME_NONE: out of memory. */
static uint32_t label_of(pk_text_stacks *stacks, const pk_text_sample *sample) {
    static const pk_piece none = {"?", 1};
    pk_strbuf *text = &stacks->label;
    pk_stack_label label = stacks->options->by_thread ? PK_LABEL_TID : stacks->options->label;
    pk_strbuf_clear(text);
    pk_tidy_comm(sample->comm, text);
    if (label != PK_LABEL_COMM) {
        pk_piece pid = sample->pid.bytes > 0 ? sample->pid : none;
        pk_strbuf_add_char(text, '-');
        pk_strbuf_add(text, pid.at, pid.bytes);
    }
    if (label == PK_LABEL_TID) {
        pk_piece tid = sample->tid.bytes > 0 ? sample->tid : none;
        pk_strbuf_add_char(text, '/');
        pk_strbuf_add(text, tid.at, tid.bytes);
    }
    if (!pk_strbuf_ok(text)) return PK_NAME_NONE;
    return pk_names_intern(stacks->profile->names, text->data, text->length);
}

/* ---- stacks ---- */

static bool push(pk_text_stacks *stacks, uint32_t name) {
    uint32_t *frame = name == PK_NAME_NONE ? NULL : pk_array_push(&stacks->stack);
    if (frame) *frame = name;
    return frame != NULL;
}

/* Adds stacks->stack to the profile. */
static bool into_tree(pk_text_stacks *stacks, pk_profile_sample sample, pk_err *err) {
    uint64_t weights[PK_STACK_WEIGHTS_MAX] = {sample.weight};
    sample.node = pk_stack_tree_add(&stacks->profile->tree, stacks->stack.items,
                                    stacks->stack.count, weights, err);
    if (sample.node == PK_NODE_NONE) return false;
    if (!stacks->options->keep_samples) return true;
    pk_profile_sample *kept = pk_array_push(&stacks->profile->samples);
    if (!kept) return no_memory(err);
    *kept = sample;
    return true;
}

static bool into_waiting(pk_text_stacks *stacks, pk_profile_sample sample, pk_err *err) {
    uint64_t weights[PK_STACK_WEIGHTS_MAX] = {sample.weight};
    sample.node =
        pk_stack_tree_add(&stacks->waiting, stacks->stack.items, stacks->stack.count, weights, err);
    if (sample.node == PK_NODE_NONE) return false;
    pk_profile_sample *waits = pk_array_push(&stacks->samples);
    if (!waits) return no_memory(err);
    *waits = sample;
    return true;
}

bool pk_text_stacks_add(pk_text_stacks *stacks, const pk_text_sample *sample,
                        const uint32_t frames[], size_t n, pk_err *err) {
    pk_profile_sample made = {
        .time_ns = sample->time_ns, .thread = thread_of(stacks, sample), .weight = sample->weight};
    if (made.thread == UINT32_MAX) return no_memory(err);
    stacks->stack.count = 0;
    bool labelled = !sample->without_callers && (sample->comm.bytes > 0 || sample->tid.bytes > 0);
    if (labelled && !push(stacks, label_of(stacks, sample))) return no_memory(err);
    while (n > 0)
        if (!push(stacks, frames[--n])) return no_memory(err);
    stacks->profile->n_samples++;
    return stacks->by_thread ? into_waiting(stacks, made, err) : into_tree(stacks, made, err);
}

/* ---- the end ---- */

static int by_thread_then_order(const void *a, const void *b) {
    const pk_profile_sample *x = *(const pk_profile_sample *const *)a;
    const pk_profile_sample *y = *(const pk_profile_sample *const *)b;
    if (x->thread != y->thread) return x->thread < y->thread ? -1 : 1;
    return x < y ? -1 : x > y;
}

static int by_time(const void *a, const void *b) {
    const pk_profile_sample *x = a, *y = b;
    if (x->time_ns != y->time_ns) return x->time_ns < y->time_ns ? -1 : 1;
    return x->thread < y->thread ? -1 : x->thread > y->thread;
}

/* stacks->stack = the names from the root to a node of `waiting`. */
static bool path_of(pk_text_stacks *stacks, uint32_t node) {
    uint32_t depth = pk_node(&stacks->waiting, node)->depth;
    stacks->stack.count = 0;
    for (uint32_t i = 0; i < depth; i++)
        if (!pk_array_push(&stacks->stack)) return false;
    for (uint32_t i = depth; i > 0; node = pk_node(&stacks->waiting, node)->parent)
        PK_AT(&stacks->stack, uint32_t, --i) = pk_node(&stacks->waiting, node)->name;
    return true;
}

static bool end_waiting(pk_text_stacks *stacks, pk_err *err) {
    size_t n = stacks->samples.count;
    const pk_profile_sample *samples = stacks->samples.items;
    const pk_profile_sample **sorted = n > 0 ? calloc(n, sizeof *sorted) : NULL;
    if (n > 0 && !sorted) return no_memory(err);
    for (size_t i = 0; i < n; i++) sorted[i] = &samples[i];
    if (n > 0) qsort(sorted, n, sizeof *sorted, by_thread_then_order);
    bool ok = true;
    for (size_t i = 0; i < n && ok; i++) {
        ok = path_of(stacks, sorted[i]->node);
        ok = ok ? into_tree(stacks, *sorted[i], err) : no_memory(err);
    }
    free(sorted);
    pk_array *kept = &stacks->profile->samples;
    if (kept->count > 1) qsort(kept->items, kept->count, kept->item_bytes, by_time);
    return ok;
}

uint32_t pk_text_stacks_module(pk_text_stacks *stacks, pk_piece path) {
    uint32_t number = pk_names_intern(stacks->paths, path.at, path.bytes);
    if (number == stacks->modules.count && !pk_array_push(&stacks->modules)) return UINT32_MAX;
    return number < stacks->modules.count ? number : UINT32_MAX;
}

static int most_frames_first(const void *a, const void *b) {
    const pk_profile_module *x = a, *y = b;
    if (x->frames != y->frames) return x->frames > y->frames ? -1 : 1;
    return strcmp(x->path, y->path);
}

/* The module with this path, a new one if there is none. NULL: out of memory. */
static pk_profile_module *module_of(pk_profile *profile, pk_piece path) {
    pk_array *modules = &profile->modules;
    for (size_t i = 0; i < modules->count; i++) {
        pk_profile_module *m = &PK_AT(modules, pk_profile_module, i);
        if (pk_piece_is(path, m->path)) return m;
    }
    pk_strbuf text;
    pk_strbuf_init(&text, PATHS_BYTES_MAX);
    pk_tidy_utf8(path, &text);
    const char *copy = pk_arena_strndup(profile->arena, text.data, text.length);
    pk_profile_module *made = copy && pk_strbuf_ok(&text) ? pk_array_push(modules) : NULL;
    if (made) made->path = copy;
    pk_strbuf_fini(&text);
    return made;
}

bool pk_text_stacks_end(pk_text_stacks *stacks, pk_err *err) {
    for (uint32_t i = 0; i < stacks->modules.count; i++) {
        const pk_profile_module *counted = pk_text_module(stacks, i);
        if (counted->frames == 0) continue;
        pk_piece path;
        path.at = pk_names_text(stacks->paths, i, &path.bytes);
        pk_profile_module *m = module_of(stacks->profile, path);
        if (!m) return no_memory(err);
        m->frames += counted->frames;
        m->unknown += counted->unknown;
        m->symbols = m->symbols || counted->symbols;
        m->debug_information = m->debug_information || counted->debug_information;
    }
    pk_array *modules = &stacks->profile->modules;
    if (modules->count > 1)
        qsort(modules->items, modules->count, modules->item_bytes, most_frames_first);
    return !stacks->by_thread || end_waiting(stacks, err);
}

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/collector_state.h"
#include "base/fnv.h"
#include "profile/proc_maps.h"

#define PLACES_MAX (1u << 26)
#define STACKS_MAX (1u << 26)
#define MODULES_MAX (1u << 22)
#define MAPS_MAX (1u << 24)
#define PROCESSES_MAX (1u << 20)
#define MOMENTS_MAX (1u << 20)
#define NOTES_MAX 256u
#define MODULES_OPEN_MAX 256u /* each takes a descriptor */
#define NOTE_BYTES_MAX 8192u
#define TEXTS_BYTES_MAX ((size_t)8 << 30)
#define NAMES_BYTES_MAX ((size_t)1 << 30)
#define FRAMES_MAX PK_STACK_DEPTH_MAX

bool pk_collector_no_memory(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "not enough memory for the stacks of all allocations");
    pk_fix(err,
           "count fewer processes (--no-follow), or one allocation in so many (--sample-bytes)");
    return false;
}

/* ---- life ---- */

static uint32_t intern(pk_names *names, const char *text) {
    return pk_names_intern(names, text, strlen(text));
}

static bool make_parts(pk_collector *c) {
    pk_alloc_result *result = c->result;
    c->spaces = pk_spaces_new();
    c->modules = pk_modules_new(c->options->debug_folders);
    c->places = calloc(PK_IMAGE_FRAMES_MAX + 1, sizeof *c->places);
    c->names = calloc(FRAMES_MAX, sizeof *c->names);
    c->unknown = intern(result->names, "[unknown]");
    c->truncated = intern(result->names, "[truncated]");
    if (c->spaces && c->modules)
        c->symboliser =
            pk_symboliser_new(&c->symbolise, result->names, c->spaces, c->modules, NULL);
    return c->symboliser && c->places && c->names && c->unknown != PK_NAME_NONE &&
           c->truncated != PK_NAME_NONE;
}

pk_collector *pk_collector_new(pk_alloc_result *result, const pk_alloc_options *options,
                               pk_err *err) {
    pk_collector *c = calloc(1, sizeof *c);
    if (!c) {
        (void)pk_collector_no_memory(err);
        return NULL;
    }
    c->result = result;
    c->options = options;
    c->symbolise =
        (pk_symbolise_options){.no_inline = options->no_inline, .raw = options->raw_names};
    c->process = UINT32_MAX;
    c->object = PK_NAME_NONE;
    c->named = PK_ARRAY(pk_named_place, PLACES_MAX);
    c->modules_shown = PK_ARRAY(uint32_t, MODULES_MAX);
    if (make_parts(c)) return c;
    pk_collector_free(c);
    (void)pk_collector_no_memory(err);
    return NULL;
}

void pk_collector_free(pk_collector *collector) {
    if (!collector) return;
    pk_symboliser_free(collector->symboliser);
    pk_spaces_free(collector->spaces);
    pk_modules_free(collector->modules);
    pk_array_fini(&collector->named);
    pk_array_fini(&collector->modules_shown);
    pk_index_fini(&collector->by_key);
    pk_index_fini(&collector->by_stack);
    free(collector->places);
    free(collector->names);
    free(collector);
}

bool pk_alloc_begin(pk_alloc_result *result, const pk_alloc_options *options, pk_err *err) {
    *result = (pk_alloc_result){.stacks = PK_ARRAY(pk_alloc_stack, STACKS_MAX),
                                .processes = PK_ARRAY(pk_alloc_process, PROCESSES_MAX),
                                .moments = PK_ARRAY(pk_alloc_moment, MOMENTS_MAX),
                                .places = PK_ARRAY(pk_alloc_place, PLACES_MAX),
                                .modules = PK_ARRAY(pk_profile_module, MODULES_MAX),
                                .maps = PK_ARRAY(pk_alloc_map, MAPS_MAX),
                                .notes = PK_ARRAY(pk_alloc_note, NOTES_MAX),
                                .live_known = !options->counts_only,
                                .sample_bytes = options->sample_bytes,
                                .sampled = options->sample_bytes > 0,
                                .incomplete = false};
    result->arena = pk_arena_new(TEXTS_BYTES_MAX);
    result->names = pk_names_new(NAMES_BYTES_MAX);
    if (!result->arena || !result->names) return pk_collector_no_memory(err);
    if (!pk_stack_tree_init(&result->tree, result->names, PK_WEIGHTS, false, err)) return false;
    result->collector = pk_collector_new(result, options, err);
    return result->collector != NULL;
}

void pk_alloc_fini(pk_alloc_result *result) {
    pk_collector_free(result->collector);
    pk_stack_tree_fini(&result->tree);
    pk_array_fini(&result->stacks);
    pk_array_fini(&result->processes);
    pk_array_fini(&result->moments);
    pk_array_fini(&result->places);
    pk_array_fini(&result->modules);
    pk_array_fini(&result->maps);
    pk_array_fini(&result->notes);
    pk_names_free(result->names);
    pk_arena_free(result->arena);
    *result = (pk_alloc_result){0};
}

void pk_alloc_note_add(pk_alloc_result *result, const char *fix, const char *fmt, ...) {
    pk_strbuf text;
    va_list args;
    pk_strbuf_init(&text, NOTE_BYTES_MAX);
    va_start(args, fmt);
    pk_strbuf_addv(&text, fmt, args);
    va_end(args);
    pk_alloc_note note = {.text = pk_arena_strdup(result->arena, text.data),
                          .fix = fix ? pk_arena_strdup(result->arena, fix) : NULL};
    pk_strbuf_fini(&text);
    pk_alloc_note *slot = note.text ? pk_array_push(&result->notes) : NULL;
    if (slot) *slot = note;
}

/* ---- processes ---- */

pk_alloc_process *pk_collector_process(pk_collector *c, const pk_alloc_process *process,
                                       pk_err *err) {
    pk_alloc_result *result = c->result;
    pk_strbuf label;
    pk_strbuf_init(&label, 4096);
    pk_tidy_comm((pk_piece){process->name, strlen(process->name)}, &label);
    c->label = pk_names_intern(result->names, label.data, label.length);
    pk_strbuf_fini(&label);
    const char *name = pk_arena_strdup(result->arena, process->name);
    const char *exe = pk_arena_strdup(result->arena, process->exe ? process->exe : "");
    pk_alloc_process *new = NULL;
    if (c->label != PK_NAME_NONE && name && exe) new = pk_array_push(&result->processes);
    if (!new) {
        (void)pk_collector_no_memory(err);
        return NULL;
    }
    *new = *process;
    new->name = name;
    new->exe = exe;
    c->process = (uint32_t)result->processes.count - 1;
    c->pid = process->pid;
    c->object_given = false;
    return pk_collector_unmap(c, err) ? new : NULL;
}

bool pk_collector_unmap(pk_collector *c, pk_err *err) {
    if (!c->object_given) c->object = PK_NAME_NONE;
    return pk_spaces_comm(c->spaces, c->pid, c->pid, c->label, true, err);
}

void pk_collector_called(pk_collector *c, const char *object) {
    c->object = object ? intern(c->result->names, object) : PK_NAME_NONE;
    c->object_given = object != NULL;
}

/* ---- maps ---- */

static bool take_map(void *context, const pk_proc_map *map, pk_err *err) {
    pk_collector *c = context;
    pk_module_id id = {.path = map->file, .pid = c->pid};
    pk_map m = {.begin = map->begin, .end = map->end, .offset = map->offset};
    m.file = pk_modules_number(c->modules, &id);
    if (m.file == UINT32_MAX) return pk_collector_no_memory(err);
    return pk_spaces_map(c->spaces, c->pid, &m, err);
}

bool pk_collector_maps(pk_collector *c, char *text, size_t bytes, pk_err *err) {
    if (!c->object_given) c->object = PK_NAME_NONE;
    return pk_proc_maps_parse(text, bytes, take_map, c, err);
}

typedef struct meeting {
    pk_collector *c;
    uint32_t pid;
} meeting;

static bool meet_map(void *context, const pk_proc_map *map, pk_err *err) {
    const meeting *m = context;
    pk_module_id id = {.path = map->file, .pid = m->pid};
    uint32_t module = pk_modules_number(m->c->modules, &id);
    if (module == UINT32_MAX) return pk_collector_no_memory(err);
    if (module < MODULES_OPEN_MAX) (void)pk_module_open(m->c->modules, module);
    return true;
}

bool pk_collector_meet(pk_collector *c, uint32_t pid, char *text, size_t bytes, pk_err *err) {
    meeting m = {c, pid};
    return pk_proc_maps_parse(text, bytes, meet_map, &m, err);
}

bool pk_collector_keep_maps(pk_collector *c, pk_err *err) {
    size_t n;
    const pk_map *maps = pk_spaces_maps(c->spaces, c->pid, &n);
    for (size_t i = 0; i < n; i++) {
        const char *path =
            pk_arena_strdup(c->result->arena, pk_module_path(c->modules, maps[i].file));
        pk_alloc_map *map = path ? pk_array_push(&c->result->maps) : NULL;
        if (!map) return pk_collector_no_memory(err);
        *map = (pk_alloc_map){c->process, maps[i].begin, maps[i].end, maps[i].offset, path};
    }
    return true;
}

/* ---- stacks ---- */

static uint64_t stack_hash(const pk_alloc_stack *s) {
    uint64_t hash = pk_fnv1a(PK_FNV_START, &s->process, sizeof s->process);
    hash = pk_fnv1a(hash, &s->function, sizeof s->function);
    hash = pk_fnv1a(hash, &s->flags, sizeof s->flags);
    return pk_fnv1a(hash, s->places, (s->n_frames + 1) * sizeof *s->places);
}

static uint64_t hash_of_stack(const void *context, uint32_t item) {
    const pk_collector *c = context;
    return stack_hash(&PK_AT(&c->result->stacks, pk_alloc_stack, item));
}

static bool same_stack(const void *context, uint32_t item, const void *key) {
    const pk_collector *c = context;
    const pk_alloc_stack *a = &PK_AT(&c->result->stacks, pk_alloc_stack, item), *b = key;
    return a->process == b->process && a->function == b->function && a->flags == b->flags &&
           a->n_frames == b->n_frames &&
           memcmp(a->places, b->places, (a->n_frames + 1) * sizeof *a->places) == 0;
}

static bool find_places(pk_collector *c, const pk_alloc_stack *stack) {
    c->places[0] = pk_place_of_called(c, stack->function);
    bool ok = c->places[0] != UINT32_MAX;
    for (uint32_t i = 0; i < stack->n_frames && ok; i++) {
        c->places[i + 1] = pk_place_of_address(c, stack->frames[i]);
        ok = c->places[i + 1] != UINT32_MAX;
    }
    return ok;
}

/* What modules have to do with the stack. */
static void count_modules(pk_collector *c, const pk_alloc_stack *stack) {
    pk_array *modules = &c->result->modules;
    for (uint32_t i = 1; i <= stack->n_frames; i++) {
        const pk_alloc_place *place = &PK_AT(&c->result->places, pk_alloc_place, c->places[i]);
        if (place->module == UINT32_MAX) continue;
        pk_profile_module *module = &PK_AT(modules, pk_profile_module, place->module);
        module->frames++;
        module->unknown += !place->symbol;
        module->lost += i == stack->n_frames && stack->flags & PK_STACK_LOST;
    }
}

/* The stack's names into c->names, from the end on; returns where they begin. Very many inlined
 * functions push the outermost ones out. */
static size_t find_names(pk_collector *c, const pk_alloc_stack *stack) {
    size_t at = FRAMES_MAX;
    for (uint32_t i = 0; i <= stack->n_frames; i++) {
        const pk_named_place *place = &PK_AT(&c->named, pk_named_place, c->places[i]);
        const pk_frame *frames = place->frames ? place->frames : &place->called;
        for (size_t k = place->n_frames; k-- > 0 && at > 2;) c->names[--at] = frames[k].name;
    }
    if (stack->flags & PK_STACK_CUT) c->names[--at] = c->truncated;
    else if (stack->flags & PK_STACK_LOST || stack->n_frames == 0) c->names[--at] = c->unknown;
    c->names[--at] = c->label;
    return at;
}

static bool add_stack(pk_collector *c, const pk_alloc_stack *stack, uint32_t *slot, pk_err *err) {
    pk_alloc_result *result = c->result;
    uint64_t *frames = PK_NEW(result->arena, stack->n_frames, uint64_t);
    uint32_t *places = PK_NEW(result->arena, stack->n_frames + 1, uint32_t);
    pk_alloc_stack *new = frames &&places ? pk_array_push(&result->stacks) : NULL;
    if (!new) return pk_collector_no_memory(err);
    if (stack->n_frames > 0) memcpy(frames, stack->frames, stack->n_frames * sizeof *frames);
    memcpy(places, c->places, (stack->n_frames + 1) * sizeof *places);
    *new = (pk_alloc_stack){.process = c->process,
                            .frames = frames,
                            .n_frames = stack->n_frames,
                            .places = places,
                            .flags = stack->flags,
                            .function = stack->function};
    *slot = (uint32_t)result->stacks.count;
    c->by_stack.n_used++;
    count_modules(c, stack);
    return true;
}

static void add_sums(pk_alloc_stack *to, const pk_alloc_stack *from) {
    pk_alloc_sum(&to->calls, from->calls);
    pk_alloc_sum(&to->bytes, from->bytes);
    pk_alloc_sum(&to->freed_calls, from->freed_calls);
    pk_alloc_sum(&to->freed_bytes, from->freed_bytes);
    pk_alloc_sum(&to->temporary, from->temporary);
    pk_alloc_sum(&to->leaked_calls, from->leaked_calls);
    pk_alloc_sum(&to->leaked_bytes, from->leaked_bytes);
    pk_alloc_sum(&to->peak_calls, from->peak_calls);
    pk_alloc_sum(&to->peak_bytes, from->peak_bytes);
    /* of independent samples */
    to->calls_error = hypot(to->calls_error, from->calls_error);
    to->bytes_error = hypot(to->bytes_error, from->bytes_error);
}

bool pk_collector_stack(pk_collector *c, const pk_alloc_stack *stack, pk_err *err) {
    if (!find_places(c, stack)) return pk_collector_no_memory(err);
    pk_alloc_stack key = *stack;
    key.process = c->process;
    key.places = c->places;
    uint32_t *slot =
        pk_index_slot(&c->by_stack, stack_hash(&key), &key, same_stack, hash_of_stack, c);
    if (!slot) return pk_collector_no_memory(err);
    if (!*slot && !add_stack(c, stack, slot, err)) return false;
    pk_alloc_stack *sums = &PK_AT(&c->result->stacks, pk_alloc_stack, *slot - 1);
    add_sums(sums, stack);
    uint64_t weights[PK_WEIGHTS] = {[PK_WEIGHT_CALLS] = stack->calls,
                                    [PK_WEIGHT_BYTES] = stack->bytes,
                                    [PK_WEIGHT_PEAK] = stack->peak_bytes,
                                    [PK_WEIGHT_LEAKED] = stack->leaked_bytes,
                                    [PK_WEIGHT_TEMPORARY] = stack->temporary};
    size_t at = find_names(c, stack);
    sums->node = pk_stack_tree_add(&c->result->tree, c->names + at, FRAMES_MAX - at, weights, err);
    return sums->node != PK_NODE_NONE;
}

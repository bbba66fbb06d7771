/* The way back from to_json.c, in the same order. */
#include <string.h>

#include "alloc/json_words.h"
#include "alloc/render_parts.h"
#include "report/json_read.h"

#define TREE_BYTES_MAX ((size_t)2 << 30) /* of the document */
#define TEXTS_BYTES_MAX ((size_t)1 << 30)
#define NAMES_BYTES_MAX ((size_t)1 << 30)
#define PROCESSES_MAX (1u << 22)
#define ITEMS_MAX (1u << 26)

typedef struct reading {
    pk_json_reader r;
    pk_alloc_result *result;
    uint32_t *names; /* of the document -> of the result */
    size_t n_names;
    uint32_t *path; /* a stack's names; PK_STACK_DEPTH_MAX */
} reading;

/* ---- helpers ---- */

static const char *keep_text(reading *g, const pk_json_value *o, const char *key) {
    const char *text = pk_json_get_text(&g->r, o, key);
    char *copy = text ? pk_arena_strdup(g->result->arena, text) : NULL;
    if (text && !copy) pk_json_no_room(&g->r);
    return copy;
}

/* Absent: UINT64_MAX. */
static uint64_t get_time(reading *g, const pk_json_value *o, const char *key) {
    const pk_json_value *v = pk_json_member(&g->r, o, key);
    return v && v->kind != PK_JSON_NULL ? pk_json_get_uint(&g->r, o, key) : UINT64_MAX;
}

static uint32_t get_u32(reading *g, const pk_json_value *o, const char *key) {
    uint64_t value = pk_json_get_uint(&g->r, o, key);
    if (value < UINT32_MAX) return (uint32_t)value;
    pk_json_complain(&g->r, pk_json_member(&g->r, o, key), "is too large");
    return 0;
}

/* A number below n. */
static uint32_t get_index(reading *g, const pk_json_value *o, const char *key, size_t n) {
    pk_json_require(&g->r, o, key);
    uint32_t value = get_u32(g, o, key);
    if (g->r.failed || value < n) return value;
    pk_json_complain(&g->r, pk_json_member(&g->r, o, key), "there is no such one");
    return 0;
}

/* A whole number below n, of an array. */
static uint32_t index_of(reading *g, const pk_json_value *v, size_t n) {
    double value = pk_json_double_of(&g->r, v);
    if (!g->r.failed && value >= 0 && value < (double)n) {
        uint32_t whole = (uint32_t)value;
        if ((double)whole == value) return whole;
    }
    if (!g->r.failed) pk_json_complain(&g->r, v, "there is no such one");
    return 0;
}

static void *push(reading *g, pk_array *array) {
    void *item = g->r.failed ? NULL : pk_array_push(array);
    if (!item && !g->r.failed) pk_json_no_room(&g->r);
    return item;
}

/* ---- the run ---- */

static void get_run(reading *g, const pk_json_value *o) {
    pk_alloc_result *result = g->result;
    result->command = keep_text(g, o, "command");
    result->backend = keep_text(g, o, "backend");
    result->backend_reason = keep_text(g, o, "backend_reason");
    result->attached = pk_json_get_bool(&g->r, o, "attached");
    result->interrupted = pk_json_get_bool(&g->r, o, "interrupted");
    result->incomplete = pk_json_get_bool(&g->r, o, "incomplete");
    result->live_known = pk_json_get_bool(&g->r, o, "live_known");
    result->sampled = pk_json_get_bool(&g->r, o, "sampled");
    result->sample_bytes = pk_json_get_uint(&g->r, o, "sample_bytes");
    result->duration_ns = pk_json_get_uint(&g->r, o, "duration_ns");
    result->started_unix_ns = pk_json_get_uint(&g->r, o, "started_unix_ns");
    const pk_json_value *e = pk_json_get_object(&g->r, o, "exit");
    result->command_ran = e != NULL;
    result->exit.code = pk_json_get_int(&g->r, e, "code", 0);
    result->exit.signal = pk_json_get_int(&g->r, e, "signal", 0);
}

static pk_alloc_process get_process(reading *g, const pk_json_value *o) {
    pk_json_reader *r = &g->r;
    return (pk_alloc_process){
        .pid = get_u32(g, o, "pid"),
        .parent_pid = get_u32(g, o, "parent_pid"),
        .exec_number = get_u32(g, o, "exec_number"),
        .name = keep_text(g, o, "name"),
        .exe = keep_text(g, o, "exe"),
        .started_ns = pk_json_get_uint(r, o, "started_ns"),
        .ended_ns = get_time(g, o, "ended_ns"),
        .forked = pk_json_get_bool(r, o, "forked"),
        .threads = get_u32(g, o, "threads"),
        .calls = pk_json_get_uint(r, o, "calls"),
        .bytes = pk_json_get_uint(r, o, "bytes"),
        .frees = pk_json_get_uint(r, o, "frees"),
        .freed_bytes = pk_json_get_uint(r, o, "freed_bytes"),
        .temporary = pk_json_get_uint(r, o, "temporary"),
        .leaked_calls = pk_json_get_uint(r, o, "leaked_calls"),
        .leaked_bytes = pk_json_get_uint(r, o, "leaked_bytes"),
        .peak_bytes = pk_json_get_uint(r, o, "peak_bytes"),
        .peak_error_bytes = pk_json_get_uint(r, o, "peak_error_bytes"),
        .peak_ns = get_time(g, o, "peak_ns"),
        .stacks_remembered = pk_json_get_uint(r, o, "stacks_remembered"),
        .stacks_unwound = pk_json_get_uint(r, o, "stacks_unwound"),
        .inside_hook = pk_json_get_uint(r, o, "inside_hook"),
        .before_ready = pk_json_get_uint(r, o, "before_ready"),
        .not_kept = pk_json_get_uint(r, o, "not_kept"),
        .unknown_frees = pk_json_get_uint(r, o, "unknown_frees"),
        .differences = pk_json_get_uint(r, o, "differences"),
    };
}

static void get_processes(reading *g, const pk_json_value *o) {
    g->result->total = get_process(g, pk_json_get_object(&g->r, o, "total"));
    const pk_json_value *all = pk_json_get_array(&g->r, o, "processes");
    for (const pk_json_value *v = all ? all->first : NULL; v && !g->r.failed; v = v->next) {
        if (!pk_json_is_object(&g->r, v)) return;
        pk_alloc_process *p = push(g, &g->result->processes);
        if (p) *p = get_process(g, v);
    }
}

/* ---- over time, and by size ---- */

static uint64_t whole_of(reading *g, const pk_json_value *v) {
    double value = pk_json_double_of(&g->r, v);
    if (g->r.failed) return 0;
    if (value >= 0 && value < 0x1p64) return (uint64_t)value;
    pk_json_complain(&g->r, v, "is no count");
    return 0;
}

/* Columns of one length; false: they are not there, or not. */
static bool columns_of(reading *g, const pk_json_value *o, size_t n, const char *const keys[],
                       const pk_json_value *first[]) {
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        const pk_json_value *column = pk_json_get_array(&g->r, o, keys[i]);
        first[i] = column ? column->first : NULL;
        size_t has = column ? column->count : 0;
        if (i > 0 && has != count && !g->r.failed)
            pk_json_complain(&g->r, column ? column : o, "is not as long as the others");
        count = has;
    }
    return !g->r.failed;
}

static void get_moments(reading *g, const pk_json_value *o) {
    static const char *const keys[] = {"time_ns", "calls",      "bytes",
                                       "frees",   "live_bytes", "rss_bytes"};
    const pk_json_value *at[6];
    if (!columns_of(g, pk_json_get_object(&g->r, o, "moments"), 6, keys, at)) return;
    while (at[0] && !g->r.failed) {
        uint64_t values[6];
        for (int i = 0; i < 6; i++) {
            values[i] = whole_of(g, at[i]);
            at[i] = at[i]->next;
        }
        pk_alloc_moment *m = push(g, &g->result->moments);
        if (m)
            *m =
                (pk_alloc_moment){values[0], values[1], values[2], values[3], values[4], values[5]};
    }
}

static void get_sizes(reading *g, const pk_json_value *o) {
    static const char *const keys[] = {"from_bytes", "calls"};
    const pk_json_value *at[2];
    if (!columns_of(g, pk_json_get_object(&g->r, o, "sizes"), 2, keys, at)) return;
    for (; at[0] && !g->r.failed; at[0] = at[0]->next, at[1] = at[1]->next)
        g->result->sizes[pk_image_size_class(whole_of(g, at[0]))] += whole_of(g, at[1]);
}

/* ---- files, places ---- */

static void get_modules(reading *g, const pk_json_value *o) {
    pk_json_reader *r = &g->r;
    const pk_json_value *all = pk_json_get_array(r, o, "modules");
    for (const pk_json_value *v = all ? all->first : NULL; v && !r->failed; v = v->next) {
        pk_profile_module *m = push(g, &g->result->modules);
        if (!m) return;
        pk_json_require(r, v, "path");
        *m = (pk_profile_module){.path = keep_text(g, v, "path"),
                                 .frames = pk_json_get_uint(r, v, "frames"),
                                 .unknown = pk_json_get_uint(r, v, "unknown"),
                                 .lost = pk_json_get_uint(r, v, "lost"),
                                 .symbols = pk_json_get_bool(r, v, "symbols"),
                                 .debug_information = pk_json_get_bool(r, v, "debug_information"),
                                 .call_frame_information =
                                     pk_json_get_bool(r, v, "call_frame_information"),
                                 .missing = pk_json_get_bool(r, v, "missing"),
                                 .changed = pk_json_get_bool(r, v, "changed")};
    }
}

static void get_maps(reading *g, const pk_json_value *o) {
    pk_json_reader *r = &g->r;
    const pk_json_value *all = pk_json_get_array(r, o, "maps");
    for (const pk_json_value *v = all ? all->first : NULL; v && !r->failed; v = v->next) {
        pk_alloc_map *m = push(g, &g->result->maps);
        if (!m) return;
        pk_json_require(r, v, "path");
        *m = (pk_alloc_map){.process = get_index(g, v, "process", g->result->processes.count),
                            .begin = pk_json_get_uint(r, v, "begin"),
                            .end = pk_json_get_uint(r, v, "end"),
                            .offset = pk_json_get_uint(r, v, "offset"),
                            .path = keep_text(g, v, "path")};
    }
}

static void get_places(reading *g, const pk_json_value *o) {
    pk_json_reader *r = &g->r;
    const pk_json_value *all = pk_json_get_array(r, o, "places");
    for (const pk_json_value *v = all ? all->first : NULL; v && !r->failed; v = v->next) {
        pk_alloc_place *p = push(g, &g->result->places);
        if (!p) return;
        const pk_json_value *module = pk_json_member(r, v, "module");
        bool has_module = module && module->kind != PK_JSON_NULL;
        *p = (pk_alloc_place){.object = keep_text(g, v, "object"),
                              .symbol = keep_text(g, v, "symbol"),
                              .offset = pk_json_get_uint(r, v, "offset"),
                              .address = pk_json_get_uint(r, v, "address"),
                              .vaddr = pk_json_get_uint(r, v, "vaddr"),
                              .module = has_module
                                            ? get_index(g, v, "module", g->result->modules.count)
                                            : UINT32_MAX};
    }
}

/* ---- the tree ---- */

static void get_names(reading *g, const pk_json_value *o) {
    const pk_json_value *all = pk_json_get_array(&g->r, o, "names");
    g->n_names = all ? all->count : 0;
    g->names = PK_NEW(g->r.arena, g->n_names, uint32_t);
    if (!g->names) pk_json_no_room(&g->r);
    for (const pk_json_value *v = all ? all->first : NULL; v && !g->r.failed; v = v->next) {
        const char *text = pk_json_text_of(&g->r, v);
        if (!text) return;
        g->names[v->index] = pk_names_intern(g->result->names, text, strlen(text));
        if (g->names[v->index] == PK_NAME_NONE) pk_json_no_room(&g->r);
    }
}

/* Parents and names of the document's nodes; checked here, so that each way up ends. */
typedef struct document_nodes {
    uint32_t *parent, *name, *depth; /* [0]: the root */
    size_t n;
} document_nodes;

static document_nodes get_nodes(reading *g, const pk_json_value *o) {
    static const char *const keys[] = {"parent", "name"};
    const pk_json_value *at[2], *tree = pk_json_get_object(&g->r, o, "tree");
    document_nodes d = {.n = 1};
    if (!columns_of(g, tree, 2, keys, at)) return d;
    const pk_json_value *column = pk_json_get_array(&g->r, tree, "parent");
    size_t room = 1 + (column ? column->count : 0);
    d.parent = PK_NEW(g->r.arena, room, uint32_t);
    d.name = PK_NEW(g->r.arena, room, uint32_t);
    d.depth = PK_NEW(g->r.arena, room, uint32_t);
    if (!d.parent || !d.name || !d.depth) pk_json_no_room(&g->r);
    for (; at[0] && !g->r.failed; at[0] = at[0]->next, at[1] = at[1]->next) {
        uint32_t parent = index_of(g, at[0], d.n), name = index_of(g, at[1], g->n_names);
        if (g->r.failed) break;
        d.parent[d.n] = parent;
        d.name[d.n] = g->names[name];
        d.depth[d.n] = d.depth[parent] + 1;
        if (d.depth[d.n] >= PK_STACK_DEPTH_MAX) pk_json_complain(&g->r, at[0], "is too deep");
        d.n++;
    }
    return d;
}

/* ---- stacks ---- */

static void get_stack_counts(reading *g, const pk_json_value *v, pk_alloc_stack *s) {
    pk_json_reader *r = &g->r;
    s->function = (uint8_t)pk_json_get_word(r, v, "function", PK_CALLS, pk_alloc_function_word);
    s->flags = (uint8_t)((pk_json_get_bool(r, v, "cut") ? PK_STACK_CUT : 0) |
                         (pk_json_get_bool(r, v, "lost") ? PK_STACK_LOST : 0) |
                         (pk_json_get_bool(r, v, "guessed") ? PK_STACK_GUESSED : 0));
    s->calls = pk_json_get_uint(r, v, "calls");
    s->bytes = pk_json_get_uint(r, v, "bytes");
    s->freed_calls = pk_json_get_uint(r, v, "freed_calls");
    s->freed_bytes = pk_json_get_uint(r, v, "freed_bytes");
    s->temporary = pk_json_get_uint(r, v, "temporary");
    s->leaked_calls = pk_json_get_uint(r, v, "leaked_calls");
    s->leaked_bytes = pk_json_get_uint(r, v, "leaked_bytes");
    s->peak_calls = pk_json_get_uint(r, v, "peak_calls");
    s->peak_bytes = pk_json_get_uint(r, v, "peak_bytes");
    if (!g->result->sampled) return;
    s->calls_error = pk_json_get_double(r, v, "calls_error");
    s->bytes_error = pk_json_get_double(r, v, "bytes_error");
}

static void get_stack_places(reading *g, const pk_json_value *v, pk_alloc_stack *s) {
    const pk_json_value *all = pk_json_get_array(&g->r, v, "places");
    size_t n = all ? all->count : 0;
    if (g->r.failed) return;
    if (n == 0 || n > PK_IMAGE_FRAMES_MAX + 1) {
        pk_json_complain(&g->r, all ? all : v, "a stack has 1 to %u places",
                         PK_IMAGE_FRAMES_MAX + 1);
        return;
    }
    uint32_t *places = PK_NEW(g->result->arena, n, uint32_t);
    if (!places) {
        pk_json_no_room(&g->r);
        return;
    }
    for (const pk_json_value *p = all->first; p; p = p->next)
        places[p->index] = index_of(g, p, g->result->places.count);
    s->places = places;
    s->n_frames = (uint32_t)n - 1;
}

static void add_to_tree(reading *g, const document_nodes *d, uint32_t node, pk_alloc_stack *s) {
    uint64_t weights[PK_WEIGHTS];
    size_t depth = d->depth[node];
    for (size_t i = depth; i > 0; i--, node = d->parent[node]) g->path[i - 1] = d->name[node];
    pk_alloc_weights_of(s, weights);
    pk_err err;
    s->node = pk_stack_tree_add(&g->result->tree, g->path, depth, weights, &err);
    if (s->node == PK_NODE_NONE) pk_json_no_room(&g->r);
}

static void get_stacks(reading *g, const pk_json_value *o, const document_nodes *d) {
    const pk_json_value *all = pk_json_get_array(&g->r, o, "stacks");
    g->path = PK_NEW(g->r.arena, PK_STACK_DEPTH_MAX, uint32_t);
    if (!g->path) pk_json_no_room(&g->r);
    for (const pk_json_value *v = all ? all->first : NULL; v && !g->r.failed; v = v->next) {
        pk_alloc_stack *s = push(g, &g->result->stacks);
        if (!s) return;
        s->process = get_index(g, v, "process", g->result->processes.count);
        uint32_t node = get_index(g, v, "node", d->n);
        if (!g->r.failed && node == 0) pk_json_complain(&g->r, v, "a stack without a frame");
        get_stack_counts(g, v, s);
        get_stack_places(g, v, s);
        if (!g->r.failed) add_to_tree(g, d, node, s);
    }
}

static void get_notes(reading *g, const pk_json_value *o) {
    const pk_json_value *all = pk_json_get_array(&g->r, o, "notes");
    for (const pk_json_value *v = all ? all->first : NULL; v && !g->r.failed; v = v->next) {
        pk_alloc_note *n = push(g, &g->result->notes);
        if (!n) return;
        pk_json_require(&g->r, v, "text");
        *n = (pk_alloc_note){.text = keep_text(g, v, "text"), .fix = keep_text(g, v, "fix")};
    }
}

/* ---- the document ---- */

static void get_document(reading *g, const pk_json_value *o) {
    const char *schema = pk_json_get_text(&g->r, o, "schema");
    if (!g->r.failed && (!schema || strcmp(schema, PK_ALLOC_SCHEMA) != 0))
        pk_json_complain(&g->r, o, "is no document \"%s\"", PK_ALLOC_SCHEMA);
    if (g->r.failed) return;
    get_run(g, o);
    get_processes(g, o);
    get_moments(g, o);
    get_sizes(g, o);
    get_modules(g, o);
    get_maps(g, o);
    get_places(g, o);
    get_names(g, o);
    if (g->r.failed) return;
    const document_nodes nodes = get_nodes(g, o);
    if (!g->r.failed) get_stacks(g, o, &nodes);
    get_notes(g, o);
}

static bool begin(pk_alloc_result *result, pk_err *err) {
    *result = (pk_alloc_result){.stacks = PK_ARRAY(pk_alloc_stack, ITEMS_MAX),
                                .processes = PK_ARRAY(pk_alloc_process, PROCESSES_MAX),
                                .moments = PK_ARRAY(pk_alloc_moment, ITEMS_MAX),
                                .places = PK_ARRAY(pk_alloc_place, ITEMS_MAX),
                                .modules = PK_ARRAY(pk_profile_module, ITEMS_MAX),
                                .maps = PK_ARRAY(pk_alloc_map, ITEMS_MAX),
                                .notes = PK_ARRAY(pk_alloc_note, ITEMS_MAX)};
    result->arena = pk_arena_new(TEXTS_BYTES_MAX);
    result->names = pk_names_new(NAMES_BYTES_MAX);
    if (!result->arena || !result->names) return pk_alloc_no_memory(err);
    return pk_stack_tree_init(&result->tree, result->names, PK_WEIGHTS, false, err);
}

bool pk_alloc_is_json(const char *text, size_t bytes) {
    static const char key[] = "\"schema\"", value[] = "\"" PK_ALLOC_SCHEMA "\"",
                      blanks[] = " \t\r\n";
    const char *end = text + bytes;
    while (text < end && *text && strchr(blanks, *text)) text++;
    if (text == end || *text != '{') return false;
    const char *at = memmem(text, (size_t)(end - text), key, sizeof key - 1);
    if (!at) return false;
    for (at += sizeof key - 1; at < end && *at && (*at == ':' || strchr(blanks, *at));) at++;
    return (size_t)(end - at) >= sizeof value - 1 && memcmp(at, value, sizeof value - 1) == 0;
}

bool pk_alloc_from_json(const char *where, const char *text, size_t bytes, pk_alloc_result *result,
                        pk_err *err) {
    reading g = {.r = {.where = where, .err = err}, .result = result};
    if (!begin(result, err)) return false;
    g.r.arena = pk_arena_new(TREE_BYTES_MAX);
    if (!g.r.arena) return pk_alloc_no_memory(err);
    const pk_json_value *o = pk_json_read(&g.r, text, bytes);
    if (o) get_document(&g, o);
    pk_arena_free(g.r.arena);
    return !g.r.failed && pk_alloc_tree_ready(result, err);
}

#include "profile/symbolise.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/fnv.h"
#include "profile/demangle.h"
#include "profile/jit_maps.h"

#define SLOTS_FIRST 4096u        /* a power of two */
#define ADDRESSES_MAX (1u << 23) /* remembered; more are resolved again and again */
#define LISTS_BYTES_MAX ((size_t)1 << 30)
#define TEXTS_BYTES_MAX ((size_t)1 << 30)
#define INLINED_MAX 128u
#define FRAMES_MAX (1u << 20) /* at one address: a name with many "->" in it */
#define NAMES_BYTES_MAX (1u << 24)

typedef enum kind {
    NOWHERE = 1, /* nothing is mapped there */
    IN_FILE,     /* where: the place in the file */
    IN_PROCESS,  /* in memory that is no file; where: the address */
    IN_KERNEL,
} kind;

/* What an address is, such that equal ones have the same frames. */
typedef struct place {
    uint64_t where;
    uint32_t pid;    /* IN_PROCESS */
    uint32_t module; /* UINT32_MAX: none */
    uint8_t kind;    /* 0: a free slot */
    bool java;
} place;

typedef struct list {
    uint64_t hash;
    uint32_t n;
    pk_frame frames[];
} list;

typedef struct slot {
    place key;
    const list *frames;
} slot;

/* Frames are compared and hashed byte by byte. */
_Static_assert(sizeof(pk_frame) == 12, "a frame has no padding");

struct pk_symboliser {
    const pk_symbolise_options *options;
    pk_names *names;
    const pk_spaces *spaces;
    pk_modules *modules;
    const pk_kallsyms *kallsyms; /* NULL: hidden */
    pk_names *readable;          /* of the demangler */
    pk_demangler *demangler;
    pk_jit_maps *jit_maps;

    slot *slots; /* n_slots, open addressing */
    size_t n_slots, n_used;
    pk_arena *lists_arena; /* equal lists are one */
    const list **lists;    /* n_lists, open addressing; NULL: free */
    size_t n_lists, n_lists_used;

    pk_array frames; /* pk_frame: of the address at hand */
    pk_strbuf texts; /* of a symbol at hand */
    bool failed;     /* out of memory, for the address at hand */
};

pk_symboliser *pk_symboliser_new(const pk_symbolise_options *options, pk_names *names,
                                 const pk_spaces *spaces, pk_modules *modules,
                                 const pk_kallsyms *kallsyms) {
    pk_symboliser *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->options = options;
    s->names = names;
    s->spaces = spaces;
    s->modules = modules;
    s->kallsyms = kallsyms && !pk_kallsyms_restricted(kallsyms) ? kallsyms : NULL;
    s->frames = PK_ARRAY(pk_frame, FRAMES_MAX);
    pk_strbuf_init(&s->texts, NAMES_BYTES_MAX);
    s->readable = pk_names_new(TEXTS_BYTES_MAX);
    if (s->readable) s->demangler = pk_demangler_new(s->readable, TEXTS_BYTES_MAX);
    s->jit_maps = pk_jit_maps_new(options->perf_maps);
    s->lists_arena = pk_arena_new(LISTS_BYTES_MAX);
    s->n_slots = s->n_lists = SLOTS_FIRST;
    s->slots = calloc(s->n_slots, sizeof *s->slots);
    s->lists = calloc(s->n_lists, sizeof *s->lists);
    if (s->demangler && s->jit_maps && s->lists_arena && s->slots && s->lists) return s;
    pk_symboliser_free(s);
    return NULL;
}

void pk_symboliser_free(pk_symboliser *symboliser) {
    if (!symboliser) return;
    pk_demangler_free(symboliser->demangler);
    pk_names_free(symboliser->readable);
    pk_jit_maps_free(symboliser->jit_maps);
    pk_arena_free(symboliser->lists_arena);
    pk_array_fini(&symboliser->frames);
    pk_strbuf_fini(&symboliser->texts);
    free(symboliser->slots);
    free(symboliser->lists);
    free(symboliser);
}

/* ---- remembering addresses ---- */

static size_t hash_place(const place *p) {
    uint64_t hash = (p->where ^ (uint64_t)p->module << 40 ^ (uint64_t)p->pid << 20) +
                    (uint64_t)p->kind * 2 + p->java;
    hash *= 0x9e3779b97f4a7c15u; /* 2^64 by the golden ratio (Knuth, TAOCP 3, 6.4) */
    return (size_t)(hash ^ hash >> 32);
}

static bool same_place(const place *a, const place *b) {
    return a->where == b->where && a->module == b->module && a->pid == b->pid &&
           a->kind == b->kind && a->java == b->java;
}

/* Where it stands, or a free slot where it belongs. */
static slot *slot_of(const pk_symboliser *s, const place *key) {
    size_t mask = s->n_slots - 1;
    for (size_t i = hash_place(key) & mask;; i = (i + 1) & mask) {
        slot *at = &s->slots[i];
        if (at->key.kind == 0 || same_place(&at->key, key)) return at;
    }
}

/* Without memory for more it stays as it is. */
static void grow_slots(pk_symboliser *s) {
    slot *old = s->slots, *slots = calloc(s->n_slots * 2, sizeof *slots);
    size_t n = s->n_slots;
    if (!slots) return;
    s->slots = slots;
    s->n_slots *= 2;
    for (size_t i = 0; i < n; i++)
        if (old[i].key.kind != 0) *slot_of(s, &old[i].key) = old[i];
    free(old);
}

static void remember(pk_symboliser *s, const place *key, const list *frames) {
    if (s->n_used >= ADDRESSES_MAX) return;
    if (s->n_used * 2 >= s->n_slots) grow_slots(s);
    if (s->n_used * 4 >= s->n_slots * 3) return;
    *slot_of(s, key) = (slot){*key, frames};
    s->n_used++;
}

/* ---- remembering frames ---- */

static const list **list_slot(const pk_symboliser *s, uint64_t hash, const pk_frame *frames,
                              size_t n) {
    size_t mask = s->n_lists - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        const list *l = s->lists[i];
        if (!l) return &s->lists[i];
        if (frames && l->hash == hash && l->n == n &&
            memcmp(l->frames, frames, n * sizeof *frames) == 0)
            return &s->lists[i];
    }
}

static bool grow_lists(pk_symboliser *s) {
    const list **old = s->lists, **lists = calloc(s->n_lists * 2, sizeof *lists);
    size_t n = s->n_lists;
    if (!lists) return false;
    s->lists = lists;
    s->n_lists *= 2;
    for (size_t i = 0; i < n; i++)
        if (old[i]) *list_slot(s, old[i]->hash, NULL, 0) = old[i];
    free(old);
    return true;
}

/* The list with the frames at hand, kept once: most addresses of a function have the same. NULL:
 * out of memory. */
static const list *keep_frames(pk_symboliser *s) {
    const pk_frame *frames = s->frames.items;
    size_t n = s->frames.count;
    uint64_t hash = pk_fnv1a(PK_FNV_START, frames, n * sizeof *frames);
    const list **at = list_slot(s, hash, frames, n);
    if (*at) return *at;
    if (s->n_lists_used * 2 >= s->n_lists) {
        if (!grow_lists(s)) return NULL;
        at = list_slot(s, hash, frames, n);
    }
    list *made = pk_arena_alloc(s->lists_arena, 1, sizeof *made + n * sizeof *frames);
    if (!made) return NULL;
    made->hash = hash;
    made->n = (uint32_t)n;
    memcpy(made->frames, frames, n * sizeof *frames);
    *at = made;
    s->n_lists_used++;
    return made;
}

/* ---- frames ---- */

static pk_piece piece(const char *text) {
    return (pk_piece){text, strlen(text)};
}

/* Adds the frames that a readable name stands for; all are like `like` but for their names. */
static void add_frames(pk_symboliser *s, const pk_tidy_symbol *symbol, pk_frame like) {
    pk_strbuf_clear(&s->texts);
    size_t n = pk_tidy(s->options, symbol, &s->texts, &like.skip_callers);
    if (!pk_strbuf_ok(&s->texts)) s->failed = true;
    const char *text = s->texts.data;
    for (size_t i = 0; i < n && !s->failed; i++) {
        size_t bytes = strlen(text);
        like.name = pk_names_intern(s->names, text, bytes);
        pk_frame *frame = like.name == PK_NAME_NONE ? NULL : pk_array_push(&s->frames);
        if (frame) *frame = like;
        else s->failed = true;
        text += bytes + 1;
    }
}

static void add_unknown(pk_symboliser *s, const place *p, const char *module, pk_frame like) {
    char address[17];
    snprintf(address, sizeof address, "%" PRIx64, p->where);
    like.unknown = true;
    pk_tidy_symbol symbol = {piece("[unknown]"), piece(module), piece(address), p->java};
    add_frames(s, &symbol, like);
}

/* A symbol as the file has it. */
static void add_mangled(pk_symboliser *s, const place *p, const char *symbol, pk_frame like) {
    uint32_t number = pk_demangler_name(s->demangler, symbol);
    if (number == PK_NAME_NONE) {
        s->failed = true;
        return;
    }
    pk_piece name;
    name.at = pk_names_text(s->readable, number, &name.bytes);
    pk_tidy_symbol tidy = {name, piece(pk_module_path(s->modules, p->module)), piece(""), p->java};
    add_frames(s, &tidy, like);
}

static void in_file(pk_symboliser *s, const place *p) {
    pk_frame like = {.module = p->module};
    const pk_elf_image *image = pk_module_image(s->modules, p->module);
    const pk_symbols *symbols = image ? pk_module_symbols(s->modules, p->module) : NULL;
    uint64_t vaddr = 0;
    uint32_t number = PK_SYMBOL_NONE;
    if (symbols && pk_elf_image_vaddr(image, p->where, &vaddr))
        number = pk_symbols_find(symbols, vaddr);
    if (number == PK_SYMBOL_NONE) {
        add_unknown(s, p, pk_module_path(s->modules, p->module), like);
        return;
    }
    add_mangled(s, p, pk_symbols_at(symbols, number)->name, like);
    const char *inlined[INLINED_MAX];
    pk_inlines *inlines = s->options->no_inline ? NULL : pk_module_inlines(s->modules, p->module);
    size_t n = inlines ? pk_inlines_at(inlines, vaddr, inlined, INLINED_MAX) : 0;
    like.inlined = true;
    for (size_t i = 0; i < n; i++) add_mangled(s, p, inlined[i], like);
}

/* Memory that perf looks up in the map of a compiler, whose name it gets. */
static bool is_anonymous(const char *path) {
    static const char *const starts[] = {"//anon", "/dev/zero", "/anon_hugepage"};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (strncmp(path, starts[i], strlen(starts[i])) == 0) return true;
    return false;
}

/* False: not known yet, though a compiler may tell later. */
static bool in_process(pk_symboliser *s, const place *p) {
    pk_frame like = {.module = p->module};
    char map[64];
    snprintf(map, sizeof map, "/tmp/perf-%u.map", p->pid);
    const char *path = pk_module_path(s->modules, p->module);
    const char *name = pk_jit_maps_find(s->jit_maps, p->pid, p->where);
    if (!name) {
        add_unknown(s, p, is_anonymous(path) ? map : path, like);
        return false;
    }
    pk_tidy_symbol symbol = {piece(name), piece(map), piece(""), p->java};
    add_frames(s, &symbol, like);
    return true;
}

static void in_kernel(pk_symboliser *s, const place *p) {
    static const char kernel[] = "[kernel.kallsyms]";
    char text[64];
    pk_frame like = {.module = p->module, .kernel = true};
    pk_kernel_symbol symbol;
    if (s->kallsyms && pk_kallsyms_find(s->kallsyms, p->where, &symbol)) {
        if (symbol.module) snprintf(text, sizeof text, "[%s]", symbol.module);
        pk_tidy_symbol named = {piece(symbol.name), piece(symbol.module ? text : kernel), piece(""),
                                p->java};
        add_frames(s, &named, like);
    } else if (!s->kallsyms) { /* perf would say nothing better */
        like.unknown = true;
        snprintf(text, sizeof text, s->options->addresses ? "[kernel <%" PRIx64 ">]" : "[kernel]",
                 p->where);
        pk_tidy_symbol hidden = {piece(text), piece(kernel), piece(""), p->java};
        add_frames(s, &hidden, like);
    } else {
        const char *path = p->module == UINT32_MAX ? kernel : pk_module_path(s->modules, p->module);
        bool itself = strncmp(path, kernel, sizeof kernel - 1) == 0;
        add_unknown(s, p, itself ? kernel : path, like);
    }
}

/* ---- addresses ---- */

static place locate(const pk_symboliser *s, uint32_t pid, uint64_t address, bool java) {
    const pk_map *map = pk_spaces_find(s->spaces, pid, address);
    place p = {.where = address, .module = map ? map->file : UINT32_MAX, .java = java};
    if (pid == PK_PID_KERNEL) {
        p.kind = IN_KERNEL;
    } else if (!map) {
        p.kind = NOWHERE;
        if (!s->options->addresses) p.where = 0;
    } else if (pk_module_open(s->modules, map->file) == PK_MODULE_NOT_A_FILE) {
        p.kind = IN_PROCESS;
        p.pid = pid;
    } else {
        p.kind = IN_FILE;
        p.where = address - map->begin + map->offset;
    }
    return p;
}

/* NULL: out of memory. */
static const list *resolve(pk_symboliser *s, const place *p) {
    bool final = true;
    s->frames.count = 0;
    s->failed = false;
    switch ((kind)p->kind) {
    case NOWHERE:
        add_unknown(s, p, "[unknown]", (pk_frame){.module = UINT32_MAX});
        break;
    case IN_FILE:
        in_file(s, p);
        break;
    case IN_PROCESS:
        final = in_process(s, p);
        break;
    case IN_KERNEL:
        in_kernel(s, p);
        break;
    }
    /* All that it had to say was left out. */
    if (!s->failed && s->frames.count == 0)
        add_unknown(s, p, "[unknown]", (pk_frame){.module = p->module});
    const list *frames = s->failed ? NULL : keep_frames(s);
    if (frames && final) remember(s, p, frames);
    return frames;
}

const pk_frame *pk_symbolise(pk_symboliser *symboliser, uint32_t pid, uint64_t address, bool java,
                             size_t *n) {
    place p = locate(symboliser, pid, address, java);
    const slot *known = slot_of(symboliser, &p);
    const list *frames = known->key.kind != 0 ? known->frames : resolve(symboliser, &p);
    if (!frames) return NULL;
    *n = frames->n;
    return frames->frames;
}

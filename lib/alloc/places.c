/* From addresses to places and their names. */
#include <string.h>

#include "alloc/collector_state.h"
#include "alloc/only.h"

#define SIGNAL_BIT (1ull << 63)

/* ---- the function that was called ---- */

/* "LIB:SYMBOL" */
static const char *called_name(const pk_collector *c, uint8_t function) {
    const char *known = pk_alloc_function_name((pk_alloc_function)function);
    if (known) return known;
    const char *asked = c->options->function;
    const char *colon = asked ? strrchr(asked, ':') : NULL;
    return colon && colon[1] ? colon + 1 : asked ? asked : "[unknown]";
}

static bool begins(const char *name, const char *const starts[]) {
    for (size_t i = 0; starts[i]; i++)
        if (strncmp(name, starts[i], strlen(starts[i])) == 0) return true;
    return false;
}

/* The loader takes the first that there is of these, whichever comes with the program: an allocator
 * linked or preloaded before libc, else libc. */
static uint32_t find_object(pk_collector *c) {
    static const char *const allocators[] = {
        "libjemalloc", "libtcmalloc", "libmimalloc", "libsnmalloc", "libhoard", "libscudo", NULL};
    static const char *const libcs[] = {"libc.so", "libc-2", "ld-musl", NULL};
    size_t n;
    const pk_map *maps = pk_spaces_maps(c->spaces, c->pid, &n);
    const char *found = NULL;
    for (size_t i = 0; i < n; i++) {
        const char *name = pk_module_name(c->modules, maps[i].file);
        if (begins(name, allocators)) {
            found = name;
            break;
        }
        if (!found && begins(name, libcs)) found = name;
    }
    if (!found) found = "libc.so.6";
    return pk_names_intern(c->result->names, found, strlen(found));
}

/* ---- tables ---- */

static uint64_t key_hash(const pk_place_key *key) {
    uint64_t hash = (key->where ^ (uint64_t)key->module << 40 ^ (uint64_t)key->process << 20) +
                    (uint64_t)key->kind + ((uint64_t)key->object << 2);
    hash *= 0x9e3779b97f4a7c15u; /* 2^64 by the golden ratio (Knuth, TAOCP 3, 6.4) */
    return hash ^ hash >> 32;
}

_Static_assert(sizeof(pk_place_key) == 24, "no padding: keys are compared as bytes");

static uint64_t hash_of_item(const void *context, uint32_t item) {
    const pk_collector *c = context;
    return key_hash(&PK_AT(&c->named, pk_named_place, item).key);
}

static bool same_key(const void *context, uint32_t item, const void *key) {
    const pk_collector *c = context;
    return memcmp(&PK_AT(&c->named, pk_named_place, item).key, key, sizeof(pk_place_key)) == 0;
}

/* A new place, empty but for its key, at the slot; NULL: out of memory. */
static pk_named_place *add_place(pk_collector *c, const pk_place_key *key, uint32_t *slot) {
    pk_alloc_place *place = pk_array_push(&c->result->places);
    pk_named_place *named = place ? pk_array_push(&c->named) : NULL;
    if (!named) {
        if (place) c->result->places.count--;
        return NULL;
    }
    named->key = *key;
    *slot = (uint32_t)c->named.count;
    c->by_key.n_used++;
    return named;
}

static uint32_t *slot_of_key(pk_collector *c, const pk_place_key *key) {
    return pk_index_slot(&c->by_key, key_hash(key), key, same_key, hash_of_item, c);
}

static pk_alloc_place *place_at(pk_collector *c, uint32_t number) {
    return &PK_AT(&c->result->places, pk_alloc_place, number);
}

/* ---- modules ---- */

/* The number in result->modules; UINT32_MAX: none, or out of memory. */
static uint32_t shown_module(pk_collector *c, uint32_t module) {
    while (c->modules_shown.count <= module)
        if (!pk_array_push(&c->modules_shown)) return UINT32_MAX;
    uint32_t *shown = &PK_AT(&c->modules_shown, uint32_t, module);
    if (*shown) return *shown - 1;
    pk_profile_module *new = pk_array_push(&c->result->modules);
    if (!new) return UINT32_MAX;
    pk_module_state state = pk_module_open(c->modules, module);
    const pk_symbols *symbols = pk_module_symbols(c->modules, module);
    new->path = pk_arena_strdup(c->result->arena, pk_module_path(c->modules, module));
    new->symbols = symbols &&pk_symbols_from(symbols) != PK_SYMBOLS_NONE;
    new->missing = state == PK_MODULE_MISSING;
    new->changed = state == PK_MODULE_CHANGED;
    if (!new->path) return UINT32_MAX;
    *shown = (uint32_t)c->result->modules.count;
    return *shown - 1;
}

/* ---- addresses ---- */

/* Fills what the file says: where it is, in which function. The call stands before the address that
 * it returns to, and that may be another function's. */
static void look_in_file(pk_collector *c, const pk_place_key *key, pk_alloc_place *place) {
    uint32_t back = key->kind == PK_PLACE_RETURN ? 1 : 0;
    const pk_elf_image *image = pk_module_image(c->modules, key->module);
    uint64_t vaddr;
    if (!image || key->where < back || !pk_elf_image_vaddr(image, key->where - back, &vaddr))
        return;
    place->vaddr = vaddr + back;
    const pk_symbols *symbols = pk_module_symbols(c->modules, key->module);
    uint32_t symbol = symbols ? pk_symbols_find(symbols, vaddr) : PK_SYMBOL_NONE;
    if (symbol != PK_SYMBOL_NONE)
        place->offset = place->vaddr - pk_symbols_at(symbols, symbol)->begin;
}

static bool fill_place(pk_collector *c, uint32_t number, uint64_t address) {
    pk_named_place *named = &PK_AT(&c->named, pk_named_place, number);
    pk_alloc_place *place = place_at(c, number);
    uint64_t in_code = named->key.kind == PK_PLACE_RETURN ? address - 1 : address;
    *place = (pk_alloc_place){.address = address, .module = UINT32_MAX};
    named->frames = pk_symbolise(c->symboliser, c->pid, in_code, false, &named->n_frames);
    if (!named->frames) return false;
    const pk_frame *function = &named->frames[0];
    if (!function->unknown) place->symbol = pk_names_text(c->result->names, function->name, NULL);
    if (named->key.module == UINT32_MAX) return true;
    place->module = shown_module(c, named->key.module);
    if (place->module == UINT32_MAX) return false;
    const char *path = PK_AT(&c->result->modules, pk_profile_module, place->module).path;
    const char *slash = strrchr(path, '/');
    place->object = slash && slash[1] ? slash + 1 : path;
    look_in_file(c, &named->key, place);
    return true;
}

uint32_t pk_place_of_address(pk_collector *c, uint64_t frame) {
    bool exact = frame & SIGNAL_BIT;
    uint64_t address = frame & ~SIGNAL_BIT;
    if (address == 0) exact = true;
    const pk_map *map = pk_spaces_find(c->spaces, c->pid, exact ? address : address - 1);
    pk_place_key key = {.where = address,
                        .module = UINT32_MAX,
                        .process = c->process,
                        .kind = exact ? PK_PLACE_EXACT : PK_PLACE_RETURN};
    if (map) {
        key.module = map->file;
        if (pk_module_open(c->modules, map->file) != PK_MODULE_NOT_A_FILE) {
            key.where = address - map->begin + map->offset;
            key.process = 0;
        }
    }
    uint32_t *slot = slot_of_key(c, &key);
    if (!slot) return UINT32_MAX;
    if (*slot) return *slot - 1;
    if (!add_place(c, &key, slot)) return UINT32_MAX;
    uint32_t number = (uint32_t)c->named.count - 1;
    return fill_place(c, number, address) ? number : UINT32_MAX;
}

uint32_t pk_place_of_called(pk_collector *c, uint8_t function) {
    const char *asked = c->options->function, *colon = asked ? strrchr(asked, ':') : NULL;
    pk_names *names = c->result->names;
    if (function == PK_CALL_OTHER && colon && colon > asked) {
        c->object = pk_names_intern(names, asked, (size_t)(colon - asked));
        c->object_given = true;
    }
    if (c->object == PK_NAME_NONE) c->object = find_object(c);
    pk_place_key key = {
        .where = function, .module = UINT32_MAX, .kind = PK_PLACE_CALLED, .object = c->object};
    uint32_t *slot = c->object == PK_NAME_NONE ? NULL : slot_of_key(c, &key);
    if (!slot) return UINT32_MAX;
    if (*slot) return *slot - 1;
    const char *text = called_name(c, function);
    uint32_t name = pk_names_intern(names, text, strlen(text));
    pk_named_place *named = name == PK_NAME_NONE ? NULL : add_place(c, &key, slot);
    if (!named) return UINT32_MAX;
    named->called = (pk_frame){.name = name, .module = UINT32_MAX};
    named->n_frames = 1; /* frames: `called`; the array may move */
    uint32_t number = (uint32_t)c->named.count - 1;
    *place_at(c, number) = (pk_alloc_place){.object = pk_names_text(names, c->object, NULL),
                                            .symbol = pk_names_text(names, name, NULL),
                                            .module = UINT32_MAX};
    return number;
}

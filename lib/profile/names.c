#include "profile/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/fnv.h"

#define NAMES_MAX (64u << 20)
#define SLOTS_FIRST 1024u /* a power of two */

typedef struct entry {
    const char *text;
    size_t bytes;
    uint64_t hash;
} entry;

struct pk_names {
    pk_arena *texts;
    pk_array entries;
    uint32_t *slots; /* n_slots, open addressing: number + 1; 0: free */
    size_t n_slots;
};

pk_names *pk_names_new(size_t limit_bytes) {
    pk_names *names = calloc(1, sizeof *names);
    if (!names) return NULL;
    names->entries = PK_ARRAY(entry, NAMES_MAX);
    names->texts = pk_arena_new(limit_bytes);
    names->slots = calloc(SLOTS_FIRST, sizeof *names->slots);
    names->n_slots = SLOTS_FIRST;
    if (names->texts && names->slots) return names;
    pk_names_free(names);
    return NULL;
}

void pk_names_free(pk_names *names) {
    if (!names) return;
    pk_arena_free(names->texts);
    pk_array_fini(&names->entries);
    free(names->slots);
    free(names);
}

static entry *at(const pk_names *names, uint32_t name) {
    return &PK_AT(&names->entries, entry, name);
}

/* The slot where the text stands, or a free one where it belongs. */
static uint32_t *slot_of(const pk_names *names, const char *text, size_t bytes, uint64_t hash) {
    size_t mask = names->n_slots - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        uint32_t *slot = &names->slots[i];
        if (!*slot) return slot;
        const entry *e = at(names, *slot - 1);
        if (e->hash == hash && e->bytes == bytes && memcmp(e->text, text, bytes) == 0) return slot;
    }
}

static bool grow(pk_names *names) {
    uint32_t *slots = calloc(names->n_slots * 2, sizeof *slots);
    if (!slots) return false;
    free(names->slots);
    names->slots = slots;
    names->n_slots *= 2;
    for (uint32_t i = 0; i < names->entries.count; i++) {
        const entry *e = at(names, i);
        *slot_of(names, e->text, e->bytes, e->hash) = i + 1;
    }
    return true;
}

uint32_t pk_names_intern(pk_names *names, const char *text, size_t bytes) {
    uint64_t hash = pk_fnv1a(PK_FNV_START, text, bytes);
    uint32_t *slot = slot_of(names, text, bytes, hash);
    if (*slot) return *slot - 1;
    if (names->entries.count * 2 >= names->n_slots) {
        if (!grow(names)) return PK_NAME_NONE;
        slot = slot_of(names, text, bytes, hash);
    }
    const char *copy = pk_arena_strndup(names->texts, text, bytes);
    entry *e = copy ? pk_array_push(&names->entries) : NULL;
    if (!e) return PK_NAME_NONE;
    *e = (entry){copy, bytes, hash};
    *slot = (uint32_t)names->entries.count;
    return *slot - 1;
}

uint32_t pk_names_find(const pk_names *names, const char *text, size_t bytes) {
    /* a free slot holds 0, which becomes PK_NAME_NONE */
    return *slot_of(names, text, bytes, pk_fnv1a(PK_FNV_START, text, bytes)) - 1;
}

uint32_t pk_names_count(const pk_names *names) {
    return (uint32_t)names->entries.count;
}

const char *pk_names_text(const pk_names *names, uint32_t name, size_t *bytes) {
    const entry *e = at(names, name);
    if (bytes) *bytes = e->bytes;
    return e->text;
}

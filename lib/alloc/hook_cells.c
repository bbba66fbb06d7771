/* A thread's cells, by stack and by the cell whose blocks it frees. */
#include "alloc/hook.h"

#include <string.h>
#include <sys/mman.h>

#include "alloc/hook_hot.h"

#define TABLE_FIRST 1024u

const uint64_t *pk_hook_cell_frames(const pk_image_cell *cell) {
    const unsigned char *base = pk_hook.chunks[cell->frames / PK_IMAGE_CHUNK_BYTES].base;
    return (const uint64_t *)(base + cell->frames % PK_IMAGE_CHUNK_BYTES);
}

/* ---- tables ---- */

static void put(pk_hook_table *table, uint64_t entry) {
    uint32_t mask = table->capacity - 1, i = (uint32_t)(entry >> 32) & mask;
    while (table->entries[i]) i = (i + 1) & mask;
    table->entries[i] = entry;
}

/* Room for one more, at most half full. */
static bool grow(pk_hook_table *table) {
    if (table->n * 2 < table->capacity) return true;
    pk_hook_table larger = {.capacity = table->capacity ? table->capacity * 2 : TABLE_FIRST};
    larger.entries = pk_hook_memory(larger.capacity * sizeof(uint64_t), MADV_DONTFORK);
    if (!larger.entries) return false;
    for (uint32_t i = 0; i < table->capacity; i++)
        if (table->entries[i]) put(&larger, table->entries[i]);
    larger.n = table->n;
    if (table->entries) pk_hook_unmap(table->entries, table->capacity * sizeof(uint64_t));
    *table = larger;
    return true;
}

/* ---- new cells ---- */

static pk_image_cell *new_cell(pk_hook_thread *t, uint32_t *number) {
    if (!t->cells || t->cells->used == PK_IMAGE_CELLS)
        t->cells =
            pk_hook_chunk_new(PK_CHUNK_CELLS, t->number, PK_IMAGE_CHUNK_BYTES, &t->cells_chunk);
    if (!t->cells) return NULL;
    *number = t->cells_chunk * PK_IMAGE_CELLS + t->cells->used;
    return (pk_image_cell *)(t->cells + 1) + t->cells->used;
}

/* From here on readers see it. */
static void publish(pk_hook_thread *t, pk_hook_table *table, uint32_t hash, uint32_t number) {
    __atomic_store_n(&t->cells->used, t->cells->used + 1, __ATOMIC_RELEASE);
    put(table, (uint64_t)hash << 32 | number);
    table->n++;
}

/* The frames into the file; their place, 0: no room. */
static uint64_t keep_frames(pk_hook_thread *t, uint32_t n) {
    size_t room = (PK_IMAGE_CHUNK_BYTES - sizeof(pk_image_chunk)) / sizeof(uint64_t);
    if (!t->frames || room - t->frames->used < n)
        t->frames =
            pk_hook_chunk_new(PK_CHUNK_FRAMES, t->number, PK_IMAGE_CHUNK_BYTES, &t->frames_chunk);
    if (!t->frames) return 0;
    uint32_t used = t->frames->used;
    memcpy((uint64_t *)(t->frames + 1) + used, t->stack, n * sizeof(uint64_t));
    t->frames->used = used + n;
    return t->frames_chunk * PK_IMAGE_CHUNK_BYTES + sizeof(pk_image_chunk) +
           used * sizeof(uint64_t);
}

/* ---- look-ups ---- */

static uint32_t hash_of(const uint64_t *words, uint32_t n, uint64_t start) {
    uint64_t hash = start + 0x9e3779b97f4a7c15u;
    for (uint32_t i = 0; i < n; i++) {
        hash = (hash ^ words[i]) * 0xff51afd7ed558ccdu;
        hash ^= hash >> 32;
    }
    return (uint32_t)(hash ^ hash >> 29);
}

static bool same_stack(const pk_hook_thread *t, const pk_image_cell *cell, uint8_t function,
                       uint8_t flags, uint32_t n, uint32_t era) {
    return cell->n_frames == n && cell->function == function && cell->flags == flags &&
           cell->era == era &&
           memcmp(pk_hook_cell_frames(cell), t->stack, n * sizeof(uint64_t)) == 0;
}

pk_image_cell *pk_hook_cell_of_stack(pk_hook_thread *t, uint8_t function, uint8_t flags, uint32_t n,
                                     uint32_t *number) {
    uint32_t era = pk_hook.process->era;
    uint32_t hash = hash_of(t->stack, n, ((uint64_t)era << 16) | (uint64_t)flags << 8 | function);
    if (!grow(&t->stacks)) return NULL;
    uint32_t mask = t->stacks.capacity - 1;
    for (uint32_t i = hash & mask; t->stacks.entries[i]; i = (i + 1) & mask) {
        uint64_t entry = t->stacks.entries[i];
        if (entry >> 32 != hash) continue;
        pk_image_cell *cell = pk_hook_cell_at((uint32_t)entry);
        if (!same_stack(t, cell, function, flags, n, era)) continue;
        *number = (uint32_t)entry;
        return cell;
    }
    pk_image_cell *cell = new_cell(t, number);
    uint64_t frames = cell ? keep_frames(t, n) : 0;
    if (!frames) return NULL;
    cell->of = UINT32_MAX;
    cell->n_frames = (uint16_t)n;
    cell->flags = flags;
    cell->function = function;
    cell->frames = frames;
    cell->era = era;
    publish(t, &t->stacks, hash, *number);
    return cell;
}

pk_image_cell *pk_hook_foreign_cell(pk_hook_thread *t, uint32_t number) {
    uint32_t hash = number * 0x9e3779b1u;
    hash ^= hash >> 15;
    if (!grow(&t->foreign)) return NULL;
    uint32_t mask = t->foreign.capacity - 1;
    for (uint32_t i = hash & mask; t->foreign.entries[i]; i = (i + 1) & mask) {
        pk_image_cell *cell = pk_hook_cell_at((uint32_t)t->foreign.entries[i]);
        if (cell->of == number) return cell;
    }
    uint32_t own;
    pk_image_cell *cell = new_cell(t, &own);
    if (!cell) return NULL;
    cell->of = number;
    publish(t, &t->foreign, hash, own);
    return cell;
}

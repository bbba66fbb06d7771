#include "alloc/image_stacks.h"

#include <stdlib.h>
#include <string.h>

#include "alloc/collector.h"
#include "base/fnv.h"

#define STACKS_MAX (1u << 27)
#define NOBODYS UINT32_MAX /* pk_image_cell.of of an own cell */
#define BEHIND_HEAD sizeof(pk_image_chunk)

static bool no_memory(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "not enough memory to read what was counted");
    return false;
}

/* ---- frames ---- */

/* The frames of a chunk of them, read once. NULL: it is none, or out of memory. */
static const uint64_t *frames_of_chunk(pk_image_stacks *s, uint32_t number) {
    if (number >= s->file->n_chunks) return NULL;
    uint64_t **block = &s->frame_chunks[number];
    if (*block) return *block;
    if (pk_image_file_chunk(s->file, number).kind != PK_CHUNK_FRAMES) return NULL;
    *block = malloc(PK_IMAGE_CHUNK_BYTES);
    if (*block) pk_image_file_read(s->file, number, 0, *block, PK_IMAGE_CHUNK_BYTES);
    return *block;
}

/* The frames of a cell; NULL: they are not where they should be. */
static const uint64_t *frames_of(pk_image_stacks *s, const pk_image_cell *cell) {
    uint64_t chunk = cell->frames / PK_IMAGE_CHUNK_BYTES, at = cell->frames % PK_IMAGE_CHUNK_BYTES;
    uint64_t bytes = cell->n_frames * sizeof(uint64_t);
    if (chunk >= PK_IMAGE_CHUNKS_MAX || at % sizeof(uint64_t) != 0 || at < BEHIND_HEAD ||
        bytes > PK_IMAGE_CHUNK_BYTES - at || cell->n_frames > PK_IMAGE_FRAMES_MAX)
        return NULL;
    const uint64_t *block = frames_of_chunk(s, (uint32_t)chunk);
    return block ? block + at / sizeof(uint64_t) : NULL;
}

/* ---- stacks ---- */

static uint64_t hash(const pk_image_stack *stack) {
    uint64_t sum = pk_fnv1a(PK_FNV_START, &stack->era, sizeof stack->era);
    sum = pk_fnv1a(sum, &stack->function, sizeof stack->function);
    sum = pk_fnv1a(sum, &stack->flags, sizeof stack->flags);
    return pk_fnv1a(sum, stack->frames, stack->n_frames * sizeof(uint64_t));
}

static uint64_t hash_of_item(const void *context, uint32_t item) {
    const pk_image_stacks *s = context;
    return hash(&PK_AT(&s->stacks, pk_image_stack, item));
}

static bool same(const void *context, uint32_t item, const void *key) {
    const pk_image_stacks *s = context;
    const pk_image_stack *a = &PK_AT(&s->stacks, pk_image_stack, item), *b = key;
    return a->era == b->era && a->function == b->function && a->flags == b->flags &&
           a->n_frames == b->n_frames &&
           (a->n_frames == 0 || memcmp(a->frames, b->frames, a->n_frames * sizeof(uint64_t)) == 0);
}

/* The stack of an own cell. NULL: out of memory. */
static pk_image_stack *stack_of(pk_image_stacks *s, const pk_image_cell *cell, uint32_t *number) {
    pk_image_stack key = {.era = cell->era,
                          .n_frames = cell->n_frames,
                          .frames = frames_of(s, cell),
                          .flags = cell->flags,
                          .function = cell->function};
    if (!key.frames && key.n_frames > 0) { /* counted all the same, as it was */
        s->broken++;
        key.n_frames = 0;
        key.flags |= PK_STACK_LOST;
    }
    uint32_t *slot = pk_index_slot(&s->by_frames, hash(&key), &key, same, hash_of_item, s);
    if (!slot) return NULL;
    if (!*slot) {
        pk_image_stack *new = pk_array_push(&s->stacks);
        if (!new) return NULL;
        *new = key;
        *slot = (uint32_t)s->stacks.count;
        s->by_frames.n_used++;
    }
    *number = *slot;
    return &PK_AT(&s->stacks, pk_image_stack, *slot - 1);
}

/* ---- sums ---- */

static void add_signed(int64_t *sum, int64_t more) {
    if (__builtin_add_overflow(*sum, more, sum)) *sum = more > 0 ? INT64_MAX : INT64_MIN;
}

/* a - b, as far as it goes. */
static int64_t live(double a, double b) {
    double d = a - b;
    if (!(d > -9e18)) return INT64_MIN;
    return d < 9e18 ? (int64_t)d : INT64_MAX;
}

static int64_t live_exact(uint64_t a, uint64_t b) {
    int64_t d;
    if (__builtin_sub_overflow(a, b, &d)) return a > b ? INT64_MAX : INT64_MIN;
    return d;
}

static void add_peak(const pk_image_stacks *s, pk_image_stack *stack, const pk_image_cell *cell) {
    bool changed = cell->epoch == s->file->head.epoch && !s->peak_is_now;
    bool sampled = s->file->head.sample_bytes > 0;
    int64_t calls = changed   ? cell->at_peak_calls
                    : sampled ? live(cell->estimated_calls, cell->estimated_freed_calls)
                              : live_exact(cell->calls, cell->freed_calls);
    int64_t bytes = changed   ? cell->at_peak_bytes
                    : sampled ? live(cell->estimated_bytes, cell->estimated_freed_bytes)
                              : live_exact(cell->bytes, cell->freed_bytes);
    add_signed(&stack->peak_calls, calls);
    add_signed(&stack->peak_bytes, bytes);
}

static void add_cell(const pk_image_stacks *s, pk_image_stack *stack, const pk_image_cell *cell) {
    pk_alloc_sum(&stack->calls, cell->calls);
    pk_alloc_sum(&stack->bytes, cell->bytes);
    pk_alloc_sum(&stack->freed_calls, cell->freed_calls);
    pk_alloc_sum(&stack->freed_bytes, cell->freed_bytes);
    pk_alloc_sum(&stack->temporary, cell->temporary);
    stack->estimated_calls += cell->estimated_calls;
    stack->estimated_bytes += cell->estimated_bytes;
    stack->estimated_freed_calls += cell->estimated_freed_calls;
    stack->estimated_freed_bytes += cell->estimated_freed_bytes;
    stack->variance_calls += cell->variance_calls;
    stack->variance_bytes += cell->variance_bytes;
    add_peak(s, stack, cell);
}

/* ---- cells ---- */

static bool take_cell(pk_image_stacks *s, const pk_image_cell *cell, uint32_t *stack_number) {
    if (cell->of != NOBODYS) {
        pk_image_cell *foreign = pk_array_push(&s->foreign);
        if (foreign) *foreign = *cell;
        return foreign != NULL;
    }
    pk_image_stack *stack = stack_of(s, cell, stack_number);
    if (stack) add_cell(s, stack, cell);
    return stack != NULL;
}

static bool take_chunk(pk_image_stacks *s, uint32_t number, uint32_t used, pk_image_cell *cells) {
    s->cells_of[number] = calloc(PK_IMAGE_CELLS, sizeof(uint32_t));
    if (!s->cells_of[number]) return false;
    pk_image_file_read(s->file, number, BEHIND_HEAD, cells, used * sizeof *cells);
    bool ok = true;
    for (uint32_t i = 0; i < used && ok; i++) ok = take_cell(s, &cells[i], &s->cells_of[number][i]);
    return ok;
}

/* What was freed is the stack's that allocated it. */
static void credit(pk_image_stacks *s, const pk_image_cell *cell) {
    uint32_t chunk = cell->of / PK_IMAGE_CELLS, place = cell->of % PK_IMAGE_CELLS;
    const uint32_t *cells = chunk < s->file->n_chunks ? s->cells_of[chunk] : NULL;
    if (cells && cells[place])
        add_cell(s, &PK_AT(&s->stacks, pk_image_stack, cells[place] - 1), cell);
    else s->broken++;
}

bool pk_image_stacks_read(const pk_image_file *file, bool peak_is_now, pk_image_stacks *stacks,
                          pk_err *err) {
    *stacks = (pk_image_stacks){.file = file,
                                .stacks = PK_ARRAY(pk_image_stack, STACKS_MAX),
                                .foreign = PK_ARRAY(pk_image_cell, STACKS_MAX),
                                .peak_is_now = peak_is_now};
    stacks->frame_chunks = calloc(file->n_chunks + 1, sizeof *stacks->frame_chunks);
    stacks->cells_of = calloc(file->n_chunks + 1, sizeof *stacks->cells_of);
    pk_image_cell *cells = calloc(PK_IMAGE_CELLS, sizeof *cells);
    bool ok = stacks->frame_chunks && stacks->cells_of && cells;
    for (uint32_t i = 1; ok && i < file->n_chunks; i++) {
        pk_image_chunk chunk = pk_image_file_chunk(file, i);
        if (chunk.kind == PK_CHUNK_CELLS) ok = take_chunk(stacks, i, chunk.used, cells);
    }
    free(cells);
    for (size_t i = 0; ok && i < stacks->foreign.count; i++)
        credit(stacks, &PK_AT(&stacks->foreign, pk_image_cell, i));
    return ok || no_memory(err);
}

void pk_image_stacks_fini(pk_image_stacks *stacks) {
    for (uint32_t i = 0; i < stacks->file->n_chunks; i++) {
        if (stacks->frame_chunks) free(stacks->frame_chunks[i]);
        if (stacks->cells_of) free(stacks->cells_of[i]);
    }
    free(stacks->frame_chunks);
    free(stacks->cells_of);
    pk_array_fini(&stacks->stacks);
    pk_array_fini(&stacks->foreign);
    pk_index_fini(&stacks->by_frames);
    *stacks = (pk_image_stacks){0};
}

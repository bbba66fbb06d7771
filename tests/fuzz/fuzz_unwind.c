/* Any registers and any stack over the code of this very program: it ends, stays within the copy
 * and within the bound, and says the same when asked again. Bytes: how many frames at most, then
 * registers, then the stack, in words of three bytes: what kind of value, and which. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profile/unwind.h"
#include "profile/unwind_arch.h"
#include "tests/unit/process_maps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

#define FRAMES_MAX 64
#define WORDS_MAX 512
#define STACK UINT64_C(0x7ffd00000000)

typedef struct target {
    pk_spaces *spaces;
    pk_modules *modules;
    pk_unwinder *ours, *other; /* of each processor */
} target;

static target *prepare(void) {
    static target t;
    if (t.spaces) return &t;
    t.spaces = pk_spaces_new();
    t.modules = pk_modules_new(NULL);
    if (!t.spaces || !t.modules || !process_maps((uint32_t)getpid(), t.spaces, t.modules)) abort();
    t.ours = pk_unwinder_new_for(&pk_unwind_x86_64, t.spaces, t.modules);
    t.other = pk_unwinder_new_for(&pk_unwind_aarch64, t.spaces, t.modules);
    if (!t.ours || !t.other) abort();
    return &t;
}

/* A value of three bytes: a place in the code, in the stack, near 0, or anywhere. */
static uint64_t value(const target *t, const uint8_t *three) {
    uint64_t which = three[1] | (uint64_t)three[2] << 8;
    size_t n;
    const pk_map *maps = pk_spaces_maps(t->spaces, (uint32_t)getpid(), &n);
    if (three[0] < 96) {
        const pk_map *map = &maps[three[0] % n];
        uint64_t spread = (map->end - map->begin) >> 16;
        return map->begin + which * (spread ? spread : 1) % (map->end - map->begin);
    }
    if (three[0] < 224) return STACK + which % (WORDS_MAX * 8 + 64) - 32;
    return three[0] < 240 ? which - 4 : which << (three[0] & 15) * 4;
}

static void try(pk_unwinder *unwinder, const pk_user_state *state, size_t max) {
    uint64_t first[FRAMES_MAX + 1], again[FRAMES_MAX + 1];
    size_t n = 99, n_again = 99;
    uint32_t lost = 0, lost_again = 0;
    pk_unwind_end end = pk_unwind(unwinder, state, first, max, &n, &lost);
    if (n > max || (end == PK_UNWIND_DEEP) > (n == max)) abort();
    if (end != PK_UNWIND_LOST && lost != UINT32_MAX) abort();
    if (pk_unwind(unwinder, state, again, max, &n_again, &lost_again) != end || n != n_again ||
        lost != lost_again || memcmp(first, again, n * sizeof *first) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    if (bytes < 2) return 0;
    const target *t = prepare();
    uint64_t registers[PK_UNWIND_REGISTERS] = {0}, words[WORDS_MAX];
    size_t n = (bytes - 2) / 3, in_stack = 0;
    for (size_t i = 0; i < n && i < PK_UNWIND_REGISTERS + WORDS_MAX; i++) {
        uint64_t v = value(t, data + 2 + 3 * i);
        if (i < PK_UNWIND_REGISTERS) registers[i] = v;
        else words[in_stack++] = v;
    }
    size_t stack_bytes = in_stack * 8;
    unsigned char *copy = malloc(stack_bytes ? stack_bytes : 1); /* so that a read beyond is seen */
    if (!copy) return 0;
    memcpy(copy, words, stack_bytes);
    pk_user_state state = {(uint32_t)getpid(), registers,  UINT64_MAX, copy,
                           stack_bytes,        data[1] & 1};
    registers[7] = registers[31] = STACK;
    try(t->ours, &state, data[0] % (FRAMES_MAX + 1));
    try(t->other, &state, data[0] % (FRAMES_MAX + 1));
    free(copy);
    return 0;
}

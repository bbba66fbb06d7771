/* Any bytes as an image. An image is large and mostly empty, so the input says what is different
 * from a good one: two bytes for where the file ends (in 16ths of a KiB; 0: uncut), then pieces of
 * four bytes of place, one of length, and as many bytes. */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc/alloc.h"
#include "alloc/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum { CHUNKS = 7, CELLS = 6 };
#define CHUNK PK_IMAGE_CHUNK_BYTES

static void put(int fd, uint64_t at, const void *bytes, size_t n) {
    if (pwrite(fd, bytes, n, (off_t)at) != (ssize_t)n) abort();
}

static void put_chunk(int fd, uint32_t number, pk_image_kind kind, uint32_t used, uint32_t era) {
    const pk_image_chunk chunk = {.kind = kind, .thread = 1, .used = used, .era = era};
    put(fd, number * CHUNK, &chunk, sizeof chunk);
}

/* Two threads, two snapshots, own cells and one of what was freed of another. */
static void put_good(int fd) {
    static const char maps[] = "700000-800000 r-xp 00000000 fe:01 42 /nowhere/a.so\n"
                               "900000-a00000 r-xp 00000000 fe:01 43 /nowhere/libc.so.6\n";
    static const uint64_t frames[] = {0x700123, 0x900456, 0x8000000000700999, 0x10};
    static pk_image_head head = {.chunk = {.kind = PK_CHUNK_HEAD},
                                 .magic = PK_IMAGE_MAGIC,
                                 .version = PK_IMAGE_VERSION,
                                 .flags = PK_ALLOC_LIVE,
                                 .pid = 7,
                                 .started_ns = 5,
                                 .name = "prog",
                                 .exe = "/bin/prog",
                                 .chunks = CHUNKS,
                                 .epoch = 1,
                                 .peak_ns = 6};
    put(fd, 0, &head, sizeof head);
    put_chunk(fd, 1, PK_CHUNK_THREAD, 0, 0);
    put_chunk(fd, 2, PK_CHUNK_MAPS, sizeof maps - 1, 0);
    put(fd, 2 * CHUNK + sizeof(pk_image_chunk), maps, sizeof maps - 1);
    put_chunk(fd, 3, PK_CHUNK_FRAMES, 4, 0);
    put(fd, 3 * CHUNK + sizeof(pk_image_chunk), frames, sizeof frames);
    put_chunk(fd, 4, PK_CHUNK_CELLS, CELLS, 0);
    for (uint32_t i = 0; i < CELLS; i++) {
        const pk_image_cell cell = {.of = i == 5 ? 4 * PK_IMAGE_CELLS : UINT32_MAX,
                                    .n_frames = (uint16_t)(1 + i % 4),
                                    .function = (uint8_t)i,
                                    .frames = 3 * CHUNK + sizeof(pk_image_chunk),
                                    .calls = 10,
                                    .bytes = 100,
                                    .freed_calls = 3,
                                    .era = i % 2};
        put(fd, 4 * CHUNK + sizeof(pk_image_chunk) + i * sizeof cell, &cell, sizeof cell);
    }
    put_chunk(fd, 5, PK_CHUNK_MAPS, sizeof maps - 1, 1);
    put(fd, 5 * CHUNK + sizeof(pk_image_chunk), maps, sizeof maps - 1);
    put_chunk(fd, 6, PK_CHUNK_THREAD, 0, 0);
}

static void change(int fd, const uint8_t *data, size_t bytes) {
    if (ftruncate(fd, 0) < 0 || ftruncate(fd, CHUNKS * CHUNK) < 0) abort();
    put_good(fd);
    size_t end = bytes >= 2 ? (size_t)(data[0] | data[1] << 8) * 64 : 0;
    for (size_t at = 2; at + 5 <= bytes;) {
        uint32_t place;
        size_t n = data[at + 4];
        memcpy(&place, data + at, sizeof place);
        at += 5;
        if (n > bytes - at) n = bytes - at;
        put(fd, place % (CHUNKS * CHUNK), data + at, n);
        at += n;
    }
    if (end > 0 && ftruncate(fd, (off_t)end) < 0) abort();
}

/* What must hold whatever the file says. */
static void judge(pk_alloc_result *result) {
    uint64_t calls = 0;
    assert(result->processes.count == 1);
    for (size_t i = 0; i < result->stacks.count; i++) {
        const pk_alloc_stack *s = &PK_AT(&result->stacks, pk_alloc_stack, i);
        assert(s->process == 0 && s->n_frames <= PK_IMAGE_FRAMES_MAX);
        for (uint32_t k = 0; k <= s->n_frames; k++) assert(s->places[k] < result->places.count);
        assert(pk_alloc_place_of(result, s, 0)->symbol);
        assert(s->leaked_calls <= s->calls && s->leaked_bytes <= s->bytes);
        assert(s->calls_error >= 0 && s->bytes_error >= 0);
        assert(s->node < result->tree.nodes.count);
        if (__builtin_add_overflow(calls, s->calls, &calls)) calls = UINT64_MAX;
    }
    (void)pk_stack_tree_sum(&result->tree);
    assert(pk_node(&result->tree, PK_NODE_ROOT)->total[PK_WEIGHT_CALLS] == calls);
    assert(result->total.name && result->duration_ns != UINT64_MAX);
}

static char path[] = "/tmp/perfkit-fuzz-XXXXXX";

static void remove_file(void) {
    unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    static int fd = -1;
    if (fd < 0) {
        fd = mkstemp(path);
        if (fd < 0 || atexit(remove_file) != 0) abort();
    }
    change(fd, data, bytes);
    pk_alloc_options options = {0};
    pk_alloc_result result;
    pk_err err = {0};
    assert(pk_alloc_begin(&result, &options, &err));
    if (pk_alloc_add_image(&result, path, &err)) {
        assert(pk_alloc_end(&result, &err));
        judge(&result);
    } else {
        assert(err.kind == PK_E_INPUT && err.fix[0] && result.processes.count == 0);
    }
    pk_alloc_fini(&result);
    return 0;
}

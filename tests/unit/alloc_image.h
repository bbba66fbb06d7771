/* Images as the hook would write them, made by hand. */
#ifndef PK_TESTS_UNIT_ALLOC_IMAGE_H
#define PK_TESTS_UNIT_ALLOC_IMAGE_H

#include "tests/unit/check.h"

#include "alloc/image.h"
#include "base/file.h"

enum { IMAGE_CHUNKS_MAX = 64 };

typedef struct image {
    unsigned char *bytes;
    uint32_t n_chunks;
    pk_image_head *head;
} image;

static inline void *image_chunk(image *im, pk_image_kind kind, uint32_t thread) {
    assert_true(im->n_chunks < IMAGE_CHUNKS_MAX);
    pk_image_chunk *chunk = (void *)(im->bytes + im->n_chunks++ * PK_IMAGE_CHUNK_BYTES);
    chunk->kind = kind;
    chunk->thread = thread;
    if (im->head) im->head->chunks = im->n_chunks;
    return chunk;
}

static inline uint32_t image_number(const image *im, const void *chunk) {
    return (uint32_t)(((const unsigned char *)chunk - im->bytes) / (ptrdiff_t)PK_IMAGE_CHUNK_BYTES);
}

/* Of process 100 named "prog", from 1 s to 2 s, frees followed. */
static inline image image_new(void) {
    image im = {0};
    im.bytes = aligned_alloc(PK_IMAGE_CHUNK_BYTES, IMAGE_CHUNKS_MAX * PK_IMAGE_CHUNK_BYTES);
    assert_non_null(im.bytes);
    memset(im.bytes, 0, IMAGE_CHUNKS_MAX * PK_IMAGE_CHUNK_BYTES);
    im.head = image_chunk(&im, PK_CHUNK_HEAD, 0);
    im.head->chunks = 1;
    im.head->version = PK_IMAGE_VERSION;
    im.head->flags = PK_ALLOC_LIVE;
    im.head->pid = 100;
    im.head->parent_pid = 1;
    im.head->started_ns = 1000000000;
    im.head->ended_ns = 2000000000;
    im.head->started_unix_ns = 1600000000000000000;
    snprintf(im.head->name, sizeof im.head->name, "prog");
    snprintf(im.head->exe, sizeof im.head->exe, "/bin/prog");
    im.head->magic = PK_IMAGE_MAGIC;
    return im;
}

static inline pk_image_thread *image_thread(image *im, uint32_t tid) {
    pk_image_thread *thread = image_chunk(im, PK_CHUNK_THREAD, 0);
    thread->chunk.thread = image_number(im, thread);
    thread->tid = tid;
    return thread;
}

static inline pk_image_chunk *image_cells(image *im, const pk_image_thread *thread) {
    return image_chunk(im, PK_CHUNK_CELLS, thread->chunk.thread);
}

/* The next cell of a chunk; *number is its number. */
static inline pk_image_cell *image_cell(image *im, pk_image_chunk *cells, uint32_t *number) {
    assert_true(cells->used < PK_IMAGE_CELLS);
    uint32_t place = cells->used++;
    if (number) *number = image_number(im, cells) * PK_IMAGE_CELLS + place;
    return (pk_image_cell *)(cells + 1) + place;
}

/* The place of frames, put into the chunk `frames`. */
static inline uint64_t image_frames(image *im, pk_image_chunk *frames, const uint64_t *addresses,
                                    uint32_t n) {
    uint64_t *to = (uint64_t *)(frames + 1) + frames->used;
    memcpy(to, addresses, n * sizeof *to);
    frames->used += n;
    return (uint64_t)((unsigned char *)to - im->bytes);
}

/* An own cell with these frames. */
static inline pk_image_cell *image_stack(image *im, pk_image_chunk *cells, pk_image_chunk *frames,
                                         const uint64_t *addresses, uint32_t n, uint32_t *number) {
    pk_image_cell *cell = image_cell(im, cells, number);
    cell->of = UINT32_MAX;
    cell->n_frames = (uint16_t)n;
    cell->frames = image_frames(im, frames, addresses, n);
    return cell;
}

/* A cell of what was freed of another. */
static inline pk_image_cell *image_foreign(image *im, pk_image_chunk *cells, uint32_t of) {
    pk_image_cell *cell = image_cell(im, cells, NULL);
    cell->of = of;
    return cell;
}

static inline void image_maps(image *im, const char *text, uint64_t time_ns, uint32_t era) {
    size_t room = PK_IMAGE_CHUNK_BYTES - sizeof(pk_image_chunk), bytes = strlen(text);
    uint32_t part = 0;
    do {
        pk_image_chunk *chunk = image_chunk(im, PK_CHUNK_MAPS, 0);
        chunk->used = (uint32_t)(bytes < room ? bytes : room);
        chunk->part = part++;
        chunk->time_ns = time_ns;
        chunk->era = era;
        memcpy(chunk + 1, text, chunk->used);
        text += chunk->used;
        bytes -= chunk->used;
    } while (bytes > 0);
}

/* FOLDER/PID.EXEC_NUMBER.image; path gets its name. */
static inline void image_write(const image *im, const char *folder, char path[CHECK_PATH_MAX]) {
    char name[64];
    snprintf(name, sizeof name, PK_IMAGE_NAME, im->head->pid, im->head->exec_number);
    FILE *file = fopen(check_path(path, folder, name), "wb");
    assert_non_null(file);
    size_t n = im->n_chunks * PK_IMAGE_CHUNK_BYTES;
    assert_int_equal(fwrite(im->bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

#endif

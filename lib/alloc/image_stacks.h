/* The cells of an image, summed by stack. */
#ifndef PK_ALLOC_IMAGE_STACKS_H
#define PK_ALLOC_IMAGE_STACKS_H

#include "alloc/image_file.h"
#include "alloc/index.h"
#include "base/array.h"

/* One stack in one era; sums over its cells, of all threads. */
typedef struct pk_image_stack {
    uint32_t era;
    uint32_t n_frames;
    const uint64_t *frames; /* of the blocks */
    uint8_t flags, function;
    uint64_t calls, bytes, freed_calls, freed_bytes, temporary;
    int64_t peak_calls, peak_bytes;
    double estimated_calls, estimated_bytes, estimated_freed_calls, estimated_freed_bytes;
    double variance_calls, variance_bytes;
} pk_image_stack;

typedef struct pk_image_stacks {
    const pk_image_file *file;
    pk_array stacks; /* pk_image_stack, as they were met */
    pk_index by_frames;
    uint64_t **frame_chunks; /* n_chunks of the file; NULL: not read (yet) */
    uint32_t **cells_of;     /* the same: of each cell its stack + 1; 0: no own cell */
    pk_array foreign;        /* pk_image_cell that name another one's */
    uint64_t broken;         /* cells that make no sense: cut files */
    bool peak_is_now;
} pk_image_stacks;

/* Reads all cells. peak_is_now: the last peak is what is live now, whatever epochs say. False: out
 * of memory; fini is right then as well. */
bool pk_image_stacks_read(const pk_image_file *file, bool peak_is_now, pk_image_stacks *stacks,
                          pk_err *err) PK_MUST_CHECK;
void pk_image_stacks_fini(pk_image_stacks *stacks);

#endif

/* An image file (alloc/image.h) as a reader meets it: any bytes, perhaps still growing. It is read,
 * not mapped: who has it open may cut it. */
#ifndef PK_ALLOC_IMAGE_FILE_H
#define PK_ALLOC_IMAGE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "alloc/image.h"
#include "base/error.h"

typedef struct pk_image_file {
    int fd;
    uint32_t n_chunks;  /* given out and in the file */
    pk_image_head head; /* its texts end with a NUL, whatever the file has */
} pk_image_file;

/* PK_E_INPUT: it is no image, or not yet one. */
bool pk_image_file_open(const char *path, pk_image_file *file, pk_err *err) PK_MUST_CHECK;
void pk_image_file_close(pk_image_file *file);
/* Reads the head again, and how far the file goes by now. */
bool pk_image_file_refresh(pk_image_file *file) PK_MUST_CHECK;

/* What chunk `number` is; PK_CHUNK_NONE where there is none. `used` is within its bounds. */
pk_image_chunk pk_image_file_chunk(const pk_image_file *file, uint32_t number);
/* Bytes [from, from + bytes) of a chunk; those behind the end of the file are 0. */
void pk_image_file_read(const pk_image_file *file, uint32_t number, uint64_t from, void *out,
                        size_t bytes);

#endif

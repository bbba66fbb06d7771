/* One ELF file (System V gABI, through libelf): what its program headers, notes and links say.
 * Takes any bytes; what a damaged file does not have is absent. Nothing here is thread-safe. */
#ifndef PK_PROFILE_ELF_IMAGE_H
#define PK_PROFILE_ELF_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct Elf;
typedef struct pk_elf_image pk_elf_image;

/* The file stays open and is read piece by piece, as it is needed. Only a regular file is opened:
 * the paths come from recordings. */
pk_elf_image *pk_elf_image_open(const char *path, pk_err *err) PK_MUST_CHECK;
/* A copy of data[0..bytes): the vdso, which is no file. `name` is what pk_elf_image_path gives. */
pk_elf_image *pk_elf_image_copy(const void *data, size_t bytes, const char *name,
                                pk_err *err) PK_MUST_CHECK;
void pk_elf_image_free(pk_elf_image *image);

const char *pk_elf_image_path(const pk_elf_image *image);
/* libelf's handle, which the image keeps. */
struct Elf *pk_elf_image_elf(const pk_elf_image *image);

/* The address that the byte at `offset` of the file has in the file's own numbering (that of its
 * symbols), through the PT_LOAD that holds it. The two numberings differ by another amount in each
 * segment. An executable segment is preferred, since linkers may let two segments share a page of
 * the file; a segment also covers the rest of its first and last page, as its mapping does. False:
 * no segment has it. */
bool pk_elf_image_vaddr(const pk_elf_image *image, uint64_t offset, uint64_t *vaddr) PK_MUST_CHECK;

/* out[0..bytes) = the file's bytes from `offset` on; false: it has not so many. */
bool pk_elf_image_read(const pk_elf_image *image, uint64_t offset, void *out,
                       size_t bytes) PK_MUST_CHECK;

/* The build-id, *bytes long, valid as long as the image; NULL without one. */
const uint8_t *pk_elf_image_build_id(const pk_elf_image *image, size_t *bytes);
/* Do both have a build-id, and is it the same? */
bool pk_elf_image_same_build(const pk_elf_image *a, const pk_elf_image *b);
/* The file name in .gnu_debuglink and the CRC-32 of that file; NULL without one. */
const char *pk_elf_image_debug_link(const pk_elf_image *image, uint32_t *crc);
/* Has it a section of this name with content? */
bool pk_elf_image_has_section(const pk_elf_image *image, const char *name);

#endif

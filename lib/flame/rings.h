/* The memory that the kernel writes records into: one ring for each CPU, shared by all events there
 * (perf_event_open(2), "MMAP layout"). */
#ifndef PK_FLAME_RINGS_H
#define PK_FLAME_RINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct pk_ring {
    void *pages;         /* the header page and `bytes` of data behind it; NULL: not mapped */
    unsigned char *data; /* bytes, a power of two */
    size_t bytes;
} pk_ring;

/* Maps the ring of an event; bytes is a power of two and at least a page. 0, or an errno value:
 * EPERM where more memory would be locked than allowed. */
int pk_ring_map(int fd, size_t bytes, pk_ring *ring);
void pk_ring_unmap(pk_ring *ring); /* one that is not mapped is fine */

/* One record, whole and in one piece, until the call returns. False with *err stops. */
typedef bool pk_ring_visitor(void *context, const unsigned char *bytes, size_t n, pk_err *err);

/* Gives out what is there, oldest first; each record's room is the kernel's again when `each` has
 * returned. joined: PK_RECORD_BYTES_MAX bytes, for records that lie across the end. False: `each`
 * said so, or the ring holds what is no record. */
bool pk_ring_drain(const pk_ring *ring, unsigned char *joined, pk_ring_visitor *each, void *context,
                   pk_err *err) PK_MUST_CHECK;

#endif

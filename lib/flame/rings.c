#include "flame/rings.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "flame/record.h"

static size_t page_bytes(void) {
    return (size_t)sysconf(_SC_PAGESIZE);
}

int pk_ring_map(int fd, size_t bytes, pk_ring *ring) {
    void *pages = mmap(NULL, page_bytes() + bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (pages == MAP_FAILED) return errno;
    *ring =
        (pk_ring){.pages = pages, .data = (unsigned char *)pages + page_bytes(), .bytes = bytes};
    return 0;
}

void pk_ring_unmap(pk_ring *ring) {
    if (ring->pages) munmap(ring->pages, page_bytes() + ring->bytes);
    *ring = (pk_ring){0};
}

/* The record of n bytes at this place, which may go on at the ring's beginning. */
static const unsigned char *in_one_piece(const pk_ring *ring, size_t at, size_t n,
                                         unsigned char *joined) {
    size_t first = ring->bytes - at;
    if (n <= first) return ring->data + at;
    memcpy(joined, ring->data + at, first);
    memcpy(joined + first, ring->data, n - first);
    return joined;
}

bool pk_ring_drain(const pk_ring *ring, unsigned char *joined, pk_ring_visitor *each, void *context,
                   pk_err *err) {
    struct perf_event_mmap_page *page = ring->pages;
    /* What was written before data_head moved is seen after it was read; and we have read before
     * data_tail moves. */
    uint64_t head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE), tail = page->data_tail;
    bool ok = true;
    while (ok && tail < head) {
        size_t at = (size_t)(tail & (ring->bytes - 1)), left = (size_t)(head - tail);
        /* Records are of whole words, so a header never lies across the end. */
        size_t n = left <= ring->bytes ? pk_record_size(ring->data + at, left) : 0;
        if (n == 0 || n > left || n % sizeof(uint64_t) != 0) {
            pk_fail(err, PK_E_INTERNAL, NULL, "a ring of the kernel holds what is no record");
            tail = head;
            ok = false;
        } else {
            ok = each(context, in_one_piece(ring, at, n, joined), n, err);
            tail += n;
        }
        __atomic_store_n(&page->data_tail, tail, __ATOMIC_RELEASE);
    }
    return ok;
}

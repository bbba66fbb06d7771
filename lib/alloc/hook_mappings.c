/* mmap, munmap and mremap, where they are to be counted (PK_ALLOC_MAPPINGS). What is mapped is kept
 * as a sorted list of ranges: unlike blocks of malloc they go in parts. A lock is held over the
 * system call and the change of the list, or another thread could be given the range in between;
 * the kernel lets one at a time do this anyway. */
#include "alloc/hook.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "alloc/hook_hot.h"

#define ENTRY __attribute__((visibility("default"), noinline))
#define FRAME ((const uint64_t *)__builtin_frame_address(0))
#define RANGES_FIRST 256u

static uint64_t whole_pages(size_t bytes) {
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    return (bytes + page - 1) & ~(page - 1);
}

/* A thread that counts, with the list locked; NULL: this call is not counted. What a handler does
 * that interrupted one of these is not. */
static pk_hook_thread *begin(void) {
    if (!(pk_hook.flags & PK_ALLOC_MAPPINGS)) return NULL;
    pk_hook_thread *t = pk_hook_enter();
    if (!t) return NULL;
    pk_hook_ranges *ranges = &pk_hook.process->ranges;
    uint32_t free = 0;
    while (!atomic_compare_exchange_weak(&ranges->lock, &free, 1)) {
        free = 0;
        if (!t->borrowed) {
            sched_yield();
            continue;
        }
        pk_hook_leave(t);
        return NULL;
    }
    return t;
}

static void end(pk_hook_thread *t) {
    atomic_store(&pk_hook.process->ranges.lock, 0);
    pk_hook_leave(t);
}

static void credit_part(pk_hook_thread *t, const pk_hook_range *range, uint64_t bytes, bool first) {
    bool own = pk_hook.chunks[range->cell / PK_IMAGE_CELLS].thread == t->number;
    pk_image_cell *cell = own ? pk_hook_cell_at(range->cell) : pk_hook_foreign_cell(t, range->cell);
    pk_hook_grown(t);
    t->image->frees += first;
    t->image->freed_bytes += bytes;
    if (cell) {
        pk_hook_keep_peak(t, cell);
        cell->freed_calls += first;
        cell->freed_bytes += bytes;
    }
    pk_hook_less(t, (int64_t)bytes);
}

/* Room for two more, as cutting one in its middle and adding another takes. */
static bool make_room(pk_hook_ranges *ranges) {
    if (ranges->n + 2 <= ranges->capacity) return true;
    uint32_t capacity = ranges->capacity ? ranges->capacity * 2 : RANGES_FIRST;
    pk_hook_range *larger = pk_hook_memory(capacity * sizeof *larger, MADV_DONTFORK);
    if (!larger) return false;
    if (ranges->items) {
        memcpy(larger, ranges->items, ranges->n * sizeof *larger);
        pk_hook_unmap(ranges->items, ranges->capacity * sizeof *larger);
    }
    ranges->items = larger;
    ranges->capacity = capacity;
    return true;
}

static void insert(pk_hook_ranges *ranges, uint32_t at, pk_hook_range range) {
    memmove(ranges->items + at + 1, ranges->items + at, (ranges->n - at) * sizeof *ranges->items);
    ranges->items[at] = range;
    ranges->n++;
}

/* [low, high) is not mapped any more. */
static void take(pk_hook_thread *t, uint64_t low, uint64_t high) {
    pk_hook_ranges *ranges = &pk_hook.process->ranges;
    if (!make_room(ranges)) return;
    for (uint32_t i = 0; i < ranges->n && ranges->items[i].low < high;) {
        pk_hook_range *range = &ranges->items[i], was = *range;
        if (was.high <= low) {
            i++;
            continue;
        }
        uint64_t from = low > was.low ? low : was.low, to = high < was.high ? high : was.high;
        credit_part(t, &was, to - from, was.first && from == was.low);
        pk_hook_range behind = {to, was.high, was.cell, false};
        range->high = from;
        if (was.low < from) {
            i++;
            if (to < was.high) insert(ranges, i++, behind);
        } else if (to < was.high) {
            *range = behind;
            i++;
        } else {
            memmove(range, range + 1, (ranges->n - i - 1) * sizeof *range);
            ranges->n--;
        }
    }
}

static void add(pk_hook_thread *t, uint64_t low, uint64_t bytes, const uint64_t *frame) {
    pk_hook_ranges *ranges = &pk_hook.process->ranges;
    pk_hook_found found = pk_hook_find_cell(t, PK_CALL_MMAP, frame);
    t->image->calls++;
    t->image->bytes += bytes;
    t->image->sizes[pk_image_size_class(bytes)]++;
    if (!found.cell) return;
    pk_hook_keep_peak(t, found.cell);
    found.cell->calls++;
    found.cell->bytes += bytes;
    if (!(t->flags & PK_ALLOC_LIVE) || !make_room(ranges)) return;
    uint32_t at = 0;
    while (at < ranges->n && ranges->items[at].low < low) at++;
    insert(ranges, at, (pk_hook_range){low, low + bytes, found.number, true});
    t->last = NULL;
    pk_hook_more(t, (int64_t)bytes);
}

/* ---- the functions ---- */

ENTRY void *mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset) {
    pk_hook_thread *t = begin();
    void *p = pk_hook_map(address, bytes, protection, flags, fd, offset);
    if (!t) return p;
    int error = errno;
    if (p != MAP_FAILED) {
        uint64_t low = (uint64_t)p, size = whole_pages(bytes);
        take(t, low, low + size); /* MAP_FIXED puts it in place of others */
        add(t, low, size, FRAME);
    }
    end(t);
    errno = error;
    return p;
}

ENTRY void *mmap64(void *address, size_t bytes, int protection, int flags, int fd, off_t offset)
    __attribute__((alias("mmap")));

ENTRY int munmap(void *address, size_t bytes) {
    pk_hook_thread *t = begin();
    int result = pk_hook_unmap(address, bytes);
    if (!t) return result;
    int error = errno;
    if (result == 0) take(t, (uint64_t)address, (uint64_t)address + whole_pages(bytes));
    end(t);
    errno = error;
    return result;
}

ENTRY void *mremap(void *address, size_t old_bytes, size_t bytes, int flags, ...) {
    va_list more;
    va_start(more, flags);
    void *wanted = flags & MREMAP_FIXED ? va_arg(more, void *) : NULL;
    va_end(more);
    pk_hook_thread *t = begin();
    void *p = (void *)syscall(SYS_mremap, address, old_bytes, bytes, flags, wanted);
    if (!t) return p;
    int error = errno;
    if (p != MAP_FAILED) {
        uint64_t low = (uint64_t)p, size = whole_pages(bytes);
        take(t, (uint64_t)address, (uint64_t)address + whole_pages(old_bytes));
        take(t, low, low + size);
        add(t, low, size, FRAME);
    }
    end(t);
    errno = error;
    return p;
}

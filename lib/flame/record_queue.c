#include "flame/record_queue.h"

#include <stdlib.h>
#include <string.h>

#define RECORDS_MAX (256u << 20)
#define BLOCK_BYTES (1u << 20) /* holds at least 16 records of any size */

struct pk_record_block {
    pk_record_block *next; /* spare ones */
    size_t used, live;     /* records that are still queued */
    unsigned char bytes[BLOCK_BYTES];
};

void pk_record_queue_init(pk_record_queue *queue) {
    *queue = (pk_record_queue){.heap = PK_ARRAY(pk_queued_record, RECORDS_MAX)};
}

void pk_record_queue_fini(pk_record_queue *queue) {
    pk_queued_record record;
    pk_record_queue_end(queue);
    while (pk_record_queue_pop(queue, &record)) pk_record_queue_done(queue, &record);
    free(queue->open);
    for (pk_record_block *block = queue->spare, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    pk_array_fini(&queue->heap);
    *queue = (pk_record_queue){0};
}

/* ---- blocks ---- */

static void put_aside(pk_record_queue *queue, pk_record_block *block) {
    block->used = 0;
    block->next = queue->spare;
    queue->spare = block;
}

/* A block with room for n more bytes. A full one is owned by its records. */
static pk_record_block *block_for(pk_record_queue *queue, size_t n) {
    pk_record_block *block = queue->open;
    if (block && block->used + n <= BLOCK_BYTES) return block;
    if (block && block->live == 0) {
        block->used = 0;
        return block;
    }
    pk_record_block *fresh = queue->spare;
    if (fresh) queue->spare = fresh->next;
    else fresh = malloc(sizeof *fresh);
    if (!fresh) return NULL;
    fresh->used = fresh->live = 0;
    fresh->next = NULL;
    return queue->open = fresh;
}

/* Aligned as in a ring, so that words of the record are too. */
static unsigned char *store(pk_record_queue *queue, const unsigned char *bytes, size_t n) {
    pk_record_block *block = block_for(queue, n);
    if (!block) return NULL;
    unsigned char *at = block->bytes + block->used;
    memcpy(at, bytes, n);
    block->used += (n + 7) & ~(size_t)7;
    block->live++;
    return at;
}

/* ---- the heap ---- */

static bool before(const pk_queued_record *a, const pk_queued_record *b) {
    return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->arrival < b->arrival;
}

static pk_queued_record *at(pk_record_queue *queue, size_t i) {
    return &PK_AT(&queue->heap, pk_queued_record, i);
}

static void sift_up(pk_record_queue *queue, size_t i) {
    pk_queued_record moving = *at(queue, i);
    for (; i > 0 && before(&moving, at(queue, (i - 1) / 2)); i = (i - 1) / 2)
        *at(queue, i) = *at(queue, (i - 1) / 2);
    *at(queue, i) = moving;
}

static void sift_down(pk_record_queue *queue) {
    size_t n = queue->heap.count, i = 0;
    pk_queued_record moving = *at(queue, 0);
    for (size_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && before(at(queue, child + 1), at(queue, child))) child++;
        if (!before(at(queue, child), &moving)) break;
        *at(queue, i) = *at(queue, child);
    }
    *at(queue, i) = moving;
}

bool pk_record_queue_push(pk_record_queue *queue, uint64_t time_ns, const unsigned char *bytes,
                          size_t n, bool copy, pk_err *err) {
    pk_queued_record *slot = pk_array_push(&queue->heap);
    const unsigned char *kept = slot && copy ? store(queue, bytes, n) : bytes;
    if (!slot || !kept) {
        if (slot) queue->heap.count--;
        pk_fail(err, PK_E_LIMIT, NULL, "not enough memory to put %zu records in order",
                queue->heap.count);
        return false;
    }
    *slot = (pk_queued_record){.time_ns = time_ns,
                               .arrival = queue->arrivals++,
                               .bytes = kept,
                               .n_bytes = (uint32_t)n,
                               .block = copy ? queue->open : NULL};
    if (time_ns > queue->newest_ns) queue->newest_ns = time_ns;
    sift_up(queue, queue->heap.count - 1);
    return true;
}

void pk_record_queue_round(pk_record_queue *queue) {
    queue->limit_ns = queue->newest_of_round_ns;
    queue->newest_of_round_ns = queue->newest_ns;
}

void pk_record_queue_end(pk_record_queue *queue) {
    queue->at_end = true;
}

bool pk_record_queue_pop(pk_record_queue *queue, pk_queued_record *record) {
    if (queue->heap.count == 0) return false;
    if (!queue->at_end && at(queue, 0)->time_ns > queue->limit_ns) return false;
    *record = *at(queue, 0);
    *at(queue, 0) = *at(queue, queue->heap.count - 1);
    if (--queue->heap.count > 0) sift_down(queue);
    return true;
}

void pk_record_queue_done(pk_record_queue *queue, const pk_queued_record *record) {
    pk_record_block *block = record->block;
    if (block && --block->live == 0 && block != queue->open) put_aside(queue, block);
}

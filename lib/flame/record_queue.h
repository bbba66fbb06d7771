/* Puts records in order of time. perf writes what it takes from one ring after the other, so a file
 * is ordered only by rounds: what is older than the newest record of the round before the last can
 * be given out (perf's FINISHED_ROUND). A binary heap; equal times keep their order of arrival. */
#ifndef PK_FLAME_RECORD_QUEUE_H
#define PK_FLAME_RECORD_QUEUE_H

#include <stdint.h>

#include "base/array.h"

typedef struct pk_record_block pk_record_block;

typedef struct pk_queued_record {
    uint64_t time_ns, arrival;
    const unsigned char *bytes; /* n_bytes */
    uint32_t n_bytes;
    pk_record_block *block; /* that holds a copy; NULL: the bytes are somebody else's */
} pk_queued_record;

typedef struct pk_record_queue {
    pk_array heap;
    uint64_t arrivals, newest_ns, newest_of_round_ns, limit_ns;
    bool at_end;
    pk_record_block *open, *spare; /* being filled; to be used again */
} pk_record_queue;

void pk_record_queue_init(pk_record_queue *queue);
void pk_record_queue_fini(pk_record_queue *queue);
/* copy: bytes do not outlive the call. PK_E_LIMIT without memory. */
bool pk_record_queue_push(pk_record_queue *queue, uint64_t time_ns, const unsigned char *bytes,
                          size_t n, bool copy, pk_err *err) PK_MUST_CHECK;
void pk_record_queue_round(pk_record_queue *queue); /* FINISHED_ROUND */
void pk_record_queue_end(pk_record_queue *queue);   /* no more will come: all may go */
/* The oldest record whose turn it is; false: none yet. It must be given back. */
bool pk_record_queue_pop(pk_record_queue *queue, pk_queued_record *record);
void pk_record_queue_done(pk_record_queue *queue, const pk_queued_record *record);

#endif

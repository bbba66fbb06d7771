/* Which thread an event was opened for. A thread that begins while a process is being attached to
 * is found in /proc and gets events of its own, and may have inherited those of the thread that
 * made it as well: then each of its samples comes twice. Records carry the id of the event that was
 * opened (PERF_SAMPLE_IDENTIFIER), so those that it inherited can be told. */
#ifndef PK_FLAME_OWNERS_H
#define PK_FLAME_OWNERS_H

#include <stdint.h>
#include <sys/types.h>

#include "base/array.h"
#include "flame/record.h"

typedef struct pk_owners {
    pk_array ids;  /* of events, ascending: the kernel counts them up */
    pk_array late; /* pid_t: threads that were found after the first look */
} pk_owners;

void pk_owners_init(pk_owners *owners);
void pk_owners_fini(pk_owners *owners);
/* An event of this id was opened for the thread. False: out of memory. */
bool pk_owners_add(pk_owners *owners, uint64_t id, pid_t tid) PK_MUST_CHECK;
/* The thread may have inherited events. */
bool pk_owners_add_late(pk_owners *owners, pid_t tid) PK_MUST_CHECK;

/* Whether a sample or switch, parsed from bytes[0..n), comes a second time. A record of a thread's
 * end is taken note of: its number may be given to another. */
bool pk_owners_twice(pk_owners *owners, const pk_record *record, const unsigned char *bytes,
                     size_t n);

#endif

#include "flame/owners.h"

#include <stdlib.h>
#include <string.h>

enum { EVENTS_MAX = 1 << 23, LATE_MAX = 1 << 22 };

typedef struct owner {
    uint64_t id;
    pid_t tid;
} owner;

void pk_owners_init(pk_owners *owners) {
    *owners = (pk_owners){.ids = PK_ARRAY(owner, EVENTS_MAX), .late = PK_ARRAY(pid_t, LATE_MAX)};
}

void pk_owners_fini(pk_owners *owners) {
    pk_array_fini(&owners->ids);
    pk_array_fini(&owners->late);
}

bool pk_owners_add(pk_owners *owners, uint64_t id, pid_t tid) {
    owner *slot = pk_array_push(&owners->ids);
    if (!slot) return false;
    size_t i = owners->ids.count - 1;
    for (; i > 0 && PK_AT(&owners->ids, owner, i - 1).id > id; i--)
        PK_AT(&owners->ids, owner, i) = PK_AT(&owners->ids, owner, i - 1);
    PK_AT(&owners->ids, owner, i) = (owner){id, tid};
    return true;
}

bool pk_owners_add_late(pk_owners *owners, pid_t tid) {
    pid_t *slot = pk_array_push(&owners->late);
    if (slot) *slot = tid;
    return slot != NULL;
}

static size_t find_late(const pk_owners *owners, uint32_t tid) {
    size_t i = 0;
    while (i < owners->late.count && (uint32_t)PK_AT(&owners->late, pid_t, i) != tid) i++;
    return i;
}

static int by_id(const void *a, const void *b) {
    uint64_t x = ((const owner *)a)->id, y = ((const owner *)b)->id;
    return (x > y) - (x < y);
}

bool pk_owners_twice(pk_owners *owners, const pk_record *record, const unsigned char *bytes,
                     size_t n) {
    bool sample = record->type == PK_RECORD_SAMPLE;
    if (owners->late.count == 0) return false;
    if (!sample && record->type != PK_RECORD_SWITCH && record->type != PK_RECORD_EXIT) return false;
    size_t late = find_late(owners, record->tid);
    if (late == owners->late.count) return false;
    if (record->type == PK_RECORD_EXIT) {
        PK_AT(&owners->late, pid_t, late) = PK_AT(&owners->late, pid_t, owners->late.count - 1);
        owners->late.count--;
        return false;
    }
    /* The identifier: a sample's first word, the last one of others. */
    owner wanted = {0};
    if (n < PK_RECORD_HEADER_BYTES + sizeof wanted.id) return false;
    memcpy(&wanted.id, sample ? bytes + PK_RECORD_HEADER_BYTES : bytes + n - sizeof wanted.id,
           sizeof wanted.id);
    const owner *found =
        bsearch(&wanted, owners->ids.items, owners->ids.count, sizeof wanted, by_id);
    return found && (uint32_t)found->tid != record->tid;
}

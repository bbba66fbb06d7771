#include "profile/address_space.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "profile/names.h"

/* Linux allows 65530 maps in a process unless told otherwise (vm.max_map_count). */
#define MAPS_MAX (1u << 20)
#define MAPS_OF_ALL_MAX (1u << 26)
#define IDS_MAX (1u << 23)
#define SLOTS_FIRST 64u /* a power of two */

/* ---- numbers of processes and threads to places in an array ---- */

typedef struct id_table {
    uint32_t *slots; /* n_slots, open addressing: place + 1; 0: free */
    size_t n_slots;
} id_table;

/* Each item begins with its number. */
static uint32_t id_at(const pk_array *items, size_t i) {
    uint32_t id;
    assert(i < items->count && items->items);
    memcpy(&id, (const char *)items->items + i * items->item_bytes, sizeof id);
    return id;
}

static uint32_t *slot_of(const id_table *in, const pk_array *items, uint32_t id) {
    size_t mask = in->n_slots - 1;
    for (size_t i = id * UINT64_C(0x9e3779b97f4a7c15) >> 32 & mask;; i = (i + 1) & mask) {
        uint32_t *slot = &in->slots[i];
        if (!*slot || id_at(items, *slot - 1) == id) return slot;
    }
}

static void *look_up(const id_table *in, const pk_array *items, uint32_t id) {
    if (in->n_slots == 0) return NULL;
    uint32_t slot = *slot_of(in, items, id);
    return slot ? (char *)items->items + (slot - 1) * items->item_bytes : NULL;
}

static bool grow(id_table *in, const pk_array *items) {
    size_t n = in->n_slots ? in->n_slots * 2 : SLOTS_FIRST;
    uint32_t *slots = calloc(n, sizeof *slots);
    if (!slots) return false;
    free(in->slots);
    in->slots = slots;
    in->n_slots = n;
    for (size_t i = 0; i < items->count; i++)
        *slot_of(in, items, id_at(items, i)) = (uint32_t)i + 1;
    return true;
}

/* The item with this number, a new zeroed one if there was none. It stays at its place, but the
 * array may move. NULL: out of memory. */
static void *look_up_or_add(id_table *in, pk_array *items, uint32_t id) {
    void *item = look_up(in, items, id);
    if (item) return item;
    if (items->count * 2 >= in->n_slots && !grow(in, items)) return NULL;
    item = pk_array_push(items);
    if (!item) return NULL;
    memcpy(item, &id, sizeof id);
    *slot_of(in, items, id) = (uint32_t)items->count;
    return item;
}

/* ---- processes and threads ---- */

typedef struct process {
    uint32_t pid;
    uint32_t n_threads; /* that are known and alive */
    uint64_t version;
    pk_array maps; /* of pk_map, apart from each other, ascending */
} process;

typedef struct thread {
    uint32_t tid;
    uint32_t pid;
    uint32_t name;
    bool alive;
} thread;

struct pk_spaces {
    pk_array processes, threads;
    id_table by_pid, by_tid;
    size_t n_maps; /* of all processes */
    uint64_t versions;
};

static bool too_much(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "not enough memory for the maps of all processes");
    return false;
}

pk_spaces *pk_spaces_new(void) {
    pk_spaces *spaces = calloc(1, sizeof *spaces);
    if (!spaces) return NULL;
    spaces->processes = PK_ARRAY(process, IDS_MAX);
    spaces->threads = PK_ARRAY(thread, IDS_MAX);
    return spaces;
}

void pk_spaces_free(pk_spaces *spaces) {
    if (!spaces) return;
    for (size_t i = 0; i < spaces->processes.count; i++)
        pk_array_fini(&PK_AT(&spaces->processes, process, i).maps);
    pk_array_fini(&spaces->processes);
    pk_array_fini(&spaces->threads);
    free(spaces->by_pid.slots);
    free(spaces->by_tid.slots);
    free(spaces);
}

static process *find_process(const pk_spaces *spaces, uint32_t pid) {
    return look_up(&spaces->by_pid, &spaces->processes, pid);
}

static thread *find_thread(const pk_spaces *spaces, uint32_t tid) {
    return look_up(&spaces->by_tid, &spaces->threads, tid);
}

static process *need_process(pk_spaces *spaces, uint32_t pid) {
    process *p = look_up_or_add(&spaces->by_pid, &spaces->processes, pid);
    if (p && p->version == 0) {
        p->maps = PK_ARRAY(pk_map, MAPS_MAX);
        p->version = ++spaces->versions;
    }
    return p;
}

/* The thread, alive and of this process. */
static thread *need_thread(pk_spaces *spaces, uint32_t pid, uint32_t tid) {
    size_t before = spaces->threads.count;
    thread *t = look_up_or_add(&spaces->by_tid, &spaces->threads, tid);
    if (!t) return NULL;
    if (spaces->threads.count > before) t->name = PK_NAME_NONE;
    if (t->alive && t->pid == pid) return t;
    process *now = need_process(spaces, pid);
    if (!now) return NULL;
    process *old = t->alive ? find_process(spaces, t->pid) : NULL;
    if (old) old->n_threads--;
    now->n_threads++;
    t->pid = pid;
    t->alive = true;
    return t;
}

static void clear_maps(pk_spaces *spaces, process *p) {
    spaces->n_maps -= p->maps.count;
    pk_array_fini(&p->maps);
    p->maps = PK_ARRAY(pk_map, MAPS_MAX);
    p->version = ++spaces->versions;
}

/* ---- events ---- */

/* How many maps end at or below the address: the place of the first that does not. */
static size_t first_beyond(const pk_array *maps, uint64_t address) {
    size_t low = 0, high = maps->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (PK_AT(maps, pk_map, middle).end <= address) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* Replaces the maps [from, from + old) by items[0..n). */
static bool splice(pk_array *maps, size_t from, size_t old, const pk_map items[], size_t n) {
    size_t behind = maps->count - from - old, count = maps->count;
    for (size_t i = old; i < n; i++)
        if (!pk_array_push(maps)) return false;
    pk_map *all = maps->items;
    memmove(all + from + n, all + from + old, behind * sizeof *all);
    memcpy(all + from, items, n * sizeof *all);
    maps->count = count - old + n;
    return true;
}

bool pk_spaces_map(pk_spaces *spaces, uint32_t pid, const pk_map *map, pk_err *err) {
    if (map->begin >= map->end) return true;
    process *p = need_process(spaces, pid);
    if (!p || spaces->n_maps + 2 > MAPS_OF_ALL_MAX) return too_much(err);
    size_t from = first_beyond(&p->maps, map->begin), to = from;
    while (to < p->maps.count && PK_AT(&p->maps, pk_map, to).begin < map->end) to++;
    /* What is left of the first and of the last one that it overlaps, which may be the same one. */
    pk_map items[3];
    size_t n = 0;
    if (to > from && PK_AT(&p->maps, pk_map, from).begin < map->begin) {
        items[n] = PK_AT(&p->maps, pk_map, from);
        items[n++].end = map->begin;
    }
    items[n++] = *map;
    if (to > from && PK_AT(&p->maps, pk_map, to - 1).end > map->end) {
        items[n] = PK_AT(&p->maps, pk_map, to - 1);
        items[n].offset += map->end - items[n].begin;
        items[n++].begin = map->end;
    }
    size_t before = p->maps.count;
    if (!splice(&p->maps, from, to - from, items, n)) return too_much(err);
    spaces->n_maps = spaces->n_maps - before + p->maps.count;
    p->version = ++spaces->versions;
    return true;
}

static bool copy_maps(pk_spaces *spaces, uint32_t pid, uint32_t parent_pid) {
    if (!need_process(spaces, parent_pid) || !need_process(spaces, pid)) return false;
    process *child = find_process(spaces, pid), *parent = find_process(spaces, parent_pid);
    clear_maps(spaces, child);
    size_t n = parent->maps.count;
    if (spaces->n_maps + n > MAPS_OF_ALL_MAX) return false;
    for (size_t i = 0; i < n; i++) {
        pk_map *map = pk_array_push(&child->maps);
        if (!map) return false;
        *map = PK_AT(&parent->maps, pk_map, i);
        spaces->n_maps++;
    }
    return true;
}

bool pk_spaces_fork(pk_spaces *spaces, uint32_t pid, uint32_t tid, uint32_t parent_pid,
                    uint32_t parent_tid, pk_err *err) {
    if (pid != parent_pid && !copy_maps(spaces, pid, parent_pid)) return too_much(err);
    uint32_t name = pk_spaces_name(spaces, parent_pid, parent_tid);
    thread *t = need_thread(spaces, pid, tid);
    if (!t) return too_much(err);
    t->name = name;
    return true;
}

bool pk_spaces_comm(pk_spaces *spaces, uint32_t pid, uint32_t tid, uint32_t name, bool exec,
                    pk_err *err) {
    thread *t = need_thread(spaces, pid, tid);
    if (!t) return too_much(err);
    t->name = name;
    process *p = find_process(spaces, pid);
    if (exec && p) clear_maps(spaces, p);
    return true;
}

void pk_spaces_exit(pk_spaces *spaces, uint32_t pid, uint32_t tid) {
    thread *t = find_thread(spaces, tid);
    if (!t || !t->alive || t->pid != pid) return;
    t->alive = false;
    process *p = find_process(spaces, pid);
    if (!p || --p->n_threads > 0) return;
    /* Threads that no record told of may live on as long as the first one does. */
    const thread *first = find_thread(spaces, pid);
    if (first && !first->alive) clear_maps(spaces, p);
}

/* ---- questions ---- */

const pk_map *pk_spaces_find(const pk_spaces *spaces, uint32_t pid, uint64_t address) {
    const process *p = find_process(spaces, pid);
    if (!p) return NULL;
    size_t i = first_beyond(&p->maps, address);
    if (i == p->maps.count) return NULL;
    const pk_map *map = &PK_AT(&p->maps, pk_map, i);
    return map->begin <= address ? map : NULL;
}

const pk_map *pk_spaces_maps(const pk_spaces *spaces, uint32_t pid, size_t *n) {
    const process *p = find_process(spaces, pid);
    *n = p ? p->maps.count : 0;
    return p ? p->maps.items : NULL;
}

uint64_t pk_spaces_version(const pk_spaces *spaces, uint32_t pid) {
    const process *p = find_process(spaces, pid);
    return p ? p->version : 0;
}

uint32_t pk_spaces_name(const pk_spaces *spaces, uint32_t pid, uint32_t tid) {
    const thread *t = find_thread(spaces, tid);
    if (t && t->name != PK_NAME_NONE && t->pid == pid) return t->name;
    t = find_thread(spaces, pid);
    return t && t->pid == pid ? t->name : PK_NAME_NONE;
}

/* What is mapped where in each process, and how each thread is called, as a recording tells it: the
 * events are applied in the order of their times, and what is asked is about the last moment.
 * Files and names are numbers of the caller (pk_names). Not thread-safe. */
#ifndef PK_PROFILE_ADDRESS_SPACE_H
#define PK_PROFILE_ADDRESS_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* The kernel is the process -1, in perf.data as well. */
#define PK_PID_KERNEL UINT32_MAX

typedef struct pk_map {
    uint64_t begin, end; /* [begin, end) in memory */
    uint64_t offset;     /* of `begin` in the file; for the kernel's map what the record says */
    uint32_t file;
} pk_map;

typedef struct pk_spaces pk_spaces;

/* NULL: out of memory. */
pk_spaces *pk_spaces_new(void);
void pk_spaces_free(pk_spaces *spaces);

/* A new map takes the place of what it overlaps: older maps are cut, split, or go. An empty one,
 * or one that ends beyond 2^64, changes nothing. False (PK_E_LIMIT): out of memory, or more maps
 * than a bound. */
bool pk_spaces_map(pk_spaces *spaces, uint32_t pid, const pk_map *map, pk_err *err) PK_MUST_CHECK;
/* A thread begins with the name of the one that made it; if that is of another process, so does a
 * process, with a copy of its maps (also when its number was in use before). */
bool pk_spaces_fork(pk_spaces *spaces, uint32_t pid, uint32_t tid, uint32_t parent_pid,
                    uint32_t parent_tid, pk_err *err) PK_MUST_CHECK;
/* A thread's name from now on. `exec`: with a new program, so nothing of the old one is mapped. */
bool pk_spaces_comm(pk_spaces *spaces, uint32_t pid, uint32_t tid, uint32_t name, bool exec,
                    pk_err *err) PK_MUST_CHECK;
/* A thread ends; after the last one of a process its maps go. */
void pk_spaces_exit(pk_spaces *spaces, uint32_t pid, uint32_t tid);

/* The map that holds an address, valid until the next event; NULL: none. The byte lies in its file
 * at address - begin + offset. */
const pk_map *pk_spaces_find(const pk_spaces *spaces, uint32_t pid, uint64_t address);
/* All maps of a process in the order of addresses; NULL and 0 for an unknown one. */
const pk_map *pk_spaces_maps(const pk_spaces *spaces, uint32_t pid, size_t *n);
/* Changes whenever the maps of the process do, and is never used twice: for what is made of them
 * all, such as an unwinder's state. 0 for an unknown process. */
uint64_t pk_spaces_version(const pk_spaces *spaces, uint32_t pid);
/* The thread's name, else that of its process (the thread whose number is pid); PK_NAME_NONE. */
uint32_t pk_spaces_name(const pk_spaces *spaces, uint32_t pid, uint32_t tid);

#endif

/* What perfkit and its launcher share: one block of memory that both have mapped, and a socket of
 * packets. A packet from us asks for the starts that the block lists, one after the other (with the
 * descriptors that become the children's 0, 1 and 2), or for the end of what runs; the packet back
 * says that the block holds the answers. */
#ifndef PK_BENCH_LAUNCH_BLOCK_H
#define PK_BENCH_LAUNCH_BLOCK_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

#include "timing/counters.h"

/* The launcher's descriptors when it starts. */
enum { PK_LAUNCH_SOCKET = 0, PK_LAUNCH_MEMORY = 1 };
/* Packets: one byte. */
enum { PK_LAUNCH_START = 's', PK_LAUNCH_STOP = 'x', PK_LAUNCH_DONE = 'd' };
/* Of the block. More than the kernel takes for arguments and environment (a quarter of a stack of
 * 8 MiB) and their pointers; only what is written takes memory. */
#define PK_LAUNCH_BYTES ((size_t)4 << 20)
/* An ended child has so long after SIGTERM before SIGKILL. */
#define PK_LAUNCH_GRACE_NS 200000000ull

typedef enum pk_launch_end {
    PK_LAUNCH_ENDED,
    PK_LAUNCH_TIMED_OUT, /* and was killed */
    PK_LAUNCH_STOPPED,   /* by our packet, and was killed */
    PK_LAUNCH_NOT_CLONED,
    PK_LAUNCH_NOT_EXECUTED
} pk_launch_end;

/* One start. Addresses are the launcher's, times on CLOCK_MONOTONIC. */
typedef struct pk_launch_entry {
    /* The request. */
    uint64_t path, argv, env;

    /* The answer. */
    pk_launch_end end;
    int error; /* errno of PK_LAUNCH_NOT_... */
    int status;
    uint64_t clone_ns, exec_ns, exit_ns; /* exec_ns: taken by the child, just before */
    struct rusage usage;                 /* wait4's: the child and all it waited for */
    pk_counter_values counters;
} pk_launch_entry;

/* Starts that one packet can ask for. */
#define PK_LAUNCHES_MAX 32

typedef struct pk_launch_block {
    uint64_t address; /* of the block, as the launcher sees it; written by the launcher, once */

    /* For all starts. */
    uint64_t timeout_ns; /* 0: none */
    bool own_group;      /* a process group of its own, and it is the group that is killed */
    bool empty_errors;   /* descriptor 2 is memory, to be emptied between them */
    bool limit_cpus;
    cpu_set_t cpus;

    uint32_t n;    /* entries[0..n) are to be started, until one does not end with 0 */
    uint32_t done; /* so many were; their answers are there */
    pk_launch_entry entries[PK_LAUNCHES_MAX];
} pk_launch_block;

#endif

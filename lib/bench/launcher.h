/* Starts commands and says what they took. The starting is done by a small program of its own
 * (launcher_main.c has the reasons); it lives as long as the pk_launcher, and whatever it runs ends
 * with it. One command at a time; not thread-safe. */
#ifndef PK_BENCH_LAUNCHER_H
#define PK_BENCH_LAUNCHER_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "timing/counters.h"

typedef struct pk_launcher pk_launcher;

pk_launcher *pk_launcher_new(pk_err *err) PK_MUST_CHECK;
/* Ends what runs, and the launcher; NULL is fine. */
void pk_launcher_free(pk_launcher *launcher);

typedef struct pk_launch {
    const char *path;        /* as pk_process_find gives it */
    const char *const *argv; /* NULL behind */
    /* "NAME=value", n_variables, in place of those of the same name in our environment. */
    const char *const *variables;
    size_t n_variables;
    int fds[3];            /* what becomes 0, 1 and 2; all are needed, and stay the caller's */
    int drain_fd;          /* the reading end of a pipe, emptied while it runs; -1: none */
    uint64_t timeout_ns;   /* from exec on; 0: none */
    const cpu_set_t *cpus; /* where it may run; NULL: where we may */
    bool own_group;        /* a process group of its own: what is killed is the group */
    pk_interrupt *intr;    /* ends it; may be NULL */
} pk_launch;

typedef struct pk_launched {
    bool stopped;        /* by intr; then killed */
    bool timed_out;      /* then killed; code and signal say how that ended */
    int code, signal;    /* as in pk_exit */
    int exec_errno;      /* it could not be executed; all below is 0 then */
    uint64_t launch_ns;  /* from clone to exec */
    uint64_t running_ns; /* from exec to its end; the timeout, if that ended it */
    struct rusage usage; /* of it and the children that it waited for */
    pk_counter_values counters;
} pk_launched;

/* Starts it and waits for its end. False: the launcher itself failed. A descendant that is left
 * running is left alone, unless the command was killed with its group. */
bool pk_launcher_run(pk_launcher *launcher, const pk_launch *launch, pk_launched *launched,
                     pk_err *err) PK_MUST_CHECK;
/* Several, one after the other without us in between, which would move them from one processor to
 * another: until one does not end with code 0, or is stopped. Everything but path, argv and
 * variables is as in launches[0]; nothing can be drained. empty_errors: fds[2] is memory, and is
 * emptied between them. *done of them have run, at least one and at most PK_LAUNCHER_RUNS_MAX;
 * launched[0..*done) is filled. */
#define PK_LAUNCHER_RUNS_MAX 32u
bool pk_launcher_run_all(pk_launcher *launcher, const pk_launch launches[], size_t n,
                         bool empty_errors, pk_launched launched[], size_t *done,
                         pk_err *err) PK_MUST_CHECK;

/* The peak memory that a program which does nothing reads: what is not above it may be less, since
 * exec carries the launcher's own peak over (linux/fs/exec.c, setmax_mm_hiwater_rss). Measured at
 * the start. */
uint64_t pk_launcher_floor_bytes(const pk_launcher *launcher);

#endif

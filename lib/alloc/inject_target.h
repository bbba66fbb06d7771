/* A running process as one that the hook is to be loaded into: may it be, and where is what. */
#ifndef PK_ALLOC_INJECT_TARGET_H
#define PK_ALLOC_INJECT_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

typedef struct pk_inject_target {
    pid_t pid;
    int memory;                             /* /proc/PID/mem, read and written */
    uint64_t malloc, free, dlopen, dlerror; /* free, dlerror 0: not found */
    uint64_t loader_begin, loader_end;      /* the code of ld.so */
    uint64_t attach, control;               /* of our hook in there; 0: it is not there yet */
    uint64_t hook_begin, hook_end;          /* its code */
} pk_inject_target;

/* The text behind `name` ("TracerPid:") in /proc/PID/status, without blanks in front, into
 * out[0..bytes); false: there is no such process or line. tid may be a thread's. */
bool pk_inject_status(pid_t tid, const char *name, char *out, size_t bytes);

/* Can it be done at all? PK_E_UNSUPPORTED, or PK_E_INPUT without such a process; err says why not
 * and what helps. Nothing is done to the process. */
bool pk_inject_check(pid_t pid, pk_err *err) PK_MUST_CHECK;
/* Does the process find our folder, and may it use the hook there? */
bool pk_inject_reaches(pid_t pid, const char *folder);

/* The error of a process that may not be traced, with the errno that says so. */
void pk_inject_refused(pid_t pid, pk_err *err);

/* Opens its memory; pk_inject_close in any case. */
bool pk_inject_open(pid_t pid, pk_inject_target *target, pk_err *err) PK_MUST_CHECK;
void pk_inject_close(pk_inject_target *target);
/* Looks for the functions of the program. */
bool pk_inject_find(pk_inject_target *target, pk_err *err) PK_MUST_CHECK;
/* Looks for a hook of this very build in the process, and fills attach, control and hook_... */
bool pk_inject_find_hook(pk_inject_target *target);

bool pk_inject_read(const pk_inject_target *target, uint64_t at, void *out, size_t bytes);
bool pk_inject_write(const pk_inject_target *target, uint64_t at, const void *bytes, size_t n);

#endif

/* A command that exists before it runs: its process waits, to be watched from its first
 * instruction, until it is released and becomes the command. For profilers. */
#ifndef PK_BASE_HELD_H
#define PK_BASE_HELD_H

#include "base/process.h"

typedef struct pk_held {
    pk_process process;
    int gate;         /* -1: released */
    const char *name; /* argv[0] */
} pk_held;

/* argv[0] is searched in PATH. The command gets our standard descriptors, environment and process
 * group, default signal handling and an empty mask. argv must outlive it until it is released. What
 * can be seen before is an error here: there is no such program. While it is held it keeps copies
 * of our descriptors open, also of those with close-on-exec; it ends when we end. */
bool pk_held_start(char *const argv[], pk_held *held, pk_err *err) PK_MUST_CHECK;
/* Lets it run; from now on held->process is like one of pk_process_spawn. False: it could not
 * become the command, or had ended before; it is reaped then. */
bool pk_held_release(pk_held *held, pk_err *err) PK_MUST_CHECK;
/* Ends it before it has become anything; does nothing after a release. */
void pk_held_drop(pk_held *held);

#endif

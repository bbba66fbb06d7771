/* A server that a run starts for itself (--serve CMD): start it, find its URL, keep its output
 * flowing so that it never blocks on a full pipe, stop it.
 * Threads: one helper thread inside; call all functions from one thread. */
#ifndef PK_LOAD_TARGET_H
#define PK_LOAD_TARGET_H

#include "base/error.h"
#include "base/interrupt.h"
#include "base/process.h"
#include "load/load.h"

typedef struct pk_load_target pk_load_target;

/* How long a server may take until it listens, and until it has ended after SIGTERM. */
#define PK_LOAD_TARGET_START_NS 15000000000ull
#define PK_LOAD_TARGET_STOP_NS 10000000000ull

/* Starts `command`, split into words without a shell, in a process group of its own.
 * With options->url NULL the URL is taken from the line "listening on URL" on its stdout; else this
 * waits until that URL accepts a connection (by unix_socket and connect_to where they are given).
 * output_fd gets what the server prints on stdout afterwards; -1: it is read and dropped. Not
 * owned. NULL and *err when it cannot be started, ends, does not listen in time or intr fires; then
 * nothing is left running. */
pk_load_target *pk_load_target_start(const char *command, const pk_load_options *options,
                                     int output_fd, pk_interrupt *intr, pk_err *err) PK_MUST_CHECK;
/* Where it listens; valid until stop. */
const char *pk_load_target_url(const pk_load_target *target);
/* Stops it if it still runs and frees everything. True if it had ended before by itself; *exit says
 * how it ended. NULL is fine (false). */
bool pk_load_target_stop(pk_load_target *target, pk_exit *exit);

#endif

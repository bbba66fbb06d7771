/* The hook goes into a running process, and out of use again. Each call traces the process for some
 * milliseconds from a thread of its own, and leaves it running in any case. x86-64. */
#ifndef PK_ALLOC_INJECT_CALL_H
#define PK_ALLOC_INJECT_CALL_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* Loads hook.so of the folder (or takes the one that is there from before) in a thread of the
 * process that has just called the allocator, and has it begin with `settings`. False: it is as it
 * was; PK_E_UNSUPPORTED also where no thread came by within two seconds. SIGCHLD must be blocked.
 */
bool pk_inject_attach(pid_t pid, const char *folder, const char *settings,
                      pk_err *err) PK_MUST_CHECK;
/* The slots lead to the allocator again, and nothing is counted any more; the hook stays where it
 * is. Nothing runs in the process for that, so also one that waits is given back. True for one that
 * has ended or has no hook. */
bool pk_inject_release(pid_t pid, pk_err *err) PK_MUST_CHECK;

#endif

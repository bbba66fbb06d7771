/* Ctrl-C and SIGTERM, in one place. The handler only counts and writes an eventfd; loops poll.
 * The first signal asks for an orderly end, the second ends the process at once with 130.
 * One at a time per process (a signal handler is global by nature). */
#ifndef PK_BASE_INTERRUPT_H
#define PK_BASE_INTERRUPT_H

#include "base/error.h"

typedef struct pk_interrupt pk_interrupt;

/* Installs handlers for SIGINT and SIGTERM and ignores SIGPIPE. NULL and *err on failure. */
pk_interrupt *pk_interrupt_begin(pk_err *err) PK_MUST_CHECK;
/* Restores what was there; NULL is fine. Call it when no other thread uses intr any more. */
void pk_interrupt_end(pk_interrupt *intr);
/* Readable (level-triggered, stays so) from the first signal on; -1 if intr is NULL. */
int pk_interrupt_fd(const pk_interrupt *intr);
/* 0, or the first signal that came. intr may be NULL (0). Any thread. */
int pk_interrupt_signal(const pk_interrupt *intr);

#endif

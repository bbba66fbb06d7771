/* Connections put aside until a moment, holding no thread: MHD's suspend and resume behind a heap
 * of due times. While a connection is suspended MHD neither times it out nor sees its client leave;
 * so each is looked at once a second, and resumed early when its client has closed. */
#ifndef PK_SERVE_SUSPEND_H
#define PK_SERVE_SUSPEND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct MHD_Connection;

typedef struct pk_wait {
    struct MHD_Connection *mhd;
    int fd;
    uint64_t due_ns;  /* PK_WAIT_FOR_EVER: until the client leaves or the server ends */
    uint64_t look_ns; /* next look at the client */
    bool client_left; /* after the resume: the client closed meanwhile */
} pk_wait;
#define PK_WAIT_FOR_EVER UINT64_MAX

/* Of one worker, and called from its thread alone; `count` may be read by others. */
typedef struct pk_suspended {
    pk_wait **heap; /* by the next moment at which something is to be done */
    _Atomic size_t count;
    size_t capacity;
    bool closed;
} pk_suspended;

/* Start zeroed. After pk_suspended_end: */
void pk_suspended_fini(pk_suspended *suspended);

/* Suspends the connection of `wait` until due_ns; from inside its MHD callback. It comes back into
 * the callback afterwards. False: no memory, or ended; the connection is then to be closed. */
bool pk_suspend(pk_suspended *suspended, pk_wait *wait, uint64_t due_ns)
    __attribute__((warn_unused_result));
/* The next moment something is to be done, UINT64_MAX if never. */
uint64_t pk_suspended_next(const pk_suspended *suspended);
/* Resumes what is due at now_ns or was left by its client; with `endless` also what would wait for
 * ever. MHD_run is due then: without a thread of its own, nothing else wakes MHD. */
void pk_suspended_run(pk_suspended *suspended, uint64_t now_ns, bool endless);
/* Resumes all and refuses new ones: MHD_stop_daemon must not meet a suspended connection. */
void pk_suspended_end(pk_suspended *suspended);

#endif

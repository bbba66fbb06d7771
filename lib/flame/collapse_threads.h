/* The threads that samples came from: how each is called in stacks, whether it is wanted, and where
 * it waits off the CPU. */
#ifndef PK_FLAME_COLLAPSE_THREADS_H
#define PK_FLAME_COLLAPSE_THREADS_H

#include "flame/collapse.h"
#include "flame/collapse_maps.h"

typedef struct pk_collapse_thread {
    uint32_t pid, tid;
    uint32_t comm;  /* of the names, when the rest was made; PK_NAME_NONE: not known */
    uint32_t label; /* its first frame */
    bool java, wanted;
    uint32_t number; /* of profile->threads; UINT32_MAX: no sample of it was kept yet */

    bool sampled;       /* where it is about to leave the CPU: */
    uint32_t node;      /* ... of the tree that is filled */
    unsigned end;       /* ... a pk_stack_end */
    bool off;           /* it has left */
    uint64_t off_since; /* ... at */
} pk_collapse_thread;

typedef struct pk_collapse_threads {
    const pk_collapse_options *options;
    const pk_spaces *spaces;
    pk_names *names;
    pk_array all;    /* pk_collapse_thread */
    uint32_t *slots; /* n_slots, open addressing by (pid, tid): place + 1; 0: free */
    size_t n_slots;
    pk_strbuf text;
} pk_collapse_threads;

void pk_collapse_threads_init(pk_collapse_threads *threads, const pk_collapse_options *options,
                              const pk_spaces *spaces, pk_names *names);
void pk_collapse_threads_fini(pk_collapse_threads *threads);

/* The thread as it is called now, valid until the next call; a new one if it is not known. NULL:
 * out of memory. */
pk_collapse_thread *pk_collapse_thread_now(pk_collapse_threads *threads, uint32_t pid, uint32_t tid,
                                           pk_err *err) PK_MUST_CHECK;
/* The same, but NULL if it is not known. */
pk_collapse_thread *pk_collapse_thread_find(const pk_collapse_threads *threads, uint32_t pid,
                                            uint32_t tid);

#endif

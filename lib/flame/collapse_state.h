/* What a collapse holds between records: lib/flame/collapse*.c only. */
#ifndef PK_FLAME_COLLAPSE_STATE_H
#define PK_FLAME_COLLAPSE_STATE_H

#include "flame/collapse.h"
#include "flame/collapse_maps.h"
#include "flame/collapse_stack.h"
#include "flame/collapse_threads.h"

struct pk_collapse {
    const pk_collapse_options *options;
    pk_profile *profile;
    pk_collapse_maps maps;
    pk_stacks stacks;
    pk_collapse_threads threads;

    pk_array verdicts;      /* uint8_t by attr, an event_verdict */
    const char *event_name; /* the whole name of the chosen event; NULL: none has a sample yet */

    uint64_t lost_in_rings, lost_samples; /* as records of these types say */
    uint64_t begin_ns, last_ns;           /* of all records; PK_TIME_NONE: none has a time */

    /* Samples of a chart over time that do not come in the order they are drawn in go to a tree of
     * their own first, and to profile->samples. */
    bool reordered;
    pk_stack_tree merged;
    pk_stack_tree *tree; /* &merged, or that of the profile */
    uint32_t preempted;  /* a name */
    uint32_t *path;      /* room for a stack */
};

/* One sample, or stretch off the CPU, of the stack that ends in `node` of collapse->tree, to which
 * its weight was added already. */
bool pk_collapse_keep(pk_collapse *collapse, pk_collapse_thread *thread,
                      const pk_profile_sample *sample, pk_stack_end end, pk_err *err) PK_MUST_CHECK;
/* ---- off the CPU: collapse_off_cpu.c ---- */

/* A sample at a switch. */
bool pk_off_cpu_sample(pk_collapse *collapse, pk_collapse_thread *thread, uint64_t time_ns,
                       uint32_t node, pk_stack_end end, pk_err *err) PK_MUST_CHECK;
bool pk_off_cpu_switch(pk_collapse *collapse, const pk_record *record, pk_err *err) PK_MUST_CHECK;
/* The thread runs again, or ends. */
bool pk_off_cpu_close(pk_collapse *collapse, pk_collapse_thread *thread, uint64_t time_ns,
                      pk_err *err) PK_MUST_CHECK;

#endif

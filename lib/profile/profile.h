/* A profile: stacks with their weights, what they are weights of, and what is known of how far they
 * can be trusted. What recorders make and every output is made from; complete, and serialisable. */
#ifndef PK_PROFILE_PROFILE_H
#define PK_PROFILE_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/array.h"
#include "profile/stack_tree.h"

typedef struct pk_profile_thread {
    uint32_t pid, tid;
    uint32_t name; /* of profile->names, as it was last; PK_NAME_NONE: not known */
    uint64_t samples;
    uint64_t first_ns, last_ns; /* of its samples */
} pk_profile_thread;

/* One sample of those kept in order, for charts over time. */
typedef struct pk_profile_sample {
    uint64_t time_ns; /* CLOCK_MONOTONIC or the recording's own clock; 0 or UINT64_MAX: not
 known */
    uint32_t thread;  /* of profile->threads */
    uint32_t node;    /* of profile->tree: where its stack ends */
    uint64_t weight;
} pk_profile_sample;

typedef struct pk_profile_module {
    const char *path;
    uint64_t frames;  /* in all stacks, inlined ones not counted */
    uint64_t unknown; /* of them without a name */
    uint64_t lost;    /* stacks that could not be followed further here */
    bool symbols, debug_information, call_frame_information, missing, changed;
} pk_profile_module;

typedef struct pk_profile {
    pk_arena *arena; /* the texts below */
    pk_names *names;
    pk_stack_tree tree; /* weight 0; for a difference two. Not yet summed or sorted */
    pk_array threads;   /* pk_profile_thread, by first sample */
    pk_array samples;   /* pk_profile_sample by time; empty unless asked for */
    pk_array modules;   /* pk_profile_module with frames, the most frames first */

    const char *event;    /* "cpu-clock", "cycles", ...; NULL: not known (folded text) */
    bool weight_is_time;  /* in ns; else in events */
    const char *unit;     /* "ns", or the event's name, or "samples" */
    double frequency_hz;  /* asked for; 0: not known, or a fixed period */
    uint64_t period;      /* fixed; 0: not */
    uint64_t duration_ns; /* of the recording, or of the part that was asked for; 0: not known */
    const char *command, *host, *kernel; /* NULL: not known */

    uint64_t n_samples; /* in the tree */
    uint64_t lost;      /* that the kernel could not hand over */
    uint64_t throttled; /* times the kernel held sampling back */
    uint64_t
        truncated; /* stacks cut because their copy was too short; they begin with "[truncated]" */
    uint64_t unfinished;   /* stacks that end in code which could not be followed */
    uint64_t other_events; /* samples of events that were not asked for */
    uint64_t whole;        /* stacks that reach the thread's first function */
    bool stacks_copied;    /* whole, truncated and unfinished are known */
    bool off_cpu;          /* weights are times that threads were not running */
    bool incomplete;       /* the recording ended early: killed, or a broken file */
} pk_profile;

/* False: out of memory. */
bool pk_profile_init(pk_profile *profile, unsigned n_weights, bool in_order,
                     pk_err *err) PK_MUST_CHECK;
void pk_profile_fini(pk_profile *profile);

#endif

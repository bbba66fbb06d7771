/* Records in order of time -> a profile: follows what each process maps, unwinds copied stacks,
 * names frames, and merges the stacks. */
#ifndef PK_FLAME_COLLAPSE_H
#define PK_FLAME_COLLAPSE_H

#include "base/textlist.h"
#include "flame/perf_data.h"
#include "profile/kallsyms.h"
#include "profile/profile.h"
#include "profile/symbolise.h"

typedef enum pk_stack_label { /* the first frame of a stack */
                              PK_LABEL_COMM,
                              PK_LABEL_PID, /* "comm-PID" */
                              PK_LABEL_TID  /* "comm-PID/TID" */
} pk_stack_label;

typedef struct pk_collapse_options {
    pk_symbolise_options symbolise;
    const pk_debug_folders *folders; /* where debug files are; NULL: nowhere */
    pk_kallsyms *kallsyms; /* the kernel's functions; moved to where the recording had its kernel */
    const char
        *kallsyms_path; /* where kallsyms is NULL: read when the kernel is first met, unless
                           perf kept those of that kernel; NULL: frames are "[kernel]" then */
    pk_stack_label label;
    const char *event;        /* only this one; NULL: the first that has a sample */
    bool count_samples;       /* each sample weighs 1 instead of its period */
    bool keep_samples;        /* in profile->samples */
    bool in_order, by_thread; /* a chart over time; with each thread's stacks apart (label TID) */
    bool off_cpu; /* weight: the nanoseconds from a switch out of the CPU until the thread runs
                     again, its end, or the end of the recording; needs records of switches, and
                     samples taken at them (event NULL: context-switches or sched:sched_switch).
                     Threads that had to make room have "[preempted]" as their last frame */
    uint64_t begin_ns, end_ns; /* only samples in this part of the recording, from its first record
                                  on; end 0: all */
    pk_text_list threads;      /* only threads with one of these names or numbers; none: all */
} pk_collapse_options;

typedef struct pk_collapse pk_collapse;

/* options and what they point to must outlive it. *profile, as pk_profile_init made it with the
 * same in_order, is filled as records come. NULL: out of memory. */
pk_collapse *pk_collapse_new(const pk_collapse_options *options, pk_profile *profile,
                             pk_err *err) PK_MUST_CHECK;
/* One record; info is that of its source, and says which events there are; it
 * need not outlive the call. False: out of memory, or
 * a bound. */
bool pk_collapse_record(pk_collapse *collapse, const pk_perf_info *info, const pk_record *record,
                        pk_err *err) PK_MUST_CHECK;
/* What can be said at the end only: modules, threads, sums; open stretches off the CPU are closed.
 * The profile is complete then, and the collapse may go. */
bool pk_collapse_end(pk_collapse *collapse, pk_err *err) PK_MUST_CHECK;
void pk_collapse_free(pk_collapse *collapse);

/* A whole file; progress (may be NULL) is told the share that was read, 0 to 1, from time to time
 * (0 for a pipe), and stops the reading by returning false: the profile is then marked incomplete.
 * A file that is broken in its middle, or that perf could not finish, gives what there is, marked
 * incomplete, and *warning (PK_OK: none). False: nothing can be read, or out of memory. */
typedef bool pk_collapse_progress(void *context, double share);
bool pk_collapse_file(const char *path, const pk_collapse_options *options,
                      pk_collapse_progress *progress, void *context, pk_profile *profile,
                      pk_err *warning, pk_err *err) PK_MUST_CHECK;

#endif

/* The parts of the built-in recorder share this. */
#ifndef PK_FLAME_RECORDER_OWN_H
#define PK_FLAME_RECORDER_OWN_H

#include "flame/feed.h"
#include "flame/recorder_command.h"
#include "flame/sampler.h"

#define PK_NEVER_NS UINT64_MAX

typedef struct pk_own_recorder {
    const pk_record_options *options;
    const pk_interrupt *interrupt;
    pk_record_sink *sink;
    void *context;
    pk_arena *arena;
    pk_recording *recording;

    pk_record_command command;
    pk_sampler sampler;
    pk_array pidfds; /* int: of the processes that were asked for; -1: ended */
    pk_feed *feed;   /* NULL: not yet */
    pk_perf_attr attr;
    pk_perf_info info;
    const char *event_name;

    uint64_t enable_at_ns;        /* sampling is to be switched on then; PK_NEVER_NS: it is on */
    uint64_t begin_ns, end_at_ns; /* of sampling; PK_NEVER_NS: open */
    uint64_t lost_in_rings;       /* as the records say */
    uint64_t lost_samples;        /* elsewhere: a counter's own buffer */
    unsigned char joined[PK_RECORD_BYTES_MAX + 1];
} pk_own_recorder;

/* Opens the events of the command, the processes or the machine, and tells the sink what is known
 * of them already. */
bool pk_own_open(pk_own_recorder *own, pk_err *err) PK_MUST_CHECK;

/* Lets the command run and hands records on until recording ends: recording->end says how. Events
 * are off then, and all that they wrote is with the feed. False: the command could not be started;
 * nothing was recorded. */
bool pk_own_run(pk_own_recorder *own, pk_err *err) PK_MUST_CHECK;

#endif

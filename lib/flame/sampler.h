/* The kernel's events of one recording: what is sampled, of which threads, on which CPUs, and the
 * rings that the records come through. */
#ifndef PK_FLAME_SAMPLER_H
#define PK_FLAME_SAMPLER_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/array.h"
#include "flame/owners.h"
#include "flame/recorder.h"
#include "flame/rings.h"

#define PK_EVENT_NAME_BYTES 128

/* What to ask of the kernel; what it does not grant is left out step by step. */
typedef struct pk_sampler_attr {
    struct perf_event_attr sampled;
    char name[PK_EVENT_NAME_BYTES];
    bool needs_kernel;    /* without it there would be nothing: no falling back to user space */
    bool fell_back;       /* from cycles to cpu-clock */
    bool kernel_excluded; /* not permitted */
} pk_sampler_attr;

/* on_exec: sampling begins when the process becomes another program; else when it is enabled. */
bool pk_sampler_attr_make(const pk_record_options *options, bool on_exec, pk_sampler_attr *attr,
                          pk_err *err) PK_MUST_CHECK;
/* After perf_event_open failed with this errno value: asks for less. False: nothing is left that
 * could be the reason. */
bool pk_sampler_attr_relax(pk_sampler_attr *attr, int why);
/* The error of an event that could not be opened for a thread (-1: the whole machine). */
void pk_sampler_attr_fail(const pk_sampler_attr *attr, const pk_record_options *options, pid_t tid,
                          int why, pk_err *err);

typedef struct pk_sampler {
    const pk_record_options *options;
    pk_sampler_attr attr;
    bool tracks; /* names, maps and switches are told by an event of their own, from the time it
                    is opened, before sampling begins */
    bool on_exec;
    pk_array cpus;             /* pk_sampler_cpu */
    pk_array fds;              /* int: sampled events */
    pk_array trackers;         /* int */
    struct rlimit descriptors; /* as they were before more were needed */
    bool descriptors_raised;
    pk_owners owners;                     /* of the events of running threads */
    size_t ring_bytes, ring_bytes_wanted; /* of each; 0: none are mapped yet */
    bool ring_refused;                    /* more memory than may be locked */
} pk_sampler;

typedef struct pk_sampler_cpu {
    int cpu;
    int ring_fd; /* the event that has the ring */
    pk_ring ring;
} pk_sampler_cpu;

/* on_exec: for a command that is held; tracks: see above. The options must outlive it. */
bool pk_sampler_init(pk_sampler *sampler, const pk_record_options *options, bool on_exec,
                     bool tracks, pk_err *err) PK_MUST_CHECK;
void pk_sampler_fini(pk_sampler *sampler);

typedef enum pk_sampler_answer {
    PK_SAMPLER_OPENED,
    PK_SAMPLER_GONE,  /* the thread has ended; nothing is open for it */
    PK_SAMPLER_FAILED /* *err says why and what to do */
} pk_sampler_answer;

/* Opens the events of a thread and of what it starts; -1: of the whole machine. The first call
 * settles what the kernel grants and maps the rings. */
pk_sampler_answer pk_sampler_open(pk_sampler *sampler, pid_t tid, pk_err *err);

void pk_sampler_enable(const pk_sampler *sampler);
void pk_sampler_disable(const pk_sampler *sampler); /* the trackers too */
/* A descriptor to poll for the ring of the i-th CPU: that of the n-th thread that was opened; when
 * that one has ended (EPOLLHUP) the next one's tells of the same ring. -1: there are no more. */
int pk_sampler_poll_fd(const pk_sampler *sampler, size_t i, size_t n);
/* Records that found no room since the events were opened; 0 where the kernel does not tell
 * (before 6.0). */
uint64_t pk_sampler_lost(const pk_sampler *sampler);

#endif

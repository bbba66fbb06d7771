/* Recorders: from a command, processes or the whole machine to records in order of time, live. Two
 * with one face: `perf record` (recorder_perf.c), its output read through a pipe; and our own on
 * perf_event_open(2) (recorder_own.c), which needs no package. */
#ifndef PK_FLAME_RECORDER_H
#define PK_FLAME_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/interrupt.h"
#include "base/process.h"
#include "base/textlist.h"
#include "flame/perf_data.h"

typedef enum pk_call_graph {
    PK_CALL_GRAPH_DWARF, /* registers and a copy of the stack, unwound here */
    PK_CALL_GRAPH_FP,    /* the kernel follows frame pointers */
    PK_CALL_GRAPH_LBR,   /* the processor's branch records */
    PK_CALL_GRAPH_NONE
} pk_call_graph;

#define PK_STACK_COPY_MAX 65528u

/* Told once, before anything is recorded, of the argv of perf, NULL behind; our own recorder: NULL.
 */
typedef void pk_record_begins(void *context, const char *const *perf_argv);

typedef struct pk_record_options {
    char *const *argv; /* the command, NULL behind; NULL: none */
    const pid_t *pids; /* n_pids, with their threads and children; none with a command */
    size_t n_pids;
    bool all_cpus;         /* the whole machine (-a); may go with a command, which ends it */
    const char *event;     /* NULL: cycles, or cpu-clock where the machine does not count them */
    uint64_t frequency_hz; /* 0: period */
    uint64_t period;       /* an event of so many; 0: frequency */
    pk_call_graph call_graph;
    uint32_t stack_bytes; /* of the copy, at most PK_STACK_COPY_MAX, a multiple of 8 */
    uint64_t duration_ns; /* recording ends after so long; 0: with the command, or never */
    uint64_t delay_ns;    /* begins so much after the command's start */
    bool off_cpu;         /* sample switches away from the CPU instead of an event */
    bool detach;          /* a command that outlives the recording goes on */
    uint64_t grace_ns;    /* for a command told to end (SIGTERM), before SIGKILL */

    /* perf only */
    const char *perf;              /* its path, or "perf" for PATH */
    const char *const *root;       /* words before it ("sudo", ...), NULL behind; NULL: none */
    const char *const *perf_words; /* everything after "perf", in place of what we would say (-c),
                                      NULL behind; NULL: none */
    const char *keep;              /* perf.data is written here, and read afterwards; NULL: piped */
    int compression;               /* zstd level for keep; 0: none */
    bool give_away; /* what is kept belongs to owner and group afterwards (SUDO_UID, SUDO_GID) */
    uid_t owner;
    gid_t group;

    pk_record_begins *begins; /* NULL: nobody is told */
    void *begins_context;
} pk_record_options;
/* What recorders call at that moment. */
static inline void pk_record_tell(const pk_record_options *options, const char *const *perf_argv) {
    if (options->begins) options->begins(options->begins_context, perf_argv);
}

typedef enum pk_recording_end {
    PK_RECORDING_COMMAND,  /* the command, or all processes, ended */
    PK_RECORDING_DURATION, /* the time was over */
    PK_RECORDING_STOPPED,  /* SIGINT or SIGTERM came */
    PK_RECORDING_RECORDER, /* the recorder gave up; *err of the call says why */
} pk_recording_end;

typedef struct pk_recording {
    pk_recording_end end;
    bool command_ran;     /* it was started; `exit` is how it ended */
    bool command_stopped; /* we ended it, since the recording was over */
    bool command_left;    /* it goes on */
    pk_exit exit;
    uint64_t duration_ns;
    uint64_t end_ns;       /* CLOCK_MONOTONIC, when recording ended */
    const char *event;     /* what was recorded, in the arena */
    bool event_fell_back;  /* from cycles to cpu-clock */
    bool kernel_excluded;  /* not permitted to see it */
    uint64_t frequency_hz; /* what the kernel allowed */
    uint32_t stack_bytes;  /* what was used */
    /* Own recorder: the ring of each CPU. Less than wanted where kernel.perf_event_mlock_kb and
     * ulimit -l allow no more; samples get lost sooner then. */
    size_t ring_bytes, ring_bytes_wanted;
    uint64_t lost;
    const char *const *command_line; /* perf's argv as it ran, NULL behind; own recorder: NULL */
    double recorder_cpu_s;           /* that recording and what the sink did took */
    const char *perf_says;           /* what perf wrote to stderr, in the arena; NULL: nothing */
} pk_recording;

/* Takes each record, in the thread that called the recorder, or in one of the recorder's own, never
 * in two at once. False with *err ends the recording. */
typedef bool pk_record_sink(void *context, const pk_perf_info *info, const pk_record *record,
                            pk_err *err);

/* Records until the command or the processes end, the time is over, or `interrupt` (NULL: none)
 * came; what was sampled until then all goes to the sink. True whenever something could be
 * recorded, however the command ended. False: nothing was; err says why and what to do: no such
 * command or process, a command that cannot be started, no permission (perf_event_paranoid, with
 * the exact sysctl or capability), an event that this machine does not have. */
bool pk_record_perf(const pk_record_options *options, const pk_interrupt *interrupt,
                    pk_record_sink *sink, void *context, pk_arena *arena, pk_recording *recording,
                    pk_err *err) PK_MUST_CHECK;
bool pk_record_own(const pk_record_options *options, const pk_interrupt *interrupt,
                   pk_record_sink *sink, void *context, pk_arena *arena, pk_recording *recording,
                   pk_err *err) PK_MUST_CHECK;

/* What can be known before: is there a perf (its version), is the event there, may we see the
 * kernel, what does the kernel allow. */
typedef struct pk_record_probe {
    int paranoid;        /* kernel.perf_event_paranoid; INT_MAX: not readable */
    bool kernel_allowed; /* may sample the kernel */
    bool all_cpus_allowed;
    bool addresses_hidden;     /* kernel.kptr_restrict: kallsyms shows no addresses */
    bool cycles;               /* a hardware counter of cycles */
    uint64_t max_frequency_hz; /* kernel.perf_event_max_sample_rate */
    uint32_t max_stack;        /* kernel.perf_event_max_stack: frames of a callchain */
} pk_record_probe;
void pk_record_probe_machine(pk_record_probe *probe);

#endif

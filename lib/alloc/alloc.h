/* perfkit alloc: who allocates, by call stack. Options -> run (a command with our hook loaded into
 * it, or a running process) -> result -> renderers (alloc/render.h). */
#ifndef PK_ALLOC_ALLOC_H
#define PK_ALLOC_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/process.h"
#include "base/textlist.h"
#include "profile/debug_file.h"
#include "profile/profile.h"

/* ---- options ---- */

typedef enum pk_alloc_backend {
    PK_BACKEND_AUTO,
    PK_BACKEND_PRELOAD, /* a command: the hook is loaded with it */
    PK_BACKEND_BPF,     /* probes in the kernel */
    PK_BACKEND_INJECT   /* the hook is loaded into a running process */
} pk_alloc_backend;

typedef struct pk_alloc_options {
    char *const *argv; /* the command, NULL behind; NULL: none */
    const pid_t *pids; /* n_pids running processes */
    size_t n_pids;
    pk_alloc_backend backend;
    bool counts_only;      /* calls and bytes alone; frees are not followed */
    bool no_follow;        /* not the programs that it starts */
    bool check;            /* every remembered stack is compared with a full walk */
    bool mappings;         /* mmap and the like are counted too */
    uint64_t sample_bytes; /* one allocation in so many bytes on average; 0: all */
    const char *function;  /* "LIB:SYMBOL" to be counted instead of allocations; NULL */
    uint64_t duration_ns;  /* 0: until it ends or is interrupted */
    uint64_t grace_ns;     /* for a command told to end (SIGTERM), before SIGKILL */
    const char *folder; /* where images are kept meanwhile, made and removed by the run; NULL: one
                           of our own under runtime_folders */
    pk_text_list
        runtime_folders; /* tried in this order for ours: XDG_RUNTIME_DIR, /dev/shm, /tmp */
    const char *preload; /* the user's own LD_PRELOAD, to be kept behind ours; NULL */
    bool no_inline, raw_names;
    const pk_debug_folders *debug_folders;
    uint64_t timeline_ns; /* distance of pk_alloc_moment; 0: 10 ms */
    /* Called once, when counting in running processes has begun and every call from here on is
     * counted; not for a command. NULL: nobody asks. */
    void (*attached)(void *context);
    void *context;
} pk_alloc_options;

/* ---- result ---- */

/* Weights of the stack tree, in this order. */
typedef enum pk_alloc_weight {
    PK_WEIGHT_CALLS,
    PK_WEIGHT_BYTES,
    PK_WEIGHT_PEAK,      /* bytes live at the peak */
    PK_WEIGHT_LEAKED,    /* bytes still live at the end */
    PK_WEIGHT_TEMPORARY, /* calls whose block was the next thing that its thread freed */
    PK_WEIGHTS
} pk_alloc_weight;
_Static_assert(PK_WEIGHTS <= PK_STACK_WEIGHTS_MAX, "the tree holds them all");

/* What an address in a stack is. Equal ones (the same place of the same file) are one. */
typedef struct pk_alloc_place {
    const char *object; /* the last part of its file's path; NULL: nothing known is mapped there */
    const char *symbol; /* the function, without what was inlined into it; NULL: not known */
    uint64_t offset;    /* of the address in the function */
    uint64_t address;   /* in memory, where it was seen first; of a caller what it returns to; 0: of
                           the function that was called */
    uint64_t vaddr;     /* the same in the file's own numbering; 0 without a file */
    uint32_t module;    /* of result->modules; UINT32_MAX: none */
} pk_alloc_place;

/* One call stack of one program; the sums over its cells. With sample_bytes all but the errors are
 * estimates, rounded. */
typedef struct pk_alloc_stack {
    uint32_t process;       /* of result->processes */
    uint32_t node;          /* of result->tree: its innermost frame */
    const uint64_t *frames; /* n_frames addresses, innermost first, as pk_image_cell has them */
    uint32_t n_frames;
    const uint32_t *places;  /* n_frames + 1 of result->places, innermost first; [0] is the function
                                that was called ("malloc"), [i + 1] is where frames[i] is */
    uint8_t flags, function; /* PK_STACK_..., pk_alloc_function */
    uint64_t calls, bytes, freed_calls, freed_bytes, temporary;
    uint64_t leaked_calls, leaked_bytes; /* live at the end */
    uint64_t peak_calls, peak_bytes;
    double calls_error, bytes_error; /* standard errors of estimates; 0: counted */
} pk_alloc_stack;

/* With sample_bytes calls and bytes are counted, the other sums are estimates. */
typedef struct pk_alloc_process {
    uint32_t pid, parent_pid, exec_number;
    const char *name, *exe;
    uint64_t started_ns, ended_ns; /* since the first one began; ended UINT64_MAX: killed, or still
                                      running */
    bool forked;
    uint32_t threads;
    uint64_t calls, bytes, frees, freed_bytes, temporary;
    uint64_t leaked_calls, leaked_bytes;
    uint64_t peak_bytes, peak_error_bytes; /* the peak is right within the error */
    uint64_t peak_ns;                      /* as ended_ns; that, where the peak was at the end */
    uint64_t stacks_remembered, stacks_unwound;
    uint64_t inside_hook, before_ready, not_kept, unknown_frees, differences;
} pk_alloc_process;

typedef struct pk_alloc_moment {  /* all processes together */
    uint64_t time_ns;             /* since the first one began */
    uint64_t calls, bytes, frees; /* so far */
    uint64_t live_bytes;
    uint64_t rss_bytes; /* of the processes; 0: not known */
} pk_alloc_moment;

typedef struct pk_alloc_map { /* code in memory, as it was last */
    uint32_t process;         /* of result->processes */
    uint64_t begin, end, offset;
    const char *path;
} pk_alloc_map;

typedef struct pk_alloc_result {
    pk_arena *arena;
    pk_names *names;
    pk_stack_tree tree;     /* PK_WEIGHTS weights: process name, outermost function, ... */
    pk_array stacks;        /* pk_alloc_stack */
    pk_array processes;     /* pk_alloc_process, by start */
    pk_array moments;       /* pk_alloc_moment, by time */
    pk_array places;        /* pk_alloc_place */
    pk_array modules;       /* pk_profile_module, as they were met */
    pk_array maps;          /* pk_alloc_map, by process and address */
    uint64_t sizes[512];    /* calls by pk_image_size_class */
    pk_alloc_process total; /* sums; peak: of the process with the highest one */
    bool live_known;        /* frees were followed */
    bool sampled;
    uint64_t sample_bytes;
    bool attached, interrupted, incomplete;
    const char *backend, *backend_reason; /* "preload", "bpf", "inject"; why */
    const char *command;                  /* words by blanks; NULL: attached */
    bool command_ran;
    bool command_stopped; /* by us, at the end of duration_ns or by a signal */
    pk_exit exit;
    uint64_t duration_ns;
    uint64_t started_unix_ns;
    pk_array notes;                 /* pk_alloc_note */
    struct pk_collector *collector; /* while it is being filled (alloc/collector.h); NULL */
} pk_alloc_result;

typedef struct pk_alloc_note { /* a sentence for people, with what to do */
    const char *text, *fix;    /* fix may be NULL */
} pk_alloc_note;

/* False: nothing could be counted; err says why. result is to be given to pk_alloc_fini always. */
bool pk_alloc_run(const pk_alloc_options *options, const pk_interrupt *interrupt,
                  pk_alloc_result *result, pk_err *err) PK_MUST_CHECK;
/* What a run left behind that was killed itself: the images in `folder`, or the newest of ours
 * under runtime_folders. */
bool pk_alloc_recover(const pk_alloc_options *options, pk_alloc_result *result,
                      pk_err *err) PK_MUST_CHECK;
void pk_alloc_fini(pk_alloc_result *result);

/* ---- from images to a result, for who has images already ---- */

/* Afterwards pk_alloc_add_image may be called, then pk_alloc_end; pk_alloc_fini in any case.
 * options must outlive pk_alloc_end. */
bool pk_alloc_begin(pk_alloc_result *result, const pk_alloc_options *options,
                    pk_err *err) PK_MUST_CHECK;
/* One image file into the result: its cells summed by stack, a process more. Any bytes are taken;
 * false for what is no image (PK_E_INPUT), the result is as it was then. */
bool pk_alloc_add_image(pk_alloc_result *result, const char *path, pk_err *err) PK_MUST_CHECK;
/* All images of a folder, in the order in which the programs started. False: none could be read. */
bool pk_alloc_add_folder(pk_alloc_result *result, const char *folder, pk_err *err) PK_MUST_CHECK;
/* Totals, times since the first one began, sums of the tree, notes. */
bool pk_alloc_end(pk_alloc_result *result, pk_err *err) PK_MUST_CHECK;

static inline const pk_alloc_place *pk_alloc_place_of(const pk_alloc_result *result,
                                                      const pk_alloc_stack *stack, uint32_t i) {
    return &PK_AT(&result->places, pk_alloc_place, stack->places[i]);
}

#endif

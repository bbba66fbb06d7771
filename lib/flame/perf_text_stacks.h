/* The stacks of a text of `perf script` on their way into a profile: whose thread each is, in which
 * order they go, and what is counted of the modules in them. */
#ifndef PK_FLAME_PERF_TEXT_STACKS_H
#define PK_FLAME_PERF_TEXT_STACKS_H

#include "flame/collapse.h"
#include "flame/perf_line.h"

typedef struct pk_text_sample {
    pk_piece comm, pid, tid; /* as the text has them; 0 bytes: not told */
    uint64_t time_ns;        /* 0: not told */
    uint64_t weight;
    bool without_callers; /* a frame said that its callers are not wanted: no comm either */
} pk_text_sample;

typedef struct pk_text_stacks {
    const pk_collapse_options *options;
    pk_profile *profile;
    pk_names *thread_keys; /* the numbers of (pid, tid) are those of profile->threads */
    pk_names *paths;       /* of modules; their numbers are those of `modules` */
    pk_array modules;      /* pk_profile_module */
    pk_array stack;        /* uint32_t names, as the tree wants them */
    pk_strbuf label;
    bool by_thread;        /* the chart goes thread by thread, so stacks wait until the end: */
    pk_stack_tree waiting; /* ... here, merged */
    pk_array samples;      /* ... pk_profile_sample, nodes of `waiting` */
} pk_text_stacks;

/* Both must outlive the stacks. False: out of memory; fini is then allowed. */
bool pk_text_stacks_init(pk_text_stacks *stacks, const pk_collapse_options *options,
                         pk_profile *profile, pk_err *err) PK_MUST_CHECK;
void pk_text_stacks_fini(pk_text_stacks *stacks);

/* Is the thread one of options->threads, by its name or its number? */
bool pk_text_stacks_wants(const pk_text_stacks *stacks, pk_piece comm, pk_piece tid);
/* The number of a module. UINT32_MAX: there are so many that it is not counted. */
uint32_t pk_text_stacks_module(pk_text_stacks *stacks, pk_piece path);
static inline pk_profile_module *pk_text_module(const pk_text_stacks *stacks, uint32_t number) {
    return &PK_AT(&stacks->modules, pk_profile_module, number);
}

/* frames[0..n): names, the innermost first. */
bool pk_text_stacks_add(pk_text_stacks *stacks, const pk_text_sample *sample,
                        const uint32_t frames[], size_t n, pk_err *err) PK_MUST_CHECK;
/* What waits goes into the tree, and the modules into the profile. */
bool pk_text_stacks_end(pk_text_stacks *stacks, pk_err *err) PK_MUST_CHECK;

#endif

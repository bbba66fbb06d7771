/* dtrace's own words, as far as they are about counting calls by stack: what its -n and -x say. */
#ifndef PK_ALLOC_DTRACE_WORDS_H
#define PK_ALLOC_DTRACE_WORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "alloc/render.h"
#include "base/arena.h"

/* A program of dtrace's, of the one shape that is understood:
 * pid$target:LIB:FUNCTION:entry { @NAME[ustack(N)] = count(); } */
typedef struct pk_dtrace_program {
    const char *module, *function; /* "": all libraries; "malloc" */
    const char *description;       /* what stands before the braces, as dtrace repeats it */
    pid_t pid;                     /* pid1234 in place of pid$target; 0: $target */
    uint64_t frames;               /* of ustack(N); 0: ustack() */
    pk_alloc_aggregation aggregation;
} pk_dtrace_program;

/* Texts go to the arena. False: what is not understood, in one line. */
bool pk_dtrace_parse(const char *program, pk_arena *arena, pk_dtrace_program *parsed,
                     pk_err *err) PK_MUST_CHECK;

/* dtrace's -x. */
typedef struct pk_dtrace_tuning {
    uint64_t frames; /* ustackframes */
    uint64_t indent; /* stackindent */
    bool reversed;   /* aggsortrev */
    bool by_key;     /* aggsortkey */
    bool quiet;
} pk_dtrace_tuning;

/* "name" or "name=value" into *tuning. What only sizes dtrace's own buffers is accepted and changes
 * nothing. */
bool pk_dtrace_tune(const char *option, pk_dtrace_tuning *tuning, pk_err *err) PK_MUST_CHECK;

#endif

/* What the parts of `perfkit alloc` share: the options as they stand on the line, and what is made
 * of them. Private to the tool's files. */
#ifndef PK_CMD_ALLOC_CLI_H
#define PK_CMD_ALLOC_CLI_H

#include "alloc/alloc.h"
#include "alloc/dtrace_words.h"
#include "alloc/image.h"
#include "alloc/render.h"
#include "cli/command.h"

typedef enum alloc_format { /* --format */
                            ALLOC_DTRACE,
                            ALLOC_FOLDED,
                            ALLOC_SVG,
                            ALLOC_PPROF,
                            ALLOC_MASSIF,
                            ALLOC_HEAPPROFILE,
                            ALLOC_JSON,
                            ALLOC_CSV,
                            ALLOC_FORMATS
} alloc_format;

typedef struct alloc_cli {
    pk_text_list words, argv; /* the command, before and after "--" */
    pk_text_list pids;
    const char *dtrace_command, *recover;

    int backend;
    uint64_t duration_ns, grace_ns, sample_bytes;
    bool counts_only, follow, no_follow, mappings, check, ignore_status;
    const char *function, *program;
    pk_text_list dtrace_options;

    uint64_t frames;
    bool no_inline, raw_names;

    int sort, by, color;
    uint64_t top;

    const char *output, *report, *title;
    int format, weight;
    bool json, verbose, quiet;

    uint64_t fail_on_leak_bytes;
    const char *suppressions;
} alloc_cli;

/* One run, after all that the table cannot say. Texts live in the arena of `parsed`. */
typedef struct alloc_plan {
    pk_alloc_options alloc;
    pk_debug_folders folders;
    pk_dtrace_program dtrace; /* function: NULL without a program */
    pk_dtrace_tuning tuning;
    bool recover;
    const char *output; /* NULL: none; "-": standard output */
    alloc_format format;
    pk_alloc_weight weight;
    pk_alloc_function only; /* stacks of this function alone; PK_CALLS: of all */
    uint64_t dtrace_frames; /* of a stack in dtrace's layout */
    bool silent;            /* no table */
} alloc_plan;

bool alloc_plan_make(const pk_invocation *invocation, const alloc_cli *cli, alloc_plan *plan,
                     pk_err *err) PK_MUST_CHECK;

/* What a run has come to, as the outputs see it. */
typedef struct alloc_session {
    const pk_invocation *invocation;
    const alloc_cli *cli;
    const alloc_plan *plan;
    pk_alloc_result result;
} alloc_session;

/* ---- outputs ---- */

/* All files that were asked for, each in one step, and what stands on stdout. */
bool alloc_write(const alloc_session *s, pk_err *err) PK_MUST_CHECK;

/* Everything after the line was understood; returns the exit code. */
int alloc_go(const pk_invocation *invocation, const alloc_cli *cli, const alloc_plan *plan,
             pk_err *err);

pk_completer alloc_complete_functions, alloc_complete_programs, alloc_complete_tunings,
    alloc_complete_folders;

extern const pk_command pk_cmd_alloc;

#endif

/* What the parts of `perfkit time` share: the options as they stand on the line, and what is made
 * of them. Private to the tool's files. */
#ifndef PK_CMD_TIME_CLI_H
#define PK_CMD_TIME_CLI_H

#include "bench/command.h"
#include "bench/command_gate.h"
#include "bench/command_render.h"
#include "cli/command.h"

typedef enum time_look { /* --style */
                         LOOK_AUTO,
                         LOOK_BASIC,
                         LOOK_FULL,
                         LOOK_NOCOLOR,
                         LOOK_COLOR,
                         LOOK_NONE,
                         LOOK_COMPACT,
} time_look;

typedef struct time_cli {
    pk_text_list commands, argv, names, prepares, concludes, outputs, scan, lists;
    const char *reference, *reference_name, *step, *setup, *cleanup;
    uint64_t warmup, runs, min_runs, max_runs, min_time_ns, max_time_ns, timeout_ns, seed;
    double target_ci;
    int order;

    const char *shell, *input, *input_command, *ignore, *check, *cpus;
    bool no_shell, show_output, debug_mode;
    int failed;

    int metric, fail_on;
    const char *save, *baseline, *home;
    double fail_if_slower, confidence_level, noise_threshold, equivalence;

    int look, color, sort, unit;
    bool histogram, json;
    const char *exports[PK_EXPORTS];
    const char *page;
} time_cli;

/* One run, after all that the table cannot say. */
typedef struct time_plan {
    pk_command_options command;
    pk_command_style style; /* colour and width are of the terminal */
    pk_command_gate gate;
    bool silent;   /* no text on standard output */
    bool progress; /* a progress line, where standard error is a terminal */
    const char *home;
} time_plan;

/* Fills *plan from the line; texts live in the arena of `parsed`. PK_E_USAGE: what its grammar
 * forbids; PK_E_INPUT: values that cannot be used. */
bool time_plan_make(const pk_invocation *invocation, const time_cli *cli, time_plan *plan,
                    pk_err *err) PK_MUST_CHECK;

/* The name of a baseline, or of a file that ends in .json. */
pk_checker time_check_baseline;

/* Everything after the line was understood; returns the exit code. */
int time_go(const pk_invocation *invocation, const time_cli *cli, const time_plan *plan,
            pk_err *err);

/* ---- exports ---- */

/* Files that do not exist yet are made, empty: what cannot be written is known before anything
 * runs. What is there stays until there is something to put in its place. */
bool time_exports_begin(const time_cli *cli, pk_err *err) PK_MUST_CHECK;
/* All files, with the results so far; each is replaced in one step. */
bool time_exports_write(const time_cli *cli, const time_plan *plan, const pk_command_report *report,
                        pk_err *err) PK_MUST_CHECK;
/* Those that go to standard output; the page, if one was asked for. */
bool time_exports_end(const time_cli *cli, const time_plan *plan, const pk_command_report *report,
                      pk_err *err) PK_MUST_CHECK;

/* ---- completers ---- */

/* Programs on PATH and files that can be run; shells; places for input and output; CPUs; failures
 * to ignore. */
pk_completer time_complete_command, time_complete_shell, time_complete_input, time_complete_output,
    time_complete_cpus, time_complete_ignore;

extern const pk_command pk_cmd_time;

#endif

/* What `perfkit time` starts: timed runs, and the commands around them, each with the streams and
 * the environment that belong to it. Shared by the files command_*.c. */
#ifndef PK_BENCH_COMMAND_EXEC_H
#define PK_BENCH_COMMAND_EXEC_H

#include "base/process.h"
#include "bench/command.h"
#include "bench/launcher.h"
#include "stats/random.h"

typedef struct pk_executor {
    const pk_command_options *options;
    pk_interrupt *intr;
    pk_launcher *launcher;         /* NULL in debug mode */
    struct pk_launch_texts *texts; /* for PK_LAUNCHER_RUNS_MAX */
    pk_random random;
    uint64_t floor_bytes; /* pk_launcher_floor_bytes */
    int null_fd;
    int errors_fd; /* memory: what the last one wrote to stderr */
    int output_fd; /* memory: what --check is to see */
    int input_fd;  /* memory: what --input-cmd wrote */
    bool own_group;
    bool limit_cpus;
    cpu_set_t cpus;
    const char *const *check, *const *input_command; /* argv; NULL: none */
    /* Calibrated: what a shell takes that does nothing. */
    double shell_s, shell_sd_s, shell_user_s, shell_system_s;
} pk_executor;

/* In the arena: what the options name. Close also after a failure. */
bool pk_executor_open(pk_executor *e, const pk_command_options *options, pk_interrupt *intr,
                      pk_arena *arena, pk_err *err) PK_MUST_CHECK;
void pk_executor_close(pk_executor *e);

typedef enum pk_went {
    PK_WENT_ON,      /* it has ended, well or not */
    PK_WENT_STOPPED, /* interrupted; no figures */
    PK_WENT_WRONG    /* *err says what */
} pk_went;

/* Times `shell -c ""` in e->shell_...: 50 times; `progress` is called before each. */
pk_went pk_executor_calibrate(pk_executor *e, void (*progress)(void *context, unsigned done),
                              void *context, pk_arena *arena, pk_err *err);
#define PK_SHELL_CALIBRATIONS 50u

/* One run of a case. iteration: "0", "warmup-3". Fills all of *run but round and place; refused: by
 * --check. WRONG: it cannot be started at all. */
pk_went pk_executor_run(pk_executor *e, const pk_command_case *of, const char *iteration,
                        pk_command_run *run, bool *refused, pk_err *err);

/* Is there nothing for us to do between two runs of a case, so that the launcher can go from one to
 * the next by itself? */
bool pk_executor_runs_on(const pk_executor *e, const pk_command_case *of);

typedef struct pk_run_request {
    const pk_command_case *of; /* of those that run on */
    char iteration[32];
} pk_run_request;

/* Runs one after the other until one fails; all at most PK_LAUNCHER_RUNS_MAX. runs[0..*done) are
 * filled as by pk_executor_run, the last may have failed. STOPPED and WRONG say what came after
 * these. */
pk_went pk_executor_run_all(pk_executor *e, const pk_run_request requests[], size_t n,
                            pk_command_run runs[], size_t *done, pk_err *err);

/* What a run's figures are, from what the launcher says: without the shell's share, with the launch
 * if it is asked for. Pure. */
void pk_executor_figures(const pk_executor *e, const pk_command_case *of,
                         const pk_launched *launched, pk_command_run *run);

/* A command around the runs of a case: its end, and how long it took. intr NULL: not to be
 * interrupted. */
typedef struct pk_aside {
    const char *line; /* NULL: none, which takes no time and succeeds */
    const char *const *argv;
    bool through_shell;
} pk_aside;
pk_went pk_executor_aside(pk_executor *e, const pk_command_case *of, const pk_aside *aside,
                          pk_interrupt *intr, double *seconds, pk_exit *exit, pk_err *err);

/* The end of what the last one wrote to stderr into failure->output and ->cut. */
void pk_executor_errors(const pk_executor *e, pk_command_failure *failure);

#endif

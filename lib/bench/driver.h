/* Drivers: worker programs in other languages, which speak docs/driver-protocol.md. Two come along,
 * for Python and Node, as texts that the interpreter gets with -c or -e; any other is a command.
 * A job of a driver has one side: in an interpreter that adapts to what it runs, two versions of a
 * function in one process would not run as either does alone. */
#ifndef PK_BENCH_DRIVER_H
#define PK_BENCH_DRIVER_H

#include "bench/protocol.h"

struct pk_driver {
    const char **words; /* that start it, ended by NULL; the first is searched in PATH */
    const char *folder; /* of the file with the benchmarks; NULL: it brings its own */
    const char *group;  /* of benchmarks whose file names none */
};

/* Is this a file (.py .js) for one of the two? Judged by the name alone. */
bool pk_driver_takes(const char *name);

/* The driver for such a file, in the arena. Fails (PK_E_UNSUPPORTED) where the options name no
 * interpreter for it. */
pk_driver *pk_driver_of_file(const char *name, const pk_bench_options *options, pk_arena *arena,
                             pk_err *err) PK_MUST_CHECK;
/* The driver that a command is; words as in a shell, without one. */
pk_driver *pk_driver_of_command(const char *command, pk_arena *arena, pk_err *err) PK_MUST_CHECK;

/* The job as a driver gets it; its one side. Texts are the job's. */
pk_driver_job pk_driver_job_of(const pk_worker_job *job);

/* What the driver said as a worker's reply: units become figures. took_ns: how long it ran, from
 * its start to its end; units that took longer are a lie. Texts and offers are those of *said.
 * False: it is no answer to this job, or not true. */
bool pk_driver_answer(const pk_worker_job *job, const pk_driver_reply *said, uint64_t took_ns,
                      pk_worker_reply *reply, pk_err *err) PK_MUST_CHECK;

#endif

/* The command of a recording, the same for every recorder: it waits until the recorder is ready,
 * and ends with the recording. */
#ifndef PK_FLAME_RECORDER_COMMAND_H
#define PK_FLAME_RECORDER_COMMAND_H

#include "base/held.h"
#include "flame/recorder.h"

typedef struct pk_record_command {
    bool there; /* false: none was asked for, all below does nothing */
    pk_held held;
} pk_record_command;

/* Starts options->argv held, so that its pid can be opened for events. */
bool pk_record_command_hold(const pk_record_options *options, pk_record_command *command,
                            pk_err *err) PK_MUST_CHECK;
/* Lets it run; sets recording->command_ran. */
bool pk_record_command_release(pk_record_command *command, pk_recording *recording,
                               pk_err *err) PK_MUST_CHECK;
/* Readable when it has ended; -1: no command, or it was reaped. */
int pk_record_command_fd(const pk_record_command *command);
pid_t pk_record_command_pid(const pk_record_command *command); /* 0: no command */

/* What becomes of it when recording has ended for the reason in recording->end, with `signal` that
 * of the interrupt or 0; fills command_stopped, command_left and exit. A command that is left alone
 * (options->detach) goes on; else it is asked to end (SIGTERM), and has options->grace_ns for it.
 * After Ctrl-C at a terminal, which the command got as well, it first has that time to end by
 * itself; one that this ended counts as stopped. One that still waits is dropped. */
void pk_record_command_end(pk_record_command *command, const pk_record_options *options, int signal,
                           pk_recording *recording);

/* The time before a command that was held can be sampled, for events that were on already. What it
 * does while it is held is ours, and in its exec its registers are still those of the wait. An
 * event that begins with an exec gives its first sample a period later: so it is here. */
typedef struct pk_record_wait {
    pid_t pid; /* the command; 0: over, or there was none */
    uint64_t period_ns;
    uint64_t begin_ns; /* from when on its samples count; 0: not in its exec yet */
} pk_record_wait;
/* Whether this record, the next in order of time, is a sample of that. */
bool pk_record_wait_has(pk_record_wait *wait, const pk_record *record);

#endif

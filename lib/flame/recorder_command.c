#include "flame/recorder_command.h"

#include <unistd.h>

bool pk_record_command_hold(const pk_record_options *options, pk_record_command *command,
                            pk_err *err) {
    *command = (pk_record_command){.there = options->argv != NULL};
    return !command->there || pk_held_start(options->argv, &command->held, err);
}

bool pk_record_command_release(pk_record_command *command, pk_recording *recording, pk_err *err) {
    if (command->there && !pk_held_release(&command->held, err)) return false;
    recording->command_ran = command->there;
    return true;
}

int pk_record_command_fd(const pk_record_command *command) {
    return command->there ? command->held.process.pidfd : -1;
}

pid_t pk_record_command_pid(const pk_record_command *command) {
    return command->there ? command->held.process.pid : 0;
}

void pk_record_command_end(pk_record_command *command, const pk_record_options *options, int signal,
                           pk_recording *recording) {
    if (!command->there) return;
    pk_held_drop(&command->held);
    pk_process *process = &command->held.process;
    if (process->pidfd < 0) return;
    if (pk_process_wait(process, 0, &recording->exit)) {
        /* Ctrl-C ends it too, and its end may be seen before our signal is. */
        if (signal != 0 && recording->exit.signal == signal) recording->end = PK_RECORDING_STOPPED;
        recording->command_stopped = recording->end == PK_RECORDING_STOPPED;
        return;
    }
    if (options->detach) {
        close(process->pidfd);
        process->pidfd = -1;
        recording->command_left = true;
        return;
    }
    recording->command_stopped = true;
    pk_process_stop_after(process, signal, options->grace_ns, &recording->exit);
}

bool pk_record_wait_has(pk_record_wait *wait, const pk_record *record) {
    if (wait->pid == 0 || record->pid != (uint32_t)wait->pid) return false;
    bool exec = record->type == PK_RECORD_COMM && record->comm.exec;
    if (exec) wait->begin_ns = record->time_ns + wait->period_ns;
    if (record->type != PK_RECORD_SAMPLE) return false;
    if (wait->begin_ns == 0 || record->time_ns < wait->begin_ns) return true;
    wait->pid = 0;
    return false;
}

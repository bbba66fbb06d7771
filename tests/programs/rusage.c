/* Runs a command and writes what it cost.
 *
 *   rusage OUT COMMAND [ARG...]
 *
 * OUT gets one line: "CPU_NS WALL_NS", CPU being user + system time of the command and of the
 * children it waited for. SIGTERM and Ctrl-C go on to the command, so that a server can be measured
 * over its whole life. The exit status is the command's; 2 when it could not be run. */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "base/interrupt.h"
#include "base/process.h"

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t spent_ns(const struct timeval *t) {
    return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_usec * 1000u;
}

static int fail(const pk_err *err) {
    char line[1024];
    pk_err_format(err, line, sizeof line);
    fprintf(stderr, "rusage: %s\n", line);
    return 2;
}

/* Until the command ends; a signal to us is passed on once. */
static void wait_for(pk_process *process, const pk_interrupt *intr, pk_exit *end) {
    struct pollfd fds[] = {{.fd = process->pidfd, .events = POLLIN},
                           {.fd = pk_interrupt_fd(intr), .events = POLLIN}};
    while (!(fds[0].revents & POLLIN)) {
        if (poll(fds, 2, -1) > 0 && (fds[1].revents & POLLIN)) {
            kill(process->pid, pk_interrupt_signal(intr));
            fds[1].fd = -1;
        }
    }
    pk_process_wait(process, UINT64_MAX, end);
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: rusage OUT COMMAND [ARG...]\n");
        return 2;
    }
    pk_err err = {0};
    FILE *out = fopen(argv[1], "w");
    pk_interrupt *intr = pk_interrupt_begin(&err);
    if (!intr) return fail(&err);
    if (!out) {
        perror(argv[1]);
        return 2;
    }
    pk_process process;
    pk_exit end;
    uint64_t start_ns = now_ns();
    if (!pk_process_spawn(argv + 2, &PK_SPAWN_DEFAULT, &process, &err)) return fail(&err);
    wait_for(&process, intr, &end);
    fprintf(out, "%" PRIu64 " %" PRIu64 "\n",
            spent_ns(&end.usage.ru_utime) + spent_ns(&end.usage.ru_stime), now_ns() - start_ns);
    bool written = fclose(out) == 0;
    pk_interrupt_end(intr);
    if (!written) return 2;
    return end.signal ? 128 + end.signal : end.code;
}

#include "base/held.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_NOT_STARTED = 127 };

/* In the child, which may only do what is safe in a copy of one thread of a process that had
 * several (signal-safety(7)). Signals are reset before the wait, so that Ctrl-C ends it there too.
 */
static void become(const char *path, char *const argv[], int gate) {
    struct sigaction standard = {.sa_handler = SIG_DFL};
    for (int i = 1; i < NSIG; i++) sigaction(i, &standard, NULL); /* of some it cannot be set */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    char released;
    ssize_t n;
    do n = read(gate, &released, 1);
    while (n < 0 && errno == EINTR);
    if (n == 1) {
        execve(path, argv, pk_process_environment());
        int why = errno;
        n = write(gate, &why, sizeof why);
        (void)n; /* nobody is left to be told */
    }
    _exit(EXIT_NOT_STARTED);
}

/* Forks the child that waits at the gate; 0 or an errno value. */
static int start(const char *path, char *const argv[], const int gate[2], pk_process *process) {
    sigset_t all, before;
    sigfillset(&all);
    /* Our handlers must not run in the child: it would write into our descriptors. */
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    int rc = pid < 0 ? errno : 0;
    if (pid == 0) {
        close(gate[1]);
        become(path, argv, gate[0]);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) return rc;
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0) {
        rc = errno;
        kill(pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        }
        return rc;
    }
    *process = (pk_process){.pid = pid, .pidfd = pidfd};
    return 0;
}

bool pk_held_start(char *const argv[], pk_held *held, pk_err *err) {
    char path[PATH_MAX];
    if (!pk_process_find(argv[0], path, sizeof path, err)) return false;
    int rc = access(path, F_OK) != 0 || access(path, X_OK) != 0 ? errno : 0;
    if (rc != 0) { /* a name with a slash in it is not looked at by the search */
        pk_process_fail(err, argv[0], rc);
        return false;
    }
    int gate[2];
    pk_process process;
    bool made = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, gate) == 0;
    rc = made ? start(path, argv, gate, &process) : errno;
    if (made) close(gate[0]);
    if (made && rc != 0) close(gate[1]);
    if (rc != 0) {
        pk_process_fail(err, argv[0], rc);
        return false;
    }
    *held = (pk_held){.process = process, .gate = gate[1], .name = argv[0]};
    return true;
}

bool pk_held_release(pk_held *held, pk_err *err) {
    int why = 0;
    ssize_t n = -1;
    /* A socket and no pipe, for the flag: it may have been killed by now. */
    if (send(held->gate, "", 1, MSG_NOSIGNAL) == 1) {
        do n = read(held->gate, &why, sizeof why);
        while (n < 0 && errno == EINTR);
    }
    close(held->gate);
    held->gate = -1;
    if (n == 0) return true; /* closed by exec */
    pk_exit exit;
    pk_process_wait(&held->process, UINT64_MAX, &exit);
    pk_process_fail(err, held->name, n == (ssize_t)sizeof why ? why : ESRCH);
    return false;
}

void pk_held_drop(pk_held *held) {
    if (held->gate < 0) return;
    close(held->gate); /* which ends it */
    held->gate = -1;
    pk_exit exit;
    pk_process_wait(&held->process, UINT64_MAX, &exit);
}

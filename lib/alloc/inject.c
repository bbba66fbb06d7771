#include "alloc/inject.h"

#ifdef __x86_64__
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "alloc/folder.h"
#include "alloc/inject_call.h"
#include "alloc/inject_target.h"
#include "alloc/launch.h"
#include "alloc/timeline.h"
#include "base/digits.h"
#include "timing/clock.h"

#define SETTINGS_BYTES (PATH_MAX + 64)
#define PROCESSES_MAX 65536u

/* ---- the guard: a process of ours that attaches, and that gives back when it is told to, or when
 * nobody is left who could tell it. Signals to us do not reach it. ---- */

typedef struct answer {
    bool ok;
    pk_err err;
} answer;

static bool known(const pk_array *pids, pid_t pid) {
    for (size_t i = 0; i < pids->count; i++)
        if (PK_AT(pids, pid_t, i) == pid) return true;
    return false;
}

static void release(pid_t pid, answer *a) {
    pk_err err;
    if (pk_inject_release(pid, &err)) return;
    a->ok = false;
    a->err = err;
}

/* Whoever has an image there was forked from one of ours, with all that is in it. */
static bool release_new(const char *folder, pk_array *done, answer *a) {
    DIR *dir = opendir(folder);
    bool any = false;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        uint64_t number;
        if (!strstr(entry->d_name, ".image") ||
            pk_digits(entry->d_name, strlen(entry->d_name), &number) == 0 ||
            known(done, (pid_t)number))
            continue;
        pid_t *slot = pk_array_push(done);
        if (!slot) break;
        *slot = (pid_t)number;
        release(*slot, a);
        any = true;
    }
    if (dir) closedir(dir);
    return any;
}

static answer release_all(const pid_t *pids, size_t n, const char *folder) {
    answer a = {.ok = true};
    pk_array done = PK_ARRAY(pid_t, PROCESSES_MAX);
    for (size_t i = 0; i < n; i++) {
        pid_t *slot = pk_array_push(&done);
        if (slot) *slot = pids[i];
        release(pids[i], &a);
    }
    while (release_new(folder, &done, &a)) {
    }
    pk_array_fini(&done);
    return a;
}

static answer attach_all(const pk_alloc_options *options, const char *folder,
                         const char *settings) {
    answer a = {.ok = true};
    for (size_t i = 0; i < options->n_pids && a.ok; i++) {
        a.ok = pk_inject_attach(options->pids[i], folder, settings, &a.err);
        if (a.ok) continue;
        pk_err why = a.err;
        (void)release_all(options->pids, i + 1, folder);
        a = (answer){.ok = false, .err = why};
    }
    return a;
}

static void guard(const pk_alloc_options *options, const char *folder, const char *settings,
                  int socket) {
    sigset_t all;
    char told;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setsid();
    prctl(PR_SET_NAME, "perfkit-guard", 0, 0, 0);
    answer a = attach_all(options, folder, settings);
    (void)send(socket, &a, sizeof a, MSG_NOSIGNAL);
    if (!a.ok) return;
    while (recv(socket, &told, 1, 0) < 0 && errno == EINTR) {
    }
    a = release_all(options->pids, options->n_pids, folder);
    (void)send(socket, &a, sizeof a, MSG_NOSIGNAL);
}

/* ---- this side of it ---- */

typedef struct attachment {
    const pk_alloc_options *options;
    const pk_interrupt *interrupt;
    pk_alloc_result *result;
    pk_alloc_folder folder;
    pk_timeline *timeline;
    pid_t guard;
    int socket;
    struct pollfd *fds; /* of the processes, the interrupt, the guard */
    uint64_t begin_ns;
} attachment;

static bool start_guard(attachment *a, pk_err *err) {
    char settings[SETTINGS_BYTES];
    int pair[2];
    if (!pk_alloc_settings(a->options, a->folder.path, true, settings, sizeof settings)) {
        pk_fail(err, PK_E_LIMIT, a->folder.path, "the settings of the hook do not fit");
        pk_fix(err, "give a shorter --folder");
        return false;
    }
    bool ok = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0;
    a->guard = ok ? fork() : -1;
    if (a->guard < 0) {
        pk_fail(err, PK_E_SYS, NULL, "cannot start a process that attaches");
        pk_fix(err, "end other programs, or raise the limits of processes and descriptors");
        if (ok) close(pair[0]), close(pair[1]);
        return false;
    }
    if (a->guard == 0) {
        close(pair[0]);
        guard(a->options, a->folder.path, settings, pair[1]);
        _exit(0);
    }
    close(pair[1]);
    a->socket = pair[0];
    return true;
}

/* Its next answer; it takes some seconds at most for each process. */
static bool hear(const attachment *a, pk_err *err) {
    answer heard;
    ssize_t n;
    do n = recv(a->socket, &heard, sizeof heard, 0);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof heard) {
        pk_fail(err, PK_E_SYS, NULL, "the process that attaches has been killed");
        pk_fix(err, "run perfkit alloc again: its end gives the processes back");
        return false;
    }
    if (!heard.ok) *err = heard.err;
    return heard.ok;
}

static void end_guard(attachment *a) {
    close(a->socket);
    while (waitpid(a->guard, NULL, 0) < 0 && errno == EINTR) {
    }
}

/* ---- the folder ---- */

static bool reached_by_all(const pk_alloc_options *options, const char *folder, pk_err *err) {
    for (size_t i = 0; i < options->n_pids; i++) {
        if (pk_inject_reaches(options->pids[i], folder)) continue;
        pk_fail(err, PK_E_UNSUPPORTED, folder,
                "process %d cannot load the hook from there (another user, root or container)",
                (int)options->pids[i]);
        pk_fix(err, "choose a --folder that it reaches, or use --backend bpf");
        return false;
    }
    return true;
}

static bool make_folder(attachment *a, pk_err *err) {
    const pk_alloc_options *options = a->options;
    const pk_text_list *parents = &options->runtime_folders;
    size_t n = options->folder || parents->count == 0 ? 1 : parents->count;
    for (size_t i = 0; i < n; i++) {
        pk_text_list one = {parents->items + i, parents->count ? 1 : 0};
        if (!pk_alloc_folder_make(options->folder, &one, &a->folder, err)) continue;
        if (reached_by_all(options, a->folder.path, err)) return true;
        pk_alloc_folder_remove(&a->folder);
    }
    return false;
}

/* ---- while they run ---- */

static size_t count_running(const attachment *a) {
    size_t n = 0;
    for (size_t i = 0; i < a->options->n_pids; i++) n += a->fds[i].fd >= 0;
    return n;
}

static void drop_ended(attachment *a) {
    for (size_t i = 0; i < a->options->n_pids; i++) {
        if (a->fds[i].fd < 0 || !a->fds[i].revents) continue;
        close(a->fds[i].fd);
        a->fds[i].fd = -1;
    }
}

static void watch(attachment *a) {
    size_t n = a->options->n_pids;
    uint64_t end_ns = UINT64_MAX;
    if (a->options->duration_ns > 0) end_ns = a->begin_ns + a->options->duration_ns;
    while (count_running(a) > 0) {
        uint64_t now_ns = pk_now_ns(), wait_ns = pk_timeline_wait_ns(a->timeline, now_ns);
        if (now_ns >= end_ns) return;
        if (wait_ns > end_ns - now_ns) wait_ns = end_ns - now_ns;
        struct timespec wait = {(time_t)(wait_ns / 1000000000u), (long)(wait_ns % 1000000000u)};
        int ready = ppoll(a->fds, n + 2, &wait, NULL);
        if (ready > 0 && a->fds[n].revents) {
            a->result->interrupted = true;
            return;
        }
        if (ready > 0 && a->fds[n + 1].revents) return; /* the guard has gone; hear() says so */
        if (ready > 0) drop_ended(a);
        pk_timeline_tick(a->timeline, pk_now_ns());
    }
}

static bool open_processes(attachment *a, pk_err *err) {
    size_t n = a->options->n_pids;
    a->fds = calloc(n + 2, sizeof *a->fds);
    for (size_t i = 0; a->fds && i < n + 2; i++)
        a->fds[i] = (struct pollfd){.fd = -1, .events = POLLIN};
    for (size_t i = 0; a->fds && i < n; i++) {
        a->fds[i].fd = (int)syscall(SYS_pidfd_open, a->options->pids[i], 0);
        if (a->fds[i].fd >= 0) continue;
        pk_fail(err, PK_E_SYS, NULL, "cannot watch process %d", (int)a->options->pids[i]);
        pk_fix(err, "look whether it still runs");
        return false;
    }
    if (a->fds) return true;
    pk_fail(err, PK_E_LIMIT, NULL, "no memory for a list of processes");
    return false;
}

static void close_processes(attachment *a) {
    for (size_t i = 0; a->fds && i < a->options->n_pids; i++)
        if (a->fds[i].fd >= 0) close(a->fds[i].fd);
    free(a->fds);
}

/* ---- the whole of it ---- */

static bool count(attachment *a, pk_err *err) {
    size_t n = a->options->n_pids;
    if (!start_guard(a, err)) return false;
    bool ok = hear(a, err);
    if (ok) {
        a->begin_ns = pk_now_ns();
        a->fds[n].fd = pk_interrupt_fd(a->interrupt);
        a->fds[n + 1].fd = a->socket;
        if (a->options->attached) a->options->attached(a->options->context);
        watch(a);
        a->result->duration_ns = pk_now_ns() - a->begin_ns;
        ok = send(a->socket, "", 1, MSG_NOSIGNAL) == 1;
        ok = hear(a, err) && ok;
    }
    end_guard(a);
    return ok;
}

static bool run_in_folder(attachment *a, pk_err *err) {
    a->timeline = pk_timeline_begin(a->result, a->folder.path, a->options->timeline_ns, false, err);
    if (!a->timeline) return false;
    bool ok = open_processes(a, err) && count(a, err);
    close_processes(a);
    pk_timeline_end(a->timeline, pk_now_ns());
    return ok && pk_alloc_add_folder(a->result, a->folder.path, err);
}

static bool check(const pk_alloc_options *options, pk_err *err) {
    if (options->function) {
        pk_fail(err, PK_E_UNSUPPORTED, NULL, "--function needs probes in the kernel");
        pk_fix(err, "use --backend bpf");
        return false;
    }
    for (size_t i = 0; i < options->n_pids; i++)
        if (!pk_inject_check(options->pids[i], err)) return false;
    return true;
}

bool pk_alloc_inject_run(const pk_alloc_options *options, const pk_interrupt *interrupt,
                         pk_alloc_result *result, pk_err *err) {
    attachment a = {.options = options, .interrupt = interrupt, .result = result};
    result->attached = true;
    result->backend = "inject";
    if (!result->backend_reason) result->backend_reason = "asked for";
    if (!check(options, err) || !make_folder(&a, err)) return false;
    bool ok = run_in_folder(&a, err);
    pk_alloc_folder_remove(&a.folder);
    return ok;
}

#else

bool pk_alloc_inject_run(const pk_alloc_options *options, const pk_interrupt *interrupt,
                         pk_alloc_result *result, pk_err *err) {
    (void)options;
    (void)interrupt;
    (void)result;
    pk_fail(err, PK_E_UNSUPPORTED, NULL, "attaching by injection is for x86-64");
    pk_fix(err, "use --backend bpf, or start the command under perfkit alloc");
    return false;
}

#endif

/* The launcher: a program of its own that starts the commands of `perfkit time`, one at a time.
 *
 * It is small and static because exec carries the high-water mark of the memory it replaces over to
 * the new program: started from perfkit itself, no command would take less than perfkit does. It
 * shares its memory with the child until exec (CLONE_VM), so a start does not cost more the more
 * memory we have, and the child can tell the time at which it called exec.
 *
 * Signals stay blocked here for good. Ctrl-C reaches the command, which has none blocked, and
 * perfkit, which says what is to happen; the launcher ends when perfkit does. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/launch_block.h"
#include "timing/clock.h"

enum { STACK_BYTES = 16 << 10, FDS = 3 };

typedef struct launcher {
    pk_launch_block *block;
    pk_launch_entry *entry; /* being run */
    int fds[FDS];           /* of the child to be; not among 0, 1, 2, which we hold ourselves */
    bool counts;            /* this machine has counters that we may use */
} launcher;

/* ---- the child, until exec ---- */

static int become(void *context) {
    launcher *l = context;
    const pk_launch_block *block = l->block;
    pk_launch_entry *entry = l->entry;
    sigset_t none;
    sigemptyset(&none);
    bool ok = !block->own_group || setpgid(0, 0) == 0;
    for (int i = 0; i < FDS && ok; i++) ok = dup2(l->fds[i], i) == i;
    if (ok && block->limit_cpus) ok = sched_setaffinity(0, sizeof block->cpus, &block->cpus) == 0;
    if (ok) ok = sigprocmask(SIG_SETMASK, &none, NULL) == 0;
    if (ok) {
        entry->exec_ns = pk_now_ns();
        execve((const char *)(uintptr_t)entry->path, (char *const *)(uintptr_t)entry->argv,
               (char *const *)(uintptr_t)entry->env);
    }
    entry->error = errno;
    _exit(127);
}

/* ---- watching it ---- */

typedef enum wake { WAKE_CHILD, WAKE_SOCKET, WAKE_TIME } wake;

/* Until the child has ended, a packet (or perfkit's end) is there, or the time is over. socket -1:
 * not looked at. limit_ns 0: no limit. */
static wake wait_for(int pidfd, int socket, uint64_t limit_ns) {
    struct pollfd fds[] = {{.fd = pidfd, .events = POLLIN}, {.fd = socket, .events = POLLIN}};
    for (;;) {
        uint64_t now_ns = limit_ns > 0 ? pk_now_ns() : 0;
        uint64_t left_ns = limit_ns > now_ns ? limit_ns - now_ns : 0;
        struct timespec left = {.tv_sec = (time_t)(left_ns / 1000000000u),
                                .tv_nsec = (long)(left_ns % 1000000000u)};
        int n = ppoll(fds, 2, limit_ns > 0 ? &left : NULL, NULL);
        if (n == 0) return WAKE_TIME;
        if (n < 0) continue; /* out of memory for a moment: every signal is blocked */
        return fds[0].revents ? WAKE_CHILD : WAKE_SOCKET;
    }
}

/* SIGTERM, a while, SIGKILL; of a group also to those that outlive its leader. The zombie keeps its
 * number, and the group's, from being given to somebody else. */
static void end_child(pid_t whom, int pidfd) {
    kill(whom, SIGTERM);
    kill(whom, SIGCONT); /* a stopped one would not see it */
    wake how = wait_for(pidfd, -1, pk_now_ns() + PK_LAUNCH_GRACE_NS);
    kill(whom, SIGKILL);
    if (how != WAKE_CHILD) wait_for(pidfd, -1, 0);
}

/* False: perfkit is gone. */
static bool watch(launcher *l, pid_t pid, int pidfd) {
    const pk_launch_block *block = l->block;
    pk_launch_entry *entry = l->entry;
    uint64_t limit_ns = block->timeout_ns > 0 ? entry->exec_ns + block->timeout_ns : 0;
    bool there = true;
    wake how = wait_for(pidfd, PK_LAUNCH_SOCKET, limit_ns);
    entry->exit_ns = pk_now_ns();
    if (how != WAKE_CHILD) {
        char packet;
        entry->end = how == WAKE_TIME ? PK_LAUNCH_TIMED_OUT : PK_LAUNCH_STOPPED;
        end_child(block->own_group ? -pid : pid, pidfd);
        if (how == WAKE_SOCKET) there = recv(PK_LAUNCH_SOCKET, &packet, 1, 0) > 0;
    }
    return there;
}

/* ---- counters ---- */

#define NO_COUNTERS ((pk_counters){.fd = {-1, -1, -1, -1}})
_Static_assert(PK_COUNTERS == 4, "NO_COUNTERS has one for each");

static bool has_counters(void) {
    pk_counters counters;
    pk_counters_open_children(&counters);
    bool has = false;
    for (int i = 0; i < PK_COUNTERS; i++) has = has || counters.fd[i] >= 0;
    pk_counters_close(&counters);
    return has;
}

/* ---- one start ---- */

/* The child is not waited for until exec (CLONE_VFORK): waking us then, on another processor, would
 * be part of its time. But a limit counts from exec. */
static bool start(launcher *l, char *stack) {
    pk_launch_entry *entry = l->entry;
    int pidfd = -1, hold = l->block->timeout_ns > 0 ? CLONE_VFORK : 0;
    bool there = true;
    entry->error = 0;
    entry->end = PK_LAUNCH_ENDED;
    pk_counters counters = NO_COUNTERS;
    if (l->counts) pk_counters_open_children(&counters);
    entry->clone_ns = pk_now_ns();
    pid_t pid =
        clone(become, stack + STACK_BYTES, CLONE_VM | CLONE_PIDFD | SIGCHLD | hold, l, &pidfd);
    if (pid < 0) {
        entry->end = PK_LAUNCH_NOT_CLONED;
        entry->error = errno;
        pk_counters_close(&counters);
        return true;
    }
    there = watch(l, pid, pidfd);
    while (wait4(pid, &entry->status, 0, &entry->usage) < 0 && errno == EINTR) {
    }
    /* Its memory was ours until exec or its end, so what it wrote is there. */
    if (entry->error) entry->end = PK_LAUNCH_NOT_EXECUTED;
    close(pidfd);
    pk_counters_read(&counters, &entry->counters);
    pk_counters_close(&counters);
    return there;
}

/* All that were asked for, back to back: the next one is started from the same processor, with the
 * same caches, as the one before. False: perfkit is gone. */
static bool start_all(launcher *l, char *stack) {
    pk_launch_block *block = l->block;
    bool there = true, well = true;
    for (block->done = 0; block->done < block->n && there && well; block->done++) {
        l->entry = &block->entries[block->done];
        if (block->done > 0 && block->empty_errors) well = ftruncate(l->fds[STDERR_FILENO], 0) == 0;
        there = start(l, stack);
        well = well && l->entry->end == PK_LAUNCH_ENDED && l->entry->status == 0;
    }
    return there;
}

/* The next packet and its descriptors. False: perfkit is gone. */
static bool take(launcher *l, char *packet) {
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof l->fds)];
    } control;
    struct iovec data = {.iov_base = packet, .iov_len = 1};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t n = recvmsg(PK_LAUNCH_SOCKET, &message, MSG_CMSG_CLOEXEC);
    if (n <= 0) return false;
    const struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    bool has_fds =
        head && head->cmsg_type == SCM_RIGHTS && head->cmsg_len == CMSG_LEN(sizeof l->fds);
    if (has_fds) memcpy(l->fds, CMSG_DATA(head), sizeof l->fds);
    return has_fds || *packet != PK_LAUNCH_START;
}

static void serve(launcher *l) {
    _Alignas(16) char stack[STACK_BYTES];
    char packet;
    bool there = true;
    while (there && take(l, &packet)) {
        if (packet != PK_LAUNCH_START) continue; /* a stop that came too late */
        there = start_all(l, stack);
        for (int i = 0; i < FDS; i++) close(l->fds[i]);
        packet = PK_LAUNCH_DONE;
        there = there && send(PK_LAUNCH_SOCKET, &packet, 1, MSG_NOSIGNAL) == 1;
    }
}

int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1) return 0; /* what the least of programs takes: see pk_launcher_floor_bytes */
    sigset_t all;
    sigfillset(&all);
    launcher l = {.block = mmap(NULL, PK_LAUNCH_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
                                PK_LAUNCH_MEMORY, 0)};
    char packet = PK_LAUNCH_DONE;
    if (l.block == MAP_FAILED || sigprocmask(SIG_SETMASK, &all, NULL) != 0 ||
        (l.block->address = (uint64_t)(uintptr_t)l.block) == 0 ||
        send(PK_LAUNCH_SOCKET, &packet, 1, MSG_NOSIGNAL) != 1) {
        static const char text[] = "this is a part of perfkit; `perfkit time` starts it\n";
        (void)!write(STDERR_FILENO, text, sizeof text - 1);
        return 2;
    }
    l.counts = has_counters();
    serve(&l);
    return 0;
}

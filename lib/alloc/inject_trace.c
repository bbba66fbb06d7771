#include "alloc/inject_trace.h"

#ifdef __x86_64__
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/digits.h"
#include "timing/clock.h"

#define OPTIONS                                                                            \
    (PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | \
     PTRACE_O_TRACEVFORKDONE)
#define BREAK 0xccu
#define PASSES_MAX 1000u

/* ---- the list ---- */

static pk_traced *find(const pk_trace *t, pid_t tid) {
    for (size_t i = 0; i < t->threads.count; i++)
        if (PK_AT(&t->threads, pk_traced, i).tid == tid) return &PK_AT(&t->threads, pk_traced, i);
    return NULL;
}

static pk_traced *add(pk_trace *t, pid_t tid) {
    pk_traced *thread = pk_array_push(&t->threads);
    if (thread) *thread = (pk_traced){.tid = tid};
    return thread;
}

static void forget(pk_trace *t, pid_t tid) {
    pk_traced *thread = find(t, tid);
    if (!thread) return;
    *thread = PK_AT(&t->threads, pk_traced, t->threads.count - 1);
    t->threads.count--;
}

static bool is_thread(const pk_trace *t, pid_t tid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d", (int)t->target->pid, (int)tid);
    return access(path, F_OK) == 0;
}

/* One that a traced thread has made is traced from its start. */
static bool is_ours(pid_t tid) {
    char tracer[32], own[32];
    int error = errno;
    snprintf(own, sizeof own, "%d", (int)gettid());
    bool ours =
        pk_inject_status(tid, "TracerPid:", tracer, sizeof tracer) && strcmp(tracer, own) == 0;
    errno = error;
    return ours;
}

static bool is_ending(pid_t tid) {
    char state[32];
    int error = errno;
    bool runs =
        pk_inject_status(tid, "State:", state, sizeof state) && state[0] != 'Z' && state[0] != 'X';
    errno = error;
    return !runs;
}

/* Threads begin while we look: until a pass finds no new one. False: errno. */
static bool seize_new(pk_trace *t, bool *any) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)t->target->pid);
    DIR *dir = opendir(path);
    bool ok = dir != NULL;
    *any = false;
    for (struct dirent *entry; ok && (entry = readdir(dir));) {
        uint64_t number;
        if (pk_digits(entry->d_name, strlen(entry->d_name), &number) == 0) continue;
        pid_t tid = (pid_t)number;
        if (find(t, tid)) continue;
        bool seized = ptrace(PTRACE_SEIZE, tid, 0, OPTIONS) == 0 || is_ours(tid);
        if (!seized && is_ending(tid)) continue;
        ok = seized && add(t, tid) != NULL;
        *any = true;
    }
    int error = errno;
    if (dir) closedir(dir);
    errno = error;
    return ok;
}

static bool seize_all(pk_trace *t) {
    bool any = true;
    for (unsigned i = 0; any && i < PASSES_MAX; i++)
        if (!seize_new(t, &any)) return false;
    return t->threads.count > 0;
}

bool pk_trace_begin(pk_trace *t, const pk_inject_target *target, pk_err *err) {
    *t = (pk_trace){.target = target, .threads = PK_ARRAY(pk_traced, PK_TRACE_THREADS_MAX)};
    if (seize_all(t)) return true;
    pk_inject_refused(target->pid, err);
    return false;
}

/* ---- the breakpoint ---- */

static void arm(pk_trace *t) {
    uint8_t byte = BREAK;
    if (t->wanted && !t->armed && t->sharing == 0)
        t->armed = pk_inject_write(t->target, t->at, &byte, 1);
}

static void disarm(pk_trace *t) {
    if (t->armed) (void)pk_inject_write(t->target, t->at, &t->original, 1);
    t->armed = false;
}

void pk_trace_unbreak(pk_trace *t) {
    disarm(t);
    t->wanted = false;
}

/* Has the thread, which is stopped by SIGTRAP, run into it? Then it stands before it again. */
static bool set_back(const pk_trace *t, pid_t tid) {
    struct user_regs_struct r;
    siginfo_t info;
    if (!t->at || ptrace(PTRACE_GETSIGINFO, tid, 0, &info) < 0 || info.si_code != SI_KERNEL ||
        ptrace(PTRACE_GETREGS, tid, 0, &r) < 0 || r.rip != t->at + 1)
        return false;
    r.rip = t->at;
    return ptrace(PTRACE_SETREGS, tid, 0, &r) == 0;
}

/* ---- children: they have a copy of the memory, or share it until they become something else ----
 */

static void let_child_go(pk_trace *t, pid_t child) {
    char path[64];
    uint8_t byte = 0;
    pk_inject_target copy = *t->target;
    snprintf(path, sizeof path, "/proc/%d/mem", (int)child);
    copy.memory = t->at ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (copy.memory >= 0) {
        if (pk_inject_read(&copy, t->at, &byte, 1) && byte == BREAK)
            (void)pk_inject_write(&copy, t->at, &t->original, 1);
        close(copy.memory);
        if (t->armed && pk_inject_read(t->target, t->at, &byte, 1) && byte != BREAK) {
            t->armed = false;
            t->sharing++;
            t->early++;
        }
    }
    t->copies--;
    ptrace(PTRACE_DETACH, child, 0, 0);
}

/* ---- stops ---- */

static int event_of(int status) {
    return (int)((unsigned)status >> 16);
}

static bool is_stop_signal(int signal) {
    return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/* The next change of any thread; 0: none by then. */
static pid_t wait_for_any(uint64_t deadline_ns, int *status) {
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    for (;;) {
        pid_t tid = waitpid(-1, status, __WALL | WNOHANG);
        uint64_t now = pk_now_ns();
        if (tid != 0 || now >= deadline_ns) return tid < 0 ? 0 : tid;
        uint64_t left = deadline_ns - now;
        struct timespec wait = {(time_t)(left / 1000000000u), (long)(left % 1000000000u)};
        sigtimedwait(&child, NULL, &wait); /* whoever began us has blocked it */
    }
}

/* True: the list has been brought up to date, and nothing is left to be done about it. */
static bool is_about_list(pk_trace *t, pid_t tid, int status) {
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
        forget(t, tid);
        return true;
    }
    if (find(t, tid)) return false;
    if (is_thread(t, tid) && add(t, tid)) return false;
    let_child_go(t, tid);
    return true;
}

static void note_event(pk_trace *t, int event) {
    if (event == PTRACE_EVENT_EXEC) t->replaced = true;
    if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK) t->copies++;
    if (event == PTRACE_EVENT_VFORK && t->early > 0) {
        t->early--;
    } else if (event == PTRACE_EVENT_VFORK) {
        disarm(t);
        t->sharing++;
    }
    if (event == PTRACE_EVENT_VFORK_DONE && t->sharing > 0) t->sharing--;
    arm(t);
}

/* Lets it go on from a stop that is of no interest. */
static void pass_on(pk_trace *t, pid_t tid, int status) {
    int event = event_of(status), signal = WSTOPSIG(status);
    if (event) note_event(t, event);
    if (event == PTRACE_EVENT_STOP && is_stop_signal(signal)) ptrace(PTRACE_LISTEN, tid, 0, 0);
    else ptrace(PTRACE_CONT, tid, 0, event ? 0 : signal);
}

int pk_trace_next(pk_trace *t, pid_t caller, uint64_t deadline_ns, pid_t *tid) {
    while (t->threads.count > 0 && !t->replaced) {
        int status;
        pid_t who = wait_for_any(deadline_ns, &status);
        if (who == 0) return 0;
        if (is_about_list(t, who, status)) continue;
        int signal = event_of(status) ? 0 : WSTOPSIG(status);
        bool at_break = signal == SIGTRAP && set_back(t, who);
        if (at_break && !t->armed) {
            ptrace(PTRACE_CONT, who, 0, 0);
        } else if (at_break || (who == caller && signal == SIGSEGV)) {
            find(t, who)->stopped = true;
            *tid = who;
            return signal;
        } else {
            pass_on(t, who, status);
        }
    }
    return 0;
}

bool pk_trace_go_on(pk_trace *t, pid_t tid) {
    pk_traced *thread = find(t, tid);
    if (!thread) return false;
    thread->stopped = false;
    return ptrace(PTRACE_CONT, tid, 0, thread->signal) == 0;
}

bool pk_trace_step_over(pk_trace *t, pid_t tid) {
    int status = 0;
    uint64_t deadline_ns = pk_now_ns() + PK_TRACE_WAIT_NS;
    disarm(t);
    if (ptrace(PTRACE_SINGLESTEP, tid, 0, 0) < 0) return false;
    for (pid_t who; (who = wait_for_any(deadline_ns, &status)) != 0;) {
        if (is_about_list(t, who, status)) continue;
        if (who == tid) break;
        if (event_of(status) || WSTOPSIG(status) != SIGTRAP || !set_back(t, who))
            pass_on(t, who, status);
        else ptrace(PTRACE_CONT, who, 0, 0);
    }
    arm(t);
    pk_traced *thread = find(t, tid);
    if (!thread) return true;
    thread->stopped = false;
    int signal = WSTOPSIG(status);
    return ptrace(PTRACE_CONT, tid, 0, event_of(status) || signal == SIGTRAP ? 0 : signal) == 0;
}

/* ---- stopping ---- */

static bool is_pending(pid_t tid, const char *which, int signal) {
    char mask[32];
    size_t n, digit = ((size_t)signal - 1) / 4;
    if (!pk_inject_status(tid, which, mask, sizeof mask) || (n = strlen(mask)) <= digit)
        return false;
    char c = mask[n - 1 - digit];
    unsigned value = c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a') + 10;
    return value >> ((signal - 1) % 4) & 1;
}

/* Calls that are not begun anew by the kernel after an interruption (signal(7)). */
static bool is_given_up(uint64_t call) {
    return call == SYS_epoll_wait || call == SYS_epoll_pwait || call == SYS_epoll_pwait2 ||
           call == SYS_semop || call == SYS_semtimedop || call == SYS_rt_sigtimedwait ||
           call == SYS_msgrcv || call == SYS_msgsnd || call == SYS_io_getevents;
}

static bool has_signal(pid_t tid) {
    for (int signal = 1; signal < 32; signal++)
        if (is_pending(tid, "SigPnd:", signal) || is_pending(tid, "ShdPnd:", signal)) return true;
    return false;
}

/* Then we do: the program does not learn that we were here. */
static void begin_call_anew(const pk_trace *t, pid_t tid) {
    struct user_regs_struct r;
    uint8_t code[2];
    if (ptrace(PTRACE_GETREGS, tid, 0, &r) < 0 || r.rax != (uint64_t)-EINTR ||
        !is_given_up(r.orig_rax) || !pk_inject_read(t->target, r.rip - 2, code, 2) ||
        code[0] != 0x0f || code[1] != 0x05 || has_signal(tid))
        return;
    r.rip -= 2;
    r.rax = r.orig_rax;
    r.orig_rax = (uint64_t)-1;
    ptrace(PTRACE_SETREGS, tid, 0, &r);
}

/* A thread has stopped that was to. False: it must go on first, to what is waiting for it. */
static bool take_stop(pk_trace *t, pid_t tid, int status) {
    pk_traced *thread = find(t, tid);
    int event = event_of(status), signal = WSTOPSIG(status);
    if (event) {
        note_event(t, event);
        if (t->at && is_pending(tid, "SigPnd:", SIGTRAP)) {
            ptrace(PTRACE_CONT, tid, 0, 0);
            return false;
        }
        if (event == PTRACE_EVENT_STOP && signal == SIGTRAP) begin_call_anew(t, tid);
    }
    thread->stopped = true;
    thread->signal = event || (signal == SIGTRAP && set_back(t, tid)) ? 0 : signal;
    return true;
}

bool pk_trace_stop(pk_trace *t, pid_t tid) {
    int status;
    uint64_t deadline_ns = pk_now_ns() + PK_TRACE_WAIT_NS;
    if (ptrace(PTRACE_INTERRUPT, tid, 0, 0) < 0) return false;
    for (pid_t who; (who = wait_for_any(deadline_ns, &status)) != 0;) {
        if (is_about_list(t, who, status)) continue;
        if (who != tid) pass_on(t, who, status);
        else if (take_stop(t, who, status)) return true;
    }
    return false;
}

static size_t count_running(const pk_trace *t) {
    size_t n = 0;
    for (size_t i = 0; i < t->threads.count; i++) {
        const pk_traced *thread = &PK_AT(&t->threads, pk_traced, i);
        n += !thread->stopped && !thread->left;
    }
    return n;
}

/* Waits until all have stopped that were told to, and the copies have come that they were making.
 */
static bool collect_stops(pk_trace *t, uint64_t deadline_ns) {
    int status;
    while (count_running(t) > 0 || t->copies > 0) {
        pid_t who = wait_for_any(deadline_ns, &status);
        if (who == 0) return false;
        if (!is_about_list(t, who, status)) (void)take_stop(t, who, status);
    }
    return true;
}

bool pk_trace_stop_all(pk_trace *t) {
    uint64_t deadline_ns = pk_now_ns() + PK_TRACE_WAIT_NS;
    bool any = true;
    while (any) {
        for (size_t i = 0; i < t->threads.count; i++) {
            const pk_traced *thread = &PK_AT(&t->threads, pk_traced, i);
            if (!thread->stopped) ptrace(PTRACE_INTERRUPT, thread->tid, 0, 0);
        }
        if (!collect_stops(t, deadline_ns) || !seize_new(t, &any)) return false;
    }
    return t->threads.count > 0;
}

/* ---- what was begun before we came, and the end ---- */

/* Is it in a call that makes a child? */
static bool is_starting(const pk_trace *t, pid_t tid) {
    char path[80], text[32] = "";
    snprintf(path, sizeof path, "/proc/%d/task/%d/syscall", (int)t->target->pid, (int)tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    uint64_t call;
    if (fd >= 0) close(fd);
    return n > 0 && pk_digits(text, (size_t)n, &call) > 0 &&
           (call == SYS_vfork || call == SYS_fork || call == SYS_clone || call == SYS_clone3);
}

static bool is_asleep(pid_t tid) {
    char state[32];
    return pk_inject_status(tid, "State:", state, sizeof state) && state[0] == 'S' &&
           !is_pending(tid, "SigPnd:", SIGTRAP);
}

/* Those that wait in the kernel are left there: they can neither be at the breakpoint nor on the
 * way to a child. All others stop for a moment. */
static bool stop_awake(pk_trace *t) {
    for (size_t i = 0; i < t->threads.count; i++) {
        pk_traced *thread = &PK_AT(&t->threads, pk_traced, i);
        if (thread->stopped) continue;
        thread->left = is_asleep(thread->tid) && !is_starting(t, thread->tid);
        if (!thread->left) ptrace(PTRACE_INTERRUPT, thread->tid, 0, 0);
    }
    return collect_stops(t, pk_now_ns() + PK_TRACE_WAIT_NS);
}

/* A child that was begun before we came would not be seen, and would run into the breakpoint; so
 * first each thread has been out of the kernel once. */
bool pk_trace_break(pk_trace *t, uint64_t at) {
    uint8_t original;
    if (!pk_inject_read(t->target, at, &original, 1) || original == BREAK) return false;
    bool ok = stop_awake(t);
    for (size_t i = 0; i < t->threads.count; i++) {
        pk_traced *thread = &PK_AT(&t->threads, pk_traced, i);
        thread->left = false;
        if (thread->stopped) (void)pk_trace_go_on(t, thread->tid);
        thread->signal = 0;
    }
    if (!ok) return false;
    t->original = original;
    t->at = at;
    t->wanted = true;
    arm(t);
    return t->armed || t->sharing > 0;
}

void pk_trace_end(pk_trace *t) {
    pk_trace_unbreak(t);
    (void)stop_awake(t);
    for (size_t i = 0; i < t->threads.count; i++) {
        const pk_traced *thread = &PK_AT(&t->threads, pk_traced, i);
        if (thread->stopped) ptrace(PTRACE_DETACH, thread->tid, 0, thread->signal);
    }
    pk_array_fini(&t->threads);
}
#endif

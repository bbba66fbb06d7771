#include "alloc/inject_call.h"

#ifdef __x86_64__
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#include "alloc/folder.h"
#include "alloc/hook_patch.h"
#include "alloc/inject_trace.h"
#include "timing/clock.h"

#define STATE_BYTES 65536 /* of the floating point and vector registers */
#define RED_ZONE 128u     /* below the stack pointer, which leaf functions use */
#define STACK_NEEDED ((uint64_t)64 << 10)
#define TEXT_MAX (PATH_MAX + 256)
#define STATES_MAX 1000000u
#define FLAGS_CLEARED 0x500u /* single step, direction */

typedef struct injection {
    pk_inject_target target;
    pk_trace trace;
    pid_t tid; /* stopped at malloc's entry, or free's */
    struct user_regs_struct registers;
    uint64_t mask; /* of its signals */
    unsigned char *state;
    size_t state_bytes;
    pk_err *err;
} injection;

static bool fail(injection *j, pk_err_kind kind, const char *what, const char *fix) {
    char where[64];
    snprintf(where, sizeof where, "process %d", (int)j->target.pid);
    pk_fail(j->err, kind, where, "%s", what);
    pk_fix(j->err, "%s", fix);
    return false;
}

/* ---- a thread that can be borrowed ---- */

/* Does nobody count, or begin to? Counting ends of itself after a release, and the thread that is
 * borrowed may be in the middle of it: the hook calls functions that call malloc. */
static bool is_at_rest(const pk_inject_target *t) {
    pk_hook_control control;
    uint64_t process = 0, thread = 0;
    uint32_t opening = 0, state = 0;
    if (!t->control) return true;
    if (!pk_inject_read(t, t->control, &control, sizeof control) ||
        !pk_inject_read(t, (uint64_t)control.hook + offsetof(pk_hook_globals, process), &process,
                        sizeof process))
        return false;
    if (!process) return true;
    if (!pk_inject_read(t, process + offsetof(pk_hook_process, opening), &opening, 4) ||
        opening != 0 ||
        !pk_inject_read(t, process + offsetof(pk_hook_process, all_threads), &thread, 8))
        return false;
    for (size_t i = 0; thread && i < STATES_MAX; i++) {
        if (!pk_inject_read(t, thread + offsetof(pk_hook_thread, state), &state, 4) ||
            state == PK_STATE_COUNTING ||
            !pk_inject_read(t, thread + offsetof(pk_hook_thread, next), &thread, 8))
            return false;
    }
    return true;
}

/* malloc (or free) has not begun, so this thread holds nothing of the allocator's; the loader,
 * which calls it too, would not bear to be entered again. And the stack must be deep enough. */
static bool is_suitable(const injection *j, const struct user_regs_struct *r) {
    uint64_t caller, deep;
    const pk_inject_target *t = &j->target;
    return pk_inject_read(t, r->rsp, &caller, sizeof caller) &&
           (caller < t->loader_begin || caller >= t->loader_end) &&
           (caller < t->hook_begin || caller >= t->hook_end) && is_at_rest(t) &&
           r->rsp > STACK_NEEDED && pk_inject_read(t, r->rsp - STACK_NEEDED, &deep, sizeof deep);
}

static bool catch_thread(injection *j) {
    uint64_t deadline_ns = pk_now_ns() + PK_TRACE_WAIT_NS;
    pk_trace *t = &j->trace;
    (void)pk_inject_find_hook(&j->target); /* it may be there from before */
    /* A probe of the kernel's may stand in malloc, as BPF sets them. */
    if (!pk_trace_break(t, j->target.malloc) &&
        (!j->target.free || !pk_trace_break(t, j->target.free)))
        return fail(j, PK_E_UNSUPPORTED, "no breakpoint can be set in its malloc",
                    "use --backend bpf");
    while (pk_now_ns() < deadline_ns && pk_trace_next(t, 0, deadline_ns, &j->tid) == SIGTRAP) {
        if (ptrace(PTRACE_GETREGS, j->tid, 0, &j->registers) == 0 &&
            is_suitable(j, &j->registers)) {
            pk_trace_unbreak(t);
            return true;
        }
        if (!pk_trace_step_over(t, j->tid)) break;
    }
    pk_trace_unbreak(t);
    if (t->replaced || t->threads.count == 0)
        return fail(j, PK_E_INPUT, "it ended, or became another program",
                    "attach to it later, or start it under perfkit alloc");
    return fail(j, PK_E_UNSUPPORTED,
                "it has called no malloc for 2 seconds, so the hook could not be loaded",
                "attach while it works, or use --backend bpf");
}

/* ---- what the thread has, kept and given back ---- */

static bool keep(injection *j) {
    struct iovec state = {j->state, STATE_BYTES};
    uint64_t mask = ~(uint64_t)0;
    /* Those that tell of a fault stay: blocked, they would change what the program has set. */
    for (size_t i = 0; i < 5; i++)
        mask &= ~((uint64_t)1 << ((const int[]){SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP}[i] - 1));
    if (ptrace(PTRACE_GETREGSET, j->tid, NT_X86_XSTATE, &state) < 0 ||
        ptrace(PTRACE_GETSIGMASK, j->tid, sizeof j->mask, &j->mask) < 0)
        return false;
    j->state_bytes = state.iov_len;
    return ptrace(PTRACE_SETSIGMASK, j->tid, sizeof mask, &mask) == 0;
}

static void give_back(injection *j) {
    struct iovec state = {j->state, j->state_bytes};
    ptrace(PTRACE_SETREGS, j->tid, 0, &j->registers);
    ptrace(PTRACE_SETREGSET, j->tid, NT_X86_XSTATE, &state);
    ptrace(PTRACE_SETSIGMASK, j->tid, sizeof j->mask, &j->mask);
}

/* ---- calls ---- */

/* function(text, second) in the thread; it comes back to address 0, which is a fault. */
static bool call(injection *j, uint64_t function, const char *text, uint64_t second,
                 uint64_t *result) {
    struct user_regs_struct r = j->registers;
    uint64_t nowhere = 0;
    size_t bytes = text ? strlen(text) + 1 : 0;
    uint64_t at = (r.rsp - RED_ZONE - bytes) & ~(uint64_t)15;
    if (bytes && !pk_inject_write(&j->target, at, text, bytes)) return false;
    r.rsp = at - 8; /* as a call would have left it */
    r.rip = function;
    r.rdi = at;
    r.rsi = second;
    r.rax = 0;
    r.orig_rax = (uint64_t)-1;
    r.eflags &= ~(unsigned long long)FLAGS_CLEARED;
    pid_t tid = 0;
    if (!pk_inject_write(&j->target, r.rsp, &nowhere, sizeof nowhere) ||
        ptrace(PTRACE_SETREGS, j->tid, 0, &r) < 0 || !pk_trace_go_on(&j->trace, j->tid))
        return false;
    if (pk_trace_next(&j->trace, j->tid, pk_now_ns() + PK_TRACE_WAIT_NS, &tid) != SIGSEGV) {
        (void)pk_trace_stop(&j->trace, j->tid); /* it did not come back: it is fetched */
        return false;
    }
    if (ptrace(PTRACE_GETREGS, j->tid, 0, &r) < 0 || r.rip != 0) return false;
    *result = r.rax;
    return true;
}

static bool load(injection *j, const char *folder) {
    char path[TEXT_MAX], why[256] = "dlopen says nothing";
    uint64_t handle = 0, text = 0;
    if (j->target.attach) return true;
    snprintf(path, sizeof path, "%s/%s", folder, PK_ALLOC_HOOK_NAME);
    if (!call(j, j->target.dlopen, path, RTLD_NOW, &handle))
        return fail(j, PK_E_UNSUPPORTED, "its dlopen did not come back", "use --backend bpf");
    if (handle && pk_inject_find_hook(&j->target)) return true;
    if (!handle && j->target.dlerror && call(j, j->target.dlerror, NULL, 0, &text) && text) {
        /* What lies behind the text may not be readable. */
        for (size_t i = 0; i < sizeof why && pk_inject_read(&j->target, text + i, &why[i], 1); i++)
            if (!why[i]) break;
        why[sizeof why - 1] = '\0';
    }
    fail(j, PK_E_UNSUPPORTED, "", "use --backend bpf");
    snprintf(j->err->what, sizeof j->err->what, "it cannot load the hook: %s", why);
    return false;
}

static bool begin_counting(injection *j, const char *settings) {
    uint64_t error = 0;
    if (!call(j, j->target.attach, settings, 0, &error))
        return fail(j, PK_E_UNSUPPORTED, "the hook did not come back", "use --backend bpf");
    if ((int)error == 0) return true;
    errno = (int)error;
    return fail(j, PK_E_SYS, "the hook in it cannot make its image", "choose another --folder");
}

/* ---- out of use ---- */

static void put_back(const pk_inject_target *t, const pk_hook_control *control) {
    uint64_t slots = (uint64_t)control->slots, n = atomic_load(&control->n_slots);
    for (uint64_t i = 0; slots && i < n && i < PK_HOOK_SLOTS_MAX; i++) {
        pk_hook_slot slot;
        uint64_t now;
        /* It may be unmapped, or somebody else's by now. */
        if (pk_inject_read(t, slots + i * sizeof slot, &slot, sizeof slot) &&
            pk_inject_read(t, slot.at, &now, sizeof now) && now == slot.ours)
            (void)pk_inject_write(t, slot.at, &slot.before, sizeof slot.before);
    }
}

/* What pk_alloc_hook_detach does, from outside. */
static void end_counting(const pk_inject_target *t, const pk_hook_control *control) {
    uint64_t globals = (uint64_t)control->hook, process = 0, head = 0, now = pk_now_ns();
    uint32_t changes = 0;
    bool active = false;
    (void)pk_inject_write(t, globals + offsetof(pk_hook_globals, active), &active, sizeof active);
    if (!pk_inject_read(t, globals + offsetof(pk_hook_globals, process), &process, 8) || !process)
        return;
    uint64_t at = process + offsetof(pk_hook_process, changes);
    if (pk_inject_read(t, at, &changes, sizeof changes)) {
        changes++;
        (void)pk_inject_write(t, at, &changes, sizeof changes);
    }
    if (pk_inject_read(t, process + offsetof(pk_hook_process, head), &head, 8) && head)
        (void)pk_inject_write(t, head + offsetof(pk_image_head, ended_ns), &now, sizeof now);
}

static bool take_out(injection *j) {
    pk_hook_control control;
    if (!pk_inject_find_hook(&j->target)) return true;
    bool stopped = pk_trace_stop_all(&j->trace);
    if (j->trace.replaced || j->trace.threads.count == 0) return true;
    if (!stopped)
        return fail(j, PK_E_SYS, "a thread of it cannot be stopped, so the hook stays in use",
                    "attach and end once more");
    if (!pk_inject_read(&j->target, j->target.control, &control, sizeof control))
        return fail(j, PK_E_SYS, "the hook in it cannot be read", "attach and end once more");
    put_back(&j->target, &control);
    end_counting(&j->target, &control);
    return true;
}

/* ---- from a thread of its own, with which all tracing ends ---- */

typedef struct job {
    pid_t pid;
    const char *folder, *settings; /* NULL: out of use */
    pk_err *err;
    bool ok;
} job;

static bool run_in(injection *j, const job *what) {
    if (!catch_thread(j)) return false;
    bool ok = keep(j);
    if (!ok) fail(j, PK_E_SYS, "its registers cannot be read", "use --backend bpf");
    ok = ok && load(j, what->folder) && begin_counting(j, what->settings);
    give_back(j);
    return ok;
}

static void *run(void *context) {
    job *what = context;
    injection j = {.err = what->err, .state = malloc(STATE_BYTES)};
    j.target.memory = -1;
    if (!j.state) {
        pk_fail(what->err, PK_E_LIMIT, NULL, "no memory for a process's registers");
        return NULL;
    }
    if (pk_inject_open(what->pid, &j.target, what->err) &&
        (!what->folder || pk_inject_find(&j.target, what->err)) &&
        pk_trace_begin(&j.trace, &j.target, what->err)) {
        what->ok = what->folder ? run_in(&j, what) : take_out(&j);
        pk_trace_end(&j.trace);
    }
    pk_inject_close(&j.target);
    free(j.state);
    return NULL;
}

static bool do_job(job *what) {
    pthread_t thread;
    int error = pthread_create(&thread, NULL, run, what);
    if (error != 0) {
        errno = error;
        pk_fail(what->err, PK_E_SYS, NULL, "cannot begin a thread");
        return false;
    }
    pthread_join(thread, NULL);
    return what->ok;
}

bool pk_inject_attach(pid_t pid, const char *folder, const char *settings, pk_err *err) {
    job what = {.pid = pid, .folder = folder, .settings = settings, .err = err};
    return do_job(&what);
}

static bool has_ended(pid_t pid) {
    char state[64];
    return !pk_inject_status(pid, "State:", state, sizeof state) || state[0] == 'Z' ||
           state[0] == 'X';
}

bool pk_inject_release(pid_t pid, pk_err *err) {
    job what = {.pid = pid, .err = err};
    if (has_ended(pid) || do_job(&what) || has_ended(pid)) return true;
    return err->sys_errno == ESRCH || err->sys_errno == ENOENT; /* it is just ending */
}
#endif

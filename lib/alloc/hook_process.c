/* A process begins, forks, unloads code, ends. */
#include "alloc/hook.h"
#include "alloc/hook_patch.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <dlfcn.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

pk_hook_globals pk_hook;

/* ---- the lock: held briefly, never while the program's code runs ---- */

bool pk_hook_try_lock(void) {
    uint32_t free = 0;
    return atomic_compare_exchange_strong(&pk_hook.process->lock, &free, 1);
}

void pk_hook_lock(void) {
    while (!pk_hook_try_lock()) sched_yield();
}

void pk_hook_unlock(void) {
    atomic_store(&pk_hook.process->lock, 0);
}

/* ---- settings: "FOLDER:FLAGS:SAMPLE_BYTES" ---- */

/* base/units is not in here, which reads numbers for people. */
static bool number(const char *at, const char *end, unsigned base, uint64_t *value) {
    *value = 0;
    for (; at < end; at++) {
        unsigned digit = *at >= '0' && *at <= '9'   ? (unsigned)(*at - '0')
                         : *at >= 'a' && *at <= 'f' ? (unsigned)(*at - 'a') + 10
                                                    : 16;
        if (digit >= base || __builtin_mul_overflow(*value, base, value) ||
            __builtin_add_overflow(*value, digit, value))
            return false;
    }
    return true;
}

static bool read_settings(const char *settings) {
    const char *last = strrchr(settings, ':');
    if (!last || last == settings) return false;
    const char *first = memrchr(settings, ':', (size_t)(last - settings));
    uint64_t flags;
    if (!first || (size_t)(first - settings) >= sizeof pk_hook.folder ||
        !number(first + 1, last, 16, &flags) ||
        !number(last + 1, last + strlen(last), 10, &pk_hook.sample_bytes))
        return false;
    memcpy(pk_hook.folder, settings, (size_t)(first - settings));
    pk_hook.folder[first - settings] = 0;
    pk_hook.flags = (uint32_t)flags;
    return true;
}

/* ---- the start ---- */

/* The main thread's stack ends where the program's arguments begin. The kernel keeps at least 128
 * MiB below it free of other mappings, whatever the limit of the stack is; a stack that is deeper
 * is read as one that is not known. */
static void find_main_stack(void) {
    void **end = dlsym(RTLD_DEFAULT, "__libc_stack_end");
    struct rlimit limit;
    uint64_t most = (uint64_t)100 << 20;
    if (!end) return;
    if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur < most) most = limit.rlim_cur;
    pk_hook.main_stack_high = (uint64_t)*end;
    pk_hook.main_stack_low = pk_hook.main_stack_high - most;
}

static bool make_memory(void) {
    pk_hook.chunks_max = PK_IMAGE_CHUNKS_MAX;
    do {
        pk_hook.chunks =
            pk_hook_memory(pk_hook.chunks_max * sizeof *pk_hook.chunks, MADV_WIPEONFORK);
        if (!pk_hook.chunks) pk_hook.chunks_max /= 16;
    } while (!pk_hook.chunks && pk_hook.chunks_max > 1000);
    pk_hook_process *process = pk_hook_memory(sizeof *process, MADV_WIPEONFORK);
    if (!pk_hook.chunks || !process || pthread_key_create(&pk_hook.key, pk_hook_thread_end) != 0)
        return false;
    pk_hook.process = process;
    return true;
}

static bool prepare(void) {
    if (!pk_hook.process && !make_memory()) return false;
    return !(pk_hook.flags & PK_ALLOC_LIVE) || pk_hook_live_init();
}

int pk_hook_start(const char *settings) {
    int error = errno, result = EINVAL;
    pk_self.opening = true;
    if (read_settings(settings)) {
        pk_hook.first_pid = getpid();
        /* Injected, this may be any thread; of the others pthread_getattr_np knows the stack. */
        pk_hook.main_thread = gettid() == getpid() ? pthread_self() : (pthread_t)0;
        find_main_stack();
        errno = ENOMEM;
        result = prepare() && pk_hook_process_open() ? 0 : errno;
        if (result == 0) atomic_store(&pk_hook.active, true);
    }
    pk_self.opening = false;
    errno = error;
    return result;
}

/* Programs that this one starts are not to be counted: our variable goes, and our object out of the
 * list of those to be loaded. */
static void leave_environment(void) {
    Dl_info ours;
    unsetenv(PK_ALLOC_VARIABLE);
    char *list = getenv("LD_PRELOAD");
    if (!list || !dladdr(pk_hook_pool, &ours) || !ours.dli_fname) return;
    size_t bytes = strlen(ours.dli_fname);
    char *at = strstr(list, ours.dli_fname);
    if (!at) return;
    char *end = at + bytes;
    if ((at > list && !strchr(": ", at[-1])) || !strchr(": ", *end)) return;
    if (*end) end++;
    memmove(at, end, strlen(end) + 1);
    if (!*list) unsetenv("LD_PRELOAD");
}

/* Once, as soon as the libc has its environment. */
void pk_hook_start_by_environment(void) {
    static _Atomic bool started;
    if (!environ || atomic_exchange(&started, true)) return;
    const char *settings = getenv(PK_ALLOC_VARIABLE);
    if (!settings) return;
    (void)pk_hook_start(settings);
    if (!(pk_hook.flags & PK_ALLOC_FOLLOW)) leave_environment();
}

/* The image of this process, in the parent or in a child after fork. */
bool pk_hook_process_open(void) {
    pk_hook_process *process = pk_hook.process;
    pk_hook_lock();
    if (!atomic_load(&process->ready)) {
        bool ok = pk_hook_image_create(process);
        atomic_store(&process->ready, ok ? 1 : 2);
        if (ok) pk_hook_snapshot();
    }
    pk_hook_unlock();
    return atomic_load(&process->ready) == 1;
}

__attribute__((constructor)) static void loaded(void) {
    pk_hook_find_real();
    pk_hook_start_by_environment();
}

__attribute__((destructor)) static void ending(void) {
    pk_hook_process *process = pk_hook.process;
    if (process && atomic_load(&process->ready) == 1) process->head->ended_ns = pk_hook_now_ns();
}

/* Children after fork often end so, without destructors. */
__attribute__((visibility("default"), noreturn)) void _exit(int status) {
    ending();
    for (;;) syscall(SYS_exit_group, status);
}

__attribute__((visibility("default"), noreturn)) void _Exit(int status) {
    _exit(status);
}

/* ---- unloading, attaching ---- */

/* What was remembered of the code is void, and its addresses may mean other code from now on. */
__attribute__((visibility("default"))) int dlclose(void *handle) {
    static int (*_Atomic real)(void *);
    int (*next)(void *) = atomic_load(&real);
    if (!next) {
        void *at = dlsym(RTLD_NEXT, "dlclose");
        memcpy(&next, &at, sizeof next);
        atomic_store(&real, next);
    }
    int result = next ? next(handle) : -1;
    pk_hook_process *process = pk_hook.process;
    if (!atomic_load(&pk_hook.active) || atomic_load(&process->ready) != 1) return result;
    int error = errno;
    pk_hook_thread *t = pk_hook_silence();
    pk_hook_lock();
    process->n_objects = 0;
    process->era++;
    atomic_fetch_add(&process->generation, 1);
    atomic_fetch_add(&process->changes, 1);
    pk_hook_snapshot();
    pk_hook_unlock();
    pk_hook_end_silence(t);
    errno = error;
    return result;
}

/* What was there of an image before is given up. False: a thread does not stop counting. */
static bool start_anew(void) {
    pk_hook_process *process = pk_hook.process;
    if (!pk_hook_threads_stop()) return false;
    if (atomic_load(&process->ready) == 1) pk_hook_image_close(process);
    pk_hook_live_clear();
    process->n_objects = process->era = process->snapshots = 0;
    if (process->ranges.items)
        pk_hook_unmap(process->ranges.items, process->ranges.capacity * sizeof(pk_hook_range));
    process->ranges = (pk_hook_ranges){0};
    atomic_store(&process->no_room, false);
    atomic_store(&process->threads, 0);
    atomic_store(&process->ready, 0);
    return true;
}

__attribute__((visibility("default"))) int pk_alloc_hook_attach(const char *settings) {
    pk_hook_find_real();
    if (pk_hook.process && !start_anew()) return EBUSY;
    int error = pk_hook_start(settings);
    if (error == 0 && pk_hook.flags & PK_ALLOC_ATTACHED) error = pk_hook_patch();
    return error;
}

__attribute__((visibility("default"))) void pk_alloc_hook_detach(void) {
    atomic_store(&pk_hook.active, false);
    if (pk_hook.process) atomic_fetch_add(&pk_hook.process->changes, 1);
    ending();
}

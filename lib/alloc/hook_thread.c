/* Threads: their states, and what ends with them. */
#include "alloc/hook.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "alloc/hook_hot.h"

#define SLOW_STACK_BYTES ((size_t)256 << 10) /* signal handlers may come on top */

__thread pk_hook_self pk_self __attribute__((tls_model("initial-exec")));

static void find_stack(pk_hook_thread *t) {
    pthread_attr_t attributes;
    void *low;
    size_t bytes;
    t->stack_low = t->stack_high = 0;
    if (pthread_equal(pthread_self(), pk_hook.main_thread)) {
        t->stack_low = pk_hook.main_stack_low;
        t->stack_high = pk_hook.main_stack_high;
        return;
    }
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
    if (pthread_attr_getstack(&attributes, &low, &bytes) == 0) {
        t->stack_low = (uint64_t)low;
        t->stack_high = t->stack_low + bytes;
    }
    pthread_attr_destroy(&attributes);
}

static void drop(pk_hook_table *table) {
    if (table->entries) pk_hook_unmap(table->entries, table->capacity * sizeof(uint64_t));
    *table = (pk_hook_table){0};
}

/* For an image: a new state, one that fork has cleared, or one of an image before. */
static bool fit_out(pk_hook_thread *t) {
    pk_hook_process *process = pk_hook.process;
    if (!t->slow_stack_top) {
        char *slow = pk_hook_memory(SLOW_STACK_BYTES, MADV_WIPEONFORK);
        if (slow) t->slow_stack_top = slow + SLOW_STACK_BYTES;
        pk_hook_lock();
        t->next = process->all_threads;
        process->all_threads = t;
        pk_hook_unlock();
    } else {
        pk_hook_memo_forget(t, 0);
    }
    if (!t->memo_arena) t->memo_arena = pk_hook_memory(PK_HOOK_MEMO_BYTES, MADV_WIPEONFORK);
    drop(&t->stacks);
    drop(&t->foreign);
    t->cells = t->frames = NULL;
    t->image = (pk_image_thread *)pk_hook_chunk_new(PK_CHUNK_THREAD, 0, sizeof(pk_image_thread),
                                                    &t->number);
    if (!t->slow_stack_top || !t->memo_arena || !t->image) return false;
    t->head = process->head;
    t->flags = pk_hook.flags | (pk_hook.sample_bytes ? PK_HOOK_SAMPLED : 0);
    t->random = pk_hook_now_ns() ^ (uint64_t)t->number << 32 ^ (uint64_t)getpid();
    t->until_sample = -1;
    t->seen = t->generation = 0;
    atomic_store(&t->state, PK_STATE_IDLE);
    return true;
}

static pk_hook_thread *take_free(void) { /* with the process locked */
    pk_hook_process *process = pk_hook.process;
    pk_hook_thread *t = process->free_threads;
    if (t) process->free_threads = t->next_free;
    return t;
}

static void link_free(pk_hook_thread *t) {
    pk_hook_process *process = pk_hook.process;
    if (pk_self.thread == t) pk_self.thread = NULL;
    pk_hook_lock();
    t->next_free = process->free_threads;
    process->free_threads = t;
    pk_hook_unlock();
}

/* A state from those given back, or a new one; `t`: memory of one to be used again. */
static pk_hook_thread *new_state(pk_hook_thread *t, pk_hook_thread *given_back) {
    pk_hook_process *process = pk_hook.process;
    uint32_t tid = (uint32_t)syscall(SYS_gettid);
    if (given_back) t = given_back;
    else if (!t) t = pk_hook_memory(sizeof *t, MADV_WIPEONFORK);
    if (!t) {
        atomic_fetch_add(&process->head->full, 1);
        return NULL;
    }
    if (atomic_load(&t->state) == PK_STATE_WIPED) {
        if (!fit_out(t)) {
            link_free(t);
            return NULL;
        }
    } else {
        t->image->reused++;
        /* What another thread remembered does not hold, whose stack lay elsewhere. */
        if (t->image->tid != tid) pk_hook_memo_forget(t, 0);
    }
    t->image->tid = tid;
    t->last = NULL;
    t->growing = false;
    t->alone = atomic_fetch_add(&process->threads, 1) == 0;
    atomic_fetch_add(&process->changes, 1);
    return t;
}

static pk_hook_thread *thread_open(pk_hook_thread *t) {
    pk_hook_process *process = pk_hook.process;
    if (!atomic_load(&process->ready) && !pk_hook_process_open()) return NULL;
    if (atomic_load(&process->ready) != 1) return NULL;
    pk_hook_lock();
    pk_hook_thread *given_back = t ? NULL : take_free();
    pk_hook_unlock();
    t = new_state(t, given_back);
    if (!t) return NULL;
    find_stack(t);
    t->borrowed = pk_self.ended;
    return t;
}

/* In a signal handler that interrupted this thread while it counted, perhaps while it held the
 * lock. Also in a program whose handler left by longjmp then: its state stays busy. */
static pk_hook_thread *borrow(const pk_hook_thread *interrupted) {
    pk_hook_thread *t = NULL;
    int error = errno;
    pk_self.opening = true;
    if (pk_hook_try_lock()) {
        pk_hook_thread *given_back = take_free();
        pk_hook_unlock();
        t = new_state(NULL, given_back);
    }
    if (t) {
        t->stack_low = interrupted->stack_low;
        t->stack_high = interrupted->stack_high;
        t->borrowed = true;
        atomic_store(&t->state, PK_STATE_COUNTING);
    } else {
        atomic_fetch_add(&interrupted->head->inside_hook, 1);
    }
    pk_self.opening = false;
    errno = error;
    return t;
}

pk_hook_thread *pk_hook_enter_slowly(pk_hook_thread *t) {
    if (pk_self.opening || !atomic_load(&pk_hook.active)) return NULL;
    if (t && atomic_load(&t->state) == PK_STATE_COUNTING) return borrow(t);
    int error = errno;
    pk_self.opening = true;
    atomic_fetch_add(&pk_hook.process->opening, 1);
    t = atomic_load(&pk_hook.active) ? thread_open(t) : NULL;
    if (t) {
        atomic_store(&t->state, PK_STATE_COUNTING);
        pk_self.thread = t;
        if (!pk_self.ended) pthread_setspecific(pk_hook.key, t);
    }
    atomic_fetch_sub(&pk_hook.process->opening, 1);
    pk_self.opening = false;
    errno = error;
    return t;
}

/* ---- the end ---- */

/* To the next thread that begins; its cells stay. */
void pk_hook_give_back(pk_hook_thread *t) {
    pk_hook_process *process = pk_hook.process;
    atomic_fetch_add(&t->head->live_bytes, t->image->held);
    t->image->held = 0;
    atomic_store(&t->state, PK_STATE_IDLE);
    link_free(t);
    atomic_fetch_sub(&process->threads, 1);
    atomic_fetch_add(&process->changes, 1);
}

/* pthread's destructors run up to PTHREAD_DESTRUCTOR_ITERATIONS times while values are set. Others
 * that come later than this still count: each call takes a state and gives it back. */
void pk_hook_thread_end(void *thread) {
    pk_hook_thread *t = thread;
    pk_self.ended = true;
    if (!t || t != pk_self.thread) return;
    if (pk_hook_enter() == t) {
        t->borrowed = true;
        pk_hook_leave(t);
    } else if (pk_self.thread == t) { /* nothing is counted at present */
        link_free(t);
    }
}

/* ---- changes for all ---- */

pk_hook_thread *pk_hook_look(pk_hook_thread *t) {
    pk_hook_process *process = pk_hook.process;
    if (!atomic_load(&pk_hook.active)) {
        atomic_store(&t->state, PK_STATE_WIPED);
        return NULL;
    }
    t->seen = atomic_load(&process->changes);
    pk_hook_grown(t);
    t->alone = atomic_load(&process->threads) == 1;
    uint32_t generation = atomic_load(&process->generation);
    if (t->generation != generation) pk_hook_memo_forget(t, generation);
    return t;
}

/* A thread says that it counts and then looks whether there was a change; we have changed and look
 * whether it counts. Either it sees the change or we see it; a millisecond is more than its word
 * takes to reach us. */
bool pk_hook_threads_stop(void) {
    pk_hook_process *process = pk_hook.process;
    const struct timespec pause = {0, 1000000};
    atomic_store(&pk_hook.active, false);
    atomic_fetch_add(&process->changes, 1);
    for (int tries = 0; tries < 1000; tries++) {
        nanosleep(&pause, NULL);
        bool counting = atomic_load(&process->opening) != 0;
        for (pk_hook_thread *t = process->all_threads; t; t = t->next)
            counting |= atomic_load(&t->state) == PK_STATE_COUNTING;
        if (counting) continue;
        for (pk_hook_thread *t = process->all_threads; t; t = t->next)
            atomic_store(&t->state, PK_STATE_WIPED);
        return true;
    }
    return false;
}

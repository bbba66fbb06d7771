/* A moment of a thread as perf would record it, and what the unwinder makes of it. */
#ifndef PK_TESTS_UNIT_UNWIND_CASE_H
#define PK_TESTS_UNIT_UNWIND_CASE_H

#include "tests/unit/check.h"

#include <sys/uio.h>

#include "profile/unwind.h"
#include "tests/unit/process_maps.h"

#define FRAMES_MAX 256
#define STACK_MAX 65528u

#if defined __x86_64__
#define SP 7
#define IP 8
#define N_REGISTERS 24
#elif defined __aarch64__
#define SP 31
#define IP 32
#define N_REGISTERS 33
#endif

/* ---- one moment of a thread, as perf would record it ---- */

typedef struct moment {
    uint64_t registers[N_REGISTERS];
    unsigned char stack[STACK_MAX];
    size_t stack_bytes;
} moment;

/* As the kernel does it: what is mapped from the stack pointer upwards. */
static inline size_t copy_stack(pid_t pid, uint64_t from, unsigned char *to, size_t bytes) {
    size_t done = 0;
    while (done < bytes) {
        size_t piece = 4096 - (from + done) % 4096;
        if (piece > bytes - done) piece = bytes - done;
        struct iovec here = {to + done, piece}, there = {(void *)(uintptr_t)(from + done), piece};
        ssize_t n = process_vm_readv(pid, &here, 1, &there, 1, 0);
        if (n <= 0) break;
        done += (size_t)n;
    }
    return done;
}

/* ---- what is made of it ---- */

typedef struct fixture {
    pk_spaces *spaces;
    pk_modules *modules;
    pk_unwinder *unwinder;
    uint32_t pid;
} fixture;

static inline void begin(fixture *f, pid_t pid) {
    *f = (fixture){pk_spaces_new(), pk_modules_new(NULL), NULL, (uint32_t)pid};
    assert_true(f->spaces && f->modules);
    assert_true(process_maps(f->pid, f->spaces, f->modules));
    f->unwinder = pk_unwinder_new(f->spaces, f->modules);
    assert_non_null(f->unwinder);
}

static inline void end(fixture *f) {
    pk_unwinder_free(f->unwinder);
    pk_modules_free(f->modules);
    pk_spaces_free(f->spaces);
}

typedef struct frames {
    uint64_t at[FRAMES_MAX];
    size_t n;
    pk_unwind_end end;
    uint32_t lost_in;
} frames;

static inline pk_user_state state_of(const fixture *f, const moment *m, size_t bytes) {
    return (pk_user_state){.pid = f->pid,
                           .registers = m->registers,
                           .registers_known = N_REGISTERS == 24 ? 0xff0fff : 0x1ffffffff,
                           .stack = m->stack,
                           .stack_bytes = bytes,
                           .stack_full = bytes == sizeof m->stack || bytes < m->stack_bytes};
}

static inline frames unwind_bytes(const fixture *f, const moment *m, size_t bytes) {
    frames out;
    pk_user_state s = state_of(f, m, bytes);
    out.end = pk_unwind(f->unwinder, &s, out.at, FRAMES_MAX, &out.n, &out.lost_in);
    return out;
}

static inline frames unwind(const fixture *f, const moment *m) {
    return unwind_bytes(f, m, m->stack_bytes);
}

static inline const char *name(const fixture *f, uint64_t address) {
    return process_symbol(f->pid, address, f->spaces, f->modules);
}

static inline void show(const fixture *f, const frames *got) {
    print_error("end %d after %zu frames\n", got->end, got->n);
    for (size_t i = 0; i < got->n; i++)
        print_error("  %2zu %" PRIx64 " %s\n", i, got->at[i], name(f, got->at[i]));
}

static inline void assert_end(const fixture *f, const frames *got, pk_unwind_end expected) {
    if (got->end == expected) return;
    show(f, got);
    fail_msg("it does not end as %d", expected);
}

/* The names from frame `from` on; "..." stands for any number of frames, the last name needs not be
 * the last frame. */
static inline void assert_frames(const fixture *f, const frames *got, size_t from,
                                 const char *const names[]) {
    size_t i = from;
    bool skip = false;
    for (; *names; names++) {
        if (strcmp(*names, "...") == 0) {
            skip = true;
            continue;
        }
        while (skip && i < got->n && strcmp(name(f, got->at[i]), *names) != 0) i++;
        skip = false;
        if (i < got->n && strcmp(name(f, got->at[i]), *names) == 0) {
            i++;
            continue;
        }
        show(f, got);
        fail_msg("frame %zu is not %s", i, *names);
    }
}
#define FRAMES(f, got, from, ...) \
    assert_frames(f, got, from, (const char *const[]){__VA_ARGS__, NULL})

#endif

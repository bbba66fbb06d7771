/* A child is followed instruction by instruction, and its calls and returns are counted: at each of
 * them the unwinder must find what was counted. So each first instruction of a function, each
 * prologue and epilogue, the PLT and the dynamic linker behind it, and the assembler of the C
 * library are stopped in. */
#include "tests/unit/unwind_case.h"

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#if defined __x86_64__

#define STEPS_MAX 60000
#define STACK_BYTES 32768u

static volatile long sink;

#if defined __clang__
#define KEEP __attribute__((noinline))
#else
#define KEEP __attribute__((noinline, noclone))
#endif

static KEEP long recurse(int depth) {
    volatile char room[300];
    room[depth] = (char)depth;
    long below = depth ? recurse(depth - 1) : 0;
    return below + room[depth];
}

static KEEP void vary(size_t n) {
    volatile char *room = __builtin_alloca(n);
    room[n / 2] = 1;
    sink += room[n / 2];
}

static KEEP void aligned(size_t n) {
    _Alignas(64) volatile char room[128];
    room[n & 127] = 1;
    vary(n);
    sink += room[n & 127];
}

static KEEP int compare(const void *a, const void *b) {
    return *(const int *)a - *(const int *)b;
}

static KEEP void stepped(void) {
    char text[100];
    int numbers[] = {5, 3, 1, 2, 4};
    aligned(700);
    sink += recurse(20);
    qsort(numbers, 5, sizeof numbers[0], compare);
    snprintf(text, sizeof text, "%d %s %.3f", numbers[2], "text", (double)numbers[3]);
    sink += (long)strlen(text);
    void *volatile block = malloc(1000);
    memset(block, 1, 1000);
    free(block);
    char *volatile copy = strdup(text);
    free(copy);
}

static KEEP void child_main(void) {
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || raise(SIGSTOP) != 0) _exit(1);
    stepped();
    _exit(0);
}

/* ---- the child's registers, as perf numbers them ---- */

static bool look(pid_t pid, moment *m) {
    struct user_regs_struct r;
    if (ptrace(PTRACE_GETREGS, pid, NULL, &r) != 0) return false;
    uint64_t in_order[N_REGISTERS] = {r.rax, r.rbx, r.rcx, r.rdx, r.rsi, r.rdi, r.rbp, r.rsp,
                                      r.rip, 0,     0,     0,     0,     0,     0,     0,
                                      r.r8,  r.r9,  r.r10, r.r11, r.r12, r.r13, r.r14, r.r15};
    memcpy(m->registers, in_order, sizeof in_order);
    m->stack_bytes = copy_stack(pid, r.rsp, m->stack, STACK_BYTES);
    return m->stack_bytes > 0;
}

typedef enum kind { OTHER, CALL, RETURN } kind;

/* The child was forked: its code is ours. */
__attribute__((no_sanitize("address"))) static kind kind_at(uint64_t pc) {
    const volatile uint8_t *p = (const volatile uint8_t *)(uintptr_t)pc;
    while (*p == 0x66 || *p == 0xf2 || *p == 0xf3 || *p == 0x3e || (*p & 0xf0) == 0x40) p++;
    if (p[0] == 0xe8 || (p[0] == 0xff && (p[1] & 0x38) == 0x10)) return CALL;
    return p[0] == 0xc3 || p[0] == 0xc2 ? RETURN : OTHER;
}

/* ---- what was counted ---- */

#define DEPTH_MAX 200

typedef struct count {
    uint64_t returns[DEPTH_MAX]; /* to where each call will return, the first one first */
    size_t depth;
    frames base; /* of the moment when it began */
    size_t steps, wrong, unsure;
} count;

/* What the last instruction did to the counted stack. */
static void follow(count *c, kind last, const moment *now) {
    if (last == CALL) {
        assert_true(c->depth < DEPTH_MAX);
        memcpy(&c->returns[c->depth++], now->stack, sizeof c->returns[0]);
    } else if (last == RETURN && c->depth > 0) {
        c->depth--;
        assert_true(now->registers[IP] == c->returns[c->depth]);
    }
}

static bool is_right(const count *c, const moment *now, const frames *got) {
    if (got->end != PK_UNWIND_WHOLE || got->n != c->depth + c->base.n) return false;
    if (got->at[0] != now->registers[IP]) return false;
    for (size_t i = 0; i < c->depth; i++)
        if (got->at[i + 1] != c->returns[c->depth - 1 - i] - 1) return false;
    return memcmp(got->at + 1 + c->depth, c->base.at + 1, (c->base.n - 1) * sizeof got->at[0]) == 0;
}

static void check(const fixture *f, count *c, const moment *now) {
    frames got = unwind(f, now);
    c->steps++;
    if (is_right(c, now, &got)) return;
    if (c->wrong++ < 3) {
        print_error("after %zu steps, %zu calls deep:\n", c->steps, c->depth);
        show(f, &got);
    }
}

static bool step(pid_t pid) {
    int status;
    return ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == 0 && waitpid(pid, &status, 0) == pid &&
           WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP;
}

static void follow_child(pid_t pid, count *c) {
    static moment now;
    fixture f;
    for (int i = 0; i < STEPS_MAX; i++) {
        assert_true(step(pid) && look(pid, &now));
        if (now.registers[IP] == (uint64_t)(uintptr_t)stepped) break;
    }
    begin(&f, pid);
    c->base = unwind(&f, &now);
    assert_end(&f, &c->base, PK_UNWIND_WHOLE);
    FRAMES(&f, &c->base, 0, "stepped", "child_main", "...", "main", "...", "_start");
    kind last = kind_at(now.registers[IP]);
    /* It ends with the return from `stepped`, or where it has taken long enough. */
    while (c->steps < STEPS_MAX && !(last == RETURN && c->depth == 0) && step(pid)) {
        assert_true(look(pid, &now));
        follow(c, last, &now);
        check(&f, c, &now);
        last = kind_at(now.registers[IP]);
    }
    end(&f);
}

static void every_instruction_has_its_callers(void **state) {
    (void)state;
    static count c;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) child_main();
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFSTOPPED(status)) {
        print_message("skipped: this process may not trace its child\n");
        skip();
    }
    assert_int_equal(ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_EXITKILL), 0);
    follow_child(pid, &c);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    print_message("%zu instructions\n", c.steps);
    assert_true(c.steps > 5000);
    assert_int_equal(c.wrong, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_instruction_has_its_callers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void) {
    print_message("skipped: it knows the calls and returns of x86-64\n");
    return 0;
}

#endif

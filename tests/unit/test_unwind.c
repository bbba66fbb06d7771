/* Stacks with a known answer: this very program, stopped where it says so. */
#include "tests/unit/unwind_case.h"

#include <pthread.h>
#include <signal.h>
#include <ucontext.h>

#if defined __x86_64__
#define STOP __asm__ volatile("int3" ::: "memory")
#elif defined __aarch64__
#define STOP __asm__ volatile("brk #0" ::: "memory")
#endif

#if defined __x86_64__
static void from_context(moment *m, ucontext_t *c) {
    static const int order[N_REGISTERS] = {REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI,
                                           REG_RBP, REG_RSP, REG_RIP, -1,      -1,      -1,
                                           -1,      -1,      -1,      -1,      REG_R8,  REG_R9,
                                           REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
    for (int i = 0; i < N_REGISTERS; i++)
        m->registers[i] = order[i] < 0 ? 0 : (uint64_t)c->uc_mcontext.gregs[order[i]];
}
#elif defined __aarch64__
static void from_context(moment *m, ucontext_t *c) {
    for (int i = 0; i < 31; i++) m->registers[i] = c->uc_mcontext.regs[i];
    m->registers[SP] = c->uc_mcontext.sp;
    m->registers[IP] = c->uc_mcontext.pc;
    c->uc_mcontext.pc += 4; /* go on behind it */
}
#endif

static moment stopped; /* a signal's handler has no other way */

static void on_stop(int number, siginfo_t *info, void *context) {
    (void)number, (void)info;
    from_context(&stopped, context);
    stopped.stack_bytes =
        copy_stack(getpid(), stopped.registers[SP], stopped.stack, sizeof stopped.stack);
}

/* ---- functions of every kind of frame ---- */

#define KEEP __attribute__((noinline, noclone))
#if defined __clang__
#undef KEEP
#define KEEP __attribute__((noinline))
#endif

static volatile long sink;

static KEEP void leaf(void) {
    STOP;
    sink++;
}

/* 330 bytes a frame, all of them still needed after the call. */
static KEEP long recurse(int depth) {
    volatile char room[300];
    room[depth] = (char)depth;
    if (depth == 0) leaf();
    long below = depth ? recurse(depth - 1) : 0;
    return below + room[depth];
}

static KEEP void run_recursion(void) {
    sink += recurse(40);
}

static KEEP void vary(size_t n) {
    volatile char *room = __builtin_alloca(n);
    room[n / 2] = 1;
    leaf();
    sink += room[n / 2];
}

static KEEP void aligned(size_t n) {
    _Alignas(64) volatile char room[128];
    room[n & 127] = 1;
    vary(n);
    sink += room[n & 127];
}

static KEEP void run_odd_frames(void) {
    aligned(1000);
    sink++;
}

static KEEP int compare(const void *a, const void *b) {
    if (*(const int *)a == 3) leaf();
    return *(const int *)a - *(const int *)b;
}

static KEEP void run_callback(void) {
    int numbers[] = {3, 1, 2};
    qsort(numbers, 3, sizeof numbers[0], compare);
    sink += numbers[0];
}

static KEEP void on_signal(int number) {
    sigset_t stop;
    sigemptyset(&stop); /* ThreadSanitizer blocks all in a handler */
    sigaddset(&stop, SIGTRAP);
    assert_int_equal(pthread_sigmask(SIG_UNBLOCK, &stop, NULL), 0);
    leaf();
    sink += number;
}

static KEEP void run_handler(void) {
    struct sigaction action = {.sa_handler = on_signal}, before;
    assert_int_equal(sigaction(SIGUSR2, &action, &before), 0);
    assert_int_equal(raise(SIGUSR2), 0);
    assert_int_equal(sigaction(SIGUSR2, &before, NULL), 0);
    sink++;
}

static KEEP void *thread_main(void *argument) {
    run_odd_frames();
    return argument;
}

static KEEP void run_thread(void) {
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, thread_main, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

/* A call that never comes back may be the last instruction of its function: the return address lies
 * in the next one. */
static KEEP __attribute__((noreturn)) void never_back(void) {
    leaf();
    pthread_exit(NULL);
}

static KEEP __attribute__((noreturn)) void *ends_with_call(void *argument) {
    (void)argument;
    sink++;
    never_back();
}

static KEEP void run_noreturn(void) {
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, ends_with_call, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

/* ---- the tests ---- */

static int install(void **state) {
    (void)state;
    struct sigaction action = {.sa_sigaction = on_stop, .sa_flags = SA_SIGINFO};
    return sigaction(SIGTRAP, &action, NULL);
}

static void a_deep_recursion_is_whole(void **state) {
    (void)state;
    fixture f;
    run_recursion();
    begin(&f, getpid());
    frames got = unwind(&f, &stopped);
    assert_end(&f, &got, PK_UNWIND_WHOLE);
    FRAMES(&f, &got, 0, "leaf");
    for (size_t i = 1; i <= 41; i++) FRAMES(&f, &got, i, "recurse");
    FRAMES(&f, &got, 42, "run_recursion", "a_deep_recursion_is_whole", "...", "main", "...",
           "_start");
    end(&f);
}

static void a_copy_that_is_too_short_is_cut(void **state) {
    (void)state;
    fixture f;
    run_recursion();
    begin(&f, getpid());
    frames whole = unwind(&f, &stopped);
    size_t before = 0;
    for (size_t bytes = 0; bytes < 8192; bytes += 8) {
        frames got = unwind_bytes(&f, &stopped, bytes);
        assert_end(&f, &got, bytes > 0 ? PK_UNWIND_CUT : PK_UNWIND_NO_STACK);
        assert_true(got.n >= 1 && got.n >= before && got.n < whole.n);
        assert_memory_equal(got.at, whole.at, got.n * sizeof *got.at);
        before = got.n;
    }
    assert_true(before > 5);
    end(&f);
}

static void frames_are_counted_up_to_a_bound(void **state) {
    (void)state;
    fixture f;
    run_recursion();
    begin(&f, getpid());
    frames whole = unwind(&f, &stopped);
    pk_user_state s = state_of(&f, &stopped, stopped.stack_bytes);
    uint64_t at[FRAMES_MAX];
    size_t n;
    uint32_t lost;
    assert_int_equal(pk_unwind(f.unwinder, &s, at, 10, &n, &lost), PK_UNWIND_DEEP);
    assert_int_equal(n, 10);
    assert_memory_equal(at, whole.at, sizeof *at * 10);
    assert_int_equal(pk_unwind(f.unwinder, &s, at, whole.n, &n, &lost), PK_UNWIND_WHOLE);
    end(&f);
}

static void frames_of_any_size_and_alignment(void **state) {
    (void)state;
    fixture f;
    run_odd_frames();
    begin(&f, getpid());
    frames got = unwind(&f, &stopped);
    assert_end(&f, &got, PK_UNWIND_WHOLE);
    FRAMES(&f, &got, 0, "leaf", "vary", "aligned", "run_odd_frames",
           "frames_of_any_size_and_alignment", "...", "main", "...", "_start");
    end(&f);
}

static void through_the_C_library(void **state) {
    (void)state;
    fixture f;
    run_callback();
    begin(&f, getpid());
    frames got = unwind(&f, &stopped);
    assert_end(&f, &got, PK_UNWIND_WHOLE);
    FRAMES(&f, &got, 0, "leaf", "compare", "...", "run_callback", "through_the_C_library", "...",
           "main", "...", "_start");
    end(&f);
}

static void through_a_signal_handler(void **state) {
    (void)state;
    fixture f;
    run_handler();
    begin(&f, getpid());
    frames got = unwind(&f, &stopped);
    assert_end(&f, &got, PK_UNWIND_WHOLE);
    FRAMES(&f, &got, 0, "leaf", "on_signal", "...", "run_handler", "through_a_signal_handler",
           "...", "main", "...", "_start");
    end(&f);
}

static void a_handler_on_a_stack_of_its_own_is_cut(void **state) {
    (void)state;
    static char room[65536 * 2];
    stack_t own = {.ss_sp = room, .ss_size = sizeof room}, before;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK}, was;
    assert_int_equal(sigaltstack(&own, &before), 0);
    assert_int_equal(sigaction(SIGUSR2, &action, &was), 0);
    assert_int_equal(raise(SIGUSR2), 0);
    assert_int_equal(sigaction(SIGUSR2, &was, NULL), 0);
    assert_int_equal(sigaltstack(&before, NULL), 0);
    fixture f;
    begin(&f, getpid());
    frames got = unwind(&f, &stopped);
    FRAMES(&f, &got, 0, "leaf", "on_signal");
    assert_end(&f, &got, PK_UNWIND_CUT);
    end(&f);
}

static void a_thread_ends_where_it_began(void **state) {
    (void)state;
    fixture f;
    run_thread();
    begin(&f, getpid());
    frames got = unwind(&f, &stopped);
    assert_end(&f, &got, PK_UNWIND_WHOLE);
    FRAMES(&f, &got, 0, "leaf", "vary", "aligned", "run_odd_frames", "thread_main");
    for (size_t i = 0; i < got.n; i++) assert_string_not_equal(name(&f, got.at[i]), "main");
    end(&f);
}

static void callers_are_found_before_their_return_address(void **state) {
    (void)state;
    fixture f;
    run_noreturn();
    begin(&f, getpid());
    frames got = unwind(&f, &stopped);
    assert_end(&f, &got, PK_UNWIND_WHOLE);
    FRAMES(&f, &got, 0, "leaf", "never_back", "ends_with_call");
    end(&f);
}

/* ---- code without call frame information ---- */

/* Two functions that call what they are given, one with a frame pointer, one with a word on the
 * stack, and one that only stops. On x86-64 calls_pusher, which is described, uses the register of
 * the frame pointer for something else, as compilers do. */
#if defined __x86_64__
__asm__(".text\n"
        "keeps_frame: push %rbp\n mov %rsp, %rbp\n sub $64, %rsp\n call *%rdi\n leave\n ret\n"
        "pushes_word: sub $8, %rsp\n call *%rdi\n add $8, %rsp\n ret\n"
        "only_stops: int3\n ret\n"
        "calls_pusher: .cfi_startproc\n push %rbp\n .cfi_def_cfa_offset 16\n .cfi_offset 6, -16\n"
        " mov $1, %ebp\n lea calls_stopper(%rip), %rdi\n call pushes_word\n pop %rbp\n"
        " .cfi_def_cfa_offset 8\n ret\n .cfi_endproc\n"
        ".type keeps_frame, @function\n .size keeps_frame, pushes_word - keeps_frame\n"
        ".type pushes_word, @function\n .size pushes_word, only_stops - pushes_word\n"
        ".type only_stops, @function\n .size only_stops, calls_pusher - only_stops\n"
        ".type calls_pusher, @function\n .size calls_pusher, . - calls_pusher\n");
#elif defined __aarch64__
__asm__(".text\n"
        "keeps_frame: stp x29, x30, [sp, -16]!\n mov x29, sp\n sub sp, sp, 64\n blr x0\n"
        " mov sp, x29\n ldp x29, x30, [sp], 16\n ret\n"
        "pushes_word: b keeps_frame\n"
        "only_stops: brk #0\n ret\n"
        "calls_pusher: adrp x0, calls_stopper\n add x0, x0, :lo12:calls_stopper\n b pushes_word\n"
        ".type keeps_frame, @function\n .size keeps_frame, pushes_word - keeps_frame\n"
        ".type pushes_word, @function\n .size pushes_word, only_stops - pushes_word\n"
        ".type only_stops, @function\n .size only_stops, . - only_stops\n");
#endif
void keeps_frame(void (*call)(void));
void pushes_word(void (*call)(void));
void only_stops(void);
void calls_pusher(void);
void calls_stopper(void);

static KEEP void calls_keeper(void) {
    keeps_frame(leaf);
    sink++;
}

KEEP void calls_stopper(void) {
    only_stops();
    sink++;
}

static void assembler_is_crossed(void **state) {
    (void)state;
    fixture f;
    calls_keeper();
    begin(&f, getpid());
    frames got = unwind(&f, &stopped);
    assert_end(&f, &got, PK_UNWIND_WHOLE);
    FRAMES(&f, &got, 0, "leaf", "keeps_frame", "calls_keeper", "assembler_is_crossed", "...",
           "main", "...", "_start");
    calls_pusher();
    got = unwind(&f, &stopped);
    assert_end(&f, &got, PK_UNWIND_WHOLE);
#if defined __x86_64__
    FRAMES(&f, &got, 0, "only_stops", "calls_stopper", "pushes_word", "calls_pusher",
           "assembler_is_crossed", "...", "main", "...", "_start");
#else
    FRAMES(&f, &got, 0, "only_stops", "calls_stopper", "keeps_frame", "assembler_is_crossed");
#endif
    end(&f);
}

/* ---- broken states ---- */

static uint64_t chance(uint64_t *state) {
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 20;
}

static void without_registers_nothing_is_known(void **state) {
    (void)state;
    fixture f;
    leaf();
    begin(&f, getpid());
    pk_user_state s = state_of(&f, &stopped, stopped.stack_bytes);
    uint64_t at[FRAMES_MAX];
    size_t n = 5;
    uint32_t lost = 5;
    s.registers_known = 0;
    assert_int_equal(pk_unwind(f.unwinder, &s, at, FRAMES_MAX, &n, &lost), PK_UNWIND_LOST);
    assert_int_equal(n, 0);
    assert_int_equal(lost, UINT32_MAX);
    s.registers_known = (uint64_t)1 << IP;
    assert_int_equal(pk_unwind(f.unwinder, &s, at, FRAMES_MAX, &n, &lost), PK_UNWIND_LOST);
    assert_int_equal(n, 1);
    assert_string_equal(name(&f, at[0]), "leaf");
    assert_string_equal(pk_module_path(f.modules, lost),
                        pk_module_path(f.modules, pk_spaces_find(f.spaces, f.pid, at[0])->file));
    /* the first moment of a program: its code and its stack are not there yet */
    s.registers_known |= (uint64_t)1 << SP;
    s.stack_bytes = 0;
    s.pid = 4000000000u; /* nobody */
    assert_int_equal(pk_unwind(f.unwinder, &s, at, FRAMES_MAX, &n, &lost), PK_UNWIND_WHOLE);
    assert_int_equal(n, 0);
    s.stack_bytes = stopped.stack_bytes;
    assert_int_equal(pk_unwind(f.unwinder, &s, at, FRAMES_MAX, &n, &lost), PK_UNWIND_LOST);
    assert_int_equal(n, 1);
    assert_int_equal(lost, UINT32_MAX);
    end(&f);
}

/* Any registers and any stack, many words of which point into code. */
static void anything_ends(void **state) {
    (void)state;
    static moment m;
    fixture f;
    uint64_t seed = 1;
    run_recursion();
    begin(&f, getpid());
    size_t n_maps;
    const pk_map *maps = pk_spaces_maps(f.spaces, f.pid, &n_maps);
    size_t ends[4] = {0}, longest = 0;
    for (int round = 0; round < 20000; round++) {
        m = stopped;
        m.stack_bytes = 2048;
        uint64_t *words[] = {m.registers, (uint64_t *)(void *)m.stack};
        size_t counts[] = {N_REGISTERS, m.stack_bytes / 8};
        for (int part = 0; part < 2; part++)
            for (size_t i = 0; i < counts[part]; i++) {
                uint64_t dice = chance(&seed) % 8;
                const pk_map *map = &maps[chance(&seed) % n_maps];
                if (dice < 2) words[part][i] = map->begin + chance(&seed) % (map->end - map->begin);
                else if (dice < 4) words[part][i] = stopped.registers[SP] + chance(&seed) % 3000;
                else if (dice < 5) words[part][i] = chance(&seed) << 22 ^ chance(&seed);
            }
        if (round % 2) m.registers[SP] = stopped.registers[SP];
        frames got = unwind(&f, &m);
        assert_true(got.n >= 1 && got.n <= FRAMES_MAX);
        assert_true(got.at[0] == m.registers[IP]);
        ends[got.end]++;
        if (got.n > longest) longest = got.n;
    }
    assert_true(ends[PK_UNWIND_LOST] > 1000 && ends[PK_UNWIND_CUT] > 100 && longest > 3);
    end(&f);
}

/* New maps, new answers: nothing stale is kept. */
static void maps_may_change(void **state) {
    (void)state;
    fixture f;
    pk_err err;
    calls_keeper();
    begin(&f, getpid());
    frames got = unwind(&f, &stopped);
    assert_end(&f, &got, PK_UNWIND_WHOLE);
    assert_ok(pk_spaces_comm(f.spaces, f.pid, f.pid, 0, true, &err), &err);
    frames lost = unwind(&f, &stopped);
    assert_end(&f, &lost, PK_UNWIND_LOST);
    assert_int_equal(lost.n, 1);
    assert_int_equal(lost.lost_in, UINT32_MAX);
    assert_true(process_maps(f.pid, f.spaces, f.modules));
    frames again = unwind(&f, &stopped);
    assert_end(&f, &again, PK_UNWIND_WHOLE);
    assert_int_equal(again.n, got.n);
    assert_memory_equal(again.at, got.at, got.n * sizeof *got.at);
    end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deep_recursion_is_whole),
        cmocka_unit_test(a_copy_that_is_too_short_is_cut),
        cmocka_unit_test(frames_are_counted_up_to_a_bound),
        cmocka_unit_test(frames_of_any_size_and_alignment),
        cmocka_unit_test(through_the_C_library),
        cmocka_unit_test(through_a_signal_handler),
        cmocka_unit_test(a_handler_on_a_stack_of_its_own_is_cut),
        cmocka_unit_test(a_thread_ends_where_it_began),
        cmocka_unit_test(callers_are_found_before_their_return_address),
        cmocka_unit_test(assembler_is_crossed),
        cmocka_unit_test(without_registers_nothing_is_known),
        cmocka_unit_test(anything_ends),
        cmocka_unit_test(maps_may_change),
    };
    return cmocka_run_group_tests(tests, install, NULL);
}

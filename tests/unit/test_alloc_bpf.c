/* Attached by BPF: tables of rows by known answers and against the evaluator of call frame
 * information; running programs with known answers. Where BPF is not permitted these are left out.
 */
#include "tests/unit/check.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "alloc/alloc.h"
#include "alloc/bpf.h"
#include "alloc/bpf_rows.h"
#include "alloc/bpf_target.h"
#include "alloc/collector.h"
#include "base/process.h"
#include "base/units.h"
#include "profile/modules.h"
#include "timing/clock.h"

#ifdef HAVE_LIBBPF
#include "alloc/bpf_space.h"
#endif

enum { DEADLINE_S = 60, CYCLES = 20 };

/* ---- rows ---- */

static pk_cfi_row plain_row(uint8_t reg, int64_t cfa) {
    pk_cfi_row row = {.cfa_register = reg, .cfa_offset = cfa, .return_register = 16};
    row.rules[16] = (pk_cfi_rule){.how = PK_CFI_AT, .offset = -8};
    return row;
}

static void test_rules(void **state) {
    (void)state;
    pk_cfi_row row = plain_row(7, 16);
    assert_int_equal(pk_bpf_rule_of(&row), PK_BPF_RULE(PK_BPF_SP, 0, 2));
    row = plain_row(6, 16);
    row.rules[6] = (pk_cfi_rule){.how = PK_CFI_AT, .offset = -16};
    assert_int_equal(pk_bpf_rule_of(&row), PK_BPF_RULE(PK_BPF_FP, 2, 2));
    row = plain_row(7, 8 * 70000); /* a frame that is larger than fits */
    assert_int_equal(pk_bpf_rule_of(&row), PK_BPF_LOST);
    row = plain_row(7, 8 * 65535);
    assert_int_equal(PK_BPF_RULE_CFA(pk_bpf_rule_of(&row)), 65535);
    row = plain_row(3, 16); /* by rbx */
    assert_int_equal(pk_bpf_rule_of(&row), PK_BPF_LOST);
    row = plain_row(7, 16);
    row.rules[16].how = PK_CFI_UNDEFINED;
    assert_int_equal(pk_bpf_rule_of(&row), PK_BPF_END);
    row = plain_row(7, 16);
    row.signal_frame = true;
    assert_int_equal(pk_bpf_rule_of(&row), PK_BPF_SIGNAL);
}

static void test_rules_of_expressions(void **state) {
    (void)state;
    static const uint8_t plt[] = {0x77, 0x08, 0x80, 0x00, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22};
    static const uint8_t saved[] = {0x76, 0x78, 0x06}, at[] = {0x76, 0x00}, other[] = {0x76, 0x08};
    pk_cfi_row row = plain_row(7, 0);
    row.cfa_is_expression = true;
    row.cfa_expression = (pk_cfi_rule){.expression = plt, .expression_bytes = sizeof plt};
    assert_int_equal(pk_bpf_rule_of(&row), PK_BPF_RULE(PK_BPF_PLT, 0, 11));
    row.cfa_expression.expression_bytes--;
    assert_int_equal(pk_bpf_rule_of(&row), PK_BPF_LOST);
    row.cfa_expression = (pk_cfi_rule){.expression = saved, .expression_bytes = sizeof saved};
    row.rules[6] =
        (pk_cfi_rule){.how = PK_CFI_EXPRESSION, .expression = at, .expression_bytes = sizeof at};
    assert_int_equal(pk_bpf_rule_of(&row), PK_BPF_RULE(PK_BPF_FP_SAVED, 0, -1));
    assert_int_equal(PK_BPF_RULE_CFA(pk_bpf_rule_of(&row)), -1);
    row.rules[6].expression = other;
    assert_int_equal(pk_bpf_rule_of(&row), PK_BPF_LOST);
}

static uint32_t rule_at(const pk_array *rows, uint64_t pc) {
    size_t low = 0, high = rows->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (PK_AT(rows, pk_bpf_row, middle).pc <= pc) low = middle + 1;
        else high = middle;
    }
    return low > 0 ? PK_AT(rows, pk_bpf_row, low - 1).rule : PK_BPF_NONE;
}

/* At each address of our own code the row says what the evaluator does. */
static void test_rows_agree(void **state) {
    (void)state;
    pk_err err = {0};
    pk_debug_folders folders = {0};
    pk_modules *modules = pk_modules_new(&folders);
    pk_module_id id = {.path = "/proc/self/exe"};
    uint32_t module = pk_modules_number(modules, &id);
    const pk_module_cfi *cfi = pk_module_cfi_of(modules, module);
    assert_non_null(cfi);
    pk_array rows = PK_ARRAY(pk_bpf_row, 1u << 24);
    uint64_t base, n = 0, without = 0;
    assert_ok(pk_bpf_rows_make(&cfi->section, &rows, &base, &err), &err);
    assert_true(rows.count > 1000);
    for (size_t i = 1; i < rows.count; i++)
        assert_true(PK_AT(&rows, pk_bpf_row, i).pc > PK_AT(&rows, pk_bpf_row, i - 1).pc);
    uint64_t last = PK_AT(&rows, pk_bpf_row, rows.count - 1).pc;
    for (uint64_t pc = 0; pc < last; pc += 7, n++) {
        pk_cfi_fde fde;
        pk_cfi_row row;
        uint32_t expected = PK_BPF_NONE;
        if (pk_cfi_find(&cfi->section, cfi->header, cfi->header_bytes, cfi->header_address,
                        base + pc, &fde)) {
            assert_true(pk_cfi_row_at(&fde, base + pc, &row));
            expected = pk_bpf_rule_of(&row);
        }
        without += expected == PK_BPF_NONE;
        assert_int_equal(rule_at(&rows, pc), expected);
    }
    assert_true(n > 10000 && without < n / 2);
    pk_array_fini(&rows);
    pk_modules_free(modules);
}

static void test_no_rows(void **state) {
    (void)state;
    pk_err err = {0};
    pk_array rows = PK_ARRAY(pk_bpf_row, 100);
    uint64_t base = 1;
    pk_cfi_section section = {.bytes = (const uint8_t *)"\x04\0\0\0\xff\xff\xff\xff", .n_bytes = 8};
    assert_ok(pk_bpf_rows_make(&section, &rows, &base, &err), &err);
    assert_int_equal(rows.count, 0);
    assert_int_equal(base, 0);
}

static void test_libraries(void **state) {
    (void)state;
    assert_true(pk_bpf_is_library("libc", 4, "/usr/lib/libc.so.6"));
    assert_true(pk_bpf_is_library("libc.so.6", 9, "/usr/lib/libc.so.6"));
    assert_true(pk_bpf_is_library("/usr/lib/libc.so.6", 18, "/usr/lib/libc.so.6"));
    assert_true(pk_bpf_is_library("", 0, "/usr/lib/libc.so.6"));
    assert_false(pk_bpf_is_library("lib", 3, "/usr/lib/libc.so.6"));
    assert_false(pk_bpf_is_library("libc", 4, "/usr/lib/libcurl.so.4"));
}

static void test_entries_of_ours(void **state) {
    (void)state;
    pk_err err = {0};
    pk_bpf_entries *found = calloc(1, sizeof *found);
    assert_non_null(found);
    assert_ok(pk_bpf_entries_find(getpid(), "main", found, &err), &err);
    assert_int_equal(found->n, 1);
    assert_int_equal(found->entries[0].function, PK_CALL_OTHER);
    assert_false(pk_bpf_entries_find(getpid(), "libc:no_such_function", found, &err));
    assert_int_equal(err.kind, PK_E_INPUT);
    assert_holds(err.what, "no_such_function");
    assert_false(pk_bpf_entries_find(getpid(), "libnone:malloc", found, &err));
    free(found);
}

#ifdef HAVE_LIBBPF

static void test_lines_of_code(void **state) {
    (void)state;
    char text[] = "1000-2000 r--p 0 0:1 5 /a\n2000-3000 r-xp 1000 0:1 5 /a\n"
                  "3000-4000 rwxp 0 0:0 0 \n4000-5000 rw-p 0 0:0 0 [heap]\nbroken\n";
    const char code[] = "2000-3000 r-xp 1000 0:1 5 /a\n3000-4000 rwxp 0 0:0 0 \n";
    size_t n = pk_bpf_code_lines(text, strlen(text));
    assert_int_equal(n, strlen(code));
    assert_memory_equal(text, code, n);
    pk_bpf_snapshot before = {.text = text, .bytes = n};
    char less[] = "2000-3000 r-xp 1000 0:1 5 /a\n", other[] = "2000-3000 r-xp 1000 0:1 6 /b\n";
    /* Code made at run time comes and goes. */
    assert_false(pk_bpf_unmapped(&before, &(pk_bpf_snapshot){.text = less, .bytes = strlen(less)}));
    assert_true(
        pk_bpf_unmapped(&before, &(pk_bpf_snapshot){.text = other, .bytes = strlen(other)}));
}

/* ---- running programs ---- */

typedef struct fixture {
    char program[CHECK_PATH_MAX], library[CHECK_PATH_MAX];
    pk_process targets[2];
    int to[2], from[2]; /* their stdin and stdout */
    pid_t pids[2];
    size_t n;
    const char *words;
    pthread_t talker;
    bool talks;
    pk_debug_folders folders;
    pk_alloc_options options;
    pk_alloc_result result;
    pk_exit exit;
    pk_err err;
} fixture;

static void start(fixture *f) {
    int in[2], out[2];
    char *argv[] = {f->program, f->library, NULL};
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    pk_spawn_options options = PK_SPAWN_DEFAULT;
    options.stdin_fd = in[0];
    options.stdout_fd = out[1];
    assert_ok(pk_process_spawn(argv, &options, &f->targets[f->n], &f->err), &f->err);
    close(in[0]);
    close(out[1]);
    f->to[f->n] = in[1];
    f->from[f->n] = out[0];
    f->pids[f->n] = f->targets[f->n].pid;
    f->n++;
    f->options.n_pids = f->n;
}

/* Sends a letter to a target, and waits until its work is done. */
static void send(fixture *f, size_t target, char letter) {
    char back = 0;
    assert_int_equal(write(f->to[target], &letter, 1), 1);
    assert_int_equal(read(f->from[target], &back, 1), 1);
    assert_int_equal(back, letter);
}

static int begin(void **state) {
    fixture *f = calloc(1, sizeof *f);
    char self[CHECK_PATH_MAX];
    assert_non_null(f);
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(n > 0);
    self[n] = 0;
    for (int i = 0; i < 2; i++) *strrchr(self, '/') = 0;
    (void)check_path(f->program, self, "alloc/attached");
    (void)check_path(f->library, self, "alloc/one.so");
    f->options = (pk_alloc_options){.pids = f->pids, .debug_folders = &f->folders};
    alarm(DEADLINE_S);
    *state = f;
    return 0;
}

static int end(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < f->n; i++) {
        close(f->to[i]);
        close(f->from[i]);
        pk_process_stop(&f->targets[i], false, PK_NS_PER_S, &f->exit);
    }
    pk_alloc_fini(&f->result);
    alarm(0);
    free(f);
    return 0;
}

static void need_bpf(fixture *f) {
    if (pk_alloc_bpf_usable(&f->err)) return;
    char text[PK_ERR_LINE_MAX];
    pk_err_format(&f->err, text, sizeof text);
    print_message("left out: %s\n", text);
    skip();
}

/* 'p' is a pause, in which mappings are looked at. */
static void *talk(void *context) {
    fixture *f = context;
    for (const char *word = f->words; *word; word++) {
        if (*word == 'p') pk_sleep_until_ns(pk_now_ns() + 400 * PK_NS_PER_MS);
        else send(f, 0, *word);
    }
    for (size_t i = 0; i < f->n; i++) {
        if (i > 0) send(f, i, 'c');
        close(f->to[i]); /* it ends */
        f->to[i] = -1;
    }
    return NULL;
}

static void on_attached(void *context) {
    fixture *f = context;
    f->talks = pthread_create(&f->talker, NULL, talk, f) == 0;
}

/* Attaches, has the work done that `words` says, and waits for the target's end. */
static void count(fixture *f, const char *words) {
    f->words = words;
    f->options.attached = on_attached;
    f->options.context = f;
    assert_ok(pk_alloc_begin(&f->result, &f->options, &f->err), &f->err);
    bool ok = pk_alloc_bpf_run(&f->options, NULL, &f->result, &f->err);
    if (f->talks) pthread_join(f->talker, NULL);
    assert_ok(ok, &f->err);
    assert_ok(pk_alloc_end(&f->result, &f->err), &f->err);
    for (size_t i = 0; i < f->n; i++) {
        assert_true(pk_process_wait(&f->targets[i], 10 * PK_NS_PER_S, &f->exit));
        assert_int_equal(f->exit.code, 3); /* unharmed */
    }
    assert_true(f->result.attached);
    assert_false(f->result.live_known);
    assert_string_equal(f->result.backend, "bpf");
}

static uint64_t calls_through(const fixture *f, const char *function, uint64_t *bytes) {
    uint64_t calls = 0;
    *bytes = 0;
    for (size_t i = 0; i < f->result.stacks.count; i++) {
        const pk_alloc_stack *s = &PK_AT(&f->result.stacks, pk_alloc_stack, i);
        bool through = false;
        for (uint32_t k = 0; k <= s->n_frames; k++) {
            const char *symbol = pk_alloc_place_of(&f->result, s, k)->symbol;
            through |= symbol && strcmp(symbol, function) == 0;
        }
        if (!through) continue;
        calls += s->calls;
        *bytes += s->bytes;
    }
    return calls;
}

static void assert_through(const fixture *f, const char *function, uint64_t calls, uint64_t bytes) {
    uint64_t seen_bytes, seen = calls_through(f, function, &seen_bytes);
    if (seen != calls) print_error("through %s: ", function);
    assert_int_equal(seen, calls);
    assert_int_equal(seen_bytes, bytes);
}

static void test_exact(void **state) {
    fixture *f = *state;
    need_bpf(f);
    start(f);
    send(f, 0, 'c'); /* before: not counted */
    count(f, "cqsd");
    assert_through(f, "main", 1000 + 100 + 100 + 1000, 24000 + 800 + 600 + 24000);
    assert_through(f, "callback", 100, 800);
    assert_through(f, "copies", 100, 600);
    assert_through(f, "deep", 1000, 24000);
    assert_int_equal(f->result.total.calls, 2200);
    assert_int_equal(f->result.total.bytes, 49400);
    assert_int_equal(f->result.sizes[24], 0);
    assert_int_equal(f->result.sizes[pk_image_size_class(24)], 2000);
    assert_int_equal(f->result.processes.count, 1);
    assert_true(f->result.moments.count > 0);
    const pk_alloc_moment *last =
        &PK_AT(&f->result.moments, pk_alloc_moment, f->result.moments.count - 1);
    assert_int_equal(last->calls, 2200);
    assert_int_equal(last->bytes, 49400);
}

static void test_whole(void **state) {
    fixture *f = *state;
    need_bpf(f);
    start(f);
    count(f, "avg");
    assert_through(f, "aligned", 1000, 24000);
    assert_through(f, "varying", 1000, 24000);
    assert_through(f, "signalled", 1, 333);
    assert_through(f, "main", 2001, 48333);
    for (size_t i = 0; i < f->result.stacks.count; i++)
        assert_int_equal(PK_AT(&f->result.stacks, pk_alloc_stack, i).flags, 0);
}

/* A function that calls another one is counted once. */
static void test_family(void **state) {
    fixture *f = *state;
    need_bpf(f);
    start(f);
    count(f, "f");
    uint64_t bytes = 10 + 1000 + 100 + 48 + 96 + 64 + 128 + 21 + 10 + 32;
    assert_through(f, "family", 100, 10 * bytes);
    assert_through(f, "malloc", 10, 320);
    assert_through(f, "realloc", 20, 10100);
    assert_through(f, "calloc", 10, 210);
    assert_through(f, "posix_memalign", 20, 1440);
    assert_through(f, "reallocarray", 10, 1000);
}

static void test_cut(void **state) {
    fixture *f = *state;
    need_bpf(f);
    start(f);
    count(f, "e");
    assert_int_equal(f->result.stacks.count, 1);
    const pk_alloc_stack *s = &PK_AT(&f->result.stacks, pk_alloc_stack, 0);
    assert_int_equal(s->n_frames, PK_IMAGE_FRAMES_MAX);
    assert_int_equal(s->flags, PK_STACK_CUT);
    assert_int_equal(s->calls, 1000);
}

static void test_threads(void **state) {
    fixture *f = *state;
    need_bpf(f);
    start(f);
    count(f, "tk"); /* the child's are not counted */
    assert_through(f, "calls", 4000, 96000);
    assert_through(f, "thread", 4000, 96000);
    assert_through(f, "child", 0, 0);
}

/* What is loaded later is known as soon as it was looked at. */
static void test_loaded_later(void **state) {
    fixture *f = *state;
    need_bpf(f);
    start(f);
    count(f, "lpwpw");
    assert_through(f, "work_of_one", 34, 340);
    assert_through(f, "main", f->result.total.calls, f->result.total.bytes);
}

static void test_two_processes(void **state) {
    fixture *f = *state;
    need_bpf(f);
    start(f);
    start(f);
    count(f, "cc");
    assert_int_equal(f->result.processes.count, 2);
    assert_int_equal(PK_AT(&f->result.processes, pk_alloc_process, 0).calls, 2000);
    assert_int_equal(PK_AT(&f->result.processes, pk_alloc_process, 1).calls, 1000);
}

static void test_function(void **state) {
    fixture *f = *state;
    need_bpf(f);
    start(f);
    f->options.function = "attached:deep";
    count(f, "dc");
    assert_int_equal(f->result.total.calls, 300);
    assert_int_equal(f->result.total.bytes, 0);
}

static size_t count_descriptors(void) {
    return (size_t)check_count_files("/proc/self/fd");
}

/* Again and again: nothing is left with us or the target. */
static void test_cycles(void **state) {
    fixture *f = *state;
    need_bpf(f);
    start(f);
    alarm(4 * DEADLINE_S);
    f->options.duration_ns = PK_NS_PER_MS;
    size_t before = 0;
    for (int i = 0; i < CYCLES; i++) {
        assert_ok(pk_alloc_begin(&f->result, &f->options, &f->err), &f->err);
        assert_ok(pk_alloc_bpf_run(&f->options, NULL, &f->result, &f->err), &f->err);
        assert_ok(pk_alloc_end(&f->result, &f->err), &f->err);
        pk_alloc_fini(&f->result);
        send(f, 0, 'c'); /* by the allocator as it was */
        if (i == 0) before = count_descriptors();
    }
    assert_int_equal(count_descriptors(), before);
    /* The target's own: stdin, stdout and stderr, and what it was given. */
    f->options.duration_ns = 0;
    count(f, "c");
    assert_int_equal(f->result.total.calls, 1000);
}

static void test_refusals(void **state) {
    fixture *f = *state;
    need_bpf(f);
    start(f);
    f->options.function = "libc:no_such_function";
    assert_ok(pk_alloc_begin(&f->result, &f->options, &f->err), &f->err);
    assert_false(pk_alloc_bpf_run(&f->options, NULL, &f->result, &f->err));
    assert_int_equal(f->err.kind, PK_E_INPUT);
    f->options.function = NULL;
    kill(f->pids[0], SIGKILL);
    assert_true(pk_process_wait(&f->targets[0], 10 * PK_NS_PER_S, &f->exit));
    assert_false(pk_alloc_bpf_run(&f->options, NULL, &f->result, &f->err));
    assert_int_equal(f->err.sys_errno, ESRCH);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, begin, end)
#else

static void test_not_built_in(void **state) {
    (void)state;
    pk_err err = {0};
    assert_false(pk_alloc_bpf_usable(&err));
    assert_int_equal(err.kind, PK_E_UNSUPPORTED);
    assert_holds(err.fix, "libbpf-dev");
}

#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_rules_of_expressions),
        cmocka_unit_test(test_rows_agree),
        cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_libraries),
        cmocka_unit_test(test_entries_of_ours),
#ifdef HAVE_LIBBPF
        cmocka_unit_test(test_lines_of_code),
        LIVE(test_exact),
        LIVE(test_whole),
        LIVE(test_family),
        LIVE(test_cut),
        LIVE(test_threads),
        LIVE(test_loaded_later),
        LIVE(test_two_processes),
        LIVE(test_function),
        LIVE(test_cycles),
        LIVE(test_refusals),
#else
        cmocka_unit_test(test_not_built_in),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

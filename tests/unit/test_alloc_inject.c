/* The hook goes into programs that run, counts what they do from then on, and goes out of use. */
#include "tests/unit/check.h"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "alloc/alloc.h"
#include "alloc/folder.h"
#include "alloc/hook_patch.h"
#include "alloc/inject.h"
#include "alloc/inject_target.h"
#include "base/units.h"
#include "timing/clock.h"

enum { DEADLINE_S = 60, ANSWER_MS = 20000, CYCLES = 100, MANY = 5 };

typedef struct fixture {
    char folder[CHECK_PATH_MAX], programs[CHECK_PATH_MAX];
    const char *parents[1];
    pk_alloc_options options;
    pk_alloc_result result;
    pk_err err;
    pid_t pid; /* 0: none */
    int in, out;
    int attached; /* times that the run said so */
} fixture;

#ifndef __x86_64__
int main(void) {
    return 0; /* there is nothing but the message */
}
#else

static int begin(void **state) {
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    check_folder_begin(f->folder);
    assert_int_equal(chmod(f->folder, 0755), 0);
    ssize_t n = readlink("/proc/self/exe", f->programs, sizeof f->programs - 1);
    assert_true(n > 0);
    f->programs[n] = '\0';
    for (int i = 0; i < 2; i++) *strrchr(f->programs, '/') = '\0';
    f->parents[0] = f->folder;
    f->options = (pk_alloc_options){.runtime_folders = {f->parents, 1},
                                    .backend = PK_BACKEND_INJECT,
                                    .timeline_ns = PK_NS_PER_MS,
                                    .context = f};
    alarm(DEADLINE_S);
    *state = f;
    return 0;
}

static int end(void **state) {
    fixture *f = *state;
    alarm(0);
    if (f->pid > 0) {
        kill(f->pid, SIGKILL);
        waitpid(f->pid, NULL, 0);
        close(f->in);
        close(f->out);
    }
    pk_alloc_fini(&f->result);
    assert_int_equal(check_count_files(f->folder), 0); /* nothing is left behind */
    check_folder_end(f->folder);
    free(f);
    return 0;
}

/* ---- the program ---- */

static void hear(const fixture *f, const char *text) {
    char got[64] = "";
    size_t n = 0;
    struct pollfd fd = {f->out, POLLIN, 0};
    while (n < strlen(text)) {
        assert_int_equal(poll(&fd, 1, ANSWER_MS), 1);
        ssize_t more = read(f->out, got + n, sizeof got - 1 - n);
        if (more <= 0) break;
        n += (size_t)more;
    }
    assert_string_equal(got, text);
}

static void tell(const fixture *f) {
    assert_int_equal(write(f->in, "\n", 1), 1);
}

static void start_as(fixture *f, uid_t user, const char *program, const char *what,
                     const char *argument) {
    char path[CHECK_PATH_MAX];
    int in[2], out[2];
    snprintf(path, sizeof path, "%.400s/alloc/%s", f->programs, program);
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    f->pid = fork();
    assert_true(f->pid >= 0);
    if (f->pid == 0) {
        char *argv[] = {path, (char *)what, (char *)argument, NULL};
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        if (user && (setgid(user) != 0 || setuid(user) != 0)) _exit(8);
        execv(path, argv);
        _exit(7);
    }
    close(in[0]);
    close(out[1]);
    f->in = in[1];
    f->out = out[0];
    f->options.pids = &f->pid;
    f->options.n_pids = 1;
}

static void start(fixture *f, const char *what) {
    start_as(f, 0, "injected", what, NULL);
    hear(f, "ready\n");
}

static void ends_well(fixture *f) {
    int status;
    tell(f);
    hear(f, "right\n");
    assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(f->in);
    close(f->out);
    f->pid = 0;
}

static bool run(fixture *f) {
    pk_alloc_fini(&f->result);
    memset(&f->result, 0, sizeof f->result);
    return pk_alloc_run(&f->options, NULL, &f->result, &f->err);
}

/* ---- what it has of us ---- */

/* Slots that lead to the hook; -1: it is not there. */
static int slots_in_use(const fixture *f) {
    pk_inject_target t;
    pk_err err;
    pk_hook_control control;
    assert_ok(pk_inject_open(f->pid, &t, &err), &err);
    int n = pk_inject_find_hook(&t) ? 0 : -1;
    /* While it is being loaded, not all of it is there yet. */
    if (n == 0 && !pk_inject_read(&t, t.control, &control, sizeof control)) n = -1;
    for (uint64_t i = 0; n >= 0 && i < atomic_load(&control.n_slots); i++) {
        pk_hook_slot slot;
        uint64_t now;
        uint64_t at = (uint64_t)control.slots + i * sizeof slot;
        assert_true(pk_inject_read(&t, at, &slot, sizeof slot));
        if (pk_inject_read(&t, slot.at, &now, sizeof now) && now == slot.ours) n++;
    }
    pk_inject_close(&t);
    return n;
}

static int lines_of_maps(const fixture *f) {
    char path[64];
    int n = 0, c;
    snprintf(path, sizeof path, "/proc/%d/maps", (int)f->pid);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while ((c = fgetc(file)) != EOF) n += c == '\n';
    fclose(file);
    return n;
}

static int files_of(const fixture *f) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)f->pid);
    return (int)check_count_files(path);
}

static void is_untraced(const fixture *f) {
    char text[64];
    assert_true(pk_inject_status(f->pid, "TracerPid:", text, sizeof text));
    assert_string_equal(text, "0");
    assert_true(pk_inject_status(f->pid, "State:", text, sizeof text));
    assert_true(text[0] == 'S' || text[0] == 'R' || text[0] == 'D');
}

/* The sums over stacks with this function in them. */
static pk_alloc_stack sum_of(const fixture *f, const char *function) {
    pk_alloc_stack sum = {0};
    for (size_t i = 0; i < f->result.stacks.count; i++) {
        const pk_alloc_stack *s = &PK_AT(&f->result.stacks, pk_alloc_stack, i);
        bool in = false;
        for (uint32_t k = 0; k <= s->n_frames; k++) {
            const char *symbol = pk_alloc_place_of(&f->result, s, k)->symbol;
            in = in || (symbol && strcmp(symbol, function) == 0);
        }
        if (!in) continue;
        sum.calls += s->calls;
        sum.bytes += s->bytes;
        sum.freed_calls += s->freed_calls;
        sum.leaked_bytes += s->leaked_bytes;
    }
    return sum;
}

/* ---- tests ---- */

static void at_attached(void *context) {
    fixture *f = context;
    f->attached++;
    tell(f);
    hear(f, "done\n");
}

static void burst_is_counted(fixture *f) {
    f->options.attached = at_attached;
    f->options.duration_ns = 1;
    assert_ok(run(f), &f->err);
    assert_int_equal(f->attached, 1);
    assert_true(f->result.attached);
    assert_string_equal(f->result.backend, "inject");
    pk_alloc_stack freed = sum_of(f, "f"), kept = sum_of(f, "g");
    assert_int_equal(freed.calls, 1000);
    assert_int_equal(freed.bytes, 24000);
    assert_int_equal(freed.freed_calls, 1000);
    assert_int_equal(kept.calls, 50);
    assert_int_equal(kept.bytes, 5000);
    assert_int_equal(kept.leaked_bytes, 5000);
    /* One more, where the other thread was just about to free a block of before. */
    assert_in_range(f->result.total.unknown_frees, 100, 101);
    assert_int_equal(slots_in_use(f), 0);
    is_untraced(f);
}

static void counts_from_when_it_comes(void **state) {
    fixture *f = *state;
    start(f, "burst");
    burst_is_counted(f);
    ends_well(f);
}

static void counts_other_users(void **state) {
    fixture *f = *state;
    if (geteuid() != 0) skip();
    start_as(f, 65534, "injected", "burst", NULL);
    hear(f, "ready\n");
    burst_is_counted(f);
    ends_well(f);
}

static void counts_until_it_ends(void **state) {
    fixture *f = *state;
    start(f, "burst");
    f->options.attached = at_attached;
    tell(f); /* read before the one at_attached sends */
    hear(f, "done\n");
    f->options.attached = NULL;
    f->options.duration_ns = 50 * PK_NS_PER_MS;
    assert_ok(run(f), &f->err);
    assert_int_equal(sum_of(f, "f").calls, 0);
    assert_true(sum_of(f, "ticks").calls > 0);
    assert_true(f->result.moments.count > 0);
    assert_true(f->result.duration_ns >= f->options.duration_ns);
    ends_well(f);
}

static void counts_libraries_that_come_later(void **state) {
    fixture *f = *state;
    char library[CHECK_PATH_MAX];
    snprintf(library, sizeof library, "%.400s/alloc/one.so", f->programs);
    start_as(f, 0, "injected", "loads", library);
    hear(f, "ready\n");
    f->options.attached = at_attached;
    f->options.duration_ns = 1;
    assert_ok(run(f), &f->err);
    assert_int_equal(sum_of(f, "work").calls, 17);
    assert_int_equal(sum_of(f, "work").bytes, 170);
    assert_int_equal(slots_in_use(f), 0);
    ends_well(f);
}

static void busy_threads_notice_nothing(void **state) {
    fixture *f = *state;
    start(f, "busy");
    int lines = 0, files = 0;
    uint64_t calls = 0;
    f->options.duration_ns = PK_NS_PER_MS;
    for (int i = 0; i < CYCLES; i++) {
        assert_ok(run(f), &f->err);
        calls += f->result.total.calls;
        assert_int_equal(slots_in_use(f), 0);
        is_untraced(f);
        if (i == MANY) lines = lines_of_maps(f), files = files_of(f);
    }
    assert_true(calls > 0);
    assert_int_equal(files_of(f), files);
    assert_in_range(lines_of_maps(f), lines - 12, lines + 12); /* neighbours may be one line */
    ends_well(f);
}

static void children_go_on(void **state) {
    fixture *f = *state;
    start(f, "forks");
    f->options.duration_ns = 20 * PK_NS_PER_MS;
    for (int i = 0; i < MANY; i++) assert_ok(run(f), &f->err);
    assert_true(f->result.total.calls > 0);
    assert_int_equal(slots_in_use(f), 0);
    ends_well(f);
}

static void idle_is_left_alone(void **state) {
    fixture *f = *state;
    start(f, "idle");
    uint64_t begin_ns = pk_now_ns();
    memset(&f->err, 0, sizeof f->err);
    assert_fails(run(f), &f->err, PK_E_UNSUPPORTED);
    assert_holds(f->err.what, "no malloc for 2 seconds");
    assert_true(pk_now_ns() - begin_ns < 10 * PK_NS_PER_S);
    assert_int_equal(slots_in_use(f), -1);
    is_untraced(f);
    ends_well(f);
}

static void refused(fixture *f, const char *what) {
    memset(&f->err, 0, sizeof f->err);
    assert_fails(run(f), &f->err, PK_E_UNSUPPORTED);
    assert_holds(f->err.what, what);
}

static void says_why_not(void **state) {
    fixture *f = *state;
    char text[64];
    start(f, "busy");
    kill(f->pid, SIGSTOP);
    do assert_true(pk_inject_status(f->pid, "State:", text, sizeof text));
    while (text[0] != 'T');
    refused(f, "it is stopped");
    kill(f->pid, SIGCONT);
    ends_well(f);
    start_as(f, 0, "static", "waits", NULL);
    hear(f, "ready\n");
    refused(f, "statically linked");
}

static void says_that_it_is_gone(void **state) {
    fixture *f = *state;
    pid_t nobody = 0x3fffffff;
    f->options.pids = &nobody;
    f->options.n_pids = 1;
    memset(&f->err, 0, sizeof f->err);
    assert_fails(run(f), &f->err, PK_E_INPUT);
}

/* Killed, we cannot give anything back; whoever attached for us does. */
static void gives_back_when_we_are_killed(void **state) {
    fixture *f = *state;
    start(f, "busy");
    f->options.duration_ns = DEADLINE_S * PK_NS_PER_S;
    pid_t self = fork();
    assert_true(self >= 0);
    if (self == 0) {
        (void)!run(f);
        _exit(0);
    }
    uint64_t deadline_ns = pk_now_ns() + 10 * PK_NS_PER_S;
    while (slots_in_use(f) <= 0) assert_true(pk_now_ns() < deadline_ns);
    kill(self, SIGKILL);
    waitpid(self, NULL, 0);
    while (slots_in_use(f) != 0) assert_true(pk_now_ns() < deadline_ns);
    ends_well(f);
    pk_alloc_folder folder; /* what a killed one leaves is for --recover */
    pk_text_list parents = {f->parents, 1};
    while (!pk_alloc_folder_find(NULL, &parents, &folder, &f->err))
        assert_true(pk_now_ns() < deadline_ns);
    pk_alloc_folder_remove(&folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(counts_from_when_it_comes, begin, end),
        cmocka_unit_test_setup_teardown(counts_other_users, begin, end),
        cmocka_unit_test_setup_teardown(counts_until_it_ends, begin, end),
        cmocka_unit_test_setup_teardown(counts_libraries_that_come_later, begin, end),
        cmocka_unit_test_setup_teardown(busy_threads_notice_nothing, begin, end),
        cmocka_unit_test_setup_teardown(children_go_on, begin, end),
        cmocka_unit_test_setup_teardown(idle_is_left_alone, begin, end),
        cmocka_unit_test_setup_teardown(says_why_not, begin, end),
        cmocka_unit_test_setup_teardown(says_that_it_is_gone, begin, end),
        cmocka_unit_test_setup_teardown(gives_back_when_we_are_killed, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif

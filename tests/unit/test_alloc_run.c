/* Commands under the hook: programs with known answers, how they end, and what is left behind. */
#include "tests/unit/check.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include "alloc/alloc.h"
#include "alloc/folder.h"
#include "alloc/image.h"
#include "alloc/program.h"
#include "base/units.h"
#include "timing/clock.h"

enum { DEADLINE_S = 20, BEFORE_MAIN = 11, BEFORE_MAIN_BYTES = 77 };

typedef struct fixture {
    char folder[CHECK_PATH_MAX]; /* where folders of runs are made */
    char known[CHECK_PATH_MAX];
    const char *parents[1];
    pk_alloc_options options;
    pk_alloc_result result;
    pk_err err;
} fixture;

/* Beside the unit tests lie the programs of this kind of build. */
static void built(char out[CHECK_PATH_MAX], const char *name) {
    char self[CHECK_PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(n > 0);
    self[n] = '\0';
    for (int i = 0; i < 2; i++) *strrchr(self, '/') = '\0';
    (void)check_path(out, self, name);
}

static int begin(void **state) {
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    check_folder_begin(f->folder);
    built(f->known, "alloc/known");
    f->parents[0] = f->folder;
    f->options = (pk_alloc_options){.runtime_folders = {f->parents, 1},
                                    .grace_ns = DEADLINE_S * PK_NS_PER_S,
                                    .timeline_ns = PK_NS_PER_MS};
    alarm(5 * DEADLINE_S);
    *state = f;
    return 0;
}

static int end(void **state) {
    fixture *f = *state;
    alarm(0);
    pk_alloc_fini(&f->result);
    assert_int_equal(check_count_files(f->folder), 0); /* nothing is left behind */
    check_folder_end(f->folder);
    free(f);
    return 0;
}

static bool run(fixture *f, const pk_interrupt *interrupt, char *const argv[]) {
    f->options.argv = argv;
    return pk_alloc_run(&f->options, interrupt, &f->result, &f->err);
}

static void run_known(fixture *f, const char *what, const char *argument) {
    char *argv[] = {f->known, (char *)what, (char *)argument, NULL};
    assert_ok(run(f, NULL, argv), &f->err);
    assert_true(f->result.command_ran);
}

/* A stack with these functions next to each other, the innermost first; NULL behind. */
static bool has(const fixture *f, const pk_alloc_stack *s, const char *const functions[]) {
    uint32_t n = 0;
    while (functions[n]) n++;
    for (uint32_t i = 0; i + n <= s->n_frames + 1; i++) {
        uint32_t same = 0;
        while (same < n) {
            const char *symbol = pk_alloc_place_of(&f->result, s, i + same)->symbol;
            if (!symbol || strcmp(symbol, functions[same]) != 0) break;
            same++;
        }
        if (same == n) return true;
    }
    return false;
}

/* The sums over such stacks. */
static pk_alloc_stack sums(const fixture *f, const char *const functions[]) {
    pk_alloc_stack sum = {0};
    for (size_t i = 0; i < f->result.stacks.count; i++) {
        const pk_alloc_stack *s = &PK_AT(&f->result.stacks, pk_alloc_stack, i);
        if (!has(f, s, functions)) continue;
        sum.calls += s->calls;
        sum.bytes += s->bytes;
        sum.temporary += s->temporary;
        sum.leaked_calls += s->leaked_calls;
        sum.leaked_bytes += s->leaked_bytes;
        sum.peak_bytes += s->peak_bytes;
        sum.peak_calls += s->peak_calls;
    }
    return sum;
}

#define SUMS(f, ...) sums((f), (const char *const[]){__VA_ARGS__, NULL})

static const char *note_with(const fixture *f, const char *text) {
    for (size_t i = 0; i < f->result.notes.count; i++) {
        const pk_alloc_note *note = &PK_AT(&f->result.notes, pk_alloc_note, i);
        if (strstr(note->text, text)) return note->text;
    }
    return NULL;
}

/* ---- figures ---- */

static void calls_by_their_callers(void **state) {
    fixture *f = *state;
    run_known(f, "calls", NULL);
    const pk_alloc_process *total = &f->result.total;
    assert_int_equal(f->result.exit.code, 0);
    assert_int_equal(total->calls, 1500 + BEFORE_MAIN);
    assert_int_equal(total->bytes, 94000 + BEFORE_MAIN_BYTES);
    assert_int_equal(total->frees, total->calls);
    assert_int_equal(total->temporary, total->calls);
    assert_int_equal(total->leaked_calls, 0);
    assert_int_equal(total->peak_bytes, 200);
    assert_int_equal(f->result.stacks.count, 4);
    pk_alloc_stack s = SUMS(f, "malloc", "f", "chain", "chain", "chain");
    assert_int_equal(s.calls, 1000);
    assert_int_equal(s.bytes, 24000);
    s = SUMS(f, "malloc", "g", "g_by_one");
    assert_int_equal(s.calls, 300);
    assert_int_equal(s.bytes, 30000);
    s = SUMS(f, "malloc", "g", "g_by_two");
    assert_int_equal(s.calls, 200);
    assert_int_equal(s.bytes, 40000);
    s = SUMS(f, "malloc", "before_main");
    assert_int_equal(s.calls, BEFORE_MAIN);
    assert_int_equal(SUMS(f, "calls", "run", "main").calls, 1500);
    assert_int_equal(f->result.sizes[pk_image_size_class(24)], 1000);
    assert_string_equal(f->result.backend, "preload");
    assert_true(strstr(f->result.command, "alloc/known calls") != NULL);
    assert_string_equal(
        pk_alloc_place_of(&f->result, &PK_AT(&f->result.stacks, pk_alloc_stack, 0), 0)->object,
        "libc.so.6");
}

static void what_stays_and_what_was_most(void **state) {
    fixture *f = *state;
    run_known(f, "leak", NULL);
    assert_int_equal(f->result.total.leaked_calls, 10);
    assert_int_equal(f->result.total.leaked_bytes, 7030);
    assert_int_equal(SUMS(f, "malloc", "leak_more").leaked_bytes, 7000);
    assert_int_equal(SUMS(f, "malloc", "leak_less").leaked_bytes, 30);
    assert_int_equal(SUMS(f, "malloc", "leak").leaked_bytes, 0);
    pk_alloc_fini(&f->result);
    run_known(f, "peak", NULL);
    assert_int_equal(f->result.total.peak_bytes, 1050000);
    assert_int_equal(f->result.total.leaked_bytes, 0);
    assert_int_equal(SUMS(f, "malloc", "below").peak_bytes, 50000);
    assert_int_equal(SUMS(f, "malloc", "above").peak_bytes, 1000000);
    assert_int_equal(SUMS(f, "malloc", "above").peak_calls, 10);
    assert_int_equal(SUMS(f, "malloc", "afterwards").peak_bytes, 0);
    assert_int_equal(SUMS(f, "malloc", "before_main").peak_bytes, 0);
    assert_int_equal(f->result.total.peak_error_bytes, 0);
}

static void eight_threads(void **state) {
    fixture *f = *state;
    run_known(f, "threads", "8");
    assert_int_equal(SUMS(f, "malloc", "f").calls, 8000);
    assert_int_equal(SUMS(f, "malloc", "g", "g_by_one").calls, 2400);
    assert_int_equal(SUMS(f, "malloc", "g", "g_by_two").bytes, 320000);
    assert_int_equal(SUMS(f, "malloc", "f").leaked_calls, 0);
    pk_alloc_fini(&f->result);
    run_known(f, "thread-leaks", "8");
    assert_int_equal(SUMS(f, "malloc", "leak_more").leaked_bytes, 8 * 7000);
    assert_true(f->result.total.peak_bytes >= f->result.total.leaked_bytes);
    pk_alloc_fini(&f->result);
    run_known(f, "two-threads", NULL);
    assert_int_equal(SUMS(f, "malloc", "thread_allocate").calls, 100);
    assert_int_equal(SUMS(f, "malloc", "thread_allocate").leaked_calls, 0);
}

static const pk_alloc_process *process_at(const fixture *f, size_t i) {
    assert_true(i < f->result.processes.count);
    return &PK_AT(&f->result.processes, pk_alloc_process, i);
}

static void children_and_successors(void **state) {
    fixture *f = *state;
    run_known(f, "forks", NULL);
    assert_int_equal(f->result.processes.count, 2);
    assert_int_equal(process_at(f, 0)->calls, 1300 + BEFORE_MAIN);
    assert_false(process_at(f, 0)->forked);
    assert_int_equal(process_at(f, 1)->calls, 12);
    assert_true(process_at(f, 1)->forked);
    assert_int_equal(process_at(f, 1)->parent_pid, process_at(f, 0)->pid);
    assert_int_equal(process_at(f, 1)->peak_bytes, 1050000);
    assert_int_equal(SUMS(f, "malloc", "f").calls, 1000);
    assert_int_equal(SUMS(f, "malloc", "below").calls, 1);
    pk_alloc_fini(&f->result);
    run_known(f, "execs", NULL);
    assert_int_equal(f->result.processes.count, 2);
    assert_int_equal(process_at(f, 0)->pid, process_at(f, 1)->pid);
    assert_int_equal(process_at(f, 1)->exec_number, 1);
    assert_int_equal(process_at(f, 0)->ended_ns, process_at(f, 1)->started_ns);
    assert_int_equal(SUMS(f, "malloc", "g", "g_by_two").calls, 400);
    assert_non_null(note_with(f, "became another program"));
    pk_alloc_fini(&f->result);
    f->options.no_follow = true;
    run_known(f, "spawns", NULL);
    assert_int_equal(f->result.processes.count, 1);
    assert_int_equal(f->result.total.calls, 200 + BEFORE_MAIN);
}

/* A static program runs for a second below one that is counted. */
static void programs_that_are_not_counted_are_named(void **state) {
    fixture *f = *state;
    char quiet[CHECK_PATH_MAX], text[2 * CHECK_PATH_MAX];
    built(quiet, "alloc/static");
    snprintf(text, sizeof text, "%s waits >/dev/null & p=$!; sleep 1; kill $p; wait $p; exit 0",
             quiet);
    char *argv[] = {(char *)"sh", (char *)"-c", text, NULL};
    assert_ok(run(f, NULL, argv), &f->err);
    assert_non_null(note_with(f, "1 program that it started was not counted: static"));
    pk_alloc_fini(&f->result);
    /* What takes a process over as well. */
    snprintf(text, sizeof text, "(sleep 1; kill $$) & exec %s waits >/dev/null", quiet);
    assert_ok(run(f, NULL, argv), &f->err);
    assert_int_equal(f->result.exit.signal, SIGTERM);
    assert_non_null(note_with(f, "1 program that it started was not counted: static"));
    pk_alloc_fini(&f->result);
    run_known(f, "spawns", NULL);
    assert_null(note_with(f, "not counted"));
}

static void what_goes_on_is_said(void **state) {
    fixture *f = *state;
    char script[] = "\"$0\" waits >/dev/null & sleep 0.2; exit 0";
    char *argv[] = {(char *)"sh", (char *)"-c", script, f->known, NULL};
    assert_ok(run(f, NULL, argv), &f->err);
    assert_non_null(note_with(f, "1 process that it started still runs"));
    for (size_t i = 0; i < f->result.processes.count; i++) {
        const pk_alloc_process *p = process_at(f, i);
        if (p->exec_number > 0 && strcmp(p->name, "known") == 0)
            assert_int_equal(kill((pid_t)p->pid, SIGKILL), 0);
    }
    assert_int_equal(SUMS(f, "malloc", "f").calls, 1000);
}

/* Its file is gone before it ends: names come from what the process still had. */
static void a_deleted_program_has_its_names(void **state) {
    fixture *f = *state;
    char copy[CHECK_PATH_MAX];
    char script[] = "cp \"$0\" \"$1\"; \"$1\" waits busy >/dev/null & p=$!; sleep 0.3; "
                    "rm \"$1\"; sleep 0.2; kill $p; wait $p; exit 0";
    char *argv[] = {
        (char *)"sh", (char *)"-c", script, f->known, check_path(copy, f->folder, "gone"), NULL};
    assert_ok(run(f, NULL, argv), &f->err);
    assert_true(access(copy, F_OK) < 0);
    assert_true(SUMS(f, "malloc", "f", "waits").calls >= 1000);
}

static void libraries_at_one_address(void **state) {
    fixture *f = *state;
    char one[CHECK_PATH_MAX], two[CHECK_PATH_MAX];
    built(one, "alloc/one.so");
    built(two, "alloc/two.so");
    char *argv[] = {f->known, (char *)"libraries", one, two, NULL};
    assert_ok(run(f, NULL, argv), &f->err);
    assert_int_equal(SUMS(f, "malloc", "work_of_one").calls, 17);
    assert_int_equal(SUMS(f, "malloc", "work_of_two").calls, 17);
}

static void counts_alone(void **state) {
    fixture *f = *state;
    f->options.counts_only = true;
    run_known(f, "leak", NULL);
    assert_false(f->result.live_known);
    assert_int_equal(SUMS(f, "malloc", "leak_more").calls, 7);
    assert_int_equal(f->result.total.leaked_bytes, 0);
    assert_int_equal(f->result.total.peak_bytes, 0);
}

static void samples(void **state) {
    fixture *f = *state;
    f->options.sample_bytes = 1000;
    run_known(f, "calls", NULL);
    assert_true(f->result.sampled);
    assert_int_equal(f->result.total.calls, 1500 + BEFORE_MAIN);
    assert_int_equal(f->result.total.bytes, 94000 + BEFORE_MAIN_BYTES);
    pk_alloc_stack s = SUMS(f, "malloc", "g", "g_by_two");
    /* 200 calls of 200 bytes are sampled with P = 1 - e^-0.2; within eight standard errors. */
    double error = sqrt(200 * 0.8187 / 0.1813);
    assert_true(fabs((double)s.calls - 200) < 8 * error);
    assert_true(f->result.stacks.count >= 2);
    bool erring = false;
    for (size_t i = 0; i < f->result.stacks.count; i++)
        erring = erring || PK_AT(&f->result.stacks, pk_alloc_stack, i).calls_error > 1;
    assert_true(erring);
}

/* ---- ends ---- */

static void however_it_ends(void **state) {
    fixture *f = *state;
    static const struct {
        const char *how;
        int code, signal;
    } ends[] = {{"_exit", 3, 0},
                {"quick_exit", 4, 0},
                {"abort", -1, SIGABRT},
                {"kill", -1, SIGKILL},
                {"crash", -1, SIGSEGV}};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        run_known(f, "ends", ends[i].how);
        assert_int_equal(f->result.exit.code, ends[i].code);
        assert_int_equal(f->result.exit.signal, ends[i].signal);
        assert_int_equal(SUMS(f, "malloc", "f").calls, 1000);
        assert_int_equal(SUMS(f, "malloc", "leak_less").leaked_bytes, 30);
        assert_false(f->result.interrupted);
        pk_alloc_fini(&f->result);
    }
    run_known(f, "nothing", NULL);
}

static void its_descriptors_are_ours(void **state) {
    fixture *f = *state;
    char out[256];
    int in[2], to[2], kept[2];
    fflush(stdout);
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(to), 0);
    for (int i = 0; i < 2; i++) kept[i] = fcntl(i, F_DUPFD_CLOEXEC, 3);
    dup2(in[0], STDIN_FILENO);
    dup2(to[1], STDOUT_FILENO);
    assert_int_equal(write(in[1], "hello\n", 6), 6);
    for (int i = 0; i < 2; i++) close(in[i]);
    char *argv[] = {
        (char *)"sh",  (char *)"-c", (char *)"read word; echo \"<$word>\"; echo \"$0 $1\"; exit 7",
        (char *)"a b", (char *)"c",  NULL};
    bool ok = run(f, NULL, argv);
    for (int i = 0; i < 2; i++) {
        dup2(kept[i], i);
        close(kept[i]);
    }
    ssize_t n = read(to[0], out, sizeof out);
    for (int i = 0; i < 2; i++) close(to[i]);
    assert_ok(ok, &f->err);
    assert_int_equal(f->result.exit.code, 7);
    assert_int_equal(n, 8 + 6);
    assert_memory_equal(out, "<hello>\na b c\n", 14);
}

static void the_users_preload_stays(void **state) {
    fixture *f = *state;
    char one[CHECK_PATH_MAX];
    built(one, "alloc/one.so");
    f->options.preload = one;
    char *argv[] = {(char *)"sh", (char *)"-c",
                    (char *)"case $LD_PRELOAD in *hook.so:*one.so) exit 5;; esac", NULL};
    assert_ok(run(f, NULL, argv), &f->err);
    assert_int_equal(f->result.exit.code, 5);
}

static void the_time_is_up(void **state) {
    fixture *f = *state;
    f->options.duration_ns = 200 * PK_NS_PER_MS;
    char *argv[] = {f->known, (char *)"waits", (char *)"busy", NULL};
    int kept = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3), null = open("/dev/null", O_WRONLY);
    fflush(stdout);
    dup2(null, STDOUT_FILENO);
    bool ok = run(f, NULL, argv);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    close(null);
    assert_ok(ok, &f->err);
    assert_int_equal(f->result.exit.signal, SIGTERM);
    assert_false(f->result.interrupted);
    assert_true(f->result.duration_ns >= 200 * PK_NS_PER_MS);
    assert_true(f->result.duration_ns < DEADLINE_S * PK_NS_PER_S);
    assert_true(SUMS(f, "malloc", "f").calls > 1000);
    /* Moments: in order, never less than before, and of a program in memory. */
    size_t n = f->result.moments.count;
    assert_true(n >= 10 && n <= 4096);
    bool resident = false;
    for (size_t i = 1; i < n; i++) {
        const pk_alloc_moment *m = &PK_AT(&f->result.moments, pk_alloc_moment, i);
        assert_true(m->time_ns > m[-1].time_ns);
        assert_true(m->calls >= m[-1].calls && m->bytes >= m[-1].bytes && m->frees >= m[-1].frees);
        resident = resident || m->rss_bytes > 100000;
    }
    assert_true(resident);
    const pk_alloc_moment *last = &PK_AT(&f->result.moments, pk_alloc_moment, n - 1);
    assert_int_equal(last->calls, f->result.total.calls);
    assert_true(last->time_ns <= f->result.duration_ns + PK_NS_PER_S);
}

static void an_interrupt_ends_it(void **state) {
    fixture *f = *state;
    pk_err err = {0};
    pk_interrupt *interrupt = pk_interrupt_begin(&err);
    assert_non_null(interrupt);
    raise(SIGTERM);
    char *argv[] = {(char *)"sleep", (char *)"100", NULL};
    bool ok = run(f, interrupt, argv);
    pk_interrupt_end(interrupt);
    /* It may be told before its hook is there. */
    if (ok) assert_true(f->result.interrupted);
    assert_true(f->result.command_ran);
    assert_int_equal(f->result.exit.signal, SIGTERM);
}

/* ---- what cannot be counted ---- */

static void programs_that_cannot_load_the_hook(void **state) {
    fixture *f = *state;
    static const struct {
        const char *name, *what;
    } programs[] = {{"alloc/static", "statically linked"}, {"alloc/musl", "musl"}};
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        char path[CHECK_PATH_MAX], script[CHECK_PATH_MAX], text[CHECK_PATH_MAX + 16];
        built(path, programs[i].name);
        if (access(path, X_OK) != 0) continue; /* no musl here */
        char *argv[] = {path, (char *)"calls", NULL};
        memset(&f->err, 0, sizeof f->err);
        assert_fails(run(f, NULL, argv), &f->err, PK_E_UNSUPPORTED);
        assert_holds(f->err.what, programs[i].what);
        assert_holds(f->err.fix, "perfkit alloc -p PID");
        assert_false(f->result.command_ran);
        pk_alloc_fini(&f->result);
        snprintf(text, sizeof text, "#! %s\tx\n", path);
        check_write_file(check_path(script, f->folder, "script"), text);
        memset(&f->err, 0, sizeof f->err);
        assert_fails(pk_alloc_program_check(script, &f->err), &f->err, PK_E_UNSUPPORTED);
        assert_int_equal(unlink(script), 0);
    }
    memset(&f->err, 0, sizeof f->err);
    char *argv[] = {(char *)"/nowhere/at/all", NULL};
    assert_fails(run(f, NULL, argv), &f->err, PK_E_SYS);
}

static void running_processes_are_not_for_preload(void **state) {
    fixture *f = *state;
    const pid_t self = getpid();
    f->options.pids = &self;
    f->options.n_pids = 1;
    f->options.backend = PK_BACKEND_PRELOAD;
    assert_fails(run(f, NULL, NULL), &f->err, PK_E_USAGE);
}

/* ---- folders ---- */

static void a_folder_is_made_where_objects_can_be_loaded_from(void **state) {
    fixture *f = *state;
    char blank[CHECK_PATH_MAX];
    assert_int_equal(mkdir(check_path(blank, f->folder, "a b"), 0755), 0);
    const char *parents[] = {"/nowhere/at/all", "/proc", blank, f->folder};
    pk_text_list list = {parents, 4};
    pk_alloc_folder folder;
    assert_ok(pk_alloc_folder_make(NULL, &list, &folder, &f->err), &f->err);
    assert_int_equal(strncmp(folder.path, f->folder, strlen(f->folder)), 0);
    assert_true(strncmp(folder.path + strlen(f->folder), "/perfkit-alloc-", 15) == 0);
    struct stat st;
    char path[CHECK_PATH_MAX];
    assert_int_equal(stat(folder.path, &st), 0);
    assert_int_equal(st.st_mode & 0755, 0755);
    assert_int_equal(st.st_mode & 0022, geteuid() == 0 ? 0022 : 0); /* sticky, as /tmp is */
    assert_int_equal(st.st_mode & S_ISVTX, geteuid() == 0 ? S_ISVTX : 0);
    assert_int_equal(stat(check_path(path, folder.path, PK_ALLOC_HOOK_NAME), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_true(st.st_size > 4096);
    /* While we are there, nobody recovers it. */
    pk_alloc_folder other;
    memset(&f->err, 0, sizeof f->err);
    assert_fails(pk_alloc_folder_find(NULL, &list, &other, &f->err), &f->err, PK_E_INPUT);
    assert_holds(f->err.what, "still running");
    memset(&f->err, 0, sizeof f->err);
    assert_fails(pk_alloc_folder_find(folder.path, &list, &other, &f->err), &f->err, PK_E_INPUT);
    pk_alloc_folder_remove(&folder);
    memset(&f->err, 0, sizeof f->err);
    assert_fails(pk_alloc_folder_find(NULL, &list, &other, &f->err), &f->err, PK_E_INPUT);
    assert_holds(f->err.what, "nothing to recover");
    assert_int_equal(rmdir(blank), 0);
    list.count = 3;
    memset(&f->err, 0, sizeof f->err);
    assert_fails(pk_alloc_folder_make(NULL, &list, &folder, &f->err), &f->err, PK_E_INPUT);
    assert_holds(f->err.what, "blank");
}

static void nothing_is_loaded_from_where_nothing_is_executed(void **state) {
    fixture *f = *state;
    static const char *const mounts[] = {"/proc", "/sys", "/run", "/dev", "/dev/pts", "/dev/shm"};
    for (size_t i = 0; i < sizeof mounts / sizeof *mounts; i++) {
        struct statvfs fs;
        pk_alloc_folder folder;
        if (statvfs(mounts[i], &fs) != 0 || !(fs.f_flag & ST_NOEXEC)) continue;
        const char *parents[] = {mounts[i]};
        pk_text_list list = {parents, 1};
        assert_fails(pk_alloc_folder_make(NULL, &list, &folder, &f->err), &f->err, PK_E_INPUT);
        assert_holds(f->err.what, "noexec");
        return;
    }
    skip(); /* no such mount */
}

static void an_asked_folder_is_made_and_removed(void **state) {
    fixture *f = *state;
    char path[CHECK_PATH_MAX];
    f->options.folder = check_path(path, f->folder, "mine");
    run_known(f, "calls", NULL);
    assert_int_equal(f->result.total.calls, 1500 + BEFORE_MAIN);
    assert_int_equal(access(path, F_OK), -1);
    pk_alloc_fini(&f->result);
    assert_int_equal(mkdir(path, 0755), 0);
    char *argv[] = {f->known, (char *)"calls", NULL};
    assert_fails(run(f, NULL, argv), &f->err, PK_E_SYS);
    assert_int_equal(rmdir(path), 0);
}

/* perfkit is killed while a program runs: what was counted until now is there. */
static void a_killed_run_is_recovered(void **state) {
    fixture *f = *state;
    int ready[2];
    char text[8];
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    fflush(stdout);
    pid_t perfkit = fork();
    assert_true(perfkit >= 0);
    if (perfkit == 0) {
        char *argv[] = {f->known, (char *)"waits", NULL};
        dup2(ready[1], STDOUT_FILENO);
        (void)!run(f, NULL, argv);
        _exit(9);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], text, 6), 6); /* it has counted, and waits */
    assert_int_equal(kill(perfkit, SIGKILL), 0);
    assert_int_equal(waitpid(perfkit, NULL, 0), perfkit);
    assert_ok(pk_alloc_recover(&f->options, &f->result, &f->err), &f->err);
    assert_int_equal(SUMS(f, "malloc", "f").calls, 1000);
    assert_true(f->result.interrupted);
    const char *note = note_with(f, "recovered from ");
    assert_non_null(note);
    assert_holds(note, "a program still counts");
    pid_t program = (pid_t)process_at(f, 0)->pid;
    assert_int_equal(kill(program, SIGKILL), 0);
    uint64_t until_ns = pk_now_ns() + DEADLINE_S * PK_NS_PER_S;
    while (read(ready[0], text, 1) > 0 && pk_now_ns() < until_ns) { /* until it has gone */
    }
    close(ready[0]);
    pk_alloc_folder folder;
    assert_ok(pk_alloc_folder_find(NULL, &f->options.runtime_folders, &folder, &f->err), &f->err);
    char path[sizeof folder.path];
    memcpy(path, folder.path, sizeof path);
    pk_alloc_folder_close(&folder);
    pk_alloc_fini(&f->result);
    f->options.folder = path;
    assert_ok(pk_alloc_recover(&f->options, &f->result, &f->err), &f->err);
    assert_int_equal(SUMS(f, "malloc", "f").calls, 1000);
    assert_ok(pk_alloc_folder_find(path, &f->options.runtime_folders, &folder, &f->err), &f->err);
    pk_alloc_folder_remove(&folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(calls_by_their_callers, begin, end),
        cmocka_unit_test_setup_teardown(what_stays_and_what_was_most, begin, end),
        cmocka_unit_test_setup_teardown(eight_threads, begin, end),
        cmocka_unit_test_setup_teardown(children_and_successors, begin, end),
        cmocka_unit_test_setup_teardown(programs_that_are_not_counted_are_named, begin, end),
        cmocka_unit_test_setup_teardown(what_goes_on_is_said, begin, end),
        cmocka_unit_test_setup_teardown(a_deleted_program_has_its_names, begin, end),
        cmocka_unit_test_setup_teardown(libraries_at_one_address, begin, end),
        cmocka_unit_test_setup_teardown(counts_alone, begin, end),
        cmocka_unit_test_setup_teardown(samples, begin, end),
        cmocka_unit_test_setup_teardown(however_it_ends, begin, end),
        cmocka_unit_test_setup_teardown(its_descriptors_are_ours, begin, end),
        cmocka_unit_test_setup_teardown(the_users_preload_stays, begin, end),
        cmocka_unit_test_setup_teardown(the_time_is_up, begin, end),
        cmocka_unit_test_setup_teardown(an_interrupt_ends_it, begin, end),
        cmocka_unit_test_setup_teardown(programs_that_cannot_load_the_hook, begin, end),
        cmocka_unit_test_setup_teardown(running_processes_are_not_for_preload, begin, end),
        cmocka_unit_test_setup_teardown(a_folder_is_made_where_objects_can_be_loaded_from, begin,
                                        end),
        cmocka_unit_test_setup_teardown(nothing_is_loaded_from_where_nothing_is_executed, begin,
                                        end),
        cmocka_unit_test_setup_teardown(an_asked_folder_is_made_and_removed, begin, end),
        cmocka_unit_test_setup_teardown(a_killed_run_is_recovered, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* perf as a recorder: with the perf that is installed, and with false ones made of shell. */
#include "tests/unit/perf_file.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/interrupt.h"
#include "base/units.h"
#include "flame/perf_argv.h"
#include "flame/perf_says.h"
#include "flame/recorder.h"

#define S PK_NS_PER_S
#define SHOWN_ADDRESS 0x401000u

/* ---- the command: this program again ---- */

static double cpu_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* "burn MS then": uses so much of a processor, then ends as the word says; bounded in any case. */
static int burn(char **argv) {
    int64_t ms;
    pk_err err;
    if (!pk_parse_int(argv[2], 0, 60000, &ms, &err)) return 99;
    double end_s = (double)ms / 1e3;
    volatile unsigned spin = 0;
    while (cpu_s() < end_s) spin++;
    const char *then = argv[3];
    if (strcmp(then, "3") == 0) return 3;
    if (strcmp(then, "segv") == 0) {
        signal(SIGSEGV, SIG_DFL); /* a sanitizer's would end it with 1 */
        raise(SIGSEGV);
    }
    if (strcmp(then, "interrupt") == 0 || strcmp(then, "stubborn") == 0) {
        if (then[0] == 's') signal(SIGTERM, SIG_IGN);
        kill(getppid(), SIGINT);
        while (cpu_s() < 30) spin++;
    }
    if (strcmp(then, "perf") == 0) { /* the perf that records us meets its end */
        char line[64], path[64];
        snprintf(path, sizeof path, "%s", argv[4]);
        check_read_file(line, sizeof line, path);
        int64_t pid;
        if (!pk_parse_int(line, 1, INT32_MAX, &pid, &err)) return 98;
        kill((pid_t)pid, SIGKILL);
        while (cpu_s() < 30) spin++;
    }
    return 0;
}

/* ---- fixture ---- */

typedef struct fixture {
    char folder[CHECK_PATH_MAX], perf[CHECK_PATH_MAX];
    pk_arena *arena;
    pk_record_options options;
    pk_recording recording;
    pk_err err;
    size_t descriptors;
    uint64_t samples, of_us, after_exec, execs; /* what the sink saw */
    uint32_t pid;                               /* of the samples; 0: several */
    uint64_t fail_at;                           /* sample at which the sink fails; 0: never */
    uint64_t exec_ns, first_ns, last_ns;
    bool can; /* there is a perf, and it may record */
} fixture;

static size_t open_descriptors(void) {
    return check_count_files("/proc/self/fd");
}

static int begin(void **state) {
    fixture *f = calloc(1, sizeof *f);
    check_folder_begin(f->folder);
    check_path(f->perf, f->folder, "perf");
    f->arena = pk_arena_new(16 << 20);
    f->options = (pk_record_options){.frequency_hz = 997,
                                     .call_graph = PK_CALL_GRAPH_DWARF,
                                     .stack_bytes = PK_STACK_COPY_MAX,
                                     .grace_ns = S,
                                     .perf = "perf"};
    f->descriptors = open_descriptors();
    f->can = *state != NULL;
    *state = f;
    return 0;
}

static int end(void **state) {
    fixture *f = *state;
    assert_int_equal(open_descriptors(), f->descriptors);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
    assert_int_equal(errno, ECHILD);
    pk_arena_free(f->arena);
    check_folder_end(f->folder);
    free(f);
    return 0;
}

static bool count(void *context, const pk_perf_info *info, const pk_record *record, pk_err *err) {
    fixture *f = context;
    assert_true(info->events.n_attrs > 0);
    if (record->type == PK_RECORD_COMM && record->comm.exec) {
        f->execs++;
        f->exec_ns = record->time_ns;
    }
    if (record->type != PK_RECORD_SAMPLE) return true;
    f->samples++;
    if (f->execs > 0) f->after_exec++;
    if (f->samples == 1) f->first_ns = record->time_ns, f->pid = record->pid;
    if (record->pid != f->pid) f->pid = 0;
    f->last_ns = record->time_ns;
    if (f->samples != f->fail_at) return true;
    pk_fail(err, PK_E_LIMIT, NULL, "the sink is full");
    pk_fix(err, "none");
    return false;
}

static bool record(fixture *f, const pk_interrupt *interrupt) {
    return pk_record_perf(&f->options, interrupt, count, f, f->arena, &f->recording, &f->err);
}

static char *self(void) {
    static char path[CHECK_PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    assert_true(n > 0);
    path[n] = '\0';
    return path;
}

/* Whether perf may record here: tried once, before all tests, which find the answer in *state. */
static int try_perf(void **state) {
    begin(state);
    fixture *f = *state;
    char *argv[] = {"true", NULL};
    f->options.argv = argv;
    bool can = record(f, NULL);
    if (!can) {
        char text[PK_ERR_LINE_MAX];
        pk_err_format(&f->err, text, sizeof text);
        print_message("perf cannot record here: %s\n", text);
    }
    end(state);
    *state = can ? "perf" : NULL;
    return 0;
}

static void need_perf(void **state) {
    const fixture *f = *state;
    if (!f->can) skip();
}

/* ---- with the real perf ---- */

static void a_command_is_sampled_from_its_first_instruction(void **state) {
    fixture *f = *state;
    need_perf(state);
    char *argv[] = {self(), "burn", "500", "3", NULL};
    f->options.argv = argv;
    assert_ok(record(f, NULL), &f->err);
    assert_int_equal(f->err.kind, PK_OK);
    assert_int_equal(f->recording.end, PK_RECORDING_COMMAND);
    assert_true(f->recording.command_ran && !f->recording.command_stopped);
    assert_int_equal(f->recording.exit.code, 3);
    assert_in_range(f->samples + f->recording.lost, 350, 650); /* 997 a second, for 0.5 s */
    assert_int_equal(f->after_exec, f->samples);               /* none of us, waiting */
    assert_true(f->pid > 0);
    assert_int_equal(f->recording.stack_bytes, PK_STACK_COPY_MAX);
    assert_int_equal(f->recording.frequency_hz, 997);
    assert_non_null(f->recording.event);
    assert_true(f->recording.duration_ns >= f->last_ns - f->first_ns);
    assert_true(f->recording.end_ns >= f->last_ns); /* one clock */
    assert_true(f->recording.recorder_cpu_s > 0 && f->recording.recorder_cpu_s < 5);
    assert_non_null(f->recording.command_line);
    assert_string_equal(f->recording.command_line[1], "record");
}

static void a_crash_keeps_its_samples_and_its_signal(void **state) {
    fixture *f = *state;
    need_perf(state);
    char *argv[] = {self(), "burn", "500", "segv", NULL};
    f->options.argv = argv;
    assert_ok(record(f, NULL), &f->err);
    assert_int_equal(f->recording.exit.signal, SIGSEGV);
    assert_in_range(f->samples + f->recording.lost, 350, 650);
}

/* Of what the command gets and writes nothing is perf's. */
static void the_command_has_our_descriptors(void **state) {
    fixture *f = *state;
    need_perf(state);
    char out[CHECK_PATH_MAX], in[CHECK_PATH_MAX], err[CHECK_PATH_MAX], text[256];
    check_write_file(check_path(in, f->folder, "in"), "from stdin\n");
    int saved[3],
        fds[3] = {open(in, O_RDONLY | O_CLOEXEC),
                  open(check_path(out, f->folder, "out"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600),
                  open(check_path(err, f->folder, "err"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600)};
    fflush(stdout);
    fflush(stderr);
    for (int i = 0; i < 3; i++) {
        saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 10);
        dup2(fds[i], i);
        close(fds[i]);
    }
    char *argv[] = {"sh", "-c", "cat; printf 'one\\0two'; echo three >&2", NULL};
    f->options.argv = argv;
    bool ok = record(f, NULL);
    for (int i = 0; i < 3; i++) {
        dup2(saved[i], i);
        close(saved[i]);
    }
    assert_ok(ok, &f->err);
    check_read_file(text, sizeof text, out);
    assert_memory_equal(text, "from stdin\none\0two", 19);
    struct stat st;
    assert_int_equal(stat(out, &st), 0);
    assert_int_equal(st.st_size, 18);
    assert_string_equal(check_read_file(text, sizeof text, err), "three\n");
}

static void ctrl_c_keeps_what_was_sampled(void **state) {
    fixture *f = *state;
    need_perf(state);
    pk_interrupt *interrupt = pk_interrupt_begin(&f->err);
    assert_non_null(interrupt);
    char *argv[] = {self(), "burn", "500", "interrupt", NULL};
    f->options.argv = argv;
    bool ok = record(f, interrupt);
    pk_interrupt_end(interrupt);
    assert_ok(ok, &f->err);
    assert_int_equal(f->recording.end, PK_RECORDING_STOPPED);
    assert_true(f->recording.command_ran && f->recording.command_stopped);
    assert_int_equal(f->recording.exit.signal, SIGTERM);
    assert_in_range(f->samples + f->recording.lost, 350, 1500);
}

static void a_command_that_will_not_end_is_killed(void **state) {
    fixture *f = *state;
    need_perf(state);
    pk_interrupt *interrupt = pk_interrupt_begin(&f->err);
    assert_non_null(interrupt);
    char *argv[] = {self(), "burn", "10", "stubborn", NULL};
    f->options.argv = argv;
    f->options.grace_ns = S / 5;
    bool ok = record(f, interrupt);
    pk_interrupt_end(interrupt);
    assert_ok(ok, &f->err);
    assert_int_equal(f->recording.exit.signal, SIGKILL);
}

static void recording_ends_after_its_duration(void **state) {
    fixture *f = *state;
    need_perf(state);
    char *argv[] = {self(), "burn", "30000", "0", NULL};
    f->options.argv = argv;
    f->options.duration_ns = S / 2;
    assert_ok(record(f, NULL), &f->err);
    assert_int_equal(f->recording.end, PK_RECORDING_DURATION);
    assert_true(f->recording.command_stopped);
    assert_true(f->recording.duration_ns >= S / 2);
    assert_in_range(f->samples + f->recording.lost, 1, 1000); /* a busy machine gives little */
}

static void a_command_can_be_left_alone(void **state) {
    fixture *f = *state;
    need_perf(state);
    char *argv[] = {"sleep", "30", NULL}, pid[32];
    f->options.argv = argv;
    f->options.duration_ns = S / 10;
    f->options.detach = true;
    assert_ok(record(f, NULL), &f->err);
    assert_true(f->recording.command_left && !f->recording.command_stopped);
    const char *const *words = f->recording.command_line; /* its number is behind -p */
    while (*words && strcmp(*words, "-p") != 0) words++;
    assert_non_null(words[0]);
    snprintf(pid, sizeof pid, "%s", words[1]);
    int64_t number;
    assert_ok(pk_parse_int(pid, 1, INT32_MAX, &number, &f->err), &f->err);
    assert_int_equal(waitpid((pid_t)number, NULL, WNOHANG), 0); /* it goes on */
    kill((pid_t)number, SIGKILL);
    assert_int_equal(waitpid((pid_t)number, NULL, 0), number);
}

static void recording_begins_after_a_delay(void **state) {
    fixture *f = *state;
    need_perf(state);
    char *argv[] = {self(), "burn", "600", "0", NULL};
    f->options.argv = argv;
    f->options.delay_ns = 3 * S / 10;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    assert_ok(record(f, NULL), &f->err);
    assert_in_range(f->samples + f->recording.lost, 1, 650);
    uint64_t begin_ns = (uint64_t)now.tv_sec * S + (uint64_t)now.tv_nsec;
    assert_true(f->first_ns >= begin_ns + f->options.delay_ns);
    assert_int_equal(f->recording.exit.code, 0);
}

static pid_t start_burner(void) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        execl(self(), self(), "burn", "1500", "0", (char *)NULL);
        _exit(99);
    }
    return pid;
}

static void a_process_is_left_untouched(void **state) {
    fixture *f = *state;
    need_perf(state);
    pid_t pid = start_burner();
    f->options.pids = &pid;
    f->options.n_pids = 1;
    f->options.duration_ns = S / 2;
    bool ok = record(f, NULL);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_ok(ok, &f->err);
    assert_int_equal(f->recording.end, PK_RECORDING_DURATION);
    assert_false(f->recording.command_ran);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_true(f->samples > 0);
    assert_int_equal(f->pid, pid);
}

static void recording_ends_with_the_process(void **state) {
    fixture *f = *state;
    need_perf(state);
    pid_t pid = start_burner();
    f->options.pids = &pid;
    f->options.n_pids = 1;
    bool ok = record(f, NULL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_ok(ok, &f->err);
    assert_int_equal(f->recording.end, PK_RECORDING_COMMAND);
    assert_true(f->samples > 50);
}

static void switches_are_sampled(void **state) {
    fixture *f = *state;
    need_perf(state);
    char *argv[] = {"sh", "-c", "for i in 1 2 3 4 5; do sleep 0.01; done", NULL};
    f->options.argv = argv;
    f->options.off_cpu = true;
    assert_ok(record(f, NULL), &f->err);
    assert_string_equal(f->recording.event, "context-switches");
    assert_false(f->recording.event_fell_back);
    assert_in_range(f->samples, 5, 500);
}

static void a_kept_file_is_read_too(void **state) {
    fixture *f = *state;
    need_perf(state);
    char path[CHECK_PATH_MAX], *argv[] = {self(), "burn", "300", "3", NULL};
    f->options.argv = argv;
    f->options.keep = check_path(path, f->folder, "kept.data");
    f->options.give_away = geteuid() == 0;
    f->options.owner = f->options.group = 65534;
    assert_ok(record(f, NULL), &f->err);
    assert_int_equal(f->err.kind, PK_OK);
    assert_int_equal(f->recording.exit.code, 3);
    assert_in_range(f->samples + f->recording.lost, 200, 500);
    assert_int_equal(f->after_exec, f->samples);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size > 0);
    if (f->options.give_away) assert_true(st.st_uid == 65534 && st.st_gid == 65534);
}

/* sudo hands on the standard descriptors alone, and our signals do not reach what it runs. */
static void perf_behind_sudo(void **state) {
    fixture *f = *state;
    need_perf(state);
    static const char *const sudo[] = {
        "bash", "-c",
        "for fd in /proc/self/fd/*; do fd=${fd##*/}; ((fd > 2)) && eval \"exec $fd>&-\"; done;"
        "trap '' INT TERM; exec \"$@\"",
        "sudo", NULL};
    char *argv[] = {self(), "burn", "30000", "0", NULL};
    f->options.argv = argv;
    f->options.root = sudo;
    f->options.duration_ns = S / 2;
    assert_ok(record(f, NULL), &f->err);
    assert_int_equal(f->err.kind, PK_OK);
    assert_int_equal(f->recording.end, PK_RECORDING_DURATION);
    assert_string_equal(f->recording.command_line[0], "bash");
    assert_in_range(f->samples + f->recording.lost, 1, 1000);
}

static void perf_killed_leaves_what_was_read(void **state) {
    fixture *f = *state;
    need_perf(state);
    char *path = f->perf, script[256], pid_file[CHECK_PATH_MAX];
    check_path(pid_file, f->folder, "pid");
    snprintf(script, sizeof script, "#!/bin/sh\nprintf %%s $$ > %.120s\nexec perf \"$@\"\n",
             pid_file);
    check_write_file(path, script);
    assert_int_equal(chmod(path, 0755), 0);
    f->options.perf = path;
    char *argv[] = {self(), "burn", "700", "perf", pid_file, NULL};
    f->options.argv = argv;
    assert_ok(record(f, NULL), &f->err); /* there are samples */
    assert_int_equal(f->recording.end, PK_RECORDING_RECORDER);
    assert_non_null(strstr(f->err.what, "killed"));
    assert_true(f->recording.command_stopped);
    assert_true(f->samples > 0);
}

static void the_users_own_words(void **state) {
    fixture *f = *state;
    need_perf(state);
    char path[CHECK_PATH_MAX], *argv[] = {self(), "burn", "300", "3", NULL};
    const char *words[] = {
        "record", "-q", "-F", "499", "-g", "-o", check_path(path, f->folder, "mine.data"), NULL};
    f->options.argv = argv;
    f->options.perf_words = words;
    assert_ok(record(f, NULL), &f->err);
    assert_int_equal(f->recording.exit.code, 3);
    assert_int_equal(f->recording.frequency_hz, 499);
    assert_in_range(f->samples, 75, 250);
}

static void events_that_are_not_there(void **state) {
    fixture *f = *state;
    need_perf(state);
    char *argv[] = {"true", NULL};
    f->options.argv = argv;
    f->options.event = "no-such-event";
    assert_fails(record(f, NULL), &f->err, PK_E_INPUT);
    assert_non_null(strstr(f->err.what, "\"no-such-event\""));
    assert_false(f->recording.command_ran);
    assert_non_null(f->recording.perf_says);
}

/* ---- without any perf ---- */

static void a_command_that_is_not_there(void **state) {
    fixture *f = *state;
    char *argv[] = {"no-such-command-here", NULL};
    f->options.argv = argv;
    assert_fails(record(f, NULL), &f->err, PK_E_SYS);
    assert_string_equal(f->err.where, "no-such-command-here");
    assert_int_equal(f->err.sys_errno, ENOENT);
}

static void a_perf_that_is_not_there(void **state) {
    fixture *f = *state;
    char *argv[] = {"true", NULL};
    f->options.argv = argv;
    f->options.perf = "/no/such/perf";
    assert_fails(record(f, NULL), &f->err, PK_E_SYS);
    assert_string_equal(f->err.where, "/no/such/perf");
    assert_non_null(strstr(f->err.fix, "--recorder builtin"));
    assert_false(f->recording.command_ran);
}

static void a_process_that_is_not_there(void **state) {
    fixture *f = *state;
    pid_t pid = fork();
    if (pid == 0) _exit(0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    f->options.pids = &pid;
    f->options.n_pids = 1;
    assert_fails(record(f, NULL), &f->err, PK_E_INPUT);
    assert_non_null(strstr(f->err.what, "no process"));
}

/* A perf that is this shell script; $ack is the file that answers. The stream of ten samples is in
 * $stream, cut after the fifth in $half. */
static void false_perf(fixture *f, const char *script) {
    char path[CHECK_PATH_MAX];
    pk_strbuf stream, text;
    pk_strbuf_init(&stream, 1 << 20);
    pk_strbuf_init(&text, 1 << 20);
    pk_strbuf_add_str(&stream, "PERFILE2");
    put(&stream, 16, 8);
    size_t at = perf_record_begin(&stream, PK_RECORD_HEADER_ATTR, 0);
    perf_attr(&stream, PERF_FILE_TYPE, 0);
    perf_record_end(&stream, at);
    uint64_t chain[] = {PERF_CONTEXT_USER, SHOWN_ADDRESS};
    size_t half = 0;
    for (uint64_t i = 1; i <= 10; i++) {
        perf_sample(&stream, 4711, i * 1000, 1003009, 2, chain);
        if (i == 5) half = stream.length + 20;
        perf_empty(&stream, PK_RECORD_FINISHED_ROUND);
    }
    FILE *file = fopen(check_path(path, f->folder, "stream"), "w");
    assert_int_equal(fwrite(stream.data, 1, stream.length, file), stream.length);
    fclose(file);
    pk_strbuf_addf(&text,
                   "#!/bin/sh\n"
                   "for word; do case $word in fifo:*) ack=${word#*,};; esac; done\n"
                   "stream=%s\n"
                   "half() { head -c %zu $stream; }\n"
                   "answer() { printf 'ack\\n' > $ack; }\n"
                   "%s\n",
                   path, half, script);
    check_write_file(f->perf, text.data);
    assert_int_equal(chmod(f->perf, 0755), 0);
    f->options.perf = f->perf;
    pk_strbuf_fini(&text);
    pk_strbuf_fini(&stream);
}

typedef struct false_case {
    const char *script, *where, *what; /* what: part of the message; NULL: none */
    bool recorded;
    uint64_t samples;
} false_case;

static void false_perfs_give_one_error_each(void **state) {
    fixture *f = *state;
    static const false_case cases[] = {
        {"echo 'perf: it has no licence' >&2; exit 1", "", "it has no licence", false, 0},
        {"exit 1", "", "ended with 1 and said nothing", false, 0},
        {"exit 0", "", "ended with 0 and said nothing", false, 0},
        {"kill -9 $$", "", "killed (signal 9)", false, 0},
        {"echo \"Error: unknown option \\`control'\" >&2; exit 129", NULL, "too old", false, 0},
        {"echo 'Permission error mapping pages.' >&2; exit 255", NULL, "lock enough", false, 0},
        {"answer; cat $stream; exit 0", NULL, NULL, true, 10},
        {"answer; half; kill -9 $$", NULL, "killed", true, 5},
        {"answer; half; exit 0", NULL, NULL, true, 5},
        {"answer; cat $stream; echo 'no space left' >&2; exit 1", NULL, "no space left", true, 10},
        {"head -c 200000 /dev/zero | tr '\\0' x >&2; answer; cat $stream", NULL, NULL, true, 10},
        {"answer; head -c 3000000 /dev/zero; sleep 30", NULL, "perf", true, 0},
        {"head -c 3000000 /dev/zero; sleep 30", NULL, "perf", false, 0},
        {"answer; cat $stream; (sleep 30) & sleep 30", NULL, NULL, true, 10},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const false_case *c = &cases[i];
        false_perf(f, c->script);
        char *argv[] = {"sleep", "0.3", NULL};
        f->options.argv = argv;
        f->samples = 0;
        f->err = (pk_err){0};
        bool recorded = record(f, NULL);
        char text[PK_ERR_LINE_MAX];
        pk_err_format(&f->err, text, sizeof text);
        if (recorded != c->recorded || f->samples != c->samples ||
            (c->what ? !strstr(text, c->what) : f->err.kind != PK_OK))
            print_error("case %zu (%s): %d, %d samples, \"%s\"\n", i, c->script, recorded,
                        (int)f->samples, text);
        assert_int_equal(recorded, c->recorded);
        assert_int_equal(f->samples, c->samples);
        if (c->what) assert_non_null(strstr(text, c->what));
        if (c->what) assert_true(f->err.fix[0]);
        else assert_int_equal(f->err.kind, PK_OK);
    }
    assert_int_equal(check_count_files(f->folder), 2); /* nothing but what we put there */
}

static void a_sink_that_fails_ends_the_recording(void **state) {
    fixture *f = *state;
    false_perf(f, "answer; cat $stream; sleep 30");
    char *argv[] = {"sleep", "30", NULL};
    f->options.argv = argv;
    f->fail_at = 3;
    assert_true(record(f, NULL));
    assert_int_equal(f->recording.end, PK_RECORDING_RECORDER);
    assert_string_equal(f->err.what, "the sink is full");
    assert_int_equal(f->samples, 3);
    assert_true(f->recording.command_stopped);
}

static void ctrl_c_before_perf_answers(void **state) {
    fixture *f = *state;
    false_perf(f, "kill -INT $PPID; sleep 30");
    pk_interrupt *interrupt = pk_interrupt_begin(&f->err);
    assert_non_null(interrupt);
    char *argv[] = {"sleep", "30", NULL};
    f->options.argv = argv;
    bool ok = record(f, interrupt);
    pk_interrupt_end(interrupt);
    assert_ok(ok, &f->err);
    assert_int_equal(f->recording.end, PK_RECORDING_STOPPED);
    assert_false(f->recording.command_ran);
    assert_int_equal(f->samples, 0);
}

/* ---- words ---- */

static void joined(char *const *argv, char *out, size_t bytes) {
    out[0] = '\0';
    for (size_t n = 0; *argv; argv++) {
        int added = snprintf(out + n, bytes - n, "%s%s", n ? " " : "", *argv);
        assert_in_range(added, 0, bytes - n - 1);
        n += (size_t)added;
    }
}

static void the_words_of_perf(void **state) {
    fixture *f = *state;
    static const char *const root[] = {"sudo", "-n", NULL};
    static const pid_t pids[] = {12, 345};
    pk_perf_control control = {.pid = 7, .tell = 8, .answered = 9};
#define TAIL " -k monotonic -D -1 --control fifo:/proc/7/fd/8,/proc/7/fd/9 "
    const struct {
        pk_record_options options;
        const char *words;
    } cases[] = {
        {{.frequency_hz = 997, .call_graph = PK_CALL_GRAPH_FP, .pids = pids, .n_pids = 2},
         "perf record -F 997 --call-graph fp" TAIL "-o - -p 12,345"},
        {{.frequency_hz = 99, .call_graph = PK_CALL_GRAPH_LBR, .all_cpus = true, .perf = "/p"},
         "/p record -F 99 --call-graph lbr" TAIL "-o - -a"},
        {{.period = 1000, .event = "cycles:u", .call_graph = PK_CALL_GRAPH_NONE, .root = root},
         "sudo -n perf record -e cycles:u -c 1000" TAIL "-o - -p 42"},
        {{.frequency_hz = 997,
          .call_graph = PK_CALL_GRAPH_DWARF,
          .stack_bytes = 2048,
          .keep = "k.data",
          .compression = 3},
         "perf record -F 997 --call-graph dwarf,2048" TAIL "-o k.data -N -z=3 -p 42"},
        {{.off_cpu = true, .call_graph = PK_CALL_GRAPH_FP, .frequency_hz = 997},
         "perf record -e context-switches --switch-events -c 1 --call-graph fp" TAIL "-o - -p 42"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[512];
        pid_t command = cases[i].options.pids ? 0 : 42;
        char **argv = pk_perf_argv(&cases[i].options, command, &control, f->arena);
        assert_non_null(argv);
        joined(argv, text, sizeof text);
        assert_string_equal(text, cases[i].words);
    }
}

static void the_users_words_get_a_file_where_they_name_none(void **state) {
    fixture *f = *state;
    static const struct {
        const char *words[6];
        const char *line, *file;
    } cases[] = {
        {{"record", "-g"}, "perf record -g -o perf.data prog -o x", "perf.data"},
        {{"record", "-o", "a", "-g"}, "perf record -o a -g prog -o x", "a"},
        {{"record", "-ob"}, "perf record -ob prog -o x", "b"},
        {{"record", "--output=c"}, "perf record --output=c prog -o x", "c"},
        {{"record", "--output", "d"}, "perf record --output d prog -o x", "d"},
    };
    char *argv[] = {"prog", "-o", "x", NULL};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pk_record_options options = {.argv = argv, .perf_words = cases[i].words};
        const char *file;
        char text[512];
        joined(pk_perf_argv_own_words(&options, &file, f->arena), text, sizeof text);
        assert_string_equal(text, cases[i].line);
        assert_string_equal(file, cases[i].file);
    }
}

static void rings_are_as_large_as_they_may_be(void **state) {
    (void)state;
    const uint64_t MiB = 1 << 20;
    assert_int_equal(pk_perf_ring_bytes(256 * MiB, 2, 0, 4096), 0); /* small samples: perf's size */
    assert_int_equal(pk_perf_ring_bytes(256 * MiB, 2, 65528, 4096), 8 * MiB);
    assert_int_equal(pk_perf_ring_bytes(256 * MiB, 64, 65528, 4096), 2 * MiB); /* 4, less a page */
    assert_int_equal(pk_perf_ring_bytes(256 * MiB, 1000, 65528, 4096), 0);
    assert_int_equal(pk_perf_ring_bytes(9 * MiB, 2, 65528, 4096), 4 * MiB);
    assert_int_equal(pk_perf_ring_bytes(0, 2, 65528, 4096), 0);
    assert_int_equal(pk_perf_ring_bytes(256 * MiB, 1, 8192, 4096), 1 * MiB);
}

int main(int argc, char **argv) {
    /* At once: a sanitizer would look for leaks in a process of its own. */
    if (argc >= 4 && strcmp(argv[1], "burn") == 0) _exit(burn(argv));
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_command_is_sampled_from_its_first_instruction),
        TEST(a_crash_keeps_its_samples_and_its_signal),
        TEST(the_command_has_our_descriptors),
        TEST(ctrl_c_keeps_what_was_sampled),
        TEST(a_command_that_will_not_end_is_killed),
        TEST(recording_ends_after_its_duration),
        TEST(a_command_can_be_left_alone),
        TEST(recording_begins_after_a_delay),
        TEST(a_process_is_left_untouched),
        TEST(recording_ends_with_the_process),
        TEST(switches_are_sampled),
        TEST(a_kept_file_is_read_too),
        TEST(perf_behind_sudo),
        TEST(perf_killed_leaves_what_was_read),
        TEST(the_users_own_words),
        TEST(events_that_are_not_there),
        TEST(a_command_that_is_not_there),
        TEST(a_perf_that_is_not_there),
        TEST(a_process_that_is_not_there),
        TEST(false_perfs_give_one_error_each),
        TEST(a_sink_that_fails_ends_the_recording),
        TEST(ctrl_c_before_perf_answers),
        TEST(the_words_of_perf),
        TEST(the_users_words_get_a_file_where_they_name_none),
        TEST(rings_are_as_large_as_they_may_be),
    };
    return cmocka_run_group_tests(tests, try_perf, NULL);
}

#include "check.h"
#include "sampled_program.h"

#include <errno.h>
#include <grp.h>
#include <link.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/array.h"
#include "base/interrupt.h"
#include "flame/recorder.h"

#define PATIENCE_S 60
#define FREQUENCY_HZ 997
#define EXIT_NOT_AS_EXPECTED 99
#define NOBODY 65534

/* ---- what is recorded ---- */

static int record_as_nobody(char *self);

/* The command line of those copies. */
static int sampled_program(int argc, char *argv[]) {
    const char *what = argv[1];
    alarm(PATIENCE_S);
    long n = argc > 2 ? strtol(argv[2], NULL, 10) : 0, m = argc > 3 ? strtol(argv[3], NULL, 10) : 1;
    if (strcmp(what, "burn") == 0) return burn_threads((uint64_t)n, (int)m);
    if (strcmp(what, "nap") == 0) return nap(n);
    if (strcmp(what, "exit") == 0) return burn_threads(30, 1) ? 1 : (int)n;
    if (strcmp(what, "crash") == 0) return burn_threads(30, 1) ? 1 : crash();
    if (strcmp(what, "start") == 0) return start_other(argv[0], argv[2]);
    if (strcmp(what, "record") == 0) return record_as_nobody(argv[0]);
    if (strcmp(what, "deaf") == 0) signal(SIGTERM, SIG_IGN);
    if (strcmp(what, "wait") == 0 || strcmp(what, "deaf") == 0)
        for (;;) pause();
    return 1;
}

/* ---- the sink ---- */

typedef struct seen_sample {
    uint32_t pid, tid;
    uint64_t ip, time_ns, period;
    bool user;
    size_t stack_bytes, stack_stored, n_chain;
    uint64_t registers_known;
} seen_sample;

typedef struct seen_map {
    uint32_t pid;
    uint64_t begin, end, offset, time_ns;
    bool self;
} seen_map;

typedef struct seen {
    pk_array samples, maps; /* seen_sample, seen_map */
    size_t execs, comms_before, forks, out_asleep, out_preempted, in, disorder;
    uint32_t exec_pid;
    uint64_t exec_ns, last_ns, lost;
    bool interrupt;    /* at the first sample */
    uint64_t stall_ns; /* at the first sample */
    size_t fail_at;    /* the n-th record is refused; 0: none */
    size_t records;
    pk_recording recording;
    pk_arena *arena;
} seen;

static char self[CHECK_PATH_MAX];

static void take_sample(seen *s, const pk_record *record) {
    seen_sample *slot = pk_array_push(&s->samples);
    if (slot)
        *slot = (seen_sample){.pid = record->pid,
                              .tid = record->tid,
                              .ip = record->sample.ip,
                              .time_ns = record->time_ns,
                              .period = record->sample.period,
                              .user = record->sample.mode == PK_CPU_USER,
                              .stack_bytes = record->sample.stack_bytes,
                              .stack_stored = record->sample.stack_stored,
                              .n_chain = record->sample.n_chain,
                              .registers_known = record->sample.registers_known};
    if (s->samples.count > 1) return;
    if (s->interrupt) kill(getpid(), SIGINT);
    if (s->stall_ns) nanosleep(&(struct timespec){.tv_nsec = (long)s->stall_ns}, NULL);
}

static void take_map(seen *s, const pk_record *record) {
    const pk_record_mmap *map = &record->mmap;
    seen_map *slot = pk_array_push(&s->maps);
    if (slot)
        *slot = (seen_map){record->pid, map->address,    map->address + map->bytes,
                           map->offset, record->time_ns, strcmp(map->file, self) == 0};
}

static bool sink(void *context, const pk_perf_info *info, const pk_record *record, pk_err *err) {
    seen *s = context;
    if (info->events.n_attrs != 1 || !info->event_names[0]) return false;
    if (record->time_ns < s->last_ns) s->disorder++;
    else s->last_ns = record->time_ns;
    switch ((int)record->type) {
    case PK_RECORD_SAMPLE:
        take_sample(s, record);
        break;
    case PK_RECORD_MMAP:
    case PK_RECORD_MMAP2:
        take_map(s, record);
        break;
    case PK_RECORD_COMM:
        if (record->comm.exec && s->execs++ == 0) {
            s->exec_pid = record->pid;
            s->exec_ns = record->time_ns;
        }
        if (record->time_ns == 0) s->comms_before++;
        break;
    case PK_RECORD_FORK:
        s->forks++;
        break;
    case PK_RECORD_SWITCH:
        if (!record->on_cpu.out) s->in++;
        else if (record->on_cpu.preempted) s->out_preempted++;
        else s->out_asleep++;
        break;
    case PK_RECORD_LOST:
        s->lost += record->lost;
        break;
    default:
        break;
    }
    if (++s->records != s->fail_at) return true;
    pk_fail(err, PK_E_INPUT, NULL, "enough of it");
    return false;
}

/* ---- recording ---- */

static const pk_record_options usual = {
    .frequency_hz = FREQUENCY_HZ, .stack_bytes = PK_STACK_COPY_MAX, .grace_ns = 20 * S};

static bool record(const pk_record_options *options, const pk_interrupt *interrupt, seen *s,
                   pk_err *err) {
    s->samples = PK_ARRAY(seen_sample, 1 << 20);
    s->maps = PK_ARRAY(seen_map, 1 << 20);
    s->arena = pk_arena_new(1 << 20);
    assert_non_null(s->arena);
    *err = (pk_err){0};
    return pk_record_own(options, interrupt, sink, s, s->arena, &s->recording, err);
}

static void forget(seen *s) {
    pk_array_fini(&s->samples);
    pk_array_fini(&s->maps);
    pk_arena_free(s->arena);
}

static void record_ok(const pk_record_options *options, seen *s) {
    pk_err err;
    assert_ok(record(options, NULL, s, &err), &err);
    assert_int_equal(err.kind, PK_OK);
    assert_int_equal(s->disorder, 0);
    assert_int_equal(s->recording.lost, s->lost);
}

static pk_record_options command(char *const argv[]) {
    pk_record_options options = usual;
    options.argv = argv;
    return options;
}

/* Starts a copy that is to be attached to; it is in its main function when this returns. */
static pid_t start(char *const argv[]) {
    int ready[2];
    char byte;
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        execv(self, argv);
        _exit(127);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 0); /* closed by exec */
    close(ready[0]);
    return pid;
}

static void end(pid_t pid) {
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

/* ---- judging ---- */

static const seen_sample *sample_at(const seen *s, size_t i) {
    return &PK_AT(&s->samples, seen_sample, i);
}

static int find_base(struct dl_phdr_info *info, size_t bytes, void *base) {
    (void)bytes;
    *(uintptr_t *)base = info->dlpi_addr; /* the program itself comes first */
    return 1;
}

/* The address that something of ours has in a file's map of another process; files of this kind
 * have their code at the offset of its address, less what the segments are apart. */
static uint64_t in_file(const char *place) {
    uintptr_t base = 0;
    dl_iterate_phdr(find_base, &base);
    return (uintptr_t)place - base;
}

static int offset_of_code(struct dl_phdr_info *info, size_t bytes, void *difference) {
    (void)bytes;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type == PT_LOAD && (p->p_flags & PF_X))
            *(uint64_t *)difference = p->p_vaddr - p->p_offset;
    }
    return 1;
}

static bool within(const seen *s, const seen_sample *sample, const char *begin, const char *end_) {
    uint64_t difference = 0;
    dl_iterate_phdr(offset_of_code, &difference);
    for (size_t i = 0; i < s->maps.count; i++) {
        const seen_map *map = &PK_AT(&s->maps, seen_map, i);
        if (!map->self || map->pid != sample->pid || sample->ip < map->begin ||
            sample->ip >= map->end)
            continue;
        uint64_t at = sample->ip - map->begin + map->offset + difference;
        return at >= in_file(begin) && at < in_file(end_);
    }
    return false;
}

static bool is_heavy(const seen *s, const seen_sample *sample) {
    return within(s, sample, __start_pk_burn_heavy, __stop_pk_burn_heavy);
}

/* In one of the two functions; what a sanitizer starts beside them is not. */
static bool is_burning(const seen *s, const seen_sample *sample) {
    return is_heavy(s, sample) || within(s, sample, __start_pk_burn_light, __stop_pk_burn_light);
}

/* Of the samples in the two functions, 70 % are in the one; and most are in either. */
static void assert_seventy_thirty(const seen *s) {
    size_t heavy = 0, both = 0;
    for (size_t i = 0; i < s->samples.count; i++) {
        heavy += is_heavy(s, sample_at(s, i));
        both += is_burning(s, sample_at(s, i));
    }
    assert_true(both >= 100);
    assert_true((double)both >= 0.8 * (double)s->samples.count);
    assert_near((double)heavy / (double)both, 0.7, 0.15);
}

/* That burn. */
static size_t count_threads(const seen *s) {
    size_t n = 0;
    for (size_t i = 0; i < s->samples.count; i++) {
        size_t before = 0;
        if (!is_burning(s, sample_at(s, i))) continue;
        while (sample_at(s, before)->tid != sample_at(s, i)->tid ||
               !is_burning(s, sample_at(s, before)))
            before++;
        n += before == i;
    }
    return n;
}

static void skip_where_not_permitted(void) {
    pk_record_probe probe;
    pk_record_probe_machine(&probe);
    if (probe.kernel_allowed) return;
    print_message("skipped: perf_event_open is not permitted here (paranoid %d)\n", probe.paranoid);
    skip();
}

/* ---- tests ---- */

static void a_command_is_sampled_where_it_spends_its_time(void **state) {
    (void)state;
    skip_where_not_permitted();
    seen s = {0};
    const pk_record_options options = command((char *[]){self, "burn", "500", "1", NULL});
    record_ok(&options, &s);
    assert_int_equal(s.recording.end, PK_RECORDING_COMMAND);
    assert_true(s.recording.command_ran && !s.recording.command_stopped);
    assert_int_equal(s.recording.exit.code, 0);
    assert_int_equal(s.recording.frequency_hz, FREQUENCY_HZ);
    assert_int_equal(s.recording.stack_bytes, PK_STACK_COPY_MAX);
    assert_int_equal(s.execs, 1);
    assert_true(s.recording.duration_ns >= 500 * MS);
    assert_true(s.recording.recorder_cpu_s > 0);
    assert_seventy_thirty(&s);
    /* One for each millisecond, less what the machine took away. */
    assert_in_range(s.samples.count, 250, 700);
    for (size_t i = 0; i < s.samples.count; i++) {
        const seen_sample *sample = sample_at(&s, i);
        if (!is_burning(&s, sample)) continue;
        assert_int_equal(sample->pid, s.exec_pid);
        assert_true(sample->time_ns >= s.exec_ns && sample->time_ns <= s.recording.end_ns);
        assert_true(sample->stack_bytes > 0 && sample->stack_bytes < PK_STACK_COPY_MAX);
        assert_in_range(sample->stack_stored, 60000, PK_STACK_COPY_MAX);
        assert_true(sample->registers_known != 0);
    }
    forget(&s);
}

static void a_running_process_is_sampled_with_its_threads(void **state) {
    (void)state;
    skip_where_not_permitted();
    seen s = {0};
    pid_t pid = start((char *[]){self, "burn", "400", "3", NULL});
    pk_record_options options = usual;
    options.pids = (const pid_t[]){pid, pid}; /* once all the same */
    options.n_pids = 2;
    record_ok(&options, &s);
    assert_int_equal(s.recording.end, PK_RECORDING_COMMAND);
    assert_false(s.recording.command_ran);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_true(s.comms_before >= 1);
    assert_int_equal(count_threads(&s), 3);
    assert_seventy_thirty(&s);
    assert_in_range(s.samples.count, 400, 1600);
    forget(&s);
}

static void threads_and_what_a_command_starts_are_sampled(void **state) {
    (void)state;
    skip_where_not_permitted();
    seen s = {0};
    pk_record_options options = command((char *[]){self, "burn", "200", "3", NULL});
    record_ok(&options, &s);
    assert_int_equal(count_threads(&s), 3);
    assert_true(s.forks >= 2);
    forget(&s);

    s = (seen){0};
    options = command((char *[]){self, "start", "300", NULL});
    record_ok(&options, &s);
    assert_int_equal(s.execs, 2);
    assert_true(s.forks >= 1);
    assert_seventy_thirty(&s); /* found in the maps of the other program */
    assert_true(sample_at(&s, s.samples.count - 1)->pid != s.exec_pid);
    forget(&s);
}

static void frame_pointers_give_callchains_and_no_stacks(void **state) {
    (void)state;
    skip_where_not_permitted();
    seen s = {0};
    pk_record_options options = command((char *[]){self, "burn", "200", "1", NULL});
    options.call_graph = PK_CALL_GRAPH_FP;
    options.event = "cpu-clock:u";
    record_ok(&options, &s);
    assert_string_equal(s.recording.event, "cpu-clock:u");
    assert_false(s.recording.event_fell_back);
    assert_int_equal(s.recording.stack_bytes, 0);
    assert_true(s.samples.count >= 50);
    for (size_t i = 0; i < s.samples.count; i++) {
        assert_true(sample_at(&s, i)->user);
        assert_true(sample_at(&s, i)->n_chain >= 2); /* a marker and an address */
        assert_int_equal(sample_at(&s, i)->stack_bytes, 0);
    }
    forget(&s);
}

static void each_sleep_is_a_sample_off_the_cpu(void **state) {
    (void)state;
    skip_where_not_permitted();
    seen s = {0};
    pk_record_options options = command((char *[]){self, "nap", "50", NULL});
    options.off_cpu = true;
    record_ok(&options, &s);
    assert_string_equal(s.recording.event, "context-switches");
    assert_int_equal(s.recording.frequency_hz, 0);
    /* It may wait for a page or a lock as well, and be put aside while others run. */
    assert_in_range(s.out_asleep, 50, 60);
    assert_int_equal(s.samples.count, s.out_asleep + s.out_preempted);
    /* Who ended did not come back, and who began was not away. */
    assert_in_range(s.in, s.samples.count - 1 - s.forks, s.samples.count + s.forks);
    for (size_t i = 0; i < s.samples.count; i++) assert_int_equal(sample_at(&s, i)->period, 1);
    forget(&s);
}

static void recording_ends_after_its_time(void **state) {
    (void)state;
    skip_where_not_permitted();
    seen s = {0};
    pk_record_options options = command((char *[]){self, "wait", NULL});
    options.duration_ns = 200 * MS;
    record_ok(&options, &s);
    assert_int_equal(s.recording.end, PK_RECORDING_DURATION);
    assert_true(s.recording.command_stopped && !s.recording.command_left);
    assert_int_equal(s.recording.exit.signal, SIGTERM);
    assert_in_range(s.recording.duration_ns, 200 * MS, 20 * S);
    forget(&s);

    s = (seen){0};
    options = command((char *[]){self, "deaf", NULL});
    options.duration_ns = 500 * MS;
    options.grace_ns = 1;
    record_ok(&options, &s);
    assert_true(s.recording.exit.signal == SIGKILL || s.recording.exit.signal == SIGTERM);
    forget(&s);

    s = (seen){0};
    options = command((char *[]){self, "wait", NULL});
    options.duration_ns = 50 * MS;
    options.detach = true;
    record_ok(&options, &s);
    assert_true(s.recording.command_left && !s.recording.command_stopped);
    assert_int_equal(kill((pid_t)s.exec_pid, 0), 0);
    end((pid_t)s.exec_pid);
    forget(&s);
}

static void a_process_that_was_attached_to_is_left_alone(void **state) {
    (void)state;
    skip_where_not_permitted();
    seen s = {0};
    pid_t pid = start((char *[]){self, "wait", NULL});
    pk_record_options options = usual;
    options.pids = &pid;
    options.n_pids = 1;
    options.duration_ns = 50 * MS;
    record_ok(&options, &s);
    assert_int_equal(s.recording.end, PK_RECORDING_DURATION);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
    end(pid);
    forget(&s);
}

static void sampling_begins_after_its_delay_and_maps_are_known(void **state) {
    (void)state;
    skip_where_not_permitted();
    seen s = {0};
    pk_record_options options = command((char *[]){self, "burn", "700", "1", NULL});
    options.delay_ns = 300 * MS;
    record_ok(&options, &s);
    assert_int_equal(s.execs, 1);
    assert_true(s.samples.count > 0);
    assert_true(sample_at(&s, 0)->time_ns >= s.exec_ns + 290 * MS);
    assert_true(s.recording.duration_ns + 300 * MS <= s.recording.end_ns - s.exec_ns + 20 * MS);
    assert_seventy_thirty(&s);
    forget(&s);
}

static void a_signal_ends_recording_and_the_command(void **state) {
    (void)state;
    skip_where_not_permitted();
    seen s = {.interrupt = true};
    pk_err err;
    pk_interrupt *interrupt = pk_interrupt_begin(&err);
    assert_non_null(interrupt);
    const pk_record_options options = command((char *[]){self, "burn", "50000", "1", NULL});
    assert_ok(record(&options, interrupt, &s, &err), &err);
    pk_interrupt_end(interrupt);
    assert_int_equal(s.recording.end, PK_RECORDING_STOPPED);
    assert_true(s.recording.command_stopped);
    assert_int_equal(s.recording.exit.signal, SIGTERM);
    assert_true(s.samples.count > 0);
    forget(&s);
}

static void how_a_command_ended_is_told(void **state) {
    (void)state;
    skip_where_not_permitted();
    seen s = {0};
    pk_record_options options = command((char *[]){self, "exit", "3", NULL});
    record_ok(&options, &s);
    assert_int_equal(s.recording.exit.code, 3);
    assert_true(s.samples.count > 0);
    forget(&s);

    s = (seen){0};
    options = command((char *[]){self, "crash", NULL});
    record_ok(&options, &s);
    assert_int_equal(s.recording.exit.signal, SIGSEGV);
    assert_true(s.samples.count > 0);
    forget(&s);
}

static void a_slow_sink_loses_nothing(void **state) {
    (void)state;
    skip_where_not_permitted();
    seen s = {.stall_ns = 400 * MS};
    const pk_record_options options = command((char *[]){self, "burn", "500", "2", NULL});
    record_ok(&options, &s);
    /* Rings of the wanted size hold an eighth of a second. */
    if (s.recording.ring_bytes == s.recording.ring_bytes_wanted)
        assert_true(s.recording.lost <= s.samples.count / 20);
    assert_in_range(s.samples.count, 500, 1400);
    forget(&s);
}

/* More than the rings can hold, gigabytes a second: what the sink is told adds up to the result. */
static void what_is_lost_is_counted(void **state) {
    (void)state;
    skip_where_not_permitted();
    seen s = {0};
    pk_record_options options = command((char *[]){self, "burn", "100", "1", NULL});
    options.frequency_hz = 0;
    options.period = 2000; /* ns */
    options.event = "cpu-clock";
    record_ok(&options, &s);
    assert_true(s.samples.count > 0);
    forget(&s);
}

static void a_sink_that_fails_ends_recording(void **state) {
    (void)state;
    skip_where_not_permitted();
    seen s = {.fail_at = 12};
    pk_err err;
    const pk_record_options options = command((char *[]){self, "burn", "50000", "1", NULL});
    assert_true(record(&options, NULL, &s, &err));
    assert_int_equal(s.recording.end, PK_RECORDING_RECORDER);
    assert_string_equal(err.what, "enough of it");
    assert_int_equal(s.records, 12);
    assert_int_equal(s.recording.exit.signal, SIGTERM);
    forget(&s);
}

static void the_whole_machine_is_sampled_while_a_command_runs(void **state) {
    (void)state;
    pk_record_probe probe;
    pk_record_probe_machine(&probe);
    if (!probe.all_cpus_allowed) {
        print_message("skipped: the whole machine may not be sampled here\n");
        skip();
    }
    seen s = {0};
    pk_record_options options = command((char *[]){self, "burn", "300", "1", NULL});
    options.all_cpus = true;
    record_ok(&options, &s);
    assert_int_equal(s.recording.end, PK_RECORDING_COMMAND);
    assert_true(s.comms_before >= 2); /* us, and the command that waits */
    size_t of_command = 0;
    for (size_t i = 0; i < s.samples.count; i++) of_command += is_heavy(&s, sample_at(&s, i));
    assert_true(of_command >= 50);
    forget(&s);
}

static void fails(const pk_record_options *options, pk_err_kind kind, const char *what) {
    seen s = {0};
    pk_err err;
    memset(&err, 0, sizeof err);
    assert_fails(record(options, NULL, &s, &err), &err, kind);
    if (!strstr(err.what, what)) fail_msg("\"%s\" says nothing of \"%s\"", err.what, what);
    assert_false(s.recording.command_ran);
    forget(&s);
}

static void what_cannot_be_recorded_says_why(void **state) {
    (void)state;
    skip_where_not_permitted();
    pk_record_options options = command((char *[]){"/no/such/program", NULL});
    fails(&options, PK_E_SYS, "cannot start it");
    options = command((char *[]){"/proc/version", NULL});
    fails(&options, PK_E_SYS, "cannot start it");
    char folder[CHECK_PATH_MAX], script[CHECK_PATH_MAX]; /* seen at its exec only */
    check_folder_begin(folder);
    check_write_file(check_path(script, folder, "script"), "no interpreter is named here\n");
    assert_int_equal(chmod(script, 0700), 0);
    options = command((char *[]){script, NULL});
    fails(&options, PK_E_SYS, "cannot start it");
    check_folder_end(folder);

    pid_t gone = start((char *[]){self, "wait", NULL});
    end(gone);
    options = usual;
    options.pids = &gone;
    options.n_pids = 1;
    fails(&options, PK_E_INPUT, "there is no process");

    options = command((char *[]){self, "wait", NULL});
    options.event = "cycels";
    fails(&options, PK_E_INPUT, "there is no event");
    options.event = NULL;
    options.call_graph = PK_CALL_GRAPH_LBR;
    fails(&options, PK_E_UNSUPPORTED, "branch records");
    options.call_graph = PK_CALL_GRAPH_DWARF;
    options.frequency_hz = 0;
    fails(&options, PK_E_USAGE, "neither a frequency nor a period");

    pk_record_probe probe;
    pk_record_probe_machine(&probe);
    if (probe.cycles) return;
    options = command((char *[]){self, "wait", NULL});
    options.event = "branch-misses";
    fails(&options, PK_E_UNSUPPORTED, "does not have the event branch-misses");
}

/* In a process of its own, which has no rights. */
static int record_as_nobody(char *program) {
    seen s = {0};
    pk_err err;
    const pk_record_options options = command((char *[]){program, "burn", "200", "1", NULL});
    bool ok = record(&options, NULL, &s, &err);
    if (ok) ok = s.recording.kernel_excluded && s.samples.count >= 30;
    for (size_t i = 0; ok && i < s.samples.count; i++) ok = sample_at(&s, i)->user;
    if (!ok)
        fprintf(stderr, "as nobody: %zu samples, kernel excluded: %d, %s\n", s.samples.count,
                s.recording.kernel_excluded, err.what);
    forget(&s);
    return ok ? 0 : EXIT_NOT_AS_EXPECTED;
}

static void own_commands_need_no_rights(void **state) {
    (void)state;
    pk_record_probe probe;
    pk_record_probe_machine(&probe);
    if (geteuid() != 0 || probe.paranoid != 2) {
        print_message("skipped: needs root, to give up its rights, and perf_event_paranoid 2\n");
        skip();
    }
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0) _exit(127);
        execv(self, (char *[]){self, "record", NULL});
        _exit(127); /* not where it may be read */
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
        print_message("skipped: nobody may not run %s\n", self);
        skip();
    }
    assert_int_equal(status, 0);
}

int main(int argc, char *argv[]) {
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0) return 1;
    self[n] = '\0';
    if (argc > 1) return sampled_program(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_is_sampled_where_it_spends_its_time),
        cmocka_unit_test(a_running_process_is_sampled_with_its_threads),
        cmocka_unit_test(threads_and_what_a_command_starts_are_sampled),
        cmocka_unit_test(frame_pointers_give_callchains_and_no_stacks),
        cmocka_unit_test(each_sleep_is_a_sample_off_the_cpu),
        cmocka_unit_test(recording_ends_after_its_time),
        cmocka_unit_test(a_process_that_was_attached_to_is_left_alone),
        cmocka_unit_test(sampling_begins_after_its_delay_and_maps_are_known),
        cmocka_unit_test(a_signal_ends_recording_and_the_command),
        cmocka_unit_test(how_a_command_ended_is_told),
        cmocka_unit_test(a_slow_sink_loses_nothing),
        cmocka_unit_test(what_is_lost_is_counted),
        cmocka_unit_test(a_sink_that_fails_ends_recording),
        cmocka_unit_test(the_whole_machine_is_sampled_while_a_command_runs),
        cmocka_unit_test(what_cannot_be_recorded_says_why),
        cmocka_unit_test(own_commands_need_no_rights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* `perf record` as a recorder. perf does not start the command: with its records on standard output
 * it would give the command its own standard error for it, and their messages could not be told
 * apart. So the command is started by us, held, and perf is pointed at it (-p); its exit status is
 * its own, too, and with sudo before perf it still runs as the user. */
#include "flame/recorder.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "flame/perf_argv.h"
#include "flame/perf_says.h"
#include "flame/perf_session.h"
#include "flame/recorder_command.h"

#define ATTR_EXCLUDE_KERNEL (1ull << 5)

typedef struct reading {
    const pk_record_options *options;
    pk_record_sink *sink;
    void *context;
    pk_recording *recording;
    pk_perf_session *session; /* NULL: from a file that is complete */
    pk_record_wait wait;
} reading;

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * PK_NS_PER_S + (uint64_t)t.tv_nsec;
}

static double thread_cpu_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- from perf to the sink ---- */

/* The first event is what was recorded. */
static void take_facts(const pk_perf_info *info, const pk_record_options *options, pk_arena *arena,
                       pk_recording *recording) {
    if (info->events.n_attrs == 0) return;
    const pk_perf_attr *attr = &info->events.attrs[0];
    const char *name = info->event_names ? info->event_names[0] : NULL;
    if (name) recording->event = pk_arena_strdup(arena, name);
    recording->event_fell_back = name && strncmp(name, "cpu-clock", 9) == 0 && !options->off_cpu &&
                                 (!options->event || strncmp(options->event, "cycles", 6) == 0);
    recording->kernel_excluded = attr->flags & ATTR_EXCLUDE_KERNEL;
    if (attr->flags & PK_ATTR_FREQUENCY) recording->frequency_hz = attr->sample_period;
    recording->stack_bytes = attr->stack_user;
}

/* Until the end: true; or an error. */
static bool read_records(reading *r, pk_perf_data *data, pk_err *err) {
    const pk_perf_info *info = pk_perf_data_info(data);
    pk_record record;
    uint64_t in_rings = 0, at_end = 0;
    while (pk_perf_data_next(data, &record, err)) {
        if (r->session) pk_perf_session_progress(r->session, info->bytes_read);
        if (record.type == PK_RECORD_LOST) in_rings += record.lost;
        if (record.type == PK_RECORD_LOST_SAMPLES) at_end += record.lost;
        /* The second is told by newer perfs, and has the first in it. */
        r->recording->lost = in_rings > at_end ? in_rings : at_end;
        if (pk_record_wait_has(&r->wait, &record)) continue;
        if (!r->sink(r->context, info, &record, err)) return false;
    }
    return err->kind == PK_OK;
}

static bool read_all(reading *r, pk_perf_data *data, pk_arena *arena, pk_err *err) {
    bool ok = read_records(r, data, err);
    take_facts(pk_perf_data_info(data), r->options, arena, r->recording);
    pk_perf_data_close(data);
    return ok;
}

static bool read_file(reading *r, const char *path, pk_arena *arena, pk_err *err) {
    pk_perf_data *data = pk_perf_data_open(path, err);
    return data && read_all(r, data, arena, err);
}

/* ---- the kept file ---- */

/* perf behind sudo made it root's; who asked for it must be able to read it. */
static bool give_file(const pk_record_options *options, const char *path, pk_arena *arena,
                      pk_err *err) {
    bool sudo = options->root && options->root[0] && geteuid() != 0;
    uid_t owner = options->give_away ? options->owner : getuid();
    gid_t group = options->give_away ? options->group : getgid();
    if (!sudo) {
        if (!options->give_away || chown(path, owner, group) == 0) return true;
        pk_fail(err, PK_E_SYS, path, "cannot give it to user %u", (unsigned)owner);
        pk_fix(err, "chown it by hand, or keep it elsewhere");
        return false;
    }
    size_t n = 0;
    while (options->root[n]) n++;
    char **argv = PK_NEW(arena, n + 5, char *);
    char *whom = pk_arena_printf(arena, "%u:%u", (unsigned)owner, (unsigned)group);
    if (!argv || !whom) {
        pk_fail(err, PK_E_LIMIT, path, "out of memory");
        return false;
    }
    memcpy(argv, options->root, n * sizeof *argv);
    argv[n] = (char *)"chown";
    argv[n + 1] = whom;
    argv[n + 2] = (char *)"--";
    argv[n + 3] = (char *)path;
    pk_process chown_it;
    pk_exit exit;
    if (!pk_process_spawn(argv, &PK_SPAWN_DEFAULT, &chown_it, err)) return false;
    pk_process_wait(&chown_it, UINT64_MAX, &exit);
    if (exit.code == 0) return true;
    pk_fail(err, PK_E_INPUT, path, "it belongs to root, and could not be given to user %u",
            (unsigned)owner);
    pk_fix(err, "sudo chown %s it, then read it with --perfdata", whom);
    return false;
}

/* ---- our words ---- */

static bool check_processes(const pk_record_options *options, pk_err *err) {
    for (size_t i = 0; i < options->n_pids; i++) {
        if (kill(options->pids[i], 0) == 0 || errno != ESRCH) continue;
        pk_fail(err, PK_E_INPUT, NULL, "there is no process %d", (int)options->pids[i]);
        pk_fix(err, "pgrep -a NAME shows the numbers of processes");
        return false;
    }
    return true;
}

static bool record_stream(reading *r, const pk_interrupt *interrupt, pk_arena *arena, pk_err *err) {
    pk_perf_session *session =
        pk_perf_session_begin(r->options, interrupt, arena, r->recording, err);
    if (!session) return false;
    r->session = session;
    const pk_record_options *o = r->options;
    r->wait.pid = pk_perf_session_command(session);
    if (o->frequency_hz > 0 && !o->off_cpu) r->wait.period_ns = PK_NS_PER_S / o->frequency_hz;
    pk_err read = {0};
    pk_recording facts = {0}; /* the session fills the other until it ends */
    pk_recording *recording = r->recording;
    r->recording = &facts;
    if (!r->options->keep) {
        pk_perf_data *data = pk_perf_data_stream(pk_perf_session_fd(session), "perf", &read);
        if (data) (void)!read_all(r, data, arena, &read);
    }
    r->recording = recording;
    bool began;
    bool ok = pk_perf_session_end(session, read.kind == PK_OK ? NULL : &read, &began, err);
    recording->event = facts.event;
    recording->event_fell_back = facts.event_fell_back;
    recording->kernel_excluded = facts.kernel_excluded;
    recording->frequency_hz = facts.frequency_hz;
    recording->stack_bytes = facts.stack_bytes;
    recording->lost = facts.lost;
    r->session = NULL;
    return began || ok;
}

static bool record_with_our_words(reading *r, const pk_interrupt *interrupt, pk_arena *arena,
                                  pk_err *err) {
    const char *keep = r->options->keep;
    if (!check_processes(r->options, err) || !record_stream(r, interrupt, arena, err)) return false;
    if (!keep) return true;
    pk_err read = {0};
    if (!give_file(r->options, keep, arena, &read) || !read_file(r, keep, arena, &read)) {
        if (err->kind == PK_OK) *err = read;
        r->recording->end = PK_RECORDING_RECORDER;
    }
    return true;
}

/* ---- the user's words ---- */

/* perf and the command share everything here, as with who typed these words: perf starts the
 * command, writes to our standard error, and passes the command's status on. */
static void wait_for_perf(const pk_record_options *options, const pk_interrupt *interrupt,
                          pk_process *perf, pk_recording *recording) {
    struct pollfd fds[] = {{.fd = perf->pidfd, .events = POLLIN},
                           {.fd = pk_interrupt_fd(interrupt), .events = POLLIN}};
    uint64_t begin_ns = now_ns(), duration_ns = options->duration_ns;
    int limit = duration_ns == 0                       ? -1
                : duration_ns / PK_NS_PER_MS > INT_MAX ? INT_MAX
                                                       : (int)(duration_ns / PK_NS_PER_MS);
    int n;
    do n = poll(fds, 2, limit);
    while (n < 0 && errno == EINTR);
    recording->end_ns = now_ns();
    recording->duration_ns = recording->end_ns - begin_ns;
    recording->end = n == 0           ? PK_RECORDING_DURATION
                     : fds[0].revents ? PK_RECORDING_COMMAND
                                      : PK_RECORDING_STOPPED;
    if (recording->end == PK_RECORDING_COMMAND) return;
    recording->command_stopped = options->argv != NULL;
    /* It ends the command (SIGTERM) and its file by itself. At a terminal Ctrl-C has reached it. */
    kill(perf->pid, SIGINT);
}

static bool same_file(const struct stat *a, const struct stat *b) {
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static bool record_with_own_words(reading *r, const pk_interrupt *interrupt, pk_arena *arena,
                                  pk_err *err) {
    const pk_record_options *options = r->options;
    pk_recording *recording = r->recording;
    const char *file;
    char **argv = pk_perf_argv_own_words(options, &file, arena);
    if (!argv) {
        pk_fail(err, PK_E_LIMIT, NULL, "perf's command line does not fit in memory");
        pk_fix(err, "give fewer words");
        return false;
    }
    recording->command_line = (const char *const *)argv;
    pk_record_tell(options, recording->command_line);
    struct stat before = {0}, now = {0};
    bool was_there = stat(file, &before) == 0;
    pk_process perf;
    pk_spawn_options spawn = PK_SPAWN_DEFAULT;
    spawn.stdin_fd = STDIN_FILENO;
    if (!pk_process_spawn(argv, &spawn, &perf, err)) return false;
    wait_for_perf(options, interrupt, &perf, recording);
    pk_process_wait(&perf, UINT64_MAX, &recording->exit);
    recording->command_ran = options->argv != NULL;
    if (stat(file, &now) != 0 || (was_there && same_file(&before, &now))) {
        pk_perf_says_fail(options, "", &recording->exit, err);
        pk_fix(err, "see its message above; %.160s was not written", file);
        return false;
    }
    pk_err read = {0};
    if (!give_file(options, file, arena, &read) || !read_file(r, file, arena, &read)) {
        *err = read;
        recording->end = PK_RECORDING_RECORDER;
    }
    return true;
}

bool pk_record_perf(const pk_record_options *options, const pk_interrupt *interrupt,
                    pk_record_sink *sink, void *context, pk_arena *arena, pk_recording *recording,
                    pk_err *err) {
    *recording = (pk_recording){0};
    *err = (pk_err){0};
    reading r = {.options = options, .sink = sink, .context = context, .recording = recording};
    double before_s = thread_cpu_s();
    bool ok = options->perf_words ? record_with_own_words(&r, interrupt, arena, err)
                                  : record_with_our_words(&r, interrupt, arena, err);
    recording->recorder_cpu_s += thread_cpu_s() - before_s;
    return ok;
}

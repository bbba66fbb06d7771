#include "flame/perf_session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/strbuf.h"
#include "base/units.h"
#include "flame/perf_argv.h"
#include "flame/perf_says.h"
#include "flame/pump.h"
#include "flame/recorder_command.h"

#define SAYS_BYTES_MAX 65536
/* From perf's start to its answer: it opens events and looks at all that runs (-a). With sudo
 * before it a person types a password in that time, so there is no bound. */
#define BEGIN_PATIENCE_NS (60 * PK_NS_PER_S)
/* After it was told to end, without a byte read: it hangs. */
#define END_PATIENCE_NS (10 * PK_NS_PER_S)
/* For a perf that closed its output to end by itself, so that its own words tell why. */
#define CLOSED_PATIENCE_NS (PK_NS_PER_S / 2)
#define PIPE_BYTES (1 << 20) /* what an unprivileged user may have (pipe-max-size) */
#define WAITING_BYTES_MAX ((size_t)256 << 20) /* 4000 whole copies of stacks */

typedef enum phase {
    STARTING, /* until perf answers */
    DELAYED,  /* the command runs, recording is still off */
    RECORDING,
    ENDING, /* perf was told to end */
    OVER    /* it has ended */
} phase;

struct pk_perf_session {
    const pk_record_options *options;
    const pk_interrupt *interrupt;
    pk_recording *recording;
    pk_arena *arena;
    pk_record_command command;
    pk_process perf;
    pk_exit perf_exit;
    bool own_group;  /* of perf: not with sudo, which reads a password from the terminal */
    int data;        /* what perf records, for the reader; -1 */
    pk_pump *pump;   /* between perf and the reader; NULL: with a file */
    int tell[2];     /* read by perf, written by us */
    int answered[2]; /* read by us, written by perf */
    int says;        /* perf's standard error; -1: closed */
    int reader_done; /* an eventfd */
    pk_strbuf text;  /* of says */
    pthread_t thread;
    atomic_ullong bytes_read;
    uint64_t bytes_seen;

    phase phase;
    bool began;       /* recording is or was on */
    bool asked;       /* perf was told to end */
    bool reader_gone; /* reader_done was seen */
    uint64_t began_ns;
    uint64_t deadline_ns; /* of the phase; UINT64_MAX: none */
    pk_err err;           /* PK_OK: none */
};

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * PK_NS_PER_S + (uint64_t)t.tv_nsec;
}

static uint64_t after(uint64_t ns) {
    uint64_t deadline;
    return __builtin_add_overflow(now_ns(), ns, &deadline) ? UINT64_MAX : deadline;
}

static void close_fd(int *fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

/* ---- talking to perf ---- */

static bool sudo(const pk_perf_session *s) {
    return s->options->root && s->options->root[0];
}

/* A pipe that nobody reads from takes these few bytes too; both ends are ours. */
static void tell(pk_perf_session *s, const char *what) {
    ssize_t n = write(s->tell[1], what, strlen(what));
    (void)n;
}

static void send_signal(pk_perf_session *s, int signal) {
    if (s->perf.pidfd >= 0) kill(s->own_group ? -s->perf.pid : s->perf.pid, signal);
}

/* perf writes out what its rings hold, and ends. Behind sudo no signal of ours reaches it. */
static void ask_to_end(pk_perf_session *s) {
    s->asked = true;
    if (sudo(s)) tell(s, "stop\n");
    else send_signal(s, SIGINT);
    s->phase = ENDING;
    /* At the end of a file perf reads all of it again, for the build-ids of what it saw. */
    s->deadline_ns = s->options->keep ? UINT64_MAX : after(END_PATIENCE_NS);
}

/* Recording is over; the first reason stands. */
static void end(pk_perf_session *s, pk_recording_end why) {
    if (s->phase >= ENDING) return;
    s->recording->end = why;
    s->recording->end_ns = now_ns();
    if (s->began) s->recording->duration_ns = s->recording->end_ns - s->began_ns;
    ask_to_end(s);
}

static void fail(pk_perf_session *s, const pk_err *err) {
    if (s->err.kind == PK_OK) s->err = *err;
    end(s, PK_RECORDING_RECORDER);
}

/* ---- what happens ---- */

static void on_recording(pk_perf_session *s) {
    s->began = true;
    s->began_ns = now_ns();
    s->phase = RECORDING;
    s->deadline_ns = s->options->duration_ns > 0 ? after(s->options->duration_ns) : UINT64_MAX;
}

static void on_answer(pk_perf_session *s) {
    char answer[64]; /* "ack\n\0"; what it says does not matter */
    if (read(s->answered[0], answer, sizeof answer) <= 0 || s->phase != STARTING) return;
    pk_err err = {0};
    bool delayed = s->options->delay_ns > 0;
    if (!delayed) on_recording(s);
    if (!pk_record_command_release(&s->command, s->recording, &err)) {
        s->began = false;
        fail(s, &err);
    } else if (delayed) {
        s->phase = DELAYED;
        s->deadline_ns = after(s->options->delay_ns);
    }
}

static void on_deadline(pk_perf_session *s) {
    pk_err err = {0};
    if (s->phase == STARTING) {
        pk_fail(&err, PK_E_UNSUPPORTED, s->options->perf, "it did not begin to record within %d s",
                (int)(BEGIN_PATIENCE_NS / PK_NS_PER_S));
        pk_fix(&err, "try --recorder builtin, which needs no perf");
        fail(s, &err);
    } else if (s->phase == DELAYED) {
        tell(s, "enable\n");
        on_recording(s);
    } else if (s->phase == RECORDING) {
        end(s, PK_RECORDING_DURATION);
    } else if (atomic_load(&s->bytes_read) != s->bytes_seen) { /* it still writes */
        s->bytes_seen = atomic_load(&s->bytes_read);
        s->deadline_ns = after(END_PATIENCE_NS);
    } else {
        send_signal(s, SIGKILL);
        s->deadline_ns = UINT64_MAX;
    }
}

static void on_says(pk_perf_session *s) {
    char bytes[4096];
    ssize_t n = read(s->says, bytes, sizeof bytes);
    if (n > 0 && s->text.length + (size_t)n < SAYS_BYTES_MAX)
        pk_strbuf_add(&s->text, bytes, (size_t)n);
    if (n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN))) return;
    close(s->says);
    s->says = -1;
}

/* The reader met the end, or what it cannot read: perf is ending or has nothing more to say. */
static void on_reader_done(pk_perf_session *s) {
    s->reader_gone = true;
    if (s->phase < ENDING) s->deadline_ns = after(CLOSED_PATIENCE_NS);
}

static void on_perf_end(pk_perf_session *s) {
    if (s->own_group) send_signal(s, SIGKILL); /* what it may have left, before its pid is free */
    pk_process_wait(&s->perf, UINT64_MAX, &s->perf_exit);
    while (s->says >= 0) { /* what is left; others that hold the pipe are not waited for */
        struct pollfd left = {.fd = s->says, .events = POLLIN};
        if (poll(&left, 1, 0) <= 0) break;
        on_says(s);
    }
    if (!s->asked) { /* the processes ended, or it failed */
        bool fine = s->began && s->perf_exit.code == 0;
        s->asked = true; /* nobody is there to be asked */
        end(s, fine ? PK_RECORDING_COMMAND : PK_RECORDING_RECORDER);
        if (!fine && s->err.kind == PK_OK)
            pk_perf_says_fail(s->options, s->text.data, &s->perf_exit, &s->err);
    }
    s->phase = OVER;
}

/* ---- the loop ---- */

enum { ANSWER, SAYS, PERF, COMMAND, INTERRUPT, READER, FDS };

static int milliseconds_left(uint64_t deadline_ns) {
    if (deadline_ns == UINT64_MAX) return -1;
    uint64_t now = now_ns();
    if (now >= deadline_ns) return 0;
    uint64_t ms = (deadline_ns - now + PK_NS_PER_MS - 1) / PK_NS_PER_MS;
    return ms > 60000 ? 60000 : (int)ms;
}

static void step(pk_perf_session *s) {
    bool running = s->phase < ENDING;
    struct pollfd fds[FDS] = {
        [ANSWER] = {.fd = s->answered[0]},
        [SAYS] = {.fd = s->says},
        [PERF] = {.fd = s->perf.pidfd},
        [COMMAND] = {.fd =
                         running && s->phase != STARTING ? pk_record_command_fd(&s->command) : -1},
        [INTERRUPT] = {.fd = running ? pk_interrupt_fd(s->interrupt) : -1},
        [READER] = {.fd = s->reader_gone ? -1 : s->reader_done},
    };
    for (int i = 0; i < FDS; i++) fds[i].events = POLLIN;
    int n = poll(fds, FDS, milliseconds_left(s->deadline_ns));
    if (n < 0 && errno != EINTR) return;
    if (n <= 0) {
        if (now_ns() >= s->deadline_ns) {
            if (s->reader_gone && s->phase < ENDING) end(s, PK_RECORDING_RECORDER);
            else on_deadline(s);
        }
        return;
    }
    if (fds[SAYS].revents) on_says(s);
    if (fds[ANSWER].revents) on_answer(s);
    if (fds[INTERRUPT].revents) end(s, PK_RECORDING_STOPPED); /* before what follows from it */
    if (fds[COMMAND].revents) end(s, PK_RECORDING_COMMAND);
    if (fds[READER].revents) on_reader_done(s);
    if (fds[PERF].revents) on_perf_end(s);
}

static void *watch(void *context) {
    pk_perf_session *s = context;
    sigset_t all; /* signals are for the thread that asked for the recording */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    /* Off for the time of the delay: "disable" is answered like "enable", by a perf that is ready.
     */
    tell(s, s->options->delay_ns > 0 ? "disable\n" : "enable\n");
    while (s->phase != OVER) step(s);
    pk_record_command_end(&s->command, s->options, pk_interrupt_signal(s->interrupt), s->recording);
    return NULL;
}

/* ---- life ---- */

static void free_session(pk_perf_session *s) {
    int *const fds[] = {&s->data,        &s->tell[0], &s->tell[1],    &s->answered[0],
                        &s->answered[1], &s->says,    &s->reader_done};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) close_fd(fds[i]);
    pk_pump_end(s->pump);
    pk_strbuf_fini(&s->text);
    free(s);
}

static bool make_pipe(int ends[2], pk_err *err) {
    if (pipe2(ends, O_CLOEXEC) == 0) return true;
    ends[0] = ends[1] = -1;
    pk_fail(err, PK_E_SYS, NULL, "cannot make a pipe to perf");
    pk_fix(err, "raise the limit on open files (ulimit -n)");
    return false;
}

static bool start_perf(pk_perf_session *s, pk_err *err) {
    int data[2] = {-1, -1}, says[2] = {-1, -1};
    pk_perf_control control = {.pid = getpid(), .tell = s->tell[0], .answered = s->answered[1]};
    char **argv = pk_perf_argv(s->options, pk_record_command_pid(&s->command), &control, s->arena);
    bool ok = argv != NULL;
    if (!ok) {
        pk_fail(err, PK_E_LIMIT, NULL, "perf's command line does not fit in memory");
        pk_fix(err, "name fewer processes");
    }
    ok = ok && make_pipe(data, err) && make_pipe(says, err);
    pk_spawn_options spawn = PK_SPAWN_DEFAULT;
    spawn.stdout_fd = data[1];
    spawn.stderr_fd = says[1];
    spawn.own_group = s->own_group;
    if (ok) {
        fcntl(data[1], F_SETPIPE_SZ, PIPE_BYTES); /* a smaller one only wakes both more often */
        s->recording->command_line = (const char *const *)argv;
        pk_record_tell(s->options, s->recording->command_line);
        ok = pk_process_spawn(argv, &spawn, &s->perf, err);
        if (!ok && err->sys_errno == ENOENT)
            pk_fix(err, "install it (Debian: linux-perf, Ubuntu: linux-tools-generic), or use "
                        "--recorder builtin");
    }
    close_fd(&data[1]);
    close_fd(&says[1]);
    s->says = says[0];
    if (ok && !s->options->keep) {
        s->pump = pk_pump_start(data[0], WAITING_BYTES_MAX, &s->data, err);
        data[0] = -1;
        ok = s->pump != NULL;
        if (!ok) pk_process_stop(&s->perf, s->own_group, 0, &s->perf_exit);
    }
    close_fd(&data[0]); /* what perf writes into a file does not come here */
    return ok;
}

/* As far as it goes; what was made is in *s. */
static bool begin(pk_perf_session *s, pk_err *err) {
    /* First, since the held command has copies of all descriptors that are open now. */
    if (!pk_record_command_hold(s->options, &s->command, err)) {
        s->command.there = false;
        return false;
    }
    if (!make_pipe(s->tell, err) || !make_pipe(s->answered, err)) return false;
    s->reader_done = eventfd(0, EFD_CLOEXEC);
    if (s->reader_done < 0) {
        pk_fail(err, PK_E_SYS, NULL, "cannot make an event descriptor");
        pk_fix(err, "raise the limit on open files (ulimit -n)");
        return false;
    }
    if (!start_perf(s, err)) return false;
    s->deadline_ns = sudo(s) ? UINT64_MAX : after(BEGIN_PATIENCE_NS);
    int rc = pthread_create(&s->thread, NULL, watch, s);
    if (rc == 0) return true;
    errno = rc;
    pk_fail(err, PK_E_SYS, NULL, "cannot start a thread");
    pk_fix(err, "raise the limit on processes (ulimit -u)");
    pk_process_stop(&s->perf, s->own_group, 0, &s->perf_exit);
    return false;
}

pk_perf_session *pk_perf_session_begin(const pk_record_options *options,
                                       const pk_interrupt *interrupt, pk_arena *arena,
                                       pk_recording *recording, pk_err *err) {
    pk_perf_session *s = calloc(1, sizeof *s);
    if (!s) {
        pk_fail(err, PK_E_LIMIT, NULL, "out of memory");
        pk_fix(err, "free some memory");
        return NULL;
    }
    *s = (pk_perf_session){.options = options,
                           .interrupt = interrupt,
                           .recording = recording,
                           .arena = arena,
                           .perf = {.pidfd = -1},
                           .data = -1,
                           .tell = {-1, -1},
                           .answered = {-1, -1},
                           .says = -1,
                           .reader_done = -1};
    s->own_group = !sudo(s);
    pk_strbuf_init(&s->text, SAYS_BYTES_MAX);
    if (begin(s, err)) return s;
    if (s->command.there) pk_held_drop(&s->command.held);
    free_session(s);
    return NULL;
}

pid_t pk_perf_session_command(const pk_perf_session *session) {
    return pk_record_command_pid(&session->command);
}

int pk_perf_session_fd(const pk_perf_session *session) {
    return session->options->keep ? -1 : session->data;
}

void pk_perf_session_progress(pk_perf_session *session, uint64_t bytes_read) {
    atomic_store_explicit(&session->bytes_read, bytes_read, memory_order_relaxed);
}

bool pk_perf_session_end(pk_perf_session *s, const pk_err *reader, bool *began, pk_err *err) {
    /* With a file there is nothing to read while it records. */
    if (!s->options->keep || reader) {
        close_fd(&s->data); /* a perf that would write more must not wait for ever */
        pk_pump_end(s->pump);
        s->pump = NULL;
        ssize_t n = write(s->reader_done, &(uint64_t){1}, sizeof(uint64_t));
        (void)n; /* its counter is 0 */
    }
    pthread_join(s->thread, NULL);
    pk_recording *recording = s->recording;
    /* Stopped before perf had said anything, there is nothing to read, which is no mistake. */
    bool stopped_early = recording->end == PK_RECORDING_STOPPED && !s->began;
    if (s->err.kind == PK_OK && reader && !stopped_early) s->err = *reader;
    bool ok = s->err.kind == PK_OK;
    if (!ok) {
        *err = s->err;
        recording->end = PK_RECORDING_RECORDER;
    }
    *began = s->began;
    recording->perf_says =
        s->text.length > 0 ? pk_arena_strndup(s->arena, s->text.data, s->text.length) : NULL;
    const struct rusage *usage = &s->perf_exit.usage;
    recording->recorder_cpu_s = (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) +
                                (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e6;
    free_session(s);
    return ok;
}

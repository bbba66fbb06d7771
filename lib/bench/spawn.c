#include "bench/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"
#include "bench/driver.h"
#include "bench/memory.h"
#include "timing/clock.h"

#define OUTPUT_KEPT 1023u /* of what it prints, the end; pk_bench_failure.output and its NUL */

/* What a worker writes, as it comes. */
typedef struct intake {
    int reply_fd, output_fd; /* our ends, non-blocking; -1: at its end */
    pk_strbuf reply;
    char output[2 * OUTPUT_KEPT];
    size_t output_bytes;
} intake;

typedef struct watched {
    const pk_spawn_place *place;
    pk_process process;
    intake in;
    uint64_t limit_at_ns;
} watched;

/* ---- descriptors ---- */

static bool make_pipe(int ends[2], pk_err *err) {
    if (pipe2(ends, O_CLOEXEC) == 0) {
        if (fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0) return true;
        close(ends[0]);
        close(ends[1]);
    }
    ends[0] = ends[1] = -1;
    pk_fail(err, PK_E_SYS, NULL, "cannot make a pipe to a worker");
    pk_fix(err, "raise the limit on open files (ulimit -n)");
    return false;
}

/* The job as a file: a pipe could fill up before anybody reads it. */
static int job_file(const pk_worker_job *job, pk_err *err) {
    pk_strbuf text;
    pk_strbuf_init(&text, PK_WORKER_TEXT_MAX);
    if (job->driver) {
        const pk_driver_job told = pk_driver_job_of(job);
        pk_driver_job_print(&told, &text);
    } else {
        pk_worker_job_print(job, &text);
    }
    int fd = -1;
    if (!pk_strbuf_ok(&text)) {
        pk_fail(err, PK_E_LIMIT, NULL, "a worker's job does not fit in %u bytes",
                PK_WORKER_TEXT_MAX);
        pk_fix(err, "give a shorter parameter");
    } else {
        fd = memfd_create("perfkit-job", MFD_CLOEXEC);
        if (fd < 0 || !pk_fd_write_all(fd, text.data, text.length) || lseek(fd, 0, SEEK_SET) < 0) {
            pk_fail(err, PK_E_SYS, NULL, "cannot hand a worker its job");
            pk_fix(err, "raise the limit on open files (ulimit -n)");
            if (fd >= 0) close(fd);
            fd = -1;
        }
    }
    pk_strbuf_fini(&text);
    return fd;
}

static void close_all(int n, int fds[]) {
    for (int i = 0; i < n; i++)
        if (fds[i] >= 0) close(fds[i]);
}

/* ---- starting ---- */

static char *padding_variable(size_t bytes, pk_err *err) {
    static const char name[] = "PERFKIT_PADDING=";
    char *variable = malloc(sizeof name + bytes);
    if (!variable) {
        pk_fail(err, PK_E_LIMIT, NULL, "out of memory");
        return NULL;
    }
    memcpy(variable, name, sizeof name - 1);
    memset(variable + sizeof name - 1, 'x', bytes);
    variable[sizeof name - 1 + bytes] = '\0';
    return variable;
}

/* A driver is started by the worker program, which becomes it: as such it ends when we do. */
static bool start_program(watched *w, const pk_worker_job *job, const pk_spawn_options *how,
                          pk_err *err) {
    size_t n = 0;
    while (job->driver && job->driver->words[n]) n++;
    const char **argv = calloc(n + 2, sizeof *argv);
    if (!argv) return pk_bench_no_memory(err);
    argv[0] = w->place->program;
    if (n) memcpy(argv + 1, job->driver->words, n * sizeof *argv);
    bool ok = pk_process_spawn((char *const *)(uintptr_t)argv, how, &w->process, err);
    free(argv);
    return ok;
}

static bool start(watched *w, const pk_worker_job *job, size_t padding_bytes, pk_err *err) {
    enum { JOB, REPLY, REPLY_END, OUTPUT, OUTPUT_END, FDS };
    int fds[FDS] = {-1, -1, -1, -1, -1};
    char *variable = padding_variable(padding_bytes, err);
    bool ok = variable && (fds[JOB] = job_file(job, err)) >= 0 && make_pipe(fds + REPLY, err) &&
              make_pipe(fds + OUTPUT, err);
    if (ok) {
        pk_spawn_options how = PK_SPAWN_DEFAULT;
        how.stdin_fd = fds[JOB];
        how.stdout_fd = how.stderr_fd = fds[OUTPUT_END];
        how.fourth_fd = fds[REPLY_END];
        how.own_group = true;
        how.variable = variable;
        ok = start_program(w, job, &how, err);
    }
    if (ok) {
        w->in.reply_fd = fds[REPLY];
        w->in.output_fd = fds[OUTPUT];
        fds[REPLY] = fds[OUTPUT] = -1;
    }
    close_all(FDS, fds);
    free(variable);
    return ok;
}

/* ---- watching ---- */

/* Keeps the last OUTPUT_KEPT bytes, moving only when twice as many have come. */
static void keep_output(intake *in, const char *data, size_t bytes) {
    if (bytes > OUTPUT_KEPT) {
        data += bytes - OUTPUT_KEPT;
        bytes = OUTPUT_KEPT;
    }
    if (in->output_bytes + bytes > sizeof in->output) {
        size_t kept = OUTPUT_KEPT - bytes;
        memmove(in->output, in->output + in->output_bytes - kept, kept);
        in->output_bytes = kept;
    }
    memcpy(in->output + in->output_bytes, data, bytes);
    in->output_bytes += bytes;
}

/* One read. False when there is nothing now; at the end of the stream *fd becomes -1. */
static bool take(intake *in, int *fd) {
    char data[4096];
    if (*fd < 0) return false;
    ssize_t n = read(*fd, data, sizeof data);
    if (n < 0 && errno == EINTR) return true;
    if (n < 0 && errno == EAGAIN) return false;
    if (n <= 0) {
        close(*fd);
        *fd = -1;
        return false;
    }
    if (fd == &in->output_fd) keep_output(in, data, (size_t)n);
    else pk_strbuf_add(&in->reply, data, (size_t)n); /* full: judged as garbage */
    return true;
}

/* What the pipes still hold; a worker that left a writing child behind cannot keep us here. */
static void take_rest(intake *in) {
    enum { READS_MAX = 512 }; /* 2 MiB: more than a reply and a full pipe */
    for (int i = 0; i < READS_MAX && take(in, &in->reply_fd); i++) {
    }
    for (int i = 0; i < READS_MAX && take(in, &in->output_fd); i++) {
    }
}

typedef enum watch_end { ENDED, TIMED_OUT, STOPPED } watch_end;

static watch_end watch(watched *w) {
    enum { ENDING, INTERRUPT, REPLY, OUTPUT, N };
    for (;;) {
        uint64_t now_ns = pk_now_ns(), until_ns = w->limit_at_ns;
        if (until_ns > w->place->deadline_ns) until_ns = w->place->deadline_ns;
        uint64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
        struct timespec left = {.tv_sec = (time_t)(left_ns / 1000000000u),
                                .tv_nsec = (long)(left_ns % 1000000000u)};
        struct pollfd fds[N] = {
            [ENDING] = {.fd = w->process.pidfd, .events = POLLIN},
            [INTERRUPT] = {.fd = pk_interrupt_fd(w->place->intr), .events = POLLIN},
            [REPLY] = {.fd = w->in.reply_fd, .events = POLLIN},
            [OUTPUT] = {.fd = w->in.output_fd, .events = POLLIN},
        };
        int n = ppoll(fds, N, &left, NULL);
        if (n < 0 && errno != EINTR) return STOPPED; /* EINVAL, ENOMEM: cannot happen to 4 */
        if (n <= 0 && left_ns == 0) return now_ns >= w->limit_at_ns ? TIMED_OUT : STOPPED;
        if (n <= 0) continue;
        if (fds[INTERRUPT].revents) return STOPPED;
        if (fds[REPLY].revents) take(&w->in, &w->in.reply_fd);
        if (fds[OUTPUT].revents) take(&w->in, &w->in.output_fd);
        if (fds[ENDING].revents) return ENDED;
        if (!pk_strbuf_ok(&w->in.reply)) return ENDED; /* it only floods us: it is killed */
        /* One that prints without end keeps poll busy, but not beyond its time. */
        if (pk_now_ns() >= until_ns) return until_ns == w->limit_at_ns ? TIMED_OUT : STOPPED;
    }
}

static uint64_t expected_ns(const pk_worker_job *job) {
    bool timed = job->task == PK_TASK_MEASURE || job->task == PK_TASK_FOR;
    return timed ? job->warm_ns + job->worker_ns : 0;
}

bool pk_worker_spawn(const pk_spawn_place *place, const pk_worker_job *job, size_t padding_bytes,
                     pk_worker_outcome *outcome, pk_err *err) {
    watched w = {.place = place, .in = {.reply_fd = -1, .output_fd = -1}};
    *outcome = (pk_worker_outcome){0};
    uint64_t started_ns = pk_now_ns();
    if (!start(&w, job, padding_bytes, err)) return false;
    w.limit_at_ns = started_ns + expected_ns(job) + place->timeout_ns;
    pk_strbuf_init(&w.in.reply, PK_WORKER_TEXT_MAX + 1); /* one more shows that it is too much */
    watch_end how = watch(&w);
    pk_exit exit = {.code = -1};
    /* It has ended or is to: no grace. Children that it left in its group go with it. */
    pk_process_stop(&w.process, true, 0, &exit);
    outcome->duration_ns = pk_now_ns() - started_ns;
    take_rest(&w.in);
    outcome->stopped = how == STOPPED;
    if (how != STOPPED) {
        pk_worker_end end = {.code = exit.code,
                             .signal = exit.signal,
                             .duration_ns = outcome->duration_ns,
                             .timed_out = how == TIMED_OUT,
                             .timeout_ns = place->timeout_ns,
                             .reply = w.in.reply.data,
                             .reply_bytes = pk_strbuf_ok(&w.in.reply) ? w.in.reply.length
                                                                      : PK_WORKER_TEXT_MAX + 1,
                             .output = w.in.output,
                             .output_bytes = w.in.output_bytes};
        pk_worker_judge(job, &end, place->arena, outcome);
    }
    pk_strbuf_fini(&w.in.reply);
    close_all(2, (int[]){w.in.reply_fd, w.in.output_fd});
    return true;
}

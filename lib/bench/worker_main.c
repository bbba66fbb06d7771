/* The worker program; see bench/worker.h. Linked from few objects, so that it starts quickly. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/file.h"
#include "bench/protocol.h"
#include "bench/worker_measure.h"

enum { ARENA_BYTES = 16 << 20 };

/* ---- tasks ---- */

static bool run_once(pk_target *target) {
    perfkit_body *const bodies[] = {target->benchmark.throughput, target->benchmark.latency};
    const pk_unit_clock no_clock = {.schedstat = -1};
    pk_unit unit;
    pk_work_unit(&no_clock, &target->work, 1, &unit);
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        target->run.iterations = 1;
        if (bodies[i]) bodies[i](&target->run);
    }
    return true;
}

static bool run_for(pk_target *target, uint64_t ns) {
    pk_unit_clock clock;
    pk_unit_clock_open(&clock);
    pk_measure_exercise(&clock, target, ns);
    pk_unit_clock_close(&clock);
    return true;
}

static bool run_task(const pk_worker_job *job, const pk_measure_sides *sides, pk_arena *arena,
                     pk_worker_reply *reply, pk_err *err) {
    pk_target *one =
        sides->target[PK_SIDE_NEW] ? sides->target[PK_SIDE_NEW] : sides->target[PK_SIDE_OLD];
    reply->throughput = pk_target_throughput(one);
    reply->method = pk_target_method(one, arena);
    reply->counters = one->benchmark.counters;
    switch (job->task) {
    case PK_TASK_MEASURE:
        return pk_measure(job, sides, reply, err);
    case PK_TASK_ONCE:
        return run_once(one);
    default:
        return run_for(one, job->worker_ns);
    }
}

/* Opens both sides in the job's order, and closes what was opened. */
static bool with_targets(const pk_worker_job *job, pk_arena *arena, pk_worker_reply *reply,
                         pk_err *err) {
    pk_target targets[PK_SIDES];
    pk_measure_sides sides = {0};
    bool ok = true;
    for (int i = 0; i < PK_SIDES && ok; i++) {
        int side = job->old_first ? PK_SIDES - 1 - i : i;
        if (!job->objects[side]) continue;
        ok = pk_target_open(job->objects[side], job->index[side], job->param, &targets[side], err);
        if (ok) sides.target[side] = &targets[side];
    }
    if (ok) ok = run_task(job, &sides, arena, reply, err);
    for (int side = 0; side < PK_SIDES; side++)
        if (sides.target[side]) pk_target_close(sides.target[side]);
    return ok;
}

static bool do_job(const pk_worker_job *job, pk_arena *arena, pk_worker_reply *reply, pk_err *err) {
    const char *only = job->objects[job->objects[PK_SIDE_NEW] ? PK_SIDE_NEW : PK_SIDE_OLD];
    if (!only) {
        pk_fail(err, PK_E_INTERNAL, "worker", "a job without an object");
        return false;
    }
    if (job->task == PK_TASK_LIST)
        return pk_target_list(only, arena, &reply->offers, &reply->n_offers, err);
    return with_targets(job, arena, reply, err);
}

/* ---- from descriptor to descriptor ---- */

static bool answer(const pk_worker_job *job, pk_arena *arena) {
    pk_worker_reply reply = {.worker.layout = -1};
    pk_err err = {0};
    char why[PK_ERR_LINE_MAX];
    if (!do_job(job, arena, &reply, &err)) {
        pk_err_format(&err, why, sizeof why);
        reply = (pk_worker_reply){.kind = PK_REPLY_REFUSED, .why = why, .worker.layout = -1};
    }
    pk_strbuf text;
    pk_strbuf_init(&text, PK_WORKER_TEXT_MAX);
    pk_worker_reply_print(&reply, &text);
    bool ok = pk_strbuf_ok(&text) && pk_fd_write_all(PK_WORKER_REPLY_FD, text.data, text.length);
    pk_strbuf_fini(&text);
    return ok;
}

/* Whatever the benchmark starts or reads gets none of our descriptors, and what it printed is seen
 * even if it dies. */
static bool prepare_descriptors(void) {
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    bool ok = null >= 0 && dup2(null, STDIN_FILENO) == STDIN_FILENO &&
              fcntl(PK_WORKER_REPLY_FD, F_SETFD, FD_CLOEXEC) == 0;
    if (null >= 0) close(null);
    return ok && setvbuf(stdout, NULL, _IOLBF, BUFSIZ) == 0;
}

static bool work(pk_arena *arena) {
    pk_strbuf text;
    pk_worker_job job;
    pk_err err = {0};
    pk_strbuf_init(&text, PK_WORKER_TEXT_MAX);
    bool ok = pk_file_read("-", PK_WORKER_TEXT_MAX, &text, &err) &&
              pk_worker_job_parse(text.data, text.length, arena, &job, &err) &&
              prepare_descriptors() && answer(&job, arena);
    pk_strbuf_fini(&text);
    return ok;
}

/* In a build with sanitizers a benchmark that crashes is still one that died of a signal. */
#define DEFAULT_OPTIONS(name)                                                  \
    __attribute__((visibility("default"))) const char *name(void);             \
    const char *name(void) {                                                   \
        return "handle_segv=0:handle_sigbus=0:handle_abort=0:handle_sigfpe=0"; \
    }
DEFAULT_OPTIONS(__asan_default_options)
DEFAULT_OPTIONS(__tsan_default_options)
DEFAULT_OPTIONS(__ubsan_default_options)

/* A driver: it takes our place, and ends when perfkit does. */
static int become(char *const argv[]) {
    execvp(argv[0], argv);
    dprintf(STDERR_FILENO, "cannot start %s: %s\n", argv[0], strerror(errno));
    return 127;
}

int main(int argc, char *argv[]) {
    /* Whoever started us and is gone (a second Ctrl-C, kill -9) cannot end a benchmark that hangs.
     */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (argc > 1) return become(argv + 1);
    pk_arena *arena = pk_arena_new(ARENA_BYTES);
    bool ok = arena && work(arena);
    pk_arena_free(arena);
    if (ok) return 0;
    static const char text[] = "this is a part of perfkit; `perfkit bench` starts it\n";
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    return 2;
}

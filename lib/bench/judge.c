#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bench/driver.h"
#include "bench/spawn.h"

PK_PRINTF(3, 4)
static void fail(pk_worker_outcome *outcome, pk_bench_failure_kind kind, const char *why, ...) {
    outcome->failed = true;
    outcome->failure.kind = kind;
    va_list args;
    va_start(args, why);
    vsnprintf(outcome->failure.why, sizeof outcome->failure.why, why, args);
    va_end(args);
}

static bool side_is_whole(const pk_bench_side *side) {
    return side->units > 0 && side->iterations > 0 && isfinite(side->trimmed_ns) &&
           side->trimmed_ns > 0;
}

/* The protocol is kept, but does the reply answer the job? */
static bool answers(const pk_worker_job *job, const pk_worker_reply *reply) {
    if (reply->kind != PK_REPLY_DONE || job->task != PK_TASK_MEASURE) return true;
    if (reply->worker.old_first != job->old_first) return false;
    for (int i = 0; i < PK_SIDES; i++)
        if (job->objects[i] ? !side_is_whole(&reply->worker.side[i])
                            : reply->worker.side[i].units > 0)
            return false;
    return true;
}

static bool parse_reply(const pk_worker_job *job, const pk_worker_end *end, pk_arena *arena,
                        pk_worker_reply *reply, pk_err *err) {
    pk_driver_reply said;
    if (!job->driver) return pk_worker_reply_parse(end->reply, end->reply_bytes, arena, reply, err);
    return pk_driver_reply_parse(end->reply, end->reply_bytes, arena, &said, err) &&
           pk_driver_answer(job, &said, end->duration_ns, reply, err);
}

static void judge_reply(const pk_worker_job *job, const pk_worker_end *end, pk_arena *arena,
                        pk_worker_outcome *outcome) {
    pk_err err = {0};
    if (!parse_reply(job, end, arena, &outcome->reply, &err))
        fail(outcome, PK_FAIL_GARBAGE,
             job->driver ? "its reply on descriptor %d cannot be used (%s%s%s)"
                         : "on descriptor %d, which is the worker's, came something else (%s%s%s)",
             PK_WORKER_REPLY_FD, err.where, err.where[0] ? ": " : "", err.what);
    else if (!answers(job, &outcome->reply))
        fail(outcome, PK_FAIL_GARBAGE, "the reply on descriptor %d holds no measurement",
             PK_WORKER_REPLY_FD);
    else if (outcome->reply.kind == PK_REPLY_REFUSED)
        fail(outcome, PK_FAIL_REFUSED, "%s", outcome->reply.why);
}

void pk_worker_judge(const pk_worker_job *job, const pk_worker_end *end, pk_arena *arena,
                     pk_worker_outcome *outcome) {
    outcome->failed = false;
    outcome->failure = (pk_bench_failure){0};
    if (end->reply_bytes > PK_WORKER_TEXT_MAX) {
        fail(outcome, PK_FAIL_GARBAGE,
             "more than %u bytes came on descriptor %d, which is the worker's", PK_WORKER_TEXT_MAX,
             PK_WORKER_REPLY_FD);
    } else if (end->timed_out) {
        outcome->failure.timeout_ns = end->timeout_ns;
        fail(outcome, PK_FAIL_TIMEOUT, "give it longer, or look for a loop that does not end");
    } else if (end->signal != 0) {
        outcome->failure.number = end->signal;
        fail(outcome, PK_FAIL_SIGNAL, "%s", "");
    } else if (end->code != 0 || end->reply_bytes == 0) {
        outcome->failure.number = end->code;
        fail(outcome, PK_FAIL_EXIT, "%s",
             !job->driver     ? "the benchmark ended its process; let it return instead"
             : end->code != 0 ? "a driver that has replied exits with 0"
                              : "without a reply on descriptor 3");
    } else {
        judge_reply(job, end, arena, outcome);
    }
    if (!outcome->failed) return;
    size_t bytes = end->output_bytes, most = sizeof outcome->failure.output - 1;
    size_t kept = bytes < most ? bytes : most;
    if (kept > 0) memcpy(outcome->failure.output, end->output + (bytes - kept), kept);
}

/* What comes back from a worker: the benchmark in it may write anything to the same descriptor.
 * What reads as a job or reply is printed, and that text reads and prints as the same. */
#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "bench/driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum { ARENA_BYTES = 16 << 20 };

static void check_job(const char *text, size_t bytes, pk_arena *arena) {
    pk_worker_job job = {.worker_ns = 77}, again;
    pk_err err;
    pk_strbuf once, twice;
    if (!pk_worker_job_parse(text, bytes, arena, &job, &err)) {
        assert(job.worker_ns == 77 && err.what[0] && err.where[0]);
        return;
    }
    pk_strbuf_init(&once, PK_WORKER_TEXT_MAX);
    pk_strbuf_init(&twice, PK_WORKER_TEXT_MAX);
    pk_worker_job_print(&job, &once);
    assert(pk_strbuf_ok(&once));
    bool ok = pk_worker_job_parse(once.data, once.length, arena, &again, &err);
    assert(ok);
    pk_worker_job_print(&again, &twice);
    assert(once.length == twice.length && memcmp(once.data, twice.data, once.length) == 0);
    pk_strbuf_fini(&once);
    pk_strbuf_fini(&twice);
}

static void check_reply(const char *text, size_t bytes, pk_arena *arena) {
    pk_worker_reply reply = {.n_offers = 77}, again;
    pk_err err;
    pk_strbuf once, twice;
    if (!pk_worker_reply_parse(text, bytes, arena, &reply, &err)) {
        assert(reply.n_offers == 77 && err.what[0] && err.where[0]);
        return;
    }
    assert(reply.n_offers <= PK_WORKER_OFFERS_MAX);
    assert((reply.kind == PK_REPLY_DONE) == !reply.why);
    for (size_t i = 0; i < reply.n_offers; i++) assert(reply.offers[i].group);
    pk_strbuf_init(&once, PK_WORKER_TEXT_MAX);
    pk_strbuf_init(&twice, PK_WORKER_TEXT_MAX);
    pk_worker_reply_print(&reply, &once);
    assert(pk_strbuf_ok(&once));
    bool ok = pk_worker_reply_parse(once.data, once.length, arena, &again, &err);
    assert(ok);
    pk_worker_reply_print(&again, &twice);
    assert(once.length == twice.length && memcmp(once.data, twice.data, once.length) == 0);
    pk_strbuf_fini(&once);
    pk_strbuf_fini(&twice);
}

static void check_driver_job(const char *text, size_t bytes, pk_arena *arena) {
    pk_driver_job job = {.worker_ns = 77}, again;
    pk_err err;
    pk_strbuf once, twice;
    if (!pk_driver_job_parse(text, bytes, arena, &job, &err)) {
        assert(job.worker_ns == 77 && err.what[0] && err.where[0]);
        return;
    }
    pk_strbuf_init(&once, PK_WORKER_TEXT_MAX);
    pk_strbuf_init(&twice, PK_WORKER_TEXT_MAX);
    pk_driver_job_print(&job, &once);
    bool ok =
        pk_strbuf_ok(&once) && pk_driver_job_parse(once.data, once.length, arena, &again, &err);
    assert(ok);
    pk_driver_job_print(&again, &twice);
    assert(once.length == twice.length && memcmp(once.data, twice.data, once.length) == 0);
    pk_strbuf_fini(&once);
    pk_strbuf_fini(&twice);
}

/* Whatever a driver says: either an error, or figures that can be worked with. */
static void check_driver_reply(const char *text, size_t bytes, pk_arena *arena) {
    enum { TOOK_NS = 50000000 };
    const pk_driver driver = {.group = "x"};
    const pk_worker_job job = {
        .task = PK_TASK_MEASURE, .objects = {[PK_SIDE_NEW] = "x.py"}, .driver = &driver};
    pk_driver_reply said = {.n_units = 77};
    pk_worker_reply reply;
    pk_err err;
    if (!pk_driver_reply_parse(text, bytes, arena, &said, &err)) {
        assert(said.n_units == 77 && err.what[0] && err.where[0]);
        return;
    }
    assert(said.n_offers <= PK_WORKER_OFFERS_MAX && said.n_units <= PK_DRIVER_UNITS_MAX);
    assert((said.kind == PK_REPLY_DONE) == !said.why);
    assert((said.iterations > 0) == (said.n_units > 0));
    for (size_t i = 0; i < said.n_offers; i++) assert(said.offers[i].group);
    for (size_t i = 0; i < said.n_units; i++) assert(said.units[i].wall_ns > 0);
    if (!pk_driver_answer(&job, &said, TOOK_NS, &reply, &err)) {
        assert(err.what[0]);
        return;
    }
    if (reply.kind != PK_REPLY_DONE) return;
    const pk_bench_side *side = &reply.worker.side[PK_SIDE_NEW];
    assert(side->units == said.n_units && side->iterations >= side->units);
    assert(isfinite(side->trimmed_ns) && side->trimmed_ns > 0 && isfinite(side->wall_ns));
    assert(side->min_ns <= side->median_ns && side->q1_ns <= side->median_ns &&
           side->median_ns <= side->q3_ns && side->wall_ns * (double)said.iterations <= TOOK_NS);
    assert(reply.worker.duration_ns <= TOOK_NS && reply.worker.side[PK_SIDE_OLD].units == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    if (bytes > 1u << 16) return 0;
    pk_arena *arena = pk_arena_new(ARENA_BYTES);
    assert(arena);
    check_job((const char *)data, bytes, arena);
    check_reply((const char *)data, bytes, arena);
    check_driver_job((const char *)data, bytes, arena);
    check_driver_reply((const char *)data, bytes, arena);
    pk_arena_free(arena);
    return 0;
}

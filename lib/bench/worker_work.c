#include "bench/worker_work.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "bench/worker_crew.h"
#include "timing/clock.h"

/* ---- opening ---- */

bool pk_work_open(pk_work *work, const perfkit_benchmark *benchmark, perfkit_run *run,
                  pk_err *err) {
    *work = (pk_work){.body = benchmark->body, .run = run, .how = benchmark};
    run->threads = 1;
    if (benchmark->input) {
        run->inputs = calloc(PK_WORK_INPUTS_MAX, sizeof *run->inputs);
        if (run->inputs) return true;
        pk_fail(err, PK_E_LIMIT, NULL, "no memory for %d inputs", PK_WORK_INPUTS_MAX);
        return false;
    }
    if (!benchmark->threads) return true;
    run->threads =
        benchmark->threads == PERFKIT_THREADS_PARAM ? (uint32_t)run->param : benchmark->threads;
    work->crew = pk_crew_new(run->threads, err);
    return work->crew != NULL;
}

void pk_work_close(pk_work *work) {
    pk_crew_free(work->crew);
    work->crew = NULL;
    if (!work->run) return;
    free(work->run->inputs);
    work->run->inputs = NULL;
}

bool pk_work_is_plain(const pk_work *work) {
    return !work->how || (!work->how->input && !pk_work_is_wall(work));
}

bool pk_work_is_wall(const pk_work *work) {
    return work->crew || (work->how && work->how->timed);
}

/* ---- batches ---- */

static uint64_t share(uint64_t n, uint64_t parts) {
    return n / parts + (n % parts > 0);
}

uint64_t pk_work_batch(const perfkit_benchmark *b, uint64_t iterations) {
    uint64_t batch = b->batch == PERFKIT_SMALL_INPUT     ? share(iterations, 10)
                     : b->batch == PERFKIT_LARGE_INPUT   ? share(iterations, 1000)
                     : b->batch == PERFKIT_PER_ITERATION ? 1
                     : b->batch == PERFKIT_NUM_BATCHES   ? share(iterations, b->batch_count)
                                                         : b->batch_count;
    return batch > PK_WORK_INPUTS_MAX ? PK_WORK_INPUTS_MAX : batch > 0 ? batch : 1;
}

static void add_unit(pk_unit *sum, const pk_unit *part) {
    sum->wall_ns += part->wall_ns;
    sum->wait_ns += part->wait_ns;
    sum->cpu_ns += part->cpu_ns;
    sum->switches_voluntary += part->switches_voluntary;
    sum->switches_involuntary += part->switches_involuntary;
    sum->faults_minor += part->faults_minor;
    sum->faults_major += part->faults_major;
}

/* From start_ns until now, less the wait since then. */
static uint64_t elapsed_ns(const pk_unit_clock *clock, uint64_t start_ns, uint64_t wait_start_ns) {
    const uint64_t all_ns = pk_now_ns() - start_ns;
    const uint64_t wait_ns = pk_unit_wait_ns(clock) - wait_start_ns;
    return all_ns > wait_ns ? all_ns - wait_ns : 0;
}

static void run_batches(const pk_unit_clock *clock, const pk_work *work, uint64_t iterations,
                        pk_unit *unit) {
    const perfkit_benchmark *b = work->how;
    perfkit_run *run = work->run;
    const uint64_t batch = pk_work_batch(b, iterations);
    sched_yield();
    const uint64_t wait_start_ns = pk_unit_wait_ns(clock);
    *unit = (pk_unit){.start_ns = pk_now_ns()};
    for (uint64_t left = iterations, n; left > 0; left -= n) {
        pk_unit part;
        n = batch < left ? batch : left;
        run->iterations = n;
        for (uint64_t i = 0; i < n; i++) run->inputs[i] = b->input(run);
        pk_unit_part(clock, work->body, run, n, &part);
        for (uint64_t i = 0; i < n && b->drop; i++) b->drop(run, run->inputs[i]);
        add_unit(unit, &part);
    }
    unit->elapsed_ns = elapsed_ns(clock, unit->start_ns, wait_start_ns);
}

/* ---- the others ---- */

static void run_self_timed(const pk_unit_clock *clock, const pk_work *work, uint64_t iterations,
                           pk_unit *unit) {
    sched_yield();
    const uint64_t wait_start_ns = pk_unit_wait_ns(clock);
    *unit = (pk_unit){.start_ns = pk_now_ns()};
    work->run->iterations = iterations;
    unit->wall_ns = work->how->timed(work->run);
    unit->elapsed_ns = elapsed_ns(clock, unit->start_ns, wait_start_ns);
}

void pk_work_unit(const pk_unit_clock *clock, const pk_work *work, uint64_t iterations,
                  pk_unit *unit) {
    const perfkit_benchmark *how = work->how;
    memset(work->run->counters, 0, sizeof work->run->counters);
    if (how && how->timed) {
        run_self_timed(clock, work, iterations, unit);
    } else if (how && how->input) {
        run_batches(clock, work, iterations, unit);
    } else if (work->crew) {
        work->run->iterations = iterations;
        pk_crew_unit(work->crew, work->body, work->run, unit);
    } else {
        pk_unit_run(clock, work->body, work->run, iterations, unit);
    }
}

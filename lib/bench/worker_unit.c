#include "bench/worker_unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "timing/clock.h"
#include "timing/cpu.h"

void pk_unit_clock_open(pk_unit_clock *clock) {
    clock->schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    char text[128];
    uint64_t wait_ns;
    ssize_t n = clock->schedstat < 0 ? -1 : pread(clock->schedstat, text, sizeof text, 0);
    if (n > 0 && pk_cpu_wait_parse(text, (size_t)n, &wait_ns)) return;
    pk_unit_clock_close(clock);
}

void pk_unit_clock_close(pk_unit_clock *clock) {
    if (clock->schedstat >= 0) close(clock->schedstat);
    clock->schedstat = -1;
}

uint64_t pk_unit_wait_ns(const pk_unit_clock *clock) {
    char text[128];
    uint64_t ns = 0;
    if (clock->schedstat < 0) return 0;
    ssize_t n;
    do n = pread(clock->schedstat, text, sizeof text, 0);
    while (n < 0 && errno == EINTR);
    return n > 0 && pk_cpu_wait_parse(text, (size_t)n, &ns) ? ns : 0;
}

uint64_t pk_unit_cpu_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void pk_unit_run(const pk_unit_clock *clock, perfkit_body *body, perfkit_run *run,
                 uint64_t iterations, pk_unit *unit) {
    sched_yield();
    pk_unit_part(clock, body, run, iterations, unit);
}

void pk_unit_part(const pk_unit_clock *clock, perfkit_body *body, perfkit_run *run,
                  uint64_t iterations, pk_unit *unit) {
    struct rusage usage[2];
    run->iterations = iterations;
    getrusage(RUSAGE_THREAD, &usage[0]);
    const uint64_t cpu_start = pk_unit_cpu_ns();
    const uint64_t wait_start = pk_unit_wait_ns(clock);
    const uint64_t wall_start = pk_now_ns();
    body(run);
    const uint64_t wall_end = pk_now_ns();
    const uint64_t wait_end = pk_unit_wait_ns(clock);
    const uint64_t cpu_end = pk_unit_cpu_ns();
    getrusage(RUSAGE_THREAD, &usage[1]);
    *unit = (pk_unit){
        .start_ns = wall_start,
        .wall_ns = wall_end - wall_start,
        .elapsed_ns = wall_end - wall_start,
        .wait_ns = wait_end > wait_start ? wait_end - wait_start : 0,
        .cpu_ns = cpu_end - cpu_start,
        .switches_voluntary = (uint64_t)(usage[1].ru_nvcsw - usage[0].ru_nvcsw),
        .switches_involuntary = (uint64_t)(usage[1].ru_nivcsw - usage[0].ru_nivcsw),
        .faults_minor = (uint64_t)(usage[1].ru_minflt - usage[0].ru_minflt),
        .faults_major = (uint64_t)(usage[1].ru_majflt - usage[0].ru_majflt),
    };
}

double pk_unit_oncpu_ns(const pk_unit *unit) {
    return unit->wall_ns > unit->wait_ns ? (double)(unit->wall_ns - unit->wait_ns) : 0;
}

static int compare_u64(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

double pk_unit_clock_cost_ns(void) {
    enum { BATCHES = 25, READS = 100 };
    uint64_t batch_ns[BATCHES];
    for (int i = 0; i < BATCHES; i++) {
        uint64_t start = pk_now_ns(), last = start;
        for (int read = 0; read < READS; read++) last = pk_now_ns();
        batch_ns[i] = last - start;
    }
    qsort(batch_ns, BATCHES, sizeof batch_ns[0], compare_u64);
    const size_t middle = BATCHES / 2;
    return (double)batch_ns[middle] / READS;
}

/* Always at the start of a cache line, so that it is the same loop in every build of the worker. */
__attribute__((noinline, aligned(64))) void pk_unit_reference(perfkit_run *run) {
    const uint64_t iterations = run->iterations;
    uint64_t x = (uint64_t)run->param;
    for (uint64_t i = 0; i < iterations; i++) {
#pragma GCC unroll 4
        for (int step = 0; step < PK_REFERENCE_STEPS; step++) {
            x = x * 6364136223846793005u + 1;
            perfkit_hide(x); /* else two steps become one with other constants */
        }
    }
    perfkit_keep(x);
}

__attribute__((noinline, aligned(64))) void pk_unit_empty_loop(perfkit_run *run) {
    const uint64_t iterations = run->iterations;
    for (uint64_t i = 0; i < iterations; i++) {
        int64_t n = 0;
        perfkit_hide(n);
    }
}

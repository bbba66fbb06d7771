#include "timing/counters.h"

#include <linux/perf_event.h>
#include <math.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
    const char *name;
    uint64_t config;
} counter_kinds[PK_COUNTERS] = {
    [PK_COUNTER_INSTRUCTIONS] = {"instructions", PERF_COUNT_HW_INSTRUCTIONS},
    [PK_COUNTER_CYCLES] = {"cycles", PERF_COUNT_HW_CPU_CYCLES},
    [PK_COUNTER_BRANCH_MISSES] = {"branch_misses", PERF_COUNT_HW_BRANCH_MISSES},
    [PK_COUNTER_CACHE_MISSES] = {"cache_misses", PERF_COUNT_HW_CACHE_MISSES},
};

static int open_counter(pk_counter counter, int leader, bool user_only, bool children) {
    struct perf_event_attr attr = {
        .type = PERF_TYPE_HARDWARE,
        .size = sizeof attr,
        .config = counter_kinds[counter].config,
        .read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
        /* the leader starts the whole group; children are started one by one, by their exec */
        .disabled = children || leader < 0,
        .inherit = children,
        .enable_on_exec = children,
        .exclude_kernel = user_only,
        .exclude_hv = 1,
    };
    return (int)syscall(SYS_perf_event_open, &attr, 0, -1, leader, PERF_FLAG_FD_CLOEXEC);
}

/* False when not even a leader could be opened. */
static bool open_group(pk_counters *counters, bool user_only, bool children) {
    int leader = -1;
    for (int i = 0; i < PK_COUNTERS; i++) {
        counters->fd[i] = open_counter((pk_counter)i, leader, user_only, children);
        if (leader < 0) leader = counters->fd[i];
    }
    counters->user_only = user_only;
    if (leader < 0) return false;
    if (!children) ioctl(leader, PERF_EVENT_IOC_ENABLE, PERF_IOC_FLAG_GROUP);
    return true;
}

/* perf_event_paranoid >= 2 forbids counting the kernel to all but root. */
static void open_allowed(pk_counters *counters, bool children) {
    if (!open_group(counters, false, children)) open_group(counters, true, children);
}

void pk_counters_open_thread(pk_counters *counters) {
    open_allowed(counters, false);
}

void pk_counters_open_children(pk_counters *counters) {
    open_allowed(counters, true);
}

double pk_counter_scaled(uint64_t raw, uint64_t enabled_ns, uint64_t running_ns) {
    if (running_ns == 0) return NAN;
    return (double)raw * ((double)enabled_ns / (double)running_ns);
}

void pk_counters_read(const pk_counters *counters, pk_counter_values *values) {
    values->user_only = counters->user_only;
    for (int i = 0; i < PK_COUNTERS; i++) {
        struct {
            uint64_t raw, enabled_ns, running_ns;
        } now;
        values->value[i] = NAN;
        if (counters->fd[i] >= 0 && read(counters->fd[i], &now, sizeof now) == sizeof now)
            values->value[i] = pk_counter_scaled(now.raw, now.enabled_ns, now.running_ns);
        values->known[i] = !isnan(values->value[i]);
    }
}

void pk_counters_close(pk_counters *counters) {
    for (int i = 0; i < PK_COUNTERS; i++) {
        if (counters->fd[i] >= 0) close(counters->fd[i]);
        counters->fd[i] = -1;
    }
}

void pk_counter_values_add(pk_counter_values *into, const pk_counter_values *from) {
    for (int i = 0; i < PK_COUNTERS; i++) {
        into->known[i] = into->known[i] && from->known[i];
        into->value[i] = into->known[i] ? into->value[i] + from->value[i] : NAN;
    }
    into->user_only = into->user_only || from->user_only;
}

const char *pk_counter_name(pk_counter counter) {
    return counter_kinds[counter].name;
}

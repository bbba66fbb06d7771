#include "timing/cpu.h"

#include <math.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include "base/file.h"
#include "base/units.h"

static uint64_t timeval_ns(const struct timeval *tv) {
    return (uint64_t)tv->tv_sec * PK_NS_PER_S + (uint64_t)tv->tv_usec * PK_NS_PER_US;
}

static void read_usage(int who, clockid_t clock, pk_cpu_usage *usage) {
    struct rusage r;
    struct timespec ts;
    getrusage(who, &r);
    clock_gettime(clock, &ts);
    uint64_t sum_ns = (uint64_t)ts.tv_sec * PK_NS_PER_S + (uint64_t)ts.tv_nsec;
    uint64_t system_ns = timeval_ns(&r.ru_stime);
    if (system_ns > sum_ns) system_ns = sum_ns;
    usage->user_ns = sum_ns - system_ns;
    usage->system_ns = system_ns;
    usage->switches_voluntary = (uint64_t)r.ru_nvcsw;
    usage->switches_involuntary = (uint64_t)r.ru_nivcsw;
}

void pk_cpu_thread(pk_cpu_usage *usage) {
    read_usage(RUSAGE_THREAD, CLOCK_THREAD_CPUTIME_ID, usage);
}

void pk_cpu_process(pk_cpu_usage *usage) {
    read_usage(RUSAGE_SELF, CLOCK_PROCESS_CPUTIME_ID, usage);
}

/* after - before, 0 where a counter went backwards (idle time in /proc/stat may, see proc(5)). */
static uint64_t advance(uint64_t before, uint64_t after) {
    return after > before ? after - before : 0;
}

pk_cpu_usage pk_cpu_usage_between(const pk_cpu_usage *before, const pk_cpu_usage *after) {
    uint64_t sum_ns =
        advance(before->user_ns + before->system_ns, after->user_ns + after->system_ns);
    uint64_t system_ns = advance(before->system_ns, after->system_ns);
    if (system_ns > sum_ns) system_ns = sum_ns;
    return (pk_cpu_usage){
        .user_ns = sum_ns - system_ns,
        .system_ns = system_ns,
        .switches_voluntary = advance(before->switches_voluntary, after->switches_voluntary),
        .switches_involuntary = advance(before->switches_involuntary, after->switches_involuntary),
    };
}

/* The next blank-separated number of a line; false if there is none. */
static bool next_ticks(const char **at, const char *end, uint64_t *ticks) {
    const char *p = *at;
    while (p < end && *p == ' ') p++;
    const char *first = p;
    while (p < end && *p != ' ') p++;
    char word[24];
    size_t length = (size_t)(p - first);
    if (length == 0 || length >= sizeof word) return false;
    memcpy(word, first, length);
    word[length] = '\0';
    int64_t value;
    pk_err err;
    if (!pk_parse_int(word, 0, INT64_MAX, &value, &err)) return false;
    *ticks = (uint64_t)value;
    *at = p;
    return true;
}

bool pk_cpu_wait_parse(const char *text, size_t bytes, uint64_t *ns) {
    uint64_t ran, waited;
    const char *at = text;
    const char *end = memchr(text, '\n', bytes);
    if (!end || !next_ticks(&at, end, &ran) || !next_ticks(&at, end, &waited)) return false;
    *ns = waited;
    return true;
}

bool pk_cpu_thread_wait(uint64_t *ns) {
    enum { SCHEDSTAT_BYTES_MAX = 256 };
    pk_strbuf text;
    pk_err err;
    pk_strbuf_init(&text, SCHEDSTAT_BYTES_MAX);
    bool ok = pk_file_read("/proc/thread-self/schedstat", SCHEDSTAT_BYTES_MAX, &text, &err) &&
              pk_cpu_wait_parse(text.data, text.length, ns);
    pk_strbuf_fini(&text);
    return ok;
}

void pk_machine_cpu_parse(const char *text, size_t bytes, pk_machine_cpu *cpu) {
    enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, COLUMNS };
    *cpu = (pk_machine_cpu){.known = false};
    if (bytes < 4 || memcmp(text, "cpu ", 4) != 0) return;
    const char *at = text + 4;
    const char *end = memchr(text, '\n', bytes);
    if (!end) return; /* cut off: the last number may be too */
    uint64_t ticks[COLUMNS], total = 0;
    for (int i = 0; i < COLUMNS; i++)
        if (!next_ticks(&at, end, &ticks[i]) || __builtin_add_overflow(total, ticks[i], &total))
            return;
    cpu->known = true;
    cpu->total_ticks = total;
    cpu->idle_ticks = ticks[IDLE] + ticks[IOWAIT];
    cpu->steal_ticks = ticks[STEAL];
}

void pk_machine_cpu_read(pk_machine_cpu *cpu) {
    enum { STAT_BYTES_MAX = 4 << 20 }; /* its interrupt line grows with CPUs and devices */
    pk_strbuf text;
    pk_err err;
    pk_strbuf_init(&text, STAT_BYTES_MAX);
    if (!pk_file_read("/proc/stat", STAT_BYTES_MAX, &text, &err)) pk_strbuf_clear(&text);
    pk_machine_cpu_parse(text.data, text.length, cpu);
    pk_strbuf_fini(&text);
}

static double share(const pk_machine_cpu *before, const pk_machine_cpu *after, uint64_t part) {
    uint64_t total = advance(before->total_ticks, after->total_ticks);
    if (!before->known || !after->known || total == 0) return NAN;
    return part < total ? (double)part / (double)total : 1;
}

double pk_machine_steal_ratio(const pk_machine_cpu *before, const pk_machine_cpu *after) {
    return share(before, after, advance(before->steal_ticks, after->steal_ticks));
}

double pk_machine_busy_ratio(const pk_machine_cpu *before, const pk_machine_cpu *after) {
    uint64_t unused = advance(before->idle_ticks, after->idle_ticks) +
                      advance(before->steal_ticks, after->steal_ticks);
    return share(before, after, advance(unused, advance(before->total_ticks, after->total_ticks)));
}

unsigned pk_cpu_count(void) {
    enum { CPUS_MAX = 1 << 16 };
    /* the kernel refuses a set smaller than its own, whose size it does not tell */
    for (size_t cpus = 1024; cpus <= CPUS_MAX; cpus *= 2) {
        cpu_set_t *set = CPU_ALLOC(cpus);
        if (!set) break;
        size_t bytes = CPU_ALLOC_SIZE(cpus);
        int count = sched_getaffinity(0, bytes, set) == 0 ? CPU_COUNT_S(bytes, set) : 0;
        CPU_FREE(set);
        if (count > 0) return (unsigned)count;
    }
    return 1;
}

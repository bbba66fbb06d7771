#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/procfs.h"
#include "flame/events.h"
#include "flame/recorder_probe.h"
#include "flame/sampler.h"

#define FREQUENCY_LEAST_OF_SETTING 1

/* Those that the unwinder knows (profile/unwind_arch.h), as asm/perf_regs.h numbers them: on x86-64
 * all but the segments of data, which the kernel does not give. */
#if defined(__x86_64__)
#define USER_REGISTERS 0xff0fffull
#elif defined(__aarch64__)
#define USER_REGISTERS ((1ull << 33) - 1)
#else
#define USER_REGISTERS 0ull
#endif

/* ---- what is wanted ---- */

static bool set_event(const pk_record_options *options, pk_sampler_attr *attr, pk_err *err) {
    const char *name = options->event ? options->event : "cycles";
    if (options->off_cpu) name = "context-switches";
    pk_event event;
    if (!pk_event_parse(name, NULL, &event, err)) return false;
    if (!options->event && !options->off_cpu) event.precise = 3;
    struct perf_event_attr *a = &attr->sampled;
    a->type = event.type;
    a->config = event.config;
    a->exclude_user = event.exclude_user;
    a->exclude_kernel = a->exclude_hv = event.exclude_kernel;
    a->precise_ip = event.precise & 3;
    /* What happens inside the kernel only. */
    bool inside = a->type == PERF_TYPE_TRACEPOINT ||
                  (a->type == PERF_TYPE_SOFTWARE && (a->config == PERF_COUNT_SW_CONTEXT_SWITCHES ||
                                                     a->config == PERF_COUNT_SW_CPU_MIGRATIONS));
    attr->needs_kernel = inside || event.exclude_user;
    memcpy(attr->name, name, strlen(name) + 1); /* the parser takes none that would not fit */
    return true;
}

/* A frequency above the kernel's limit is refused by it, so it is lowered here. Each tracepoint and
 * each switch is a sample, unless a period was given. */
static bool set_rate(const pk_record_options *options, pk_sampler_attr *attr, pk_err *err) {
    struct perf_event_attr *a = &attr->sampled;
    if (options->off_cpu || (a->type == PERF_TYPE_TRACEPOINT && options->period == 0)) {
        a->sample_period = 1;
    } else if (options->period > 0) {
        a->sample_period = options->period;
    } else if (options->frequency_hz > 0) {
        int64_t most = pk_kernel_setting("perf_event_max_sample_rate", INT_MAX);
        uint64_t limit = most > 0 ? (uint64_t)most : FREQUENCY_LEAST_OF_SETTING;
        a->freq = 1;
        a->sample_freq = options->frequency_hz < limit ? options->frequency_hz : limit;
    } else {
        pk_fail(err, PK_E_USAGE, NULL, "neither a frequency nor a period to sample with");
        pk_fix(err, "give a frequency such as 997");
        return false;
    }
    return true;
}

static bool set_stacks(const pk_record_options *options, struct perf_event_attr *a, pk_err *err) {
    switch (options->call_graph) {
    case PK_CALL_GRAPH_NONE:
        return true;
    case PK_CALL_GRAPH_FP:
        a->sample_type |= PERF_SAMPLE_CALLCHAIN;
        return true;
    case PK_CALL_GRAPH_LBR:
        pk_fail(err, PK_E_UNSUPPORTED, NULL,
                "the built-in recorder does not read the processor's branch records (lbr)");
        pk_fix(err, "take --call-graph dwarf");
        return false;
    case PK_CALL_GRAPH_DWARF:
        break;
    }
    if (!USER_REGISTERS) {
        pk_fail(err, PK_E_UNSUPPORTED, NULL, "stacks cannot be unwound on this kind of processor");
        pk_fix(err, "take --call-graph fp");
        return false;
    }
    a->sample_type |= PERF_SAMPLE_CALLCHAIN | PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER;
    a->exclude_callchain_user = 1;
    a->sample_regs_user = USER_REGISTERS;
    a->sample_stack_user =
        options->stack_bytes < PK_STACK_COPY_MAX ? options->stack_bytes & ~7u : PK_STACK_COPY_MAX;
    return true;
}

bool pk_sampler_attr_make(const pk_record_options *options, bool on_exec, pk_sampler_attr *attr,
                          pk_err *err) {
    *attr = (pk_sampler_attr){
        .sampled = {
            .size = sizeof attr->sampled,
            .sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID |
                           PERF_SAMPLE_TIME | PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD,
            .read_format = PERF_FORMAT_LOST,
            .disabled = 1,
            .inherit = !options->all_cpus, /* of a CPU there is nothing to inherit */
            .enable_on_exec = on_exec,
            .mmap = 1,
            .mmap2 = 1,
            .comm = 1,
            .comm_exec = 1,
            .task = 1,
            .ksymbol = 1,
            .context_switch = options->off_cpu,
            .sample_id_all = 1,
            .use_clockid = 1,
            .clockid = CLOCK_MONOTONIC,
            .watermark = 1,
        }};
    return set_event(options, attr, err) && set_rate(options, attr, err) &&
           set_stacks(options, &attr->sampled, err);
}

/* ---- what is granted ---- */

static bool is_cycles(const struct perf_event_attr *a) {
    return a->type == PERF_TYPE_HARDWARE && a->config == PERF_COUNT_HW_CPU_CYCLES;
}

static void fall_back_to_clock(pk_sampler_attr *attr) {
    struct perf_event_attr *a = &attr->sampled;
    const char *modifiers = strchr(attr->name, ':');
    char rest[8] = "";
    if (modifiers && strlen(modifiers) < sizeof rest)
        memcpy(rest, modifiers, strlen(modifiers) + 1);
    a->type = PERF_TYPE_SOFTWARE;
    a->config = PERF_COUNT_SW_CPU_CLOCK;
    a->precise_ip = 0;
    memcpy(attr->name, "cpu-clock", sizeof "cpu-clock");
    memcpy(attr->name + sizeof "cpu-clock" - 1, rest, sizeof rest);
    attr->fell_back = true;
}

bool pk_sampler_attr_relax(pk_sampler_attr *attr, int why) {
    struct perf_event_attr *a = &attr->sampled;
    switch (why) {
    case EACCES:
    case EPERM:
        if (a->exclude_kernel || attr->needs_kernel) return false;
        a->exclude_kernel = a->exclude_hv = a->exclude_callchain_kernel = 1;
        a->ksymbol = 0;
        return attr->kernel_excluded = true;
    case EINVAL:
    case ENOENT:
    case ENODEV:
    case EOPNOTSUPP:
        if (a->precise_ip > 0) a->precise_ip--;
        else if (why == EINVAL && a->ksymbol) a->ksymbol = 0;         /* Linux 5.1 */
        else if (why == EINVAL && a->read_format) a->read_format = 0; /* Linux 6.0 */
        else if (is_cycles(a)) fall_back_to_clock(attr);
        else return false;
        return true;
    default:
        return false;
    }
}

/* ---- what to say ---- */

static void fail_not_permitted(const pk_sampler_attr *attr, const pk_record_options *options,
                               pid_t tid, int why, pk_err *err) {
    int64_t paranoid = pk_kernel_setting("perf_event_paranoid", INT_MAX);
    int64_t needed = options->all_cpus ? 0 : attr->needs_kernel ? 1 : 2;
    if (attr->sampled.type == PERF_TYPE_TRACEPOINT) needed = -1;
    pk_process_info process;
    errno = why;
    if (paranoid > needed) {
        pk_fail(err, PK_E_SYS, NULL, "sampling %s%s needs more rights", attr->name,
                options->all_cpus ? " of the whole machine" : "");
        pk_fix(err,
               "sudo sysctl kernel.perf_event_paranoid=%d (now %lld), or run as root or with "
               "CAP_PERFMON",
               (int)needed, (long long)paranoid);
    } else if (options->n_pids > 0 && pk_procfs_process(tid, &process) &&
               process.uid != geteuid()) {
        pk_fail(err, PK_E_SYS, NULL, "process %d belongs to another user", (int)tid);
        pk_fix(err, "run as that user or as root");
    } else {
        pk_fail(err, PK_E_SYS, NULL, "events may not be opened here (perf_event_open)");
        pk_fix(err, "in a container, allow it: --cap-add PERFMON --security-opt "
                    "seccomp=unconfined");
    }
}

void pk_sampler_attr_fail(const pk_sampler_attr *attr, const pk_record_options *options, pid_t tid,
                          int why, pk_err *err) {
    errno = why;
    switch (why) {
    case EACCES:
    case EPERM:
        fail_not_permitted(attr, options, tid, why, err);
        break;
    case ENOENT:
    case ENODEV:
    case EOPNOTSUPP:
        pk_fail(err, PK_E_UNSUPPORTED, NULL, "this machine does not have the event %s", attr->name);
        pk_fix(err, "take another, such as cpu-clock; virtual machines often have no hardware "
                    "counters");
        break;
    case ESRCH:
        pk_fail(err, PK_E_INPUT, NULL, "there is no process %d", (int)tid);
        pk_fix(err, "see the running ones with: ps -e");
        break;
    case EMFILE:
        pk_fail(err, PK_E_LIMIT, NULL, "not enough file descriptors for every thread on every CPU");
        pk_fix(err, "raise the limit: ulimit -Hn, or in /etc/security/limits.conf");
        break;
    case ENOSYS:
        pk_fail(err, PK_E_UNSUPPORTED, NULL, "this kernel was built without performance events");
        pk_fix(err, "take a kernel with CONFIG_PERF_EVENTS");
        break;
    default:
        pk_fail(err, PK_E_SYS, NULL, "cannot sample %s (perf_event_open)", attr->name);
        pk_fix(err, "try another event, such as cpu-clock, or --call-graph fp");
        break;
    }
}

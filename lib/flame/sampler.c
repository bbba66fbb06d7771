#include "flame/sampler.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/descriptors.h"
#include "base/file.h"
#include "base/units.h"

enum { CPUS_MAX = 1 << 16, FDS_MAX = 1 << 22, CPU_LIST_BYTES = 1 << 16 };

/* Rings hold this many samples, an eighth of a second at 997 Hz, or 256 MiB all together; and no
 * less than the smallest that a sample fits into twice. */
enum { SAMPLES_PER_RING = 128, SAMPLE_BYTES = 1024, RING_BYTES_LEAST = 256 << 10 };
#define RINGS_BYTES_MOST (256ull << 20)

/* ---- CPUs ---- */

static bool add_cpus(pk_sampler *sampler, int64_t first, int64_t last) {
    for (int64_t cpu = first; cpu <= last; cpu++) {
        pk_sampler_cpu *slot = pk_array_push(&sampler->cpus);
        if (!slot) return false;
        *slot = (pk_sampler_cpu){.cpu = (int)cpu, .ring_fd = -1};
    }
    return true;
}

/* "0-3,8": what is online (Documentation/admin-guide/cputopology.rst). */
static bool parse_cpus(pk_sampler *sampler, char *list) {
    pk_err ignored;
    list[strcspn(list, "\n")] = '\0';
    for (char *range = list, *next; range; range = next) {
        next = strchr(range, ',');
        if (next) *next++ = '\0';
        char *dash = strchr(range, '-');
        if (dash) *dash++ = '\0';
        int64_t first, last;
        if (!pk_parse_int(range, 0, CPUS_MAX, &first, &ignored) ||
            !pk_parse_int(dash ? dash : range, 0, CPUS_MAX, &last, &ignored) ||
            !add_cpus(sampler, first, last))
            return false;
    }
    return sampler->cpus.count > 0;
}

static bool find_cpus(pk_sampler *sampler, pk_err *err) {
    pk_strbuf text;
    pk_strbuf_init(&text, CPU_LIST_BYTES);
    bool ok = pk_file_read("/sys/devices/system/cpu/online", CPU_LIST_BYTES, &text, err) &&
              parse_cpus(sampler, text.data);
    pk_strbuf_fini(&text);
    if (ok) return true;
    sampler->cpus.count = 0; /* no sysfs: those that there are */
    if (add_cpus(sampler, 0, sysconf(_SC_NPROCESSORS_CONF) - 1)) return true;
    pk_fail(err, PK_E_LIMIT, NULL, "not enough memory for the list of CPUs");
    return false;
}

static pk_sampler_cpu *cpu_at(const pk_sampler *sampler, size_t i) {
    return &PK_AT(&sampler->cpus, pk_sampler_cpu, i);
}

/* ---- life ---- */

static size_t ring_bytes_wanted(const pk_sampler *sampler) {
    size_t bytes = RING_BYTES_LEAST;
    size_t enough =
        SAMPLES_PER_RING * (size_t)(sampler->attr.sampled.sample_stack_user + SAMPLE_BYTES);
    while (2 * bytes <= enough + enough / 4 && 2 * bytes * sampler->cpus.count <= RINGS_BYTES_MOST)
        bytes *= 2;
    return bytes;
}

bool pk_sampler_init(pk_sampler *sampler, const pk_record_options *options, bool on_exec,
                     bool tracks, pk_err *err) {
    *sampler = (pk_sampler){.options = options,
                            .tracks = tracks,
                            .on_exec = on_exec,
                            .cpus = PK_ARRAY(pk_sampler_cpu, CPUS_MAX),
                            .fds = PK_ARRAY(int, FDS_MAX),
                            .trackers = PK_ARRAY(int, FDS_MAX)};
    pk_owners_init(&sampler->owners);
    if (!pk_sampler_attr_make(options, on_exec && !tracks, &sampler->attr, err) ||
        !find_cpus(sampler, err)) {
        pk_sampler_fini(sampler);
        return false;
    }
    sampler->ring_bytes_wanted = ring_bytes_wanted(sampler);
    return true;
}

/* All but the first `kept`. */
static void close_fds(pk_array *fds, size_t kept) {
    while (fds->count > kept) close(PK_AT(fds, int, --fds->count));
}

static void close_all(pk_sampler *sampler) {
    for (size_t i = 0; i < sampler->cpus.count; i++) pk_ring_unmap(&cpu_at(sampler, i)->ring);
    close_fds(&sampler->fds, 0);
    close_fds(&sampler->trackers, 0);
}

void pk_sampler_fini(pk_sampler *sampler) {
    close_all(sampler);
    pk_array_fini(&sampler->cpus);
    pk_array_fini(&sampler->fds);
    pk_array_fini(&sampler->trackers);
    pk_owners_fini(&sampler->owners);
    if (sampler->descriptors_raised) setrlimit(RLIMIT_NOFILE, &sampler->descriptors);
    sampler->descriptors_raised = false;
}

/* ---- opening ---- */

/* Each thread takes a descriptor for every CPU: as many as we may have, until the end. False: there
 * are no more than before. */
static bool raise_descriptors(pk_sampler *sampler) {
    if (sampler->descriptors_raised) return false;
    return sampler->descriptors_raised = pk_descriptors_raise(&sampler->descriptors);
}

/* A descriptor, kept in fds; or -1, *why an errno value. */
static int open_event(pk_sampler *sampler, const struct perf_event_attr *attr, pid_t tid, int cpu,
                      pk_array *fds, int *why) {
    struct perf_event_attr asked = *attr;
    int fd;
    do fd = (int)syscall(SYS_perf_event_open, &asked, tid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
    while (fd < 0 && errno == EMFILE && raise_descriptors(sampler));
    *why = fd < 0 ? errno : 0;
    if (fd < 0) return -1;
    int *slot = pk_array_push(fds);
    if (slot) {
        *slot = fd;
        return fd;
    }
    close(fd);
    *why = ENOMEM;
    return -1;
}

/* Tells of names, maps, threads and switches, and never counts anything. Its records look like
 * those of the sampled event. */
static struct perf_event_attr tracker_attr(const pk_sampler *sampler) {
    struct perf_event_attr attr = sampler->attr.sampled;
    attr.type = PERF_TYPE_SOFTWARE;
    attr.config = PERF_COUNT_SW_DUMMY;
    attr.freq = 0;
    attr.sample_period = 1;
    attr.precise_ip = 0;
    attr.disabled = attr.enable_on_exec = sampler->on_exec;
    return attr;
}

static int note_owner(pk_sampler *sampler, int fd, pid_t tid) {
    uint64_t id;
    if (sampler->on_exec || tid < 0) return 0; /* there was nobody to inherit from */
    if (ioctl(fd, PERF_EVENT_IOC_ID, &id) != 0) return errno;
    return pk_owners_add(&sampler->owners, id, tid) ? 0 : ENOMEM;
}

/* The events of one thread on one CPU, their records into that CPU's ring where there is one. 0 or
 * an errno value. */
static int open_on_cpu(pk_sampler *sampler, pid_t tid, pk_sampler_cpu *cpu) {
    int why;
    struct perf_event_attr sampled = sampler->attr.sampled;
    if (sampler->tracks) {
        sampled.mmap = sampled.mmap2 = sampled.comm = sampled.comm_exec = sampled.task = 0;
        sampled.ksymbol = sampled.context_switch = 0;
    }
    int fd = open_event(sampler, &sampled, tid, cpu->cpu, &sampler->fds, &why);
    if (fd < 0) return why;
    if (!cpu->ring.pages) {
        why = pk_ring_map(fd, sampler->ring_bytes, &cpu->ring);
        sampler->ring_refused = why == EPERM || why == ENOMEM;
        cpu->ring_fd = fd;
    } else if (ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, cpu->ring_fd) != 0) {
        why = errno;
    }
    if (why == 0) why = note_owner(sampler, fd, tid);
    if (why != 0 || !sampler->tracks) return why;
    const struct perf_event_attr tracker = tracker_attr(sampler);
    fd = open_event(sampler, &tracker, tid, cpu->cpu, &sampler->trackers, &why);
    if (fd >= 0 && ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, cpu->ring_fd) != 0) why = errno;
    return why == 0 ? note_owner(sampler, fd, tid) : why;
}

/* On each CPU or on none. */
static int open_on_all(pk_sampler *sampler, pid_t tid) {
    size_t sampled = sampler->fds.count, trackers = sampler->trackers.count;
    int why = 0;
    for (size_t i = 0; i < sampler->cpus.count && why == 0; i++)
        why = open_on_cpu(sampler, tid, cpu_at(sampler, i));
    if (why == 0) return 0;
    close_fds(&sampler->fds, sampled);
    close_fds(&sampler->trackers, trackers);
    return why;
}

/* Whether the first event can be opened at all, and as what; closed again. */
static int settle(pk_sampler *sampler, pid_t tid) {
    int why, fd;
    do
        fd = open_event(sampler, &sampler->attr.sampled, tid, cpu_at(sampler, 0)->cpu,
                        &sampler->fds, &why);
    while (fd < 0 && pk_sampler_attr_relax(&sampler->attr, why));
    close_fds(&sampler->fds, 0);
    return why;
}

/* The first thread's events, with rings as large as may be locked. */
static int open_first(pk_sampler *sampler, pid_t tid) {
    int why = settle(sampler, tid);
    if (why != 0) return why;
    for (size_t bytes = sampler->ring_bytes_wanted;; bytes /= 2) {
        sampler->ring_bytes = bytes;
        sampler->attr.sampled.wakeup_watermark = (uint32_t)(bytes / 4);
        why = open_on_all(sampler, tid);
        if (why == 0) return 0;
        close_all(sampler);
        if (!sampler->ring_refused || bytes <= RING_BYTES_LEAST) break;
    }
    sampler->ring_bytes = 0;
    return why;
}

pk_sampler_answer pk_sampler_open(pk_sampler *sampler, pid_t tid, pk_err *err) {
    bool first = sampler->ring_bytes == 0;
    int why = first ? open_first(sampler, tid) : open_on_all(sampler, tid);
    if (why == 0) return PK_SAMPLER_OPENED;
    if (why == ESRCH) return PK_SAMPLER_GONE;
    if (sampler->ring_refused) {
        errno = why;
        pk_fail(err, PK_E_SYS, NULL, "cannot lock %d KiB for each CPU to sample into",
                RING_BYTES_LEAST >> 10);
        pk_fix(err, "sudo sysctl kernel.perf_event_mlock_kb=2048, or raise ulimit -l");
    } else {
        pk_sampler_attr_fail(&sampler->attr, sampler->options, tid, why, err);
    }
    return PK_SAMPLER_FAILED;
}

/* ---- running ---- */

static void tell_all(const pk_array *fds, unsigned long request) {
    for (size_t i = 0; i < fds->count; i++) ioctl(PK_AT(fds, int, i), request, 0);
}

void pk_sampler_enable(const pk_sampler *sampler) {
    tell_all(&sampler->fds, PERF_EVENT_IOC_ENABLE);
}

void pk_sampler_disable(const pk_sampler *sampler) {
    tell_all(&sampler->fds, PERF_EVENT_IOC_DISABLE);
    tell_all(&sampler->trackers, PERF_EVENT_IOC_DISABLE);
}

int pk_sampler_poll_fd(const pk_sampler *sampler, size_t i, size_t n) {
    size_t at = n * sampler->cpus.count + i;
    return at < sampler->fds.count ? PK_AT(&sampler->fds, int, at) : -1;
}

static uint64_t lost_of(const pk_array *fds) {
    uint64_t sum = 0;
    for (size_t i = 0; i < fds->count; i++) {
        struct {
            uint64_t value, lost;
        } now;
        if (read(PK_AT(fds, int, i), &now, sizeof now) == sizeof now) sum += now.lost;
    }
    return sum;
}

uint64_t pk_sampler_lost(const pk_sampler *sampler) {
    if (!(sampler->attr.sampled.read_format & PERF_FORMAT_LOST)) return 0;
    return lost_of(&sampler->fds) + lost_of(&sampler->trackers);
}

#include "alloc/bpf_session.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "alloc/bpf_probe.h"
#include "alloc/bpf_space.h"
#include "alloc/bpf_stacks.h"
#include "alloc/collector.h"
#include "base/digits.h"
#include "base/file.h"
#include "timing/clock.h"

#define PATH_BYTES 4400
#define STATUS_BYTES_MAX 65536
#define TIMELINE_NS 10000000u
#define MAPS_NS 100000000u
#define MAPS_SHARE 50 /* looking at the maps takes at most one part in so many of the time */
#define MOMENTS_MAX 8192
#define PIDS_MAX 1024

typedef struct target {
    pk_bpf_space space;
    int pidfd;
    bool ended;
    uint64_t started_ns, ended_ns;
    uint64_t threads, parent_pid;
    char name[64];
    char exe[PATH_BYTES], object[PATH_BYTES];
} target;

typedef struct session {
    const pk_alloc_options *options;
    const pk_interrupt *interrupt;
    pk_alloc_result *result;
    pk_err *err;
    pk_bpf_probe *probe;
    pk_bpf_tables *tables;
    pk_bpf_stacks stacks;
    target *targets;
    size_t n, n_running;
    struct pollfd *polled; /* of the targets, and the interrupt's */
    uint64_t started_ns, end_ns;
    uint64_t timeline_ns, next_moment_ns, next_look_ns;
    pk_bpf_totals totals;
    pk_bpf_size sizes[PK_IMAGE_SIZE_CLASSES];
    bool no_memory;
} session;

/* ---- what a process is ---- */

/* The number behind "KEY:" in /proc/PID/status; 0: none. */
static uint64_t status_number(const char *text, const char *key) {
    const char *at = strstr(text, key);
    uint64_t value = 0;
    if (!at) return 0;
    at += strlen(key);
    at += strspn(at, " \t");
    (void)pk_digits(at, strlen(at), &value);
    return value;
}

static void read_status(target *t) {
    char path[64];
    pk_strbuf text;
    pk_err unreadable;
    snprintf(path, sizeof path, "/proc/%d/status", (int)t->space.pid);
    pk_strbuf_init(&text, STATUS_BYTES_MAX);
    if (pk_file_read(path, STATUS_BYTES_MAX, &text, &unreadable)) {
        t->threads = status_number(text.data, "\nThreads:");
        t->parent_pid = status_number(text.data, "\nPPid:");
    }
    pk_strbuf_clear(&text);
    snprintf(path, sizeof path, "/proc/%d/comm", (int)t->space.pid);
    if (pk_file_read(path, STATUS_BYTES_MAX, &text, &unreadable))
        snprintf(t->name, sizeof t->name, "%.*s", (int)strcspn(text.data, "\n"), text.data);
    pk_strbuf_fini(&text);
    snprintf(path, sizeof path, "/proc/%d/exe", (int)t->space.pid);
    ssize_t n = readlink(path, t->exe, sizeof t->exe - 1);
    t->exe[n > 0 ? n : 0] = 0;
}

static uint64_t resident_bytes(pid_t pid) {
    char path[64];
    pk_strbuf text;
    pk_err unreadable;
    uint64_t pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    pk_strbuf_init(&text, STATUS_BYTES_MAX);
    if (pk_file_read(path, STATUS_BYTES_MAX, &text, &unreadable)) {
        const char *blank = strchr(text.data, ' ');
        if (blank) (void)pk_digits(blank + 1, strlen(blank + 1), &pages);
    }
    pk_strbuf_fini(&text);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* ---- beginning ---- */

/* Files that only the process can reach are opened while it runs. */
static bool meet(session *s, const pk_bpf_space *space) {
    const pk_bpf_snapshot *last =
        &PK_AT(&space->snapshots, pk_bpf_snapshot, space->snapshots.count - 1);
    char *text = strndup(last->text, last->bytes);
    bool ok = text && pk_collector_meet(s->result->collector, (uint32_t)space->pid, text,
                                        last->bytes, s->err);
    if (!text) pk_fail(s->err, PK_E_LIMIT, NULL, "no memory for what is mapped");
    free(text);
    return ok;
}

static bool look(session *s, target *t) {
    bool changed;
    return pk_bpf_space_look(s->tables, &t->space, &changed, s->err) &&
           (!changed || meet(s, &t->space));
}

static bool begin(session *s, target *t) {
    char where[32];
    pk_bpf_entries *entries = malloc(sizeof *entries);
    t->pidfd = (int)syscall(SYS_pidfd_open, t->space.pid, 0);
    snprintf(where, sizeof where, "process %d", (int)t->space.pid);
    if (t->pidfd < 0) pk_fail(s->err, PK_E_SYS, where, "it cannot be watched");
    else if (!entries) pk_fail(s->err, PK_E_LIMIT, where, "no memory for attaching");
    bool ok = t->pidfd >= 0 && entries &&
              pk_bpf_entries_find(t->space.pid, s->options->function, entries, s->err) &&
              look(s, t);
    if (ok && t->space.snapshots.count == 0) {
        pk_fail(s->err, PK_E_INPUT, where, "it has no program: a thread of the kernel, or ending");
        ok = false;
    }
    if (ok) {
        read_status(t);
        t->started_ns = pk_now_ns();
        snprintf(t->object, sizeof t->object, "%s", entries->object);
        ok = pk_bpf_probe_attach(s->probe, t->space.pid, t->space.index, entries, s->err);
    }
    free(entries);
    return ok;
}

static bool begin_all(session *s) {
    s->n = s->options->n_pids;
    if (s->n == 0 || s->n > PIDS_MAX) {
        pk_fail(s->err, PK_E_LIMIT, NULL, "between 1 and %d processes at a time", PIDS_MAX);
        s->n = 0;
        return false;
    }
    s->targets = calloc(s->n, sizeof *s->targets);
    s->polled = calloc(s->n + 1, sizeof *s->polled);
    if (!s->targets || !s->polled) {
        pk_fail(s->err, PK_E_LIMIT, NULL, "no memory for attaching");
        s->n = 0;
        return false;
    }
    for (size_t i = 0; i < s->n; i++) {
        s->targets[i].pidfd = -1;
        pk_bpf_space_init(&s->targets[i].space, s->options->pids[i], (uint32_t)i);
    }
    s->probe = pk_bpf_probe_new(s->n, s->err);
    s->tables = s->probe ? pk_bpf_tables_new(s->probe, s->options->debug_folders, s->err) : NULL;
    if (!s->tables || !pk_bpf_stacks_init(&s->stacks, s->err)) return false;
    for (size_t i = 0; i < s->n; i++)
        if (!begin(s, &s->targets[i])) return false;
    s->n_running = s->n;
    return true;
}

/* ---- counting ---- */

static bool on_stack(void *context, const pk_bpf_stack *stack, const uint64_t *frames) {
    session *s = context;
    return pk_bpf_stacks_add(&s->stacks, stack, frames);
}

/* Over long runs every second moment goes, and the next ones come half as often. */
static void thin_out(session *s) {
    pk_array *moments = &s->result->moments;
    for (size_t i = 0; i < moments->count / 2; i++)
        PK_AT(moments, pk_alloc_moment, i) = PK_AT(moments, pk_alloc_moment, 2 * i + 1);
    moments->count /= 2;
    s->timeline_ns *= 2;
}

static void add_moment(session *s, uint64_t now_ns) {
    uint64_t rss = 0, calls = 0, bytes = 0;
    pk_bpf_probe_totals(s->probe, &s->totals);
    pk_bpf_probe_sizes(s->probe, s->sizes);
    for (size_t i = 0; i < PK_IMAGE_SIZE_CLASSES; i++) {
        calls += s->sizes[i].calls;
        bytes += s->sizes[i].bytes;
    }
    for (size_t i = 0; i < s->n; i++)
        if (!s->targets[i].ended) rss += resident_bytes(s->targets[i].space.pid);
    if (s->result->moments.count >= MOMENTS_MAX) thin_out(s);
    pk_alloc_moment *moment = pk_array_push(&s->result->moments);
    if (moment)
        *moment =
            (pk_alloc_moment){.time_ns = now_ns, .calls = calls, .bytes = bytes, .rss_bytes = rss};
}

/* Code that a stack led to and that was not known makes us look at once. */
static bool look_at_all(session *s, uint64_t now_ns, uint64_t unmapped_before) {
    if (now_ns < s->next_look_ns && s->totals.unmapped == unmapped_before) return true;
    for (size_t i = 0; i < s->n; i++)
        if (!s->targets[i].ended && !look(s, &s->targets[i])) return false;
    uint64_t done_ns = pk_now_ns(), pause_ns = (done_ns - now_ns) * MAPS_SHARE;
    s->next_look_ns = done_ns + (pause_ns > MAPS_NS ? pause_ns : MAPS_NS);
    return true;
}

static bool tick(session *s, uint64_t now_ns) {
    uint64_t unmapped = s->totals.unmapped;
    add_moment(s, now_ns);
    s->next_moment_ns = now_ns + s->timeline_ns;
    if (!pk_bpf_probe_stacks(s->probe, on_stack, s)) {
        pk_fail(s->err, PK_E_LIMIT, NULL, "no memory for stacks");
        return false;
    }
    return look_at_all(s, now_ns, unmapped);
}

static void note_ends(session *s, uint64_t now_ns) {
    for (size_t i = 0; i < s->n; i++) {
        target *t = &s->targets[i];
        if (t->ended || !(s->polled[i].revents & (POLLIN | POLLHUP | POLLERR))) continue;
        t->ended = true;
        t->ended_ns = now_ns;
        s->polled[i].fd = -1;
        s->n_running--;
    }
}

static int wait_ms(const session *s, uint64_t now_ns) {
    uint64_t until_ns = s->next_moment_ns < s->end_ns ? s->next_moment_ns : s->end_ns;
    return until_ns > now_ns ? (int)((until_ns - now_ns + 999999) / 1000000) : 0;
}

static bool count(session *s) {
    for (size_t i = 0; i < s->n; i++)
        s->polled[i] = (struct pollfd){.fd = s->targets[i].pidfd, .events = POLLIN};
    s->polled[s->n] = (struct pollfd){.fd = pk_interrupt_fd(s->interrupt), .events = POLLIN};
    for (;;) {
        uint64_t now_ns = pk_now_ns();
        if (pk_interrupt_signal(s->interrupt)) s->result->interrupted = true;
        if (s->result->interrupted || s->n_running == 0 || now_ns >= s->end_ns) return true;
        if (now_ns >= s->next_moment_ns && !tick(s, now_ns)) return false;
        int ready = poll(s->polled, s->n + 1, wait_ms(s, now_ns));
        if (ready > 0) note_ends(s, pk_now_ns());
        if (ready < 0 && errno != EINTR) {
            pk_fail(s->err, PK_E_SYS, NULL, "the processes cannot be watched");
            return false;
        }
    }
}

/* ---- the result ---- */

static bool on_count(void *context, uint64_t hash, const pk_bpf_count *c) {
    session *s = context;
    return pk_bpf_stacks_count(&s->stacks, hash, c);
}

static bool tell(session *s, const target *t) {
    pk_alloc_process process = {.pid = (uint32_t)t->space.pid,
                                .parent_pid = (uint32_t)t->parent_pid,
                                .name = t->name,
                                .exe = t->exe,
                                .started_ns = t->started_ns,
                                .ended_ns = t->ended ? t->ended_ns : UINT64_MAX,
                                .threads = (uint32_t)t->threads};
    pk_alloc_process *told = pk_collector_process(s->result->collector, &process, s->err);
    if (!told) return false;
    const char *slash = strrchr(t->object, '/');
    pk_collector_called(s->result->collector, slash ? slash + 1 : t->object);
    return pk_bpf_stacks_tell(&s->stacks, &t->space, s->result, told, s->err);
}

static void add_notes(session *s) {
    const pk_bpf_totals *t = &s->totals;
    pk_alloc_result *r = s->result;
    if (t->not_kept > 0)
        pk_alloc_note_add(r, "count for a shorter time with --duration",
                          "%" PRIu64 " calls were not counted: there were too many stacks",
                          t->not_kept);
    if (t->no_stack > 0)
        pk_alloc_note_add(r, NULL,
                          "%" PRIu64 " calls have no stack: their processor was taken from two "
                          "others in the middle of theirs",
                          t->no_stack);
    if (t->unmapped > 0)
        pk_alloc_note_add(r, NULL,
                          "%" PRIu64 " calls came through code that had been mapped just before; "
                          "their stacks end there",
                          t->unmapped);
    for (size_t i = 0; i < s->n; i++) {
        const pk_bpf_space *space = &s->targets[i].space;
        if (space->too_often)
            pk_alloc_note_add(r, NULL,
                              "process %d changes its mappings too often: what it mapped late is "
                              "not known",
                              (int)space->pid);
        if (space->left_out > 0)
            pk_alloc_note_add(r, NULL,
                              "process %d has %" PRIu32 " mappings of code more than can be known",
                              (int)space->pid, space->left_out);
    }
}

static bool finish(session *s) {
    uint64_t now_ns = pk_now_ns();
    pk_bpf_probe_detach(s->probe);
    add_moment(s, now_ns);
    if (!pk_bpf_probe_stacks(s->probe, on_stack, s)) {
        pk_fail(s->err, PK_E_LIMIT, NULL, "no memory for stacks");
        return false;
    }
    pk_bpf_stacks_sort(&s->stacks);
    if (!pk_bpf_probe_counts(s->probe, on_count, s)) {
        pk_fail(s->err, PK_E_LIMIT, NULL, "the counts cannot be read: no memory");
        return false;
    }
    for (size_t i = 0; i < PK_IMAGE_SIZE_CLASSES && !s->options->function; i++)
        s->result->sizes[i] = s->sizes[i].calls;
    for (size_t i = 0; i < s->n; i++)
        if (!tell(s, &s->targets[i])) return false;
    s->result->duration_ns = now_ns - s->started_ns;
    add_notes(s);
    return true;
}

static void end(session *s) {
    pk_bpf_probe_free(s->probe);
    pk_bpf_tables_free(s->tables);
    pk_bpf_stacks_fini(&s->stacks);
    for (size_t i = 0; i < s->n; i++) {
        if (s->targets[i].pidfd >= 0) close(s->targets[i].pidfd);
        pk_bpf_space_fini(&s->targets[i].space);
    }
    free(s->targets);
    free(s->polled);
}

bool pk_bpf_session(const pk_alloc_options *options, const pk_interrupt *interrupt,
                    pk_alloc_result *result, pk_err *err) {
    session s = {.options = options,
                 .interrupt = interrupt,
                 .result = result,
                 .err = err,
                 .timeline_ns = options->timeline_ns ? options->timeline_ns : TIMELINE_NS};
    bool ok = begin_all(&s);
    if (ok) {
        s.started_ns = pk_now_ns();
        s.end_ns = options->duration_ns ? s.started_ns + options->duration_ns : UINT64_MAX;
        result->started_unix_ns = pk_unix_ns();
        result->attached = true;
        result->live_known = false;
        result->backend = "bpf";
        if (options->attached) options->attached(options->context);
        ok = count(&s) && finish(&s);
    }
    end(&s);
    return ok;
}

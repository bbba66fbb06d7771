#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/units.h"
#include "flame/recorder_own.h"
#include "timing/clock.h"

enum {
    ROUND_MS = 100, /* rings are emptied at least so often; and whenever one is a quarter full */
    FULL_MS = 10,   /* between two looks when the sink does not keep up */
    EVENTS_AT_ONCE = 64
};

typedef enum source { OF_RING, OF_COMMAND, OF_PROCESS, OF_INTERRUPT, OF_FEED } source;

typedef struct watch {
    pk_own_recorder *own;
    int epoll_fd;
    size_t *polled;     /* for each CPU, the thread whose event tells of its ring */
    size_t n_processes; /* that still run */
    bool ended;
    pk_err *err;
} watch;

/* ---- what is waited for ---- */

static bool poll_for(watch *w, int fd, source what, size_t i) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)what << 32 | i};
    return fd < 0 || epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void no_longer(watch *w, int fd) {
    (void)epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

static bool poll_for_all(watch *w) {
    pk_own_recorder *own = w->own;
    bool ok = poll_for(w, pk_record_command_fd(&own->command), OF_COMMAND, 0) &&
              poll_for(w, pk_interrupt_fd(own->interrupt), OF_INTERRUPT, 0) &&
              poll_for(w, pk_feed_fd(own->feed), OF_FEED, 0);
    for (size_t i = 0; ok && i < own->pidfds.count; i++)
        ok = poll_for(w, PK_AT(&own->pidfds, int, i), OF_PROCESS, i);
    for (size_t i = 0; ok && i < own->sampler.cpus.count; i++)
        ok = poll_for(w, pk_sampler_poll_fd(&own->sampler, i, 0), OF_RING, i);
    w->n_processes = own->pidfds.count;
    return ok;
}

/* ---- emptying the rings ---- */

static bool take(void *context, const unsigned char *bytes, size_t n, pk_err *err) {
    pk_own_recorder *own = context;
    pk_record record;
    if (!pk_record_parse(&own->info.events, bytes, n, &record, err)) return false;
    if (pk_owners_twice(&own->sampler.owners, &record, bytes, n)) return true;
    if (record.type == PK_RECORD_LOST) own->lost_in_rings += record.lost;
    if (record.type == PK_RECORD_LOST_SAMPLES) own->lost_samples += record.lost;
    return pk_feed_push(own->feed, &record, bytes, n, err);
}

static void end(watch *w, pk_recording_end how) {
    if (w->ended) return;
    w->ended = true;
    /* The command may have ended by the same Ctrl-C. */
    bool stopped = how == PK_RECORDING_COMMAND && pk_interrupt_signal(w->own->interrupt) != 0;
    w->own->recording->end = stopped ? PK_RECORDING_STOPPED : how;
}

static void empty_rings(watch *w) {
    pk_own_recorder *own = w->own;
    for (size_t i = 0; i < own->sampler.cpus.count; i++) {
        const pk_ring *ring = &PK_AT(&own->sampler.cpus, pk_sampler_cpu, i).ring;
        if (!pk_ring_drain(ring, own->joined, take, own, w->err)) {
            w->ended = true; /* and be it after another end */
            own->recording->end = PK_RECORDING_RECORDER;
            return;
        }
    }
    pk_feed_round(own->feed);
}

/* ---- what can happen ---- */

/* The thread whose event we polled has ended, with all that it started. */
static void poll_next_thread(watch *w, size_t cpu) {
    const pk_sampler *sampler = &w->own->sampler;
    no_longer(w, pk_sampler_poll_fd(sampler, cpu, w->polled[cpu]));
    int fd = pk_sampler_poll_fd(sampler, cpu, ++w->polled[cpu]);
    if (fd >= 0) (void)poll_for(w, fd, OF_RING, cpu); /* else the ring is emptied each round */
}

static void process_ended(watch *w, size_t i) {
    int *fd = &PK_AT(&w->own->pidfds, int, i);
    no_longer(w, *fd);
    if (--w->n_processes == 0) end(w, PK_RECORDING_COMMAND);
}

static void handle(watch *w, const struct epoll_event *event) {
    size_t i = (size_t)(event->data.u64 & UINT32_MAX);
    switch ((source)(event->data.u64 >> 32)) {
    case OF_RING:
        if (event->events & (EPOLLHUP | EPOLLERR)) poll_next_thread(w, i);
        break;
    case OF_COMMAND:
        end(w, PK_RECORDING_COMMAND);
        break;
    case OF_PROCESS:
        process_ended(w, i);
        break;
    case OF_INTERRUPT:
        end(w, PK_RECORDING_STOPPED);
        break;
    case OF_FEED:
        end(w, PK_RECORDING_RECORDER);
        break;
    }
}

static void enable(pk_own_recorder *own, uint64_t now_ns) {
    pk_sampler_enable(&own->sampler);
    own->enable_at_ns = PK_NEVER_NS;
    own->begin_ns = now_ns;
    if (own->options->duration_ns > 0) own->end_at_ns = now_ns + own->options->duration_ns;
}

static int timeout_ms(const pk_own_recorder *own, bool full) {
    uint64_t now_ns = pk_now_ns();
    uint64_t until_ns = own->enable_at_ns < own->end_at_ns ? own->enable_at_ns : own->end_at_ns;
    uint64_t left_ms =
        until_ns > now_ns ? (until_ns - now_ns + PK_NS_PER_MS - 1) / PK_NS_PER_MS : 0;
    uint64_t round_ms = full ? FULL_MS : ROUND_MS;
    return (int)(left_ms < round_ms ? left_ms : round_ms);
}

static void watch_until_the_end(watch *w) {
    pk_own_recorder *own = w->own;
    while (!w->ended) {
        struct epoll_event events[EVENTS_AT_ONCE];
        bool full = pk_feed_full(own->feed);
        int n = epoll_wait(w->epoll_fd, events, EVENTS_AT_ONCE, timeout_ms(own, full));
        uint64_t now_ns = pk_now_ns();
        if (now_ns >= own->enable_at_ns) enable(own, now_ns);
        for (int i = 0; i < n; i++) handle(w, &events[i]);
        if (now_ns >= own->end_at_ns) end(w, PK_RECORDING_DURATION);
        if (!full && !w->ended) empty_rings(w);
    }
}

/* ---- the whole of it ---- */

/* With a command the clock begins when it does: read before it is released, since we may be told of
 * its exec only when it has run for a while. Sampling of a whole machine begins a little before. */
static bool begin(pk_own_recorder *own, pk_err *err) {
    uint64_t delay_ns = own->options->delay_ns;
    bool on_exec = own->options->argv && !own->options->all_cpus && delay_ns == 0;
    own->enable_at_ns = own->end_at_ns = PK_NEVER_NS;
    pk_record_tell(own->options, NULL);
    if (delay_ns == 0 && !on_exec) enable(own, pk_now_ns());
    uint64_t now_ns = pk_now_ns();
    if (!pk_record_command_release(&own->command, own->recording, err)) return false;
    if (delay_ns > 0) own->enable_at_ns = own->begin_ns = now_ns + delay_ns;
    if (on_exec) {
        own->begin_ns = now_ns;
        if (own->options->duration_ns > 0) own->end_at_ns = now_ns + own->options->duration_ns;
    }
    return true;
}

bool pk_own_run(pk_own_recorder *own, pk_err *err) {
    watch w = {.own = own,
               .epoll_fd = epoll_create1(EPOLL_CLOEXEC),
               .polled = calloc(own->sampler.cpus.count, sizeof(size_t)),
               .err = err};
    bool ok = w.epoll_fd >= 0 && w.polled && poll_for_all(&w);
    if (!ok) {
        pk_fail(err, PK_E_SYS, NULL, "cannot watch what is recorded (epoll)");
        pk_fix(err, "raise the limit on open files (ulimit -n)");
    }
    ok = ok && begin(own, err);
    if (ok) {
        watch_until_the_end(&w);
        pk_sampler_disable(&own->sampler);
        uint64_t end_ns = pk_now_ns();
        own->recording->end_ns = end_ns;
        if (end_ns > own->begin_ns) own->recording->duration_ns = end_ns - own->begin_ns;
        if (own->recording->end != PK_RECORDING_RECORDER) empty_rings(&w);
    }
    if (w.epoll_fd >= 0) close(w.epoll_fd);
    free(w.polled);
    return ok;
}

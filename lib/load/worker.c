#include "load/worker.h"

#include <stdlib.h>
#include <unistd.h>

#include "load/gather.h"
#include "timing/clock.h"

#define CONNECTING_MAX 256u /* more at once only fill the server's accept queue */
#define BACKOFF_FIRST_NS 1000000ull
#define BACKOFF_MAX_NS 100000000ull
#define CENSORED_RECORDS_MAX 1000000ull
/* Waking up from a wait takes longer than 50 us on a virtual machine whose CPU had gone to sleep
 * (median of 300 waits of 10 ms), so the wait for a due request ends early and the rest is spent
 * looking for events without waiting: the median lateness is then below 1 us. It may cost a
 * twentieth of a CPU at most. */
#define SPIN_MAX_NS 100000ull
#define SPIN_PART 20

typedef struct slot_state {
    uint64_t start_ns;   /* of the request in flight */
    uint64_t due_ns;     /* its intended start */
    uint64_t idle_ns;    /* since when it is idle */
    uint64_t retry_ns;   /* waiting: until when */
    uint64_t backoff_ns; /* the last wait; 0 after an answer */
    bool is_active;
} slot_state;

/* First in, first out: the connection that has been idle longest goes next. */
typedef struct slot_queue {
    uint32_t *slots; /* capacity: all slots */
    uint32_t first, count, capacity;
} slot_queue;

struct pk_worker {
    pk_worker_config config;
    pthread_t thread;
    pk_engine *engine;
    pk_tally *tally;
    slot_state *state;
    slot_queue warm, cold, waiting;
    uint32_t *queue_memory;
    uint64_t start_ns, deadline_ns; /* deadline UINT64_MAX: none */
    uint64_t woke_ns;               /* when the last wait for events returned; 0: not yet */
    uint64_t now_ns;                /* the last reading of the clock, at most a batch old */
    uint64_t spin_ns;               /* a wait for a due request ends so much earlier */
    pk_gather gather;
    uint64_t found;    /* answers and errors in the last look for them */
    uint64_t pause_ns; /* before the next one */
    pk_worker_report report;
    bool failed;
    pk_err err;
};

static void queue_push(slot_queue *q, uint32_t slot) {
    uint32_t end = q->first + q->count++;
    q->slots[end < q->capacity ? end : end - q->capacity] = slot;
}

static uint32_t queue_pop(slot_queue *q) {
    uint32_t slot = q->slots[q->first];
    q->first = q->first + 1 < q->capacity ? q->first + 1 : 0;
    q->count--;
    return slot;
}

static void finish_backoffs(pk_worker *w, uint64_t now_ns) {
    for (uint32_t left = w->waiting.count; left > 0; left--) {
        uint32_t slot = queue_pop(&w->waiting);
        slot_state *s = &w->state[slot];
        bool is_over = s->retry_ns <= now_ns;
        if (is_over) s->idle_ns = s->retry_ns;
        queue_push(is_over ? &w->cold : &w->waiting, slot);
    }
}

static uint64_t first_retry_ns(const pk_worker *w) {
    uint64_t first = UINT64_MAX;
    for (uint32_t i = 0; i < w->waiting.count; i++) {
        const slot_queue *q = &w->waiting;
        uint64_t retry = w->state[q->slots[(q->first + i) % q->capacity]].retry_ns;
        if (retry < first) first = retry;
    }
    return first;
}

/* A warm slot before a cold one: at a low rate only as many connections are opened as it needs. */
static bool pick_slot(pk_worker *w, uint32_t *slot) {
    if (w->warm.count) {
        *slot = queue_pop(&w->warm);
        return true;
    }
    if (!w->cold.count || w->config.ops->connecting(w->engine) >= CONNECTING_MAX) return false;
    *slot = queue_pop(&w->cold);
    return true;
}

/* What happens after the deadline is, for the average of what was in flight, as if at it. */
static uint64_t in_window_ns(const pk_worker *w, uint64_t moment_ns) {
    return moment_ns < w->deadline_ns ? moment_ns : w->deadline_ns;
}

static void send_one(pk_worker *w, uint32_t slot, uint64_t due_ns) {
    pk_tally *t = w->tally;
    slot_state *s = &w->state[slot];
    s->start_ns = w->config.ops->submit(w->engine, slot);
    s->due_ns = due_ns ? due_ns : s->start_ns;
    s->is_active = true;
    t->sent++;
    pk_tally_in_flight(t, in_window_ns(w, s->start_ns), +1);
    if (!due_ns) return;
    /* our own lateness: not the time in which every connection was busy with the server */
    uint64_t could_ns = s->idle_ns > due_ns ? s->idle_ns : due_ns;
    pk_hist_record(t->hist[PK_TALLY_LAG], s->start_ns > could_ns ? s->start_ns - could_ns : 0);
}

/* So much that SPIN_PART of this thread's time is not exceeded. */
static uint64_t spin_ns(const pk_schedule *schedule) {
    if (schedule->rate_hz <= 0) return 0;
    double part_ns = (double)schedule->step / schedule->rate_hz * 1e9 / SPIN_PART;
    return part_ns < (double)SPIN_MAX_NS ? (uint64_t)part_ns : SPIN_MAX_NS;
}

/* Until when to wait for events when the next request is due then; 0: not at all. */
static uint64_t wait_for_due(const pk_worker *w, uint64_t due_ns, uint64_t now_ns) {
    return due_ns > now_ns + w->spin_ns ? due_ns - w->spin_ns : 0;
}

/* Sends what is due and has a free slot; returns until when the loop may wait for events. */
static uint64_t send_due(pk_worker *w, uint64_t now_ns) {
    pk_schedule *schedule = &w->config.schedule;
    uint32_t slot;
    while (pk_schedule_left(schedule) && now_ns < w->deadline_ns) {
        uint64_t due_ns = pk_schedule_next_ns(schedule);
        if (due_ns > now_ns)
            return w->warm.count + w->cold.count && due_ns < w->deadline_ns
                       ? wait_for_due(w, due_ns, now_ns)
                       : w->deadline_ns;
        if (!pick_slot(w, &slot)) break;
        pk_schedule_take(schedule);
        send_one(w, slot, due_ns);
        now_ns = w->state[slot].start_ns;
    }
    return w->deadline_ns;
}

static bool has_latency(const pk_completion *c) {
    return c->error == PK_LOAD_NO_ERROR || c->error == PK_LOAD_E_TIMEOUT;
}

static void slot_done(pk_worker *w, const pk_completion *c) {
    slot_state *s = &w->state[c->slot];
    s->is_active = false;
    s->idle_ns = c->end_ns;
    if (c->error == PK_LOAD_NO_ERROR) {
        s->backoff_ns = 0;
        queue_push(&w->warm, c->slot);
    } else if (has_latency(c)) {
        queue_push(&w->cold, c->slot);
    } else {
        s->backoff_ns = s->backoff_ns ? 2 * s->backoff_ns : BACKOFF_FIRST_NS;
        if (s->backoff_ns > BACKOFF_MAX_NS) s->backoff_ns = BACKOFF_MAX_NS;
        s->retry_ns = c->end_ns + s->backoff_ns;
        queue_push(&w->waiting, c->slot);
    }
}

/* Lets answers gather; returns the moment behind it. */
static uint64_t pause_before_look(pk_worker *w, uint64_t now_ns, uint64_t until_ns) {
    if (w->pause_ns == 0 || now_ns + w->pause_ns > until_ns) return now_ns;
    pk_sleep_until_ns(now_ns + w->pause_ns);
    uint64_t end_ns = pk_now_ns();
    w->report.paused_ns += end_ns - now_ns;
    return end_ns;
}

static void take_completions(pk_worker *w, const pk_completion done[], size_t n) {
    pk_tally *t = w->tally;
    uint64_t fastest_ns = UINT64_MAX;
    for (size_t i = 0; i < n; i++) {
        const pk_completion *c = &done[i];
        uint64_t took_ns = c->end_ns - c->start_ns;
        if (took_ns < fastest_ns) fastest_ns = took_ns;
        pk_tally_completion(t, c, w->state[c->slot].due_ns, w->start_ns,
                            c->end_ns <= w->deadline_ns);
        pk_tally_in_flight(t, in_window_ns(w, c->end_ns), -1);
        slot_done(w, c);
    }
    if (n > 0 && done[n - 1].end_ns > w->now_ns) w->now_ns = done[n - 1].end_ns;
    w->found = n;
    bool may_pause = w->config.schedule.rate_hz <= 0 && !t->window_over &&
                     w->config.ops->connecting(w->engine) == 0;
    w->pause_ns = may_pause ? pk_gather_pause_ns(&w->gather, n, fastest_ns, t->in_flight) : 0;
}

static void poll_once(pk_worker *w, uint64_t until_ns) {
    pk_tally *t = w->tally;
    uint64_t worked_until_ns = pk_now_ns();
    const pk_completion *done;
    pk_tally_publish(t);
    if (w->woke_ns) {
        pk_hist_record(t->hist[PK_TALLY_LOOP], worked_until_ns - w->woke_ns);
        pk_gather_worked(&w->gather, w->found, worked_until_ns - w->woke_ns);
    }
    pk_wait wait = {.now_ns = pause_before_look(w, worked_until_ns, until_ns),
                    .until_ns = until_ns};
    size_t n = w->config.ops->poll(w->engine, &wait, &done);
    w->woke_ns = w->now_ns = wait.woke_ns;
    if (until_ns == 0 && n == 0) { /* no work and no wait: it belongs to neither figure */
        w->report.spun_ns += wait.woke_ns - wait.now_ns;
        w->woke_ns = 0;
    }
    take_completions(w, done, n);
}

static bool must_stop(const pk_worker *w) {
    return atomic_load_explicit(w->config.stop, memory_order_relaxed) != 0;
}

static void run_window(pk_worker *w) {
    w->now_ns = pk_now_ns();
    for (;;) {
        if (must_stop(w) || w->now_ns >= w->deadline_ns) return;
        finish_backoffs(w, w->now_ns);
        uint64_t until_ns = send_due(w, w->now_ns);
        if (!pk_schedule_left(&w->config.schedule) && w->tally->in_flight == 0) return;
        uint64_t retry_ns = first_retry_ns(w);
        poll_once(w, until_ns < retry_ns ? until_ns : retry_ns);
    }
}

static uint64_t window_end_ns(const pk_worker *w) {
    uint64_t now_ns = pk_now_ns();
    if (now_ns >= w->deadline_ns) return w->deadline_ns;
    return must_stop(w) ? now_ns : w->tally->last_end_ns;
}

/* Tickets that were due but found no free connection: they waited at least until now. Leaving
 * them out would make a server that stalls to the end look good. */
static void count_never_sent(pk_worker *w, uint64_t end_ns) {
    pk_schedule *schedule = &w->config.schedule;
    pk_tally *t = w->tally;
    uint64_t n = pk_schedule_backlog(schedule, end_ns - 1); /* due at the end: not in the run */
    if (n == 0) return;
    t->never_sent = n;
    t->never_sent_oldest_ns = end_ns - pk_schedule_next_ns(schedule);
    uint64_t stride = n / CENSORED_RECORDS_MAX + 1;
    for (uint64_t i = 0; i < n; i += stride) {
        uint64_t due_ns = pk_schedule_due_ns(schedule, schedule->next + i * schedule->step);
        uint64_t weight = n - i < stride ? n - i : stride;
        pk_hist_record_n(t->hist[PK_TALLY_RESPONSE], end_ns - due_ns, weight);
    }
}

static void abort_rest(pk_worker *w, uint64_t end_ns) {
    pk_tally *t = w->tally;
    for (uint32_t i = 0; i < w->config.n_slots; i++) {
        slot_state *s = &w->state[i];
        if (!s->is_active) continue;
        uint64_t age_ns = end_ns > s->start_ns ? end_ns - s->start_ns : 0;
        if (age_ns > t->aborted_oldest_ns) t->aborted_oldest_ns = age_ns;
        t->aborted++;
        s->is_active = false;
        w->config.ops->abort(w->engine, i);
    }
    if (t->aborted)
        pk_tally_error(t, must_stop(w) ? PK_LOAD_E_INTERRUPTED : PK_LOAD_E_DEADLINE, 0, t->aborted);
}

static void measure(pk_worker *w) {
    pk_cpu_usage before, after;
    uint64_t waited_before_ns, waited_after_ns;
    pk_counters counters;
    pk_tally *t = w->tally;
    pk_timer_slack_minimal();
    pk_counters_open_thread(&counters);
    w->spin_ns = spin_ns(&w->config.schedule);
    bool waits_known = pk_cpu_thread_wait(&waited_before_ns);
    pk_cpu_thread(&before);
    t->window_start_ns = w->start_ns;
    run_window(w);
    uint64_t end_ns = window_end_ns(w);
    pk_tally_window_end(t, end_ns); /* the drain is no part of it */
    pk_cpu_thread(&after);
    w->report.cpu_wait_known = waits_known && pk_cpu_thread_wait(&waited_after_ns);
    if (w->report.cpu_wait_known) w->report.cpu_wait_ns = waited_after_ns - waited_before_ns;
    pk_counters_read(&counters, &w->report.counters);
    pk_counters_close(&counters);
    w->report.cpu = pk_cpu_usage_between(&before, &after);
    w->report.window_end_ns = end_ns;
    if (w->config.schedule.rate_hz > 0) count_never_sent(w, end_ns);
    w->woke_ns = 0;
    while (w->config.wait_ongoing && t->in_flight && !must_stop(w)) poll_once(w, UINT64_MAX);
    w->report.drain_end_ns = w->config.wait_ongoing ? pk_now_ns() : end_ns;
    abort_rest(w, end_ns);
    pk_tally_publish(t);
}

/* True when the gate opened. */
static bool wait_at_gate(pk_gate *gate, uint64_t *start_ns) {
    pthread_mutex_lock(&gate->mutex);
    gate->n_ready++;
    pthread_cond_broadcast(&gate->changed);
    while (gate->state == PK_GATE_SHUT) pthread_cond_wait(&gate->changed, &gate->mutex);
    bool open = gate->state == PK_GATE_OPEN;
    *start_ns = gate->start_ns;
    pthread_mutex_unlock(&gate->mutex);
    return open;
}

static void *worker_main(void *context) {
    pk_worker *w = context;
    const uint64_t one = 1;
    w->engine = w->config.ops->open(w->config.plan, w->config.n_slots, w->config.first_slot,
                                    w->config.wake_fd, &w->err);
    w->failed = w->engine == NULL;
    if (wait_at_gate(w->config.gate, &w->start_ns) && !w->failed) {
        w->config.schedule.start_ns = w->start_ns;
        w->deadline_ns = w->config.duration_ns ? w->start_ns + w->config.duration_ns : UINT64_MAX;
        measure(w);
    }
    if (w->engine) w->config.ops->close(w->engine, &w->report.totals);
    /* an eventfd takes 8 bytes whole; nothing could be done if it did not */
    ssize_t ignored = write(w->config.done_fd, &one, sizeof one);
    (void)ignored;
    return NULL;
}

static void worker_free(pk_worker *w) {
    free(w->state);
    free(w->queue_memory);
    pk_tally_free(w->tally);
    free(w);
}

static bool worker_allocate(pk_worker *w, pk_err *err) {
    uint32_t n = w->config.n_slots;
    w->tally = pk_tally_new(w->config.schedule.rate_hz > 0, err);
    if (!w->tally) return false;
    w->state = calloc(n, sizeof *w->state);
    w->queue_memory = calloc(3 * (size_t)n, sizeof *w->queue_memory);
    if (!w->state || !w->queue_memory) {
        pk_fail(err, PK_E_LIMIT, NULL, "out of memory for %u connections", n);
        return false;
    }
    w->warm = (slot_queue){.slots = w->queue_memory, .capacity = n};
    w->cold = (slot_queue){.slots = w->queue_memory + n, .capacity = n};
    w->waiting = (slot_queue){.slots = w->queue_memory + 2 * (size_t)n, .capacity = n};
    for (uint32_t i = 0; i < n; i++) queue_push(&w->cold, i);
    return true;
}

pk_worker *pk_worker_start(const pk_worker_config *config, pk_err *err) {
    pk_worker *w = calloc(1, sizeof *w);
    if (!w) {
        pk_fail(err, PK_E_LIMIT, NULL, "out of memory for a thread");
        return NULL;
    }
    w->config = *config;
    if (!worker_allocate(w, err)) {
        worker_free(w);
        return NULL;
    }
    int code = pthread_create(&w->thread, NULL, worker_main, w);
    if (code != 0) {
        pk_fail(err, PK_E_LIMIT, NULL, "cannot start a thread (error %d)", code);
        pk_fix(err, "lower --threads");
        worker_free(w);
        return NULL;
    }
    return w;
}

const pk_tally *pk_worker_tally(const pk_worker *w) {
    return w->tally;
}

bool pk_worker_finish(pk_worker *w, pk_worker_report *report, pk_err *err) {
    pthread_join(w->thread, NULL);
    bool ok = !w->failed;
    if (ok) {
        *report = w->report;
        report->tally = w->tally;
        w->tally = NULL;
    } else {
        *err = w->err;
    }
    worker_free(w);
    return ok;
}

#include "serve/timekeeper.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/units.h"
#include "serve/daemon.h"
#include "serve/head_deadline.h"
#include "timing/clock.h"

static const uint64_t note_interval_ns = PK_NS_PER_S;
static const uint64_t drain_interval_ns = 50 * PK_NS_PER_MS;
static const uint64_t starved_pause_ns = 100 * PK_NS_PER_MS;

enum { WAKE_FD, SIGNAL_FD, FIXED_FDS };

typedef struct keeper {
    pk_server *server;
    struct pollfd *fds; /* the fixed ones, then the listeners */
    bool full;          /* no room for another connection */
    bool limit_told;
    uint64_t starved_until_ns, starved_told_ns;
} keeper;

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

void pk_note(const pk_server *server, pk_serve_note level, const char *fmt, ...) {
    char line[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    if (server->hooks->note) server->hooks->note(server->hooks->context, level, line);
}

/* libmicrohttpd logs per connection: under load thousands of lines a second. One a second here. */
static void pass_log_on(pk_server *server) {
    char line[sizeof server->log_line];
    pthread_mutex_lock(&server->lock);
    uint64_t count = server->log_count;
    bool urgent = server->log_urgent;
    snprintf(line, sizeof line, "%s", server->log_line);
    server->log_count = 0;
    server->log_urgent = false;
    pthread_mutex_unlock(&server->lock);
    if (count == 0) return;
    pk_serve_note level = urgent ? PK_SERVE_WARNING : PK_SERVE_DETAIL;
    if (count == 1) pk_note(server, level, "libmicrohttpd: %s", line);
    else
        pk_note(server, level, "libmicrohttpd: %s (and %llu more messages)", line,
                (unsigned long long)(count - 1));
}

/* Within 1 % of the limit: whoever comes next may wait in the backlog, with no answer and no
 * error. Nobody else would say so. */
static void watch_limit(keeper *k) {
    pk_server *server = k->server;
    uint64_t limit = server->conns_limit;
    if (k->limit_told || pk_daemon_connections(server) < limit - limit / 100) return;
    k->limit_told = true;
    pk_note(server, PK_SERVE_WARNING,
            "the limit of %" PRIu64 " connections is reached: further clients wait without an "
            "answer; raise --max-connections or ulimit -n",
            limit);
}

/* Accepts what waits, unless there is no room for it or nothing to hold it with. */
static void accept_all(keeper *k, uint64_t now_ns) {
    k->full = false;
    if (now_ns < k->starved_until_ns) return;
    for (size_t i = 0; i < k->server->n_listeners; i++) {
        switch (pk_daemon_accept(k->server, &k->server->listeners[i])) {
        case PK_ACCEPT_FULL:
            k->full = true;
            break;
        case PK_ACCEPT_STARVED:
            k->starved_until_ns = now_ns + starved_pause_ns;
            if (now_ns >= k->starved_told_ns + note_interval_ns || !k->starved_told_ns) {
                k->starved_told_ns = now_ns;
                pk_note(k->server, PK_SERVE_WARNING, "cannot accept connections: %s",
                        strerror(errno));
            }
            break;
        default:
            break;
        }
    }
    watch_limit(k);
}

static bool is_readable(const struct pollfd *fd) {
    return fd->revents & (POLLIN | POLLERR | POLLHUP);
}

/* Sleeps until a moment, a connection, a wake-up or a signal; true for the signal. */
static bool sleep_until(keeper *k, uint64_t when_ns) {
    struct pollfd *listeners = k->fds + FIXED_FDS;
    uint64_t now = pk_now_ns();
    bool accepting = !k->full && now >= k->starved_until_ns;
    if (now < k->starved_until_ns) when_ns = least(when_ns, k->starved_until_ns);
    for (size_t i = 0; i < k->server->n_listeners; i++)
        listeners[i] =
            (struct pollfd){.fd = accepting ? k->server->listeners[i].fd : -1, .events = POLLIN};
    uint64_t left = when_ns > now ? when_ns - now : 0;
    struct timespec timeout = {.tv_sec = (time_t)(left / PK_NS_PER_S),
                               .tv_nsec = (long)(left % PK_NS_PER_S)};
    if (ppoll(k->fds, FIXED_FDS + k->server->n_listeners, &timeout, NULL) <= 0) return false;
    if (is_readable(&k->fds[WAKE_FD])) {
        uint64_t times;
        ssize_t n = read(k->server->wake_fd, &times, sizeof times);
        (void)n;
    }
    return is_readable(&k->fds[SIGNAL_FD]);
}

static void serve_until_signal(keeper *k) {
    pk_server *server = k->server;
    uint64_t look_interval = pk_head_deadline_interval_ns(server->options->head_timeout_ns);
    uint64_t next_look = 0, next_note = 0, next_due;
    do {
        uint64_t now = pk_now_ns();
        next_due = pk_suspended_run(&server->suspended, now, false);
        accept_all(k, now);
        if (now >= next_look) {
            pk_heads_cut_late(server, now);
            next_look = now + look_interval;
        }
        if (now >= next_note) {
            pass_log_on(server);
            next_note = now + note_interval_ns;
        }
    } while (!sleep_until(k, least(next_due, least(next_look, next_note))));
}

/* The connections that wait in the backlogs are accepted yet: closing would reset them. */
static void stop_accepting(keeper *k) {
    for (size_t i = 0; i < k->server->n_listeners; i++) {
        pk_listener *listener = &k->server->listeners[i];
        while (pk_daemon_accept(k->server, listener) == PK_ACCEPT_MORE) continue;
        pk_listener_close(listener);
    }
    k->server->n_listeners = 0;
}

static void drain(keeper *k) {
    pk_server *server = k->server;
    uint64_t deadline = pk_now_ns() + server->options->drain_ns;
    atomic_store(&server->draining, true);
    atomic_store(&server->root_now, &server->root_last);
    stop_accepting(k);
    k->fds[SIGNAL_FD].fd = -1; /* stays readable */
    for (;;) {
        uint64_t now = pk_now_ns();
        uint64_t next_due = pk_suspended_run(&server->suspended, now, true);
        pk_heads_cut_late(server, now);
        pthread_mutex_lock(&server->lock);
        server->wants_room = true; /* the end of each connection wakes us */
        pthread_mutex_unlock(&server->lock);
        if (pk_daemon_connections(server) == 0 || now >= deadline) break;
        sleep_until(k, least(least(next_due, now + drain_interval_ns), deadline));
    }
    pass_log_on(server);
}

bool pk_keep_time(pk_server *server, pk_interrupt *intr, pk_err *err) {
    keeper k = {.server = server};
    k.fds = calloc(FIXED_FDS + server->n_listeners, sizeof *k.fds);
    if (!k.fds) {
        pk_fail(err, PK_E_LIMIT, NULL, "out of memory");
        return false;
    }
    k.fds[WAKE_FD] = (struct pollfd){.fd = server->wake_fd, .events = POLLIN};
    k.fds[SIGNAL_FD] = (struct pollfd){.fd = pk_interrupt_fd(intr), .events = POLLIN};
    pk_timer_slack_minimal(); /* delays end when they should, not up to 50 us later */
    serve_until_signal(&k);
    drain(&k);
    free(k.fds);
    return true;
}

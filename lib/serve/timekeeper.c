#include "serve/timekeeper.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>
#include "base/units.h"
#include "serve/daemon.h"
#include "serve/head_deadline.h"
#include "timing/clock.h"

static const uint64_t note_interval_ns = PK_NS_PER_S;
static const uint64_t drain_interval_ns = 50 * PK_NS_PER_MS;

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
static void watch_limits(pk_server *server) {
    for (size_t i = 0; i < server->n_doors; i++) {
        pk_door *door = &server->doors[i];
        if (door->limit_told || !door->daemon ||
            pk_daemon_connections(door) < door->limit - door->limit / 100)
            continue;
        door->limit_told = true;
        pk_note(server, PK_SERVE_WARNING,
                "%s has reached its limit of %u connections: further clients wait without an "
                "answer; raise --max-connections or ulimit -n",
                door->listener.url, door->limit);
    }
}

static bool is_readable(short revents) {
    return revents & (POLLIN | POLLERR | POLLHUP);
}

/* Sleeps until a moment, a wake-up or a signal; true for the signal. */
static bool sleep_until(const pk_server *server, int intr_fd, uint64_t when_ns) {
    struct pollfd fds[] = {{.fd = server->wake_fd, .events = POLLIN},
                           {.fd = intr_fd, .events = POLLIN}};
    uint64_t now = pk_now_ns();
    uint64_t left = when_ns > now ? when_ns - now : 0;
    struct timespec timeout = {.tv_sec = (time_t)(left / PK_NS_PER_S),
                               .tv_nsec = (long)(left % PK_NS_PER_S)};
    if (ppoll(fds, 2, &timeout, NULL) <= 0) return false;
    if (is_readable(fds[0].revents)) {
        uint64_t times;
        ssize_t n = read(server->wake_fd, &times, sizeof times);
        (void)n;
    }
    return is_readable(fds[1].revents);
}

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

void pk_keep_time(pk_server *server, pk_interrupt *intr) {
    uint64_t look_interval = pk_head_deadline_interval_ns(server->options->head_timeout_ns);
    uint64_t next_look = 0, next_note = 0, next_due;
    pk_timer_slack_minimal(); /* delays end when they should, not up to 50 us later */
    do {
        uint64_t now = pk_now_ns();
        next_due = pk_suspended_run(&server->suspended, now, false);
        if (now >= next_look) {
            pk_heads_cut_late(server, now);
            watch_limits(server);
            next_look = now + look_interval;
        }
        if (now >= next_note) {
            pass_log_on(server);
            next_note = now + note_interval_ns;
        }
    } while (
        !sleep_until(server, pk_interrupt_fd(intr), least(next_due, least(next_look, next_note))));
}

static uint64_t open_connections(pk_server *server) {
    pthread_mutex_lock(&server->lock);
    uint64_t open = server->conns_open;
    pthread_mutex_unlock(&server->lock);
    return open;
}

void pk_drain(pk_server *server) {
    uint64_t deadline = pk_now_ns() + server->options->drain_ns;
    atomic_store(&server->draining, true);
    atomic_store(&server->root_now, &server->root_last);
    for (size_t i = 0; i < server->n_doors; i++) pk_daemon_quiesce(&server->doors[i]);
    for (;;) {
        uint64_t now = pk_now_ns();
        uint64_t next_due = pk_suspended_run(&server->suspended, now, true);
        pk_heads_cut_late(server, now);
        if (open_connections(server) == 0 || now >= deadline) break;
        sleep_until(server, -1, least(least(next_due, now + drain_interval_ns), deadline));
    }
    pass_log_on(server);
}

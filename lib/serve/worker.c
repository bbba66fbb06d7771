#include "serve/worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "base/units.h"
#include "serve/exchange.h"
#include "serve/head_deadline.h"
#include "serve/prepare.h"
#include "timing/clock.h"

/* Few enough that what is due is not late behind a storm of connections. */
enum { ACCEPT_BATCH = 64 };
static const uint64_t drain_interval_ns = 50 * PK_NS_PER_MS;
static const uint64_t starved_pause_ns = 100 * PK_NS_PER_MS;
static const uint64_t serving_max_ns = 1 * PK_NS_PER_MS;

enum { MHD_FD, WAKE_FD, FIXED_FDS };

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* ---- the daemon ---- */

/* MHD counts whole seconds; 0 would be no timeout at all. */
static unsigned whole_seconds(uint64_t ns) {
    uint64_t s = ns / PK_NS_PER_S + (ns % PK_NS_PER_S != 0);
    return s < 1000000 ? (unsigned)s : 1000000;
}

static unsigned daemon_flags(const pk_serve_options *options) {
    /* EPOLL always: with select(), connections beyond descriptor 1023 are reset.
     * TURBO saves a wake-up per new connection, but then TLS ends without close_notify, which
     * clients take for a truncated answer. */
    unsigned flags =
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME;
    flags |= options->tls ? MHD_USE_TLS : MHD_USE_TURBO;
    if (options->no_date) flags |= MHD_USE_SUPPRESS_DATE_NO_CLOCK;
    return flags;
}

#if MHD_VERSION >= 0x00097701
#define OPTION_STRICT MHD_OPTION_CLIENT_DISCIPLINE_LVL
#else
#define OPTION_STRICT MHD_OPTION_STRICT_FOR_CLIENT
#endif

/* A callback in the field that MHD_OPTION_ARRAY has for the first of two pointers. */
#define CALLBACK(function) (intptr_t)(function)

static bool start_daemon(pk_worker *worker, pk_err *err) {
    pk_server *server = worker->server;
    const pk_serve_options *options = server->options;
    struct MHD_OptionItem items[] = {
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)options->conn_memory_bytes, NULL},
        /* Ours is the limit that counts, over all workers. MHD's default is 1020. */
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)server->conns_limit + 1, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)whole_seconds(options->idle_timeout_ns), NULL},
        {OPTION_STRICT, 1, NULL},
        {MHD_OPTION_URI_LOG_CALLBACK, CALLBACK(pk_exchange_line), worker},
        {MHD_OPTION_NOTIFY_COMPLETED, CALLBACK(pk_exchange_done), worker},
        {MHD_OPTION_NOTIFY_CONNECTION, CALLBACK(pk_exchange_connection), worker},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_KEY, 0, server->tls_key},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, server->tls_cert},
        {MHD_OPTION_HTTPS_PRIORITIES, 0,
         (void *)(uintptr_t) "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"},
        {MHD_OPTION_END, 0, NULL},
    };
    /* The logger first: what the options behind it complain about goes there too. */
    worker->daemon = MHD_start_daemon(
        daemon_flags(options), 0, NULL, NULL, pk_exchange_handle, worker,
        MHD_OPTION_EXTERNAL_LOGGER, pk_exchange_log, worker, MHD_OPTION_ARRAY, items,
        options->tls ? MHD_OPTION_ARRAY : MHD_OPTION_END, tls, MHD_OPTION_END);
    if (worker->daemon) return true;
    pthread_mutex_lock(&server->lock);
    pk_fail(err, PK_E_INPUT, options->cert, "cannot start the server: %s",
            server->log_count ? server->log_line : "libmicrohttpd does not say why");
    pthread_mutex_unlock(&server->lock);
    if (options->cert) pk_fix(err, "check that --cert and --key are PEM files of the same pair");
    else pk_fix(err, "fewer --threads may help");
    return false;
}

/* ---- new connections ---- */

/* Counts one more, unless there is no room. */
static bool take_place(pk_server *server) {
    if (atomic_fetch_add(&server->conns_present, 1) < server->conns_limit) return true;
    atomic_fetch_sub(&server->conns_present, 1);
    return false;
}

static void give_place_back(pk_server *server) {
    atomic_fetch_sub(&server->conns_present, 1);
}

/* Keeps the peak, and says when the limit is within 1 %. */
static void note_present(pk_server *server) {
    uint64_t present = atomic_load(&server->conns_present);
    uint64_t peak = atomic_load(&server->conns_peak);
    while (present > peak && !atomic_compare_exchange_weak(&server->conns_peak, &peak, present))
        continue;
    uint64_t limit = server->conns_limit;
    if (present >= limit - limit / 100 && !atomic_exchange(&server->limit_near, true))
        pk_wake(server->wake_fd);
}

void pk_serve_worker_leave(pk_worker *worker) {
    pk_server *server = worker->server;
    worker->left++;
    atomic_fetch_sub(&worker->load, 1);
    give_place_back(server);
    if (atomic_load(&server->draining)) pk_wake(server->wake_fd);
}

/* MHD closes what it does not take, and may or may not tell of that. */
static void add_own(pk_worker *worker, const pk_arrival *arrival) {
    uint64_t left = worker->left;
    const struct sockaddr *peer = (const struct sockaddr *)&arrival->peer;
    if (MHD_add_connection(worker->daemon, arrival->fd, peer, arrival->peer_bytes) != MHD_YES &&
        worker->left == left)
        pk_serve_worker_leave(worker);
}

static void add_to_other(pk_worker *worker, const pk_arrival *arrival) {
    pthread_mutex_lock(&worker->lock);
    pk_arrival *place = pk_array_push(&worker->inbox);
    if (place) *place = *arrival;
    pthread_mutex_unlock(&worker->lock);
    if (place) {
        pk_wake(worker->wake_fd);
    } else { /* no memory */
        close(arrival->fd);
        atomic_fetch_sub(&worker->load, 1);
        give_place_back(worker->server);
    }
}

/* The one with the fewest connections: one that stalls or is busy gets no more than its share. */
static pk_worker *least_loaded(pk_server *server, pk_worker *self) {
    pk_worker *best = self ? self : &server->workers[0];
    for (size_t i = 0; i < server->n_workers; i++)
        if (atomic_load_explicit(&server->workers[i].load, memory_order_relaxed) <
            atomic_load_explicit(&best->load, memory_order_relaxed))
            best = &server->workers[i];
    return best;
}

static bool is_starved(int why) {
    return why == EMFILE || why == ENFILE || why == ENOMEM || why == ENOBUFS;
}

pk_accept_result pk_accept_batch(pk_server *server, const pk_listener *listener, pk_worker *self) {
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        pk_arrival arrival = {.peer_bytes = sizeof arrival.peer};
        if (!take_place(server)) return PK_ACCEPT_FULL;
        arrival.fd = accept4(listener->fd, (struct sockaddr *)&arrival.peer, &arrival.peer_bytes,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (arrival.fd < 0) {
            int why = errno;
            give_place_back(server);
            if (is_starved(why)) return PK_ACCEPT_STARVED;
            /* EINVAL: the drain has shut it */
            if (why == EAGAIN || why == EINVAL) return PK_ACCEPT_DONE;
            continue; /* this one came to nothing (ECONNABORTED and the like, accept(2)) */
        }
        note_present(server);
        pk_worker *target = least_loaded(server, self);
        atomic_fetch_add(&target->load, 1);
        if (target == self) add_own(target, &arrival);
        else add_to_other(target, &arrival);
    }
    return PK_ACCEPT_MORE;
}

static void take_inbox(pk_worker *worker) {
    pk_array inbox;
    pthread_mutex_lock(&worker->lock);
    inbox = worker->inbox;
    worker->inbox = PK_ARRAY(pk_arrival, inbox.max_count);
    pthread_mutex_unlock(&worker->lock);
    for (size_t i = 0; i < inbox.count; i++) add_own(worker, &PK_AT(&inbox, pk_arrival, i));
    pk_array_fini(&inbox);
}

/* ---- the loop ---- */

static bool is_accepting(const pk_worker *worker) {
    const pk_server *server = worker->server;
    return worker->now_ns >= worker->starved_until_ns &&
           !atomic_load_explicit(&server->draining, memory_order_relaxed) &&
           atomic_load_explicit(&server->conns_present, memory_order_relaxed) < server->conns_limit;
}

/* Waits until MHD, a listener or another thread wants something, or when_ns. */
static void wait_for_work(pk_worker *worker, uint64_t when_ns) {
    pk_server *server = worker->server;
    MHD_UNSIGNED_LONG_LONG mhd_ms;
    uint64_t left = when_ns > worker->now_ns ? when_ns - worker->now_ns : 0;
    if (MHD_get_timeout(worker->daemon, &mhd_ms) == MHD_YES && mhd_ms < left / PK_NS_PER_MS)
        left = mhd_ms * PK_NS_PER_MS;
    bool accepting = is_accepting(worker);
    struct pollfd *listeners = worker->fds + FIXED_FDS;
    size_t n_listeners = accepting ? server->n_listeners : 0;
    for (size_t i = 0; i < n_listeners; i++)
        listeners[i] = (struct pollfd){.fd = server->listeners[i].fd, .events = POLLIN};
    struct timespec timeout = {.tv_sec = (time_t)(left / PK_NS_PER_S),
                               .tv_nsec = (long)(left % PK_NS_PER_S)};
    if (ppoll(worker->fds, FIXED_FDS + n_listeners, &timeout, NULL) <= 0) return;
    if (worker->fds[WAKE_FD].revents) {
        uint64_t times;
        ssize_t n = read(worker->wake_fd, &times, sizeof times);
        (void)n;
        take_inbox(worker);
    }
    for (size_t i = 0; i < n_listeners; i++)
        if (listeners[i].revents &&
            pk_accept_batch(server, &server->listeners[i], worker) == PK_ACCEPT_STARVED) {
            worker->starved_until_ns = worker->now_ns + starved_pause_ns;
            atomic_store(&server->starved, true);
        }
}

/* When there is something to do that nobody else wakes us for. */
static uint64_t next_moment(const pk_worker *worker) {
    uint64_t next = least(worker->next_look_ns, pk_suspended_next(&worker->suspended));
    if (worker->starved_until_ns > worker->now_ns) next = least(next, worker->starved_until_ns);
    return next;
}

/* While requests come, MHD's own look for the next ones is enough: ours would be a second call for
 * the same answer, 1 % of what a request costs. But the listeners and the other threads wait. */
static bool can_skip_wait(const pk_worker *worker) {
    return worker->is_serving && worker->now_ns - worker->waited_ns < serving_max_ns;
}

/* One turn: what has come, what is due, what is late. */
static void turn(pk_worker *worker) {
    const pk_server *server = worker->server;
    if (!can_skip_wait(worker)) {
        worker->now_ns = pk_now_ns();
        wait_for_work(worker, next_moment(worker));
        worker->now_ns = worker->waited_ns = pk_now_ns();
    }
    bool draining = atomic_load_explicit(&server->draining, memory_order_relaxed);
    uint64_t interval = draining ? drain_interval_ns
                                 : pk_head_deadline_interval_ns(server->options->head_timeout_ns);
    worker->next_look_ns = least(worker->next_look_ns, worker->now_ns + interval);
    bool look = worker->now_ns >= worker->next_look_ns;
    pk_suspended_run(&worker->suspended, worker->now_ns, look && draining);
    if (look) {
        pk_heads_cut_late(worker, worker->now_ns);
        worker->next_look_ns = worker->now_ns + interval;
    }
    uint64_t ended = worker->ended;
    MHD_run(worker->daemon);
    worker->is_serving = worker->ended != ended;
}

static void *work(void *context) {
    pk_worker *worker = context;
    pk_timer_slack_minimal(); /* delays end when they should, not up to 50 us later */
    while (!atomic_load(&worker->server->stopping)) turn(worker);
    /* MHD may not meet a suspended connection when it stops. */
    pk_suspended_end(&worker->suspended);
    take_inbox(worker);
    MHD_stop_daemon(worker->daemon);
    worker->daemon = NULL;
    return NULL;
}

/* ---- begin and end ---- */

void pk_serve_worker_init(pk_worker *worker, pk_server *server, pk_counters *counters) {
    *worker = (pk_worker){.server = server,
                          .counters = counters,
                          .wake_fd = -1,
                          .lock = PTHREAD_MUTEX_INITIALIZER,
                          .inbox = PK_ARRAY(pk_arrival, server->conns_limit)};
}

bool pk_serve_worker_prepare(pk_worker *worker, pk_err *err) {
    const pk_server *server = worker->server;
    worker->fds = calloc(FIXED_FDS + server->n_listeners, sizeof *worker->fds);
    worker->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!worker->fds || worker->wake_fd < 0) {
        pk_fail(err, PK_E_SYS, NULL, "cannot make an event descriptor");
        pk_fix(err, "raise the limit on open files (ulimit -n)");
        return false;
    }
    if (!pk_prepare_answers(worker, err) || !start_daemon(worker, err)) return false;
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(worker->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    worker->fds[MHD_FD] = (struct pollfd){.fd = info ? info->epoll_fd : -1, .events = POLLIN};
    worker->fds[WAKE_FD] = (struct pollfd){.fd = worker->wake_fd, .events = POLLIN};
    return true;
}

/* Ctrl-C is for the thread of pk_serve_run. */
bool pk_serve_worker_start(pk_worker *worker, pk_err *err) {
    sigset_t ours, before;
    sigemptyset(&ours);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ours, &before);
    errno = pthread_create(&worker->thread, NULL, work, worker);
    worker->running = errno == 0;
    if (!worker->running) {
        pk_fail(err, PK_E_SYS, "--threads", "cannot start a thread");
        pk_fix(err, "choose fewer, or raise the limit on processes (ulimit -u)");
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return worker->running;
}

void pk_serve_worker_join(pk_worker *worker) {
    if (!worker->running) return;
    pk_wake(worker->wake_fd);
    pthread_join(worker->thread, NULL);
    worker->running = false;
}

void pk_serve_worker_fini(pk_worker *worker) {
    if (worker->daemon) MHD_stop_daemon(worker->daemon); /* its thread never ran */
    for (size_t i = 0; i < worker->inbox.count; i++) close(PK_AT(&worker->inbox, pk_arrival, i).fd);
    pk_array_fini(&worker->inbox);
    pk_prepare_fini(worker);
    pk_suspended_fini(&worker->suspended);
    free(worker->fds);
    if (worker->wake_fd >= 0) close(worker->wake_fd);
    pthread_mutex_destroy(&worker->lock);
}

/* From options to a result: sets the server up, lets it run, takes it down. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>
#include "base/descriptors.h"
#include "base/units.h"
#include "serve/listen.h"
#include "serve/pattern.h"
#include "serve/prepare.h"
#include "serve/server.h"
#include "serve/tls.h"
#include "serve/worker.h"
#include "timing/clock.h"
#include "timing/cpu.h"

static const char default_listen[] = "127.0.0.1:3000";
/* Descriptors that are no connections: listeners and files on their way; epoll and events. */
enum { RESERVED_FILES = 60, FILES_PER_THREAD = 4, CONNECTIONS_MAX = 4000000 };
static const uint64_t note_interval_ns = PK_NS_PER_S;
/* A drain that takes longer is told of. */
static const uint64_t drain_notice_ns = 200 * PK_NS_PER_MS;

void pk_wake(int event_fd) {
    /* Fails only when the counter is full: then who polls it is awake anyway. */
    ssize_t n = write(event_fd, &(uint64_t){1}, sizeof(uint64_t));
    (void)n;
}

void pk_note(const pk_server *server, pk_serve_note level, const char *fmt, ...) {
    char line[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    if (server->hooks->note) server->hooks->note(server->hooks->context, level, line);
}

bool pk_serve_check_listen(const char *text, pk_err *err) {
    pk_listen_address address;
    return pk_listen_parse(text, &address, err);
}

/* Raises the soft limit on descriptors, and sets the limit on connections by it. */
static bool limit_connections(pk_server *server, pk_err *err) {
    const pk_serve_options *options = server->options;
    struct rlimit files;
    (void)pk_descriptors_raise(NULL);
    if (getrlimit(RLIMIT_NOFILE, &files) < 0) {
        pk_fail(err, PK_E_SYS, NULL, "cannot read the limit on open files");
        return false;
    }
    uint64_t reserved = RESERVED_FILES + FILES_PER_THREAD * options->threads;
    uint64_t possible = files.rlim_cur == RLIM_INFINITY ? CONNECTIONS_MAX : files.rlim_cur;
    possible = possible > reserved ? possible - reserved : 0;
    if (possible > CONNECTIONS_MAX) possible = CONNECTIONS_MAX;
    uint64_t wanted = options->max_connections ? options->max_connections : possible;
    if (wanted > 0 && wanted <= possible) {
        server->conns_limit = wanted;
        return true;
    }
    if (wanted == 0) wanted = 1000;
    pk_fail(err, PK_E_LIMIT, "--max-connections",
            "only %" PRIu64 " connections fit into %" PRIu64 " open files", possible,
            (uint64_t)files.rlim_cur);
    pk_fix(err, "raise the limit with ulimit -n %" PRIu64, wanted + reserved);
    return false;
}

static bool open_listeners(pk_server *server, pk_err *err) {
    const pk_serve_options *options = server->options;
    const char *only[] = {default_listen};
    pk_text_list list = options->listen;
    if (list.count == 0 && !options->unix_socket) list = (pk_text_list){only, 1};
    server->listeners = calloc(list.count + 1, sizeof *server->listeners);
    if (!server->listeners) {
        pk_fail(err, PK_E_LIMIT, NULL, "out of memory");
        return false;
    }
    const char *scheme = options->tls ? "https" : "http";
    int backlog = (int)options->backlog;
    for (size_t i = 0; i < list.count; i++) {
        pk_listener *listener = &server->listeners[server->n_listeners];
        if (!pk_listener_open_tcp(list.items[i], scheme, backlog, listener, err)) return false;
        server->n_listeners++;
    }
    if (options->unix_socket) {
        pk_listener *listener = &server->listeners[server->n_listeners];
        if (!pk_listener_open_unix(options->unix_socket, backlog, listener, err)) return false;
        server->n_listeners++;
    }
    return true;
}

static bool prepare_tls(pk_server *server, pk_err *err) {
    const pk_serve_options *options = server->options;
    char fingerprint[PK_TLS_FINGERPRINT_MAX];
    if (!options->tls) return true;
    if (!pk_tls_supported()) {
        pk_fail(err, PK_E_UNSUPPORTED, "--tls", "libmicrohttpd was built without TLS here");
        pk_fix(err, "serve without --tls");
        return false;
    }
    if (options->cert)
        return pk_tls_read(options->cert, options->key, &server->tls_key, &server->tls_cert, err);
    if (!pk_tls_self_signed(&server->tls_key, &server->tls_cert, fingerprint, err)) return false;
    pk_note(server, PK_SERVE_DETAIL, "certificate: self-signed, SHA-256 %s", fingerprint);
    return true;
}

static bool prepare(pk_server *server, pk_err *err) {
    const pk_serve_options *options = server->options;
    server->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->wake_fd < 0 || server->stop_fd < 0) {
        pk_fail(err, PK_E_SYS, NULL, "cannot make an event descriptor");
        return false;
    }
    if (options->static_dir) {
        server->static_fd = open(options->static_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (server->static_fd < 0) {
            pk_fail(err, PK_E_SYS, options->static_dir, "cannot serve files from there");
            return false;
        }
    }
    server->started_ns = pk_now_ns();
    server->pattern = pk_pattern_map(options->max_bytes, err);
    return server->pattern && pk_prepare_body(server, err) && prepare_tls(server, err) &&
           limit_connections(server, err) && open_listeners(server, err);
}

static bool start_workers(pk_server *server, pk_err *err) {
    size_t n = (size_t)server->options->threads;
    server->workers = aligned_alloc(alignof(pk_worker), n * sizeof *server->workers);
    server->counters = pk_counters_new(n);
    if (!server->workers || !server->counters) {
        pk_fail(err, PK_E_LIMIT, NULL, "out of memory");
        return false;
    }
    for (size_t i = 0; i < n; i++)
        pk_serve_worker_init(&server->workers[i], server, &server->counters[i]);
    server->n_workers = n;
    for (size_t i = 0; i < n; i++)
        if (!pk_serve_worker_prepare(&server->workers[i], err)) return false;
    for (size_t i = 0; i < n; i++)
        if (!pk_serve_worker_start(&server->workers[i], err)) return false;
    return true;
}

static bool announce(const pk_server *server, pk_err *err) {
    const pk_serve_hooks *hooks = server->hooks;
    for (size_t i = 0; hooks->listening && i < server->n_listeners; i++)
        if (!hooks->listening(hooks->context, server->listeners[i].url, err)) return false;
    return true;
}

static void say_how(const pk_server *server) {
    const pk_serve_options *options = server->options;
    for (size_t i = 0; i < server->n_listeners; i++)
        if (!server->listeners[i].loopback)
            pk_note(server, PK_SERVE_WARNING,
                    "%s can be reached from other machines; everybody there may use it",
                    server->listeners[i].url);
    pk_note(server, PK_SERVE_DETAIL,
            "%" PRIu64 " thread%s, at most %" PRIu64 " connections of %" PRIu64
            " bytes each, libmicrohttpd %s",
            options->threads, options->threads > 1 ? "s" : "", server->conns_limit,
            options->conn_memory_bytes, MHD_get_version());
}

/* libmicrohttpd logs per connection: under load thousands of lines a second. One a second here. */
static void pass_log_on(pk_server *server) {
    char line[sizeof server->log_line];
    pthread_mutex_lock(&server->lock);
    uint64_t count = server->log_count;
    memcpy(line, server->log_line, sizeof line);
    server->log_count = 0;
    pthread_mutex_unlock(&server->lock);
    if (count == 1) pk_note(server, PK_SERVE_DETAIL, "libmicrohttpd: %s", line);
    if (count > 1)
        pk_note(server, PK_SERVE_DETAIL, "libmicrohttpd: %s (and %" PRIu64 " more messages)", line,
                count - 1);
}

/* Once: whoever waits in the backlog has neither an answer nor an error to tell of it. */
static void tell_of_limit(const pk_server *server) {
    pk_note(server, PK_SERVE_WARNING,
            "the limit of %" PRIu64 " connections is reached: further clients wait without an "
            "answer; raise --max-connections or ulimit -n",
            server->conns_limit);
}

static void tell_of_rest(pk_server *server) {
    pass_log_on(server);
    if (atomic_exchange(&server->starved, false))
        pk_note(server, PK_SERVE_WARNING,
                "no descriptors or memory left for another connection: clients wait");
}

/* Sleeps until a moment, a wake-up or (unless intr_fd is -1) a signal; true for the signal. */
static bool sleep_until(const pk_server *server, int intr_fd, uint64_t when_ns) {
    struct pollfd fds[] = {{.fd = server->wake_fd, .events = POLLIN},
                           {.fd = intr_fd, .events = POLLIN}};
    uint64_t now = pk_now_ns();
    uint64_t left = when_ns > now ? when_ns - now : 0;
    struct timespec timeout = {.tv_sec = (time_t)(left / PK_NS_PER_S),
                               .tv_nsec = (long)(left % PK_NS_PER_S)};
    if (ppoll(fds, 2, &timeout, NULL) <= 0) return false;
    if (fds[0].revents) {
        uint64_t times;
        ssize_t n = read(server->wake_fd, &times, sizeof times);
        (void)n;
    }
    return fds[1].revents != 0;
}

static void serve_until_signal(pk_server *server, pk_interrupt *intr) {
    bool limit_told = false;
    uint64_t next_note = 0;
    do {
        if (!limit_told && atomic_load(&server->limit_near)) {
            limit_told = true;
            tell_of_limit(server);
        }
        uint64_t now = pk_now_ns();
        if (now >= next_note) {
            tell_of_rest(server);
            next_note = now + note_interval_ns;
        }
    } while (!sleep_until(server, pk_interrupt_fd(intr), next_note));
}

/* New clients are refused at once. Those that wait in a backlog are taken yet: closing would reset
 * them. The descriptors stay open, shut: a worker may be about to poll them. */
static void stop_accepting(pk_server *server) {
    for (size_t i = 0; i < server->n_listeners; i++) {
        pk_listener *listener = &server->listeners[i];
        pk_listener_unlink(listener);
        while (pk_accept_batch(server, listener, NULL) == PK_ACCEPT_MORE) continue;
        shutdown(listener->fd, SHUT_RDWR);
    }
}

static void drain(pk_server *server) {
    uint64_t start = pk_now_ns();
    uint64_t deadline = start + server->options->drain_ns;
    uint64_t tell = start + drain_notice_ns;
    uint64_t left;
    atomic_store(&server->draining, true);
    stop_accepting(server);
    for (size_t i = 0; i < server->n_workers; i++) pk_wake(server->workers[i].wake_fd);
    while ((left = atomic_load(&server->conns_present)) > 0 && pk_now_ns() < deadline) {
        if (pk_now_ns() >= tell) {
            char time[PK_FORMAT_MAX];
            pk_format_duration(time, sizeof time, (double)server->options->drain_ns);
            pk_note(server, PK_SERVE_NOTICE,
                    "ending: %" PRIu64 " connection%s still open, for at most %s (--drain); a "
                    "second signal ends at once",
                    left, left == 1 ? "" : "s", time);
            tell = UINT64_MAX;
        }
        sleep_until(server, -1, tell < deadline ? tell : deadline);
    }
    tell_of_rest(server);
}

static void stop(pk_server *server) {
    atomic_store(&server->draining, true);
    atomic_store(&server->stopping, true);
    if (server->stop_fd >= 0) pk_wake(server->stop_fd);
    for (size_t i = 0; i < server->n_workers; i++) pk_serve_worker_join(&server->workers[i]);
    for (size_t i = 0; i < server->n_listeners; i++) pk_listener_close(&server->listeners[i]);
}

static void fini(pk_server *server) {
    for (size_t i = 0; i < server->n_workers; i++) pk_serve_worker_fini(&server->workers[i]);
    free(server->workers);
    free(server->counters);
    pk_strbuf_fini(&server->root_body);
    pk_pattern_unmap(server->pattern, server->options->max_bytes);
    if (server->static_fd >= 0) close(server->static_fd);
    if (server->wake_fd >= 0) close(server->wake_fd);
    if (server->stop_fd >= 0) close(server->stop_fd);
    free(server->listeners);
    free(server->tls_cert);
    if (server->tls_key) explicit_bzero(server->tls_key, strlen(server->tls_key));
    free(server->tls_key);
}

void pk_server_totals(const pk_server *server, pk_totals *totals) {
    *totals = (pk_totals){.started = 0};
    for (size_t i = 0; i < server->n_workers; i++) pk_counters_add(&server->counters[i], totals);
}

void pk_server_gauges(pk_server *server, pk_gauges *gauges) {
    pk_cpu_usage cpu;
    *gauges = (pk_gauges){
        .connections_limit = server->conns_limit,
        .draining = atomic_load(&server->draining),
        .uptime_s = (double)(pk_now_ns() - server->started_ns) / 1e9,
    };
    for (size_t i = 0; i < server->n_workers; i++)
        gauges->suspended += atomic_load(&server->workers[i].suspended.count);
    pk_cpu_process(&cpu);
    gauges->cpu_s = (double)(cpu.user_ns + cpu.system_ns) / 1e9;
    gauges->resident_bytes = pk_resident_bytes();
}

static void fill_result(const pk_server *server, uint64_t left, pk_serve_result *result) {
    pk_totals totals;
    pk_server_totals(server, &totals);
    *result = (pk_serve_result){
        .elapsed_ns = pk_now_ns() - server->started_ns,
        .scrapes = totals.scrapes,
        .body_bytes = totals.body_bytes,
        .connections = totals.opened,
        .connections_peak = atomic_load(&server->conns_peak),
        .connections_left = left,
    };
    memcpy(result->answered, totals.answered, sizeof result->answered);
    for (size_t i = 0; i < PK_STATUS_MAX; i++) result->requests += totals.answered[i];
    for (size_t i = 0; i < PK_ABORT_REASONS; i++) result->aborted += totals.aborted[i];
    for (size_t i = 0; i < PK_SERVE_FAULT_KINDS; i++) result->faults += totals.faults[i];
}

bool pk_serve_run(const pk_serve_options *options, const pk_serve_hooks *hooks, pk_interrupt *intr,
                  pk_serve_result *result, pk_err *err) {
    pk_server server = {
        .options = options,
        .hooks = hooks,
        .static_fd = -1,
        .stop_fd = -1,
        .wake_fd = -1,
        .faults = {.seed = options->seed},
        .lock = PTHREAD_MUTEX_INITIALIZER,
    };
    uint64_t left = 0;
    pk_strbuf_init(&server.root_body, PK_BODY_MAX);
    bool ok = prepare(&server, err) && start_workers(&server, err) && announce(&server, err);
    if (ok) {
        say_how(&server);
        serve_until_signal(&server, intr);
        drain(&server);
        left = atomic_load(&server.conns_present);
    }
    stop(&server);
    if (ok) fill_result(&server, left, result);
    fini(&server);
    return ok;
}

/* From options to a result: sets the server up, lets it run, takes it down. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>
#include "base/units.h"
#include "serve/daemon.h"
#include "serve/listen.h"
#include "serve/pattern.h"
#include "serve/prepare.h"
#include "serve/server.h"
#include "serve/timekeeper.h"
#include "serve/tls.h"
#include "timing/clock.h"
#include "timing/cpu.h"

static const char default_listen[] = "127.0.0.1:3000";
/* Descriptors beside the connections: listeners, epoll and event descriptors, files on their way.
 */
enum { RESERVED_FILES = 64, CONNECTIONS_MAX = 4000000 };

bool pk_serve_check_listen(const char *text, pk_err *err) {
    pk_listen_address address;
    return pk_listen_parse(text, &address, err);
}

/* Raises the soft limit on descriptors, and sets the limit on connections by it. */
static bool limit_connections(pk_server *server, pk_err *err) {
    const pk_serve_options *options = server->options;
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) < 0) {
        pk_fail(err, PK_E_SYS, NULL, "cannot read the limit on open files");
        return false;
    }
    if (files.rlim_cur < files.rlim_max) {
        struct rlimit raised = {.rlim_cur = files.rlim_max, .rlim_max = files.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0) files = raised;
    }
    uint64_t possible = files.rlim_cur == RLIM_INFINITY ? CONNECTIONS_MAX : files.rlim_cur;
    possible = possible > RESERVED_FILES ? possible - RESERVED_FILES : 0;
    if (possible > CONNECTIONS_MAX) possible = CONNECTIONS_MAX;
    server->conns_limit = options->max_connections ? options->max_connections : possible;
    if (server->conns_limit <= possible && possible > 0) return true;
    pk_fail(err, PK_E_LIMIT, "--max-connections",
            "%" PRIu64 " connections do not fit into %" PRIu64 " open files", server->conns_limit,
            (uint64_t)files.rlim_cur);
    pk_fix(err, "raise the limit with ulimit -n %" PRIu64, server->conns_limit + RESERVED_FILES);
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
    server->suspended.wake_fd = server->wake_fd;
    if (options->static_dir) {
        server->static_fd = open(options->static_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (server->static_fd < 0) {
            pk_fail(err, PK_E_SYS, options->static_dir, "cannot serve files from there");
            return false;
        }
    }
    server->pattern = pk_pattern_map(options->max_bytes, err);
    return server->pattern && pk_prepare_root(server, err) && prepare_tls(server, err) &&
           limit_connections(server, err) && open_listeners(server, err);
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

/* MHD may not meet a suspended connection or a sleeping handler when it stops. */
static void stop(pk_server *server) {
    atomic_store(&server->draining, true);
    atomic_store(&server->stopping, true);
    if (server->stop_fd >= 0) {
        ssize_t n = write(server->stop_fd, &(uint64_t){1}, sizeof(uint64_t));
        (void)n; /* cannot fail: the counter was 0 */
    }
    pk_suspended_end(&server->suspended);
    pk_daemon_stop(server);
    for (size_t i = 0; i < server->n_listeners; i++) pk_listener_close(&server->listeners[i]);
}

static void fini(pk_server *server) {
    pk_prepare_fini(server);
    pk_pattern_unmap(server->pattern, server->options->max_bytes);
    if (server->static_fd >= 0) close(server->static_fd);
    if (server->wake_fd >= 0) close(server->wake_fd);
    if (server->stop_fd >= 0) close(server->stop_fd);
    free(server->listeners);
    free(server->tls_cert);
    if (server->tls_key) explicit_bzero(server->tls_key, strlen(server->tls_key));
    free(server->tls_key);
    pk_suspended_fini(&server->suspended);
    pk_metrics_fini(&server->metrics);
}

static void fill_result(const pk_server *server, uint64_t started_ns, uint64_t left,
                        pk_serve_result *result) {
    pk_totals totals;
    pk_metrics_sum(&server->metrics, &totals);
    *result = (pk_serve_result){
        .elapsed_ns = pk_now_ns() - started_ns,
        .scrapes = totals.scrapes,
        .body_bytes = totals.body_bytes,
        .connections = totals.opened,
        .connections_peak = server->conns_peak,
        .connections_left = left,
    };
    memcpy(result->answered, totals.answered, sizeof result->answered);
    for (size_t i = 0; i < PK_STATUS_MAX; i++) result->requests += totals.answered[i];
    for (size_t i = 0; i < PK_ABORT_REASONS; i++) result->aborted += totals.aborted[i];
    for (size_t i = 0; i < PK_SERVE_FAULT_KINDS; i++) result->faults += totals.faults[i];
}

void pk_server_gauges(pk_server *server, pk_gauges *gauges) {
    pk_cpu_usage cpu;
    *gauges = (pk_gauges){
        .connections_limit = server->conns_limit,
        .suspended = pk_suspended_count(&server->suspended),
        .draining = atomic_load(&server->draining),
        .uptime_s = (double)(pk_now_ns() - server->started_ns) / 1e9,
    };
    pk_cpu_process(&cpu);
    gauges->cpu_s = (double)(cpu.user_ns + cpu.system_ns) / 1e9;
    gauges->resident_bytes = pk_resident_bytes();
}

bool pk_serve_run(const pk_serve_options *options, const pk_serve_hooks *hooks, pk_interrupt *intr,
                  pk_serve_result *result, pk_err *err) {
    pk_server server = {
        .options = options,
        .hooks = hooks,
        .started_ns = pk_now_ns(),
        .static_fd = -1,
        .stop_fd = -1,
        .wake_fd = -1,
        .faults = {.seed = options->seed},
        .lock = PTHREAD_MUTEX_INITIALIZER,
    };
    if (!pk_metrics_init(&server.metrics, err)) return false;
    pk_suspended_init(&server.suspended, -1);
    bool ok = prepare(&server, err) && pk_daemon_start(&server, err) && announce(&server, err);
    uint64_t left = 0;
    if (ok) {
        server.started_ns = pk_now_ns();
        say_how(&server);
        ok = pk_keep_time(&server, intr, err);
        left = pk_daemon_connections(&server);
    }
    stop(&server);
    if (ok) fill_result(&server, server.started_ns, left, result);
    fini(&server);
    return ok;
}

#include "serve/daemon.h"

#include <errno.h>
#include <sys/socket.h>
#include "base/units.h"
#include "serve/exchange.h"

/* Few enough that what is due is not late behind a storm of connections. */
enum { ACCEPT_BATCH = 64 };

/* MHD counts whole seconds; 0 would be no timeout at all. */
static unsigned whole_seconds(uint64_t ns) {
    uint64_t s = ns / PK_NS_PER_S + (ns % PK_NS_PER_S != 0);
    return s < 1000000 ? (unsigned)s : 1000000;
}

static unsigned daemon_flags(const pk_serve_options *options) {
    /* EPOLL always: with select(), connections beyond descriptor 1023 are reset.
     * ITC carries new and resumed connections to MHD's thread.
     * TURBO saves a wake-up per new connection, but then TLS ends without close_notify, which
     * clients take for a truncated answer. */
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_USE_ITC |
                     MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME;
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

bool pk_daemon_start(pk_server *server, pk_err *err) {
    const pk_serve_options *options = server->options;
    bool pool = options->threads > 1;
    struct MHD_OptionItem items[] = {
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)options->conn_memory_bytes, NULL},
        /* Ours is the limit that counts; MHD divides its own by the threads, and each must be able
         * to hold all. Its default is 1020. */
        {MHD_OPTION_CONNECTION_LIMIT,
         (intptr_t)((server->conns_limit + 1) * (options->threads + 1)), NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)whole_seconds(options->idle_timeout_ns), NULL},
        {OPTION_STRICT, 1, NULL},
        {MHD_OPTION_URI_LOG_CALLBACK, CALLBACK(pk_exchange_line), server},
        {MHD_OPTION_NOTIFY_COMPLETED, CALLBACK(pk_exchange_done), server},
        {MHD_OPTION_NOTIFY_CONNECTION, CALLBACK(pk_exchange_connection), server},
        {pool ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, (intptr_t)options->threads, NULL},
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
    server->daemon = MHD_start_daemon(
        daemon_flags(options), 0, NULL, NULL, pk_exchange_handle, server,
        MHD_OPTION_EXTERNAL_LOGGER, pk_exchange_log, server, MHD_OPTION_ARRAY, items,
        options->tls ? MHD_OPTION_ARRAY : MHD_OPTION_END, tls, MHD_OPTION_END);
    if (server->daemon) return true;
    pthread_mutex_lock(&server->lock);
    pk_fail(err, PK_E_INPUT, options->cert, "cannot start the server: %s",
            server->log_count ? server->log_line : "libmicrohttpd does not say why");
    pthread_mutex_unlock(&server->lock);
    if (options->cert) pk_fix(err, "check that --cert and --key are PEM files of the same pair");
    else pk_fix(err, "fewer --threads may help");
    return false;
}

void pk_daemon_stop(pk_server *server) {
    if (server->daemon) MHD_stop_daemon(server->daemon);
    server->daemon = NULL;
}

uint64_t pk_daemon_connections(pk_server *server) {
    /* What MHD drops for want of memory before it tells of it stays counted: the limit is then too
     * low by one, never too high. */
    pthread_mutex_lock(&server->lock);
    uint64_t present = server->accepted - server->conns_closed;
    pthread_mutex_unlock(&server->lock);
    return present;
}

static bool has_room(pk_server *server) {
    pthread_mutex_lock(&server->lock);
    bool room = server->accepted - server->conns_closed < server->conns_limit;
    server->wants_room = !room;
    pthread_mutex_unlock(&server->lock);
    return room;
}

static bool is_starved(int why) {
    return why == EMFILE || why == ENFILE || why == ENOMEM || why == ENOBUFS;
}

pk_accept_result pk_daemon_accept(pk_server *server, pk_listener *listener) {
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        if (!has_room(server)) return PK_ACCEPT_FULL;
        struct sockaddr_storage peer;
        socklen_t bytes = sizeof peer;
        struct sockaddr *address = (struct sockaddr *)&peer;
        int fd = accept4(listener->fd, address, &bytes, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (is_starved(errno)) return PK_ACCEPT_STARVED;
            if (errno == EAGAIN) return PK_ACCEPT_DONE;
            continue; /* this one came to nothing (ECONNABORTED and the like, accept(2)) */
        }
        server->accepted++;
        /* MHD closes what it does not take. */
        if (MHD_add_connection(server->daemon, fd, address, bytes) != MHD_YES) server->accepted--;
    }
    return PK_ACCEPT_MORE;
}

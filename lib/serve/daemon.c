#include "serve/daemon.h"

#include <unistd.h>
#include "base/units.h"
#include "serve/exchange.h"

/* MHD counts whole seconds; 0 would be no timeout at all. */
static unsigned whole_seconds(uint64_t ns) {
    uint64_t s = ns / PK_NS_PER_S + (ns % PK_NS_PER_S != 0);
    return s < 1000000 ? (unsigned)s : 1000000;
}

static unsigned daemon_flags(const pk_serve_options *options) {
    /* EPOLL always: with select(), connections beyond descriptor 1023 are accepted and reset.
     * ITC: without it the end of accepting fails (MHD_quiesce_daemon returns -1).
     * TURBO saves a wake-up per new connection, but then TLS ends without close_notify, which
     * clients take for a truncated answer. */
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_USE_ITC |
                     MHD_USE_ERROR_LOG | MHD_ALLOW_SUSPEND_RESUME;
    flags |= options->tls ? MHD_USE_TLS : MHD_USE_TURBO;
    if (options->no_date) flags |= MHD_USE_SUPPRESS_DATE_NO_CLOCK;
    return flags;
}

#if MHD_VERSION >= 0x00097701
#define OPTION_STRICT MHD_OPTION_CLIENT_DISCIPLINE_LVL
#else
#define OPTION_STRICT MHD_OPTION_STRICT_FOR_CLIENT
#endif

/* The callbacks' type for MHD_OptionItem.ptr_value, by way of an integer: ISO C has no other. */
#define CALLBACK(function) (intptr_t)(function)

bool pk_daemon_start(pk_server *server, pk_door *door, pk_err *err) {
    const pk_serve_options *options = server->options;
    /* A pool of one costs the same as none, but then the limit on connections is another. */
    bool pool = options->threads > 1;
    struct MHD_OptionItem items[] = {
        {MHD_OPTION_LISTEN_SOCKET, door->listener.fd, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)options->conn_memory_bytes, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)door->limit, NULL},
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
    door->daemon = MHD_start_daemon(
        daemon_flags(options), 0, NULL, NULL, pk_exchange_handle, server,
        MHD_OPTION_EXTERNAL_LOGGER, pk_exchange_log, server, MHD_OPTION_ARRAY, items,
        options->tls ? MHD_OPTION_ARRAY : MHD_OPTION_END, tls, MHD_OPTION_END);
    if (door->daemon) return true;
    pthread_mutex_lock(&server->lock);
    pk_fail(err, PK_E_INPUT, door->listener.url, "cannot start the server: %s",
            server->log_count ? server->log_line : "libmicrohttpd does not say why");
    pthread_mutex_unlock(&server->lock);
    if (options->cert) pk_fix(err, "check that --cert and --key are PEM files of the same key");
    else pk_fix(err, "fewer --threads or a smaller --max-connections may help");
    return false;
}

void pk_daemon_quiesce(pk_door *door) {
    if (door->daemon && MHD_quiesce_daemon(door->daemon) == MHD_INVALID_SOCKET)
        /* not ours any more: MHD closes it when it stops */
        door->listener.fd = -1;
    pk_listener_close(&door->listener);
}

void pk_daemon_stop(pk_door *door) {
    if (door->daemon) MHD_stop_daemon(door->daemon);
    door->daemon = NULL;
}

unsigned pk_daemon_connections(const pk_door *door) {
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(door->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
    return info ? info->num_connections : 0;
}

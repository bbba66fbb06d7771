#include "serve/head_deadline.h"

#include <sys/socket.h>
#include "base/units.h"

/* A kept connection on which nothing came for so long is closed when the server drains; a client
 * that is at work sends within that time and hears Connection: close instead. */
static const uint64_t drain_idle_ns = PK_NS_PER_S;

uint64_t pk_head_deadline_interval_ns(uint64_t head_timeout_ns) {
    static const uint64_t shortest = 20 * PK_NS_PER_MS, longest = PK_NS_PER_S;
    uint64_t interval = head_timeout_ns / 16;
    if (head_timeout_ns == 0 || interval > longest) return longest;
    return interval < shortest ? shortest : interval;
}

pk_head_verdict pk_head_judge(const pk_head_state *state, uint64_t head_timeout_ns,
                              uint64_t idle_timeout_ns) {
    if (state->draining && state->reused && !state->line_ns && state->waiting_ns > drain_idle_ns)
        return PK_HEAD_IDLE_IN_DRAIN;
    if (head_timeout_ns == 0) return PK_HEAD_FINE;
    if (state->line_ns > head_timeout_ns) return PK_HEAD_LATE;
    if (!state->reused) return state->waiting_ns > head_timeout_ns ? PK_HEAD_LATE : PK_HEAD_FINE;
    uint64_t longest;
    if (idle_timeout_ns == 0 || __builtin_add_overflow(idle_timeout_ns, head_timeout_ns, &longest))
        return PK_HEAD_FINE;
    return state->waiting_ns > longest ? PK_HEAD_LATE : PK_HEAD_FINE;
}

static pk_head_verdict judge(pk_server *server, pk_conn *conn, uint64_t since_ns, uint64_t now_ns) {
    bool line = atomic_load_explicit(&conn->line_seen, memory_order_relaxed);
    /* MHD's thread only says that the line is there: to stamp it here is late by one look, but
     * costs no clock on the way of a request. The end of the last answer tells heads apart. */
    if (line && conn->line_epoch_ns != since_ns) {
        conn->line_epoch_ns = since_ns;
        conn->line_since_ns = now_ns - 1; /* never 0 away: 0 means no line */
    }
    pk_head_state state = {
        .waiting_ns = now_ns > since_ns ? now_ns - since_ns : 0,
        .line_ns = line ? now_ns - conn->line_since_ns : 0,
        .reused = atomic_load_explicit(&conn->reused, memory_order_relaxed),
        .draining = atomic_load(&server->draining),
    };
    return pk_head_judge(&state, server->options->head_timeout_ns,
                         server->options->idle_timeout_ns);
}

/* The socket is open, as the connection is still in the list, and ours alone since the step to
 * PK_CONN_CUT. MHD finds it closed for reading, and ends the connection. */
static void cut(pk_server *server, pk_conn *conn, bool tell) {
    static const char answer[] = "HTTP/1.1 408 Request Timeout\r\n"
                                 "Content-Length: 0\r\n"
                                 "Connection: close\r\n\r\n";
    pk_counters *counters = pk_metrics_mine(&server->metrics);
    if (tell && !conn->secure &&
        send(conn->fd, answer, sizeof answer - 1, MSG_DONTWAIT | MSG_NOSIGNAL) > 0 && counters)
        pk_count(counters, PK_COUNTER(answered) + MHD_HTTP_REQUEST_TIMEOUT, 1);
    shutdown(conn->fd, SHUT_RDWR);
}

void pk_heads_cut_late(pk_server *server, uint64_t now_ns) {
    pk_counters *counters = pk_metrics_mine(&server->metrics);
    pthread_mutex_lock(&server->lock);
    for (pk_conn *conn = server->conns; conn; conn = conn->next) {
        uint64_t since_ns = atomic_load_explicit(&conn->waiting_since_ns, memory_order_acquire);
        if (since_ns == PK_CONN_BUSY || since_ns == PK_CONN_CUT) continue;
        pk_head_verdict verdict = judge(server, conn, since_ns, now_ns);
        if (verdict == PK_HEAD_FINE ||
            !atomic_compare_exchange_strong(&conn->waiting_since_ns, &since_ns, PK_CONN_CUT))
            continue;
        bool late = verdict == PK_HEAD_LATE;
        cut(server, conn, late && atomic_load(&conn->line_seen));
        if (late && counters) pk_count(counters, PK_COUNTER(heads_cut), 1);
    }
    pthread_mutex_unlock(&server->lock);
}

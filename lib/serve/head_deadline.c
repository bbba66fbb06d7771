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

/* MHD finds the socket closed for reading, and ends the connection. What lies in it unread yet may
 * still become a request: conn->cut refuses it. */
static void cut(pk_conn *conn, bool tell) {
    static const char answer[] = "HTTP/1.1 408 Request Timeout\r\n"
                                 "Content-Length: 0\r\n"
                                 "Connection: close\r\n\r\n";
    if (tell && !conn->secure &&
        send(conn->fd, answer, sizeof answer - 1, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
        pk_count(conn->counters, PK_COUNTER(answered) + MHD_HTTP_REQUEST_TIMEOUT, 1);
    conn->cut = true;
    shutdown(conn->fd, SHUT_RDWR);
}

void pk_heads_cut_late(pk_worker *worker, uint64_t now_ns) {
    const pk_serve_options *options = worker->server->options;
    bool draining = atomic_load(&worker->server->draining);
    for (pk_conn *conn = worker->conns; conn; conn = conn->next) {
        if (!conn->waiting || conn->cut) continue;
        pk_head_state state = {
            .waiting_ns = now_ns > conn->waiting_since_ns ? now_ns - conn->waiting_since_ns : 0,
            .line_ns = conn->line_since_ns ? now_ns - conn->line_since_ns : 0,
            .reused = conn->reused,
            .draining = draining,
        };
        pk_head_verdict verdict =
            pk_head_judge(&state, options->head_timeout_ns, options->idle_timeout_ns);
        if (verdict == PK_HEAD_FINE) continue;
        cut(conn, verdict == PK_HEAD_LATE && state.line_ns);
        if (verdict == PK_HEAD_LATE) pk_count(conn->counters, PK_COUNTER(heads_cut), 1);
    }
}

#include "serve/inject.h"

#include <sys/socket.h>
#include "base/units.h"
#include "serve/reply.h"
#include "serve/routes.h"
#include "serve/stream.h"
#include "timing/clock.h"

/* A slow answer: so many bytes, one at a time, so long apart. */
enum { SLOW_BYTES = 20 };
static const uint64_t slow_step_ns = 100 * PK_NS_PER_MS;
/* A truncated one promises so much and stops half-way. */
enum { TRUNCATED_BYTES = 1024 };

bool pk_wait_until(pk_conn *conn, uint64_t due_ns, enum MHD_Result *result) {
    if (conn->wait.client_left || atomic_load(&conn->server->stopping)) {
        *result = MHD_NO;
        return true;
    }
    if (due_ns <= pk_now_ns()) return false;
    *result = pk_suspend(&conn->worker->suspended, &conn->wait, due_ns) ? MHD_YES : MHD_NO;
    return true;
}

/* Resets at once: leaving ESTABLISHED by connect(AF_UNSPEC) sends RST (tcp_disconnect in Linux),
 * where SO_LINGER 0 would leave it to the close, after a FIN or a TLS close_notify of MHD's. A
 * socket in the file system knows no reset: it is closed without an answer. */
static enum MHD_Result reset(pk_conn *conn) {
    static const struct linger at_once = {.l_onoff = 1};
    static const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};
    setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    (void)!connect(conn->fd, &nowhere, sizeof nowhere);
    return MHD_NO;
}

enum MHD_Result pk_inject_fault(pk_conn *conn, pk_serve_fault kind) {
    enum MHD_Result result = MHD_NO;
    bool first = !conn->request->fault_counted;
    if (first) pk_count(conn->counters, PK_COUNTER(faults) + kind, 1);
    conn->request->fault = kind;
    conn->on_purpose = true;
    conn->request->fault_counted = true;
    switch (kind) {
    case PK_SERVE_FAULT_STATUS:
        return pk_reply_text(conn, MHD_HTTP_INTERNAL_SERVER_ERROR, "an injected fault");
    case PK_SERVE_FAULT_RESET:
        return reset(conn);
    case PK_SERVE_FAULT_HANG: /* the second call: the client has left, or the server ends */
        if (first) pk_wait_until(conn, PK_WAIT_FOR_EVER, &result);
        return result;
    case PK_SERVE_FAULT_TRUNCATE:
        return pk_stream_reply(conn, &(pk_stream_plan){.promised_bytes = TRUNCATED_BYTES,
                                                       .pieces = 1,
                                                       .piece_bytes = TRUNCATED_BYTES / 2,
                                                       .truncate = true});
    case PK_SERVE_FAULT_SLOW:
        return pk_stream_reply(conn, &(pk_stream_plan){.promised_bytes = SLOW_BYTES,
                                                       .pieces = SLOW_BYTES,
                                                       .piece_bytes = 1,
                                                       .every_ns = slow_step_ns});
    default:
        return result;
    }
}

/* Draws once per request, in a fixed order, so that the counts depend on the seed alone. */
static void plan(pk_conn *conn) {
    pk_server *server = conn->server;
    const pk_serve_options *options = server->options;
    pk_request *request = conn->request;
    request->planned = true;
    request->due_ns = conn->started_ns + options->delay_ns;
    if (options->jitter_ns)
        request->due_ns += (uint64_t)(pk_chance_next(&server->faults, PK_CHANCE_JITTER) *
                                      (double)options->jitter_ns);
    if (options->error_rate > 0 &&
        pk_chance_next(&server->faults, PK_CHANCE_ERROR_RATE) < options->error_rate)
        request->fault = options->error_kind;
}

enum MHD_Result pk_inject_and_answer(pk_conn *conn) {
    pk_request *request = conn->request;
    enum MHD_Result result;
    if (request->route->faults) {
        if (!request->planned) plan(conn);
        if (!request->waited) {
            if (pk_wait_until(conn, request->due_ns, &result)) return result;
            request->waited = true;
        }
        if (request->fault) return pk_inject_fault(conn, request->fault);
    }
    return request->route->answer(conn);
}

#include "serve/stream.h"

#include <stdlib.h>
#include <string.h>
#include "base/units.h"
#include "serve/pattern.h"
#include "serve/reply.h"
#include "timing/clock.h"

typedef struct stream {
    pk_conn *conn; /* outlives the response, which MHD destroys before it closes the connection */
    pk_stream_plan plan;
    uint64_t start_ns;
    uint64_t piece;      /* the present one */
    uint64_t left_bytes; /* of it */
    uint64_t sent_bytes;
} stream;

/* Block MHD reads at once when there are no chunks; with chunks it is the connection's memory. */
enum { BLOCK_BYTES = 16 * 1024 };

uint64_t pk_stream_due_ns(const pk_stream_plan *plan, uint64_t i) {
    static const uint64_t century_ns = 100ull * 366 * 86400 * PK_NS_PER_S;
    uint64_t due;
    if (__builtin_mul_overflow(i, plan->every_ns, &due) ||
        __builtin_add_overflow(due, plan->delay_ns, &due) || due > century_ns)
        return century_ns;
    return due;
}

static uint64_t piece_bytes(const pk_stream_plan *plan, uint64_t i) {
    return plan->piece_bytes + (i + 1 == plan->pieces ? plan->rest_bytes : 0);
}

static ssize_t feed(void *context, uint64_t position, char *out, size_t max) {
    stream *s = context;
    pk_conn *conn = s->conn;
    (void)position;
    if (conn->wait.client_left || atomic_load(&conn->server->stopping))
        return MHD_CONTENT_READER_END_WITH_ERROR;
    while (s->left_bytes == 0) {
        if (s->piece == s->plan.pieces)
            return s->plan.truncate ? MHD_CONTENT_READER_END_WITH_ERROR
                                    : MHD_CONTENT_READER_END_OF_STREAM;
        uint64_t due_ns = pk_stream_due_ns(&s->plan, s->piece);
        if (due_ns && pk_now_ns() - s->start_ns < due_ns)
            return pk_suspend(&conn->worker->suspended, &conn->wait, s->start_ns + due_ns)
                       ? 0 /* not a spin: MHD asks again after the resume */
                       : MHD_CONTENT_READER_END_WITH_ERROR;
        s->left_bytes = piece_bytes(&s->plan, s->piece++);
    }
    size_t n = s->left_bytes < max ? (size_t)s->left_bytes : max;
    pk_pattern_fill(out, s->sent_bytes, n);
    s->left_bytes -= n;
    s->sent_bytes += n;
    if (!conn->is_head) pk_count(conn->counters, PK_COUNTER(body_bytes), n);
    return (ssize_t)n;
}

enum MHD_Result pk_stream_reply(pk_conn *conn, const pk_stream_plan *plan) {
    stream *s = malloc(sizeof *s);
    if (!s) return MHD_NO;
    *s = (stream){.conn = conn, .plan = *plan, .start_ns = pk_now_ns()};
    struct MHD_Response *response = MHD_create_response_from_callback(
        plan->promised_bytes == PK_STREAM_CHUNKED ? MHD_SIZE_UNKNOWN : plan->promised_bytes,
        BLOCK_BYTES, feed, s, free);
    if (!response) free(s);
    if (response &&
        !pk_response_field(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8")) {
        MHD_destroy_response(response);
        return MHD_NO;
    }
    return pk_reply(conn, MHD_HTTP_OK, response, 0);
}

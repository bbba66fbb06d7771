#include "serve/endpoints.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/units.h"
#include "serve/inject.h"
#include "serve/pattern.h"
#include "serve/reply.h"
#include "serve/routes.h"
#include "serve/stream.h"
#include "timing/clock.h"

static const char plain_text[] = "text/plain; charset=utf-8";

enum MHD_Result pk_answer_prepared(pk_conn *conn) {
    const pk_worker *worker = conn->worker;
    const pk_prepared *root = atomic_load_explicit(&conn->server->draining, memory_order_relaxed)
                                  ? &worker->root_last
                                  : &worker->root;
    if (root->head_bytes > conn->spare_bytes) return pk_reply_no_memory(conn);
    pk_count(conn->counters, PK_COUNTER(answered) + root->status, 1);
    conn->reply_bytes = root->body_bytes;
    conn->answered = true;
    return MHD_queue_response(conn->mhd, root->status, root->response);
}

enum MHD_Result pk_answer_root(pk_conn *conn) {
    const pk_server *server = conn->server;
    bool file = server->static_fd >= 0 && !server->options->body &&
                (conn->request->method & PK_READ_METHODS);
    return file ? pk_answer_file(conn) : pk_answer_prepared(conn);
}

enum MHD_Result pk_answer_help(pk_conn *conn) {
    enum { HELP_MAX = 64 * 1024 };
    pk_strbuf text;
    pk_strbuf_init(&text, HELP_MAX);
    for (size_t i = 0; pk_route_at(i); i++)
        pk_strbuf_addf(&text, "%-36s %s\n", pk_route_shown(pk_route_at(i)), pk_route_at(i)->help);
    enum MHD_Result result = pk_reply_buffer(conn, MHD_HTTP_OK, plain_text, &text);
    pk_strbuf_fini(&text);
    return result;
}

enum MHD_Result pk_answer_healthz(pk_conn *conn) {
    return pk_reply_text(conn, MHD_HTTP_OK, "ok");
}

enum MHD_Result pk_answer_readyz(pk_conn *conn) {
    if (atomic_load(&conn->server->draining))
        return pk_reply_text(conn, MHD_HTTP_SERVICE_UNAVAILABLE, "draining");
    return pk_reply_text(conn, MHD_HTTP_OK, "ok");
}

enum MHD_Result pk_answer_metrics(pk_conn *conn) {
    enum { METRICS_MAX = 256 * 1024 };
    pk_totals totals;
    pk_gauges gauges;
    pk_strbuf text;
    pk_server_totals(conn->server, &totals);
    /* this scrape was counted when its head came: show the earlier ones */
    totals.scrapes--;
    pk_server_gauges(conn->server, &gauges);
    pk_strbuf_init(&text, METRICS_MAX);
    pk_metrics_write(&text, &totals, &gauges);
    enum MHD_Result result =
        pk_reply_buffer(conn, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", &text);
    pk_strbuf_fini(&text);
    return result;
}

enum MHD_Result pk_answer_echo(pk_conn *conn) {
    const char *type =
        MHD_lookup_connection_value(conn->mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE);
    return pk_reply_buffer(conn, MHD_HTTP_OK, type ? type : "application/octet-stream",
                           &conn->request->upload);
}

enum MHD_Result pk_answer_bytes(pk_conn *conn) {
    const pk_server *server = conn->server;
    uint64_t bytes;
    pk_err err;
    if (!pk_parse_bytes(conn->request->argument, &bytes, &err))
        return pk_reply_bad(conn, conn->request->argument, &err);
    if (bytes > server->options->max_bytes)
        return pk_reply_text(conn, MHD_HTTP_BAD_REQUEST,
                             "%" PRIu64 " bytes are more than --max-bytes allows (%" PRIu64 ")",
                             bytes, server->options->max_bytes);
    struct MHD_Response *response = MHD_create_response_from_buffer(
        bytes, (void *)(uintptr_t)server->pattern, MHD_RESPMEM_PERSISTENT);
    if (response && !pk_response_field(response, MHD_HTTP_HEADER_CONTENT_TYPE, plain_text)) {
        MHD_destroy_response(response);
        return MHD_NO;
    }
    return pk_reply(conn, MHD_HTTP_OK, response, bytes);
}

/* What RFC 9110 demands beside certain statuses (11.6.1, 11.7.1, 15.5.6, 15.5.22). */
static const struct status_field {
    unsigned status;
    const char *name, *value;
} status_fields[] = {
    {401, "WWW-Authenticate", "Basic realm=\"perfkit\""},
    {405, "Allow", "OPTIONS"},
    {407, "Proxy-Authenticate", "Basic realm=\"perfkit\""},
    {426, "Upgrade", "TLS/1.2"},
};

enum MHD_Result pk_answer_status(pk_conn *conn) {
    pk_status_choice choices[PK_STATUS_CHOICES_MAX];
    size_t count;
    pk_err err;
    if (!pk_status_list_parse(conn->request->argument, choices, &count, &err))
        return pk_reply_bad(conn, conn->request->argument, &err);
    double u = count > 1 ? pk_chance_next(&conn->server->faults, PK_CHANCE_STATUS) : 0;
    unsigned status = pk_status_list_choose(choices, count, u);
    if (status == 204 || status == 205 || status == 304)
        return pk_reply(conn, status,
                        MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT), 0);
    char text[128];
    uint64_t bytes = 0;
    const char *reason = MHD_get_reason_phrase_for(status);
    bool known = strcmp(reason, "Unknown") != 0;
    snprintf(text, sizeof text, "%u%s%s\n", status, known ? " " : "", known ? reason : "");
    struct MHD_Response *response = pk_response_of_text(text, &bytes);
    for (size_t i = 0; response && i < sizeof status_fields / sizeof *status_fields; i++)
        if (status_fields[i].status == status)
            pk_response_field(response, status_fields[i].name, status_fields[i].value);
    return pk_reply(conn, status, response, bytes);
}

enum MHD_Result pk_answer_delay(pk_conn *conn) {
    uint64_t ns;
    pk_err err;
    enum MHD_Result result;
    char text[PK_FORMAT_MAX];
    if (!pk_wait_parse(conn->request->argument, &ns, &err))
        return pk_reply_bad(conn, conn->request->argument, &err);
    if (pk_wait_until(conn, conn->started_ns + ns, &result)) return result;
    return pk_reply_text(conn, MHD_HTTP_OK, "waited %s",
                         pk_format_duration(text, sizeof text, (double)ns));
}

enum MHD_Result pk_answer_block(pk_conn *conn) {
    uint64_t ns;
    pk_err err;
    char text[PK_FORMAT_MAX];
    if (!pk_wait_parse(conn->request->argument, &ns, &err))
        return pk_reply_bad(conn, conn->request->argument, &err);
    /* The end of the server cuts it short; nothing else does: that is its point. */
    struct pollfd stop = {.fd = conn->server->stop_fd, .events = POLLIN};
    uint64_t end = pk_now_ns() + ns;
    for (uint64_t now = pk_now_ns(); now < end; now = pk_now_ns()) {
        struct timespec left = {.tv_sec = (time_t)((end - now) / PK_NS_PER_S),
                                .tv_nsec = (long)((end - now) % PK_NS_PER_S)};
        if (ppoll(&stop, 1, &left, NULL) > 0) return MHD_NO;
    }
    return pk_reply_text(conn, MHD_HTTP_OK, "blocked for %s",
                         pk_format_duration(text, sizeof text, (double)ns));
}

/* A parameter of the query by one of the parsers; true and *value untouched when it is absent.
 * False: *result is the answer that says what is wrong. */
static bool parameter(pk_conn *conn, const char *name,
                      bool (*parse)(const char *text, uint64_t *value, pk_err *err),
                      uint64_t *value, enum MHD_Result *result) {
    char text[64];
    pk_err err;
    switch (pk_query_get(conn->request->target.query, name, text, sizeof text)) {
    case PK_QUERY_ABSENT:
        return true;
    case PK_QUERY_FOUND:
        if (parse(text, value, &err)) return true;
        *result = pk_reply_bad(conn, name, &err);
        return false;
    default:
        *result = pk_reply_text(conn, MHD_HTTP_BAD_REQUEST, "%s: cannot be decoded", name);
        return false;
    }
}

static enum MHD_Result too_many_bytes(pk_conn *conn) {
    return pk_reply_text(conn, MHD_HTTP_BAD_REQUEST,
                         "more bytes than --max-bytes allows (%" PRIu64 ")",
                         conn->server->options->max_bytes);
}

enum MHD_Result pk_answer_stream(pk_conn *conn) {
    uint64_t chunks, chunk = 64, every = 0, total;
    pk_err err;
    enum MHD_Result result;
    if (!pk_parse_count(conn->request->argument, &chunks, &err))
        return pk_reply_bad(conn, conn->request->argument, &err);
    if (!parameter(conn, "chunk", pk_parse_bytes, &chunk, &result) ||
        !parameter(conn, "every", pk_wait_parse, &every, &result))
        return result;
    if (chunk == 0) return pk_reply_text(conn, MHD_HTTP_BAD_REQUEST, "chunk: 0 would end the body");
    if (__builtin_mul_overflow(chunks, chunk, &total) || total > conn->server->options->max_bytes)
        return too_many_bytes(conn);
    return pk_stream_reply(conn, &(pk_stream_plan){.promised_bytes = PK_STREAM_CHUNKED,
                                                   .pieces = chunks,
                                                   .piece_bytes = chunk,
                                                   .every_ns = every});
}

/* In so many steps at most: a longer body comes in larger pieces. */
enum { DRIP_STEPS_MAX = 1000 };

enum MHD_Result pk_answer_drip(pk_conn *conn) {
    uint64_t bytes = 10, duration = 2 * PK_NS_PER_S, delay = 0;
    enum MHD_Result result;
    if (!parameter(conn, "bytes", pk_parse_bytes, &bytes, &result) ||
        !parameter(conn, "duration", pk_wait_parse, &duration, &result) ||
        !parameter(conn, "delay", pk_wait_parse, &delay, &result))
        return result;
    if (bytes > conn->server->options->max_bytes) return too_many_bytes(conn);
    /* n pieces, the first at once, the last at the end of the duration */
    uint64_t pieces = bytes < DRIP_STEPS_MAX ? bytes : DRIP_STEPS_MAX;
    return pk_stream_reply(conn,
                           &(pk_stream_plan){.promised_bytes = bytes,
                                             .pieces = pieces,
                                             .piece_bytes = pieces ? bytes / pieces : 0,
                                             .rest_bytes = pieces ? bytes % pieces : 0,
                                             .every_ns = pieces > 1 ? duration / (pieces - 1) : 0,
                                             .delay_ns = delay});
}

static enum MHD_Result redirect(pk_conn *conn, const char *location) {
    uint64_t bytes = 0;
    struct MHD_Response *response = pk_response_of_text("it is elsewhere\n", &bytes);
    if (response && !pk_response_field(response, MHD_HTTP_HEADER_LOCATION, location)) {
        MHD_destroy_response(response);
        return MHD_NO;
    }
    return pk_reply(conn, MHD_HTTP_FOUND, response, bytes);
}

enum MHD_Result pk_answer_redirect(pk_conn *conn) {
    char location[64];
    int64_t left;
    pk_err err;
    if (!pk_parse_int(conn->request->argument, 0, INT32_MAX, &left, &err))
        return pk_reply_bad(conn, conn->request->argument, &err);
    if (left == 0) return pk_reply_text(conn, MHD_HTTP_OK, "arrived");
    snprintf(location, sizeof location, "/redirect/%" PRId64, left - 1);
    return redirect(conn, location);
}

enum MHD_Result pk_answer_redirect_to(pk_conn *conn) {
    enum { URL_MAX = 2048 };
    char url[URL_MAX];
    if (pk_query_get(conn->request->target.query, "url", url, sizeof url) != PK_QUERY_FOUND)
        return pk_reply_text(conn, MHD_HTTP_BAD_REQUEST, "write /redirect-to?url=URL");
    /* A URL has no blanks and nothing outside of ASCII; a line break would be a field of its own.
     */
    for (const char *c = url; *c; c++)
        if (*c <= ' ' || *c >= 0x7f)
            return pk_reply_text(conn, MHD_HTTP_BAD_REQUEST,
                                 "url: a character that no URL has; encode it twice");
    return redirect(conn, url);
}

enum MHD_Result pk_answer_error(pk_conn *conn) {
    const char *query = conn->request->target.query;
    pk_serve_fault kind = PK_SERVE_FAULT_STATUS;
    double rate = 1;
    char text[64];
    pk_err err;
    pk_query_result found = pk_query_get(query, "kind", text, sizeof text);
    if (found != PK_QUERY_ABSENT) {
        kind = pk_fault_named(text);
        if (!kind)
            return pk_reply_text(conn, MHD_HTTP_BAD_REQUEST,
                                 "kind: write 500, reset, truncate, hang or slow");
    }
    found = pk_query_get(query, "rate", text, sizeof text);
    if (found != PK_QUERY_ABSENT && !pk_parse_ratio(text, &rate, &err))
        return pk_reply_bad(conn, "rate", &err);
    if (pk_chance_next(&conn->server->faults, PK_CHANCE_ERROR_PATH) < rate)
        return pk_inject_fault(conn, kind);
    return pk_reply_text(conn, MHD_HTTP_OK, "no error this time");
}

enum MHD_Result pk_answer_not_found(pk_conn *conn) {
    return pk_reply_text(conn, MHD_HTTP_NOT_FOUND, "nothing here; /help lists what there is");
}

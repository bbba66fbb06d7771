#include "serve/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/units.h"
#include "serve/endpoints.h"
#include "serve/inject.h"
#include "serve/reply.h"
#include "serve/routes.h"
#include "serve/worker.h"
#include "timing/clock.h"

/* Stages of a request; each MHD callback moves it on. */
enum stage {
    STAGE_HEAD, /* the head is not complete */
    STAGE_BODY, /* its body is being read; then the answer is due */
    STAGE_DONE, /* an answer is queued, or the connection is to be closed */
};

/* Beyond max_body_bytes so much more of a body is read and dropped before the 413: closing with
 * bytes unread resets the connection, and the client may never see the answer. */
static const uint64_t discard_max_bytes = 16 << 20;

static pk_request *request_new(const pk_server *server, const char *raw) {
    size_t bytes = strlen(raw) + 1;
    pk_request *request = malloc(sizeof *request + 2 * bytes + 1);
    if (!request) return NULL;
    *request = (pk_request){.method = PK_UNKNOWN};
    memcpy(request->text, raw, bytes);
    pk_strbuf_init(&request->upload, server->options->max_body_bytes + 1);
    if (!pk_target_parse(request->text, request->text + bytes, &request->target)) return request;
    request->route =
        pk_route_find(request->target.path, request->target.path_bytes, &request->argument);
    if (!request->route) request->route = pk_route_fallback(server);
    return request;
}

static void request_free(pk_request *request) {
    if (!request) return;
    pk_strbuf_fini(&request->upload);
    free(request);
}

void *pk_exchange_line(void *cls, const char *target, struct MHD_Connection *mhd) {
    const pk_worker *worker = cls;
    const pk_server *server = worker->server;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    pk_conn *conn = info ? info->socket_context : NULL;
    if (!conn) return NULL; /* out of memory when it was accepted: it will be closed */
    conn->stage = STAGE_HEAD;
    conn->upload_bytes = conn->reply_bytes = 0;
    conn->scrape = conn->answered = conn->on_purpose = false;
    conn->line_since_ns = worker->now_ns;
    if (server->root_is_plain && target && target[0] == '/' && !target[1]) {
        conn->request = NULL;
        return conn;
    }
    conn->request = request_new(server, target ? target : "");
    return conn->request ? conn : NULL;
}

static enum MHD_Result refuse(pk_conn *conn, unsigned status, const char *why) {
    conn->stage = STAGE_DONE;
    return pk_reply_text(conn, status, "%s", why);
}

static enum MHD_Result refuse_method(pk_conn *conn, unsigned allowed, unsigned status) {
    char list[PK_METHODS_LIST_MAX];
    uint64_t bytes = 0;
    struct MHD_Response *response =
        status == MHD_HTTP_NO_CONTENT
            ? MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT)
            : pk_response_of_text("this method is not for this path\n", &bytes);
    pk_methods_list(allowed, list);
    if (response && !pk_response_field(response, MHD_HTTP_HEADER_ALLOW, list)) {
        MHD_destroy_response(response);
        return MHD_NO;
    }
    return pk_reply(conn, status, response, bytes);
}

static enum MHD_Result look_at_part(void *cls, enum MHD_ValueKind kind, const char *name,
                                    size_t name_bytes, const char *value, size_t value_bytes) {
    pk_head_check *check = cls;
    check->parts++;
    if (kind != MHD_HEADER_KIND) return MHD_YES;
    return pk_head_check_field(check, name, name_bytes, value ? value : "", value_bytes) ? MHD_YES
                                                                                         : MHD_NO;
}

/* What the head of the answer may take of the connection's memory: what that of the request has
 * left. MHD keeps the request's head there, and 56 bytes for each part, aligned. */
static size_t spare_bytes(const pk_conn *conn, const pk_head_check *check) {
    enum { PART_BYTES = 64 };
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(conn->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    size_t all = (size_t)conn->server->options->conn_memory_bytes;
    size_t used = (info ? info->header_size : 0) + PART_BYTES * check->parts;
    return used < all ? all - used : 0;
}

/* The first call of the handler: the head is complete. Answering here closes the connection, so
 * only refusals do. */
static enum MHD_Result head_complete(pk_conn *conn, const char *method_name) {
    const pk_server *server = conn->server;
    uint64_t max_body = server->options->max_body_bytes;
    if (conn->cut) return MHD_NO;
    unsigned method = pk_method_of(method_name);
    conn->waiting = false;
    /* A delay counts from here, so it is to be exact; for "/" the last reading has to do. */
    conn->started_ns = conn->request ? pk_now_ns() : conn->worker->now_ns;
    conn->is_head = method == PK_HEAD;
    conn->stage = STAGE_BODY;

    pk_head_check check = {.status = 0};
    MHD_get_connection_values_n(
        conn->mhd, MHD_HEADER_KIND | MHD_GET_ARGUMENT_KIND | MHD_COOKIE_KIND, look_at_part, &check);
    conn->spare_bytes = spare_bytes(conn, &check);
    if (check.status) return refuse(conn, check.status, check.why);
    if (!conn->request && !(method & PK_ALL_METHODS)) {
        conn->request = request_new(server, "/");
        if (!conn->request) return MHD_NO;
    }
    pk_request *request = conn->request;
    if (request) {
        request->method = method;
        if (!request->target.path)
            return refuse(conn, MHD_HTTP_BAD_REQUEST, "the request target is malformed");
        conn->scrape = request->route->scrape;
    }
    pk_count(conn->counters, conn->scrape ? PK_COUNTER(scrapes) : PK_COUNTER(started), 1);
    if (check.content_bytes > max_body &&
        (check.expects_continue || check.content_bytes - max_body > discard_max_bytes))
        return refuse(conn, MHD_HTTP_CONTENT_TOO_LARGE, "the body is larger than --max-body");
    return MHD_YES;
}

static enum MHD_Result take_upload(pk_conn *conn, const char *data, size_t *bytes) {
    pk_request *request = conn->request;
    uint64_t max_body = conn->server->options->max_body_bytes;
    conn->upload_bytes += *bytes;
    if (conn->upload_bytes > max_body) {
        if (conn->upload_bytes - max_body > discard_max_bytes) return MHD_NO;
    } else if (request && request->route->keeps_body) {
        pk_strbuf_add(&request->upload, data, *bytes);
        if (!pk_strbuf_ok(&request->upload)) return MHD_NO;
    }
    *bytes = 0;
    return MHD_YES;
}

/* The second call, once the body is there; and again after each wait. */
static enum MHD_Result answer(pk_conn *conn) {
    pk_request *request = conn->request;
    if (conn->upload_bytes > conn->server->options->max_body_bytes)
        return refuse(conn, MHD_HTTP_CONTENT_TOO_LARGE, "the body is larger than --max-body");
    if (!request) {
        conn->stage = STAGE_DONE;
        return pk_answer_prepared(conn);
    }
    const pk_route *route = request->route;
    if (request->method == PK_OPTIONS)
        return refuse_method(conn,
                             strcmp(request->target.path, "*") ? route->methods : PK_ALL_METHODS,
                             MHD_HTTP_NO_CONTENT);
    if (request->method == PK_UNKNOWN)
        return refuse(conn, MHD_HTTP_NOT_IMPLEMENTED, "this method is not known here");
    if (!(request->method & route->methods))
        return refuse_method(conn, route->methods, MHD_HTTP_METHOD_NOT_ALLOWED);
    return pk_inject_and_answer(conn);
}

enum MHD_Result pk_exchange_handle(void *cls, struct MHD_Connection *mhd, const char *url,
                                   const char *method, const char *version, const char *upload,
                                   size_t *upload_bytes, void **context) {
    (void)cls, (void)mhd, (void)url, (void)version;
    pk_conn *conn = *context;
    if (!conn) return MHD_NO;
    if (conn->stage == STAGE_HEAD) return head_complete(conn, method);
    if (*upload_bytes) return take_upload(conn, upload, upload_bytes);
    return answer(conn);
}

static pk_abort_reason abort_reason(enum MHD_RequestTerminationCode how) {
    switch (how) {
    case MHD_REQUEST_TERMINATED_TIMEOUT_REACHED:
        return PK_ABORT_TIMEOUT;
    case MHD_REQUEST_TERMINATED_DAEMON_SHUTDOWN:
        return PK_ABORT_SHUTDOWN;
    case MHD_REQUEST_TERMINATED_READ_ERROR:
    case MHD_REQUEST_TERMINATED_CLIENT_ABORT:
        return PK_ABORT_CLIENT;
    default:
        return PK_ABORT_ERROR;
    }
}

/* A request that ended otherwise than by its answer. What MHD refused in the middle of the body is
 * none: it was answered. */
static void count_aborted(pk_conn *conn, enum MHD_RequestTerminationCode how) {
    bool refused_by_mhd =
        !conn->answered && MHD_get_connection_info(conn->mhd, MHD_CONNECTION_INFO_HTTP_STATUS);
    if (conn->on_purpose || refused_by_mhd || conn->scrape) return;
    pk_abort_reason reason = conn->wait.client_left ? PK_ABORT_CLIENT : abort_reason(how);
    pk_count(conn->counters, PK_COUNTER(aborted) + reason, 1);
}

void pk_exchange_done(void *cls, struct MHD_Connection *mhd, void **context,
                      enum MHD_RequestTerminationCode how) {
    (void)cls, (void)mhd;
    pk_conn *conn = *context;
    if (!conn) return;
    if (conn->stage != STAGE_HEAD) {
        /* One reading per request: the end of this one is where the next one begins. */
        uint64_t now = conn->worker->now_ns = pk_now_ns();
        conn->worker->ended++;
        if (how != MHD_REQUEST_TERMINATED_COMPLETED_OK) {
            count_aborted(conn, how);
        } else if (!conn->scrape) {
            pk_count_duration(conn->counters, now - conn->started_ns);
            pk_count(conn->counters, PK_COUNTER(body_bytes), conn->is_head ? 0 : conn->reply_bytes);
        }
        conn->waiting = conn->reused = true;
        conn->waiting_since_ns = now;
        conn->line_since_ns = 0;
    }
    conn->stage = STAGE_DONE;
    conn->wait.client_left = false;
    request_free(conn->request);
    conn->request = NULL;
}

static void conn_open(pk_worker *worker, struct MHD_Connection *mhd, void **context) {
    pk_server *server = worker->server;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    pk_conn *conn = malloc(sizeof *conn);
    if (!info || !conn) {
        free(conn);
        return;
    }
    *conn = (pk_conn){.server = server,
                      .worker = worker,
                      .counters = worker->counters,
                      .mhd = mhd,
                      .fd = info->connect_fd,
                      .secure = server->options->tls,
                      .waiting = true,
                      .waiting_since_ns = worker->now_ns,
                      .wait = {.mhd = mhd, .fd = info->connect_fd},
                      .next = worker->conns};
    if (conn->next) conn->next->prev = conn;
    worker->conns = conn;
    pk_count(conn->counters, PK_COUNTER(opened), 1);
    *context = conn;
}

static void conn_close(pk_worker *worker, pk_conn *conn) {
    if (!conn) return; /* there was no memory for it */
    if (conn->prev) conn->prev->next = conn->next;
    else worker->conns = conn->next;
    if (conn->next) conn->next->prev = conn->prev;
    pk_count(conn->counters, PK_COUNTER(closed), 1);
    request_free(conn->request);
    free(conn);
}

void pk_exchange_connection(void *cls, struct MHD_Connection *mhd, void **context,
                            enum MHD_ConnectionNotificationCode what) {
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        conn_open(cls, mhd, context);
    } else {
        conn_close(cls, *context);
        pk_serve_worker_leave(cls);
    }
}

void pk_exchange_log(void *cls, const char *fmt, va_list args) {
    static const char refused[] = "Error processing request (HTTP response code is %u";
    pk_worker *worker = cls;
    pk_server *server = worker->server;
    pthread_mutex_lock(&server->lock);
    if (server->log_count++ == 0) {
        va_list again;
        va_copy(again, args);
        vsnprintf(server->log_line, sizeof server->log_line, fmt, again);
        va_end(again);
        server->log_line[strcspn(server->log_line, "\n")] = '\0';
    }
    pthread_mutex_unlock(&server->lock);
    /* MHD tells of its own refusals (400, 414, 431, 505 ..) nowhere else when the request line
     * itself was wrong: no callback knows of such a request. */
    if (strncmp(fmt, refused, sizeof refused - 1) == 0) {
        unsigned status = va_arg(args, unsigned);
        if (status < PK_STATUS_MAX) pk_count(worker->counters, PK_COUNTER(answered) + status, 1);
    }
}

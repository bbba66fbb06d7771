/* The reference engine: libcurl's multi interface throughout (load/curl_loop drives it).
 *
 * A slot is idle (its handle in no multi) or active. submit makes it active; a completion or abort
 * makes it idle. */
#include "load/engine.h"

#include <curl/curl.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load/curl_answer.h"
#include "load/curl_error.h"
#include "load/curl_loop.h"
#include "load/curl_options.h"
#include "load/curl_sockets.h"
#include "timing/clock.h"

#define EVENTS_PER_WAIT 256
#define READ_BYTES 16384

typedef struct slot {
    CURL *easy;
    pk_engine *engine;
    pk_curl_route route;
    pk_curl_answer answer;
    uint64_t start_ns, first_byte_ns;
    uint32_t prereqs; /* requests sent for this transfer: 2 means that libcurl sent it again */
    long tunnel_sent_bytes; /* to a proxy, before the request */
    int socket_errno;       /* why socket() failed, which libcurl does not tell */
    int fd;                 /* the connection's; -1: not known yet */
    int local_port;         /* .. to know whether it is still the same */
    SSL *ssl;               /* of this transfer, to compare with only; NULL: plain */
    bool has_tls_data;      /* a record of the answer came .. */
    bool is_tls_ended;      /* .. the peer's close_notify */
    bool has_begun_unseen;  /* the beginning of an answer came that libcurl kept to itself */
    bool was_reset;         /* the connection that was closed in this transfer */
    bool is_refused;        /* it may not go again: libcurl got no socket for that */
    bool is_resent;         /* by us, after libcurl had given up */
    bool active;
    bool is_connecting; /* socket opened, request not yet sent */
    bool forbids_reuse; /* of the connection, for this answer alone */
} slot;

struct pk_engine {
    pk_curl_loop loop;
    pk_curl_sockets sockets;
    bool lost_count; /* of the answers of some socket */
    const pk_plan *plan;
    struct curl_slist *headers;
    uint32_t n_slots;
    uint32_t n_connecting;
    pk_completion *done; /* n_slots: a slot is not submitted again before poll has handed it over */
    size_t n_done;
    slot slots[];
};

static uint32_t index_of(const slot *s) {
    return (uint32_t)(s - s->engine->slots);
}

/* Do the socket's bytes and those of the answers tally? TLS has more in it, and a tunnel's own
 * answers are not seen here. Nor do they once an answer came through a socket unknown. */
static bool counts_bytes(const slot *s) {
    return !s->engine->plan->is_tls && !s->route.proxy && !s->engine->lost_count;
}

static bool request_is_sent(const slot *s) {
    curl_off_t uploaded = 0;
    curl_easy_getinfo(s->easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
    return (uint64_t)uploaded >= s->engine->plan->body_bytes;
}

/* The answer is complete. Returns whether libcurl shall go on: not with sending the rest of a body
 * for which nobody waits any more. */
static bool end_answer(slot *s) {
    pk_http1 *parser = &s->answer.parser;
    pk_curl_sockets *sockets = &s->engine->sockets;
    /* all of a request on another slot's connection went without waiting (on_wait): which one? */
    if (s->fd < 0) s->engine->lost_count = true;
    pk_curl_sockets_answered(sockets, s->fd, parser->head_bytes + parser->body_bytes);
    /* what stands behind a body, libcurl closes the connection for (on_close sees it), but not what
     * stands behind a mere head */
    if (parser->body_bytes == 0 && counts_bytes(s) && pk_curl_sockets_has_more(sockets, s->fd)) {
        parser->suspicious = true;
        parser->keep_alive = false;
    }
    if (!parser->keep_alive && !s->forbids_reuse) {
        s->forbids_reuse = true;
        curl_easy_setopt(s->easy, CURLOPT_FORBID_REUSE, 1L);
    }
    return request_is_sent(s);
}

/* All of the answer goes through the parser. Returning less than was given stops the transfer. */
static bool take(slot *s, const char *data, size_t bytes) {
    bool was_done = s->answer.step == PK_HTTP1_DONE;
    if (!pk_curl_answer_take(&s->answer, data, bytes)) return false;
    return was_done || s->answer.step != PK_HTTP1_DONE || end_answer(s);
}

static size_t on_head_line(char *data, size_t size, size_t count, void *context) {
    return take(context, data, size * count) ? size * count : 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *context) {
    slot *s = context;
    bool ok = take(s, data, size * count);
    if (s->first_byte_ns == 0 && pk_http1_has_body(&s->answer.parser))
        s->first_byte_ns = pk_now_ns();
    return ok ? size * count : 0;
}

static void expect_answer(slot *s) {
    const pk_plan *plan = s->engine->plan;
    s->has_tls_data = s->is_tls_ended = s->has_begun_unseen = s->was_reset = false;
    pk_curl_answer_begin(&s->answer, plan->is_head, strcmp(plan->method, "CONNECT") == 0);
}

static void connected(slot *s) {
    if (!s->is_connecting) return;
    s->is_connecting = false;
    s->engine->n_connecting--;
}

/* Has anything of the answer come? libcurl hands over whole lines only. */
static bool has_begun(const slot *s) {
    return pk_curl_answer_has_begun(&s->answer) || s->has_begun_unseen;
}

/* OpenSSL tells of each record: its type as it stands inside the encryption (TLS 1.3) or in its
 * header, and what alerts say. For libcurl a TCP connection that just ends is as good as an end. */
static void on_tls_record(int is_write, int version, int type, const void *data, size_t bytes,
                          SSL *ssl, void *context) {
    slot *s = context;
    const unsigned char *byte = data;
    if (is_write || ssl != s->ssl || bytes == 0) return;
    bool is_inner = type == SSL3_RT_INNER_CONTENT_TYPE;
    bool is_header = type == SSL3_RT_HEADER && SSL_version(ssl) < TLS1_3_VERSION;
    (void)version;
    if ((is_inner || is_header) && byte[0] == SSL3_RT_APPLICATION_DATA) s->has_tls_data = true;
    if (type == SSL3_RT_ALERT && bytes == 2 && byte[1] == SSL_AD_CLOSE_NOTIFY)
        s->is_tls_ended = true;
}

/* A kept connection may have been another slot's. */
static void listen_to_tls(slot *s) {
    struct curl_tlssessioninfo *tls = NULL;
    if (curl_easy_getinfo(s->easy, CURLINFO_TLS_SSL_PTR, &tls) != CURLE_OK || !tls ||
        tls->backend != CURLSSLBACKEND_OPENSSL)
        return;
    s->ssl = tls->internals;
    SSL_set_msg_callback(s->ssl, on_tls_record);
    SSL_set_msg_callback_arg(s->ssl, s);
}

/* libcurl would send anything again on a new connection when a kept one had died. */
static bool may_go_again(const slot *s) {
    return s->engine->plan->is_idempotent && !has_begun(s);
}

static int on_before_request(void *context, char *ip, char *local_ip, int port, int local_port) {
    slot *s = context;
    (void)ip, (void)local_ip, (void)port;
    if (local_port != s->local_port && !s->is_connecting) s->fd = -1;
    s->local_port = local_port;
    if (s->engine->plan->is_tls) listen_to_tls(s);
    if (s->prereqs++ == 0 && s->route.proxy)
        curl_easy_getinfo(s->easy, CURLINFO_REQUEST_SIZE, &s->tunnel_sent_bytes);
    connected(s);
    if (s->prereqs == 1) return CURL_PREREQFUNC_OK;
    if (!may_go_again(s)) return CURL_PREREQFUNC_ABORT;
    expect_answer(s);
    return CURL_PREREQFUNC_OK;
}

static curl_socket_t on_open(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    slot *s = context;
    (void)purpose;
    s->is_refused = s->prereqs > 0 && !may_go_again(s);
    if (s->is_refused) return CURL_SOCKET_BAD;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0) {
        s->socket_errno = errno;
        return CURL_SOCKET_BAD;
    }
    if (!pk_curl_sockets_open(&s->engine->sockets, fd, index_of(s))) {
        close(fd);
        s->socket_errno = ENOMEM;
        return CURL_SOCKET_BAD;
    }
    s->fd = fd;
    if (!s->is_connecting) {
        s->is_connecting = true;
        s->engine->n_connecting++;
    }
    return fd;
}

static void on_wait(void *context, CURL *easy, int fd) {
    pk_engine *e = context;
    slot *s;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&s);
    s->fd = fd;
    pk_curl_sockets_use(&e->sockets, fd, index_of(s));
}

/* Sending has failed, but the server's answer was there first. */
static void take_unread(slot *s, int fd) {
    char data[READ_BYTES];
    ssize_t n;
    while ((n = recv(fd, data, sizeof data, MSG_DONTWAIT)) > 0)
        if (!take(s, data, (size_t)n)) return;
}

/* The connection of an active slot: what did libcurl not tell? */
static void closing(slot *s, int fd, pk_curl_socket_end end) {
    bool has_more = counts_bytes(s) ? end.has_more : s->has_tls_data;
    s->was_reset = end.was_reset && !s->is_tls_ended;
    if (s->answer.step == PK_HTTP1_DONE) {
        if (counts_bytes(s) && end.has_more) s->answer.parser.suspicious = true;
    } else if (s->prereqs > 0 && has_more && !pk_curl_answer_has_begun(&s->answer)) {
        s->has_begun_unseen = true;
        if (counts_bytes(s) && end.is_unread && !request_is_sent(s)) take_unread(s, fd);
    }
}

static int on_close(void *context, curl_socket_t fd) {
    pk_engine *e = context;
    pk_curl_socket_end end = pk_curl_sockets_close(&e->sockets, fd);
    slot *s = end.user < e->n_slots ? &e->slots[end.user] : NULL;
    if (s && s->fd == fd) {
        s->fd = -1;
        if (s->active) closing(s, fd, end);
    }
    return pk_curl_loop_on_close(&e->loop, fd);
}

/* Bytes of the request and its answer alone: libcurl counts what it told a proxy with them. */
static void fill_bytes(slot *s, pk_completion *c) {
    long request_bytes = 0;
    curl_off_t uploaded = 0;
    if (s->prereqs == 0) return; /* nothing was sent yet */
    curl_easy_getinfo(s->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
    curl_easy_getinfo(s->easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
    c->body_bytes = s->answer.parser.body_bytes;
    c->head_bytes = pk_curl_answer_head_bytes(&s->answer);
    c->sent_bytes = (uint64_t)(request_bytes - s->tunnel_sent_bytes) + (uint64_t)uploaded;
}

/* libcurl has given up, or what it takes for the end of an answer is none. */
static pk_load_error_class failure(slot *s, CURLcode code, int *sys_errno) {
    *sys_errno = 0;
    if (s->is_refused || code == CURLE_ABORTED_BY_CALLBACK)
        return has_begun(s) || s->was_reset ? PK_LOAD_E_RESET : PK_LOAD_E_EMPTY;
    pk_load_error_class error =
        pk_curl_failure(s->easy, code, s->socket_errno, has_begun(s), sys_errno);
    bool is_cut = error == PK_LOAD_E_TRUNCATED || error == PK_LOAD_E_EMPTY;
    return has_begun(s) && is_cut && s->answer.parser.status == 0 ? PK_LOAD_E_RESET : error;
}

/* What became of the request. Where the answer is complete, libcurl's failure is that it could not
 * send the rest of a request that nobody waited for. */
static void fill_outcome(slot *s, CURLcode code, pk_completion *c) {
    pk_http1 *parser = &s->answer.parser;
    pk_http1_step step = s->answer.step;
    bool is_cut = false;
    if (code == CURLE_OK && step == PK_HTTP1_MORE) {
        step = pk_http1_end(parser);
        is_cut = step == PK_HTTP1_DONE && s->ssl && !s->is_tls_ended;
    }
    if (is_cut) {
        c->error = PK_LOAD_E_TRUNCATED;
    } else if (step == PK_HTTP1_ERROR) {
        c->error = parser->error;
    } else if (step == PK_HTTP1_DONE && code != CURLE_OPERATION_TIMEDOUT) {
        c->status = parser->status;
        c->suspicious = parser->suspicious;
    } else {
        c->error = failure(s, code, &c->sys_errno);
    }
}

static void fill_completion(slot *s, CURLcode code, pk_completion *c) {
    long connects = 0;
    *c = (pk_completion){.slot = index_of(s), .end_ns = pk_now_ns()};
    curl_easy_getinfo(s->easy, CURLINFO_NUM_CONNECTS, &connects);
    c->start_ns = s->start_ns;
    c->first_byte_ns = s->first_byte_ns;
    c->retried = s->is_resent || (s->prereqs > 1 && code != CURLE_ABORTED_BY_CALLBACK);
    fill_bytes(s, c);
    if (c->head_bytes > 0)
        c->head_ns = s->start_ns + pk_curl_span_ns(s->easy, CURLINFO_STARTTRANSFER_TIME_T);
    if (connects > 0) pk_curl_fill_phases(s->easy, c);
    fill_outcome(s, code, c);
}

static void make_idle(slot *s) {
    pk_curl_loop_remove(&s->engine->loop, index_of(s), s->easy);
    connected(s);
    s->active = false;
}

static void set_request(CURL *easy, const pk_plan *plan) {
    if (plan->is_head) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (plan->sends_body) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)plan->body_bytes);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, plan->body);
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, plan->method);
    } else if (strcmp(plan->method, "GET") != 0) {
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, plan->method);
    }
    if (plan->basic_auth) {
        curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        curl_easy_setopt(easy, CURLOPT_USERPWD, plan->basic_auth);
    }
    if (plan->disable_keepalive) curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_TRANSFER_DECODING, 0L); /* chunks as they came */
    curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);  /* other codings too */
}

static void set_callbacks(slot *s) {
    CURL *easy = s->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, s);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head_line);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, s);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, s);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_before_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, s);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, s);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, s->engine);
}

static void set_up(slot *s) {
    const pk_engine *e = s->engine;
    pk_curl_set_connection(s->easy, e->plan);
    pk_curl_set_route(s->easy, &s->route);
    set_request(s->easy, e->plan);
    set_callbacks(s);
    curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, e->headers);
    curl_easy_setopt(s->easy, CURLOPT_BUFFERSIZE, e->n_slots <= 256 ? 65536L : 16384L);
}

static bool slot_init(slot *s, pk_engine *e, const pk_route *route) {
    s->engine = e;
    s->fd = -1;
    s->easy = curl_easy_init();
    if (!s->easy || !pk_curl_route_init(&s->route, e->plan, route)) return false;
    set_up(s);
    return true;
}

static void begin(slot *s) {
    s->active = true;
    s->first_byte_ns = 0;
    s->prereqs = 0;
    s->tunnel_sent_bytes = 0;
    s->socket_errno = 0;
    s->ssl = NULL;
    s->is_refused = false;
    expect_answer(s);
    if (s->forbids_reuse) {
        s->forbids_reuse = false;
        curl_easy_setopt(s->easy, CURLOPT_FORBID_REUSE,
                         s->engine->plan->disable_keepalive ? 1L : 0L);
    }
    pk_curl_loop_add(&s->engine->loop, index_of(s), s->easy);
}

/* Did it only meet kept connections that the server had closed? libcurl then opens a new one, but
 * not after five of them, nor when it saw the reset between two reads. */
static bool met_only_closed_ones(const slot *s, const pk_completion *c) {
    bool is_lost =
        c->error == PK_LOAD_E_EMPTY || c->error == PK_LOAD_E_RESET || c->error == PK_LOAD_E_SEND;
    return is_lost && !c->opened && may_go_again(s);
}

/* Once more, on a connection of its own, in the time that is left. False: there is none. */
static bool resend(slot *s) {
    uint64_t limit_ns = s->engine->plan->timeout_ns;
    uint64_t spent_ns = pk_now_ns() - s->start_ns;
    if (s->is_resent || (limit_ns && spent_ns >= limit_ns)) return false;
    if (limit_ns)
        curl_easy_setopt(s->easy, CURLOPT_TIMEOUT_MS, (long)((limit_ns - spent_ns) / 1000000 + 1));
    curl_easy_setopt(s->easy, CURLOPT_FRESH_CONNECT, 1L);
    s->is_resent = true;
    begin(s);
    return true;
}

static void on_done(void *context, CURL *easy, CURLcode code) {
    pk_engine *e = context;
    slot *s;
    pk_completion *c = &e->done[e->n_done];
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&s);
    fill_completion(s, code, c);
    make_idle(s);
    if (s->prereqs != 1 || s->is_resent || code != CURLE_OK) {
        /* libcurl counts retries over the life of a handle and fails each sixth: a new life */
        curl_easy_reset(easy);
        set_up(s);
        if (met_only_closed_ones(s, c) && resend(s)) return;
    }
    e->n_done++;
}

static void engine_close(pk_engine *e, pk_engine_totals *totals) {
    if (!e) return;
    for (uint32_t i = 0; i < e->n_slots; i++)
        if (e->slots[i].active) make_idle(&e->slots[i]);
    pk_curl_loop_fini(&e->loop); /* closes the kept connections, while their handles live */
    for (uint32_t i = 0; i < e->n_slots; i++) {
        curl_easy_cleanup(e->slots[i].easy);
        pk_curl_route_fini(&e->slots[i].route);
        pk_curl_answer_fini(&e->slots[i].answer);
    }
    pk_curl_sockets_fini(&e->sockets);
    curl_slist_free_all(e->headers);
    if (totals) *totals = e->loop.totals;
    free(e->done);
    free(e);
}

static pk_engine *engine_open(const pk_plan *plan, uint32_t n_slots, uint64_t first_slot,
                              int wake_fd, pk_err *err) {
    pk_engine *e = calloc(1, sizeof *e + n_slots * sizeof e->slots[0]);
    bool ok = e != NULL;
    if (ok) {
        e->n_slots = n_slots;
        e->plan = plan;
        e->loop =
            (pk_curl_loop){.epoll_fd = -1, .on_done = on_done, .on_wait = on_wait, .context = e};
        e->done = calloc(n_slots, sizeof *e->done);
        ok = e->done && pk_curl_loop_init(&e->loop, n_slots, wake_fd);
        for (size_t i = 0; ok && i < plan->n_headers; i++)
            ok = pk_curl_add_line(&e->headers, plan->headers[i]);
        for (uint32_t i = 0; ok && i < n_slots; i++)
            ok = slot_init(&e->slots[i], e, &plan->routes[(first_slot + i) % plan->n_routes]);
    }
    if (ok) return e;
    pk_fail(err, PK_E_SYS, NULL, "cannot set up %u connections", n_slots);
    pk_fix(err, "lower -c, or raise the limits on memory and open files");
    engine_close(e, NULL);
    return NULL;
}

static uint64_t engine_submit(pk_engine *e, uint32_t index) {
    slot *s = &e->slots[index];
    uint64_t start_ns = s->start_ns = pk_now_ns();
    s->is_resent = false;
    begin(s);
    return start_ns;
}

static size_t engine_poll(pk_engine *e, pk_wait *wait, const pk_completion **done) {
    struct epoll_event events[EVENTS_PER_WAIT];
    uint64_t timer_ns = pk_curl_loop_timer_ns(&e->loop);
    if (e->n_done) wait->until_ns = 0;
    else if (timer_ns < wait->until_ns) wait->until_ns = timer_ns;
    int n = pk_curl_loop_wait(&e->loop, wait, events, EVENTS_PER_WAIT);
    for (int i = 0; i < n; i++) pk_curl_loop_event(&e->loop, &events[i]);
    pk_curl_loop_run_timers(&e->loop, wait->woke_ns);
    size_t n_done = e->n_done;
    *done = e->done;
    e->n_done = 0;
    return n_done;
}

static uint32_t engine_connecting(const pk_engine *e) {
    return e->n_connecting;
}

static void engine_abort(pk_engine *e, uint32_t index) {
    if (e->slots[index].active) make_idle(&e->slots[index]);
}

const pk_engine_ops pk_engine_curl = {
    .name = "curl",
    .files_per_64_slots = PK_CURL_LANE_FILES,
    .open = engine_open,
    .submit = engine_submit,
    .poll = engine_poll,
    .connecting = engine_connecting,
    .abort = engine_abort,
    .close = engine_close,
};

/* The reference engine: libcurl's multi interface throughout (load/curl_loop drives it).
 *
 * A slot is idle (its handle in no multi) or active. submit makes it active; a completion or abort
 * makes it idle. */
#include "load/engine.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "load/curl_answer.h"
#include "load/curl_error.h"
#include "load/curl_loop.h"
#include "load/curl_options.h"
#include "timing/clock.h"

#define EVENTS_PER_WAIT 256

typedef struct slot {
    CURL *easy;
    pk_engine *engine;
    pk_curl_route route;
    pk_curl_answer answer;
    uint64_t start_ns, first_byte_ns;
    uint32_t prereqs; /* requests sent for this transfer: 2 means that libcurl sent it again */
    long tunnel_sent_bytes; /* to a proxy, before the request */
    int socket_errno;       /* why socket() failed, which libcurl does not tell */
    bool is_resent;         /* by us, after libcurl had given up */
    bool active;
    bool is_connecting; /* socket opened, request not yet sent */
    bool forbids_reuse; /* of the connection, for this answer alone */
} slot;

struct pk_engine {
    pk_curl_loop loop;
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

/* All of the answer goes through the parser. Returning less than was given stops the transfer. */
static bool take(slot *s, const char *data, size_t bytes) {
    if (!pk_curl_answer_take(&s->answer, data, bytes)) return false;
    if (s->answer.step == PK_HTTP1_DONE && !s->answer.parser.keep_alive && !s->forbids_reuse) {
        s->forbids_reuse = true;
        curl_easy_setopt(s->easy, CURLOPT_FORBID_REUSE, 1L);
    }
    return true;
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
    pk_curl_answer_begin(&s->answer, plan->is_head, strcmp(plan->method, "CONNECT") == 0);
}

static void connected(slot *s) {
    if (!s->is_connecting) return;
    s->is_connecting = false;
    s->engine->n_connecting--;
}

static int on_before_request(void *context, char *ip, char *local_ip, int port, int local_port) {
    slot *s = context;
    (void)ip, (void)local_ip, (void)port, (void)local_port;
    if (s->prereqs++ == 0 && s->route.proxy)
        curl_easy_getinfo(s->easy, CURLINFO_REQUEST_SIZE, &s->tunnel_sent_bytes);
    connected(s);
    if (s->prereqs == 1) return CURL_PREREQFUNC_OK;
    /* libcurl would send anything again, even when a part of the answer had come */
    if (!s->engine->plan->is_idempotent || pk_curl_answer_has_begun(&s->answer))
        return CURL_PREREQFUNC_ABORT;
    expect_answer(s);
    return CURL_PREREQFUNC_OK;
}

static curl_socket_t on_open(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    slot *s = context;
    (void)purpose;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0) {
        s->socket_errno = errno;
        return CURL_SOCKET_BAD;
    }
    if (!s->is_connecting) {
        s->is_connecting = true;
        s->engine->n_connecting++;
    }
    return fd;
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

/* What became of the request. Where the answer is complete, libcurl's failure is that it could not
 * send the rest of a request that nobody waited for. */
static void fill_outcome(slot *s, CURLcode code, pk_completion *c) {
    pk_http1 *parser = &s->answer.parser;
    pk_http1_step step = s->answer.step;
    if (code == CURLE_OK && step == PK_HTTP1_MORE) step = pk_http1_end(parser);
    if (step == PK_HTTP1_ERROR) {
        c->error = parser->error;
    } else if (step == PK_HTTP1_DONE && code != CURLE_OPERATION_TIMEDOUT) {
        c->status = parser->status;
        c->suspicious = parser->suspicious;
    } else {
        bool has_begun = pk_curl_answer_has_begun(&s->answer);
        c->error = pk_curl_failure(s->easy, code, s->socket_errno, has_begun, &c->sys_errno);
        if (has_begun && code == CURLE_ABORTED_BY_CALLBACK) c->error = PK_LOAD_E_RESET;
        bool is_cut = c->error == PK_LOAD_E_TRUNCATED || c->error == PK_LOAD_E_EMPTY;
        if (has_begun && is_cut && parser->status == 0) c->error = PK_LOAD_E_RESET;
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
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, pk_curl_loop_on_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, &s->engine->loop);
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
    return is_lost && !c->opened && c->head_bytes == 0 && s->engine->plan->is_idempotent;
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
        e->loop = (pk_curl_loop){.epoll_fd = -1, .on_done = on_done, .context = e};
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

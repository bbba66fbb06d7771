/* The fast engine: libcurl makes each connection (DNS, TLS, unix sockets, CONNECT proxies), then
 * the socket is ours: edge-triggered epoll, one recv and one send per request, our own parser.
 *
 * A connection belongs to one slot and is in one of four states:
 *   CLOSED      no socket
 *   CONNECTING  libcurl is at it; a request waits for it
 *   IDLE        open, no request outstanding
 *   BUSY        a request is being sent or answered
 * Transitions: CLOSED -> CONNECTING (submit), CONNECTING -> BUSY (connected), IDLE -> BUSY
 * (submit), BUSY -> IDLE (answer, kept), BUSY -> CLOSED (answer, not kept; error; abort),
 * BUSY -> CONNECTING (a kept connection had died: sent once more), IDLE -> CLOSED (the peer
 * closed, or spoke out of turn), CONNECTING -> CLOSED (failed).
 *
 * Invariants:
 *  (1) Plain sockets are a duplicate of libcurl's, whose handle is gone: an idle connection costs
 *      this struct and the kernel's socket. Under TLS the handle must live as long as its SSL.
 *  (2) An edge is used up by one read that came back short (plain) or by AGAIN (TLS). After an
 *      event with RDHUP, HUP or ERR reading goes on to the end, since no further edge will come.
 *  (3) At most one event per slot stands in a batch, so none is stale when a slot reconnects. */
#include "load/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load/curl_error.h"
#include "load/curl_loop.h"
#include "load/curl_options.h"
#include "load/h1_request.h"
#include "load/http1.h"
#include "load/transport.h"
#include "timing/clock.h"

#define EVENTS_PER_WAIT 256
#define READ_BYTES 65536u
#define HELD_FIRST_BYTES 4096u
#define SWEEP_MAX_NS 100000000ull
/* libcurl has OpenSSL free its buffers whenever they are empty, which costs 4 % of a request; to
 * keep them costs 34 KiB per connection. */
#define TLS_BUFFERS_KEPT_MAX 1024u
#define MEMO_BYTES_MAX 1024u /* beyond it, comparing costs as much as parsing */
/* So many small reads share a reading of the clock: at most 10 us apart. */
#define READS_PER_STAMP 8
#define SMALL_READ_BYTES 4096u
#define OWN_EVENTS (EPOLLIN | EPOLLRDHUP | EPOLLET)

typedef enum conn_state { CLOSED, CONNECTING, IDLE, BUSY } conn_state;

typedef struct conn {
    pk_transport io;
    pk_engine *engine;
    CURL *easy;    /* while connecting; under TLS as long as the connection lives */
    CURLSH *cache; /* TLS: libcurl's cache of this one connection */
    uint64_t start_ns, head_ns, first_byte_ns, deadline_ns;
    size_t sent; /* bytes of the request */
    char *held;  /* a head that has not come whole */
    uint32_t held_bytes, held_capacity;
    pk_http1 parser;
    uint64_t dns_ns, tcp_ns, tls_ns, dialup_ns; /* of the connection this request opened */
    uint8_t state;                              /* conn_state */
    bool opened, has_tls;
    bool is_reused; /* the request went out on a kept connection */
    bool is_retried;
    bool cannot_send; /* the peer takes no more of the request */
    bool wants_out;   /* epoll has EPOLLOUT */
    int socket_errno; /* why socket() failed, which libcurl does not tell */
} conn;

/* Most answers of a run are byte for byte the one before. Of the last that came in one piece: its
 * bytes, and the parser behind them. */
typedef struct memo {
    pk_http1 parser;
    uint32_t bytes; /* 0: none yet */
    char text[MEMO_BYTES_MAX];
} memo;

struct pk_engine {
    pk_curl_loop loop;
    const pk_plan *plan;
    pk_h1_request request;
    pk_curl_route *routes;
    uint64_t first_slot;
    uint64_t next_sweep_ns;
    uint64_t now_ns;      /* the last reading of the clock .. */
    uint32_t stamps_left; /* .. which does for so many more reads */
    uint32_t n_slots;
    uint32_t n_connecting;
    pk_completion *done; /* n_slots */
    size_t n_done;
    char *buffer; /* READ_BYTES */
    memo last;
    conn conns[];
};

static void begin_connect(conn *c);
static void send_rest(conn *c);

static uint32_t index_of(const conn *c) {
    return (uint32_t)(c - c->engine->conns);
}

/* --- time ------------------------------------------------------------------------------------ */

static uint64_t read_clock(pk_engine *e) {
    e->stamps_left = 0;
    return e->now_ns = pk_now_ns();
}

/* The moment of a read that epoll had announced. What it announced was there when the wait ended,
 * so that moment does for a batch's first small answers; the later bytes of one may have come
 * since, so it does not for all. A long read, or one through TLS, takes much longer than reading
 * the clock. */
static uint64_t stamp_read(pk_engine *e, const conn *c, size_t bytes) {
    if (e->stamps_left == 0 || bytes > SMALL_READ_BYTES || c->io.ssl) {
        read_clock(e);
        e->stamps_left = READS_PER_STAMP;
    }
    e->stamps_left--;
    return e->now_ns;
}

/* --- the end of a request or a connection ---------------------------------------------------- */

static void leave_connecting(conn *c) {
    if (c->state == CONNECTING) c->engine->n_connecting--;
}

static void close_conn(conn *c) {
    pk_engine *e = c->engine;
    leave_connecting(c);
    if (c->easy) { /* libcurl closes its socket, under TLS with a close_notify */
        pk_curl_loop_remove(&e->loop, index_of(c), c->easy);
        curl_easy_cleanup(c->easy);
    } else if (c->io.fd >= 0) {
        pk_curl_loop_count_retransmits(&e->loop, c->io.fd);
        close(c->io.fd);
    }
    c->easy = NULL;
    c->io = (pk_transport){.fd = -1};
    c->held_bytes = 0;
    c->wants_out = false;
    c->state = CLOSED;
}

static pk_completion *add_completion(conn *c, uint64_t end_ns) {
    pk_engine *e = c->engine;
    pk_completion *done = &e->done[e->n_done++];
    *done = (pk_completion){
        .slot = index_of(c),
        .opened = c->opened,
        .has_tls = c->has_tls,
        .retried = c->is_retried,
        .start_ns = c->start_ns,
        .end_ns = end_ns,
        .head_ns = c->head_ns,
        .first_byte_ns = c->first_byte_ns,
        .body_bytes = c->parser.body_bytes,
        .head_bytes = c->parser.head_bytes,
        .sent_bytes = c->sent,
    };
    if (c->opened) {
        done->dns_ns = c->dns_ns;
        done->tcp_ns = c->tcp_ns;
        done->tls_ns = c->tls_ns;
        done->dialup_ns = c->dialup_ns;
    }
    return done;
}

static void fail(conn *c, pk_load_error_class error, int sys_errno, uint64_t now_ns) {
    pk_completion *done = add_completion(c, now_ns);
    done->error = error;
    done->sys_errno = sys_errno;
    close_conn(c);
}

static bool request_is_sent(const conn *c) {
    const pk_h1_request *r = &c->engine->request;
    return c->sent == r->first_bytes + r->rest_bytes;
}

/* is_exact: nothing came behind the answer's end. */
static void complete(conn *c, bool is_exact, uint64_t now_ns) {
    pk_completion *done = add_completion(c, now_ns);
    done->status = c->parser.status;
    done->suspicious = c->parser.suspicious || !is_exact;
    if (is_exact && c->parser.keep_alive && !c->engine->plan->disable_keepalive &&
        request_is_sent(c))
        c->state = IDLE;
    else close_conn(c);
}

/* A kept connection that the server closed while our request was on its way: nothing was answered,
 * so an idempotent request may go again, once (RFC 9112, 9.3.1). The clock runs on. */
static bool retry(conn *c) {
    if (!c->is_reused || c->head_ns || c->is_retried || !c->engine->plan->is_idempotent)
        return false;
    close_conn(c);
    c->is_retried = true;
    c->is_reused = false;
    begin_connect(c);
    return true;
}

/* The peer's side ended: `how` is END, CUT or ERROR. */
static void peer_ended(conn *c, pk_io how) {
    if (c->state != BUSY) {
        close_conn(c);
        return;
    }
    if (retry(c)) return;
    uint64_t now_ns = read_clock(c->engine);
    if (how == PK_IO_ERROR && !c->head_ns) {
        fail(c, PK_LOAD_E_RESET, 0, now_ns);
        return;
    }
    pk_http1_step step = pk_http1_end(&c->parser);
    if (step == PK_HTTP1_DONE && how == PK_IO_END) complete(c, true, now_ns);
    else if (step == PK_HTTP1_DONE) fail(c, PK_LOAD_E_TRUNCATED, 0, now_ns);
    else fail(c, (pk_load_error_class)c->parser.error, 0, now_ns);
}

/* --- reading --------------------------------------------------------------------------------- */

/* Keeps data[0..bytes), the beginning of a head. It may stand in c->held already. */
static bool hold(conn *c, const char *data, size_t bytes) {
    if (bytes > c->held_capacity) {
        size_t capacity = c->held_capacity ? c->held_capacity : HELD_FIRST_BYTES;
        while (capacity < bytes) capacity *= 2;
        char *grown = realloc(c->held, capacity); /* data is not in it: it fits there otherwise */
        if (!grown) return false;
        c->held = grown;
        c->held_capacity = (uint32_t)capacity;
    }
    memmove(c->held, data, bytes);
    c->held_bytes = (uint32_t)bytes;
    return true;
}

/* Room behind a held head, so that it can be read on in one piece. */
static bool make_room(conn *c) {
    if (c->held_bytes < c->held_capacity) return true;
    char *grown = realloc(c->held, 2 * (size_t)c->held_capacity);
    if (!grown) return false;
    c->held = grown;
    c->held_capacity *= 2;
    return true;
}

/* Feeds the parser, unless these bytes are known: what comes out depends on them alone. */
static pk_http1_step parse(conn *c, bool is_start, const char *data, size_t bytes, size_t *used) {
    memo *last = &c->engine->last;
    if (is_start && bytes == last->bytes && memcmp(data, last->text, bytes) == 0) {
        c->parser = last->parser;
        *used = bytes;
        return PK_HTTP1_DONE;
    }
    pk_http1_step step = pk_http1_feed(&c->parser, data, bytes, used);
    if (is_start && step == PK_HTTP1_DONE && *used == bytes && bytes <= MEMO_BYTES_MAX) {
        last->parser = c->parser;
        last->bytes = (uint32_t)bytes;
        memcpy(last->text, data, bytes);
    }
    return step;
}

/* New bytes; data starts with what was held. False when the request is over. */
static bool take(conn *c, const char *data, size_t bytes, uint64_t now_ns) {
    size_t used = 0;
    if (c->state != BUSY) { /* an answer to no request */
        close_conn(c);
        return false;
    }
    bool is_start = c->head_ns == 0;
    if (is_start) c->head_ns = now_ns;
    pk_http1_step step = parse(c, is_start, data, bytes, &used);
    if (!c->first_byte_ns && pk_http1_has_body(&c->parser)) c->first_byte_ns = now_ns;
    if (step == PK_HTTP1_MORE) {
        if (used == bytes) c->held_bytes = 0;
        else if (!hold(c, data + used, bytes - used)) fail(c, PK_LOAD_E_MEMORY, 0, now_ns);
        return c->state == BUSY;
    }
    c->held_bytes = 0;
    if (step == PK_HTTP1_ERROR) fail(c, (pk_load_error_class)c->parser.error, 0, now_ns);
    else complete(c, used == bytes, now_ns);
    return false;
}

/* is_last: the event said that the peer has closed, so nothing will be announced any more. */
static void read_all(conn *c, bool is_last) {
    pk_engine *e = c->engine;
    while (c->state == BUSY || c->state == IDLE) {
        size_t moved = 0;
        size_t held = c->held_bytes;
        if (held && !make_room(c)) {
            fail(c, PK_LOAD_E_MEMORY, 0, read_clock(e));
            return;
        }
        char *data = held ? c->held : e->buffer;
        size_t room = held ? c->held_capacity - held : READ_BYTES;
        pk_io io = pk_transport_read(&c->io, data + held, room, &moved);
        if (io == PK_IO_AGAIN_READ || io == PK_IO_AGAIN_WRITE) return;
        if (io != PK_IO_OK) {
            peer_ended(c, io);
            return;
        }
        uint64_t now_ns = stamp_read(e, c, moved); /* before parsing: that time is ours */
        bool goes_on = take(c, data, held + moved, now_ns);
        bool is_drained = c->io.ssl ? !goes_on && !pk_transport_holds(&c->io) : moved < room;
        if (is_drained && !is_last) return; /* else an idle one runs into its end and is closed */
        e->stamps_left = 0;                 /* what comes now may be newer than the event */
    }
}

/* --- sending --------------------------------------------------------------------------------- */

static void watch(conn *c, int how, uint32_t events) {
    struct epoll_event event = {.events = events, .data.u64 = PK_LOOP_OWN_BIT | index_of(c)};
    epoll_ctl(c->engine->loop.epoll_fd, how, c->io.fd, &event);
}

static void want_out(conn *c, bool wanted) {
    if (c->wants_out == wanted) return;
    c->wants_out = wanted;
    watch(c, EPOLL_CTL_MOD, OWN_EVENTS | (wanted ? (uint32_t)EPOLLOUT : 0u));
}

/* The peer takes no more, but its answer may be there already (413, 401): read it. */
static void sending_failed(conn *c) {
    c->cannot_send = true;
    read_all(c, true);
    if (c->state == BUSY && !retry(c)) fail(c, PK_LOAD_E_SEND, 0, read_clock(c->engine));
}

static void send_rest(conn *c) {
    const pk_h1_request *r = &c->engine->request;
    while (!request_is_sent(c)) {
        size_t moved = 0;
        bool in_first = c->sent < r->first_bytes;
        const char *data = in_first ? r->first + c->sent : r->rest + (c->sent - r->first_bytes);
        size_t left =
            in_first ? r->first_bytes - c->sent : r->rest_bytes - (c->sent - r->first_bytes);
        pk_io io = pk_transport_write(&c->io, data, left, &moved);
        if (io == PK_IO_AGAIN_READ) return; /* the next event of any kind tries again */
        if (io == PK_IO_AGAIN_WRITE) {
            want_out(c, true);
            return;
        }
        if (io != PK_IO_OK) {
            sending_failed(c);
            return;
        }
        c->sent += moved;
    }
    want_out(c, false);
}

static void begin_request(conn *c) {
    c->state = BUSY;
    c->sent = 0;
    c->cannot_send = false;
    pk_http1_begin(&c->parser, c->engine->request.is_head, false);
    send_rest(c);
}

/* --- connecting ------------------------------------------------------------------------------ */

static int on_before_request(void *context, char *ip, char *local_ip, int port, int local_port) {
    conn *c = context;
    struct curl_tlssessioninfo *tls = NULL;
    (void)ip, (void)local_ip, (void)port, (void)local_port;
    /* Here, as after the end of the connect libcurl has detached handle and connection. */
    if (curl_easy_getinfo(c->easy, CURLINFO_TLS_SSL_PTR, &tls) == CURLE_OK && tls &&
        tls->backend == CURLSSLBACKEND_OPENSSL)
        c->io.ssl = tls->internals;
    return CURL_PREREQFUNC_OK;
}

static curl_socket_t on_open(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    conn *c = context;
    (void)purpose;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0) c->socket_errno = errno;
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

/* libcurl closes one of its sockets: its own name of one that we have taken over, or another whose
 * retransmits nobody would count later. */
static int on_close(void *context, curl_socket_t fd) {
    conn *c = context;
    pk_curl_loop *loop = &c->engine->loop;
    if (c->io.ssl || c->io.fd < 0) return pk_curl_loop_on_close(loop, fd);
    pk_curl_loop_forget(loop, fd);
    return close(fd);
}

/* Takes the socket over from libcurl. False, with errno, when that cannot be done. */
static bool adopt(conn *c, curl_socket_t fd) {
    pk_engine *e = c->engine;
    errno = 0;
    pk_curl_loop_forget(&e->loop, fd);
    if (e->plan->is_tls) {
        if (!c->io.ssl) return false;
        /* libcurl's own BIO works only inside its calls; ours reads the socket itself */
        if (!SSL_set_fd(c->io.ssl, fd)) return false;
        SSL_set_mode(c->io.ssl,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        SSL_set_read_ahead(c->io.ssl, 1); /* a record's head and body in one recv */
        if (e->n_slots <= TLS_BUFFERS_KEPT_MAX) SSL_clear_mode(c->io.ssl, SSL_MODE_RELEASE_BUFFERS);
        c->io.fd = fd;
    } else {
        c->io.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (c->io.fd < 0) return false;
        pk_curl_loop_remove(&e->loop, index_of(c), c->easy);
        curl_easy_cleanup(c->easy);
        c->easy = NULL;
    }
    watch(c, EPOLL_CTL_ADD, OWN_EVENTS);
    return true;
}

static void keep_phases(conn *c) {
    pk_completion phases = {0};
    pk_curl_fill_phases(c->easy, &phases);
    c->opened = phases.opened;
    c->has_tls = phases.has_tls;
    c->dns_ns = phases.dns_ns;
    c->tcp_ns = phases.tcp_ns;
    c->tls_ns = phases.tls_ns;
    c->dialup_ns = phases.dialup_ns;
}

static void on_connected(void *context, CURL *easy, CURLcode code) {
    conn *c;
    curl_socket_t fd = CURL_SOCKET_BAD;
    (void)context;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&c);
    if (code != CURLE_OK) {
        int sys_errno;
        pk_load_error_class error = pk_curl_failure(easy, code, c->socket_errno, false, &sys_errno);
        keep_phases(c);
        fail(c, error, sys_errno, read_clock(c->engine));
        return;
    }
    keep_phases(c);
    leave_connecting(c);
    c->state = BUSY;
    curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd);
    if (fd != CURL_SOCKET_BAD && adopt(c, fd)) begin_request(c);
    else if (errno == EMFILE || errno == ENFILE)
        fail(c, PK_LOAD_E_FILES, errno, read_clock(c->engine));
    else fail(c, PK_LOAD_E_OTHER, 0, read_clock(c->engine));
}

/* In a cache shared with others, libcurl would look at our kept connections once a second, whenever
 * one of them connects, and free those whose server has closed: socket and SSL, under our hands. A
 * cache of its own is looked at only when this connection is gone. */
static bool set_up_cache(conn *c) {
    if (!c->cache) {
        c->cache = curl_share_init();
        if (!c->cache) return false;
        curl_share_setopt(c->cache, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT);
    }
    return curl_easy_setopt(c->easy, CURLOPT_SHARE, c->cache) == CURLE_OK;
}

static bool set_up_easy(conn *c) {
    pk_engine *e = c->engine;
    CURL *easy = c->easy = curl_easy_init();
    if (!easy) return false;
    pk_curl_set_connection(easy, e->plan);
    pk_curl_set_route(easy, &e->routes[(e->first_slot + index_of(c)) % e->plan->n_routes]);
    if (e->plan->is_tls && !set_up_cache(c)) return false;
    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 1024L); /* libcurl reads nothing */
    curl_easy_setopt(easy, CURLOPT_PRIVATE, c);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_before_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, c);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, c);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, c);
    return true;
}

static void begin_connect(conn *c) {
    c->state = CONNECTING;
    c->engine->n_connecting++;
    c->socket_errno = 0;
    if (set_up_easy(c)) pk_curl_loop_add(&c->engine->loop, index_of(c), c->easy);
    else fail(c, PK_LOAD_E_MEMORY, 0, read_clock(c->engine));
}

/* --- the engine ------------------------------------------------------------------------------ */

static void engine_close(pk_engine *e, pk_engine_totals *totals) {
    if (!e) return;
    for (uint32_t i = 0; i < e->n_slots; i++) {
        if (e->conns[i].state != CLOSED) close_conn(&e->conns[i]);
        free(e->conns[i].held);
        if (e->conns[i].cache) curl_share_cleanup(e->conns[i].cache);
    }
    pk_curl_loop_fini(&e->loop);
    for (size_t i = 0; e->routes && i < e->plan->n_routes; i++) pk_curl_route_fini(&e->routes[i]);
    if (totals) *totals = e->loop.totals;
    pk_h1_request_fini(&e->request);
    free(e->routes);
    free(e->buffer);
    free(e->done);
    free(e);
}

static bool init_routes(pk_engine *e) {
    e->routes = calloc(e->plan->n_routes, sizeof *e->routes);
    for (size_t i = 0; e->routes && i < e->plan->n_routes; i++)
        if (!pk_curl_route_init(&e->routes[i], e->plan, &e->plan->routes[i])) return false;
    return e->routes != NULL;
}

static pk_engine *engine_open(const pk_plan *plan, uint32_t n_slots, uint64_t first_slot,
                              int wake_fd, pk_err *err) {
    pk_engine *e = calloc(1, sizeof *e + n_slots * sizeof e->conns[0]);
    bool ok = e != NULL;
    if (ok) {
        e->n_slots = n_slots;
        e->plan = plan;
        e->first_slot = first_slot;
        e->next_sweep_ns = plan->timeout_ns ? 0 : UINT64_MAX;
        e->loop = (pk_curl_loop){.epoll_fd = -1, .on_done = on_connected, .context = e};
        e->done = calloc(n_slots, sizeof *e->done);
        e->buffer = malloc(READ_BYTES);
        for (uint32_t i = 0; i < n_slots; i++) {
            e->conns[i].engine = e;
            e->conns[i].io.fd = -1;
        }
        ok =
            e->done && e->buffer && init_routes(e) && pk_curl_loop_init(&e->loop, n_slots, wake_fd);
    }
    if (!ok) {
        pk_fail(err, PK_E_SYS, NULL, "cannot set up %u connections", n_slots);
        pk_fix(err, "lower -c, or raise the limits on memory and open files");
    } else {
        ok = pk_h1_request_make(plan, &e->request, err);
    }
    if (ok) return e;
    engine_close(e, NULL);
    return NULL;
}

static uint64_t engine_submit(pk_engine *e, uint32_t index) {
    conn *c = &e->conns[index];
    c->head_ns = c->first_byte_ns = 0;
    c->opened = c->has_tls = false;
    c->is_retried = false;
    c->is_reused = c->state == IDLE;
    uint64_t start_ns = c->start_ns = pk_now_ns();
    if (e->plan->timeout_ns) c->deadline_ns = start_ns + e->plan->timeout_ns;
    if (c->state == IDLE) begin_request(c);
    else begin_connect(c);
    return start_ns;
}

static void handle_event(pk_engine *e, const struct epoll_event *event) {
    if (!(event->data.u64 & PK_LOOP_OWN_BIT)) {
        pk_curl_loop_event(&e->loop, event);
        e->stamps_left = 0;
        return;
    }
    conn *c = &e->conns[event->data.u64 & ~PK_LOOP_OWN_BIT];
    if (c->state == BUSY && !c->cannot_send && !request_is_sent(c)) {
        send_rest(c);
        e->stamps_left = 0;
    }
    if (c->state == BUSY || c->state == IDLE)
        read_all(c, event->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
}

/* Deadlines are looked at every sixteenth of the timeout, so an answer may come that much late and
 * still count; what is recorded is the time that really passed. */
static void sweep(pk_engine *e, uint64_t now_ns) {
    uint64_t period_ns = e->plan->timeout_ns / 16 + 1;
    e->next_sweep_ns = now_ns + (period_ns < SWEEP_MAX_NS ? period_ns : SWEEP_MAX_NS);
    for (uint32_t i = 0; i < e->n_slots; i++) {
        conn *c = &e->conns[i];
        if ((c->state == BUSY || c->state == CONNECTING) && c->deadline_ns <= now_ns)
            fail(c, PK_LOAD_E_TIMEOUT, 0, now_ns);
    }
}

static size_t engine_poll(pk_engine *e, pk_wait *wait, const pk_completion **done) {
    struct epoll_event events[EVENTS_PER_WAIT];
    uint64_t timer_ns = pk_curl_loop_timer_ns(&e->loop);
    if (timer_ns < wait->until_ns) wait->until_ns = timer_ns;
    if (e->next_sweep_ns < wait->until_ns) wait->until_ns = e->next_sweep_ns;
    if (e->n_done) wait->until_ns = 0;
    int n = pk_curl_loop_wait(&e->loop, wait, events, EVENTS_PER_WAIT);
    e->now_ns = wait->woke_ns;
    e->stamps_left = READS_PER_STAMP;
    for (int i = 0; i < n; i++) handle_event(e, &events[i]);
    e->stamps_left = 0;
    pk_curl_loop_run_timers(&e->loop, wait->woke_ns);
    if (e->next_sweep_ns <= wait->woke_ns) sweep(e, read_clock(e));
    size_t n_done = e->n_done;
    *done = e->done;
    e->n_done = 0;
    return n_done;
}

static uint32_t engine_connecting(const pk_engine *e) {
    return e->n_connecting;
}

/* What has arrived is read first: closing a socket with unread bytes sends a reset, and the
 * server's log should show an orderly end. */
static void engine_abort(pk_engine *e, uint32_t index) {
    conn *c = &e->conns[index];
    if (c->state == BUSY && !c->io.ssl)
        for (int i = 0; i < 16 && recv(c->io.fd, e->buffer, READ_BYTES, MSG_DONTWAIT) > 0; i++) {
        }
    if (c->state != CLOSED) close_conn(c);
}

const pk_engine_ops pk_engine_h1 = {
    .name = "h1",
    .files_per_64_slots = PK_CURL_LANE_FILES,
    .open = engine_open,
    .submit = engine_submit,
    .poll = engine_poll,
    .connecting = engine_connecting,
    .abort = engine_abort,
    .close = engine_close,
};

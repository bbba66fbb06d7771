/* The reference engine: libcurl's multi interface throughout, driven by socket_action and epoll.
 *
 * Invariants of one engine (one thread):
 *  (1) A slot is idle (its handle in no multi) or active (in ours). submit makes it active,
 *      a completion or abort makes it idle.
 *  (2) watched[fd] says what epoll watches for fd; PARKED means that libcurl wants nothing now but
 *      the registration was kept, since a kept-alive connection is asked for again with the next
 *      request: that saves two epoll_ctl calls per request. A parked descriptor that becomes ready
 *      (the server closed it) is unregistered, or level-triggered epoll would spin.
 *  (3) Closing a descriptor goes through on_close, which forgets watched[fd]: the kernel drops the
 *      registration by itself, and the number may come back as another socket.
 *  (4) Slots share a multi handle in lanes of SLOTS_PER_LANE: looking for a free connection,
 *      libcurl walks over all of a multi's connections to that host (ConnectionExists), which at
 *      10,000 connections cost more than the rest of the request.
 *  (5) After each call into libcurl that may finish transfers the finished ones are collected and
 *      stamped at once, so that no answer waits for the others of its batch. */
#include "load/engine.h"

#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load/curl_error.h"
#include "timing/clock.h"

#define EVENTS_PER_WAIT 256
#define WAKE_TAG UINT64_MAX
#define TIMER_GRAIN_NS 1000000u
#define SLOTS_PER_LANE 64u

enum watch_events { UNKNOWN = 0, READ = EPOLLIN, WRITE = EPOLLOUT, PARKED = 1 << 30 };

typedef struct lane {
    CURLM *multi;
    pk_engine *engine;
    uint64_t timer_ns; /* when libcurl wants to be called; UINT64_MAX: not */
} lane;

typedef struct slot {
    CURL *easy;
    pk_engine *engine;
    lane *lane;
    struct curl_slist *resolve, *connect_to;
    uint64_t start_ns, first_byte_ns, body_bytes;
    uint32_t prereqs; /* requests sent for this transfer: 2 means that libcurl sent it again */
    int socket_errno; /* why socket() failed, which libcurl does not tell */
    bool active;
    bool is_connecting; /* socket opened, request not yet sent */
} slot;

/* What epoll was told about a descriptor. */
typedef struct watch {
    uint32_t events; /* enum watch_events */
    uint32_t lane_idx;
} watch;

struct pk_engine {
    lane *lanes;
    uint32_t n_lanes;
    struct curl_slist *headers;
    int epoll_fd;
    uint32_t n_slots;
    uint32_t n_connecting;
    watch *watched; /* by descriptor */
    size_t watched_count;
    pk_engine_totals totals;
    pk_completion *done; /* n_slots: a slot is not submitted again before poll has handed it over */
    size_t n_done;
    slot slots[];
};

/* --- callbacks of libcurl ------------------------------------------------------------------ */

static size_t on_body(char *data, size_t size, size_t count, void *context) {
    slot *s = context;
    (void)data;
    if (s->first_byte_ns == 0) s->first_byte_ns = pk_now_ns();
    s->body_bytes += size * count;
    return size * count;
}

static void connected(slot *s) {
    if (!s->is_connecting) return;
    s->is_connecting = false;
    s->engine->n_connecting--;
}

static int on_before_request(void *context, char *ip, char *local_ip, int port, int local_port) {
    slot *s = context;
    (void)ip, (void)local_ip, (void)port, (void)local_port;
    s->prereqs++;
    connected(s);
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

static int on_close(void *context, curl_socket_t fd) {
    pk_engine *e = context;
    struct tcp_info info;
    socklen_t bytes = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &bytes) == 0) {
        e->totals.retransmits_known = true;
        e->totals.retransmits += info.tcpi_total_retrans;
    }
    if ((size_t)fd < e->watched_count) e->watched[fd].events = UNKNOWN;
    return close(fd);
}

static bool grow_watched(pk_engine *e, size_t fd) {
    if (fd < e->watched_count) return true;
    size_t count = fd + 1 > 2 * e->watched_count ? fd + 1 : 2 * e->watched_count;
    watch *grown = realloc(e->watched, count * sizeof *grown);
    if (!grown) return false;
    memset(grown + e->watched_count, 0, (count - e->watched_count) * sizeof *grown);
    e->watched = grown;
    e->watched_count = count;
    return true;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *socket_data) {
    lane *l = context;
    pk_engine *e = l->engine;
    (void)easy, (void)socket_data;
    if (!grow_watched(e, (size_t)fd)) return -1;
    uint32_t *watched = &e->watched[fd].events;
    e->watched[fd].lane_idx = (uint32_t)(l - e->lanes);
    if (what == CURL_POLL_REMOVE) {
        *watched |= *watched ? (uint32_t)PARKED : 0u;
        return 0;
    }
    uint32_t want =
        (what & CURL_POLL_IN ? (uint32_t)READ : 0u) | (what & CURL_POLL_OUT ? (uint32_t)WRITE : 0u);
    uint32_t have = *watched & ~(uint32_t)PARKED;
    *watched = want;
    if (want == have) return 0;
    struct epoll_event event = {.events = want, .data.u64 = (uint64_t)fd};
    return epoll_ctl(e->epoll_fd, have ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -1;
}

static int on_timer(CURLM *multi, long timeout_ms, void *context) {
    lane *l = context;
    (void)multi;
    l->timer_ns = timeout_ms < 0    ? UINT64_MAX
                  : timeout_ms == 0 ? 0
                                    : pk_now_ns() + (uint64_t)timeout_ms * 1000000u;
    return 0;
}

/* --- completions ---------------------------------------------------------------------------- */

static uint64_t span_ns(CURL *easy, CURLINFO what) {
    curl_off_t us = 0;
    curl_easy_getinfo(easy, what, &us);
    return us > 0 ? (uint64_t)us * 1000u : 0;
}

/* Phases of a fresh connection; libcurl's moments count from the start of the transfer. */
static void fill_phases(CURL *easy, pk_completion *c) {
    uint64_t dns = span_ns(easy, CURLINFO_NAMELOOKUP_TIME_T);
    uint64_t tcp = span_ns(easy, CURLINFO_CONNECT_TIME_T);
    uint64_t tls = span_ns(easy, CURLINFO_APPCONNECT_TIME_T);
    if (tcp == 0) return; /* it never got that far */
    c->opened = true;
    c->has_tls = tls > 0;
    c->dns_ns = dns;
    c->tcp_ns = tcp > dns ? tcp - dns : 0;
    c->tls_ns = tls > tcp ? tls - tcp : 0;
    c->dialup_ns = c->has_tls ? tls : tcp;
}

static void fill_completion(slot *s, CURLcode code, pk_completion *c) {
    long status = 0;
    long connects = 0;
    long head_bytes = 0;
    long request_bytes = 0;
    curl_off_t uploaded = 0;
    *c = (pk_completion){.slot = (uint32_t)(s - s->engine->slots), .end_ns = pk_now_ns()};
    curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(s->easy, CURLINFO_NUM_CONNECTS, &connects);
    curl_easy_getinfo(s->easy, CURLINFO_HEADER_SIZE, &head_bytes);
    curl_easy_getinfo(s->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
    curl_easy_getinfo(s->easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
    c->start_ns = s->start_ns;
    c->first_byte_ns = s->first_byte_ns;
    c->body_bytes = s->body_bytes;
    c->head_bytes = (uint64_t)head_bytes;
    c->sent_bytes = (uint64_t)request_bytes + (uint64_t)uploaded;
    c->retried = s->prereqs > 1;
    if (head_bytes > 0) c->head_ns = s->start_ns + span_ns(s->easy, CURLINFO_STARTTRANSFER_TIME_T);
    if (connects > 0) fill_phases(s->easy, c);
    if (code == CURLE_OK) {
        c->status = (uint16_t)status;
    } else {
        long os_errno = 0;
        curl_easy_getinfo(s->easy, CURLINFO_OS_ERRNO, &os_errno);
        c->error = pk_curl_error_class(code, s->socket_errno ? s->socket_errno : (int)os_errno,
                                       head_bytes > 0, &c->sys_errno);
    }
}

static void make_idle(slot *s) {
    curl_multi_remove_handle(s->lane->multi, s->easy);
    connected(s);
    s->active = false;
}

static void collect(lane *l) {
    pk_engine *e = l->engine;
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(l->multi, &left));) {
        slot *s;
        if (message->msg != CURLMSG_DONE) continue;
        CURLcode code = message->data.result; /* gone once the handle is removed */
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&s);
        fill_completion(s, code, &e->done[e->n_done++]);
        make_idle(s);
    }
}

static void act(lane *l, curl_socket_t fd, int what) {
    int running;
    curl_multi_socket_action(l->multi, fd, what, &running);
    collect(l);
}

/* --- set-up --------------------------------------------------------------------------------- */

static bool add_line(struct curl_slist **list, const char *line) {
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer) *list = longer;
    return longer != NULL;
}

static long ms_rounded_up(uint64_t ns) {
    return (long)((ns + 999999u) / 1000000u);
}

static void set_request(CURL *easy, const pk_plan *plan) {
    curl_easy_setopt(easy, CURLOPT_URL, plan->url);
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
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
}

static void set_connection(CURL *easy, const pk_plan *plan, uint32_t n_slots) {
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* not from the environment */
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, -1L);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, 86400L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, n_slots <= 256 ? 65536L : 16384L);
    curl_easy_setopt(easy, CURLOPT_IPRESOLVE,
                     plan->ipv4 == plan->ipv6 ? CURL_IPRESOLVE_WHATEVER
                     : plan->ipv4             ? CURL_IPRESOLVE_V4
                                              : CURL_IPRESOLVE_V6);
    if (plan->unix_socket) curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, plan->unix_socket);
    if (plan->disable_keepalive) curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    if (plan->timeout_ns)
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, ms_rounded_up(plan->timeout_ns));
    if (plan->connect_timeout_ns)
        curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, ms_rounded_up(plan->connect_timeout_ns));
}

static void set_tls(CURL *easy, const pk_plan *plan) {
    if (!plan->is_tls) return;
    if (plan->insecure) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (plan->ca_file) curl_easy_setopt(easy, CURLOPT_CAINFO, plan->ca_file);
    /* without a CAPATH libcurl keeps the parsed store between connections */
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    if (plan->cert) curl_easy_setopt(easy, CURLOPT_SSLCERT, plan->cert);
    if (plan->key) curl_easy_setopt(easy, CURLOPT_SSLKEY, plan->key);
}

static void set_callbacks(slot *s) {
    CURL *easy = s->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, s);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, s);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_before_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, s);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, s);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, s->engine);
}

static bool slot_init(slot *s, lane *l, const pk_plan *plan, const pk_route *route) {
    pk_engine *e = l->engine;
    s->engine = e;
    s->lane = l;
    s->easy = curl_easy_init();
    if (!s->easy) return false;
    set_request(s->easy, plan);
    set_connection(s->easy, plan, e->n_slots);
    set_tls(s->easy, plan);
    set_callbacks(s);
    curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, e->headers);
    if (route->resolve && !add_line(&s->resolve, route->resolve)) return false;
    if (route->connect_to && !add_line(&s->connect_to, route->connect_to)) return false;
    curl_easy_setopt(s->easy, CURLOPT_RESOLVE, s->resolve);
    curl_easy_setopt(s->easy, CURLOPT_CONNECT_TO, s->connect_to);
    return true;
}

static bool lane_init(lane *l, pk_engine *e) {
    l->engine = e;
    l->timer_ns = UINT64_MAX;
    l->multi = curl_multi_init();
    if (!l->multi) return false;
    curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l);
    curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, l);
    curl_multi_setopt(l->multi, CURLMOPT_MAXCONNECTS, (long)SLOTS_PER_LANE + 8);
    return true;
}

static bool epoll_init(pk_engine *e, int wake_fd) {
    struct epoll_event wake = {.events = EPOLLIN, .data.u64 = WAKE_TAG};
    e->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return e->epoll_fd >= 0 && epoll_ctl(e->epoll_fd, EPOLL_CTL_ADD, wake_fd, &wake) == 0;
}

static void engine_close(pk_engine *e, pk_engine_totals *totals) {
    if (!e) return;
    for (uint32_t i = 0; i < e->n_slots; i++)
        if (e->slots[i].active) make_idle(&e->slots[i]);
    /* the multis first: they close the kept connections through on_close */
    for (uint32_t i = 0; i < e->n_lanes; i++)
        if (e->lanes[i].multi) curl_multi_cleanup(e->lanes[i].multi);
    for (uint32_t i = 0; i < e->n_slots; i++) {
        curl_easy_cleanup(e->slots[i].easy);
        curl_slist_free_all(e->slots[i].resolve);
        curl_slist_free_all(e->slots[i].connect_to);
    }
    curl_slist_free_all(e->headers);
    if (totals) *totals = e->totals;
    if (e->epoll_fd >= 0) close(e->epoll_fd);
    free(e->lanes);
    free(e->watched);
    free(e->done);
    free(e);
}

static pk_engine *engine_open(const pk_plan *plan, uint32_t n_slots, uint64_t first_slot,
                              int wake_fd, pk_err *err) {
    pk_engine *e = calloc(1, sizeof *e + n_slots * sizeof e->slots[0]);
    bool ok = e != NULL;
    if (ok) {
        e->n_slots = n_slots;
        e->epoll_fd = -1;
        e->done = calloc(n_slots, sizeof *e->done);
        e->lanes = calloc((n_slots + SLOTS_PER_LANE - 1) / SLOTS_PER_LANE, sizeof *e->lanes);
        ok = e->done && e->lanes && epoll_init(e, wake_fd);
        for (; ok && e->n_lanes * SLOTS_PER_LANE < n_slots; e->n_lanes++)
            ok = lane_init(&e->lanes[e->n_lanes], e);
        for (size_t i = 0; ok && i < plan->n_headers; i++)
            ok = add_line(&e->headers, plan->headers[i]);
        for (uint32_t i = 0; ok && i < n_slots; i++)
            ok = slot_init(&e->slots[i], &e->lanes[i / SLOTS_PER_LANE], plan,
                           &plan->routes[(first_slot + i) % plan->n_routes]);
    }
    if (ok) return e;
    pk_fail(err, PK_E_SYS, NULL, "cannot set up %u connections", n_slots);
    pk_fix(err, "lower -c, or raise the limits on memory and open files");
    engine_close(e, NULL);
    return NULL;
}

/* --- the loop ------------------------------------------------------------------------------- */

static uint64_t engine_submit(pk_engine *e, uint32_t index) {
    slot *s = &e->slots[index];
    s->active = true;
    s->first_byte_ns = 0;
    s->body_bytes = 0;
    s->prereqs = 0;
    s->socket_errno = 0;
    s->start_ns = pk_now_ns();
    curl_multi_add_handle(s->lane->multi, s->easy);
    /* a new handle has a timer of 0: this call sends the request, or begins to connect */
    act(s->lane, CURL_SOCKET_TIMEOUT, 0);
    return s->start_ns;
}

static void unwatch(pk_engine *e, int fd) {
    epoll_ctl(e->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    e->watched[fd].events = UNKNOWN;
}

static void handle_event(pk_engine *e, const struct epoll_event *event) {
    if (event->data.u64 == WAKE_TAG) return;
    int fd = (int)event->data.u64;
    uint32_t watched = (size_t)fd < e->watched_count ? e->watched[fd].events : (uint32_t)UNKNOWN;
    if (watched == UNKNOWN) return; /* closed by an earlier event of this batch */
    if (watched & PARKED) {
        unwatch(e, fd);
        return;
    }
    int what = (event->events & EPOLLIN ? CURL_CSELECT_IN : 0) |
               (event->events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
               (event->events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
    act(&e->lanes[e->watched[fd].lane_idx], fd, what);
}

static uint64_t first_timer_ns(const pk_engine *e) {
    uint64_t first = UINT64_MAX;
    for (uint32_t i = 0; i < e->n_lanes; i++)
        if (e->lanes[i].timer_ns < first) first = e->lanes[i].timer_ns;
    return first;
}

static void run_timers(pk_engine *e, uint64_t now_ns) {
    for (uint32_t i = 0; i < e->n_lanes; i++) {
        lane *l = &e->lanes[i];
        uint64_t was_ns = l->timer_ns;
        if (was_ns > now_ns) continue;
        act(l, CURL_SOCKET_TIMEOUT, 0);
        /* libcurl says nothing when it found the timer not yet run out (its clock has a coarser
         * grain than ours): come back, or that timer would be lost */
        if (l->timer_ns == was_ns) l->timer_ns = now_ns + TIMER_GRAIN_NS;
    }
}

static size_t engine_poll(pk_engine *e, uint64_t until_ns, pk_completion out[], uint64_t *woke_ns) {
    struct epoll_event events[EVENTS_PER_WAIT];
    uint64_t timer_ns = first_timer_ns(e);
    uint64_t wake_ns = until_ns < timer_ns ? until_ns : timer_ns;
    uint64_t now_ns = pk_now_ns();
    uint64_t wait_ns = e->n_done || wake_ns <= now_ns ? 0 : wake_ns - now_ns;
    struct timespec wait = {.tv_sec = (time_t)(wait_ns / 1000000000u),
                            .tv_nsec = (long)(wait_ns % 1000000000u)};
    int n = epoll_pwait2(e->epoll_fd, events, EVENTS_PER_WAIT,
                         wake_ns == UINT64_MAX && !e->n_done ? NULL : &wait, NULL);
    *woke_ns = pk_now_ns();
    for (int i = 0; i < n; i++) handle_event(e, &events[i]);
    run_timers(e, *woke_ns);
    size_t n_done = e->n_done;
    memcpy(out, e->done, n_done * sizeof *out);
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
    .files_per_64_slots = 2, /* a multi handle's wake-up pair */
    .open = engine_open,
    .submit = engine_submit,
    .poll = engine_poll,
    .connecting = engine_connecting,
    .abort = engine_abort,
    .close = engine_close,
};

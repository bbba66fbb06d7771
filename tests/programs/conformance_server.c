/* conformance_server: answers HTTP/1.1 in every way that a client has to get right.
 *
 *   conformance_server [--tls CERT KEY] [--greet TEXT]
 *
 * The path chooses what happens: /CASE/MODE[/ANYTHING]. CASE is a row of conformance/table.c; MODE
 * says how the answer is cut on its way:
 *   whole   in one piece
 *   bytes   byte by byte
 *   cut/N   in two pieces, with a pause after N bytes
 *   cuts    the same, at a different place for each request: LENGTH requests are cut everywhere
 *   every   all of that: the first request as whole, the second as bytes, LENGTH more as cuts
 * GET /cases lists the cases and what a client has to make of them. With --greet every connection
 * is told TEXT before it has asked for anything, and closed.
 *
 * Loopback only, on free ports: the first lines say which. SIGTERM ends it and prints the counts
 * per path (conformance/counts.h); a forgotten one ends by itself. One thread per connection,
 * blocking: nothing here has to be fast, and so each case reads as what it does. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "base/units.h"
#include "tests/programs/conformance/cases.h"
#include "tests/programs/conformance/conn.h"
#include "tests/programs/conformance/counts.h"
#include "timing/clock.h"

#define LIFETIME_S 180
#define ANSWER_MAX (4u << 20)
#define BODY_MAX (64u << 20) /* of a request */
#define PIECES_MAX 512       /* of an answer that goes "byte by byte" */
#define CUT_PAUSE_US 1000
#define BYTE_PAUSE_US 10
/* Prime, and no factor of any answer's length: LENGTH steps of it visit every place once, and the
 * first few of a long answer lie far apart. */
#define CUT_STEP 7919u
#define LEAVE_LIMIT_NS (2 * PK_NS_PER_S)

typedef struct server {
    counts *counts;
    const char *greeting; /* NULL: none */
    conn_tls *tls;        /* NULL: no TLS */
    pk_strbuf list;
} server;

typedef struct listener {
    server *server;
    int fd;
    bool is_tls;
    pthread_t thread;
} listener;

typedef struct visit {
    server *server;
    int fd;
    bool is_tls;
    conn conn;
    count_row *row; /* of the last request */
    char path[COUNT_PATH_MAX];
    uint64_t requests;  /* on this connection */
    uint64_t body_left; /* of the request's body, still to come */
} visit;

/* What a path asks for. */
typedef struct order {
    const conformance_case *c;
    enum mode mode;
    bool fixed_cut;
    uint64_t cut;
} order;

static void die(const char *what, const char *why) {
    fprintf(stderr, "conformance_server: %s: %s\n", what, why);
    exit(2);
}

static void pause_us(unsigned us) {
    pk_sleep_until_ns(pk_now_ns() + us * PK_NS_PER_US);
}

/* --- requests ------------------------------------------------------------------------------- */

/* The value of Content-Length in a head, 0 without one. */
static uint64_t content_length(const char *head, const char *end) {
    static const char name[] = "content-length:";
    for (const char *line = head; line < end;
         line = (const char *)memchr(line, '\n', (size_t)(end - line)) + 1) {
        if (strncasecmp(line, name, sizeof name - 1) != 0) continue;
        uint64_t value = 0;
        const char *p = line + sizeof name - 1;
        while (*p == ' ') p++;
        for (; *p >= '0' && *p <= '9' && value < BODY_MAX; p++)
            value = value * 10 + (uint64_t)(*p - '0');
        return value;
    }
    return 0;
}

static bool take_body(visit *v) {
    while (v->body_left > 0) {
        if (v->conn.head_bytes == 0 && !conn_read(&v->conn)) return false;
        size_t n = v->conn.head_bytes < v->body_left ? v->conn.head_bytes : (size_t)v->body_left;
        conn_use(&v->conn, n);
        v->body_left -= n;
        counts_add(v->server->counts, v->row, COUNT_BODY_BYTES, n);
    }
    return true;
}

/* "GET /path HTTP/1.1": copies the path; false when the line is no such thing. */
static bool read_path(const char *line, const char *end, char path[COUNT_PATH_MAX]) {
    const char *from = memchr(line, ' ', (size_t)(end - line));
    const char *to = from ? memchr(from + 1, ' ', (size_t)(end - from - 1)) : NULL;
    if (!to || to - from > COUNT_PATH_MAX) return false;
    memcpy(path, from + 1, (size_t)(to - from - 1));
    path[to - from - 1] = '\0';
    return path[0] == '/' && strchr(path, '\n') == NULL;
}

/* Reads the next head and counts it; the body is still to come. False when there is none, or what
 * comes is none: TLS, say. */
static bool take_head(visit *v) {
    const char *end;
    while (!(end = memmem(v->conn.head, v->conn.head_bytes, "\r\n\r\n", 4)))
        if (!conn_read(&v->conn) || !isupper((unsigned char)v->conn.head[0])) return false;
    end += 4;
    if (!read_path(v->conn.head, end, v->path)) return false;
    v->row = counts_row(v->server->counts, v->path, v->is_tls);
    if (!v->row) return false;
    v->body_left = content_length(v->conn.head, end);
    conn_use(&v->conn, (size_t)(end - v->conn.head));
    if (v->requests++ == 0) counts_add(v->server->counts, v->row, COUNT_CONNECTIONS, 1);
    return true;
}

static bool word_is(const char *word, size_t bytes, const char *expected) {
    return strlen(expected) == bytes && memcmp(word, expected, bytes) == 0;
}

static bool read_mode(const char *text, order *o) {
    static const char *const names[] = {
        [EVERY] = "every", [WHOLE] = "whole", [BYTES] = "bytes", [CUTS] = "cuts"};
    size_t bytes = strcspn(text, "/");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        o->mode = (enum mode)i;
        if (word_is(text, bytes, names[i])) return true;
    }
    char number[24];
    pk_err err;
    int64_t at;
    if (!word_is(text, bytes, "cut") || text[bytes] == '\0') return false;
    text += bytes + 1;
    snprintf(number, sizeof number, "%.*s", (int)strcspn(text, "/"), text);
    if (!pk_parse_int(number, 0, ANSWER_MAX, &at, &err)) return false;
    *o = (order){.c = o->c, .mode = CUTS, .fixed_cut = true, .cut = (uint64_t)at};
    return true;
}

static bool read_order(const char *path, order *o) {
    const char *name = path + 1;
    size_t bytes = strcspn(name, "/");
    *o = (order){.c = conformance_find(name, bytes)};
    return o->c && name[bytes] == '/' && read_mode(name + bytes + 1, o);
}

/* --- answers -------------------------------------------------------------------------------- */

static bool send_counted(visit *v, const char *data, size_t bytes) {
    counts_add(v->server->counts, v->row, COUNT_SENT_BYTES, bytes);
    return conn_write(&v->conn, data, bytes);
}

static bool send_in_steps(visit *v, const char *data, size_t bytes, size_t step, unsigned gap_us) {
    for (size_t done = 0; done < bytes; done += step) {
        if (done > 0) pause_us(gap_us);
        if (!send_counted(v, data + done, bytes - done < step ? bytes - done : step)) return false;
    }
    return true;
}

static bool send_cut(visit *v, const char *data, size_t bytes, size_t at) {
    if (!send_counted(v, data, at)) return false;
    pause_us(CUT_PAUSE_US);
    return send_counted(v, data + at, bytes - at);
}

static bool send_in_mode(visit *v, const order *o, uint64_t turn, const char *data, size_t n) {
    enum mode mode = o->mode != EVERY ? o->mode : turn == 0 ? WHOLE : turn == 1 ? BYTES : CUTS;
    size_t cut = n == 0 ? 0 : o->fixed_cut ? (size_t)o->cut % n : (size_t)(turn * CUT_STEP % n);
    if (mode == BYTES) return send_in_steps(v, data, n, n / PIECES_MAX + 1, BYTE_PAUSE_US);
    if (mode == CUTS) return send_cut(v, data, n, cut);
    return send_counted(v, data, n);
}

static bool send_answer(visit *v, const order *o, uint64_t turn) {
    pk_strbuf answer;
    pk_strbuf_init(&answer, ANSWER_MAX);
    conformance_answer(o->c, turn, &answer);
    if (!pk_strbuf_ok(&answer)) die(o->c->name, "out of memory");
    bool sent = o->c->gap_ms ? send_in_steps(v, answer.data, answer.length, 1, o->c->gap_ms * 1000)
                             : send_in_mode(v, o, turn, answer.data, answer.length);
    pk_strbuf_fini(&answer);
    return sent;
}

/* The whole of one request after its head. How the connection goes on is the result. */
static ending answer(visit *v, const order *o) {
    const conformance_case *c = o->c;
    counts *seen = v->server->counts;
    uint64_t turn = counts_add(seen, v->row, COUNT_REQUESTS, 1);
    if (c->before && !send_counted(v, c->before, strlen(c->before))) return END_CLOSE_NOW;
    if (!c->early && !take_body(v)) return END_CLOSE_NOW;
    if (c->has_later && v->requests > 1) {
        if (c->later_part) send_counted(v, c->later_part, strlen(c->later_part));
        return c->later;
    }
    pause_us(c->delay_ms * 1000);
    if (!send_answer(v, o, turn)) return END_CLOSE_NOW;
    counts_add(seen, v->row, COUNT_ANSWERS, 1);
    pause_us(c->idle_ms * 1000);
    if (c->after && !send_counted(v, c->after, strlen(c->after))) return END_CLOSE_NOW;
    return c->ending;
}

static ending answer_otherwise(visit *v) {
    pk_strbuf text;
    bool is_list = strcmp(v->path, "/cases") == 0;
    const char *body = is_list ? v->server->list.data : "no such case\n";
    pk_strbuf_init(&text, ANSWER_MAX);
    pk_strbuf_addf(&text, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                   is_list ? "200 OK" : "404 Not Found", strlen(body), body);
    counts_add(v->server->counts, v->row, COUNT_REQUESTS, 1);
    if (take_body(v) && send_counted(v, text.data, text.length))
        counts_add(v->server->counts, v->row, COUNT_ANSWERS, 1);
    pk_strbuf_fini(&text);
    return END_CLOSE;
}

static void talk(visit *v) {
    ending how = END_KEEP;
    if (v->server->greeting) {
        conn_write(&v->conn, v->server->greeting, strlen(v->server->greeting));
        how = END_CLOSE;
    }
    while (how == END_KEEP && take_head(v)) {
        order o;
        how = read_order(v->path, &o) ? answer(v, &o) : answer_otherwise(v);
        if (how == END_KEEP && !take_body(v)) break; /* of an early answer */
    }
    conn_end(&v->conn, how);
}

static void *visit_main(void *context) {
    visit *v = context;
    if (conn_open(&v->conn, v->fd, v->is_tls ? v->server->tls : NULL)) talk(v);
    counts_active(v->server->counts, -1, v->requests > 0);
    free(v);
    return NULL;
}

/* --- the server ----------------------------------------------------------------------------- */

static void *listener_main(void *context) {
    listener *l = context;
    pthread_attr_t detached;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    for (;;) {
        int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
        if (fd < 0) break; /* shut down */
        visit *v = calloc(1, sizeof *v);
        pthread_t thread;
        if (!v) die("connection", "out of memory");
        *v = (visit){.server = l->server, .fd = fd, .is_tls = l->is_tls};
        counts_active(l->server->counts, +1, false);
        if (pthread_create(&thread, &detached, visit_main, v) != 0) die("thread", "none left");
    }
    pthread_attr_destroy(&detached);
    return NULL;
}

static void listener_open(listener *l) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof at;
    l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (l->fd < 0 || bind(l->fd, (struct sockaddr *)&at, bytes) < 0 || listen(l->fd, 4096) < 0 ||
        getsockname(l->fd, (struct sockaddr *)&at, &bytes) < 0)
        die("listen", strerror(errno));
    printf("listening on %s://127.0.0.1:%u\n", l->is_tls ? "https" : "http",
           (unsigned)ntohs(at.sin_port));
    fflush(stdout);
    if (pthread_create(&l->thread, NULL, listener_main, l) != 0) die("thread", "none left");
}

static void listener_close(listener *l) {
    shutdown(l->fd, SHUT_RDWR);
    pthread_join(l->thread, NULL);
    close(l->fd);
}

/* Clients that have left may still have their last answer being counted. */
static void wait_for_visits(server *s) {
    uint64_t limit_ns = pk_now_ns() + LEAVE_LIMIT_NS;
    while (counts_active_now(s->counts) > 0 && pk_now_ns() < limit_ns) pause_us(1000);
}

static void read_options(server *s, int argc, char **argv) {
    static const struct option rows[] = {{"tls", 1, 0, 't'}, {"greet", 1, 0, 'g'}, {0}};
    for (int option; (option = getopt_long(argc, argv, "", rows, NULL)) != -1;) {
        const char *why = "needs CERT and KEY";
        if (option == 'g') {
            s->greeting = optarg;
        } else if (option == 't') {
            if (optind < argc) s->tls = conn_tls_new(optarg, argv[optind++], &why);
            if (!s->tls) die("--tls", why);
        } else {
            exit(2);
        }
    }
}

int main(int argc, char **argv) {
    server s = {.counts = counts_new()};
    listener plain = {.server = &s};
    listener secure = {.server = &s, .is_tls = true};
    sigset_t ends;
    const struct timespec lifetime = {.tv_sec = LIFETIME_S};
    if (!s.counts) die("start", "out of memory");
    read_options(&s, argc, argv);
    pk_strbuf_init(&s.list, ANSWER_MAX);
    conformance_list(&s.list);
    if (!pk_strbuf_ok(&s.list)) die("cases", "an answer is too long");
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    listener_open(&plain);
    if (s.tls) listener_open(&secure);
    while (sigtimedwait(&ends, NULL, &lifetime) < 0 && errno == EINTR) continue;
    listener_close(&plain);
    if (s.tls) listener_close(&secure);
    wait_for_visits(&s);
    counts_print(s.counts);
    pk_strbuf_fini(&s.list);
    /* a thread that hangs on its client may still use what is left: end without taking it away, and
     * without a leak checker calling that a leak */
    _exit(fflush(stdout) == 0 ? 0 : 2);
}

/* proxy: an HTTP proxy for tests: whole URLs (http://) and tunnels (CONNECT), one thread per
 * connection. It counts what it did and prints the counts when SIGTERM ends it; it knows no names,
 * so --to says where everything goes in truth.
 *
 *   --to HOST:PORT     connect there, whatever was asked for (an IPv4 address)
 *   --auth TEXT        asks for "Proxy-Authorization: Basic TEXT", else answers 407
 *   --refuse STATUS    answers CONNECT with this
 *   --hang-up          closes without an answer to CONNECT
 *   --record FILE      appends the head of every request as it came
 *   --cert, --key FILE speaks TLS to its clients (PEM) */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/error.h"
#include "base/file.h"
#include "base/strbuf.h"
#include "base/units.h"

#define HEAD_MAX 32768
#define LIFETIME_S 120 /* a forgotten proxy ends by itself */

typedef struct proxy {
    struct sockaddr_in to;
    const char *auth;
    int64_t refuse; /* 0: no */
    bool hang_up;
    int record_fd; /* -1: none */
    SSL_CTX *tls;  /* NULL: plain */
    int listener;
    _Atomic uint64_t connections, tunnels, forwarded, refused;
} proxy;

typedef struct conn {
    proxy *proxy;
    int client, server; /* server -1: not yet */
    SSL *ssl;           /* to the client */
    char head[HEAD_MAX];
    size_t head_bytes;
    uint64_t body_left; /* of the request that is being passed on */
} conn;

static void die(const char *what) {
    fprintf(stderr, "proxy: %s: %s\n", what, strerror(errno));
    exit(2);
}

/* ---- the client's side, plain or TLS ---- */

static ssize_t client_read(conn *c, void *data, size_t bytes) {
    return c->ssl ? SSL_read(c->ssl, data, (int)bytes) : recv(c->client, data, bytes, 0);
}

static bool client_write(conn *c, const void *data, size_t bytes) {
    if (c->ssl) return SSL_write(c->ssl, data, (int)bytes) == (int)bytes;
    return pk_fd_write_all(c->client, data, bytes);
}

static bool client_text(conn *c, const char *text) {
    return client_write(c, text, strlen(text));
}

/* ---- heads ---- */

/* Bytes of the head in front, its empty line included; 0: not whole yet. */
static size_t whole_head(const conn *c) {
    const char *end = memmem(c->head, c->head_bytes, "\r\n\r\n", 4);
    return end ? (size_t)(end + 4 - c->head) : 0;
}

/* The value of a field in head[0..bytes), to be freed; NULL without one. */
static char *field(const char *head, size_t bytes, const char *name) {
    size_t length = strlen(name);
    const char *end = head + bytes;
    for (const char *line = head; line < end;) {
        const char *eol = memmem(line, (size_t)(end - line), "\r\n", 2);
        if (!eol) break;
        if ((size_t)(eol - line) > length && line[length] == ':' &&
            strncasecmp(line, name, length) == 0) {
            const char *value = line + length + 1;
            while (*value == ' ') value++;
            return strndup(value, (size_t)(eol - value));
        }
        line = eol + 2;
    }
    return NULL;
}

static bool may_pass(const conn *c, size_t head_bytes) {
    if (!c->proxy->auth) return true;
    char expected[256];
    snprintf(expected, sizeof expected, "Basic %s", c->proxy->auth);
    char *given = field(c->head, head_bytes, "Proxy-Authorization");
    bool ok = given && strcmp(given, expected) == 0;
    free(given);
    return ok;
}

static uint64_t body_bytes(const conn *c, size_t head_bytes) {
    uint64_t bytes = 0;
    pk_err err = {0};
    char *text = field(c->head, head_bytes, "Content-Length");
    if (text && !pk_parse_count(text, &bytes, &err)) bytes = 0;
    free(text);
    return bytes;
}

/* The request for the server: the path alone instead of the URL, no fields meant for the proxy. */
static bool rewrite(const conn *c, size_t head_bytes, pk_strbuf *out) {
    const char *end = c->head + head_bytes;
    const char *url = memchr(c->head, ' ', head_bytes);
    if (!url || (size_t)(end - url) < 8 || strncmp(url + 1, "http://", 7) != 0) return false;
    const char *path = url + 8;
    while (path < end && *path != '/' && *path != ' ') path++;
    pk_strbuf_add(out, c->head, (size_t)(url + 1 - c->head));
    if (*path == ' ') pk_strbuf_add_char(out, '/');
    for (const char *line = path; line < end;) {
        const char *eol = memmem(line, (size_t)(end - line), "\r\n", 2);
        if (!eol) return false;
        if (strncasecmp(line, "Proxy-", 6) != 0) pk_strbuf_add(out, line, (size_t)(eol + 2 - line));
        line = eol + 2;
    }
    return pk_strbuf_ok(out);
}

/* ---- what is done with a request ---- */

static bool connect_server(conn *c) {
    int on = 1;
    if (c->server >= 0) return true;
    c->server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->server >= 0) setsockopt(c->server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return c->server >= 0 &&
           connect(c->server, (const struct sockaddr *)&c->proxy->to, sizeof c->proxy->to) == 0;
}

/* Answers and ends the connection: false for the caller to pass on. */
static bool refuse(conn *c, int status, const char *fields) {
    char text[256];
    atomic_fetch_add(&c->proxy->refused, 1);
    snprintf(text, sizeof text, "HTTP/1.1 %d X\r\n%sContent-Length: 0\r\n\r\n", status, fields);
    client_text(c, text);
    return false;
}

static void use(conn *c, size_t bytes) {
    memmove(c->head, c->head + bytes, c->head_bytes - bytes);
    c->head_bytes -= bytes;
}

static bool open_tunnel(conn *c, size_t head_bytes) {
    if (c->proxy->hang_up) return false;
    if (c->proxy->refuse) return refuse(c, (int)c->proxy->refuse, "");
    if (!connect_server(c)) return refuse(c, 502, "");
    atomic_fetch_add(&c->proxy->tunnels, 1);
    use(c, head_bytes);
    c->body_left = UINT64_MAX; /* whatever comes is passed on */
    return client_text(c, "HTTP/1.1 200 OK\r\nX-Tunnel: yes\r\n\r\n");
}

static bool forward(conn *c, size_t head_bytes) {
    pk_strbuf out;
    if (!connect_server(c)) return refuse(c, 502, "");
    pk_strbuf_init(&out, HEAD_MAX);
    bool ok = rewrite(c, head_bytes, &out);
    c->body_left = body_bytes(c, head_bytes);
    use(c, head_bytes);
    atomic_fetch_add(&c->proxy->forwarded, ok);
    ok = ok && pk_fd_write_all(c->server, out.data, out.length);
    pk_strbuf_fini(&out);
    return ok;
}

/* Uses up what came from the client as far as possible. */
static bool from_client(conn *c) {
    while (c->head_bytes) {
        if (c->body_left) {
            size_t n = c->head_bytes < c->body_left ? c->head_bytes : (size_t)c->body_left;
            if (!pk_fd_write_all(c->server, c->head, n)) return false;
            if (c->body_left != UINT64_MAX) c->body_left -= n;
            use(c, n);
            continue;
        }
        size_t bytes = whole_head(c);
        if (!bytes) return c->head_bytes < sizeof c->head;
        if (c->proxy->record_fd >= 0 && !pk_fd_write_all(c->proxy->record_fd, c->head, bytes))
            return false;
        if (!may_pass(c, bytes)) return refuse(c, 407, "Proxy-Authenticate: Basic realm=\"x\"\r\n");
        if (!(strncmp(c->head, "CONNECT ", 8) == 0 ? open_tunnel(c, bytes) : forward(c, bytes)))
            return false;
    }
    return true;
}

static bool read_client(conn *c) {
    do {
        ssize_t n = client_read(c, c->head + c->head_bytes, sizeof c->head - c->head_bytes);
        if (n <= 0) return false;
        c->head_bytes += (size_t)n;
        if (!from_client(c)) return false;
    } while (c->ssl && SSL_pending(c->ssl) > 0);
    return true;
}

static bool read_server(conn *c) {
    char data[16384];
    ssize_t n = recv(c->server, data, sizeof data, 0);
    return n > 0 && client_write(c, data, (size_t)n);
}

static void serve(conn *c) {
    for (;;) {
        struct pollfd fds[] = {{.fd = c->client, .events = POLLIN},
                               {.fd = c->server, .events = POLLIN}}; /* -1: passed over */
        if (poll(fds, 2, LIFETIME_S * 1000) <= 0) return;
        if (fds[0].revents && !read_client(c)) return;
        if (fds[1].revents && !read_server(c)) return;
    }
}

static void *connection(void *context) {
    conn *c = context;
    bool ok = true;
    if (c->proxy->tls) {
        c->ssl = SSL_new(c->proxy->tls);
        ok = c->ssl && SSL_set_fd(c->ssl, c->client) && SSL_accept(c->ssl) == 1;
    }
    if (ok) serve(c);
    if (c->ssl) SSL_shutdown(c->ssl);
    SSL_free(c->ssl);
    if (c->server >= 0) close(c->server);
    close(c->client);
    free(c);
    return NULL;
}

/* ---- start and end ---- */

static void accept_one(proxy *p) {
    pthread_t thread;
    int on = 1;
    int fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) return;
    conn *c = calloc(1, sizeof *c);
    if (!c) die("memory");
    c->proxy = p;
    c->client = fd;
    c->server = -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    atomic_fetch_add(&p->connections, 1);
    if (pthread_create(&thread, NULL, connection, c) != 0) die("thread");
    pthread_detach(thread);
}

static int open_listener(void) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, bytes) < 0 || listen(fd, 1024) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &bytes) < 0)
        die("listen");
    printf("listening on http://127.0.0.1:%u\n", (unsigned)ntohs(at.sin_port));
    fflush(stdout);
    return fd;
}

static void set_to(proxy *p, const char *text) {
    char host[INET_ADDRSTRLEN] = "";
    const char *colon = strchr(text, ':');
    int64_t port = 0;
    pk_err err = {0};
    if (colon) snprintf(host, sizeof host, "%.*s", (int)(colon - text), text);
    p->to.sin_family = AF_INET;
    if (inet_pton(AF_INET, host, &p->to.sin_addr) != 1 ||
        !pk_parse_int(colon + 1, 1, 65535, &port, &err))
        die("--to");
    p->to.sin_port = htons((uint16_t)port);
}

static SSL_CTX *make_tls(const char *cert, const char *key) {
    if (!cert) return NULL;
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    if (!tls || SSL_CTX_use_certificate_chain_file(tls, cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(tls, key ? key : cert, SSL_FILETYPE_PEM) != 1)
        die("certificate");
    return tls;
}

static void parse(proxy *p, int argc, char **argv) {
    enum { TO = 1000, AUTH, REFUSE, HANG_UP, RECORD, CERT, KEY };
    static const struct option rows[] = {
        {"to", 1, 0, TO},         {"auth", 1, 0, AUTH},
        {"refuse", 1, 0, REFUSE}, {"hang-up", 0, 0, HANG_UP},
        {"record", 1, 0, RECORD}, {"cert", 1, 0, CERT},
        {"key", 1, 0, KEY},       {0},
    };
    const char *cert = NULL, *key = NULL;
    pk_err err = {0};
    for (int c; (c = getopt_long(argc, argv, "", rows, NULL)) != -1;) {
        if (c == TO) set_to(p, optarg);
        else if (c == AUTH) p->auth = optarg;
        else if (c == HANG_UP) p->hang_up = true;
        else if (c == CERT) cert = optarg;
        else if (c == KEY) key = optarg;
        else if (c == REFUSE && pk_parse_int(optarg, 100, 599, &p->refuse, &err)) continue;
        else if (c == RECORD)
            p->record_fd = open(optarg, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
        else exit(2);
    }
    if (!p->to.sin_port) die("--to is missing");
    p->tls = make_tls(cert, key);
}

int main(int argc, char **argv) {
    proxy p = {.record_fd = -1};
    sigset_t set;
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int signals = signalfd(-1, &set, SFD_CLOEXEC);
    parse(&p, argc, argv);
    alarm(LIFETIME_S);
    p.listener = open_listener();
    for (;;) {
        struct pollfd fds[] = {{.fd = p.listener, .events = POLLIN},
                               {.fd = signals, .events = POLLIN}};
        if (poll(fds, 2, -1) <= 0) continue;
        if (fds[1].revents) break;
        accept_one(&p);
    }
    printf("connections %" PRIu64 " tunnels %" PRIu64 " forwarded %" PRIu64 " refused %" PRIu64
           "\n",
           atomic_load(&p.connections), atomic_load(&p.tunnels), atomic_load(&p.forwarded),
           atomic_load(&p.refused));
    fflush(stdout);
    _exit(0); /* connections may still be open, in threads of their own */
}

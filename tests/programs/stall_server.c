/* stall_server: an HTTP/1.1 keep-alive server whose behaviour is known exactly.
 * It answers every request alike, late or wrong as its options say, counts what it did, and prints
 * the counts when SIGTERM ends it, so that a test can compare a client's figures with the truth.
 *
 * One thread, one epoll. All delays keep the order of arrival (a constant one, or "not before the
 * window ends"), so the requests that wait form a queue and its head is the next one due. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/error.h"
#include "base/file.h"
#include "base/units.h"
#include "timing/clock.h"

#define HEAD_MAX 16384
#define EVENTS_MAX 256
#define BACKLOG 4096
#define LIFETIME_NS (120 * PK_NS_PER_S) /* a forgotten server ends by itself */

typedef enum fault {
    FAULT_NONE,
    FAULT_CLOSE,
    FAULT_NO_LENGTH,
    FAULT_RESET,
    FAULT_EMPTY,
    FAULT_TRUNCATE,
    FAULT_GARBAGE,
    FAULT_SILENT
} fault;

typedef struct server_options {
    uint64_t stall_each_ns;
    uint64_t stall_at_ns, stall_for_ns; /* from the first request on */
    uint64_t body_bytes;
    uint64_t status;
    fault fault;
    const char *unix_path; /* NULL: TCP on loopback */
    bool ipv6;
    uint64_t backlog;         /* of listen() until it accepts */
    uint64_t accept_after_ns; /* the first connection waits so long to be accepted */
    const char *record;       /* a file that gets every byte received */
} server_options;

typedef struct conn {
    int fd;
    char head[HEAD_MAX]; /* what was read and not yet used */
    size_t head_bytes;
    uint64_t skip_bytes; /* of a request body, still to come */
    bool waiting;        /* in the queue: a request is complete, its answer not yet due */
    bool head_only;      /* answer to HEAD */
    bool close_after;
    uint64_t due_ns;
    struct conn *next, *prev;           /* queue */
    struct conn *next_open, *prev_open; /* of all connections */
    char *out;                          /* the answer being written; the server's own buffer */
    size_t out_bytes, out_done;
} conn;

typedef struct server {
    server_options options;
    int epoll, listener, signals;
    int record_fd; /* -1: none */
    char *answer;  /* head and body, made once */
    size_t answer_head_bytes, answer_bytes;
    conn *first, *last;    /* waiting, by due_ns */
    conn *open;            /* all connections */
    uint64_t accept_at_ns; /* while connections wait to be accepted; else 0 */
    uint64_t first_request_ns;
    uint64_t requests, connections, sent_bytes, received_body_bytes, answers;
} server;

static void die(const char *what) {
    fprintf(stderr, "stall_server: %s: %s\n", what, strerror(errno));
    exit(2);
}

/* The value of "Content-Length" in head[0..bytes), 0 without one. */
static uint64_t content_length(const char *head, const char *end) {
    static const char name[] = "content-length:";
    for (const char *line = head; line < end;) {
        const char *eol = memchr(line, '\n', (size_t)(end - line));
        if (!eol) break;
        if (strncasecmp(line, name, sizeof name - 1) == 0) {
            uint64_t value = 0;
            const char *p = line + sizeof name - 1;
            while (*p == ' ') p++;
            for (; *p >= '0' && *p <= '9' && value < UINT64_MAX / 20; p++)
                value = value * 10 + (uint64_t)(*p - '0');
            return value;
        }
        line = eol + 1;
    }
    return 0;
}

static void queue_push(server *s, conn *c) {
    c->waiting = true;
    c->next = NULL;
    c->prev = s->last;
    if (s->last) s->last->next = c;
    else s->first = c;
    s->last = c;
}

static void queue_remove(server *s, conn *c) {
    if (!c->waiting) return;
    if (c->prev) c->prev->next = c->next;
    else s->first = c->next;
    if (c->next) c->next->prev = c->prev;
    else s->last = c->prev;
    c->waiting = false;
}

static void drop(server *s, conn *c, bool reset) {
    struct linger hard = {.l_onoff = 1};
    if (reset) setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    queue_remove(s, c);
    if (c->next_open) c->next_open->prev_open = c->prev_open;
    *(c->prev_open ? &c->prev_open->next_open : &s->open) = c->next_open;
    close(c->fd);
    free(c);
}

static uint64_t due(server *s, uint64_t now) {
    if (s->first_request_ns == 0) s->first_request_ns = now;
    uint64_t when = now + s->options.stall_each_ns;
    uint64_t begin = s->first_request_ns + s->options.stall_at_ns;
    uint64_t end = begin + s->options.stall_for_ns;
    if (when >= begin && when < end) when = end;
    return when;
}

/* Takes one request off the front of the buffer if it is complete; queues its answer. */
static void take_request(server *s, conn *c, uint64_t now) {
    size_t skip = c->head_bytes < c->skip_bytes ? c->head_bytes : (size_t)c->skip_bytes;
    memmove(c->head, c->head + skip, c->head_bytes - skip);
    c->head_bytes -= skip;
    c->skip_bytes -= skip;
    s->received_body_bytes += skip;
    if (c->skip_bytes > 0) return;
    if (c->due_ns == 0) {
        char *end = memmem(c->head, c->head_bytes, "\r\n\r\n", 4);
        if (!end) return;
        c->head_only = c->head_bytes > 5 && memcmp(c->head, "HEAD ", 5) == 0;
        c->skip_bytes = content_length(c->head, end + 4);
        size_t used = (size_t)(end + 4 - c->head);
        memmove(c->head, c->head + used, c->head_bytes - used);
        c->head_bytes -= used;
        c->due_ns = 1; /* the head is here, now the body */
        take_request(s, c, now);
        return;
    }
    s->requests++;
    c->due_ns = due(s, now);
    if (s->options.fault != FAULT_SILENT) queue_push(s, c);
}

static void watch(server *s, conn *c, uint32_t events, int op) {
    struct epoll_event event = {.events = events, .data.ptr = c};
    if (epoll_ctl(s->epoll, op, c->fd, &event) < 0) die("epoll_ctl");
}

/* False when the connection is gone. */
static bool write_on(server *s, conn *c) {
    while (c->out_done < c->out_bytes) {
        ssize_t n = send(c->fd, c->out + c->out_done, c->out_bytes - c->out_done, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) {
            watch(s, c, EPOLLOUT, EPOLL_CTL_MOD);
            return true;
        }
        if (n < 0) {
            drop(s, c, false);
            return false;
        }
        s->sent_bytes += (uint64_t)n;
        c->out_done += (size_t)n;
    }
    s->answers++;
    c->out = NULL;
    c->due_ns = 0;
    if (c->close_after) {
        drop(s, c, false);
        return false;
    }
    watch(s, c, EPOLLIN, EPOLL_CTL_MOD);
    return true;
}

static void answer(server *s, conn *c) {
    queue_remove(s, c);
    c->out = s->answer;
    c->out_done = 0;
    c->out_bytes = c->head_only ? s->answer_head_bytes : s->answer_bytes;
    switch (s->options.fault) {
    case FAULT_RESET:
        drop(s, c, true);
        return;
    case FAULT_EMPTY:
        drop(s, c, false);
        return;
    case FAULT_TRUNCATE:
        c->out_bytes = s->answer_head_bytes + (size_t)s->options.body_bytes / 2;
        break;
    default:
        break;
    }
    c->close_after = s->options.fault != FAULT_NONE;
    if (write_on(s, c)) take_request(s, c, pk_now_ns());
}

static void read_on(server *s, conn *c, uint64_t now) {
    ssize_t n = recv(c->fd, c->head + c->head_bytes, sizeof c->head - c->head_bytes, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) { /* gone, or the buffer is full: a head too large, or sent ahead of its turn */
        drop(s, c, false);
        return;
    }
    if (s->record_fd >= 0 && !pk_fd_write_all(s->record_fd, c->head + c->head_bytes, (size_t)n))
        die("record");
    c->head_bytes += (size_t)n;
    if (!c->waiting && !c->out) take_request(s, c, now);
}

static void accept_all(server *s) {
    for (;;) {
        int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        conn *c = calloc(1, sizeof *c);
        if (!c) die("memory");
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        c->fd = fd;
        c->next_open = s->open;
        if (s->open) s->open->prev_open = c;
        s->open = c;
        s->connections++;
        watch(s, c, EPOLLIN, EPOLL_CTL_ADD);
    }
}

static void watch_listener(server *s) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &s->listener};
    if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->listener, &event) < 0) die("epoll_ctl");
}

/* The first connection has come: lets it and all others wait, if that is asked for. */
static void first_connection(server *s, uint64_t now) {
    s->accept_at_ns = now + s->options.accept_after_ns;
    s->options.accept_after_ns = 0;
    epoll_ctl(s->epoll, EPOLL_CTL_DEL, s->listener, NULL);
}

/* Takes what waits, and from now on everything as it comes. */
static void begin_to_accept(server *s) {
    s->accept_at_ns = 0;
    if (listen(s->listener, BACKLOG) < 0) die("listen"); /* again: with more room */
    accept_all(s);
    watch_listener(s);
}

static void make_answer(server *s) {
    const server_options *o = &s->options;
    char head[256];
    int n = o->fault == FAULT_GARBAGE ? snprintf(head, sizeof head, "\x01no http\r\n\r\n")
            : o->fault == FAULT_NO_LENGTH
                ? snprintf(head, sizeof head, "HTTP/1.1 %" PRIu64 " X\r\nServer: stall\r\n\r\n",
                           o->status)
                : snprintf(head, sizeof head,
                           "HTTP/1.1 %" PRIu64 " X\r\nServer: stall\r\nContent-Length: %" PRIu64
                           "\r\n\r\n",
                           o->status, o->body_bytes);
    s->answer_head_bytes = (size_t)n;
    s->answer_bytes = (size_t)n + (o->fault == FAULT_GARBAGE ? 0 : (size_t)o->body_bytes);
    s->answer = malloc(s->answer_bytes + 1);
    if (!s->answer) die("memory");
    memcpy(s->answer, head, (size_t)n);
    memset(s->answer + n, 'x', s->answer_bytes - (size_t)n);
}

static void raise_file_limit(void) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

static int open_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* Binds, listens and prints where. */
static int open_listener(const server_options *o) {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un path;
    } at = {0};
    socklen_t bytes = sizeof at.v4;
    at.v4.sin_family = AF_INET;
    at.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (o->unix_path) {
        at.path = (struct sockaddr_un){.sun_family = AF_UNIX};
        snprintf(at.path.sun_path, sizeof at.path.sun_path, "%s", o->unix_path);
        bytes = sizeof at.path;
    } else if (o->ipv6) {
        at.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
        bytes = sizeof at.v6;
    }
    int fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, &at.any, bytes) < 0 || listen(fd, (int)o->backlog) < 0 ||
        getsockname(fd, &at.any, &bytes) < 0)
        die("listen");
    if (o->unix_path) printf("listening on unix:%s\n", o->unix_path);
    else if (o->ipv6) printf("listening on http://[::1]:%u\n", (unsigned)ntohs(at.v6.sin6_port));
    else printf("listening on http://127.0.0.1:%u\n", (unsigned)ntohs(at.v4.sin_port));
    fflush(stdout);
    return fd;
}

static void start(server *s) {
    raise_file_limit();
    s->signals = open_signals();
    s->record_fd = -1;
    if (s->options.record) {
        s->record_fd =
            open(s->options.record, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
        if (s->record_fd < 0) die(s->options.record);
    }
    s->listener = open_listener(&s->options);
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    watch_listener(s);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &s->signals};
    epoll_ctl(s->epoll, EPOLL_CTL_ADD, s->signals, &event);
}

static void serve(server *s) {
    struct epoll_event events[EVENTS_MAX];
    uint64_t end_ns = pk_now_ns() + LIFETIME_NS;
    pk_timer_slack_minimal();
    for (;;) {
        uint64_t now = pk_now_ns();
        uint64_t until = s->first && s->first->due_ns < end_ns ? s->first->due_ns : end_ns;
        if (s->accept_at_ns && s->accept_at_ns < until) until = s->accept_at_ns;
        if (now >= end_ns) return;
        uint64_t wait = until > now ? until - now : 0;
        struct timespec ts = {.tv_sec = (time_t)(wait / PK_NS_PER_S),
                              .tv_nsec = (long)(wait % PK_NS_PER_S)};
        int n = epoll_pwait2(s->epoll, events, EVENTS_MAX, &ts, NULL);
        now = pk_now_ns();
        for (int i = 0; i < n; i++) {
            conn *c = events[i].data.ptr;
            if ((void *)c == (void *)&s->signals) return;
            if ((void *)c == (void *)&s->listener && s->options.accept_after_ns)
                first_connection(s, now);
            else if ((void *)c == (void *)&s->listener) accept_all(s);
            else if (c->out) write_on(s, c);
            else read_on(s, c, now);
        }
        if (s->accept_at_ns && s->accept_at_ns <= now) begin_to_accept(s);
        while (s->first && s->first->due_ns <= now) answer(s, s->first);
    }
}

static uint64_t number(const char *name, const char *text, bool duration) {
    pk_err err = {0};
    uint64_t value = 0;
    if (!(duration ? pk_parse_duration(text, &value, &err) : pk_parse_count(text, &value, &err))) {
        fprintf(stderr, "stall_server: --%s: %s\n", name, err.what);
        exit(2);
    }
    return value;
}

static void say_counts(const server *s) {
    printf("requests %" PRIu64 " answers %" PRIu64 " connections %" PRIu64 " sent_bytes %" PRIu64
           " received_body_bytes %" PRIu64 "\n",
           s->requests, s->answers, s->connections, s->sent_bytes, s->received_body_bytes);
}

int main(int argc, char **argv) {
    enum { EACH = 1000, AT, FOR, BODY, STATUS, UNIX, IPV6, BACKLOG_IS, ACCEPT, RECORD };
    static const struct option rows[] = {
        {"stall-each", 1, 0, EACH},
        {"stall-at", 1, 0, AT},
        {"stall-for", 1, 0, FOR},
        {"body-bytes", 1, 0, BODY},
        {"status", 1, 0, STATUS},
        {"unix", 1, 0, UNIX},
        {"ipv6", 0, 0, IPV6},
        {"backlog", 1, 0, BACKLOG_IS},
        {"accept-after", 1, 0, ACCEPT},
        {"record", 1, 0, RECORD},
        {"close-each", 0, 0, FAULT_CLOSE},
        {"no-length", 0, 0, FAULT_NO_LENGTH},
        {"reset-each", 0, 0, FAULT_RESET},
        {"empty-each", 0, 0, FAULT_EMPTY},
        {"truncate", 0, 0, FAULT_TRUNCATE},
        {"garbage", 0, 0, FAULT_GARBAGE},
        {"silent", 0, 0, FAULT_SILENT},
        {0},
    };
    server s = {.options = {.body_bytes = 12, .status = 200, .backlog = BACKLOG}};
    for (int row, c; (c = getopt_long(argc, argv, "", rows, &row)) != -1;) {
        switch (c) {
        case EACH:
            s.options.stall_each_ns = number(rows[row].name, optarg, true);
            break;
        case AT:
            s.options.stall_at_ns = number(rows[row].name, optarg, true);
            break;
        case FOR:
            s.options.stall_for_ns = number(rows[row].name, optarg, true);
            break;
        case BODY:
            s.options.body_bytes = number(rows[row].name, optarg, false);
            break;
        case STATUS:
            s.options.status = number(rows[row].name, optarg, false);
            break;
        case UNIX:
            s.options.unix_path = optarg;
            break;
        case IPV6:
            s.options.ipv6 = true;
            break;
        case BACKLOG_IS:
            s.options.backlog = number(rows[row].name, optarg, false);
            break;
        case ACCEPT:
            s.options.accept_after_ns = number(rows[row].name, optarg, true);
            break;
        case RECORD:
            s.options.record = optarg;
            break;
        case '?':
            return 2;
        default:
            s.options.fault = (fault)c;
        }
    }
    make_answer(&s);
    start(&s);
    serve(&s);
    say_counts(&s);
    while (s.open) drop(&s, s.open, false);
    free(s.answer);
    return fflush(stdout) == 0 ? 0 : 2;
}

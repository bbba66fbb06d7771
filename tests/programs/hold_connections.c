/* Many client connections to one HTTP server, from one thread.
 *
 *   hold_connections 127.0.0.1:PORT COUNT answered   one request on each, then keeps them open.
 *       Prints "answered N" (status 200 and no Connection: close). Each line on stdin asks again on
 *       the same connections and prints the same.
 *   hold_connections 127.0.0.1:PORT COUNT half       half a request head on each. Prints "half N",
 *       then, when the server has closed all of them, "closed N".
 *   hold_connections 127.0.0.1:PORT COUNT loop       requests on each, one after the other, until
 *       the server says Connection: close. Prints "looping N" when each has had an answer, and at
 *       the end "answered A lost L": L requests were sent and not answered completely.
 *
 * Ends when stdin does ("answered"), or after a minute with exit 1. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/units.h"
#include "timing/clock.h"

enum { ANSWER_MAX = 2048, EVENTS = 256 };
static const uint64_t limit_ns = 60 * PK_NS_PER_S;

typedef struct client {
    int fd;       /* -1: closed */
    bool waiting; /* for an answer */
    bool last;    /* the answer said Connection: close */
    uint32_t answers;
    size_t bytes; /* of the answer, so far */
    char *answer; /* ANSWER_MAX, while waiting */
} client;

typedef struct crowd {
    client *clients;
    size_t count;
    int epoll_fd;
    uint64_t end_ns;
    uint64_t answered, lost, closed;
} crowd;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void open_all(crowd *c, uint16_t port) {
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) < 0) die("getrlimit");
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) < 0) die("setrlimit");
    c->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    c->clients = calloc(c->count, sizeof *c->clients);
    if (c->epoll_fd < 0 || !c->clients) die("epoll");
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (size_t i = 0; i < c->count; i++) {
        client *one = &c->clients[i];
        one->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (one->fd < 0 || connect(one->fd, (struct sockaddr *)&address, sizeof address) < 0)
            die("connect");
        struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = one};
        if (epoll_ctl(c->epoll_fd, EPOLL_CTL_ADD, one->fd, &event) < 0) die("epoll_ctl");
    }
}

static void close_one(crowd *c, client *one) {
    if (one->waiting) c->lost++;
    close(one->fd);
    one->fd = -1;
    one->waiting = false;
    free(one->answer);
    one->answer = NULL;
    c->closed++;
}

static void ask(crowd *c, client *one) {
    static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    if (!one->answer && !(one->answer = malloc(ANSWER_MAX))) die("malloc");
    one->bytes = 0;
    one->waiting = true;
    if (send(one->fd, request, sizeof request - 1, MSG_NOSIGNAL) != (ssize_t)sizeof request - 1)
        close_one(c, one);
}

/* The length of the answer's head and body, 0 while unknown. Its fields are the server's own. */
static size_t whole_bytes(client *one) {
    one->answer[one->bytes] = '\0';
    char *end = strstr(one->answer, "\r\n\r\n");
    char *length = strstr(one->answer, "Content-Length: ");
    if (!end || !length || length > end) return 0;
    length += strlen("Content-Length: ");
    char digits[24] = "";
    memcpy(digits, length, strspn(length, "0123456789") % sizeof digits);
    int64_t body;
    pk_err err;
    if (!pk_parse_int(digits, 0, ANSWER_MAX, &body, &err)) return 0;
    return (size_t)(end + 4 - one->answer) + (size_t)body;
}

/* Reads what came; true when an answer is complete. */
static bool read_answer(crowd *c, client *one) {
    static const char good[] = "HTTP/1.1 200 ";
    char nothing[64];
    char *to = one->waiting ? one->answer + one->bytes : nothing;
    size_t room = one->waiting ? ANSWER_MAX - 1 - one->bytes : sizeof nothing;
    ssize_t n = recv(one->fd, to, room, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (n <= 0 || !one->waiting) { /* the end, or bytes that nobody asked for */
        close_one(c, one);
        return false;
    }
    one->bytes += (size_t)n;
    size_t whole = whole_bytes(one);
    if (!whole || one->bytes < whole) return false;
    if (strncmp(one->answer, good, sizeof good - 1) != 0) return false;
    one->waiting = false;
    one->last = strstr(one->answer, "Connection: close") != NULL;
    one->answers++;
    c->answered++;
    return true;
}

/* Handles what is ready, waiting at most 50 ms; `loop`: asks again after each answer. */
static void turn(crowd *c, bool loop) {
    struct epoll_event events[EVENTS];
    int n = epoll_wait(c->epoll_fd, events, EVENTS, 50);
    for (int i = 0; i < n; i++) {
        client *one = events[i].data.ptr;
        if (one->fd < 0 || !read_answer(c, one) || !loop) continue;
        if (one->last) close_one(c, one);
        else ask(c, one);
    }
    if (pk_now_ns() > c->end_ns) {
        fprintf(stderr, "hold_connections: a minute is over\n");
        exit(1);
    }
}

static void say(const char *what, uint64_t n) {
    printf("%s %llu\n", what, (unsigned long long)n);
    fflush(stdout);
}

static void hold_answered(crowd *c) {
    char line[16];
    do {
        uint64_t good = 0;
        c->answered = c->lost = 0;
        for (size_t i = 0; i < c->count; i++)
            if (c->clients[i].fd >= 0) ask(c, &c->clients[i]);
        uint64_t asked = c->count - c->closed + c->lost;
        while (c->answered + c->lost < asked) turn(c, false);
        for (size_t i = 0; i < c->count; i++) good += c->clients[i].fd >= 0 && !c->clients[i].last;
        say("answered", good);
    } while (fgets(line, sizeof line, stdin));
}

static void hold_half(crowd *c) {
    static const char half[] = "GET / HTTP/1.1\r\nHost: loc";
    for (size_t i = 0; i < c->count; i++)
        if (send(c->clients[i].fd, half, sizeof half - 1, MSG_NOSIGNAL) < 0) die("send");
    say("half", c->count);
    while (c->closed < c->count) turn(c, false);
    say("closed", c->closed);
}

static bool all_had_an_answer(const crowd *c) {
    for (size_t i = 0; i < c->count; i++)
        if (c->clients[i].answers == 0) return false;
    return true;
}

static void loop(crowd *c) {
    for (size_t i = 0; i < c->count; i++) ask(c, &c->clients[i]);
    while (!all_had_an_answer(c)) turn(c, true);
    say("looping", c->count);
    while (c->closed < c->count) turn(c, true);
    printf("answered %llu lost %llu\n", (unsigned long long)c->answered,
           (unsigned long long)c->lost);
}

int main(int argc, char **argv) {
    static const char host[] = "127.0.0.1:";
    crowd c = {.end_ns = pk_now_ns() + limit_ns};
    int64_t port, count;
    pk_err err;
    if (argc != 4 || strncmp(argv[1], host, sizeof host - 1) != 0 ||
        !pk_parse_int(argv[1] + sizeof host - 1, 1, UINT16_MAX, &port, &err) ||
        !pk_parse_int(argv[2], 1, 100000, &count, &err)) {
        fprintf(stderr, "usage: hold_connections 127.0.0.1:PORT COUNT answered|half|loop\n");
        return 2;
    }
    c.count = (size_t)count;
    open_all(&c, (uint16_t)port);
    if (strcmp(argv[3], "answered") == 0) hold_answered(&c);
    else if (strcmp(argv[3], "half") == 0) hold_half(&c);
    else loop(&c);
    for (size_t i = 0; i < c.count; i++) free(c.clients[i].answer);
    free(c.clients);
    return 0;
}

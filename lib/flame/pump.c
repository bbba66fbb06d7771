#include "flame/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define BLOCK_BYTES ((size_t)256 << 10)
#define PIPE_BYTES (1 << 20) /* what an unprivileged user may have (pipe-max-size) */

typedef struct block {
    struct block *next;
    size_t begin, end;
    unsigned char bytes[BLOCK_BYTES];
} block;

struct pk_pump {
    int from, to; /* from -1: at its end */
    size_t max_blocks, n_blocks;
    block *first, *last;
    block *spare; /* most of the time one is enough */
    pthread_t thread;
};

static void close_fd(int *fd) {
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

/* A block with room behind what waits; NULL: no memory. */
static block *room(pk_pump *p) {
    if (p->last && p->last->end < BLOCK_BYTES) return p->last;
    block *b = p->spare ? p->spare : malloc(sizeof *b);
    if (!b) return NULL;
    p->spare = NULL;
    b->next = NULL;
    b->begin = b->end = 0;
    if (p->last) p->last->next = b;
    else p->first = b;
    p->last = b;
    p->n_blocks++;
    return b;
}

static void take(pk_pump *p) {
    block *b = room(p);
    ssize_t n = b ? read(p->from, b->bytes + b->end, BLOCK_BYTES - b->end) : -1;
    if (n > 0) b->end += (size_t)n;
    else if (n == 0 || (b && errno != EINTR && errno != EAGAIN)) close_fd(&p->from);
    else if (!b) p->max_blocks = p->n_blocks > 0 ? p->n_blocks : 1; /* no more than we have */
}

static void give(pk_pump *p) {
    block *b = p->first;
    ssize_t n = write(p->to, b->bytes + b->begin, b->end - b->begin);
    if (n > 0) b->begin += (size_t)n;
    if (b->begin < b->end) return;
    p->first = b->next;
    if (p->last == b) p->last = NULL;
    p->n_blocks--;
    if (p->spare) free(b);
    else p->spare = b;
}

/* A block that was made for the end of the stream has none. */
static bool has_bytes(const pk_pump *p) {
    return p->first && p->first->begin < p->first->end;
}

static void *pump(void *context) {
    pk_pump *p = context;
    sigset_t all; /* SIGPIPE too: a reader that is gone is no reason to end the process */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    while (p->from >= 0 || has_bytes(p)) {
        bool full = p->n_blocks >= p->max_blocks && (!p->last || p->last->end == BLOCK_BYTES);
        struct pollfd fds[] = {{.fd = full ? -1 : p->from, .events = POLLIN},
                               {.fd = p->to, .events = has_bytes(p) ? POLLOUT : 0}};
        if (poll(fds, 2, -1) < 0 && errno != EINTR) break;
        if (fds[1].revents & (POLLERR | POLLNVAL)) break; /* the reader is gone */
        if (fds[0].revents) take(p);
        if (fds[1].revents & POLLOUT) give(p);
    }
    close_fd(&p->from);
    close_fd(&p->to);
    return NULL;
}

static void free_pump(pk_pump *p) {
    for (block *b = p->first, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(p->spare);
    free(p);
}

pk_pump *pk_pump_start(int from, size_t max_bytes, int *to, pk_err *err) {
    pk_pump *p = calloc(1, sizeof *p);
    int ends[2] = {-1, -1}, rc = p ? 0 : ENOMEM;
    if (rc == 0 && pipe2(ends, O_CLOEXEC) != 0) rc = errno;
    if (rc == 0) {
        fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES); /* a smaller one only wakes both more often */
        fcntl(ends[1], F_SETFL, O_NONBLOCK);
        *p = (pk_pump){.from = from, .to = ends[1], .max_blocks = max_bytes / BLOCK_BYTES + 1};
        rc = pthread_create(&p->thread, NULL, pump, p);
    }
    if (rc == 0) {
        *to = ends[0];
        return p;
    }
    close_fd(&from);
    close_fd(&ends[0]);
    close_fd(&ends[1]);
    free(p);
    errno = rc;
    pk_fail(err, PK_E_SYS, NULL, "cannot make a pipe and a thread for it");
    pk_fix(err, "raise the limits on open files and processes (ulimit -n, -u)");
    return NULL;
}

void pk_pump_end(pk_pump *p) {
    if (!p) return;
    pthread_join(p->thread, NULL);
    free_pump(p);
}

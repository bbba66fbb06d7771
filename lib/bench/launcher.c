#include "bench/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/embed.h"
#include "base/process.h"
#include "bench/launch_block.h"
#include "bench/program.h"

/* The Makefile builds it and says where it lies. */
PK_EMBED(pk_launcher_program, PK_LAUNCHER_PATH);

_Static_assert(PK_LAUNCHER_RUNS_MAX == PK_LAUNCHES_MAX, "what the header says");

struct pk_launcher {
    pk_process process;
    int socket, memory;
    pk_launch_block *block;
    int null_fd;
    uint64_t floor_bytes;
};

static bool lost(pk_err *err) {
    pk_fail(err, PK_E_INTERNAL, NULL, "the launcher of commands has ended");
    return false;
}

/* ---- the request ---- */

/* Writes into the block behind its head, and knows where the launcher sees it. */
typedef struct writer {
    char *block;
    uint64_t address; /* of the block, there */
    size_t used;
    bool full;
} writer;

/* Aligned for pointers. NULL when it does not fit. */
static void *room(writer *w, size_t bytes, uint64_t *address) {
    size_t start = (w->used + 7) & ~(size_t)7;
    if (w->full || start > PK_LAUNCH_BYTES || bytes > PK_LAUNCH_BYTES - start) {
        w->full = true;
        return NULL;
    }
    w->used = start + bytes;
    *address = w->address + start;
    return w->block + start;
}

static uint64_t put_text(writer *w, const char *text) {
    uint64_t address = 0;
    size_t bytes = strlen(text) + 1;
    void *copy = room(w, bytes, &address);
    if (copy) memcpy(copy, text, bytes);
    return address;
}

/* Room for n pointers and the NULL behind them, all zero. */
static uint64_t *put_vector(writer *w, size_t n, uint64_t *address) {
    uint64_t *vector = room(w, (n + 1) * sizeof *vector, address);
    if (vector) memset(vector, 0, (n + 1) * sizeof *vector);
    return vector;
}

static uint64_t put_words(writer *w, const char *const *words) {
    size_t n = 0;
    uint64_t address = 0;
    while (words[n]) n++;
    uint64_t *vector = put_vector(w, n, &address);
    for (size_t i = 0; i < n && vector; i++) vector[i] = put_text(w, words[i]);
    return address;
}

static bool same_name(const char *a, const char *b) {
    const char *end = strchrnul(a, '=');
    return strncmp(a, b, (size_t)(end - a) + 1) == 0;
}

static bool is_replaced(const pk_launch *launch, const char *variable) {
    for (size_t i = 0; i < launch->n_variables; i++)
        if (same_name(launch->variables[i], variable)) return true;
    return false;
}

/* Our own environment, written once for all starts of a request. */
typedef struct environment {
    char *const *ours; /* n */
    size_t n;
    const uint64_t *addresses; /* where the launcher has them */
} environment;

static environment put_ours(writer *w) {
    environment e = {.ours = pk_process_environment()};
    uint64_t address;
    while (e.ours && e.ours[e.n]) e.n++;
    uint64_t *vector = put_vector(w, e.n, &address);
    for (size_t i = 0; i < e.n && vector; i++) vector[i] = put_text(w, e.ours[i]);
    e.addresses = vector;
    return e;
}

static uint64_t put_environment(writer *w, const pk_launch *launch, const environment *e) {
    size_t n = launch->n_variables;
    uint64_t address = 0;
    uint64_t *vector = put_vector(w, n + e->n, &address);
    for (size_t i = 0; i < n && vector; i++) vector[i] = put_text(w, launch->variables[i]);
    for (size_t i = 0; i < e->n && vector && e->addresses; i++)
        if (!is_replaced(launch, e->ours[i])) vector[n++] = e->addresses[i];
    return address;
}

/* As many of the launches as have room, and the first at least. */
static bool write_request(pk_launcher *l, const pk_launch launches[], size_t n, pk_err *err) {
    pk_launch_block *block = l->block;
    writer w = {.block = (char *)block, .address = block->address, .used = sizeof *block};
    environment ours = put_ours(&w);
    for (block->n = 0; block->n < n && block->n < PK_LAUNCHES_MAX && !w.full; block->n++) {
        const pk_launch *launch = &launches[block->n];
        pk_launch_entry *entry = &block->entries[block->n];
        entry->path = put_text(&w, launch->path);
        entry->argv = put_words(&w, launch->argv);
        entry->env = put_environment(&w, launch, &ours);
    }
    if (w.full && block->n > 0) block->n--;
    if (block->n == 0) {
        pk_fail(err, PK_E_LIMIT, launches[0].argv[0],
                "its arguments and environment are too long to be started");
        pk_fix(err, "give it a file to read them from");
        return false;
    }
    block->timeout_ns = launches[0].timeout_ns;
    block->own_group = launches[0].own_group;
    block->limit_cpus = launches[0].cpus != NULL;
    if (launches[0].cpus) block->cpus = *launches[0].cpus;
    return true;
}

static bool send_start(const pk_launcher *l, const int fds[3]) {
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(3 * sizeof(int))];
    } control = {.bytes = {0}};
    char packet = PK_LAUNCH_START;
    struct iovec data = {.iov_base = &packet, .iov_len = 1};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(3 * sizeof(int));
    memcpy(CMSG_DATA(head), fds, 3 * sizeof(int));
    return sendmsg(l->socket, &message, MSG_NOSIGNAL) == 1;
}

/* ---- waiting for the answer ---- */

/* What is in the pipe now goes to /dev/null. False at its end. */
static bool drain(const pk_launcher *l, int fd) {
    enum { CHUNK = 64 << 10 };
    for (;;) {
        ssize_t n = splice(fd, NULL, l->null_fd, NULL, CHUNK, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return true;
        if (n <= 0) return false;
    }
}

static bool send_stop(const pk_launcher *l) {
    return send(l->socket, &(char){PK_LAUNCH_STOP}, 1, MSG_NOSIGNAL) == 1;
}

/* False: the launcher is gone. */
static bool wait_answer(const pk_launcher *l, int drain_fd, pk_interrupt *intr) {
    enum { ANSWER, INTERRUPT, PIPE, N };
    struct pollfd fds[N] = {[ANSWER] = {.fd = l->socket, .events = POLLIN},
                            [INTERRUPT] = {.fd = pk_interrupt_fd(intr), .events = POLLIN},
                            [PIPE] = {.fd = drain_fd, .events = POLLIN}};
    for (;;) {
        if (poll(fds, N, -1) < 0 && errno != EINTR && errno != EAGAIN) return false;
        if (fds[PIPE].revents && !drain(l, drain_fd)) fds[PIPE].fd = -1;
        if (fds[ANSWER].revents) {
            char packet;
            return recv(l->socket, &packet, 1, 0) == 1;
        }
        if (fds[INTERRUPT].revents) {
            fds[INTERRUPT].fd = -1;
            if (!send_stop(l)) return false;
        }
        for (int i = 0; i < N; i++) fds[i].revents = 0;
    }
}

static void read_answer(const pk_launch_entry *entry, pk_launched *launched) {
    *launched = (pk_launched){.code = -1,
                              .stopped = entry->end == PK_LAUNCH_STOPPED,
                              .timed_out = entry->end == PK_LAUNCH_TIMED_OUT};
    if (entry->end == PK_LAUNCH_NOT_EXECUTED || entry->end == PK_LAUNCH_NOT_CLONED) {
        launched->exec_errno = entry->error;
        return;
    }
    if (WIFEXITED(entry->status)) launched->code = WEXITSTATUS(entry->status);
    else if (WIFSIGNALED(entry->status)) launched->signal = WTERMSIG(entry->status);
    launched->launch_ns = entry->exec_ns - entry->clone_ns;
    launched->running_ns = entry->exit_ns - entry->exec_ns;
    launched->usage = entry->usage;
    launched->counters = entry->counters;
}

bool pk_launcher_run_all(pk_launcher *l, const pk_launch launches[], size_t n, bool empty_errors,
                         pk_launched launched[], size_t *done, pk_err *err) {
    if (!write_request(l, launches, n, err)) return false;
    l->block->empty_errors = empty_errors;
    if (!send_start(l, launches[0].fds)) {
        pk_fail(err, PK_E_SYS, launches[0].argv[0], "cannot hand it to the launcher of commands");
        pk_fix(err, "raise the limit on open files (ulimit -n)");
        return false;
    }
    if (!wait_answer(l, launches[0].drain_fd, launches[0].intr)) return lost(err);
    if (launches[0].drain_fd >= 0) drain(l, launches[0].drain_fd);
    *done = l->block->done;
    for (size_t i = 0; i < *done; i++) read_answer(&l->block->entries[i], &launched[i]);
    return true;
}

bool pk_launcher_run(pk_launcher *l, const pk_launch *launch, pk_launched *launched, pk_err *err) {
    size_t done;
    return pk_launcher_run_all(l, launch, 1, false, launched, &done, err);
}

/* ---- its life ---- */

static bool no_setup(pk_err *err) {
    pk_fail(err, PK_E_SYS, NULL, "cannot set up the launcher of commands");
    pk_fix(err, "raise the limit on open files (ulimit -n)");
    return false;
}

static bool share_memory(pk_launcher *l) {
    l->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    l->memory = memfd_create("perfkit-launcher", MFD_CLOEXEC);
    if (l->null_fd < 0 || l->memory < 0 || ftruncate(l->memory, (off_t)PK_LAUNCH_BYTES) != 0)
        return false;
    void *block = mmap(NULL, PK_LAUNCH_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, l->memory, 0);
    if (block == MAP_FAILED) return false;
    l->block = block;
    return true;
}

static bool start(pk_launcher *l, pk_err *err) {
    int ends[2];
    pk_program program;
    if (!share_memory(l) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return no_setup(err);
    l->socket = ends[0];
    bool ok = pk_program_of(pk_embed_data(pk_launcher_program), pk_embed_bytes(pk_launcher_program),
                            &program, err);
    if (ok) {
        /* Of our descriptors the commands are to get none but what they would without us. */
        (void)fcntl(program.fd, F_SETFD, FD_CLOEXEC);
        pk_spawn_options how = PK_SPAWN_DEFAULT;
        how.stdin_fd = ends[1];
        how.stdout_fd = l->memory;
        char *const argv[] = {program.path, NULL};
        ok = pk_process_spawn(argv, &how, &l->process, err);
        pk_program_close(&program);
    }
    close(ends[1]);
    char packet;
    return ok && (recv(l->socket, &packet, 1, 0) == 1 || lost(err));
}

/* A few times and a few pages more, since the same program reads a page or two apart. */
static bool measure_floor(pk_launcher *l, pk_err *err) {
    enum { TIMES = 5, SLACK_BYTES = 16 << 10 };
    static const char *const argv[] = {"perfkit-nothing", "nothing", NULL};
    for (int i = 0; i < TIMES; i++) {
        pk_launch nothing = {.path = "/proc/self/exe",
                             .argv = argv,
                             .fds = {l->null_fd, l->null_fd, l->null_fd},
                             .drain_fd = -1};
        pk_launched launched = {.code = -1};
        if (!pk_launcher_run(l, &nothing, &launched, err)) return false;
        if (launched.exec_errno || launched.code != 0) return lost(err);
        uint64_t bytes = (uint64_t)launched.usage.ru_maxrss * 1024 + SLACK_BYTES;
        if (bytes > l->floor_bytes) l->floor_bytes = bytes;
    }
    return true;
}

pk_launcher *pk_launcher_new(pk_err *err) {
    pk_launcher *l = malloc(sizeof *l);
    if (!l) {
        pk_fail(err, PK_E_LIMIT, NULL, "out of memory");
        pk_fix(err, "free some memory");
        return NULL;
    }
    *l = (pk_launcher){.process = {.pidfd = -1}, .socket = -1, .memory = -1, .null_fd = -1};
    if (start(l, err) && measure_floor(l, err)) return l;
    pk_launcher_free(l);
    return NULL;
}

void pk_launcher_free(pk_launcher *l) {
    if (!l) return;
    pk_exit exit;
    if (l->socket >= 0) close(l->socket); /* which it takes as the end */
    if (l->process.pidfd >= 0) pk_process_wait(&l->process, UINT64_MAX, &exit);
    if (l->block) munmap(l->block, PK_LAUNCH_BYTES);
    if (l->memory >= 0) close(l->memory);
    if (l->null_fd >= 0) close(l->null_fd);
    free(l);
}

uint64_t pk_launcher_floor_bytes(const pk_launcher *l) {
    return l->floor_bytes;
}

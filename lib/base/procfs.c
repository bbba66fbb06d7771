#include "base/procfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/sock_diag.h"
#include "base/strbuf.h"

enum {
    PIDS_MAX = 4194304, /* PID_MAX_LIMIT, linux/threads.h */
    /* Of each table, about 7000 lines. The kernel writes listeners before all other sockets
     * (tcp_get_idx, net/ipv4/tcp_ipv4.c), so a busy machine's connections need not be read. */
    NET_BYTES_MAX = 1 << 20,
    /* Of each process. A listener is opened early and stands among the first; behind them come the
     * connections, 10000 and more in a load test, which would take 30 ms to look at. */
    SOCKET_LINKS_MAX = 512,
    STATE_LISTEN = 0x0A, /* TCP_LISTEN, net/tcp_states.h */
};

/* ---- text to numbers ---- */

typedef struct span {
    const char *p, *end;
} span;

/* Takes a number in this base, at most `max`; false, nothing taken, if there is none. */
static bool take_number(span *s, unsigned base, uint64_t max, uint64_t *out) {
    uint64_t value = 0;
    const char *p = s->p;
    for (; p < s->end; p++) {
        unsigned digit = base;
        if (*p >= '0' && *p <= '9') digit = (unsigned)(*p - '0');
        else if (*p >= 'A' && *p <= 'F') digit = (unsigned)(*p - 'A') + 10;
        if (digit >= base) break;
        if (__builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, digit, &value) || value > max)
            return false;
    }
    if (p == s->p) return false;
    s->p = p;
    *out = value;
    return true;
}

static bool take_text(span *s, const char *text) {
    size_t n = strlen(text);
    if ((size_t)(s->end - s->p) < n || memcmp(s->p, text, n) != 0) return false;
    s->p += n;
    return true;
}

/* The next word between blanks; empty at the end of the line. */
static span take_word(span *s) {
    while (s->p < s->end && *s->p == ' ') s->p++;
    span word = {.p = s->p};
    while (s->p < s->end && *s->p != ' ') s->p++;
    word.end = s->p;
    return word;
}

/* "0100007F:1F90": the address's 32-bit words as the kernel's integers of network-order bytes, so
 * storing them as our integers gives back those bytes; the port as a plain number. */
static bool parse_endpoint(span word, pk_listener_info *info) {
    size_t n_words = info->family == AF_INET ? 1 : 4;
    unsigned char *out = info->family == AF_INET ? (unsigned char *)&info->address.v4
                                                 : (unsigned char *)&info->address.v6;
    for (size_t i = 0; i < n_words; i++) {
        if (word.end - word.p < 8) return false;
        span digits = {.p = word.p, .end = word.p + 8};
        uint64_t value;
        if (!take_number(&digits, 16, UINT32_MAX, &value) || digits.p != digits.end) return false;
        memcpy(out + 4 * i, &(uint32_t){(uint32_t)value}, 4);
        word.p += 8;
    }
    uint64_t port;
    if (!take_text(&word, ":") || !take_number(&word, 16, UINT16_MAX, &port) || word.p != word.end)
        return false;
    info->port = (uint16_t)port;
    return true;
}

/* sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode … */
static bool parse_listener(span line, int family, pk_listener_info *info) {
    enum { LOCAL = 1, STATE = 3, INODE = 9, N_WORDS };
    span words[N_WORDS];
    for (int i = 0; i < N_WORDS; i++) words[i] = take_word(&line);
    *info = (pk_listener_info){.family = family};
    uint64_t state;
    return take_number(&words[STATE], 16, UINT8_MAX, &state) && state == STATE_LISTEN &&
           take_number(&words[INODE], 10, UINT64_MAX, &info->inode) &&
           parse_endpoint(words[LOCAL], info);
}

bool pk_procfs_parse_listeners(int family, const char *text, size_t bytes,
                               pk_listener_visitor *each, void *context) {
    for (span rest = {.p = text, .end = text + bytes}; rest.p < rest.end;) {
        const char *newline = memchr(rest.p, '\n', (size_t)(rest.end - rest.p));
        span line = {.p = rest.p, .end = newline ? newline : rest.end};
        pk_listener_info info;
        if (parse_listener(line, family, &info) && !each(context, &info)) return false;
        rest.p = newline ? newline + 1 : rest.end;
    }
    return true;
}

void pk_procfs_parse_command(const char *bytes, size_t n, const char *name, char *out,
                             size_t size) {
    while (n > 0 && bytes[n - 1] == '\0') n--;
    if (n == 0) {
        snprintf(out, size, "[%s]", name);
        return;
    }
    if (size == 0) return;
    size_t kept = n < size - 1 ? n : size - 1;
    for (size_t i = 0; i < kept; i++) out[i] = bytes[i] ? bytes[i] : ' ';
    out[kept] = '\0';
}

bool pk_procfs_parse_socket_link(const char *link, size_t bytes, uint64_t *inode) {
    span s = {.p = link, .end = link + bytes};
    uint64_t value;
    if (!take_text(&s, "socket:[") || !take_number(&s, 10, UINT64_MAX, &value) ||
        !take_text(&s, "]") || s.p != s.end)
        return false;
    *inode = value;
    return true;
}

/* ---- processes ---- */

/* At most `size` bytes of a file; 0 when it cannot be read. */
static size_t read_start(int folder, const char *name, char *out, size_t size) {
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    size_t length = 0;
    while (length < size) {
        ssize_t n = read(fd, out + length, size - length);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        length += (size_t)n;
    }
    close(fd);
    return length;
}

/* The folder of a process, or -1. All that is read through it is of that process, even if the pid
 * is given to another meanwhile. */
static int open_process(pid_t pid) {
    char path[32];
    snprintf(path, sizeof path, "/proc/%ld", (long)pid);
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool read_process(int folder, pid_t pid, pk_process_info *info) {
    pk_process_info built = {.pid = pid};
    struct stat st;
    if (fstat(folder, &st) < 0) return false;
    built.uid = st.st_uid;
    size_t n = read_start(folder, "comm", built.name, sizeof built.name - 1);
    if (n == 0) /* it has ended */
        return false;
    if (built.name[n - 1] == '\n') built.name[n - 1] = '\0';
    char command[sizeof built.command];
    n = read_start(folder, "cmdline", command, sizeof command);
    pk_procfs_parse_command(command, n, built.name, built.command, sizeof built.command);
    *info = built;
    return true;
}

bool pk_procfs_process(pid_t pid, pk_process_info *info) {
    int folder = open_process(pid);
    bool ok = folder >= 0 && read_process(folder, pid, info);
    if (folder >= 0) close(folder);
    return ok;
}

static int by_pid(const void *a, const void *b) {
    pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;
    return (x > y) - (x < y);
}

/* All pids, ascending. What does not fit in memory is left out. */
static pk_array list_pids(void) {
    pk_array pids = PK_ARRAY(pid_t, PIDS_MAX);
    DIR *proc = opendir("/proc");
    if (!proc) return pids;
    for (struct dirent *entry; (entry = readdir(proc));) {
        span name = {.p = entry->d_name, .end = entry->d_name + strlen(entry->d_name)};
        uint64_t number;
        if (!take_number(&name, 10, PIDS_MAX, &number) || name.p != name.end) continue;
        pid_t *pid = pk_array_push(&pids);
        if (!pid) break;
        *pid = (pid_t)number;
    }
    closedir(proc);
    if (pids.count > 1) qsort(pids.items, pids.count, sizeof(pid_t), by_pid);
    return pids;
}

void pk_procfs_each_process(pk_process_visitor *each, void *context) {
    pk_array pids = list_pids();
    bool more = true;
    for (size_t i = 0; i < pids.count && more; i++) {
        pk_process_info info;
        if (pk_procfs_process(PK_AT(&pids, pid_t, i), &info)) more = each(context, &info);
    }
    pk_array_fini(&pids);
}

/* ---- sockets ---- */

static bool each_of_family(int family, const char *path, pk_listener_visitor *each, void *context) {
    pk_diag_answer answer = pk_sock_diag_each_listener(family, each, context);
    if (answer != PK_DIAG_FAILED) return answer == PK_DIAG_DONE;
    char *text = malloc(NET_BYTES_MAX);
    if (!text) return true;
    size_t bytes = read_start(AT_FDCWD, path, text, NET_BYTES_MAX);
    bool more = pk_procfs_parse_listeners(family, text, bytes, each, context);
    free(text);
    return more;
}

void pk_procfs_each_listener(pk_listener_visitor *each, void *context) {
    if (each_of_family(AF_INET, "/proc/net/tcp", each, context))
        each_of_family(AF_INET6, "/proc/net/tcp6", each, context);
}

/* Fills infos[i] for each open socket of this process that nobody was found for yet. Returns how
 * many. */
static size_t match_sockets(int folder, pid_t pid, size_t n, const uint64_t inodes[],
                            pk_process_info infos[]) {
    size_t found = 0, looked_at = 0;
    int fd = openat(folder, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *links = fd >= 0 ? fdopendir(fd) : NULL;
    if (!links) {
        if (fd >= 0) close(fd);
        return 0;
    }
    for (struct dirent *entry; found < n && looked_at < SOCKET_LINKS_MAX; looked_at++) {
        if (!(entry = readdir(links))) break;
        char link[64];
        uint64_t inode;
        ssize_t length = readlinkat(fd, entry->d_name, link, sizeof link);
        if (length <= 0 || !pk_procfs_parse_socket_link(link, (size_t)length, &inode)) continue;
        for (size_t i = 0; i < n; i++)
            if (inodes[i] == inode && infos[i].pid == 0 && read_process(folder, pid, &infos[i]))
                found++;
    }
    closedir(links);
    return found;
}

void pk_procfs_socket_owners(size_t n, const uint64_t inodes[], pk_process_info infos[]) {
    for (size_t i = 0; i < n; i++) infos[i] = (pk_process_info){0};
    pk_array pids = list_pids();
    size_t missing = n;
    for (size_t i = 0; i < pids.count && missing > 0; i++) {
        pid_t pid = PK_AT(&pids, pid_t, i);
        int folder = open_process(pid);
        if (folder < 0) continue;
        missing -= match_sockets(folder, pid, n, inodes, infos);
        close(folder);
    }
    pk_array_fini(&pids);
}

bool pk_procfs_socket_owner(uint64_t inode, pk_process_info *info) {
    pk_process_info found;
    pk_procfs_socket_owners(1, &inode, &found);
    if (found.pid == 0) return false;
    *info = found;
    return true;
}

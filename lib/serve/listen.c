#include "serve/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/procfs.h"
#include "base/units.h"

static bool bad_address(pk_err *err, const char *text, const char *what) {
    pk_fail(err, PK_E_USAGE, text, "%s", what);
    pk_fix(err, "write HOST:PORT, [IPv6]:PORT or PORT, such as 127.0.0.1:3000");
    return false;
}

bool pk_listen_parse(const char *text, pk_listen_address *address, pk_err *err) {
    const char *host = text;
    const char *port = strrchr(text, ':');
    size_t host_bytes = port ? (size_t)(port - text) : 0;
    port = port ? port + 1 : text;
    if (*text == '[') {
        const char *bracket = strchr(text, ']');
        if (!bracket || bracket[1] != ':' || bracket + 2 != port)
            return bad_address(err, text, "no port behind the brackets");
        host = text + 1;
        host_bytes = (size_t)(bracket - host);
        if (host_bytes == 0) return bad_address(err, text, "no address in the brackets");
    } else if (memchr(host, ':', host_bytes)) {
        return bad_address(err, text, "an IPv6 address stands in brackets");
    }
    if (host_bytes >= sizeof address->host) return bad_address(err, text, "the host is too long");
    int64_t number;
    pk_err why;
    if (!pk_parse_int(port, 0, UINT16_MAX, &number, &why))
        return bad_address(err, text, "the port is no number from 0 to 65535");
    if (host_bytes == 0) {
        host = "127.0.0.1";
        host_bytes = strlen(host);
    } else if (host_bytes == 1 && *host == '*') {
        host = "0.0.0.0";
        host_bytes = strlen(host);
    }
    pk_listen_address parsed = {.port = (uint16_t)number};
    memcpy(parsed.host, host, host_bytes);
    *address = parsed;
    return true;
}

/* Looking for the process behind an address in use. */
typedef struct owner_search {
    const struct sockaddr *wanted;
    uint64_t inode;
} owner_search;

static bool is_any_v4(struct in_addr address) {
    return address.s_addr == htonl(INADDR_ANY);
}

/* Would a listener on `info` keep us from binding `wanted`? */
static bool overlaps(const struct sockaddr *wanted, const pk_listener_info *info) {
    static const struct in6_addr any_v6 = IN6ADDR_ANY_INIT;
    if (wanted->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)wanted;
        if (info->port != ntohs(in->sin_port)) return false;
        /* a listener on [::] that is not v6-only holds the port for IPv4 too */
        if (info->family == AF_INET6) return memcmp(&info->address.v6, &any_v6, sizeof any_v6) == 0;
        return is_any_v4(in->sin_addr) || is_any_v4(info->address.v4) ||
               in->sin_addr.s_addr == info->address.v4.s_addr;
    }
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)wanted;
    if (info->port != ntohs(in6->sin6_port) || info->family != AF_INET6) return false;
    return memcmp(&in6->sin6_addr, &any_v6, sizeof any_v6) == 0 ||
           memcmp(&info->address.v6, &any_v6, sizeof any_v6) == 0 ||
           memcmp(&info->address.v6, &in6->sin6_addr, sizeof any_v6) == 0;
}

static bool look_at_listener(void *context, const pk_listener_info *info) {
    owner_search *search = context;
    if (!overlaps(search->wanted, info)) return true;
    search->inode = info->inode;
    return false;
}

static bool fail_bind(const struct sockaddr *address, const char *text, pk_err *err) {
    if (errno != EADDRINUSE) {
        pk_fail(err, PK_E_SYS, text, "cannot listen there");
        if (errno == EACCES) pk_fix(err, "ports under 1024 need root; choose a higher one");
        if (errno == EADDRNOTAVAIL) pk_fix(err, "choose an address of this machine (ip address)");
        return false;
    }
    owner_search search = {.wanted = address};
    pk_process_info owner;
    pk_procfs_each_listener(look_at_listener, &search);
    if (search.inode && pk_procfs_socket_owner(search.inode, &owner))
        pk_fail(err, PK_E_INPUT, text, "address already in use by %s (pid %ld)", owner.name,
                (long)owner.pid);
    else pk_fail(err, PK_E_INPUT, text, "address already in use");
    pk_fix(err, "stop it or choose another with --listen 127.0.0.1:0");
    return false;
}

static bool is_loopback(const struct sockaddr *address) {
    if (address->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr) >> 24 ==
               127;
    return memcmp(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr,
                  &in6addr_loopback, sizeof in6addr_loopback) == 0;
}

/* "http://[::1]:3000" for the address that fd is bound to. */
static bool write_url(int fd, const char *scheme, char url[PK_LISTENER_URL_MAX], bool *loopback) {
    struct sockaddr_storage bound = {0};
    socklen_t bytes = sizeof bound;
    char host[INET6_ADDRSTRLEN + 32];
    char port[8];
    struct sockaddr *address = (struct sockaddr *)&bound;
    if (getsockname(fd, address, &bytes) < 0 ||
        getnameinfo(address, bytes, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return false;
    bool v6 = bound.ss_family == AF_INET6;
    snprintf(url, PK_LISTENER_URL_MAX, "%s://%s%s%s:%s", scheme, v6 ? "[" : "", host, v6 ? "]" : "",
             port);
    *loopback = is_loopback(address);
    return true;
}

/* On loopback there is no congestion to control, and BBR, where a machine has it as its default,
 * paces every answer by a timer all the same. Connections inherit this from the listener. A kernel
 * that refuses keeps its own way: only time is lost. */
static void spare_congestion_control(int fd) {
    static const char cheapest[] = "reno"; /* built into every kernel, allowed to everybody */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, cheapest, sizeof cheapest - 1);
}

/* A bound, listening, non-blocking socket on one looked-up address; -1 with *err set. */
static int bind_tcp(const struct addrinfo *info, const char *text, int backlog, pk_err *err) {
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        pk_fail(err, PK_E_SYS, text, "cannot make a socket");
        return -1;
    }
    /* SO_REUSEADDR allows a restart while old connections are in TIME_WAIT. Never SO_REUSEPORT:
     * with it a second server would silently share the port. [::] means IPv6 alone, so that
     * 0.0.0.0 can stand beside it. */
    static const int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        (info->ai_family == AF_INET6 &&
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0)) {
        pk_fail(err, PK_E_SYS, text, "cannot set up the socket");
    } else if (bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, backlog) < 0) {
        fail_bind(info->ai_addr, text, err);
    } else {
        if (is_loopback(info->ai_addr)) spare_congestion_control(fd);
        return fd;
    }
    close(fd);
    return -1;
}

bool pk_listener_open_tcp(const char *text, const char *scheme, int backlog, pk_listener *listener,
                          pk_err *err) {
    pk_listen_address address;
    if (!pk_listen_parse(text, &address, err)) return false;
    char port[8];
    snprintf(port, sizeof port, "%u", address.port);
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int rc = getaddrinfo(address.host, port, &hints, &found);
    if (rc != 0) {
        pk_fail(err, PK_E_INPUT, text, "cannot look up %s: %s", address.host, gai_strerror(rc));
        pk_fix(err, "give an address of this machine, such as 127.0.0.1:3000");
        return false;
    }
    pk_listener opened = {.fd = bind_tcp(found, text, backlog, err)};
    freeaddrinfo(found);
    if (opened.fd < 0) return false;
    if (!write_url(opened.fd, scheme, opened.url, &opened.loopback)) {
        pk_fail(err, PK_E_SYS, text, "cannot find out the port");
        close(opened.fd);
        return false;
    }
    *listener = opened;
    return true;
}

/* Removes a socket that a server left behind: only a socket, and only when nobody answers. */
static bool clear_stale_socket(const struct sockaddr_un *address, pk_err *err) {
    const char *path = address->sun_path;
    struct stat st;
    if (lstat(path, &st) < 0) return true; /* nothing there, or bind will say what is wrong */
    if (!S_ISSOCK(st.st_mode)) {
        pk_fail(err, PK_E_INPUT, path, "exists and is no socket");
        pk_fix(err, "choose another path for --unix-socket");
        return false;
    }
    /* Non-blocking: a live server with a full backlog must not hold us up. */
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        pk_fail(err, PK_E_SYS, path, "cannot make a socket");
        return false;
    }
    bool stale =
        connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 && errno == ECONNREFUSED;
    close(fd);
    if (!stale) {
        pk_fail(err, PK_E_INPUT, path, "a running server listens there");
        pk_fix(err, "stop it or choose another path for --unix-socket");
        return false;
    }
    if (unlink(path) < 0 && errno != ENOENT) {
        pk_fail(err, PK_E_SYS, path, "cannot remove the socket that was left there");
        pk_fix(err, "choose another path for --unix-socket");
        return false;
    }
    return true;
}

bool pk_listener_open_unix(const char *path, int backlog, pk_listener *listener, pk_err *err) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t bytes = strlen(path);
    if (bytes == 0 || bytes >= sizeof address.sun_path) {
        pk_fail(err, PK_E_USAGE, path, "a socket's path has 1 to %zu bytes, not %zu",
                sizeof address.sun_path - 1, bytes);
        pk_fix(err, "choose a shorter path for --unix-socket");
        return false;
    }
    memcpy(address.sun_path, path, bytes);
    if (!clear_stale_socket(&address, err)) return false;

    pk_listener opened = {.loopback = true, .socket_path = strdup(path)};
    struct stat st;
    opened.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (!opened.socket_path || opened.fd < 0 ||
        bind(opened.fd, (struct sockaddr *)&address, sizeof address) < 0) {
        pk_fail(err, PK_E_SYS, path, "cannot listen there");
        pk_fix(err, "choose another path for --unix-socket");
        if (opened.fd >= 0) close(opened.fd);
        free(opened.socket_path);
        return false;
    }
    if (listen(opened.fd, backlog) < 0 || lstat(path, &st) < 0) {
        pk_fail(err, PK_E_SYS, path, "cannot listen there");
        unlink(path);
        close(opened.fd);
        free(opened.socket_path);
        return false;
    }
    opened.device = st.st_dev;
    opened.inode = st.st_ino;
    opened.made = st.st_mtim;
    snprintf(opened.url, sizeof opened.url, "unix:%s", path);
    *listener = opened;
    return true;
}

void pk_listener_unlink(pk_listener *listener) {
    struct stat st;
    if (listener->socket_path && lstat(listener->socket_path, &st) == 0 &&
        st.st_dev == listener->device && st.st_ino == listener->inode &&
        st.st_mtim.tv_sec == listener->made.tv_sec && st.st_mtim.tv_nsec == listener->made.tv_nsec)
        unlink(listener->socket_path);
}

void pk_listener_close(pk_listener *listener) {
    pk_listener_unlink(listener);
    free(listener->socket_path);
    listener->socket_path = NULL;
    if (listener->fd >= 0) close(listener->fd);
    listener->fd = -1;
}

#include "load/curl_sockets.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define FD_COUNT_MIN 64u
/* tcpi_state, whose names linux/tcp.h leaves to netinet/tcp.h */
enum { STATE_ESTABLISHED = 1, STATE_CLOSED = 7 };

static pk_curl_socket *find(const pk_curl_sockets *sockets, int fd) {
    return fd >= 0 && (size_t)fd < sockets->count ? &sockets->by_fd[fd] : NULL;
}

void pk_curl_sockets_fini(pk_curl_sockets *sockets) {
    free(sockets->by_fd);
    *sockets = (pk_curl_sockets){0};
}

static bool grow(pk_curl_sockets *sockets, size_t fd) {
    size_t count = sockets->count ? sockets->count : FD_COUNT_MIN;
    while (count <= fd) count *= 2;
    pk_curl_socket *grown = realloc(sockets->by_fd, count * sizeof *grown);
    if (!grown) return false;
    for (size_t i = sockets->count; i < count; i++)
        grown[i] = (pk_curl_socket){.user = PK_CURL_NOBODY};
    sockets->by_fd = grown;
    sockets->count = count;
    return true;
}

bool pk_curl_sockets_open(pk_curl_sockets *sockets, int fd, uint32_t user) {
    if (!find(sockets, fd) && !grow(sockets, (size_t)fd)) return false;
    sockets->by_fd[fd] = (pk_curl_socket){.user = user};
    return true;
}

void pk_curl_sockets_use(pk_curl_sockets *sockets, int fd, uint32_t user) {
    pk_curl_socket *socket = find(sockets, fd);
    if (socket && socket->user != PK_CURL_NOBODY) socket->user = user;
}

void pk_curl_sockets_answered(pk_curl_sockets *sockets, int fd, uint64_t bytes) {
    pk_curl_socket *socket = find(sockets, fd);
    if (socket) socket->answered_bytes += bytes;
}

/* Bytes that came behind complete answers; false: not known. The kernel counts the end of the
 * stream as a byte. */
static bool count_more(const pk_curl_socket *socket, int fd, uint64_t *more, unsigned *state) {
    struct tcp_info info = {0};
    socklen_t bytes = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &bytes) < 0) return false;
    uint64_t known = socket->answered_bytes + (info.tcpi_state == STATE_ESTABLISHED ? 0 : 1);
    *more = info.tcpi_bytes_received > known ? info.tcpi_bytes_received - known : 0;
    *state = info.tcpi_state;
    return true;
}

bool pk_curl_sockets_has_more(const pk_curl_sockets *sockets, int fd) {
    const pk_curl_socket *socket = find(sockets, fd);
    uint64_t more;
    unsigned state;
    return socket && count_more(socket, fd, &more, &state) && more > 0;
}

pk_curl_socket_end pk_curl_sockets_close(pk_curl_sockets *sockets, int fd) {
    pk_curl_socket *socket = find(sockets, fd);
    pk_curl_socket_end end = {.user = PK_CURL_NOBODY};
    uint64_t more;
    unsigned state;
    int unread = 0;
    if (!socket) return end;
    end.user = socket->user;
    if (count_more(socket, fd, &more, &state)) {
        end.has_more = more > 0;
        end.is_unread = more > 0 && ioctl(fd, FIONREAD, &unread) == 0 && (uint64_t)unread >= more;
        end.was_reset = state == STATE_CLOSED;
    }
    *socket = (pk_curl_socket){.user = PK_CURL_NOBODY};
    return end;
}

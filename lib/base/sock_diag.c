#include "base/sock_diag.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define DATAGRAM_BYTES 32768 /* what the kernel fills at most (netlink(7)) */
#define DATAGRAMS_MAX 4096
#define WAIT_S 1 /* the kernel answers within the call; only a broken one needs a bound */

static bool report(const struct inet_diag_msg *socket, pk_listener_visitor *each, void *context) {
    pk_listener_info info = {.family = socket->idiag_family,
                             .port = ntohs(socket->id.idiag_sport),
                             .inode = socket->idiag_inode};
    if (socket->idiag_state != TCP_LISTEN) return true;
    if (info.family == AF_INET) memcpy(&info.address.v4, socket->id.idiag_src, 4);
    else if (info.family == AF_INET6) memcpy(&info.address.v6, socket->id.idiag_src, 16);
    else return true;
    return each(context, &info);
}

pk_diag_answer pk_sock_diag_parse(const void *data, size_t bytes, pk_listener_visitor *each,
                                  void *context) {
    const char *at = data;
    struct nlmsghdr head;
    struct inet_diag_msg socket;
    while (bytes >= sizeof head) {
        memcpy(&head, at, sizeof head);
        if (head.nlmsg_len < sizeof head || head.nlmsg_len > bytes) return PK_DIAG_FAILED;
        if (head.nlmsg_type == NLMSG_DONE) return PK_DIAG_DONE;
        if (head.nlmsg_type != SOCK_DIAG_BY_FAMILY) return PK_DIAG_FAILED;
        if (head.nlmsg_len < NLMSG_HDRLEN + sizeof socket) return PK_DIAG_FAILED;
        memcpy(&socket, at + NLMSG_HDRLEN, sizeof socket);
        if (!report(&socket, each, context)) return PK_DIAG_STOPPED;
        size_t length = NLMSG_ALIGN((size_t)head.nlmsg_len);
        if (length >= bytes) return PK_DIAG_MORE;
        at += length;
        bytes -= length;
    }
    return bytes == 0 ? PK_DIAG_MORE : PK_DIAG_FAILED;
}

static bool ask(int fd, int family) {
    struct {
        struct nlmsghdr head;
        struct inet_diag_req_v2 request;
    } message = {.head = {.nlmsg_len = sizeof message,
                          .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                          .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
                 .request = {.sdiag_family = (__u8)family,
                             .sdiag_protocol = IPPROTO_TCP,
                             .idiag_states = 1u << TCP_LISTEN}};
    struct timeval wait = {.tv_sec = WAIT_S};
    return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) == 0 &&
           send(fd, &message, sizeof message, 0) == (ssize_t)sizeof message;
}

pk_diag_answer pk_sock_diag_each_listener(int family, pk_listener_visitor *each, void *context) {
    char data[DATAGRAM_BYTES];
    pk_diag_answer answer = PK_DIAG_FAILED;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0) return PK_DIAG_FAILED;
    if (ask(fd, family)) answer = PK_DIAG_MORE;
    for (int i = 0; answer == PK_DIAG_MORE && i < DATAGRAMS_MAX; i++) {
        ssize_t n = recv(fd, data, sizeof data, 0);
        answer = n > 0 ? pk_sock_diag_parse(data, (size_t)n, each, context) : PK_DIAG_FAILED;
    }
    close(fd);
    return answer == PK_DIAG_MORE ? PK_DIAG_FAILED : answer;
}

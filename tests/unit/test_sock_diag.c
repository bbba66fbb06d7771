#include "check.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include "base/sock_diag.h"

typedef struct seen {
    size_t count;
    pk_listener_info infos[8];
    size_t stop_after;
} seen;

static bool note(void *context, const pk_listener_info *info) {
    seen *s = context;
    assert_in_range(s->count, 0, 7);
    s->infos[s->count++] = *info;
    return s->count != s->stop_after;
}

typedef struct message {
    struct nlmsghdr head;
    struct inet_diag_msg socket;
} message;

static message listener(int family, const char *address, uint16_t port, uint32_t inode) {
    message m = {
        .head = {.nlmsg_len = sizeof m, .nlmsg_type = SOCK_DIAG_BY_FAMILY},
        .socket = {.idiag_family = (__u8)family, .idiag_state = TCP_LISTEN, .idiag_inode = inode}};
    m.socket.id.idiag_sport = htons(port);
    assert_int_equal(inet_pton(family, address, m.socket.id.idiag_src), 1);
    return m;
}

static message end(void) {
    return (message){.head = {.nlmsg_len = sizeof(message), .nlmsg_type = NLMSG_DONE}};
}

static void listeners_are_read_and_others_passed_over(void **state) {
    (void)state;
    message m[] = {listener(AF_INET, "127.0.0.1", 8080, 11), listener(AF_INET6, "::1", 65535, 12),
                   listener(AF_INET, "10.0.0.1", 1, 13), listener(AF_INET, "0.0.0.0", 2, 14),
                   end()};
    m[2].socket.idiag_state = TCP_ESTABLISHED;
    m[3].socket.idiag_family = AF_UNIX;
    seen s = {0};
    assert_int_equal(pk_sock_diag_parse(m, sizeof m, note, &s), PK_DIAG_DONE);
    assert_int_equal(s.count, 2);
    assert_int_equal(s.infos[0].family, AF_INET);
    assert_int_equal(s.infos[0].address.v4.s_addr, htonl(INADDR_LOOPBACK));
    assert_int_equal(s.infos[0].port, 8080);
    assert_int_equal(s.infos[0].inode, 11);
    assert_int_equal(s.infos[1].family, AF_INET6);
    assert_true(IN6_IS_ADDR_LOOPBACK(&s.infos[1].address.v6));
    assert_int_equal(s.infos[1].port, 65535);
    assert_int_equal(s.infos[1].inode, 12);
}

static void a_datagram_without_an_end_asks_for_more(void **state) {
    (void)state;
    message m = listener(AF_INET, "127.0.0.1", 1, 1);
    seen s = {0};
    assert_int_equal(pk_sock_diag_parse(&m, sizeof m, note, &s), PK_DIAG_MORE);
    assert_int_equal(pk_sock_diag_parse(&m, 0, note, &s), PK_DIAG_MORE);
    assert_int_equal(s.count, 1);
}

static void the_visitor_stops_the_walk(void **state) {
    (void)state;
    message m[] = {listener(AF_INET, "127.0.0.1", 1, 1), listener(AF_INET, "127.0.0.1", 2, 2),
                   end()};
    seen s = {.stop_after = 1};
    assert_int_equal(pk_sock_diag_parse(m, sizeof m, note, &s), PK_DIAG_STOPPED);
    assert_int_equal(s.count, 1);
}

static void broken_messages_are_failures_and_never_read_beyond(void **state) {
    (void)state;
    message whole = listener(AF_INET, "127.0.0.1", 1, 1);
    seen s = {0};
    for (size_t bytes = 1; bytes < sizeof whole; bytes++) {
        char *cut = malloc(bytes); /* so that a sanitizer sees every byte too many */
        memcpy(cut, &whole, bytes);
        assert_int_equal(pk_sock_diag_parse(cut, bytes, note, &s), PK_DIAG_FAILED);
        free(cut);
    }
    static const uint32_t lengths[] = {0,         1, 15, 16, 20, sizeof whole - 1, sizeof whole + 1,
                                       UINT32_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        message wrong = whole;
        wrong.head.nlmsg_len = lengths[i];
        assert_int_equal(pk_sock_diag_parse(&wrong, sizeof wrong, note, &s), PK_DIAG_FAILED);
    }
    message error = whole;
    error.head.nlmsg_type = NLMSG_ERROR;
    assert_int_equal(pk_sock_diag_parse(&error, sizeof error, note, &s), PK_DIAG_FAILED);
    assert_int_equal(s.count, 0);
}

typedef struct search {
    uint16_t port;
    pk_listener_info found;
} search;

static bool by_port(void *context, const pk_listener_info *info) {
    search *s = context;
    if (ntohs(s->port) != info->port) return true;
    s->found = *info;
    return false;
}

/* The kernel tells the same of a socket as /proc does. */
static void a_listener_of_ours_is_found(void **state) {
    (void)state;
    const struct sockaddr_in v4 = {.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    const struct sockaddr *addresses[] = {(const struct sockaddr *)&v4,
                                          (const struct sockaddr *)&v6};
    const socklen_t sizes[] = {sizeof v4, sizeof v6};
    for (size_t i = 0; i < 2; i++) {
        int family = addresses[i]->sa_family;
        int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || bind(fd, addresses[i], sizes[i]) < 0 || listen(fd, 1) < 0) {
            assert_int_equal(family, AF_INET6); /* a machine without IPv6 */
            if (fd >= 0) close(fd);
            continue;
        }
        union {
            struct sockaddr any;
            struct sockaddr_in v4;
            struct sockaddr_in6 v6;
        } own;
        socklen_t size = sizeof own;
        struct stat st;
        assert_int_equal(getsockname(fd, &own.any, &size), 0);
        assert_int_equal(fstat(fd, &st), 0);
        search s = {.port = family == AF_INET ? own.v4.sin_port : own.v6.sin6_port};
        pk_diag_answer answer = pk_sock_diag_each_listener(family, by_port, &s);
        if (answer == PK_DIAG_FAILED) {
            close(fd);
            skip(); /* this kernel has no sock_diag; /proc is read instead */
        }
        assert_int_equal(answer, PK_DIAG_STOPPED);
        assert_int_equal(s.found.family, family);
        assert_int_equal(s.found.inode, st.st_ino);
        if (family == AF_INET) assert_int_equal(s.found.address.v4.s_addr, v4.sin_addr.s_addr);
        else assert_true(IN6_IS_ADDR_LOOPBACK(&s.found.address.v6));
        close(fd);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listeners_are_read_and_others_passed_over),
        cmocka_unit_test(a_datagram_without_an_end_asks_for_more),
        cmocka_unit_test(the_visitor_stops_the_walk),
        cmocka_unit_test(broken_messages_are_failures_and_never_read_beyond),
        cmocka_unit_test(a_listener_of_ours_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

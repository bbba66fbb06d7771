/* serve/listen: addresses, sockets, and who is in the way. */
#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/procfs.h"
#include "serve/listen.h"

enum { BACKLOG = 8 };

static void addresses_are_split(void **state) {
    (void)state;
    static const struct {
        const char *text, *host;
        uint16_t port;
    } cases[] = {
        {"3000", "127.0.0.1", 3000},
        {":0", "127.0.0.1", 0},
        {"0", "127.0.0.1", 0},
        {"localhost:65535", "localhost", 65535},
        {"[::1]:8080", "::1", 8080},
        {"*:80", "0.0.0.0", 80},
        {"[fe80::1%eth0]:1", "fe80::1%eth0", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pk_listen_address address;
        pk_err err = {0};
        assert_ok(pk_listen_parse(cases[i].text, &address, &err), &err);
        assert_string_equal(address.host, cases[i].host);
        assert_int_equal(address.port, cases[i].port);
    }
}

static void wrong_addresses_say_how_to_write_them(void **state) {
    (void)state;
    char long_host[400];
    memset(long_host, 'a', sizeof long_host);
    memcpy(long_host + 300, ":80", 4);
    const char *const wrong[] = {"",        "x",     "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                                 "::1:80",  "a:-1",  "a:1x",      "[::1]",      "[::1]80",
                                 "[::1:80", "[]:80", "a:b:80",    "a: 80",      long_host};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        pk_listen_address address = {.port = 7};
        pk_err err = {0};
        assert_fails(pk_listen_parse(wrong[i], &address, &err), &err, PK_E_USAGE);
        assert_int_equal(strncmp(err.where, wrong[i], sizeof err.where - 1), 0);
        assert_int_equal(address.port, 7);
    }
}

static int connect_tcp(int family, const char *host, uint16_t port) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    bool v6 = family == AF_INET6;
    assert_int_equal(inet_pton(family, host, v6 ? (void *)&in6.sin6_addr : (void *)&in.sin_addr),
                     1);
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    const struct sockaddr *address = v6 ? (void *)&in6 : (void *)&in;
    socklen_t bytes = v6 ? sizeof in6 : sizeof in;
    int rc = connect(fd, address, bytes);
    close(fd);
    return rc;
}

static uint16_t port_of(const pk_listener *listener) {
    pk_listen_address address;
    pk_err err = {0};
    assert_ok(pk_listen_parse(strstr(listener->url, "://") + 3, &address, &err), &err);
    return address.port;
}

static void port_0_takes_a_free_port_of_loopback_alone(void **state) {
    (void)state;
    pk_listener listener;
    pk_err err = {0};
    assert_ok(pk_listener_open_tcp("0", "http", BACKLOG, &listener, &err), &err);
    uint16_t port = port_of(&listener);
    char url[PK_LISTENER_URL_MAX];
    snprintf(url, sizeof url, "http://127.0.0.1:%u", port);
    assert_string_equal(listener.url, url);
    assert_true(port > 0);
    assert_true(listener.loopback);
    assert_int_equal(connect_tcp(AF_INET, "127.0.0.1", port), 0);
    assert_int_equal(connect_tcp(AF_INET, "127.0.0.2", port), -1);
    assert_true(fcntl(listener.fd, F_GETFL) & O_NONBLOCK);
    pk_listener_close(&listener);
    pk_listener_close(&listener);
    assert_int_equal(connect_tcp(AF_INET, "127.0.0.1", port), -1);
}

static void ipv6_and_all_addresses(void **state) {
    (void)state;
    pk_listener listener;
    pk_err err = {0};
    assert_ok(pk_listener_open_tcp("[::1]:0", "https", BACKLOG, &listener, &err), &err);
    assert_int_equal(strncmp(listener.url, "https://[::1]:", 14), 0);
    assert_true(listener.loopback);
    assert_int_equal(connect_tcp(AF_INET6, "::1", port_of(&listener)), 0);
    pk_listener_close(&listener);

    pk_listener all4, all6;
    assert_ok(pk_listener_open_tcp("*:0", "http", BACKLOG, &all4, &err), &err);
    assert_false(all4.loopback);
    assert_int_equal(connect_tcp(AF_INET, "127.0.0.2", port_of(&all4)), 0);
    char both[64];
    snprintf(both, sizeof both, "[::]:%u", port_of(&all4));
    assert_ok(pk_listener_open_tcp(both, "http", BACKLOG, &all6, &err), &err);
    assert_false(all6.loopback);
    pk_listener_close(&all4);
    pk_listener_close(&all6);
}

static void a_port_in_use_names_its_holder(void **state) {
    (void)state;
    pk_listener first, second = {.fd = -7};
    pk_err err = {0};
    pk_process_info me;
    char holder[128];
    assert_true(pk_procfs_process(getpid(), &me));
    snprintf(holder, sizeof holder, "in use by %s (pid %ld)", me.name, (long)getpid());

    assert_ok(pk_listener_open_tcp("127.0.0.1:0", "http", BACKLOG, &first, &err), &err);
    char text[64];
    snprintf(text, sizeof text, "127.0.0.1:%u", port_of(&first));
    assert_fails(pk_listener_open_tcp(text, "http", BACKLOG, &second, &err), &err, PK_E_INPUT);
    assert_string_equal(err.where, text);
    assert_non_null(strstr(err.what, holder));
    assert_non_null(strstr(err.fix, "--listen 127.0.0.1:0"));
    assert_int_equal(second.fd, -7);

    /* all addresses collide with the one */
    snprintf(text, sizeof text, "0.0.0.0:%u", port_of(&first));
    assert_fails(pk_listener_open_tcp(text, "http", BACKLOG, &second, &err), &err, PK_E_INPUT);
    assert_non_null(strstr(err.what, holder));
    pk_listener_close(&first);

    assert_ok(pk_listener_open_tcp("[::1]:0", "http", BACKLOG, &first, &err), &err);
    snprintf(text, sizeof text, "[::1]:%u", port_of(&first));
    assert_fails(pk_listener_open_tcp(text, "http", BACKLOG, &second, &err), &err, PK_E_INPUT);
    assert_non_null(strstr(err.what, holder));
    pk_listener_close(&first);
}

static void an_address_of_another_machine_is_an_error(void **state) {
    (void)state;
    pk_listener listener;
    pk_err err = {0};
    /* TEST-NET-1 (RFC 5737): nobody has it */
    assert_fails(pk_listener_open_tcp("192.0.2.1:0", "http", BACKLOG, &listener, &err), &err,
                 PK_E_SYS);
    assert_int_equal(err.sys_errno, EADDRNOTAVAIL);
}

static int connect_unix(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    int rc = connect(fd, (struct sockaddr *)&address, sizeof address);
    close(fd);
    return rc;
}

static bool exists(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0;
}

static void a_stale_socket_is_replaced_a_live_one_is_not(void **state) {
    (void)state;
    char folder[CHECK_PATH_MAX], path[CHECK_PATH_MAX], url[CHECK_PATH_MAX + 8];
    pk_listener first, second;
    pk_err err = {0};
    check_folder_begin(folder);
    check_path(path, folder, "s.sock");
    assert_ok(pk_listener_open_unix(path, BACKLOG, &first, &err), &err);
    snprintf(url, sizeof url, "unix:%s", path);
    assert_string_equal(first.url, url);
    assert_true(fcntl(first.fd, F_GETFL) & O_NONBLOCK);
    assert_int_equal(connect_unix(path), 0);

    assert_fails(pk_listener_open_unix(path, BACKLOG, &second, &err), &err, PK_E_INPUT);
    assert_non_null(strstr(err.what, "running server"));
    assert_int_equal(connect_unix(path), 0);

    /* as after a crash: the name stays, nobody listens */
    close(first.fd);
    first.fd = -1;
    assert_int_equal(connect_unix(path), -1);
    assert_ok(pk_listener_open_unix(path, BACKLOG, &second, &err), &err);
    assert_int_equal(connect_unix(path), 0);

    /* the first one's end leaves the second one's name alone */
    pk_listener_close(&first);
    assert_int_equal(connect_unix(path), 0);
    pk_listener_close(&second);
    assert_false(exists(path));
    check_folder_end(folder);
}

static void what_is_no_socket_stays(void **state) {
    (void)state;
    char folder[CHECK_PATH_MAX], path[CHECK_PATH_MAX], content[16];
    pk_listener listener;
    pk_err err = {0};
    check_folder_begin(folder);
    check_path(path, folder, "precious");
    check_write_file(path, "data");
    assert_fails(pk_listener_open_unix(path, BACKLOG, &listener, &err), &err, PK_E_INPUT);
    assert_non_null(strstr(err.what, "no socket"));
    assert_string_equal(check_read_file(content, sizeof content, path), "data");
    check_folder_end(folder);
}

static void paths_of_sockets_have_a_greatest_length(void **state) {
    (void)state;
    char folder[CHECK_PATH_MAX], path[CHECK_PATH_MAX];
    pk_listener listener;
    pk_err err = {0};
    check_folder_begin(folder);
    size_t bytes = strlen(check_path(path, folder, "x"));
    for (; bytes < 107; bytes++) memcpy(path + bytes, "x", 2);
    assert_ok(pk_listener_open_unix(path, BACKLOG, &listener, &err), &err);
    pk_listener_close(&listener);
    memcpy(path + bytes, "x", 2);
    assert_fails(pk_listener_open_unix(path, BACKLOG, &listener, &err), &err, PK_E_USAGE);
    assert_fails(pk_listener_open_unix("", BACKLOG, &listener, &err), &err, PK_E_USAGE);
    assert_fails(pk_listener_open_unix("/nonexistent/s", BACKLOG, &listener, &err), &err, PK_E_SYS);
    assert_int_equal(check_count_files(folder), 0);
    check_folder_end(folder);
}

static void assert_congestion_control(const char *where, const char *expected) {
    pk_listener listener = {.fd = -1};
    pk_err err = {0};
    char name[16] = "";
    socklen_t bytes = sizeof name - 1;
    assert_ok(pk_listener_open_tcp(where, "http", 16, &listener, &err), &err);
    assert_int_equal(getsockopt(listener.fd, IPPROTO_TCP, TCP_CONGESTION, name, &bytes), 0);
    assert_string_equal(name, expected);
    pk_listener_close(&listener);
}

static void only_loopback_goes_without_congestion_control(void **state) {
    (void)state;
    char usual[16] = "";
    socklen_t bytes = sizeof usual - 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, usual, &bytes), 0);
    close(fd);
    assert_congestion_control("127.0.0.1:0", "reno");
    assert_congestion_control("0.0.0.0:0", usual);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_split),
        cmocka_unit_test(wrong_addresses_say_how_to_write_them),
        cmocka_unit_test(port_0_takes_a_free_port_of_loopback_alone),
        cmocka_unit_test(ipv6_and_all_addresses),
        cmocka_unit_test(a_port_in_use_names_its_holder),
        cmocka_unit_test(an_address_of_another_machine_is_an_error),
        cmocka_unit_test(a_stale_socket_is_replaced_a_live_one_is_not),
        cmocka_unit_test(what_is_no_socket_stays),
        cmocka_unit_test(paths_of_sockets_have_a_greatest_length),
        cmocka_unit_test(only_loopback_goes_without_congestion_control),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

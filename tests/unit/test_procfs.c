#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/process.h"
#include "base/procfs.h"

/* ---- the parsers, on fixed text ---- */

typedef struct seen {
    pk_listener_info infos[8];
    size_t count, stop_at;
} seen;

static bool note(void *context, const pk_listener_info *info) {
    seen *s = context;
    assert_true(s->count < 8);
    s->infos[s->count++] = *info;
    return s->count != s->stop_at;
}

/* From a machine of ours: a listener on 127.0.0.1:8080, one on 0.0.0.0:22, an open connection. */
#define HEAD                                                                                      \
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout " \
    "inode\n"
static const char tcp4[] = HEAD
    "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 "
    "48213 1 0000000000000000 100 0 0 10 0                     \n"
    "   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 "
    "1678 1 0000000000000000 100 0 0 10 0                     \n"
    "   2: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 "
    "48299 1 0000000000000000 20 4 30 10 -1                   \n";

static void listeners_of_ipv4_are_read(void **state) {
    (void)state;
    seen s = {0};
    assert_true(pk_procfs_parse_listeners(AF_INET, tcp4, strlen(tcp4), note, &s));
    assert_int_equal(s.count, 2);
    char text[INET6_ADDRSTRLEN];
    assert_string_equal(inet_ntop(AF_INET, &s.infos[0].address.v4, text, sizeof text), "127.0.0.1");
    assert_int_equal(s.infos[0].family, AF_INET);
    assert_int_equal(s.infos[0].port, 8080);
    assert_int_equal(s.infos[0].inode, 48213);
    assert_string_equal(inet_ntop(AF_INET, &s.infos[1].address.v4, text, sizeof text), "0.0.0.0");
    assert_int_equal(s.infos[1].port, 22);
}

static void listeners_of_ipv6_are_read(void **state) {
    (void)state;
    static const char text[] =
        HEAD "   0: 00000000000000000000000001000000:0BB8 00000000000000000000000000000000:0000 0A "
             "00000000:00000000 00:00000000 00000000  1000        0 5150 1 0 100 0 0 10 0\n"
             "   1: B80D0120000000000000000002000100:FFFF 00000000000000000000000000000000:0000 0A "
             "00000000:00000000 00:00000000 00000000  1000        0 18446744073709551615 1 0\n";
    seen s = {0};
    assert_true(pk_procfs_parse_listeners(AF_INET6, text, strlen(text), note, &s));
    assert_int_equal(s.count, 2);
    char shown[INET6_ADDRSTRLEN];
    assert_string_equal(inet_ntop(AF_INET6, &s.infos[0].address.v6, shown, sizeof shown), "::1");
    assert_int_equal(s.infos[0].port, 3000);
    assert_string_equal(inet_ntop(AF_INET6, &s.infos[1].address.v6, shown, sizeof shown),
                        "2001:db8::1:2");
    assert_int_equal(s.infos[1].port, 65535);
    assert_true(s.infos[1].inode == UINT64_MAX);
    s.count = 0; /* the other family's table has other widths: nothing fits */
    assert_true(pk_procfs_parse_listeners(AF_INET, text, strlen(text), note, &s));
    assert_int_equal(s.count, 0);
}

static void the_walk_ends_when_the_visitor_says_so(void **state) {
    (void)state;
    seen s = {.stop_at = 1};
    assert_false(pk_procfs_parse_listeners(AF_INET, tcp4, strlen(tcp4), note, &s));
    assert_int_equal(s.count, 1);
}

static void broken_lines_are_passed_over(void **state) {
    (void)state;
    static const char *const lines[] = {
        "",
        "\n\n \n",
        "   0: 0100007F:1F90 00000000:0000 0A 0:0 00:0 0 1000 0",   /* no inode */
        "   0: 0100007F:1F90 00000000:0000 0A 0:0 00:0 0 1000 0 x", /* no number */
        "   0: 0100007F:1F90 00000000:0000 0A 0:0 00:0 0 0 0 18446744073709551616",
        "   0: 0100007F1F90 00000000:0000 0A 0:0 00:0 0 1000 0 5",   /* no port */
        "   0: 0100007F:11F90 00000000:0000 0A 0:0 00:0 0 1000 0 5", /* too large a port */
        "   0: 0100007F:1F90x 00000000:0000 0A 0:0 00:0 0 1000 0 5",
        "   0: 0100007G:1F90 00000000:0000 0A 0:0 00:0 0 1000 0 5",
        "   0: 00007F:1F90 00000000:0000 0A 0:0 00:0 0 1000 0 5",
        "   0: 0100007F:1F90 00000000:0000 0B 0:0 00:0 0 1000 0 5", /* another state */
        "   0: 0100007F:1F90 00000000:0000 10A 0:0 00:0 0 1000 0 5",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char text[512];
        snprintf(text, sizeof text, "%s\n   9: 0100007F:0001 00000000:0000 0A 0:0 00:0 0 0 0 7",
                 lines[i]);
        seen s = {0};
        assert_true(pk_procfs_parse_listeners(AF_INET, text, strlen(text), note, &s));
        assert_int_equal(s.count, 1); /* the good one, though its line never ends */
        assert_int_equal(s.infos[0].port, 1);
        assert_int_equal(s.infos[0].inode, 7);
    }
}

static void a_command_line_becomes_one_text(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *text;
    } cases[] = {
        {"perfkit\0serve\0--port\0", 21, "perfkit serve --port"},
        {"perfkit", 7, "perfkit"},
        {"a\0\0b\0", 5, "a  b"},
        {"nginx: worker\0\0\0\0", 17, "nginx: worker"},
        {"", 0, "[kworker]"},
        {"\0\0", 2, "[kworker]"},
        {"0123456789\0abcdefghijklmno\0", 27, "0123456789 abcdefghijkl"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[24];
        pk_procfs_parse_command(cases[i].bytes, cases[i].n, "kworker", text, sizeof text);
        assert_string_equal(text, cases[i].text);
    }
}

static void a_socket_link_gives_its_inode(void **state) {
    (void)state;
    static const struct {
        const char *link;
        bool ok;
        uint64_t inode;
    } cases[] = {
        {"socket:[12345]", true, 12345},
        {"socket:[18446744073709551615]", true, UINT64_MAX},
        {"socket:[18446744073709551616]", false, 0},
        {"socket:[]", false, 0},
        {"socket:[12345", false, 0},
        {"socket:[12345]x", false, 0},
        {"socket:[1A]", false, 0},
        {"pipe:[12345]", false, 0},
        {"socket:", false, 0},
        {"", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t inode = 99;
        assert_int_equal(pk_procfs_parse_socket_link(cases[i].link, strlen(cases[i].link), &inode),
                         cases[i].ok);
        assert_true(inode == (cases[i].ok ? cases[i].inode : 99));
    }
}

/* ---- this machine ---- */

static void we_find_ourselves(void **state) {
    (void)state;
    char before[16];
    assert_int_equal(prctl(PR_GET_NAME, before), 0);
    assert_int_equal(prctl(PR_SET_NAME, "two words"), 0);
    pk_process_info info = {0};
    bool ok = pk_procfs_process(getpid(), &info);
    assert_int_equal(prctl(PR_SET_NAME, before), 0);
    assert_true(ok);
    assert_int_equal(info.pid, getpid());
    assert_int_equal(info.uid, geteuid());
    assert_string_equal(info.name, "two words");
    assert_non_null(strstr(info.command, "test_procfs"));
}

static void a_process_that_is_not_there_is_not_found(void **state) {
    (void)state;
    pk_process_info info = {.pid = 42};
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) _exit(0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_false(pk_procfs_process(child, &info));
    assert_false(pk_procfs_process(-1, &info));
    assert_false(pk_procfs_process(0, &info));
    assert_int_equal(info.pid, 42);
}

static void a_child_is_known_by_its_command(void **state) {
    (void)state;
    const pk_spawn_options options = PK_SPAWN_DEFAULT;
    pk_process process;
    pk_exit exit;
    pk_err err = {0};
    assert_ok(pk_process_spawn((char *[]){"sleep", "100", NULL}, &options, &process, &err), &err);
    pk_process_info info = {0};
    bool ok = false;
    for (int tries = 0; tries < 2000; tries++) { /* for a moment within exec it has no arguments */
        ok = pk_procfs_process(process.pid, &info);
        if (!ok || info.command[0] != '[' || pk_process_wait(&process, 5000000, &exit)) break;
    }
    pk_process_stop(&process, false, 0, &exit);
    assert_true(ok);
    assert_string_equal(info.name, "sleep");
    assert_string_equal(info.command, "sleep 100");
}

typedef struct walk {
    pid_t last;
    size_t count, stop_at;
    bool ascending, found_us;
} walk;

static bool step(void *context, const pk_process_info *info) {
    walk *w = context;
    w->ascending = w->ascending && info->pid > w->last;
    w->last = info->pid;
    w->found_us = w->found_us || info->pid == getpid();
    return ++w->count != w->stop_at;
}

static void all_processes_come_in_order(void **state) {
    (void)state;
    walk w = {.ascending = true};
    pk_procfs_each_process(step, &w);
    assert_true(w.found_us && w.ascending);
    walk first = {.ascending = true, .stop_at = 1};
    pk_procfs_each_process(step, &first);
    assert_int_equal(first.count, 1);
}

/* A socket that listens on a free port of the loopback; *port and *inode say where it is. */
static int listen_somewhere(int family, uint16_t *port, uint64_t *inode) {
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr *address = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
    socklen_t bytes = family == AF_INET ? sizeof v4 : sizeof v6;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, address, bytes) < 0) {
        if (fd >= 0) close(fd);
        return -1;
    }
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, address, &bytes), 0);
    *port = ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    *inode = st.st_ino;
    return fd;
}

static bool match(void *context, const pk_listener_info *info) {
    pk_listener_info *wanted = context;
    if (info->inode != wanted->inode) return true;
    *wanted = *info;
    return false;
}

static void a_listener_of_ours_is_found(void **state) {
    (void)state;
    static const int families[] = {AF_INET, AF_INET6};
    for (size_t i = 0; i < 2; i++) {
        uint16_t port;
        uint64_t inode;
        int fd = listen_somewhere(families[i], &port, &inode);
        if (fd < 0 && families[i] == AF_INET6) {
            print_message("skipped: no IPv6 on the loopback\n");
            skip();
        }
        assert_true(fd >= 0);
        pk_listener_info found = {.inode = inode};
        pk_process_info owner = {0};
        pk_procfs_each_listener(match, &found);
        bool owned = pk_procfs_socket_owner(inode, &owner);
        close(fd);
        assert_int_equal(found.family, families[i]);
        assert_int_equal(found.port, port);
        if (families[i] == AF_INET)
            assert_int_equal(ntohl(found.address.v4.s_addr), INADDR_LOOPBACK);
        else assert_memory_equal(&found.address.v6, &in6addr_loopback, 16);
        assert_true(owned);
        assert_int_equal(owner.pid, getpid());
        assert_non_null(strstr(owner.command, "test_procfs"));
    }
}

/* A server with all its connections: the walk must not take as long as they are many. */
static void a_listener_before_many_descriptors_is_found_and_one_behind_is_not(void **state) {
    (void)state;
    enum { MANY = 600 };
    int copies[MANY];
    uint16_t port;
    uint64_t inodes[2];
    pk_process_info infos[2];
    int before = listen_somewhere(AF_INET, &port, &inodes[0]);
    for (int i = 0; i < MANY; i++) copies[i] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    int behind = listen_somewhere(AF_INET, &port, &inodes[1]);
    assert_true(before >= 0 && behind > MANY);
    pk_procfs_socket_owners(2, inodes, infos);
    for (int i = 0; i < MANY; i++) close(copies[i]);
    close(before);
    close(behind);
    assert_int_equal(infos[0].pid, getpid());
    assert_int_equal(infos[1].pid, 0);
}

static void owners_of_many_sockets_come_from_one_walk(void **state) {
    (void)state;
    uint16_t port;
    uint64_t inodes[4] = {[1] = UINT64_MAX}; /* 0 and this one: nobody's */
    int a = listen_somewhere(AF_INET, &port, &inodes[2]);
    int b = listen_somewhere(AF_INET, &port, &inodes[3]);
    assert_true(a >= 0 && b >= 0);
    pk_process_info infos[4];
    memset(infos, 0xFF, sizeof infos);
    pk_procfs_socket_owners(4, inodes, infos);
    close(a);
    close(b);
    assert_int_equal(infos[0].pid, 0);
    assert_int_equal(infos[1].pid, 0);
    assert_int_equal(infos[2].pid, getpid());
    assert_int_equal(infos[3].pid, getpid());
    pk_process_info untouched = {.pid = 42};
    assert_false(pk_procfs_socket_owner(inodes[2], &untouched)); /* closed */
    assert_int_equal(untouched.pid, 42);
    pk_procfs_socket_owners(0, NULL, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listeners_of_ipv4_are_read),
        cmocka_unit_test(listeners_of_ipv6_are_read),
        cmocka_unit_test(the_walk_ends_when_the_visitor_says_so),
        cmocka_unit_test(broken_lines_are_passed_over),
        cmocka_unit_test(a_command_line_becomes_one_text),
        cmocka_unit_test(a_socket_link_gives_its_inode),
        cmocka_unit_test(we_find_ourselves),
        cmocka_unit_test(a_process_that_is_not_there_is_not_found),
        cmocka_unit_test(a_child_is_known_by_its_command),
        cmocka_unit_test(all_processes_come_in_order),
        cmocka_unit_test(a_listener_of_ours_is_found),
        cmocka_unit_test(a_listener_before_many_descriptors_is_found_and_one_behind_is_not),
        cmocka_unit_test(owners_of_many_sockets_come_from_one_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

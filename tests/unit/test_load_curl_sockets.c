/* What the kernel says of a socket's bytes, on real ones. */
#include "check.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load/curl_sockets.h"

enum { WAIT_MS = 10000 };

typedef struct fixture {
    pk_curl_sockets sockets;
    int ours, theirs;
} fixture;

static int begin(void **state) {
    fixture *f = calloc(1, sizeof *f);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t bytes = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_non_null(f);
    f->ours = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, bytes), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &bytes), 0);
    assert_int_equal(connect(f->ours, (struct sockaddr *)&at, bytes), 0);
    f->theirs = accept(listener, NULL, NULL);
    assert_true(f->theirs >= 0);
    close(listener);
    assert_true(pk_curl_sockets_open(&f->sockets, f->ours, 7));
    *state = f;
    return 0;
}

static int end(void **state) {
    fixture *f = *state;
    close(f->ours);
    if (f->theirs >= 0) close(f->theirs);
    pk_curl_sockets_fini(&f->sockets);
    free(f);
    return 0;
}

static void arrives(const fixture *f, const char *text) {
    size_t bytes = strlen(text);
    assert_int_equal(send(f->theirs, text, bytes, 0), bytes);
    char seen[64];
    assert_int_equal(recv(f->ours, seen, bytes, MSG_PEEK | MSG_WAITALL), bytes);
}

static void is_read(const fixture *f, size_t bytes) {
    char seen[64];
    assert_int_equal(recv(f->ours, seen, bytes, MSG_WAITALL), bytes);
}

/* in_order: with a FIN, else by a reset. */
static void ends(fixture *f, bool in_order) {
    struct linger at_once = {.l_onoff = 1};
    struct pollfd ours = {.fd = f->ours, .events = POLLRDHUP};
    if (!in_order)
        assert_int_equal(setsockopt(f->theirs, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    close(f->theirs);
    f->theirs = -1;
    assert_int_equal(poll(&ours, 1, WAIT_MS), 1);
}

static void what_was_answered_is_not_more(void **state) {
    fixture *f = *state;
    assert_false(pk_curl_sockets_has_more(&f->sockets, f->ours));
    arrives(f, "hello");
    assert_true(pk_curl_sockets_has_more(&f->sockets, f->ours));
    pk_curl_sockets_answered(&f->sockets, f->ours, 5);
    assert_false(pk_curl_sockets_has_more(&f->sockets, f->ours));
    is_read(f, 5);
    ends(f, true);
    assert_false(pk_curl_sockets_has_more(&f->sockets, f->ours)); /* a FIN is no byte */
    pk_curl_socket_end e = pk_curl_sockets_close(&f->sockets, f->ours);
    assert_int_equal(e.user, 7);
    assert_false(e.has_more || e.is_unread || e.was_reset);
    e = pk_curl_sockets_close(&f->sockets, f->ours);
    assert_int_equal(e.user, PK_CURL_NOBODY); /* it was forgotten */
}

static void one_byte_more_is_seen(void **state) {
    fixture *f = *state;
    arrives(f, "hello!");
    is_read(f, 6);
    pk_curl_sockets_answered(&f->sockets, f->ours, 5);
    pk_curl_sockets_use(&f->sockets, f->ours, 8);
    pk_curl_socket_end e = pk_curl_sockets_close(&f->sockets, f->ours);
    assert_int_equal(e.user, 8);
    assert_true(e.has_more);
    assert_false(e.is_unread || e.was_reset);
}

static void an_unread_answer_is_seen_after_its_end(void **state) {
    fixture *f = *state;
    arrives(f, "hello");
    ends(f, true);
    pk_curl_socket_end e = pk_curl_sockets_close(&f->sockets, f->ours);
    assert_true(e.has_more && e.is_unread);
    assert_false(e.was_reset);
}

static void a_reset_is_seen(void **state) {
    fixture *f = *state;
    ends(f, false);
    pk_curl_socket_end e = pk_curl_sockets_close(&f->sockets, f->ours);
    assert_true(e.was_reset);
    assert_false(e.has_more || e.is_unread);
}

static void of_others_nothing_is_known(void **state) {
    fixture *f = *state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_true(pk_curl_sockets_open(&f->sockets, pair[0], 1));
    assert_int_equal(write(pair[1], "x", 1), 1);
    assert_false(pk_curl_sockets_has_more(&f->sockets, pair[0]));
    pk_curl_socket_end e = pk_curl_sockets_close(&f->sockets, pair[0]);
    assert_int_equal(e.user, 1);
    assert_false(e.has_more || e.was_reset);
    pk_curl_sockets_use(&f->sockets, pair[1], 2); /* never opened here */
    assert_int_equal(pk_curl_sockets_close(&f->sockets, pair[1]).user, PK_CURL_NOBODY);
    assert_int_equal(pk_curl_sockets_close(&f->sockets, 100000).user, PK_CURL_NOBODY);
    assert_false(pk_curl_sockets_has_more(&f->sockets, -1));
    close(pair[0]);
    close(pair[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_answered_is_not_more, begin, end),
        cmocka_unit_test_setup_teardown(one_byte_more_is_seen, begin, end),
        cmocka_unit_test_setup_teardown(an_unread_answer_is_seen_after_its_end, begin, end),
        cmocka_unit_test_setup_teardown(a_reset_is_seen, begin, end),
        cmocka_unit_test_setup_teardown(of_others_nothing_is_known, begin, end),
    };
    return cmocka_run_group_tests_name("load/curl_sockets", tests, NULL, NULL);
}

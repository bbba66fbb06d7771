/* An answer in pieces, as libcurl hands it over: line by line, then the body as it came. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "load/curl_answer.h"

static bool take(pk_curl_answer *a, const char *text) {
    return pk_curl_answer_take(a, text, strlen(text));
}

static void lines_and_a_body_make_an_answer(void **state) {
    (void)state;
    pk_curl_answer a = {0};
    for (int round = 0; round < 2; round++) {
        pk_curl_answer_begin(&a, false, false);
        assert_false(pk_curl_answer_has_begun(&a));
        assert_true(take(&a, "HTTP/1.1 103 X\r\n"));
        assert_true(pk_curl_answer_has_begun(&a));
        assert_true(take(&a, "Link: x\r\n") && take(&a, "\r\n"));
        assert_true(take(&a, "HTTP/1.1 200 OK\r\n") && take(&a, "Content-Length: 5\r\n"));
        assert_int_equal(a.step, PK_HTTP1_MORE);
        assert_true(take(&a, "\r\n") && take(&a, "hel") && take(&a, "lo"));
        assert_int_equal(a.step, PK_HTTP1_DONE);
        assert_int_equal(a.parser.status, 200);
        assert_int_equal(a.parser.body_bytes, 5);
        assert_true(a.parser.keep_alive);
        assert_int_equal(pk_curl_answer_head_bytes(&a), 16 + 9 + 2 + 17 + 19 + 2);
    }
    pk_curl_answer_fini(&a);
}

static void chunks_may_be_cut_anywhere(void **state) {
    (void)state;
    static const char text[] =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    for (size_t cut = 1; cut + 1 < sizeof text; cut++) {
        pk_curl_answer a = {0};
        pk_curl_answer_begin(&a, false, false);
        assert_true(pk_curl_answer_take(&a, text, cut));
        assert_int_equal(a.step, PK_HTTP1_MORE);
        assert_true(pk_curl_answer_take(&a, text + cut, sizeof text - 1 - cut));
        assert_int_equal(a.step, PK_HTTP1_DONE);
        assert_int_equal(a.parser.body_bytes, 5);
        assert_int_equal(pk_curl_answer_head_bytes(&a) + 5, sizeof text - 1);
        pk_curl_answer_fini(&a);
    }
}

static void what_is_wrong_stops_the_transfer(void **state) {
    (void)state;
    pk_curl_answer a = {0};
    pk_curl_answer_begin(&a, false, false);
    assert_true(take(&a, "HTTP/1.1 200 OK\r\n") && take(&a, "Content-Length: 5\r\n"));
    assert_false(take(&a, "Content-Length: 6\r\n") && take(&a, "\r\n"));
    assert_int_equal(a.parser.error, PK_LOAD_E_MALFORMED);
    assert_false(take(&a, "hello"));
    pk_curl_answer_fini(&a);
}

static void an_endless_head_is_too_large(void **state) {
    (void)state;
    pk_curl_answer a = {0};
    char line[1025];
    memset(line, 'x', sizeof line);
    memcpy(line, "X: ", 3);
    memcpy(line + sizeof line - 3, "\r\n", 3);
    pk_curl_answer_begin(&a, false, false);
    assert_true(take(&a, "HTTP/1.1 200 OK\r\n"));
    int n = 0;
    while (n < 100 && take(&a, line)) n++;
    assert_in_range(n, 60, 64);
    assert_int_equal(a.parser.error, PK_LOAD_E_TOO_LARGE);
    pk_curl_answer_fini(&a);
}

static void bytes_behind_the_end_are_suspicious(void **state) {
    (void)state;
    pk_curl_answer a = {0};
    for (int apart = 0; apart < 2; apart++) {
        pk_curl_answer_begin(&a, false, false);
        assert_true(take(&a, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"));
        assert_true(apart ? take(&a, "ok") && take(&a, "junk") : take(&a, "okjunk"));
        assert_int_equal(a.step, PK_HTTP1_DONE);
        assert_true(a.parser.suspicious);
        assert_false(a.parser.keep_alive);
    }
    pk_curl_answer_fini(&a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_and_a_body_make_an_answer),
        cmocka_unit_test(chunks_may_be_cut_anywhere),
        cmocka_unit_test(what_is_wrong_stops_the_transfer),
        cmocka_unit_test(an_endless_head_is_too_large),
        cmocka_unit_test(bytes_behind_the_end_are_suspicious),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

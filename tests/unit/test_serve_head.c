/* serve/exchange and serve/head_deadline: which heads are refused, and which come too late. */
#include "check.h"

#include "base/units.h"
#include "serve/exchange.h"
#include "serve/head_deadline.h"

/* Feeds "Name: value" lines; the status to refuse with, 0 if none. */
static unsigned check(const char *const lines[], pk_head_check *result) {
    pk_head_check state = {.status = 0};
    for (size_t i = 0; lines[i]; i++) {
        const char *colon = strchr(lines[i], ':');
        const char *value = colon + 1 + strspn(colon + 1, " ");
        bool ok =
            pk_head_check_field(&state, lines[i], (size_t)(colon - lines[i]), value, strlen(value));
        assert_int_equal(ok, state.status == 0);
        if (!ok) assert_non_null(state.why);
    }
    if (result) *result = state;
    return state.status;
}
#define CHECK(...) check((const char *const[]){__VA_ARGS__, NULL}, NULL)

static void ordinary_heads_pass(void **state) {
    (void)state;
    pk_head_check result;
    assert_int_equal(CHECK("Host: a", "User-Agent: curl/7.88.1", "Accept: */*"), 0);
    assert_int_equal(CHECK("host: a", "transfer-encoding: CHUNKED"), 0);
    assert_int_equal(CHECK("Cookie: a=b", "Cookie: c=d", "X-!#$%&'*+-.^_`|~9: odd but a token"), 0);
    const char *const body[] = {"Host: a", "Content-Length: 12", "Expect: 100-continue", NULL};
    assert_int_equal(check(body, &result), 0);
    assert_true(result.host && result.content_length && result.expects_continue);
    assert_int_equal(result.content_bytes, 12);
}

static void smuggling_is_refused(void **state) {
    (void)state;
    assert_int_equal(CHECK("Content-Length: 5", "Transfer-Encoding: chunked"), 400);
    assert_int_equal(CHECK("Transfer-Encoding: chunked", "Content-Length: 5"), 400);
    assert_int_equal(CHECK("Content-Length: 5", "Content-Length: 5"), 400);
    assert_int_equal(CHECK("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), 400);
    assert_int_equal(CHECK("Host: a", "Host: a"), 400);
    assert_int_equal(CHECK("Transfer-Encoding: gzip, chunked"), 501);
    assert_int_equal(CHECK("Transfer-Encoding: gzip"), 400);
    assert_int_equal(CHECK("Transfer-Encoding: chunked, gzip"), 400);
    assert_int_equal(CHECK("Transfer-Encoding:"), 400);
}

static void names_are_tokens(void **state) {
    (void)state;
    assert_int_equal(CHECK("Host : a"), 400);
    assert_int_equal(CHECK("X-A\t: a"), 400);
    assert_int_equal(CHECK(": a"), 400);
    assert_int_equal(CHECK("X A: b"), 400);
    assert_int_equal(CHECK("X(A): b"), 400);
    assert_int_equal(CHECK("X\x80: b"), 400);
}

static void a_length_that_is_no_number_counts_as_endless(void **state) {
    (void)state;
    pk_head_check result;
    const char *const lines[] = {"Content-Length: 99999999999999999999", NULL};
    assert_int_equal(check(lines, &result), 0);
    assert_int_equal(result.content_bytes, UINT64_MAX);
}

static void head_deadlines(void **state) {
    (void)state;
    enum { S_HEAD = 10, S_IDLE = 60 };
    static const struct {
        uint64_t waiting_s, line_s;
        bool reused, draining;
        pk_head_verdict verdict;
    } cases[] = {
        /* the first head: from the accept, whatever came of it */
        {9, 0, false, false, PK_HEAD_FINE},
        {10, 9, false, false, PK_HEAD_FINE},
        {11, 0, false, false, PK_HEAD_LATE},
        {11, 1, false, false, PK_HEAD_LATE},
        /* a kept connection may be idle, and then has the time of a head */
        {60, 0, true, false, PK_HEAD_FINE},
        {70, 0, true, false, PK_HEAD_FINE},
        {71, 0, true, false, PK_HEAD_LATE},
        {65, 11, true, false, PK_HEAD_LATE},
        {65, 10, true, false, PK_HEAD_FINE},
        /* while draining: kept and silent ones go */
        {1, 0, true, true, PK_HEAD_FINE},
        {2, 0, true, true, PK_HEAD_IDLE_IN_DRAIN},
        {2, 1, true, true, PK_HEAD_FINE},
        {2, 0, false, true, PK_HEAD_FINE},
        {11, 0, false, true, PK_HEAD_LATE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pk_head_state s = {.waiting_ns = cases[i].waiting_s * PK_NS_PER_S,
                           .line_ns = cases[i].line_s * PK_NS_PER_S,
                           .reused = cases[i].reused,
                           .draining = cases[i].draining};
        assert_int_equal(pk_head_judge(&s, S_HEAD * PK_NS_PER_S, S_IDLE * PK_NS_PER_S),
                         cases[i].verdict);
    }
}

static void zero_means_no_deadline(void **state) {
    (void)state;
    static const uint64_t year_ns = 366ull * 86400 * PK_NS_PER_S;
    pk_head_state first = {.waiting_ns = year_ns};
    pk_head_state kept = {.waiting_ns = year_ns, .reused = true};
    pk_head_state begun = {.waiting_ns = year_ns, .line_ns = year_ns, .reused = true};
    assert_int_equal(pk_head_judge(&first, 0, PK_NS_PER_S), PK_HEAD_FINE);
    assert_int_equal(pk_head_judge(&kept, 0, PK_NS_PER_S), PK_HEAD_FINE);
    assert_int_equal(pk_head_judge(&kept, PK_NS_PER_S, 0), PK_HEAD_FINE);
    assert_int_equal(pk_head_judge(&kept, UINT64_MAX / 2, UINT64_MAX), PK_HEAD_FINE);
    assert_int_equal(pk_head_judge(&begun, PK_NS_PER_S, 0), PK_HEAD_LATE);
}

static void the_look_is_a_sixteenth_of_the_deadline_within_bounds(void **state) {
    (void)state;
    assert_int_equal(pk_head_deadline_interval_ns(0), PK_NS_PER_S);
    assert_int_equal(pk_head_deadline_interval_ns(30 * PK_NS_PER_S), PK_NS_PER_S);
    assert_int_equal(pk_head_deadline_interval_ns(8 * PK_NS_PER_S), PK_NS_PER_S / 2);
    assert_int_equal(pk_head_deadline_interval_ns(1), 20 * PK_NS_PER_MS);
    assert_int_equal(pk_head_deadline_interval_ns(100 * PK_NS_PER_MS), 20 * PK_NS_PER_MS);
}

static void header_options_are_checked(void **state) {
    (void)state;
    static const char *const yes[] = {"A: b", "A:", "A:b:c", "X-Y: a\tb", "Content-Type: x/y"};
    static const char *const no[] = {"",
                                     "A",
                                     ": b",
                                     "A b: c",
                                     "A: b\nC: d",
                                     "A: b\r",
                                     "A: \x01",
                                     "Content-Length: 3",
                                     "connection: close",
                                     "TRANSFER-ENCODING: chunked"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        pk_err err = {0};
        assert_ok(pk_serve_check_header(yes[i], &err), &err);
    }
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        pk_err err = {0};
        assert_fails(pk_serve_check_header(no[i], &err), &err, PK_E_USAGE);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinary_heads_pass),
        cmocka_unit_test(smuggling_is_refused),
        cmocka_unit_test(names_are_tokens),
        cmocka_unit_test(a_length_that_is_no_number_counts_as_endless),
        cmocka_unit_test(head_deadlines),
        cmocka_unit_test(zero_means_no_deadline),
        cmocka_unit_test(the_look_is_a_sixteenth_of_the_deadline_within_bounds),
        cmocka_unit_test(header_options_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "check.h"

#include "load/h1_request.h"

typedef struct made {
    pk_plan plan;
    pk_h1_request request;
} made;

static made make(pk_load_options options) {
    made m;
    pk_err err = {0};
    if (!options.url) options.url = "http://example.invalid:3000/a%20b?c=d";
    const char *to[] = {"example.invalid:3000:127.0.0.1:3000", "example.invalid:80:127.0.0.1:1"};
    options.connect_to = (pk_text_list){to, 2}; /* no look-up */
    assert_ok(pk_plan_init(&m.plan, &options, &err), &err);
    assert_ok(pk_h1_request_make(&m.plan, &m.request, &err), &err);
    return m;
}

static void drop(made *m) {
    pk_h1_request_fini(&m->request);
    pk_plan_fini(&m->plan);
}

static void expect_text(pk_load_options options, const char *text) {
    made m = make(options);
    assert_int_equal(m.request.first_bytes, strlen(m.request.first));
    if (!strstr(m.request.first, text)) print_error("in:\n%s", m.request.first);
    assert_non_null(strstr(m.request.first, text));
    drop(&m);
}

static void expect_no_text(pk_load_options options, const char *text) {
    made m = make(options);
    assert_null(strstr(m.request.first, text));
    drop(&m);
}

static void the_head_is_complete_and_in_order(void **state) {
    (void)state;
    made m = make((pk_load_options){0});
    const char *begin = "GET /a%20b?c=d HTTP/1.1\r\nHost: example.invalid:3000\r\nAccept: */*\r\n"
                        "Accept-Encoding: gzip, compress, deflate, br\r\nUser-Agent: perfkit/";
    assert_memory_equal(m.request.first, begin, strlen(begin));
    assert_string_equal(m.request.first + m.request.first_bytes - 4, "\r\n\r\n");
    assert_null(strstr(m.request.first, "Expect"));
    assert_null(strstr(m.request.first, "Content-"));
    assert_true(m.plan.is_idempotent);
    drop(&m);
}

static void the_default_port_is_not_in_host(void **state) {
    (void)state;
    expect_text((pk_load_options){.url = "http://example.invalid:80"},
                "GET / HTTP/1.1\r\nHost: example.invalid\r\n");
}

static void options_reach_the_wire(void **state) {
    (void)state;
    const char *headers[] = {"X-One: 1", "X-Empty:"};
    expect_text((pk_load_options){.headers = {headers, 2}}, "\r\nX-One: 1\r\nX-Empty:\r\n");
    expect_text((pk_load_options){.basic_auth = "Aladdin:open sesame"},
                "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"); /* RFC 7617, 2 */
    expect_text((pk_load_options){.host_header = "other"}, "Host: other\r\n");
    expect_no_text((pk_load_options){.host_header = "other"}, "example.invalid");
    expect_text((pk_load_options){.disable_keepalive = true}, "Connection: close\r\n");
}

static void a_header_of_one_s_own_replaces_the_credentials(void **state) {
    (void)state;
    const char *headers[] = {"authorization: Bearer x"};
    pk_load_options o = {.headers = {headers, 1}, .basic_auth = "a:b"};
    expect_text(o, "authorization: Bearer x");
    expect_no_text(o, "Basic");
}

static void bodies_have_their_length(void **state) {
    (void)state;
    expect_text((pk_load_options){.method = "POST", .body = "abc"}, "Content-Length: 3\r\n\r\nabc");
    expect_text((pk_load_options){.method = "POST"}, "Content-Length: 0\r\n\r\n");
}

static void a_large_body_stays_where_it_is(void **state) {
    (void)state;
    char *body = malloc(PK_H1_JOINED_BYTES_MAX + 2);
    assert_non_null(body);
    memset(body, 'x', PK_H1_JOINED_BYTES_MAX + 1);
    body[PK_H1_JOINED_BYTES_MAX + 1] = '\0';
    made m = make((pk_load_options){.method = "PUT", .body = body});
    assert_int_equal(m.request.rest_bytes, PK_H1_JOINED_BYTES_MAX + 1);
    assert_string_equal(m.request.first + m.request.first_bytes - 4, "\r\n\r\n");
    drop(&m);
    free(body);
}

static void what_changes_the_framing_needs_libcurl(void **state) {
    (void)state;
    const char *const refused[] = {"Transfer-Encoding: chunked", "content-length: 3",
                                   "TE: trailers", "Expect: 100-continue", "Upgrade: h2c"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const char *why = NULL;
        const char *headers[] = {refused[i]};
        made m = make((pk_load_options){.headers = {headers, 1}});
        assert_false(pk_h1_can_send(&m.plan, &why));
        assert_non_null(why);
        drop(&m);
    }
    const char *why = NULL;
    made m = make((pk_load_options){.method = "POST", .body = "x"});
    assert_true(pk_h1_can_send(&m.plan, &why));
    assert_false(m.plan.is_idempotent);
    drop(&m);
}

static void a_tunnel_is_a_connection_like_any_other(void **state) {
    (void)state;
    const char *to[] = {"name.invalid:80:other.invalid:81"};
    const struct {
        pk_load_options options;
        bool can;
    } cases[] = {
        {{.url = "https://name.invalid/", .proxy = "http://127.0.0.1:1"}, true},
        {{.url = "http://name.invalid/", .proxy = "http://127.0.0.1:1", .connect_to = {to, 1}},
         true},
        {{.url = "http://name.invalid/", .proxy = "http://127.0.0.1:1"}, false},
        {{.url = "https://name.invalid/", .proxy = "https://127.0.0.1:1"}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pk_plan plan;
        pk_err err = {0};
        const char *why = NULL;
        assert_ok(pk_plan_init(&plan, &cases[i].options, &err), &err);
        assert_int_equal(pk_h1_can_send(&plan, &why), cases[i].can);
        assert_int_equal(why != NULL, !cases[i].can);
        pk_plan_fini(&plan);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_head_is_complete_and_in_order),
        cmocka_unit_test(the_default_port_is_not_in_host),
        cmocka_unit_test(options_reach_the_wire),
        cmocka_unit_test(a_header_of_one_s_own_replaces_the_credentials),
        cmocka_unit_test(bodies_have_their_length),
        cmocka_unit_test(a_large_body_stays_where_it_is),
        cmocka_unit_test(what_changes_the_framing_needs_libcurl),
        cmocka_unit_test(a_tunnel_is_a_connection_like_any_other),
    };
    return cmocka_run_group_tests_name("load/h1_request", tests, NULL, NULL);
}

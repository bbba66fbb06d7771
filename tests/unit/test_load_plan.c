#include "check.h"

#include "load/plan.h"

typedef struct headers {
    pk_arena *arena;
    const char *const *lines;
    size_t n;
} headers;

static headers make(const pk_load_options *options) {
    headers h = {.arena = pk_arena_new(1u << 20)};
    pk_err err = {0};
    assert_non_null(h.arena);
    assert_ok(pk_plan_headers(options, h.arena, &h.lines, &h.n, &err), &err);
    return h;
}

static size_t times(const headers *h, const char *line) {
    size_t n = 0;
    for (size_t i = 0; i < h->n; i++) n += strcmp(h->lines[i], line) == 0;
    return n;
}

static void expect_once(const pk_load_options *options, const char *line) {
    headers h = make(options);
    assert_int_equal(times(&h, line), 1);
    pk_arena_free(h.arena);
}

static void defaults_are_those_of_the_peer(void **state) {
    (void)state;
    const pk_load_options none = {0};
    expect_once(&none, "Accept: */*");
    expect_once(&none, "Accept-Encoding: gzip, compress, deflate, br");
    expect_once(&none, "Expect:");
    expect_once(&none, "Content-Type:");
}

static void single_options_become_headers(void **state) {
    (void)state;
    const pk_load_options some = {.accept = "text/html",
                                  .content_type = "application/json",
                                  .host_header = "example.org",
                                  .disable_keepalive = true};
    expect_once(&some, "Accept: text/html");
    expect_once(&some, "Content-Type: application/json");
    expect_once(&some, "Host: example.org");
    expect_once(&some, "Connection: close");
}

static void a_header_replaces_defaults_but_not_its_twin(void **state) {
    (void)state;
    const char *lines[] = {"accept:text/x", "X-A: 1", "X-A: 2", "HOST: other", "X-Empty:  "};
    const pk_load_options o = {
        .headers = {lines, 5}, .host_header = "example.org", .accept = "a/b"};
    headers h = make(&o);
    assert_int_equal(times(&h, "accept: text/x"), 1);
    assert_int_equal(times(&h, "Accept: a/b"), 0);
    assert_int_equal(times(&h, "X-A: 1"), 1);
    assert_int_equal(times(&h, "X-A: 2"), 1);
    assert_int_equal(times(&h, "HOST: other"), 1);
    assert_int_equal(times(&h, "Host: example.org"), 0);
    assert_int_equal(times(&h, "X-Empty;"), 1);
    pk_arena_free(h.arena);
}

static void headers_that_would_split_the_request_are_refused(void **state) {
    (void)state;
    const char *const bad[] = {"",      ":v",           "no colon",   "a b: c", "X: 1\r\nY: 2",
                               "X\n:1", "X: 1\rhidden", "Na\x01me: v"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        pk_err err = {0};
        assert_fails(pk_load_check_header(bad[i], &err), &err, PK_E_USAGE);
    }
    pk_err err = {0};
    assert_ok(pk_load_check_header("X-Fine: a: b; c=\"d\"", &err), &err);
}

static void urls(void **state) {
    (void)state;
    const char *const good[] = {"http://127.0.0.1:3000", "https://example.org/a?b=c&d#e",
                                "http://[::1]:8080/x/../y", "http://user:secret@h/", "HTTP://h"};
    const char *const bad[] = {"",
                               "127.0.0.1:3000",
                               "localhost",
                               "ftp://h/",
                               "http://",
                               "http://h:99999",
                               "http://h:x/",
                               "http://a b/",
                               "file:///etc/passwd",
                               "http://[::1"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        pk_err err = {0};
        assert_ok(pk_load_check_url(good[i], &err), &err);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        pk_err err = {0};
        assert_fails(pk_load_check_url(bad[i], &err), &err, PK_E_INPUT);
    }
}

static void connect_to_has_four_parts(void **state) {
    (void)state;
    pk_arena *arena = pk_arena_new(1u << 16);
    pk_connect_to c;
    pk_err err = {0};
    assert_ok(pk_connect_to_parse("example.org:443:[::1]:8443", arena, &c, &err), &err);
    assert_string_equal(c.host, "example.org");
    assert_string_equal(c.port, "443");
    assert_string_equal(c.target_host, "::1");
    assert_string_equal(c.target_port, "8443");
    const char *const bad[] = {"",           "a:1:b",  "a:1:b:2:3",   "a:x:b:2",   "a:1:b:0",
                               "[::1:1:b:2", "a:1::2", "a:1:b:70000", "[a]x:1:b:2"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        pk_err e = {0};
        assert_fails(pk_connect_to_parse(bad[i], arena, &c, &e), &e, PK_E_USAGE);
    }
    pk_arena_free(arena);
}

static pk_plan plan_of(const pk_load_options *o) {
    pk_plan plan;
    pk_err err = {0};
    assert_ok(pk_plan_init(&plan, o, &err), &err);
    return plan;
}

static void an_address_needs_no_look_up(void **state) {
    (void)state;
    pk_plan plan = plan_of(&(pk_load_options){.url = "http://[::1]:3000/x#frag"});
    assert_int_equal(plan.n_routes, 1);
    assert_null(plan.routes[0].connect_to);
    assert_null(plan.routes[0].resolve);
    assert_string_equal(plan.url, "http://[::1]:3000/x");
    assert_false(plan.is_tls);
    pk_plan_fini(&plan);
}

static void matching_connect_to_entries_share_the_slots(void **state) {
    (void)state;
    const char *entries[] = {"example.org:80:127.0.0.1:1001", "EXAMPLE.org:80:[::1]:1002",
                             "other.org:80:127.0.0.1:1003"};
    pk_plan plan =
        plan_of(&(pk_load_options){.url = "http://example.org/", .connect_to = {entries, 3}});
    assert_int_equal(plan.n_routes, 2);
    assert_non_null(strstr(plan.routes[0].resolve, ":1001:127.0.0.1"));
    assert_non_null(strstr(plan.routes[1].resolve, ":1002:[::1]"));
    assert_non_null(strstr(plan.routes[1].connect_to, ":1002"));
    pk_plan_fini(&plan);
}

static void secrets_in_the_url_are_not_shown(void **state) {
    (void)state;
    pk_plan plan = plan_of(&(pk_load_options){.url = "http://me:s%20ecret@127.0.0.1/"});
    assert_string_equal(plan.url, "http://127.0.0.1/");
    assert_string_equal(plan.basic_auth, "me:s ecret");
    pk_plan_fini(&plan);
    plan = plan_of(&(pk_load_options){.url = "http://me@127.0.0.1/", .basic_auth = "x:y"});
    assert_string_equal(plan.url, "http://127.0.0.1/");
    assert_string_equal(plan.basic_auth, "x:y");
    pk_plan_fini(&plan);
}

static void bodies_and_methods(void **state) {
    (void)state;
    pk_plan plan = plan_of(&(pk_load_options){.url = "http://127.0.0.1/", .method = "POST"});
    assert_true(plan.sends_body);
    assert_int_equal(plan.body_bytes, 0);
    pk_plan_fini(&plan);
    plan = plan_of(&(pk_load_options){.url = "http://127.0.0.1/", .body = "abc"});
    assert_string_equal(plan.method, "GET");
    assert_true(plan.sends_body);
    assert_int_equal(plan.body_bytes, 3);
    pk_plan_fini(&plan);
    plan = plan_of(&(pk_load_options){.url = "http://127.0.0.1/", .method = "DELETE"});
    assert_false(plan.sends_body);
    pk_plan_fini(&plan);
    pk_err err = {0};
    assert_fails(
        pk_plan_init(&plan,
                     &(pk_load_options){.url = "http://127.0.0.1/", .method = "HEAD", .body = "x"},
                     &err),
        &err, PK_E_USAGE);
}

static void missing_files_are_named(void **state) {
    (void)state;
    pk_plan plan;
    const pk_load_options options[] = {
        {.url = "http://127.0.0.1/", .body_file = "/nonexistent/body"},
        {.url = "https://127.0.0.1/", .cacert = "/nonexistent/ca"},
        {.url = "https://127.0.0.1/", .cert = "/nonexistent/cert"},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        pk_err err = {0};
        assert_false(pk_plan_init(&plan, &options[i], &err));
        assert_int_equal(err.kind, PK_E_SYS);
        assert_non_null(strstr(err.where, "/nonexistent/"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_peer),
        cmocka_unit_test(single_options_become_headers),
        cmocka_unit_test(a_header_replaces_defaults_but_not_its_twin),
        cmocka_unit_test(headers_that_would_split_the_request_are_refused),
        cmocka_unit_test(urls),
        cmocka_unit_test(connect_to_has_four_parts),
        cmocka_unit_test(an_address_needs_no_look_up),
        cmocka_unit_test(matching_connect_to_entries_share_the_slots),
        cmocka_unit_test(secrets_in_the_url_are_not_shown),
        cmocka_unit_test(bodies_and_methods),
        cmocka_unit_test(missing_files_are_named),
    };
    return cmocka_run_group_tests_name("load/plan", tests, NULL, NULL);
}

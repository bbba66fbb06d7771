#include "check.h"

#include "load/plan.h"
#include "load/proxy.h"

static void a_url_comes_apart(void **state) {
    (void)state;
    const struct {
        const char *url, *shown, *host, *port, *user, *password;
        bool is_tls;
    } cases[] = {
        {"http://proxy:3128", "http://proxy:3128", "proxy", "3128", NULL, NULL, false},
        {"http://proxy/", "http://proxy:80", "proxy", "80", NULL, NULL, false},
        {"HTTPS://proxy", "https://proxy:443", "proxy", "443", NULL, NULL, true},
        {"http://[::1]:8080", "http://[::1]:8080", "::1", "8080", NULL, NULL, false},
        {"http://jo:s%40f%3Ae@10.0.0.1:1", "http://10.0.0.1:1", "10.0.0.1", "1", "jo", "s@f:e",
         false},
        {"http://jo@p:1", "http://p:1", "p", "1", "jo", NULL, false},
    };
    pk_arena *arena = pk_arena_new(1u << 16);
    assert_non_null(arena);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pk_proxy p;
        pk_err err = {0};
        assert_ok(pk_proxy_parse(cases[i].url, arena, &p, &err), &err);
        assert_string_equal(p.url, cases[i].shown);
        assert_string_equal(p.host, cases[i].host);
        assert_string_equal(p.port, cases[i].port);
        assert_int_equal(p.user != NULL, cases[i].user != NULL);
        assert_int_equal(p.password != NULL, cases[i].password != NULL);
        if (p.user) assert_string_equal(p.user, cases[i].user);
        if (p.password) assert_string_equal(p.password, cases[i].password);
        assert_int_equal(p.is_tls, cases[i].is_tls);
    }
    pk_arena_free(arena);
}

static void what_is_no_proxy_is_refused_without_repeating_it(void **state) {
    (void)state;
    const char *const bad[] = {"",
                               "hush:3128",
                               "ftp://hush:1",
                               "socks5://hush:1080",
                               "http://",
                               "http://hush:99999",
                               "http://u:hush@p/x",
                               "http://u:hush@p?x",
                               "http://u:hush@p/#x",
                               "http://hu sh/"};
    pk_arena *arena = pk_arena_new(1u << 16);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        pk_err err = {0};
        pk_proxy p = {.port = "untouched"};
        assert_fails(pk_proxy_parse(bad[i], arena, &p, &err), &err, PK_E_USAGE);
        assert_null(strstr(err.what, "hush"));
        assert_null(strstr(err.fix, "hush"));
        assert_string_equal(p.port, "untouched");
        memset(&err, 0, sizeof err);
        assert_fails(pk_load_check_proxy(bad[i], &err), &err, PK_E_USAGE);
    }
    pk_arena_free(arena);
}

static pk_plan plan_of(const pk_load_options *o) {
    pk_plan plan;
    pk_err err = {0};
    assert_ok(pk_plan_init(&plan, o, &err), &err);
    return plan;
}

/* Names that are in no DNS: nobody may look the target up but the proxy. */
static void the_target_is_the_proxys_to_find(void **state) {
    (void)state;
    pk_plan plan = plan_of(
        &(pk_load_options){.url = "http://name.invalid/x", .proxy = "http://u:p@127.0.0.1:3128"});
    assert_true(plan.has_proxy);
    assert_false(plan.is_tunnelled);
    assert_int_equal(plan.n_routes, 1);
    assert_string_equal(plan.routes[0].proxy, "http://127.0.0.1:3128");
    assert_null(plan.routes[0].resolve);
    assert_null(plan.routes[0].connect_to);
    pk_plan_fini(&plan);
    plan = plan_of(
        &(pk_load_options){.url = "https://name.invalid/x", .proxy = "http://127.0.0.1:3128"});
    assert_true(plan.is_tunnelled);
    pk_plan_fini(&plan);
}

static void connect_to_moves_the_proxy_and_opens_tunnels(void **state) {
    (void)state;
    const char *entries[] = {"p.invalid:3128:127.0.0.1:1001", "p.invalid:3128:127.0.0.1:1002",
                             "name.invalid:80:a.invalid:81",  "name.invalid:80:[::1]:82",
                             "name.invalid:80:b.invalid:83",  "other:80:c:84"};
    pk_plan plan = plan_of(&(pk_load_options){.url = "http://name.invalid/x",
                                              .proxy = "http://p.invalid:3128",
                                              .connect_to = {entries, 6}});
    static const char *const tunnels[] = {"::a.invalid:81", "::[::1]:82", "::b.invalid:83"};
    assert_true(plan.is_tunnelled);
    assert_int_equal(plan.n_routes, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_string_equal(plan.routes[i].connect_to, tunnels[i / 2]);
        assert_non_null(strstr(plan.routes[i].proxy, i % 2 ? ":1002" : ":1001"));
        assert_non_null(
            strstr(plan.routes[i].resolve, i % 2 ? ":1002:127.0.0.1" : ":1001:127.0.0.1"));
        /* the name that stands for the address is that of the proxy's URL */
        size_t name = strcspn(plan.routes[i].resolve, ":");
        assert_memory_equal(plan.routes[i].proxy + strlen("http://"), plan.routes[i].resolve, name);
    }
    assert_string_equal(plan.proxy.url, "http://p.invalid:3128");
    pk_plan_fini(&plan);
}

static void a_tls_proxy_keeps_its_name_for_its_certificate(void **state) {
    (void)state;
    const char *entries[] = {"p.invalid:443:127.0.0.1:1001", "p.invalid:443:127.0.0.1:1002"};
    pk_plan plan = plan_of(&(pk_load_options){
        .url = "http://name.invalid/x", .proxy = "https://p.invalid", .connect_to = {entries, 2}});
    assert_int_equal(plan.n_routes, 1);
    assert_string_equal(plan.routes[0].proxy, "https://p.invalid:1001");
    assert_string_equal(plan.routes[0].resolve, "p.invalid:1001:127.0.0.1");
    pk_plan_fini(&plan);
}

static void headers_for_the_proxy_are_checked_and_complete(void **state) {
    (void)state;
    const char *lines[] = {"X-One: 1", "X-Empty:"};
    const char *own[] = {"proxy-connection: close"};
    const char *bad[] = {"X: 1\r\nY: 2"};
    pk_load_options o = {
        .url = "http://127.0.0.1/", .proxy = "http://127.0.0.1:1", .proxy_headers = {lines, 2}};
    pk_plan plan = plan_of(&o);
    assert_int_equal(plan.n_proxy_headers, 3);
    assert_string_equal(plan.proxy_headers[0], "X-One: 1");
    assert_string_equal(plan.proxy_headers[1], "X-Empty;"); /* libcurl's way of an empty value */
    assert_string_equal(plan.proxy_headers[2], "Proxy-Connection:"); /* .. and of none at all */
    pk_plan_fini(&plan);
    o.proxy_headers = (pk_text_list){own, 1};
    plan = plan_of(&o);
    assert_int_equal(plan.n_proxy_headers, 1);
    pk_plan_fini(&plan);
    o.proxy_headers = (pk_text_list){bad, 1};
    pk_err err = {0};
    assert_fails(pk_plan_init(&plan, &o, &err), &err, PK_E_USAGE);
    o.proxy_headers.count = 0;
    o.unix_socket = "s";
    memset(&err, 0, sizeof err);
    assert_fails(pk_plan_init(&plan, &o, &err), &err, PK_E_USAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_comes_apart),
        cmocka_unit_test(what_is_no_proxy_is_refused_without_repeating_it),
        cmocka_unit_test(the_target_is_the_proxys_to_find),
        cmocka_unit_test(connect_to_moves_the_proxy_and_opens_tunnels),
        cmocka_unit_test(a_tls_proxy_keeps_its_name_for_its_certificate),
        cmocka_unit_test(headers_for_the_proxy_are_checked_and_complete),
    };
    return cmocka_run_group_tests_name("load/proxy", tests, NULL, NULL);
}

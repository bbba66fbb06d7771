#include "check.h"

#include "bench/select.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define LIST(...)                                           \
    ((pk_text_list){.items = (const char *[]){__VA_ARGS__}, \
                    .count = sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)})

static const pk_worker_offer suite[] = {
    {.group = "fib",
     .function = "recursive",
     .params = "20",
     .has_bounds = true,
     .param_max = 40,
     .bounds_reason = "it would take hours"},
    {.group = "fib", .function = "lookup", .params = "20", .has_bounds = true, .param_max = 93},
    {.group = "sort", .function = "quick", .params = "sorted,random"},
    {.group = "copy"},
};
static const pk_worker_offer more[] = {
    {.group = "fib", .function = "lookup", .params = "20"},
    {.group = "hash", .function = "crc"},
};
static const pk_bench_offers objects[] = {{"built-in", suite, COUNT(suite), false},
                                          {"./more.so", more, COUNT(more), false}};

typedef struct selected {
    pk_arena *arena;
    pk_bench_case *cases;
    size_t n;
    char ids[1024]; /* with a blank behind each */
} selected;

static int begin(void **state) {
    static selected s;
    s = (selected){.arena = pk_arena_new(16u << 20)};
    *state = &s;
    return 0;
}

static int end(void **state) {
    selected *s = *state;
    pk_arena_free(s->arena);
    return 0;
}

static bool try_select_of(selected *s, pk_bench_options options, size_t n_objects,
                          const pk_bench_offers of[], pk_err *err) {
    memset(err, 0, sizeof *err);
    if (!pk_bench_select(&options, n_objects, of, s->arena, &s->cases, &s->n, err)) return false;
    s->ids[0] = '\0';
    for (size_t i = 0, at = 0; i < s->n; i++)
        at += (size_t)snprintf(s->ids + at, sizeof s->ids - at, "%s ", s->cases[i].id);
    return true;
}

static bool try_select(selected *s, pk_bench_options options, size_t n_objects, pk_err *err) {
    return try_select_of(s, options, n_objects, objects, err);
}

#define assert_selects(options, expected)                           \
    do {                                                            \
        pk_err e_;                                                  \
        assert_ok(try_select(*state, (options), 1, &e_), &e_);      \
        assert_string_equal(((selected *)*state)->ids, (expected)); \
    } while (0)
#define assert_refuses(options, n_objects, part)                                        \
    do {                                                                                \
        pk_err e_;                                                                      \
        char line_[PK_ERR_LINE_MAX];                                                    \
        assert_fails(try_select(*state, (options), (n_objects), &e_), &e_, PK_E_USAGE); \
        pk_err_format(&e_, line_, sizeof line_);                                        \
        if (!strstr(line_, (part))) fail_msg("'%s' is not in '%s'", (part), line_);     \
    } while (0)

static void an_own_single_parameter_is_no_part_of_the_id(void **state) {
    assert_selects((pk_bench_options){0},
                   "fib/recursive fib/lookup sort/quick/sorted sort/quick/random copy ");
    selected *s = *state;
    assert_string_equal(s->cases[0].param, "20");
    assert_null(s->cases[0].value);
    assert_string_equal(s->cases[2].value, "sorted");
    assert_false(s->cases[2].value_is_number);
    assert_null(s->cases[4].param);
    assert_null(s->cases[4].function);
    assert_int_equal(s->cases[3].index, 2);
}

static void a_given_parameter_is(void **state) {
    const pk_bench_options options = {.param = "10:30:10", .filters = LIST("lookup", "copy")};
    assert_selects(options, "fib/lookup/10 fib/lookup/20 fib/lookup/30 copy ");
    const selected *s = *state;
    assert_true(s->cases[1].value_is_number);
    assert_near(s->cases[1].value_number, 20, 0);
    assert_string_equal(s->cases[1].param, "20");
    assert_selects(((pk_bench_options){.param = "5", .filters = LIST("fib")}),
                   "fib/recursive/5 fib/lookup/5 ");
}

static void any_filter_selects_and_any_skip_leaves_out(void **state) {
    assert_selects(((pk_bench_options){.filters = LIST("^fib", "y$")}),
                   "fib/recursive fib/lookup copy ");
    assert_selects(((pk_bench_options){.filters = LIST("(recurs|look)")}),
                   "fib/recursive fib/lookup ");
    assert_selects(((pk_bench_options){.skips = LIST("sort", "^c")}), "fib/recursive fib/lookup ");
    assert_selects(((pk_bench_options){.filters = LIST("fib"), .skips = LIST("look")}),
                   "fib/recursive ");
}

static void exact_means_whole_ids(void **state) {
    assert_selects(((pk_bench_options){.filters = LIST("fib/lookup"), .exact = true}),
                   "fib/lookup ");
    assert_selects(((pk_bench_options){.skips = LIST("fib/lookup", "sort", "copy"), .exact = true}),
                   "fib/recursive sort/quick/sorted sort/quick/random ");
    assert_refuses(((pk_bench_options){.filters = LIST("fib"), .exact = true}), 1, "no benchmark");
    /* No regular expressions then. */
    assert_refuses(((pk_bench_options){.filters = LIST("fib/l(o)*kup"), .exact = true}), 1,
                   "no benchmark");
}

static void what_matches_nothing_is_an_error_that_suggests(void **state) {
    assert_refuses(((pk_bench_options){.filters = LIST("recursvie")}), 1,
                   "did you mean 'recursive'?");
    assert_refuses(((pk_bench_options){.filters = LIST("fib/lokup")}), 1,
                   "did you mean 'fib/lookup'?");
    assert_refuses(((pk_bench_options){.filters = LIST("nothing-like-it")}), 1, "--list");
    assert_refuses(((pk_bench_options){.skips = LIST(".")}), 1, "--skip: it leaves no benchmark");
    assert_refuses(((pk_bench_options){.filters = LIST("a(")}), 1, "a(: it is no regular");
}

/* more.so is named, the suite is beside it. */
static void a_filter_can_mean_the_suite_beside_named_objects(void **state) {
    static const pk_bench_offers mixed[] = {{"./more.so", &more[1], 1, false},
                                            {"built-in", suite, COUNT(suite), true}};
    static const struct {
        const char *filters[2], *ids;
    } cases[] = {
        {{NULL}, "hash/crc "},
        {{"fib"}, "hash/crc fib/recursive fib/lookup "},
        {{"fib/lookup"}, "hash/crc fib/lookup "},
        {{"crc"}, "hash/crc "},
        {{"fib/lookup", "crc"}, "hash/crc fib/lookup "},
        {{"fib/lookup", "quick"}, "fib/lookup "},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t n = cases[i].filters[0] ? cases[i].filters[1] ? 2 : 1 : 0;
        const char *filters[2] = {cases[i].filters[0], cases[i].filters[1]};
        pk_bench_options options = {.filters = {filters, n}};
        pk_err err;
        assert_ok(try_select_of(*state, options, 2, mixed, &err), &err);
        assert_string_equal(((selected *)*state)->ids, cases[i].ids);
    }
    pk_err err;
    pk_bench_options options = {.filters = LIST("lookup")}; /* no group: what is named is meant */
    assert_fails(try_select_of(*state, options, 2, mixed, &err), &err, PK_E_USAGE);
}

static void bounds_are_named(void **state) {
    assert_refuses(((pk_bench_options){.param = "94", .filters = LIST("lookup")}), 1,
                   "--param: fib/lookup takes 0 to 93, not 94");
    assert_refuses(((pk_bench_options){.param = "-1", .filters = LIST("lookup")}), 1, "not -1");
    assert_refuses(((pk_bench_options){.param = "1.5", .filters = LIST("lookup")}), 1,
                   "takes a whole number from 0 to 93, not 1.5");
    assert_refuses(((pk_bench_options){.param = "41"}), 1, "it would take hours");
    /* What is not selected is not checked. */
    assert_selects(((pk_bench_options){.param = "93", .filters = LIST("lookup")}),
                   "fib/lookup/93 ");
    assert_selects(((pk_bench_options){.param = "0", .filters = LIST("lookup")}), "fib/lookup/0 ");
}

static void an_id_can_be_there_once(void **state) {
    assert_refuses((pk_bench_options){0}, 2, "./more.so: fib/lookup is also in built-in");
    assert_refuses(((pk_bench_options){.param = "20,20", .filters = LIST("lookup")}), 1,
                   "--param: fib/lookup/20 is there twice");
    pk_err err;
    assert_ok(try_select(*state, (pk_bench_options){.skips = LIST("lookup")}, 2, &err), &err);
    selected *s = *state;
    assert_string_equal(s->ids, "fib/recursive sort/quick/sorted sort/quick/random copy hash/crc ");
    assert_int_equal(s->cases[4].object, 1);
    assert_int_equal(s->cases[4].index, 1);
}

static void a_parameter_that_nobody_takes_is_an_error(void **state) {
    assert_refuses(((pk_bench_options){.param = "5", .filters = LIST("copy")}), 1,
                   "none of the selected benchmarks takes a parameter");
}

static void parameters_are_lists_and_ranges(void **state) {
    static const struct {
        const char *text, *values;
    } good[] = {
        {"20", "20 "},
        {"10,20,30", "10 20 30 "},
        {"10:30:5", "10 15 20 25 30 "},
        {"10:14:3", "10 13 "},
        {"1:3", "1 2 3 "},
        {"-2:2:2", "-2 0 2 "},
        {"7:7", "7 "},
        {"1:3,10,a b", "1 2 3 10 a b "},
        {"9223372036854775806:9223372036854775807:5", "9223372036854775806 "},
    };
    selected *s = *state;
    for (size_t i = 0; i < COUNT(good); i++) {
        const char *const *values;
        size_t n;
        pk_err err = {0};
        char text[256] = "";
        assert_ok(pk_bench_params(good[i].text, s->arena, &values, &n, &err), &err);
        for (size_t j = 0, at = 0; j < n; j++)
            at += (size_t)snprintf(text + at, sizeof text - at, "%s ", values[j]);
        assert_string_equal(text, good[i].values);
    }
    static const char *const bad[] = {"",      ",",     "1,,2",  "1,",       "1:",      ":3",
                                      "3:1",   "1:3:0", "1:3:",  "1:3:-1",   "1:3:1:1", "a:b",
                                      "1:2.5", "0:1e9", "1:3:x", "0:9999999"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        const char *const *values = NULL;
        size_t n = 77;
        pk_err err = {0};
        assert_fails(pk_bench_params(bad[i], s->arena, &values, &n, &err), &err, PK_E_USAGE);
        assert_null(values);
        assert_int_equal(n, 77);
    }
    assert_refuses((pk_bench_options){.param = "3:1"}, 1, "--param: \"3:1\" is no range");
}

static void an_empty_object_is_an_error(void **state) {
    selected *s = *state;
    const pk_bench_offers none = {"./empty.so", NULL, 0, false};
    const pk_bench_options options = {0};
    pk_err err = {0};
    assert_fails(pk_bench_select(&options, 1, &none, s->arena, &s->cases, &s->n, &err), &err,
                 PK_E_INPUT);
    assert_string_equal(err.where, "./empty.so");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_own_single_parameter_is_no_part_of_the_id),
        TEST(a_given_parameter_is),
        TEST(any_filter_selects_and_any_skip_leaves_out),
        TEST(exact_means_whole_ids),
        TEST(what_matches_nothing_is_an_error_that_suggests),
        TEST(a_filter_can_mean_the_suite_beside_named_objects),
        TEST(bounds_are_named),
        TEST(an_id_can_be_there_once),
        TEST(a_parameter_that_nobody_takes_is_an_error),
        TEST(parameters_are_lists_and_ranges),
        TEST(an_empty_object_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

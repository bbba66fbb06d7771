/* Stacks turned round, cut, left out, folded and renamed. */
#include "profile_sample.h"

#include "profile/reshape.h"

static const char *list[4];

static pk_text_list texts(const char *a, const char *b) {
    list[0] = a;
    list[1] = b;
    return (pk_text_list){list, b ? 2 : 1};
}

static void assert_reshaped(const char *folded, const pk_reshape *reshape, const char *expected) {
    pk_profile p = profile_of(folded);
    pk_err err = {0};
    pk_strbuf out;
    pk_strbuf_init(&out, 1 << 20);
    assert_true(pk_reshape_any(reshape));
    assert_ok(pk_reshape_profile(&p, reshape, &err), &err);
    assert_ok(pk_folded_write(&p.tree, &out, &err), &err);
    assert_string_equal(out.data, expected);
    pk_strbuf_fini(&out);
    pk_profile_fini(&p);
}

static void reversed_stacks_begin_with_their_leaf(void **state) {
    (void)state;
    const pk_reshape r = {.reverse = true};
    assert_reshaped("main;a;x 1\nmain;b;x 2\nmain;x 4\nmain 8\n", &r,
                    "main 8\nx;a;main 1\nx;b;main 2\nx;main 4\n");
    assert_false(pk_reshape_any(&(pk_reshape){0}));
}

/* inferno-flamegraph --base: the innermost of the names, and what is below. */
static void a_base_cuts_what_is_above_its_innermost_call(void **state) {
    (void)state;
    pk_reshape r = {.bases = texts("f", NULL)};
    assert_reshaped("m;f;a 1\nm;f;g;f;b 2\nm;n 4\nf 8\nm;ff 16\n", &r, "f 8\nf;a 1\nf;b 2\n");
    r.bases = texts("f", "g");
    assert_reshaped("m;f;a 1\nm;f;g;b 2\nm;g;f 4\n", &r, "f 4\nf;a 1\ng;b 2\n");
    r.reverse = true; /* cut first, then turned */
    assert_reshaped("m;f;a;b 1\n", &r, "b;a;f 1\n");
}

static void stacks_are_kept_or_dropped_by_expressions(void **state) {
    (void)state;
    pk_reshape r = {.keep = texts("^a", "z$")};
    assert_reshaped("m;ab 1\nm;ba 2\nm;xz;q 4\n", &r, "m;ab 1\nm;xz;q 4\n");
    r = (pk_reshape){.drop = texts("idle|poll", NULL)};
    assert_reshaped("m;epoll_wait 1\nm;cpu_idle;x 2\nm;work 4\n", &r, "m;work 4\n");
}

static void a_wrong_expression_is_said_to_be_one(void **state) {
    (void)state;
    pk_profile p = profile_of("m;a 1\n");
    pk_reshape r = {.keep = texts("a(", NULL)};
    pk_err err = {0};
    assert_fails(pk_reshape_profile(&p, &r, &err), &err, PK_E_USAGE);
    assert_non_null(strstr(err.what, "a("));
    assert_int_equal(p.tree.nodes.count, 3);
    pk_profile_fini(&p);
}

static void recursion_is_folded(void **state) {
    (void)state;
    const pk_reshape r = {.fold_recursion = true};
    assert_reshaped("m;f;f;f;g 1\n", &r, "m;f;g 1\n");
    assert_reshaped("m;f;g;f;g;f 1\n", &r, "m;f;g;f 1\n");
    assert_reshaped("a;b;c;d;e;f;g;h;a;b;c;d;e;f;g;h;x 1\n", &r, "a;b;c;d;e;f;g;h;x 1\n");
    /* One function more than is looked for. */
    assert_reshaped("a;b;c;d;e;f;g;h;i;a;b;c;d;e;f;g;h;i 1\n", &r,
                    "a;b;c;d;e;f;g;h;i;a;b;c;d;e;f;g;h;i 1\n");
    assert_reshaped("f;f 1\nf 2\nf;g;g 4\nf;g 8\n", &r, "f 3\nf;g 12\n");
}

static void names_lose_what_the_compiler_put_behind(void **state) {
    (void)state;
    const pk_reshape r = {.strip_suffixes = true};
    assert_reshaped("f.constprop.0 1\nf.isra.0 2\nf.part.12 4\nf.cold 8\nf.llvm.123456 16\nf 32\n"
                    "f.isra.0.constprop.1.cold 64\nf.lto_priv.0 128\n",
                    &r, "f 255\n");
    assert_reshaped("g(int) [clone .isra.0] 1\ng(int) [clone .constprop.0] [clone .cold] 2\n", &r,
                    "g(int) 3\n");
    /* What only looks alike stays. */
    assert_reshaped("a.b 1\nmain.go.0 2\n.cold 4\nf.cold.x 8\ng [clone 16\nlibc.so.6 32\n"
                    "colder 64\n",
                    &r,
                    ".cold 4\na.b 1\ncolder 64\nf.cold.x 8\ng [clone 16\nlibc.so.6 32\n"
                    "main.go.0 2\n");
}

static void suffixes_go_before_names_are_looked_for(void **state) {
    (void)state;
    pk_reshape r = {.strip_suffixes = true, .fold_recursion = true, .bases = texts("f", NULL)};
    assert_reshaped("m;f.isra.0;f;a 1\nm;f.cold;b 2\n", &r, "f;a 1\nf;b 2\n");
}

static void samples_follow_their_stacks(void **state) {
    (void)state;
    pk_profile p = profile_recorded();
    const pk_reshape r = {.drop = texts("^run$", NULL), .reverse = true};
    pk_err err = {0};
    static const char *const ends[] = {"burner", "burner", "burner"};
    static const uint64_t times[] = {5000000000, 5001000000, 5002000000};
    assert_ok(pk_reshape_profile(&p, &r, &err), &err);
    assert_int_equal(p.samples.count, 3);
    assert_int_equal(p.n_samples, 3);
    for (size_t i = 0; i < 3; i++) {
        const pk_profile_sample *s = &PK_AT(&p.samples, pk_profile_sample, i);
        assert_int_equal(s->time_ns, times[i]);
        assert_string_equal(pk_names_text(p.names, pk_node(&p.tree, s->node)->name, NULL), ends[i]);
    }
    const pk_stack_node *last = pk_node(&p.tree, PK_AT(&p.samples, pk_profile_sample, 2).node);
    assert_int_equal(last->depth, 4);
    assert_int_equal(last->self[0], 1000000);
    pk_profile_fini(&p);
}

static void samples_that_were_not_kept_are_what_the_weight_says(void **state) {
    (void)state;
    pk_profile p = profile_of("m;a 3000\nm;b 1000\n");
    const pk_reshape r = {.drop = texts("b", NULL)};
    pk_err err = {0};
    p.n_samples = 4;
    assert_ok(pk_reshape_profile(&p, &r, &err), &err);
    assert_int_equal(p.n_samples, 3);
    pk_profile_fini(&p);
}

static void a_chart_stays_in_order(void **state) {
    (void)state;
    pk_names *names = pk_names_new(1 << 20);
    pk_stack_tree tree, changed;
    pk_err err = {0};
    pk_folded_read read = {0};
    static const char text[] = "m;b 1\nm;a 2\nm 4\nm;b 8\nm;c 16\nm;b 32\n";
    assert_ok(pk_stack_tree_init(&tree, names, 1, true, &err), &err);
    assert_ok(pk_folded_add(&tree, text, sizeof text - 1, &read, &err), &err);
    const pk_reshape r = {.drop = texts("c", NULL)};
    assert_ok(pk_reshape_tree(&tree, &r, &changed, NULL, &err), &err);
    pk_strbuf out;
    pk_strbuf_init(&out, 1 << 20);
    assert_true(changed.in_order);
    assert_ok(pk_folded_write(&changed, &out, &err), &err);
    assert_string_equal(out.data, "m;b 1\nm;a 2\nm 4\nm;b 40\n");
    pk_strbuf_fini(&out);
    pk_stack_tree_fini(&tree);
    pk_stack_tree_fini(&changed);
    pk_names_free(names);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reversed_stacks_begin_with_their_leaf),
        cmocka_unit_test(a_base_cuts_what_is_above_its_innermost_call),
        cmocka_unit_test(stacks_are_kept_or_dropped_by_expressions),
        cmocka_unit_test(a_wrong_expression_is_said_to_be_one),
        cmocka_unit_test(recursion_is_folded),
        cmocka_unit_test(names_lose_what_the_compiler_put_behind),
        cmocka_unit_test(suffixes_go_before_names_are_looked_for),
        cmocka_unit_test(samples_follow_their_stacks),
        cmocka_unit_test(samples_that_were_not_kept_are_what_the_weight_says),
        cmocka_unit_test(a_chart_stays_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

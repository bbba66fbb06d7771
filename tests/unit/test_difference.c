/* Two profiles against each other. The folded texts are what inferno-diff-folded 0.12.8 makes of
 * the same input, sorted. */
#include "profile_sample.h"

#include "check_golden.h"
#include "profile/difference.h"

typedef struct fixture {
    pk_profile before, after;
    pk_names *names;
    pk_stack_tree tree;
    pk_side sides[2];
} fixture;

static fixture begin(const char *before, const char *after, pk_difference_options options) {
    fixture f = {.before = profile_of(before), .after = profile_of(after)};
    pk_err err = {0};
    f.names = pk_names_new(16 << 20);
    assert_non_null(f.names);
    assert_ok(pk_difference(&f.before.tree, &f.after.tree, &options, f.names, &f.tree, &err), &err);
    pk_stack_tree_sum(&f.tree);
    f.sides[0] = (pk_side){.name = "a.folded", .samples = f.before.n_samples, .unit = "samples"};
    f.sides[1] = (pk_side){.name = "b.folded", .samples = f.after.n_samples, .unit = "samples"};
    return f;
}

static void end(fixture *f) {
    pk_stack_tree_fini(&f->tree);
    pk_names_free(f->names);
    pk_profile_fini(&f->before);
    pk_profile_fini(&f->after);
}

static void assert_folded(const char *before, const char *after, pk_difference_options options,
                          const char *expected) {
    fixture f = begin(before, after, options);
    pk_err err = {0};
    pk_strbuf out;
    pk_strbuf_init(&out, 1 << 20);
    assert_ok(pk_folded_write(&f.tree, &out, &err), &err);
    assert_string_equal(out.data, expected);
    pk_strbuf_fini(&out);
    end(&f);
}

static void stacks_have_the_weights_of_both(void **state) {
    (void)state;
    assert_folded("main;a 3\nmain;c 2\nmain;c 1\n", "main;b 3\nmain;c 3\n",
                  (pk_difference_options){0}, "main;a 3 0\nmain;b 0 3\nmain;c 3 3\n");
}

static void the_first_is_scaled_to_the_second_and_cut(void **state) {
    (void)state;
    const pk_difference_options n = {.normalise = true};
    assert_folded("a 1\nb 2\nc 3\n", "a 7\nb 1\n", n, "a 1 7\nb 2 1\nc 4 0\n");
    assert_folded("a 3\nb 1\nc 3\n", "a 7\nb 3\n", n, "a 4 7\nb 1 3\nc 4 0\n");
    assert_folded("a 3\n", "a 3\nb 0\n", n, "a 3 3\n");
    assert_folded("", "a 3\n", n, "a 0 3\n");
}

static void addresses_are_stripped(void **state) {
    (void)state;
    static const char text[] = "a 0x;b 1\n0xg;b 1\nm0x1fg;0x12 0x3;b 1\n0X1F;b 1\n0x0x1;b 1\n"
                               "00x1F;b 1\n0xABC_0x12;x 3\n0xABD_0x13;x 4\ny 7\n";
    assert_folded(text, text, (pk_difference_options){.strip_hex = true},
                  "00x...;b 1 1\n0X1F;b 1 1\n0x..._0x...;x 7 7\n0x...x1;b 1 1\n0xg;b 1 1\n"
                  "a 0x;b 1 1\nm0x...g;0x... 0x...;b 1 1\ny 7 7\n");
}

static const pk_function_change *find(const fixture *f, const pk_array *changes, const char *name) {
    for (size_t i = 0; i < changes->count; i++) {
        const pk_function_change *c = &PK_AT(changes, pk_function_change, i);
        if (strcmp(pk_names_text(f->names, c->name, NULL), name) == 0) return c;
    }
    fail_msg("no function %s", name);
    return NULL;
}

/* Errors and p as in test_shares. */
static void shares_change_in_points_with_their_errors(void **state) {
    (void)state;
    fixture f = begin("main;hot 70\nmain;cold 30\n", "main;hot 50\nmain;cold 42\nmain;new 8\n",
                      (pk_difference_options){0});
    pk_array changes = PK_ARRAY(pk_function_change, 1);
    pk_err err = {0};
    assert_ok(pk_difference_functions(&f.tree, f.sides, PK_BY_SELF, 0.05, &changes, &err), &err);
    assert_int_equal(changes.count, 4);
    const pk_function_change *hot = find(&f, &changes, "hot"), *new = find(&f, &changes, "new"),
                             *cold = find(&f, &changes, "cold"), *all = find(&f, &changes, "main");
    assert_ptr_equal(hot, &PK_AT(&changes, pk_function_change, 0));
    assert_ptr_equal(cold, &PK_AT(&changes, pk_function_change, 1));
    assert_near(hot->self_share.before, 0.7, 1e-12);
    assert_near(hot->self_share.after, 0.5, 1e-12);
    assert_near(hot->self_share.change, -0.2, 1e-12);
    assert_near(hot->self_share.error, 0.06726835697781616, 1e-9);
    assert_near(hot->self_share.p, 0.005937341166015534, 1e-9);
    assert_near(new->self_share.p, 0.00675467457524821, 1e-9);
    assert_near(all->total_share.change, 0, 0);
    assert_int_equal(all->total[1], 100);
    /* Of four: the smallest p below 0.05 / 4, the next below 0.05 / 3. */
    assert_true(hot->significant && new->significant);
    assert_false(cold->significant || all->significant);
    assert_ok(pk_difference_functions(&f.tree, f.sides, PK_BY_SELF, 0.02, &changes, &err), &err);
    assert_false(find(&f, &changes, "hot")->significant); /* 0.0059 > 0.02 / 4 */
    pk_array_fini(&changes);
    end(&f);
}

/* Weights of 1 ms each are as many samples as there are, not as many as there are ns. */
static void samples_carry_the_certainty(void **state) {
    (void)state;
    const uint64_t part[2] = {70000000, 50000000}, all[2] = {100000000, 100000000};
    pk_share_change c = pk_share_change_of(part, all, (uint64_t[2]){100, 100});
    assert_near(c.p, 0.005937341166015534, 1e-9);
    c = pk_share_change_of(part, all, (uint64_t[2]){100, 0});
    assert_near(c.change, -0.2, 1e-12);
    assert_near(c.error, NAN, 0);
    assert_near(c.p, NAN, 0);
    c = pk_share_change_of(part, (uint64_t[2]){100000000, 0}, (uint64_t[2]){100, 100});
    assert_near(c.change, NAN, 0);
}

static char *text_of(fixture *f, const pk_difference_view *view) {
    char *text;
    size_t bytes;
    pk_err err = {0};
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    assert_ok(pk_difference_text(out, &f->tree, f->sides, view, &err), &err);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void the_table_says_what_may_be_chance(void **state) {
    (void)state;
    fixture f = begin("main;hot 70\nmain;cold 30\n", "main;hot 50\nmain;cold 42\nmain;new 8\n",
                      (pk_difference_options){0});
    pk_difference_view view = {.rows = 3, .order = PK_BY_SELF, .alpha = 0.05};
    char *text = text_of(&f, &view);
    assert_string_equal(text,
                        "before  a.folded: 100 samples\n"
                        "after   b.folded: 100 samples\n"
                        "self before           after               self points     total points    "
                        "             function\n"
                        "         70  70.00 %     50  50.00 %  -20.00 +- 13.18  -20.00 +- 13.18  "
                        "less           hot\n"
                        "         30  30.00 %     42  42.00 %  +12.00 +- 13.10  +12.00 +- 13.10  "
                        "may be chance  cold\n"
                        "          0   0.00 %      8   8.00 %    +8.00 +- 5.83    +8.00 +- 5.83  "
                        "more           new\n"
                        "and 1 more function\n");
    free(text);
    /* Times, and samples of which nothing is known. */
    for (int i = 0; i < 2; i++) {
        f.sides[i].weight_is_time = true;
        f.sides[i].unit = "ns";
    }
    f.sides[0].samples = 0;
    f.sides[1].samples = 10;
    f.sides[1].duration_ns = 2000000000;
    view = (pk_difference_view){.rows = 1, .order = PK_BY_TOTAL, .alpha = 0.05};
    text = text_of(&f, &view);
    assert_string_equal(
        text, "before  a.folded: 100 ns, how many samples that is is not known\n"
              "after   b.folded: 100 ns, 10 samples, recorded for 2 s\n"
              "total before ns           after ns           total points  self points    "
              " function\n"
              "             70  70.00 %        50  50.00 %        -20.00       -20.00  -  "
              "hot\n"
              "and 3 more functions\n");
    free(text);
    end(&f);
}

static void the_document_has_all_figures(void **state) {
    (void)state;
    fixture f = begin("main;hot 70\nmain;cold 30\n", "main;hot 50\nmain;cold 42\nmain;new 8\n",
                      (pk_difference_options){0});
    const pk_difference_view view = {.rows = 2, .order = PK_BY_SELF, .alpha = 0.05};
    char *text;
    size_t bytes;
    pk_err err = {0};
    f.sides[1].samples = 0;
    FILE *out = open_memstream(&text, &bytes);
    pk_json *document = pk_difference_json(&f.tree, f.sides, &view, &err);
    assert_non_null(document);
    assert_ok(pk_json_write(out, document, &err), &err);
    pk_json_free(document);
    assert_int_equal(fclose(out), 0);
    assert_golden("flame_compare.json", text);
    end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stacks_have_the_weights_of_both),
        cmocka_unit_test(the_first_is_scaled_to_the_second_and_cut),
        cmocka_unit_test(addresses_are_stripped),
        cmocka_unit_test(shares_change_in_points_with_their_errors),
        cmocka_unit_test(samples_carry_the_certainty),
        cmocka_unit_test(the_table_says_what_may_be_chance),
        cmocka_unit_test(the_document_has_all_figures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

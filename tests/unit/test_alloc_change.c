/* Two results against each other, and which leaks are allowed. */
#include "alloc_sample.h"

#include "alloc/change.h"
#include "alloc/suppress.h"
#include "check_golden.h"

/* As alloc_known, with 200 calls more from f, none from the template, and a leak more. */
static void alloc_later(pk_alloc_result *r) {
    alloc_known(r);
    pk_alloc_stack *stacks = r->stacks.items;
    const uint64_t more[PK_WEIGHTS] = {200, 3200, 0, 32, 0};
    for (int w = 0; w < PK_WEIGHTS; w++) {
        pk_node(&r->tree, stacks[0].node)->self[w] += more[w];
        pk_node(&r->tree, stacks[4].node)->self[w] = 0;
    }
    stacks[0].calls += 200;
    stacks[0].bytes += 3200;
    stacks[0].leaked_bytes += 32;
    stacks[4].calls = stacks[4].bytes = stacks[4].temporary = 0;
    pk_stack_tree_sum(&r->tree);
}

typedef struct pair {
    pk_alloc_result before, after;
    pk_alloc_changes changes;
} pair;

static const char *const names[2] = {"old.json", "new\x1b.json"};

static void compare(pair *p, pk_alloc_by by, pk_alloc_weight sort) {
    pk_err err = {0};
    assert_ok(pk_alloc_compare(&p->before, &p->after, names, by, sort, &p->changes, &err), &err);
}

static void pair_begin(pair *p) {
    alloc_known(&p->before);
    alloc_later(&p->after);
}

static void pair_end(pair *p) {
    pk_alloc_fini(&p->before);
    pk_alloc_fini(&p->after);
}

static const pk_alloc_change *row(const pair *p, size_t i, const char *name) {
    assert_true(i < p->changes.rows.count);
    const pk_alloc_change *c = &PK_AT(&p->changes.rows, pk_alloc_change, i);
    assert_string_equal(c->name, name);
    return c;
}

static void functions_that_changed_most_come_first(void **state) {
    (void)state;
    pair p;
    pair_begin(&p);
    compare(&p, PK_ALLOC_BY_FUNCTION, PK_WEIGHT_BYTES);
    assert_int_equal(p.changes.all[0][PK_WEIGHT_CALLS], 1550);
    assert_int_equal(p.changes.all[1][PK_WEIGHT_CALLS], 1700);
    assert_int_equal(p.changes.rows.count, 4); /* g and h are as they were */
    const pk_alloc_change *f = row(&p, 0, "f");
    assert_int_equal(f->self[0][PK_WEIGHT_CALLS], 1000);
    assert_int_equal(f->self[1][PK_WEIGHT_CALLS], 1200);
    assert_int_equal(f->self[1][PK_WEIGHT_LEAKED], 96);
    const pk_alloc_change *push = row(&p, 1, "push<</text><script>alert('1')</script>>");
    assert_int_equal(push->self[0][PK_WEIGHT_BYTES], 1600);
    assert_int_equal(push->self[1][PK_WEIGHT_BYTES], 0);
    const pk_alloc_change *main_row = row(&p, 2, "main");
    assert_int_equal(main_row->self[1][PK_WEIGHT_BYTES], 0);
    assert_int_equal(main_row->total[0][PK_WEIGHT_BYTES], 66000);
    assert_int_equal(main_row->total[1][PK_WEIGHT_BYTES], 69200);
    pk_alloc_changes_fini(&p.changes);
    pair_end(&p);
}

static void stacks_are_the_same_by_their_names(void **state) {
    (void)state;
    pair p;
    pair_begin(&p);
    compare(&p, PK_ALLOC_BY_STACK, PK_WEIGHT_TEMPORARY);
    assert_int_equal(p.changes.rows.count, 2);
    const pk_alloc_change *gone = row(&p, 0,
                                      "prog;[unknown];push<</text><script>alert('1')</script>>;"
                                      "operator new(unsigned long);malloc");
    assert_int_equal(gone->self[0][PK_WEIGHT_TEMPORARY], 50);
    assert_int_equal(gone->self[1][PK_WEIGHT_TEMPORARY], 0);
    row(&p, 1, "prog;main;f;malloc");
    pk_alloc_changes_fini(&p.changes);
    pair_end(&p);
}

static char *text_of(const pk_alloc_changes *changes, bool json) {
    char *text = NULL;
    size_t bytes;
    pk_err err = {0};
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    bool ok;
    if (json) {
        pk_json *document = pk_alloc_changes_json(changes, 1, &err);
        ok = document && pk_json_write(out, document, &err);
        pk_json_free(document);
    } else {
        ok = pk_alloc_changes_text(out, changes, &(pk_alloc_view){.rows = 3}, &err);
    }
    fclose(out);
    assert_ok(ok, &err);
    return text;
}

static void changes_as_text_and_json(void **state) {
    (void)state;
    pair p;
    pair_begin(&p);
    compare(&p, PK_ALLOC_BY_FUNCTION, PK_WEIGHT_BYTES);
    char *text = text_of(&p.changes, false);
    assert_null(strchr(text, '\x1b'));
    assert_golden("alloc_changes.txt", text);
    assert_golden("alloc_changes.json", text_of(&p.changes, true));
    pk_alloc_changes_fini(&p.changes);
    pair_end(&p);
}

static void the_same_has_no_changes(void **state) {
    (void)state;
    pair p;
    alloc_known(&p.before);
    alloc_known(&p.after);
    compare(&p, PK_ALLOC_BY_FUNCTION, PK_WEIGHT_CALLS);
    assert_int_equal(p.changes.rows.count, 0);
    char *text = text_of(&p.changes, false);
    assert_non_null(strstr(text, "Nothing has changed."));
    free(text);
    pk_alloc_changes_fini(&p.changes);
    pair_end(&p);
}

static void only_what_both_sides_know(void **state) {
    (void)state;
    pair p;
    pk_err err = {0};
    pair_begin(&p);
    p.before.live_known = false;
    assert_false(pk_alloc_compare(&p.before, &p.after, names, PK_ALLOC_BY_FUNCTION,
                                  PK_WEIGHT_LEAKED, &p.changes, &err));
    assert_int_equal(err.kind, PK_E_USAGE);
    compare(&p, PK_ALLOC_BY_FUNCTION, PK_WEIGHT_CALLS);
    char *text = text_of(&p.changes, false);
    assert_null(strstr(text, "leaked"));
    free(text);
    pk_alloc_changes_fini(&p.changes);
    pair_end(&p);
}

/* Errors of both sides: sqrt(3 * 3 + 4 * 4). */
static void errors_of_both_sides(void **state) {
    (void)state;
    pair p;
    pair_begin(&p);
    p.before.sampled = p.after.sampled = true;
    PK_AT(&p.before.stacks, pk_alloc_stack, 0).calls_error = 3;
    PK_AT(&p.after.stacks, pk_alloc_stack, 0).calls_error = 4;
    compare(&p, PK_ALLOC_BY_FUNCTION, PK_WEIGHT_CALLS);
    assert_near(row(&p, 0, "f")->calls_error, 5, 1e-12);
    char *text = text_of(&p.changes, false);
    assert_non_null(strstr(text, "\xc2\xb1 5 "));
    free(text);
    pk_alloc_changes_fini(&p.changes);
    PK_AT(&p.after.stacks, pk_alloc_stack, 0).calls_error = NAN;
    compare(&p, PK_ALLOC_BY_FUNCTION, PK_WEIGHT_CALLS);
    text = text_of(&p.changes, false);
    assert_null(strstr(text, "nan"));
    free(text);
    pk_alloc_changes_fini(&p.changes);
    pair_end(&p);
}

static void the_picture_of_a_difference(void **state) {
    (void)state;
    pair p;
    pk_err err = {0};
    pk_strbuf out;
    pair_begin(&p);
    pk_strbuf_init(&out, 1 << 20);
    assert_ok(pk_alloc_changes_flame(&p.before, &p.after, PK_WEIGHT_BYTES, "a & b", &out, &err),
              &err);
    assert_non_null(strstr(out.data, "total_samples=\"69200\""));
    assert_non_null(strstr(out.data, "a &amp; b"));
    assert_non_null(strstr(out.data, "<title>f (18.75 KiB, 27.75%; +"));
    pk_strbuf_fini(&out);
    pair_end(&p);
}

/* ---- leaks ---- */

static void patterns(void **state) {
    (void)state;
    static const struct {
        const char *pattern, *text;
        bool matches;
    } cases[] = {
        {"f", "f", true},         {"f", "off", true},
        {"^f", "off", false},     {"^f", "for", true},
        {"f$", "off", true},      {"f$", "for", false},
        {"^f$", "f", true},       {"^f$", "ff", false},
        {"a*c", "xabbcx", true},  {"^a*c$", "abcbc", true},
        {"^a*c$", "abcb", false}, {"*", "", true},
        {"", "x", true},          {"^$", "", true},
        {"^$", "x", false},       {"a*b*c", "a1b2b3c", true},
        {"^*b$", "aab", true},    {"a$b", "a$b", true},
        {"aab", "aaab", true},    {"^ab*ab$", "abab", true},
        {"^ab*ab$", "ab", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool matches = pk_alloc_pattern_matches(cases[i].pattern, cases[i].text);
        if (matches != cases[i].matches)
            print_error("\"%s\" in \"%s\"\n", cases[i].pattern, cases[i].text);
        assert_int_equal(matches, cases[i].matches);
    }
}

static pk_alloc_leaks judged(const char *suppressions, uint64_t limit) {
    pk_alloc_result r;
    pk_err err = {0};
    alloc_known(&r);
    pk_alloc_suppressions *all =
        pk_alloc_suppressions_read("s", suppressions, strlen(suppressions), &err);
    assert_ok(all != NULL, &err);
    pk_alloc_leaks leaks = pk_alloc_judge_leaks(&r, all, limit);
    pk_alloc_suppressions_free(all);
    pk_alloc_fini(&r);
    return leaks;
}

static void leaks_are_judged_without_those_suppressed(void **state) {
    (void)state;
    pk_alloc_leaks all = judged("# nothing\n\n", 5063);
    assert_true(all.known && all.failed);
    assert_int_equal(all.bytes, 5064);
    assert_int_equal(all.calls, 54);
    assert_false(judged("", 5064).failed);
    pk_alloc_leaks h = judged("  leak:^h$  \r\n", 64);
    assert_false(h.failed);
    assert_int_equal(h.bytes, 64);
    assert_int_equal(h.suppressed_bytes, 5000);
    assert_int_equal(h.suppressed_calls, 50);
    assert_true(judged("leak:h\n", 63).failed);
    assert_int_equal(judged("leak:^prog$", 0).bytes, 0); /* the file's name; not the program's */
    assert_int_equal(judged("leak:nowhere\nleak:f", 0).bytes, 5000);
}

static void leaks_that_are_not_known_do_not_fail(void **state) {
    (void)state;
    pk_alloc_result r;
    alloc_known(&r);
    r.live_known = false;
    pk_alloc_leaks leaks = pk_alloc_judge_leaks(&r, NULL, 0);
    assert_false(leaks.known);
    assert_false(leaks.failed);
    r.live_known = true;
    assert_true(pk_alloc_judge_leaks(&r, NULL, 0).failed);
    pk_alloc_fini(&r);
}

static void suppressions_that_are_none(void **state) {
    (void)state;
    static const char *const wrong[] = {"leak:a\nrace:b\n", "leak:", "f", "leak: \n"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        pk_err err = {0};
        assert_null(pk_alloc_suppressions_read("x.supp", wrong[i], strlen(wrong[i]), &err));
        assert_int_equal(err.kind, PK_E_INPUT);
        assert_string_equal(err.where, "x.supp");
        assert_non_null(strstr(err.what, i == 0 ? "line 2" : "line 1"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_that_changed_most_come_first),
        cmocka_unit_test(stacks_are_the_same_by_their_names),
        cmocka_unit_test(changes_as_text_and_json),
        cmocka_unit_test(the_same_has_no_changes),
        cmocka_unit_test(only_what_both_sides_know),
        cmocka_unit_test(errors_of_both_sides),
        cmocka_unit_test(the_picture_of_a_difference),
        cmocka_unit_test(patterns),
        cmocka_unit_test(leaks_are_judged_without_those_suppressed),
        cmocka_unit_test(leaks_that_are_not_known_do_not_fail),
        cmocka_unit_test(suppressions_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

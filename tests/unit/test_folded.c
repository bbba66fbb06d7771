/* Stacks merged into a tree, and folded text in and out. */
#include "tests/unit/check.h"

#include <string.h>

#include "base/fnv.h"
#include "profile/folded.h"
#include "profile/folded_pack.h"

typedef struct fixture {
    pk_names *names;
    pk_stack_tree tree;
    pk_folded_read read;
    pk_err err;
} fixture;

static fixture begin(unsigned n_weights, bool in_order) {
    fixture f = {.names = pk_names_new(16 << 20)};
    assert_non_null(f.names);
    assert_ok(pk_stack_tree_init(&f.tree, f.names, n_weights, in_order, &f.err), &f.err);
    return f;
}

static void end(fixture *f) {
    pk_stack_tree_fini(&f->tree);
    pk_names_free(f->names);
}

static void add(fixture *f, const char *text) {
    assert_ok(pk_folded_add(&f->tree, text, strlen(text), &f->read, &f->err), &f->err);
}

static void assert_written(fixture *f, const char *expected) {
    pk_strbuf out;
    pk_strbuf_init(&out, 1 << 20);
    assert_ok(pk_folded_write(&f->tree, &out, &f->err), &f->err);
    assert_string_equal(out.data, expected);
    pk_strbuf_fini(&out);
}

static uint32_t find(const fixture *f, const char *name) {
    for (uint32_t i = 1; i < f->tree.nodes.count; i++)
        if (strcmp(pk_names_text(f->names, pk_node(&f->tree, i)->name, NULL), name) == 0) return i;
    fail_msg("no node %s", name);
    return PK_NODE_NONE;
}

static void names_are_kept_once(void **state) {
    (void)state;
    pk_names *names = pk_names_new(1 << 20);
    char text[16];
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 5000; i++) {
            int n = snprintf(text, sizeof text, "f%d", i);
            assert_int_equal(pk_names_intern(names, text, (size_t)n), i);
        }
    assert_int_equal(pk_names_count(names), 5000);
    size_t bytes;
    assert_string_equal(pk_names_text(names, 4321, &bytes), "f4321");
    assert_int_equal(bytes, 5);
    assert_int_equal(pk_names_intern(names, "", 0), 5000);
    pk_names_free(names);
    /* The limit is a limit. */
    names = pk_names_new(64);
    assert_int_not_equal(pk_names_intern(names, "a", 1), PK_NAME_NONE);
    memset(text, 'x', sizeof text);
    uint32_t last = 0;
    for (size_t i = 1; i <= sizeof text && last != PK_NAME_NONE; i++)
        last = pk_names_intern(names, text, i);
    assert_int_equal(last, PK_NAME_NONE);
    pk_names_free(names);
}

/* The published test vectors of FNV-1a, 64 bits. */
static void fnv1a_is_fnv1a(void **state) {
    (void)state;
    assert_true(pk_fnv1a(PK_FNV_START, "", 0) == 0xcbf29ce484222325u);
    assert_true(pk_fnv1a(PK_FNV_START, "a", 1) == 0xaf63dc4c8601ec8cu);
    assert_true(pk_fnv1a(PK_FNV_START, "foobar", 6) == 0x85944171f73967e8u);
}

static void equal_prefixes_are_merged(void **state) {
    (void)state;
    fixture f = begin(1, false);
    add(&f, "main;b;c 5\nmain;a 1\nmain;b 2\nmain;a 2\n");
    assert_int_equal(f.tree.nodes.count, 5);
    assert_int_equal(pk_stack_tree_sum(&f.tree), 3);
    assert_int_equal(pk_node(&f.tree, PK_NODE_ROOT)->total[0], 10);
    assert_int_equal(pk_node(&f.tree, find(&f, "main"))->self[0], 0);
    assert_int_equal(pk_node(&f.tree, find(&f, "b"))->self[0], 2);
    assert_int_equal(pk_node(&f.tree, find(&f, "b"))->total[0], 7);
    assert_int_equal(pk_node(&f.tree, find(&f, "a"))->total[0], 3);
    assert_int_equal(f.read.lines, 4);
    assert_written(&f, "main;a 3\nmain;b 2\nmain;b;c 5\n");
    end(&f);
}

static void many_stacks_survive_growth(void **state) {
    (void)state;
    fixture f = begin(1, false);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 20000; i++) {
            char text[64];
            snprintf(text, sizeof text, "main;f%d;g%d 1", i % 100, i);
            add(&f, text);
        }
    assert_int_equal(f.tree.nodes.count, 1 + 1 + 100 + 20000);
    pk_stack_tree_sum(&f.tree);
    assert_int_equal(pk_node(&f.tree, PK_NODE_ROOT)->total[0], 40000);
    assert_int_equal(pk_node(&f.tree, find(&f, "f7"))->total[0], 400);
    end(&f);
}

static void siblings_sort_as_whole_lines_do(void **state) {
    (void)state;
    fixture f = begin(1, false);
    add(&f, "a;z 1\na<b>;y 1\na b;y 1\na 1\n~ 1\nB 1\n");
    assert_ok(pk_stack_tree_sort(&f.tree, &f.err), &f.err);
    static const char *const order[] = {"B", "a b", "a", "a<b>", "~"};
    uint32_t node = pk_node(&f.tree, PK_NODE_ROOT)->first_child;
    for (size_t i = 0; i < 5; i++, node = pk_node(&f.tree, node)->next)
        assert_string_equal(pk_names_text(f.names, pk_node(&f.tree, node)->name, NULL), order[i]);
    assert_int_equal(node, PK_NODE_NONE);
    assert_written(&f, "B 1\na 1\na b;y 1\na;z 1\na<b>;y 1\n~ 1\n");
    end(&f);
}

static void in_order_only_neighbours_merge(void **state) {
    (void)state;
    fixture f = begin(1, true);
    add(&f, "main;b 1\nmain;b 1\nmain;a 1\nmain;b 3\n");
    assert_int_equal(f.tree.nodes.count, 5);
    assert_written(&f, "main;b 2\nmain;a 1\nmain;b 3\n");
    end(&f);
}

static void a_difference_has_two_counts(void **state) {
    (void)state;
    fixture f = begin(2, false);
    add(&f, "main;a 1 3\nmain;b 4 2\nmain;c 7\nmain;f(int 5, 6) 8 9\n");
    assert_written(&f, "main;a 1 3\nmain;b 4 2\nmain;c 0 7\nmain;f(int 5, 6) 8 9\n");
    end(&f);
}

static void what_has_no_count_is_ignored_and_counted(void **state) {
    (void)state;
    fixture f = begin(1, false);
    add(&f, "# a comment 5\n\nmain;a\nmain;a x\nmain;a 1x\n5\n 7\nmain;a 99999999999999999999\n"
            "main;a .5\nmain;operator new 12.75\r\n#include 3");
    assert_int_equal(f.read.ignored, 7);
    assert_int_equal(f.read.lines, 2);
    assert_int_equal(f.read.fraction, 1);
    assert_written(&f, "#include 3\nmain;operator new 12\n");
    end(&f);
}

static void names_cannot_break_lines(void **state) {
    (void)state;
    fixture f = begin(1, false);
    uint32_t frames[] = {pk_names_intern(f.names, "a;b", 3), pk_names_intern(f.names, "c\nd", 3)};
    uint64_t one = 1;
    assert_int_not_equal(pk_stack_tree_add(&f.tree, frames, 2, &one, &f.err), PK_NODE_NONE);
    assert_written(&f, "a:b;c d 1\n");
    end(&f);
}

static void sums_that_do_not_fit_stay_at_the_top(void **state) {
    (void)state;
    fixture f = begin(1, false);
    add(&f, "a 18446744073709551615\na 2\nb 5\n");
    pk_stack_tree_sum(&f.tree);
    assert_true(pk_node(&f.tree, PK_NODE_ROOT)->total[0] == UINT64_MAX);
    end(&f);
}

static void too_deep_is_ignored(void **state) {
    (void)state;
    fixture f = begin(1, false);
    size_t bytes = 2 * (PK_STACK_DEPTH_MAX + 1);
    char *text = malloc(bytes + 8);
    for (size_t i = 0; i < bytes; i++) text[i] = i % 2 ? ';' : 'a';
    memcpy(text + bytes - 1, " 1\n", 4);
    assert_ok(pk_folded_add(&f.tree, text, bytes + 2, &f.read, &f.err), &f.err);
    assert_int_equal(f.read.ignored, 1);
    assert_ok(pk_folded_add(&f.tree, text + 2, bytes, &f.read, &f.err), &f.err);
    assert_int_equal(f.read.lines, 1);
    assert_int_equal(pk_stack_tree_sum(&f.tree), PK_STACK_DEPTH_MAX);
    free(text);
    end(&f);
}

static void packed_stacks_come_back(void **state) {
    (void)state;
    fixture f = begin(2, false);
    add(&f, "main;b;c 1 5\nmain;a 0 3\nmain;b 2 0\n");
    pk_strbuf packed, folded;
    pk_strbuf_init(&packed, 1 << 20);
    pk_strbuf_init(&folded, 1 << 20);
    pk_strbuf_add_str(&packed, "\n ");
    assert_ok(pk_folded_pack(&f.tree, &packed, &f.err), &f.err);
    pk_strbuf_add_str(&packed, "\n");
    assert_ok(pk_folded_unpack(packed.data, packed.length, &folded, &f.err), &f.err);
    assert_written(&f, folded.data);
    packed.data[10] ^= 1;
    assert_false(pk_folded_unpack(packed.data, packed.length, &folded, &f.err));
    assert_int_equal(f.err.kind, PK_E_INPUT);
    pk_strbuf_fini(&packed);
    pk_strbuf_fini(&folded);
    end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_kept_once),
        cmocka_unit_test(fnv1a_is_fnv1a),
        cmocka_unit_test(equal_prefixes_are_merged),
        cmocka_unit_test(many_stacks_survive_growth),
        cmocka_unit_test(siblings_sort_as_whole_lines_do),
        cmocka_unit_test(in_order_only_neighbours_merge),
        cmocka_unit_test(a_difference_has_two_counts),
        cmocka_unit_test(what_has_no_count_is_ignored_and_counted),
        cmocka_unit_test(names_cannot_break_lines),
        cmocka_unit_test(sums_that_do_not_fit_stay_at_the_top),
        cmocka_unit_test(too_deep_is_ignored),
        cmocka_unit_test(packed_stacks_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

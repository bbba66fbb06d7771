/* --nameattr files; what is expected here, inferno-flamegraph 0.12.8 gives frames for such a file.
 */
#include "tests/unit/check.h"

#include <string.h>

#include "profile/flame_attributes.h"

static pk_flame_attributes *read_all(const char *text, uint64_t *ignored) {
    pk_err err = {0};
    *ignored = 0;
    pk_flame_attributes *all = pk_flame_attributes_read(text, strlen(text), ignored, &err);
    assert_ok(all != NULL, &err);
    return all;
}

static const pk_flame_wish *find(const pk_flame_attributes *all, const char *name) {
    const pk_flame_wish *wish = pk_flame_attributes_find(all, name, strlen(name));
    if (!wish) fail_msg("nothing for %s", name);
    return wish;
}

static void assert_attribute(const pk_flame_wish *wish, unsigned i, const char *name,
                             const char *value) {
    assert_true(i < wish->n_attributes);
    assert_string_equal(wish->attributes[i].name, name);
    assert_string_equal(wish->attributes[i].value, value);
}

static void a_link_gets_a_target(void **state) {
    (void)state;
    uint64_t ignored;
    pk_flame_attributes *all = read_all("a\ttitle=My \"A\"\thref=http://x/?a=1&b=2\tid=i\tclass=k\n"
                                        "c\thref=foo\ttarget=_blank\n",
                                        &ignored);
    const pk_flame_wish *a = find(all, "a"), *c = find(all, "c");
    assert_true(a->is_link && c->is_link);
    assert_string_equal(a->title, "My \"A\"");
    assert_int_equal(a->n_attributes, 4);
    assert_attribute(a, 0, "xlink:href", "http://x/?a=1&b=2");
    assert_attribute(a, 1, "id", "i");
    assert_attribute(a, 2, "class", "k");
    assert_attribute(a, 3, "target", "_top");
    assert_null(c->title);
    assert_int_equal(c->n_attributes, 2);
    assert_attribute(c, 1, "target", "_blank");
    assert_null(pk_flame_attributes_find(all, "b", 1));
    assert_int_equal(ignored, 0);
    pk_flame_attributes_free(all);
}

static void extra_attributes_are_taken_apart(void **state) {
    (void)state;
    uint64_t ignored;
    pk_flame_attributes *all =
        read_all("b\tclass=x\tg_extra=onclick=\"f(1, 2)\" q=7 lone\tclass=\"cc\"\n", &ignored);
    const pk_flame_wish *b = find(all, "b");
    assert_false(b->is_link);
    assert_int_equal(b->n_attributes, 3);
    assert_attribute(b, 0, "class", "cc"); /* the last value, at the first one's place */
    assert_attribute(b, 1, "onclick", "f(1, 2)");
    assert_attribute(b, 2, "q", "7");
    assert_int_equal(ignored, 1);
    pk_flame_attributes_free(all);
}

static void names_that_xml_forbids_are_ignored(void **state) {
    (void)state;
    uint64_t ignored;
    pk_flame_attributes *all = read_all(
        "b\tg_extra=x><script=\"1\" 1a=2 xmlns:q=\"u\" =3 data-x.y_1=4 fg:z=5 -b=6\n", &ignored);
    const pk_flame_wish *b = find(all, "b");
    assert_int_equal(b->n_attributes, 2);
    assert_attribute(b, 0, "data-x.y_1", "4");
    assert_attribute(b, 1, "fg:z", "5");
    assert_int_equal(ignored, 5);
    pk_flame_attributes_free(all);
}

static void what_says_nothing_is_counted(void **state) {
    (void)state;
    uint64_t ignored;
    pk_flame_attributes *all =
        read_all("# a comment\n\nlone\n\tid=x\na\tbogus=1\tnovalue\tid=\r\na::b c\tid=1", &ignored);
    assert_int_equal(ignored, 4); /* lone, the line without function, bogus, novalue */
    assert_attribute(find(all, "a"), 0, "id", "");
    assert_attribute(find(all, "a::b c"), 0, "id", "1");
    pk_flame_attributes_free(all);
    all = read_all("a\tid=1\na\tclass=2\n", &ignored);
    assert_int_equal(find(all, "a")->n_attributes, 1); /* the later line replaces the earlier */
    assert_attribute(find(all, "a"), 0, "class", "2");
    pk_flame_attributes_free(all);
}

static void more_than_a_frame_may_have_is_ignored(void **state) {
    (void)state;
    char text[2048];
    size_t n = (size_t)snprintf(text, sizeof text, "a\tg_extra=");
    for (unsigned i = 0; i < PK_FLAME_ATTRIBUTES_MAX + 3; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "k%u=%u ", i, i);
    uint64_t ignored;
    pk_flame_attributes *all = read_all(text, &ignored);
    assert_int_equal(find(all, "a")->n_attributes, PK_FLAME_ATTRIBUTES_MAX);
    assert_int_equal(ignored, 3);
    pk_flame_attributes_free(all);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_gets_a_target),
        cmocka_unit_test(extra_attributes_are_taken_apart),
        cmocka_unit_test(names_that_xml_forbids_are_ignored),
        cmocka_unit_test(what_says_nothing_is_counted),
        cmocka_unit_test(more_than_a_frame_may_have_is_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Inlined functions at labels that the functions themselves define. */
#include "tests/unit/symbol_objects.h"

#include "profile/inlines.h"

typedef struct fixture {
    pk_elf_image *image;
    pk_inlines *inlines;
    loaded l;
} fixture;

static fixture load(const char *name) {
    char path[CHECK_PATH_MAX];
    fixture f;
    pk_err err = {0};
    f.image = pk_elf_image_open(symbol_object(path, name), &err);
    assert_ok(f.image != NULL, &err);
    f.inlines = pk_inlines_open(f.image, NULL, &err);
    assert_ok(f.inlines != NULL, &err);
    f.l = load_object(name);
    return f;
}

static void end(fixture *f) {
    pk_inlines_free(f->inlines);
    pk_elf_image_free(f->image);
    dlclose(f->l.handle);
}

/* names end with NULL. */
static void expect(fixture *f, const char *label, const char *const names[]) {
    const char *found[8];
    size_t n = pk_inlines_at(f->inlines, loaded_vaddr(&f->l, label), found, 8), i = 0;
    for (; names[i] && i < n; i++) assert_string_equal(found[i], names[i]);
    assert_int_equal(n, i);
    assert_null(names[i]);
}

static void check_places(const char *name) {
    fixture f = load(name);
    assert_true(pk_inlines_known(f.inlines));
    expect(&f, "at_outer", (const char *const[]){NULL});
    expect(&f, "at_middle", (const char *const[]){"middle", NULL});
    expect(&f, "at_inner", (const char *const[]){"middle", "inner", NULL});
    expect(&f, "by_hand", (const char *const[]){NULL});
    /* With too little room the outer ones are given, and no byte more is written. */
    const char *found[2] = {NULL, "untouched"};
    assert_int_equal(pk_inlines_at(f.inlines, loaded_vaddr(&f.l, "at_inner"), found, 1), 1);
    assert_string_equal(found[0], "middle");
    assert_string_equal(found[1], "untouched");
    assert_int_equal(pk_inlines_at(f.inlines, 0, found, 1), 0);
    assert_int_equal(pk_inlines_at(f.inlines, UINT64_MAX, found, 1), 0);
    end(&f);
}

static void known_labels(void **state) {
    (void)state;
    check_places("places.so");
}

static void code_elsewhere_than_in_the_file(void **state) {
    (void)state;
    check_places("apart.so");
}

static void packed_debug_information(void **state) {
    (void)state;
    check_places("packed.so");
}

static void debug_information_in_its_own_file(void **state) {
    (void)state;
    check_places("linked.so");
}

static void nothing_without_debug_information(void **state) {
    (void)state;
    fixture f = load("bare.so");
    assert_false(pk_inlines_known(f.inlines));
    expect(&f, "at_inner", (const char *const[]){NULL});
    end(&f);
    pk_inlines_free(NULL);
}

static void mangled_names_of_cplusplus(void **state) {
    (void)state;
    char path[CHECK_PATH_MAX];
    if (access(symbol_object(path, "nested.so"), R_OK) != 0) skip();
    fixture f = load("nested.so");
    expect(&f, "at_enter", (const char *const[]){NULL});
    expect(&f, "at_open", (const char *const[]){"_ZN5house4room4openIiEET_S2_", NULL});
    end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_labels),
        cmocka_unit_test(code_elsewhere_than_in_the_file),
        cmocka_unit_test(packed_debug_information),
        cmocka_unit_test(debug_information_in_its_own_file),
        cmocka_unit_test(nothing_without_debug_information),
        cmocka_unit_test(mangled_names_of_cplusplus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

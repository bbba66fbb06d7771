/* palette.map files, as inferno-flamegraph 0.12.8 reads and writes them. */
#include "tests/unit/check.h"

#include <string.h>

#include "profile/palette_map.h"

static pk_palette_map *read_map(const char *text, uint64_t *ignored) {
    pk_err err = {0};
    pk_palette_map *map = pk_palette_map_new();
    assert_non_null(map);
    *ignored = 0;
    assert_ok(pk_palette_map_read(map, text, strlen(text), ignored, &err), &err);
    return map;
}

static void assert_written(const pk_palette_map *map, const char *expected) {
    pk_err err = {0};
    pk_strbuf out;
    pk_strbuf_init(&out, 1 << 20);
    assert_ok(pk_palette_map_write(map, &out, &err), &err);
    assert_string_equal(out.data, expected);
    pk_strbuf_fini(&out);
}

static void lines_are_read_and_written_sorted(void **state) {
    (void)state;
    uint64_t ignored;
    pk_palette_map *map =
        read_map("a->rgb(1,2,3)\nc->rgb(4, 5,6)\n  d ->rgb(0,255,1)\n->rgb(7,8,9)\n"
                 "e->rgb(1,1,1) \na->rgb(3,2,1)",
                 &ignored);
    assert_int_equal(ignored, 0);
    pk_rgb colour;
    assert_true(pk_palette_map_find(map, "a", 1, &colour));
    assert_int_equal(colour.r, 3); /* the later line */
    assert_false(pk_palette_map_find(map, "b", 1, &colour));
    assert_true(pk_palette_map_set(map, "b", 1, (pk_rgb){9, 9, 9}));
    assert_written(map, "->rgb(7,8,9)\n  d ->rgb(0,255,1)\na->rgb(3,2,1)\nb->rgb(9,9,9)\n"
                        "c->rgb(4,5,6)\ne->rgb(1,1,1)\n");
    pk_palette_map_free(map);
}

static void other_lines_are_counted(void **state) {
    (void)state;
    uint64_t ignored;
    pk_palette_map *map = read_map(
        "bad\nx->y->rgb(7,8,9)\nb->rgb(300,1,1)\nb->rgb(1,1)\nb->rgb(1,1,1,1)\nb->rgb(,1,1)\n"
        "b->rgb(-1,1,1)\nb->rgb(1,1,1)x\nb->rgb(1,1,1\nb->#010101\nb->rgb(00001,1,1)\n",
        &ignored);
    assert_int_equal(ignored, 11);
    assert_written(map, "");
    pk_palette_map_free(map);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_read_and_written_sorted),
        cmocka_unit_test(other_lines_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

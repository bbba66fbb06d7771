/* The text of /proc/PID/maps. */
#include "tests/unit/check.h"

#include "profile/proc_maps.h"

typedef struct maps {
    size_t n, stop_at;
    pk_proc_map map[8];
    char file[8][64];
} maps;

static bool take_map(void *context, const pk_proc_map *map, pk_err *err) {
    maps *m = context;
    if (m->n == 8) return true;
    snprintf(m->file[m->n], sizeof m->file[0], "%s", map->file);
    m->map[m->n++] = *map;
    if (m->n != m->stop_at) return true;
    pk_fail(err, PK_E_LIMIT, NULL, "enough");
    return false;
}

static void maps_are_those_that_hold_code(void **state) {
    (void)state;
    char text[] =
        "55d0a0000000-55d0a0001000 r--p 00000000 fe:01 42                         /usr/bin/x\n"
        "55d0a0001000-55d0a0003000 r-xp 00001000 fe:01 42                         /usr/bin/x\n"
        "7f0000000000-7f0000010000 rwxp 00000000 00:00 0 \n"
        "7f0000020000-7f0000021000 --xp 0001a000 103:05 18446744073709551615      /a b (deleted)\n"
        "nonsense\n"
        "7f0000030000-7f0000030000 r-xp 00000000 00:00 0                          /empty\n"
        "7ffc00000000-7ffc00002000 r-xp 00000000 00:00 0                          [vdso]\n"
        "7ffd00000000-7ffd00002000 r-xp 00000000 00:00 0                          /cut";
    maps m = {0};
    pk_err err;
    assert_ok(pk_proc_maps_parse(text, sizeof text - 1, take_map, &m, &err), &err);
    assert_int_equal(m.n, 4);
    assert_int_equal(m.map[0].begin, 0x55d0a0001000);
    assert_int_equal(m.map[0].end, 0x55d0a0003000);
    assert_int_equal(m.map[0].offset, 0x1000);
    assert_int_equal(m.map[0].major, 0xfe);
    assert_int_equal(m.map[0].minor, 1);
    assert_int_equal(m.map[0].inode, 42);
    assert_true(m.map[0].executable);
    assert_string_equal(m.file[0], "/usr/bin/x");
    assert_string_equal(m.file[1], "//anon");
    assert_int_equal(m.map[2].inode, UINT64_MAX);
    assert_int_equal(m.map[2].major, 0x103);
    assert_string_equal(m.file[2], "/a b (deleted)");
    assert_string_equal(m.file[3], "[vdso]");
}

static void a_visitor_can_stop(void **state) {
    (void)state;
    char text[] = "1000-2000 r-xp 0 00:00 1 /x\n3000-4000 r-xp 0 00:00 1 /y\n";
    maps m = {.stop_at = 1};
    pk_err err = {0};
    assert_false(pk_proc_maps_parse(text, sizeof text - 1, take_map, &m, &err));
    assert_int_equal(m.n, 1);
    assert_string_equal(err.what, "enough");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_are_those_that_hold_code),
        cmocka_unit_test(a_visitor_can_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "check.h"

#include <stdalign.h>

#include "base/arena.h"

static void memory_is_zeroed_aligned_and_apart(void **state) {
    (void)state;
    pk_arena *arena = pk_arena_new(1 << 20);
    assert_non_null(arena);
    unsigned char *items[200];
    for (size_t i = 0; i < 200; i++) {
        items[i] = PK_NEW(arena, i, unsigned char);
        assert_non_null(items[i]);
        assert_int_equal((uintptr_t)items[i] % alignof(max_align_t), 0);
        for (size_t k = 0; k < i; k++) assert_int_equal(items[i][k], 0);
        memset(items[i], (int)i, i);
    }
    for (size_t i = 0; i < 200; i++)
        for (size_t k = 0; k < i; k++) assert_int_equal(items[i][k], i);
    assert_ptr_not_equal(PK_NEW(arena, 0, int), PK_NEW(arena, 0, int));
    pk_arena_free(arena);
}

static void the_limit_holds_to_the_byte(void **state) {
    (void)state;
    const size_t unit = alignof(max_align_t);
    pk_arena *arena = pk_arena_new(10 * unit);
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(pk_arena_used_bytes(arena), i * unit);
        assert_non_null(pk_arena_alloc(arena, 1, i % 2 ? 1 : unit));
    }
    assert_int_equal(pk_arena_used_bytes(arena), 10 * unit);
    assert_null(pk_arena_alloc(arena, 1, 1));
    assert_null(pk_arena_strdup(arena, ""));
    assert_int_equal(pk_arena_used_bytes(arena), 10 * unit);
    pk_arena_free(arena);

    arena = pk_arena_new(10 * unit);
    assert_null(pk_arena_alloc(arena, 1, 10 * unit + 1));
    assert_non_null(pk_arena_alloc(arena, 10, unit));
    pk_arena_free(arena);

    arena = pk_arena_new(unit - 1); /* not even one unit */
    assert_null(pk_arena_alloc(arena, 1, 1));
    pk_arena_free(arena);
}

static void sizes_that_overflow_are_refused(void **state) {
    (void)state;
    pk_arena *arena = pk_arena_new(SIZE_MAX);
    assert_null(pk_arena_alloc(arena, SIZE_MAX, 2));
    assert_null(pk_arena_alloc(arena, SIZE_MAX / 2, 3));
    assert_null(pk_arena_alloc(arena, 1, SIZE_MAX));
    assert_null(pk_arena_alloc(arena, 1, SIZE_MAX - alignof(max_align_t)));
    assert_null(pk_arena_strndup(arena, "", SIZE_MAX));
    assert_int_equal(pk_arena_used_bytes(arena), 0);
    assert_non_null(pk_arena_alloc(arena, 1, 1));
    pk_arena_free(arena);
}

static void a_large_block_fits_beside_small_ones(void **state) {
    (void)state;
    pk_arena *arena = pk_arena_new(64u << 20);
    char *small = pk_arena_strdup(arena, "small");
    char *large = PK_NEW(arena, 8u << 20, char);
    char *after = pk_arena_strdup(arena, "after");
    assert_non_null(large);
    memset(large, 'x', 8u << 20);
    assert_string_equal(small, "small");
    assert_string_equal(after, "after");
    pk_arena_free(arena);
}

static void texts_are_copied(void **state) {
    (void)state;
    pk_arena *arena = pk_arena_new(65536);
    char source[] = "perfkit load";
    char *whole = pk_arena_strdup(arena, source);
    char *part = pk_arena_strndup(arena, source, 7);
    char *printed = pk_arena_printf(arena, "%s-%05d", part, 42);
    memset(source, '!', sizeof source - 1);
    assert_string_equal(whole, "perfkit load");
    assert_string_equal(part, "perfkit");
    assert_string_equal(printed, "perfkit-00042");
    char *padded = pk_arena_printf(arena, "%*d", 20000, 7);
    assert_int_equal(strlen(padded), 20000);
    assert_null(pk_arena_printf(arena, "%*d", 70000, 7));
    pk_arena_free(arena);
}

static void freeing_nothing_is_fine(void **state) {
    (void)state;
    pk_arena_free(NULL);
    pk_arena_free(pk_arena_new(0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_aligned_and_apart),
        cmocka_unit_test(the_limit_holds_to_the_byte),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(a_large_block_fits_beside_small_ones),
        cmocka_unit_test(texts_are_copied),
        cmocka_unit_test(freeing_nothing_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

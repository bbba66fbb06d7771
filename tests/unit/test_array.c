#include "check.h"

#include "base/array.h"

typedef struct point {
    int x;
    double y;
} point;

static void items_come_zeroed_and_stay_in_order(void **state) {
    (void)state;
    pk_array points = PK_ARRAY(point, 10000);
    for (int i = 0; i < 10000; i++) {
        point *p = pk_array_push(&points);
        assert_non_null(p);
        assert_int_equal(p->x, 0);
        assert_true(p->y == 0);
        *p = (point){i, i * 0.5};
    }
    assert_int_equal(points.count, 10000);
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(PK_AT(&points, point, i).x, i);
        assert_true(PK_AT(&points, point, i).y == i * 0.5);
    }
    pk_array_fini(&points);
    assert_int_equal(points.count, 0);
}

static void the_maximum_holds_and_keeps_what_is_there(void **state) {
    (void)state;
    for (size_t max = 0; max < 40; max++) {
        pk_array numbers = PK_ARRAY(int, max);
        for (size_t i = 0; i < max; i++) {
            int *n = pk_array_push(&numbers);
            assert_non_null(n);
            *n = (int)i;
        }
        assert_null(pk_array_push(&numbers));
        assert_null(pk_array_push(&numbers));
        assert_int_equal(numbers.count, max);
        assert_true(numbers.capacity <= max);
        for (size_t i = 0; i < max; i++) assert_int_equal(PK_AT(&numbers, int, i), i);
        pk_array_fini(&numbers);
    }
}

static void sizes_that_overflow_are_refused(void **state) {
    (void)state;
    pk_array huge = {.item_bytes = SIZE_MAX / 4, .max_count = SIZE_MAX};
    assert_null(pk_array_push(&huge));
    assert_int_equal(huge.count, 0);
    pk_array_fini(&huge);
}

static void it_can_be_used_again_after_fini(void **state) {
    (void)state;
    pk_array numbers = PK_ARRAY(int, 3);
    assert_non_null(pk_array_push(&numbers));
    pk_array_fini(&numbers);
    pk_array_fini(&numbers);
    assert_non_null(pk_array_push(&numbers));
    assert_int_equal(numbers.count, 1);
    pk_array_fini(&numbers);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_zeroed_and_stay_in_order),
        cmocka_unit_test(the_maximum_holds_and_keeps_what_is_there),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(it_can_be_used_again_after_fini),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The limit on open files goes up to what is allowed, once. */
#include "tests/unit/check.h"

#include "base/descriptors.h"

static void the_soft_limit_becomes_the_hard_one(void **state) {
    (void)state;
    struct rlimit was, low, before = {0}, now;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    low = was;
    low.rlim_cur = 64;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    assert_true(pk_descriptors_raise(&before));
    assert_int_equal(before.rlim_cur, 64);
    assert_int_equal(before.rlim_max, was.rlim_max);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
    assert_int_equal(now.rlim_cur, was.rlim_max);
    assert_false(pk_descriptors_raise(&before)); /* there is no more */
    assert_int_equal(before.rlim_cur, 64);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    assert_true(pk_descriptors_raise(NULL));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_soft_limit_becomes_the_hard_one)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

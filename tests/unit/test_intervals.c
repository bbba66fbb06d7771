/* Intervals in each other, against a search through all of them. */
#include "tests/unit/check.h"

#include "profile/intervals.h"
#include "stats/random.h"

static void known_nesting(void **state) {
    (void)state;
    /* value: [begin, end) */
    pk_interval items[] = {
        {.begin = 50, .end = 60, .value = 4}, {.begin = 10, .end = 100, .value = 0},
        {.begin = 20, .end = 40, .value = 1}, {.begin = 20, .end = 40, .value = 2},
        {.begin = 30, .end = 35, .value = 3}, {.begin = 100, .end = 101, .value = 5},
    };
    size_t n = sizeof items / sizeof *items;
    pk_intervals_nest(items, n);
    static const struct {
        uint64_t address;
        int values[5]; /* from the innermost outwards; -1 ends it */
    } known[] = {{9, {-1}},           {10, {0, -1}},          {19, {0, -1}},
                 {20, {2, 1, 0, -1}}, {34, {3, 2, 1, 0, -1}}, {35, {2, 1, 0, -1}},
                 {40, {0, -1}},       {55, {4, 0, -1}},       {60, {0, -1}},
                 {99, {0, -1}},       {100, {5, -1}},         {101, {-1}}};
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        uint32_t i = pk_intervals_find(items, n, known[k].address);
        for (const int *value = known[k].values; *value >= 0; value++) {
            assert_true(i != PK_INTERVAL_NONE);
            assert_int_equal(items[i].value, *value);
            i = pk_intervals_outer(items, i, known[k].address);
        }
        assert_true(i == PK_INTERVAL_NONE);
    }
    pk_intervals_nest(NULL, 0);
    assert_true(pk_intervals_find(NULL, 0, 5) == PK_INTERVAL_NONE);
}

/* Also when they overlap without nesting, every one that covers an address is met. */
static void all_that_cover_are_met(void **state) {
    (void)state;
    pk_random random;
    pk_random_seed(&random, 7);
    for (int round = 0; round < 200; round++) {
        pk_interval items[20];
        for (uint32_t i = 0; i < 20; i++) {
            uint64_t begin = pk_random_below(&random, 60);
            items[i] = (pk_interval){
                .begin = begin, .end = begin + 1 + pk_random_below(&random, 30), .value = i};
        }
        pk_intervals_nest(items, 20);
        for (uint64_t address = 0; address < 100; address++) {
            unsigned expected = 0, met = 0;
            for (int i = 0; i < 20; i++)
                if (items[i].begin <= address && address < items[i].end)
                    expected |= 1u << items[i].value;
            for (uint32_t i = pk_intervals_find(items, 20, address); i != PK_INTERVAL_NONE;
                 i = pk_intervals_outer(items, i, address))
                met |= 1u << items[i].value;
            assert_int_equal(met, expected);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_nesting),
        cmocka_unit_test(all_that_cover_are_met),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "check.h"

#include "base/suggest.h"

static const char *const names[] = {"connections", "connect-timeout", "color",
                                    "load",        "serve",           "a"};
#define SUGGEST(word) pk_suggest((word), names, sizeof names / sizeof *names)

static void each_kind_of_slip_is_one_step(void **state) {
    (void)state;
    static const char *const slips[] = {
        "conections",   /* left out */
        "connectionss", /* doubled */
        "connectoins",  /* swapped */
        "cpnnections",  /* beside the key */
        "onnections",   /* the first one */
        "connection",   /* the last one */
    };
    for (size_t i = 0; i < sizeof slips / sizeof *slips; i++)
        assert_string_equal(SUGGEST(slips[i]), "connections");
}

static void two_steps_are_near_and_three_are_not(void **state) {
    (void)state;
    assert_string_equal(SUGGEST("conectoins"), "connections");
    assert_string_equal(SUGGEST("laod"), "load");
    assert_string_equal(SUGGEST("lod"), "load");
    assert_null(SUGGEST("conectoinz"));
    assert_null(SUGGEST("sxxxe"));
    assert_null(SUGGEST("xyz"));
    assert_null(SUGGEST(""));
}

/* Restricted Damerau-Levenshtein: "ca" -> "abc" is 3 steps there, and 2 without the restriction. */
static void no_part_is_edited_twice(void **state) {
    (void)state;
    const char *const one[] = {"xxabc"};
    assert_null(pk_suggest("xxca", one, 1));
}

static void a_short_word_is_not_replaced_as_a_whole(void **state) {
    (void)state;
    const char *const one[] = {"ab"};
    assert_null(pk_suggest("x", one, 1));
    assert_null(pk_suggest("xy", one, 1));
    assert_string_equal(pk_suggest("xb", one, 1), "ab");
    assert_string_equal(pk_suggest("ba", one, 1), "ab");
}

static void the_nearest_wins_and_the_first_of_equals(void **state) {
    (void)state;
    const char *const near[] = {"baxx", "bar", "bat", "barx"};
    assert_string_equal(pk_suggest("ba", near, 4), "bar");
    assert_string_equal(pk_suggest("bax", near, 4), "baxx");
    assert_string_equal(pk_suggest("barx", near, 4), "barx");
    assert_null(pk_suggest("bar", near, 0));
}

static void long_words_are_no_slips(void **state) {
    (void)state;
    char word[200];
    memset(word, 'x', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    const char *const same[] = {word};
    assert_null(pk_suggest(word, same, 1));
    assert_null(SUGGEST(word));
    word[63] = '\0'; /* the longest that is compared */
    char other[200];
    memcpy(other, word, 64);
    other[62] = 'y';
    const char *const long_name[] = {other};
    assert_string_equal(pk_suggest(word, long_name, 1), other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_slip_is_one_step),
        cmocka_unit_test(two_steps_are_near_and_three_are_not),
        cmocka_unit_test(no_part_is_edited_twice),
        cmocka_unit_test(a_short_word_is_not_replaced_as_a_whole),
        cmocka_unit_test(the_nearest_wins_and_the_first_of_equals),
        cmocka_unit_test(long_words_are_no_slips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "report/colour.h"

#include "check.h"

/* --color > NO_COLOR > CLICOLOR_FORCE > TERM=dumb > isatty, for every combination of the five. */
static void the_first_that_speaks_decides(void **state) {
    (void)state;
    static const char *const no_color[] = {NULL, "", "1", "0"};       /* set and not empty: off */
    static const char *const clicolor_force[] = {NULL, "", "0", "1"}; /* not empty, not 0: on */
    static const char *const term[] = {NULL, "", "xterm-256color", "dumb"};
    int checked = 0, on = 0;
    for (int when = PK_COLOUR_AUTO; when <= PK_COLOUR_NEVER; when++)
        for (int n = 0; n < 4; n++)
            for (int f = 0; f < 4; f++)
                for (int t = 0; t < 4; t++)
                    for (int tty = 0; tty <= 1; tty++) {
                        pk_terminal_env env = {no_color[n], clicolor_force[f], term[t]};
                        bool expected = tty;
                        if (t == 3) expected = false;
                        if (f == 3) expected = true;
                        if (n >= 2) expected = false;
                        if (when == PK_COLOUR_ALWAYS) expected = true;
                        if (when == PK_COLOUR_NEVER) expected = false;
                        bool got = pk_colour_decide((pk_colour_when)when, &env, tty);
                        assert_int_equal(got, expected);
                        checked++;
                        on += got;
                    }
    assert_int_equal(checked, 3 * 4 * 4 * 4 * 2);
    /* always: 128; auto without NO_COLOR (2 ways): forced 8, not forced 3 x 3 on a terminal */
    assert_int_equal(on, 128 + 2 * (8 + 9));
}

static void styles_are_the_sequences_of_ecma_48(void **state) {
    (void)state;
    static const struct {
        pk_style style;
        const char *on;
    } cases[] = {
        {PK_BOLD, "\033[1m"},   {PK_HEADING, "\033[1;4m"},     {PK_DIM, "\033[2m"},
        {PK_GREEN, "\033[32m"}, {PK_YELLOW, "\033[33m"},       {PK_RED, "\033[31m"},
        {PK_CYAN, "\033[36m"},  {PK_BOLD_GREEN, "\033[1;32m"}, {PK_BOLD_RED, "\033[1;31m"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(pk_style_on(true, cases[i].style), cases[i].on);
        assert_string_equal(pk_style_off(true, cases[i].style), "\033[0m");
        assert_string_equal(pk_style_on(false, cases[i].style), "");
        assert_string_equal(pk_style_off(false, cases[i].style), "");
    }
    assert_string_equal(pk_style_on(true, PK_PLAIN), "");
    assert_string_equal(pk_style_off(true, PK_PLAIN), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_that_speaks_decides),
        cmocka_unit_test(styles_are_the_sequences_of_ecma_48),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

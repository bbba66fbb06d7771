#include "report/table.h"

#include "check.h"

/* What the table looks like; frees it. The caller frees the text. */
static char *drawn(pk_table *table, int indent, bool colour) {
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    assert_true(pk_table_write(out, table, indent, colour));
    assert_int_equal(fclose(out), 0);
    pk_table_free(table);
    return text;
}

static void check_drawn(pk_table *table, int indent, bool colour, const char *expected) {
    char *text = drawn(table, indent, colour);
    assert_string_equal(text, expected);
    free(text);
}

static void columns_are_as_wide_as_their_widest_cell(void **state) {
    (void)state;
    pk_table *t = pk_table_new("lrr");
    static const char *const words[] = {"name", "n",      "ms", "a", "1000",
                                        "3.25", "longer", "7",  "10"};
    for (size_t i = 0; i < 9; i++) pk_table_cell(t, PK_PLAIN, "%s", words[i]);
    check_drawn(t, 2, false,
                "  name       n    ms\n"
                "  a       1000  3.25\n"
                "  longer     7    10\n");
}

static void width_is_in_cells_not_in_bytes(void **state) {
    (void)state;
    pk_table *t = pk_table_new("ll");
    pk_table_cell(t, PK_PLAIN, "%s", "\xe4\xb8\xad\xe6\x96\x87"); /* two wide ones: 4 cells */
    pk_table_cell(t, PK_PLAIN, "|");
    pk_table_cell(t, PK_PLAIN, "%s", "e\xcc\x81"); /* combining: 1 cell */
    pk_table_cell(t, PK_PLAIN, "|");
    pk_table_cell(t, PK_PLAIN, "%s", "\xc2\xb5s"); /* 2 cells */
    pk_table_cell(t, PK_PLAIN, "|");
    check_drawn(t, 0, false,
                "\xe4\xb8\xad\xe6\x96\x87  |\n"
                "e\xcc\x81     |\n"
                "\xc2\xb5s    |\n");
}

static void no_row_has_blanks_at_its_end(void **state) {
    (void)state;
    pk_table *t = pk_table_new("lrl");
    static const char *const words[] = {"a", "1", "comment", "", "", "", "b", "", "", "", "22", ""};
    for (size_t i = 0; i < 12; i++) pk_table_cell(t, PK_PLAIN, "%s", words[i]);
    check_drawn(t, 1, false,
                " a   1  comment\n"
                "\n"
                " b\n"
                "    22\n");
}

static void colour_does_not_move_a_column(void **state) {
    (void)state;
    for (int colour = 0; colour <= 1; colour++) {
        pk_table *t = pk_table_new("rl");
        pk_table_cell(t, PK_RED, "%d", 5);
        pk_table_cell(t, PK_BOLD, "%s", "five");
        pk_table_cell(t, PK_PLAIN, "%d", 1234);
        pk_table_cell(t, PK_GREEN, "%s", "");
        check_drawn(t, 0, colour,
                    colour ? "   \033[31m5\033[0m  \033[1mfive\033[0m\n1234\n"
                           : "   5  five\n1234\n");
    }
}

static void cells_are_copied(void **state) {
    (void)state;
    char word[] = "first";
    pk_table *t = pk_table_new("l");
    pk_table_cell(t, PK_PLAIN, "%s", word);
    memcpy(word, "other", sizeof word);
    check_drawn(t, 0, false, "first\n");
}

static void a_large_table_is_drawn_whole(void **state) {
    (void)state;
    enum { ROWS = 5000 };
    pk_table *t = pk_table_new("rl");
    for (int i = 0; i < ROWS; i++) {
        pk_table_cell(t, PK_PLAIN, "%d", i);
        pk_table_cell(t, PK_PLAIN, "x");
    }
    char *text = drawn(t, 0, false);
    assert_int_equal(strlen(text), ROWS * 8); /* 4 digits, 2 blanks, x, end of line */
    assert_memory_equal(text, "   0  x\n   1  x\n", 16);
    free(text);
}

static void what_is_not_a_table_is_not_drawn(void **state) {
    (void)state;
    pk_table *t = pk_table_new("ll");
    check_drawn(pk_table_new("ll"), 2, false, ""); /* no rows is no failure */
    pk_table_cell(t, PK_PLAIN, "only half a row");
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    assert_false(pk_table_write(out, t, 0, false));
    assert_false(pk_table_write(out, NULL, 0, false));
    pk_table_cell(NULL, PK_PLAIN, "x");
    fclose(out);
    assert_int_equal(bytes, 0);
    free(text);
    pk_table_free(t);
    pk_table_free(NULL);
}

static void a_cell_too_large_spoils_the_table_not_the_program(void **state) {
    (void)state;
    pk_table *t = pk_table_new("l");
    pk_table_cell(t, PK_PLAIN, "%2000000d", 1);
    pk_table_cell(t, PK_PLAIN, "x");
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    assert_false(pk_table_write(out, t, 0, false));
    fclose(out);
    free(text);
    pk_table_free(t);
}

static void a_full_disk_is_noticed(void **state) {
    (void)state;
    FILE *out = fopen("/dev/full", "w");
    if (!out) {
        print_message("there is no /dev/full here\n");
        skip();
    }
    setbuf(out, NULL);
    pk_table *t = pk_table_new("l");
    pk_table_cell(t, PK_PLAIN, "x");
    assert_false(pk_table_write(out, t, 0, false));
    fclose(out);
    pk_table_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
        cmocka_unit_test(width_is_in_cells_not_in_bytes),
        cmocka_unit_test(no_row_has_blanks_at_its_end),
        cmocka_unit_test(colour_does_not_move_a_column),
        cmocka_unit_test(cells_are_copied),
        cmocka_unit_test(a_large_table_is_drawn_whole),
        cmocka_unit_test(what_is_not_a_table_is_not_drawn),
        cmocka_unit_test(a_cell_too_large_spoils_the_table_not_the_program),
        cmocka_unit_test(a_full_disk_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Pages: one file, well-formed, escaped, nothing to load, and the same text without a screen. */
#include "check_xml.h"

#include "report/page.h"

/* Writes and frees the page; the caller frees the text. */
static char *written(pk_page *page) {
    char *text = NULL;
    size_t bytes = 0;
    pk_err err = {0};
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    assert_ok(pk_page_write(page, out, &err), &err);
    assert_int_equal(fclose(out), 0);
    assert_well_formed(text);
    assert_no_nan(text);
    return text;
}

static const double x[] = {1000, 2000}, y[] = {1, 2}, y2[] = {2, 3};
static const pk_box boxes[] = {{1000, 1100, 1200, 1300, 1400}};

static void a_page_has_all_of_its_parts(void **state) {
    (void)state;
    static const pk_column columns[] = {{"name", false}, {"time", true}};
    const pk_link trail[] = {{"Benchmarks", "../../report/index.html"}};
    pk_page page;
    pk_page_begin(&page, "fib/recursive", 1, trail);
    pk_page_statement(&page, PK_TINT_BAD, "▲", "slower");
    pk_page_section(&page, "First");
    pk_page_text(&page, PK_TINT_WARN, "%d warnings", 2);
    pk_page_table_begin(&page, "A caption", 2, columns);
    pk_page_cell(&page, PK_TINT_NONE, "%s", "row");
    pk_page_cell(&page, PK_TINT_GOOD, "%s", "1 ns");
    pk_page_cell(&page, PK_TINT_NONE, "%s", "half a row");
    pk_page_section(&page, "Second"); /* ends the table */
    pk_page_output(&page, "line 1\nline 2 \x1b[31m");
    char *text = written(&page);
    assert_non_null(strstr(text, "<!DOCTYPE html>\n<html lang=\"en\">"));
    assert_non_null(strstr(text, "<title>fib/recursive</title>"));
    assert_non_null(strstr(text, "<h1>fib/recursive</h1>"));
    assert_non_null(strstr(text, "<a href=\"../../report/index.html\">Benchmarks</a>"));
    assert_non_null(strstr(text, "<a href=\"#s1\">First</a><a href=\"#s2\">Second</a>"));
    assert_non_null(strstr(text, "<section id=\"s2\">\n<h2>Second</h2>"));
    assert_non_null(strstr(text, "<p class=\"warn\">2 warnings</p>"));
    assert_non_null(strstr(text, "<p class=\"caption\" id=\"t1\">A caption</p>\n<table "
                                 "class=\"grid\" aria-labelledby=\"t1\">"));
    assert_non_null(
        strstr(text, "<th scope=\"row\">row</th><td class=\"number good\">1 ns</td></tr>"));
    assert_non_null(strstr(text, "half a row</th><td class=\"number\"></td></tr>"));
    assert_non_null(strstr(text, "<pre>line 1\nline 2 \xef\xbf\xbd[31m</pre>"));
    free(text);
}

static void nothing_is_loaded_and_nothing_runs(void **state) {
    (void)state;
    pk_page page;
    pk_page_begin(&page, "t", 0, NULL);
    char *text = written(&page);
    assert_non_null(strstr(text, "default-src 'none'"));
    assert_null(strstr(text, "<script"));
    assert_null(strstr(text, "<link"));
    assert_null(strstr(text, "@import"));
    assert_null(strstr(text, "url("));
    assert_null(strstr(text, "http://"));
    assert_null(strstr(text, "https://"));
    free(text);
}

static void texts_and_addresses_are_escaped(void **state) {
    (void)state;
    static const pk_column columns[] = {{"<th>", false}, {"&", true}};
    const char evil[] = "</p><script>\"'&";
    const pk_link link = {evil, "a b/\"x\"/%2e/javascript:alert(1)/#hash?q/\xc3\xa4"};
    pk_page page;
    pk_page_begin(&page, evil, 1, &link);
    pk_page_statement(&page, PK_TINT_NONE, evil, evil);
    pk_page_section(&page, evil);
    pk_page_section(&page, evil);
    pk_page_text(&page, PK_TINT_NONE, "%s", evil);
    pk_page_table_begin(&page, evil, 2, columns);
    pk_page_link_cell(&page, &link);
    pk_page_cell(&page, PK_TINT_NONE, "%s", evil);
    pk_page_output(&page, evil);
    char *text = written(&page);
    assert_null(strstr(text, "<script"));
    assert_int_equal(count_of(text, "href=\"a%20b/%22x%22/%252e/javascript%3Aalert%281%29/"
                                    "%23hash%3Fq/%C3%A4\""),
                     2);
    free(text);
}

static void a_figure_has_its_values_as_a_table(void **state) {
    (void)state;
    static const char *const rows[] = {"only"};
    const double row[] = {0};
    const pk_mark marks[] = {
        {.kind = PK_MARK_POINTS, .name = "dots", .n = 2, .x = x, .y = y, .tabled = true},
        {.kind = PK_MARK_BAND, .name = "band", .n = 2, .x = x, .y = y, .y2 = y2, .tabled = true},
        {.kind = PK_MARK_LINE, .name = "untold", .n = 2, .x = x, .y = y}};
    const pk_mark box[] = {
        {.kind = PK_MARK_BOXES, .name = "boxes", .n = 1, .y = row, .boxes = boxes, .tabled = true}};
    pk_chart chart = {.title = "T",
                      .x = {.label = "time", .quantity = PK_Q_TIME},
                      .y = {.label = "rank"},
                      .marks = marks,
                      .n_marks = 3};
    pk_page page;
    pk_page_begin(&page, "t", 0, NULL);
    pk_page_figure(&page, &chart, "The caption.");
    chart.marks = box;
    chart.n_marks = 1;
    chart.y = (pk_axis){.label = "row", .categories = rows, .n_categories = 1};
    pk_page_figure(&page, &chart, "Another.");
    char *text = written(&page);
    assert_int_equal(count_of(text, "<div class=\"figures\">"), 1); /* side by side */
    assert_int_equal(count_of(text, "<figure>"), 2);
    assert_int_equal(count_of(text, "<summary>Values</summary>"), 2);
    assert_non_null(strstr(text, "<figcaption>The caption.</figcaption>"));
    assert_non_null(
        strstr(text, "<td class=\"number\">1.0000 µs</td><td class=\"number\">1.0000</td></tr>"));
    assert_non_null(strstr(text, ">band</p>"));
    assert_null(strstr(text, ">untold</p>"));
    assert_non_null(strstr(text, "<tr><td>only</td><td class=\"number\">1.0000 µs</td>"));
    assert_non_null(strstr(text, "1.4000 µs</td></tr>"));
    assert_non_null(strstr(text, "id=\"f1-title\""));
    assert_non_null(strstr(text, "id=\"f2-title\""));
    free(text);
}

static void a_page_that_cannot_be_written_is_an_error(void **state) {
    (void)state;
    FILE *full = fopen("/dev/full", "w");
    if (!full) skip();
    pk_err err = {0};
    pk_page page;
    setvbuf(full, NULL, _IONBF, 0);
    pk_page_begin(&page, "t", 0, NULL);
    assert_fails(pk_page_write(&page, full, &err), &err, PK_E_SYS);
    fclose(full);
}

static void moments_are_in_utc(void **state) {
    (void)state;
    char out[PK_PAGE_TIME_MAX];
    assert_string_equal(pk_page_time(out, 1700000000ull * 1000000000ull + 5),
                        "2023-11-14 22:13:20 UTC");
    assert_string_equal(pk_page_time(out, 0), "-");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_has_all_of_its_parts),
        cmocka_unit_test(nothing_is_loaded_and_nothing_runs),
        cmocka_unit_test(texts_and_addresses_are_escaped),
        cmocka_unit_test(a_figure_has_its_values_as_a_table),
        cmocka_unit_test(a_page_that_cannot_be_written_is_an_error),
        cmocka_unit_test(moments_are_in_utc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Charts: well-formed whatever the values, every text escaped, what is drawn where. */
#include "check_xml.h"

#include "report/svg.h"

static char *draw(const pk_chart *chart) {
    pk_strbuf out;
    pk_strbuf_init(&out, 8 << 20);
    pk_svg_chart(&out, chart, "c1");
    assert_true(pk_strbuf_ok(&out));
    char *text = pk_strbuf_detach(&out, NULL);
    assert_non_null(text);
    return text;
}

static pk_chart chart_of(const pk_mark *marks, size_t n) {
    return (pk_chart){.title = "Title",
                      .description = "What it shows.",
                      .x = {.label = "time", .quantity = PK_Q_TIME},
                      .y = {.label = "worker", .quantity = PK_Q_COUNT},
                      .marks = marks,
                      .n_marks = n};
}

static const double some_x[] = {1000, 1200, 1900}, some_y[] = {1, 2, 3}, more_y[] = {2, 3, 5};
static const pk_box some_boxes[] = {{1, 2, 3, 4, 5}, {2, 3, 4, 5, 6}, {1, 1, 1, 1, 1}};

/* One mark of each kind, all with the same arrays. */
static size_t every_kind(pk_mark marks[PK_MARK_VIOLIN + 1], const double *x, const double *y,
                         const double *y2, const pk_box *boxes, size_t n) {
    for (int kind = 0; kind <= PK_MARK_VIOLIN; kind++) {
        marks[kind] = (pk_mark){.kind = (pk_mark_kind)kind,
                                .name = "some <name> & \"more\"",
                                .n = n,
                                .x = x,
                                .y = y,
                                .boxes = boxes,
                                .tabled = true};
        if (kind == PK_MARK_BAND || kind == PK_MARK_INTERVALS) marks[kind].y2 = y2;
        if (kind == PK_MARK_INTERVALS_X || kind == PK_MARK_VIOLIN) marks[kind].x2 = x;
        pk_mark_series(&marks[kind], (size_t)kind);
    }
    marks[PK_MARK_STRIP].y = NULL;
    return PK_MARK_VIOLIN + 1;
}

static void every_kind_of_mark_is_well_formed(void **state) {
    (void)state;
    static const char *const rows[] = {"one", "two <", "three"};
    for (int variant = 0; variant < 8; variant++) {
        pk_mark marks[PK_MARK_VIOLIN + 1];
        size_t n = every_kind(marks, some_x, some_y, more_y, some_boxes, 3);
        pk_chart chart = chart_of(marks, n);
        chart.x.log = variant & 1;
        chart.y.log = variant & 2;
        if (variant & 4) chart.y = (pk_axis){.categories = rows, .n_categories = 3, .label = "row"};
        char *text = draw(&chart);
        assert_well_formed(text);
        assert_no_nan(text);
        assert_null(strstr(text, "nothing was measured"));
        free(text);
    }
}

static void no_value_can_break_the_output(void **state) {
    (void)state;
    static const double wild[] = {NAN,    INFINITY, -INFINITY, 0, -0.0,  1e308, -1e308,
                                  5e-324, 1e-9,     1,         1, -1e-7, 42,    1e15};
    enum { N = sizeof wild / sizeof wild[0] };
    pk_box boxes[N];
    for (size_t shift = 0; shift < N; shift++) {
        double x[N], y[N], y2[N];
        for (size_t i = 0; i < N; i++) {
            x[i] = wild[i];
            y[i] = wild[(i + shift) % N];
            y2[i] = wild[(i + 2 * shift) % N];
            boxes[i] = (pk_box){x[i], y[i], y2[i], x[i], y[i]};
        }
        for (int variant = 0; variant < 4; variant++) {
            pk_mark marks[PK_MARK_VIOLIN + 1];
            pk_chart chart = chart_of(marks, every_kind(marks, x, y, y2, boxes, N));
            chart.x.log = variant & 1;
            chart.y.log = variant & 2;
            chart.y.quantity = (pk_quantity)(shift % PK_QUANTITIES);
            char *text = draw(&chart);
            assert_well_formed(text);
            assert_no_nan(text);
            free(text);
        }
    }
}

static void a_chart_without_values_says_so(void **state) {
    (void)state;
    const double none[] = {NAN, NAN}, negative[] = {-1, -2};
    const pk_mark marks[] = {{.kind = PK_MARK_LINE, .n = 2, .x = none, .y = none}};
    pk_chart chart = chart_of(marks, 1);
    char *text = draw(&chart);
    assert_non_null(strstr(text, "nothing was measured"));
    assert_well_formed(text);
    free(text);
    chart.n_marks = 0;
    text = draw(&chart);
    assert_non_null(strstr(text, "nothing was measured"));
    free(text);
    const pk_mark below[] = {{.kind = PK_MARK_LINE, .n = 2, .x = some_x, .y = negative}};
    chart = chart_of(below, 1);
    chart.y.log = true;
    text = draw(&chart);
    assert_non_null(strstr(text, "nothing was measured"));
    free(text);
}

static void texts_are_escaped_everywhere(void **state) {
    (void)state;
    const char evil[] = "</title><script>alert('1')</script>\x01\xff\" onload=\"x";
    const char *const rows[] = {evil, evil, evil, evil};
    const char *const hover[] = {evil, evil, evil};
    const pk_mark marks[] = {
        {.kind = PK_MARK_POINTS, .name = evil, .n = 3, .x = some_x, .y = some_y, .hover = hover},
        {.kind = PK_MARK_POINTS, .name = evil, .n = 3, .x = some_x, .y = some_y}};
    pk_chart chart = {.title = evil,
                      .description = evil,
                      .x = {.label = evil},
                      .y = {.categories = rows, .n_categories = 4, .label = evil},
                      .marks = marks,
                      .n_marks = 2};
    char *text = draw(&chart);
    assert_well_formed(text);
    assert_null(strstr(text, "<script"));
    assert_null(strstr(text, "\" onload"));
    free(text);
    chart.y = (pk_axis){.label = evil};
    text = draw(&chart);
    assert_well_formed(text);
    assert_null(strstr(text, "<script"));
    free(text);
}

static void the_parts_that_people_need_are_there(void **state) {
    (void)state;
    const pk_mark marks[] = {
        {.kind = PK_MARK_POINTS, .name = "dots", .n = 3, .x = some_x, .y = some_y},
        {.kind = PK_MARK_LINE, .n = 3, .x = some_x, .y = some_y}};
    pk_chart chart = chart_of(marks, 2);
    char *text = draw(&chart);
    assert_non_null(strstr(text, "role=\"img\""));
    assert_non_null(strstr(text, "aria-labelledby=\"c1-title c1-desc\""));
    assert_non_null(strstr(text, "<title id=\"c1-title\">Title</title>"));
    assert_non_null(strstr(text, "<desc id=\"c1-desc\">What it shows.</desc>"));
    assert_non_null(strstr(text, ">Title</text>"));
    assert_non_null(strstr(text, ">time (µs)</text>")); /* the unit of the axis */
    assert_non_null(strstr(text, ">worker</text>"));
    assert_non_null(strstr(text, ">dots</text>"));
    assert_non_null(strstr(text, "<title>dots: 1.2000 µs, 2</title>"));
    assert_int_equal(count_of(text, "<title>dots: "), 3);
    assert_int_equal(count_of(text, "class=\"legend\""), 1); /* the line has no name */
    assert_null(strstr(text, "#")); /* no fixed colours: dark pages have others */
    free(text);
}

/* The numbers of `attribute` in order of appearance. */
static size_t numbers_of(const char *text, const char *attribute, double out[], size_t max) {
    size_t n = 0;
    for (const char *p = text; n < max && (p = strstr(p, attribute)); n++) {
        p += strlen(attribute);
        out[n] = strtod(p, NULL);
    }
    return n;
}

static void points_stand_where_their_values_are(void **state) {
    (void)state;
    const double x[] = {0, 5, 10, 20, NAN}, y[] = {0, 1, 2, 1, 1};
    const pk_mark marks[] = {{.kind = PK_MARK_POINTS, .n = 5, .x = x, .y = y}};
    pk_chart chart = chart_of(marks, 1);
    chart.x = (pk_axis){.low = 0, .high = 10, .label = "x"};
    char *text = draw(&chart);
    double cx[8], cy[8];
    assert_int_equal(numbers_of(text, "<circle cx=\"", cx, 8), 3); /* 20 is outside, NaN nowhere */
    assert_int_equal(numbers_of(text, " cy=\"", cy, 8), 3);
    assert_near(cx[1] - cx[0], cx[2] - cx[1], 0.001);
    assert_near(cy[0] - cy[1], cy[1] - cy[2], 0.001); /* upwards is less */
    assert_true(cx[0] < cx[2] && cy[0] > cy[2]);
    assert_true(cx[0] > 0 && cx[2] < PK_SVG_WIDTH);
    free(text);
}

static void a_line_has_a_gap_where_a_value_is_missing(void **state) {
    (void)state;
    const double x[] = {1, 2, 3, 4, 5, 6}, y[] = {1, 2, NAN, 3, 4, 5};
    pk_mark mark = {.kind = PK_MARK_LINE, .n = 6, .x = x, .y = y};
    pk_chart chart = chart_of(&mark, 1);
    char *text = draw(&chart);
    const char *line = strstr(text, "<path class=\"line\" d=\"M");
    assert_non_null(line);
    const char *end = strstr(line, "\"/>");
    size_t moves = 0, lines = 0;
    for (const char *p = strstr(line, "d=\""); p < end; p++) {
        moves += *p == 'M';
        lines += *p == 'L';
    }
    assert_int_equal(moves, 2);
    assert_int_equal(lines, 3);
    free(text);
}

static void long_legends_and_names_stay_inside(void **state) {
    (void)state;
    char name[200], row[200];
    memset(name, 'w', sizeof name - 1);
    memset(row, 'r', sizeof row - 1);
    name[sizeof name - 1] = row[sizeof row - 1] = '\0';
    const char *const rows[] = {row, "short"};
    pk_mark marks[12];
    for (size_t i = 0; i < 12; i++)
        marks[i] = (pk_mark){.kind = PK_MARK_POINTS,
                             .name = i == 5 ? name : "a middling name",
                             .n = 2,
                             .x = some_x,
                             .y = some_y};
    pk_chart chart = chart_of(marks, 12);
    chart.y = (pk_axis){.categories = rows, .n_categories = 2};
    char *text = draw(&chart);
    assert_well_formed(text);
    assert_non_null(strstr(text, "www…</text>"));
    assert_non_null(strstr(text, "rrr…</text>"));
    double x[64], y[64];
    size_t n = numbers_of(text, "class=\"legend\" x=\"", x, 64);
    assert_int_equal(n, 12);
    const char *legend = strstr(text, "class=\"legend\"");
    for (size_t i = 0; i < n; i++, legend = strstr(legend + 1, "class=\"legend\"")) {
        y[i] = strtod(strstr(legend, "y=\"") + 3, NULL);
        assert_in_range(x[i], 1, PK_SVG_WIDTH - 20);
        for (size_t k = 0; k < i; k++) assert_false(x[k] == x[i] && y[k] == y[i]);
    }
    free(text);
}

static void a_file_carries_its_style(void **state) {
    (void)state;
    const pk_mark marks[] = {{.kind = PK_MARK_LINE, .n = 3, .x = some_x, .y = some_y}};
    pk_chart chart = chart_of(marks, 1);
    pk_strbuf out;
    pk_strbuf_init(&out, 1 << 20);
    pk_svg_file(&out, &chart);
    assert_true(pk_strbuf_ok(&out));
    assert_well_formed(out.data);
    assert_non_null(strstr(out.data, "prefers-color-scheme: dark"));
    assert_non_null(strstr(out.data, "@media print"));
    assert_int_equal(count_of(out.data, "http"), 1); /* the name space; nothing to load */
    pk_strbuf_fini(&out);
    pk_strbuf_init(&out, 1000);
    pk_svg_file(&out, &chart);
    assert_false(pk_strbuf_ok(&out)); /* does not fit: told, not cut */
    pk_strbuf_fini(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_mark_is_well_formed),
        cmocka_unit_test(no_value_can_break_the_output),
        cmocka_unit_test(a_chart_without_values_says_so),
        cmocka_unit_test(texts_are_escaped_everywhere),
        cmocka_unit_test(the_parts_that_people_need_are_there),
        cmocka_unit_test(points_stand_where_their_values_are),
        cmocka_unit_test(a_line_has_a_gap_where_a_value_is_missing),
        cmocka_unit_test(long_legends_and_names_stay_inside),
        cmocka_unit_test(a_file_carries_its_style),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

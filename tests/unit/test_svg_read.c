/* Stacks read back from flame graphs: what was drawn is what is read. */
#include "profile_sample.h"

#include "profile/flame_svg.h"
#include "profile/saved.h"

static char *folded_of(const pk_profile *p) {
    pk_strbuf out;
    pk_err err = {0};
    pk_strbuf_init(&out, 1 << 20);
    assert_ok(pk_folded_write(&p->tree, &out, &err), &err);
    return pk_strbuf_detach(&out, NULL);
}

static pk_profile empty(void) {
    pk_profile p;
    pk_err err = {0};
    assert_ok(pk_profile_init(&p, 1, false, &err), &err);
    return p;
}

static void assert_read(const char *svg, const char *expected, pk_svg_info *info) {
    pk_profile p = empty();
    pk_err err = {0};
    assert_true(pk_is_svg(svg, strlen(svg)));
    assert_ok(pk_svg_read(&p.tree, "a.svg", svg, strlen(svg), info, &err), &err);
    char *folded = folded_of(&p);
    assert_string_equal(folded, expected);
    free(folded);
    pk_profile_fini(&p);
}

static char *drawn(const char *folded, unsigned n_weights, const pk_flame_style *style) {
    pk_names *names = pk_names_new(1 << 20);
    pk_stack_tree tree;
    pk_folded_read read = {0};
    pk_err err = {0};
    pk_strbuf out;
    pk_strbuf_init(&out, 1 << 20);
    assert_ok(pk_stack_tree_init(&tree, names, n_weights, false, &err), &err);
    assert_ok(pk_folded_add(&tree, folded, strlen(folded), &read, &err), &err);
    pk_stack_tree_sum(&tree);
    assert_ok(pk_stack_tree_sort(&tree, &err), &err);
    assert_ok(pk_flame_svg(&tree, style, &out, NULL, &err), &err);
    pk_stack_tree_fini(&tree);
    pk_names_free(names);
    return pk_strbuf_detach(&out, NULL);
}

static const char stacks[] =
    "main 2\nmain;a&b<c>;\"q\" 3\nmain;operator new;f(int, 5) 7\nmain;z 4\n"
    "other;\xc2\xb5s;</text> 16\n";

static void our_pictures_are_read_by_their_rectangles(void **state) {
    (void)state;
    pk_flame_style style = PK_FLAME_STYLE;
    pk_svg_info info;
    char *svg = drawn(stacks, 1, &style);
    assert_read(svg, stacks, &info);
    assert_false(info.exact || info.inverted);
    assert_int_equal(info.frames, 9);
    assert_int_equal(info.loose, 0);
    assert_int_equal(info.heaviest, 32);
    assert_string_equal(info.shown, "32 samples");
    free(svg);
    style.inverted = true;
    style.pretty = true;
    svg = drawn(stacks, 1, &style);
    assert_read(svg, stacks, &info);
    assert_true(info.inverted);
    free(svg);
}

static void a_single_stack_is_read_either_way_up(void **state) {
    (void)state;
    pk_flame_style style = PK_FLAME_STYLE;
    pk_svg_info info;
    for (int i = 0; i < 2; i++) {
        style.inverted = i;
        char *svg = drawn("a;b;c 1\n", 1, &style);
        assert_read(svg, "a;b;c 1\n", &info);
        assert_int_equal(info.inverted, i);
        free(svg);
    }
}

/* Frames too narrow to be drawn count for their callers, unless the stacks came along. */
static void what_was_not_drawn_comes_along(void **state) {
    (void)state;
    pk_flame_style style = PK_FLAME_STYLE;
    pk_svg_info info;
    style.min_width = 5;
    char *svg = drawn("main;a 1\nmain;b 2\nmain;c;d 1\nmain;c 96\n", 1, &style);
    assert_read(svg, "main 3\nmain;c 97\n", &info);
    assert_false(info.exact);
    free(svg);
    style.embed_stacks = true;
    svg = drawn("main;a 1\nmain;b 2\nmain;c;d 1\nmain;c 96\n", 1, &style);
    assert_read(svg, "main;a 1\nmain;b 2\nmain;c 96\nmain;c;d 1\n", &info);
    assert_true(info.exact);
    assert_string_equal(info.shown, "100 samples");
    /* Damaged, the picture itself still does. */
    char *metadata = strstr(svg, "\"stacks\"");
    assert_non_null(metadata);
    memset(strchr(metadata, '>') + 1, '!', 4);
    assert_read(svg, "main 3\nmain;c 97\n", &info);
    assert_false(info.exact);
    free(svg);
}

static void a_difference_is_read_as_what_was_after(void **state) {
    (void)state;
    pk_flame_style style = PK_FLAME_STYLE;
    pk_svg_info info;
    for (int i = 0; i < 2; i++) {
        style.embed_stacks = i;
        char *svg = drawn("main;a 1 3\nmain;b 4 2\nmain;gone 5 0\nmain;b;c 5 5\n", 2, &style);
        assert_read(svg, "main;a 3\nmain;b 2\nmain;b;c 5\n", &info);
        free(svg);
    }
}

/* As FlameGraph draws: no fg:x and fg:w, places in px with one decimal, attributes in any order. */
static void places_and_titles_do_where_there_are_no_weights(void **state) {
    (void)state;
    static const char svg[] =
        "<?xml version=\"1.0\"?>\n<!-- <g><title>no (1 samples)</title><rect/></g> -->\n"
        "<svg><style>a > b {}</style><script><![CDATA[ if (a < b) \"<title>\" ]]></script>\n"
        "<rect x=\"0.0\" y=\"0\" width=\"1200.0\" height=\"134.0\" fill=\"url(#background)\"  />\n"
        "<g id=\"frames\">\n"
        "<g >\n<title>b (2,000 samples, 66.67%)</title><rect x='403.3' y='53' width='786.7' "
        "height='15.0' fill='rgb(1,2,3)' rx='2' ry='2' />\n<text></text>\n</g>\n"
        "<g >\n<title>all (3,000 samples, 100%)</title><rect height=\"15.0\" width=\"1180.0\" "
        "y=\"85\" x=\"10.0\"/></g>\n"
        "<a href=\"x\"><title>main (3,000 samples, 100.00%)</title><rect x=\"10.0\" y=\"69\" "
        "width=\"1180.0\"/></a>\n"
        "<g><title>a &#38; &#x62; (500 samples, 16.67%)</title><rect x=\"10.0\" y=\"53\" "
        "width=\"196.7\"/></g>\n"
        "<g><title>c (1 samples, 0.03%)</title><rect x=\"403.3\" y=\"37\" width=\"0.4\"/></g>\n"
        "</g></svg>\n";
    pk_svg_info info;
    assert_read(svg, "main 500\nmain;a & b 500\nmain;b 1999\nmain;b;c 1\n", &info);
    assert_int_equal(info.frames, 4);
}

static void frames_in_the_air_are_counted_and_left_out(void **state) {
    (void)state;
    static const char svg[] =
        "<svg><g><title>all (4 n, 100%)</title><rect y=\"30\" fg:x=\"0\" fg:w=\"4\"/></g>"
        "<g><title>a (1 n, 25%)</title><rect y=\"20\" fg:x=\"0\" fg:w=\"1\"/></g>"
        "<g><title>b (1 n, 25%)</title><rect y=\"10\" fg:x=\"2\" fg:w=\"1\"/></g></svg>";
    pk_svg_info info;
    assert_read(svg, "a 1\n", &info);
    assert_int_equal(info.loose, 1);
    assert_int_equal(info.frames, 2);
}

static void what_is_no_flame_graph_is_an_error(void **state) {
    (void)state;
    static const char *const wrong[] = {"<svg></svg>", "<?xml?>",
                                        "<svg><title>a (1 n)</title></svg>",
                                        "<svg><g><title>a</title><rect x=\"1\"/></g></svg>"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        pk_profile p = empty();
        pk_svg_info info;
        pk_err err = {0};
        assert_fails(pk_svg_read(&p.tree, "a.svg", wrong[i], strlen(wrong[i]), &info, &err), &err,
                     PK_E_INPUT);
        assert_string_equal(err.where, "a.svg");
        pk_profile_fini(&p);
    }
}

/* ---- files of any kind ---- */

static void kinds_are_told_by_their_content(void **state) {
    (void)state;
    static const struct {
        const char *text;
        pk_saved_kind kind;
    } known[] = {
        {"PERFILE2\x68", PK_SAVED_PERF_DATA},
        {"<?xml version", PK_SAVED_SVG},
        {"\xef\xbb\xbf\n <svg ", PK_SAVED_SVG},
        {"main;a 1\n", PK_SAVED_FOLDED},
        {"# x\n\nmain 1.5\r\n", PK_SAVED_FOLDED},
        {"main;a b\n", PK_SAVED_UNKNOWN},
        {"", PK_SAVED_UNKNOWN},
        {"{\"schema\": 1}", PK_SAVED_UNKNOWN},
        {" 12\n", PK_SAVED_UNKNOWN},
        {"a 1 2\n", PK_SAVED_FOLDED},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        assert_int_equal(pk_saved_kind_of(known[i].text, strlen(known[i].text)), known[i].kind);
}

static pk_profile saved(const char *text) {
    pk_profile p = empty();
    pk_err err = {0};
    assert_ok(pk_saved_add(&p, "a", text, strlen(text), &err), &err);
    return p;
}

static void the_number_of_samples_is_said_where_it_can_be_told(void **state) {
    (void)state;
    static const struct {
        const char *folded, *unit;
        uint64_t samples;
    } known[] = {
        {"a 1\nb 12\n", "samples", 13},
        {"a 1003009\nb 3009027\n", "events", 4}, /* a period of 1003009 */
        {"a 1000\n", "events", 0},               /* one stack has no common divisor */
        {"a 250123\nb 1250001\n", "events", 0},  /* periods that vary */
        {"a 2000\nb 3000\nc 7\n", "samples", 5007},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        pk_profile p = saved(known[i].folded);
        assert_int_equal(pk_saved_samples(&p.tree), known[i].samples);
        if (known[i].samples) assert_int_equal(p.n_samples, known[i].samples);
        else assert_true(p.n_samples > 0); /* there is something to draw */
        assert_string_equal(p.unit, known[i].unit);
        assert_false(p.weight_is_time);
        pk_profile_fini(&p);
    }
}

/* 2 and 4 samples, all stacks of the first even by chance. */
static void two_recordings_tell_the_period_better_than_one(void **state) {
    (void)state;
    pk_profile a = saved("a 2006018\nb 4012036\n"), b = saved("a 1003009\nb 3009027\n");
    pk_profile counts = saved("a 5\n"), unknown = saved("a 250123\nb 1250001\n");
    uint64_t n[2];
    assert_int_equal(pk_saved_samples(&a.tree), 3);
    pk_saved_samples_of_two((const pk_stack_tree *const[2]){&a.tree, &b.tree}, n);
    assert_int_equal(n[0], 6);
    assert_int_equal(n[1], 4);
    pk_saved_samples_of_two((const pk_stack_tree *const[2]){&a.tree, &counts.tree}, n);
    assert_int_equal(n[0], 3);
    assert_int_equal(n[1], 5);
    pk_saved_samples_of_two((const pk_stack_tree *const[2]){&unknown.tree, &a.tree}, n);
    assert_int_equal(n[0], 0);
    assert_int_equal(n[1], 3);
    pk_profile_fini(&a);
    pk_profile_fini(&b);
    pk_profile_fini(&counts);
    pk_profile_fini(&unknown);
}

static void times_are_known_by_their_titles(void **state) {
    (void)state;
    pk_flame_style style = PK_FLAME_STYLE;
    style.weight_is_time = true;
    char *svg = drawn("main;a 12345678\nmain;b 24691356\n", 1, &style);
    pk_profile p = saved(svg);
    assert_true(p.weight_is_time);
    assert_string_equal(p.unit, "ns");
    assert_int_equal(p.n_samples, 3);
    pk_profile_fini(&p);
    free(svg);
    style.weight_is_time = false;
    style.count_name = "ms"; /* weights are ms, not ns */
    svg = drawn("main;a 12\n", 1, &style);
    p = saved(svg);
    assert_false(p.weight_is_time);
    assert_string_equal(p.unit, "ms");
    pk_profile_fini(&p);
    free(svg);
}

static void what_is_no_profile_is_an_error(void **state) {
    (void)state;
    pk_profile p = empty();
    pk_err err = {0};
    assert_fails(pk_saved_add(&p, "a", "hello\n", 6, &err), &err, PK_E_INPUT);
    assert_fails(pk_saved_add(&p, "a", "", 0, &err), &err, PK_E_INPUT);
    pk_profile_fini(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_pictures_are_read_by_their_rectangles),
        cmocka_unit_test(a_single_stack_is_read_either_way_up),
        cmocka_unit_test(what_was_not_drawn_comes_along),
        cmocka_unit_test(a_difference_is_read_as_what_was_after),
        cmocka_unit_test(places_and_titles_do_where_there_are_no_weights),
        cmocka_unit_test(frames_in_the_air_are_counted_and_left_out),
        cmocka_unit_test(what_is_no_flame_graph_is_an_error),
        cmocka_unit_test(kinds_are_told_by_their_content),
        cmocka_unit_test(the_number_of_samples_is_said_where_it_can_be_told),
        cmocka_unit_test(two_recordings_tell_the_period_better_than_one),
        cmocka_unit_test(times_are_known_by_their_titles),
        cmocka_unit_test(what_is_no_profile_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

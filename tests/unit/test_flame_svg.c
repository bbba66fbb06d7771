/* The picture: geometry, colours and texts with known values, and nothing that breaks out of it. */
#include "tests/unit/check.h"

#include <string.h>

#include "profile/flame_svg.h"
#include "profile/folded.h"

typedef struct fixture {
    pk_names *names;
    pk_stack_tree tree;
    pk_flame_style style;
    pk_strbuf out;
    size_t left_out;
    pk_err err;
} fixture;

static fixture begin(const char *folded, unsigned n_weights, bool in_order) {
    fixture f = {.names = pk_names_new(1 << 20), .style = PK_FLAME_STYLE};
    assert_non_null(f.names);
    assert_ok(pk_stack_tree_init(&f.tree, f.names, n_weights, in_order, &f.err), &f.err);
    pk_folded_read read = {0};
    assert_ok(pk_folded_add(&f.tree, folded, strlen(folded), &read, &f.err), &f.err);
    pk_stack_tree_sum(&f.tree);
    if (!in_order) assert_ok(pk_stack_tree_sort(&f.tree, &f.err), &f.err);
    pk_strbuf_init(&f.out, 16 << 20);
    return f;
}

static const char *draw(fixture *f) {
    pk_strbuf_clear(&f->out);
    assert_ok(pk_flame_svg(&f->tree, &f->style, &f->out, &f->left_out, &f->err), &f->err);
    return f->out.data;
}

static void end(fixture *f) {
    pk_strbuf_fini(&f->out);
    pk_stack_tree_fini(&f->tree);
    pk_names_free(f->names);
}

/* The frames in drawing order, without what stands around them. */
static void assert_frames(fixture *f, const char *expected) {
    const char *from = strstr(draw(f), "<svg id=\"frames\"");
    assert_non_null(from);
    from = strchr(from, '\n') + 1;
    const char *to = strstr(from, "</svg>");
    assert_non_null(to);
    assert_int_equal(to - from, strlen(expected));
    assert_memory_equal(from, expected, strlen(expected));
}

static void assert_holds(const char *svg, const char *what) {
    if (!strstr(svg, what)) fail_msg("no %s", what);
}

static const char three[] = "main;b;c 5\nmain;a 3\nmain;b 2\n";

/* Checked against inferno-flamegraph 0.12.8: the same lines. */
static void three_stacks_have_known_frames(void **state) {
    (void)state;
    fixture f = begin(three, 1, false);
    assert_frames(
        &f, "<g><title>a (3 samples, 30.00%)</title><rect x=\"0.0000%\" y=\"53\" "
            "width=\"30.0000%\" height=\"15\" fill=\"rgb(227,0,7)\" fg:x=\"0\" fg:w=\"3\"/>"
            "<text x=\"0.2500%\" y=\"63.50\">a</text></g>\n"
            "<g><title>all (10 samples, 100%)</title><rect x=\"0.0000%\" y=\"85\" "
            "width=\"100.0000%\" height=\"15\" fill=\"rgb(217,0,24)\" fg:x=\"0\" fg:w=\"10\"/>"
            "<text x=\"0.2500%\" y=\"95.50\"></text></g>\n"
            "<g><title>main (10 samples, 100.00%)</title><rect x=\"0.0000%\" y=\"69\" "
            "width=\"100.0000%\" height=\"15\" fill=\"rgb(221,193,54)\" fg:x=\"0\" fg:w=\"10\"/>"
            "<text x=\"0.2500%\" y=\"79.50\">main</text></g>\n"
            "<g><title>b (7 samples, 70.00%)</title><rect x=\"30.0000%\" y=\"53\" "
            "width=\"70.0000%\" height=\"15\" fill=\"rgb(248,212,6)\" fg:x=\"3\" fg:w=\"7\"/>"
            "<text x=\"30.2500%\" y=\"63.50\">b</text></g>\n"
            "<g><title>c (5 samples, 50.00%)</title><rect x=\"50.0000%\" y=\"37\" "
            "width=\"50.0000%\" height=\"15\" fill=\"rgb(208,68,35)\" fg:x=\"5\" fg:w=\"5\"/>"
            "<text x=\"50.2500%\" y=\"47.50\">c</text></g>\n");
    assert_holds(f.out.data, "viewBox=\"0 0 1200 134\"");
    assert_holds(f.out.data, "total_samples=\"10\"");
    assert_int_equal(f.left_out, 0);
    end(&f);
}

static void icicles_grow_down(void **state) {
    (void)state;
    fixture f = begin(three, 1, false);
    f.style.inverted = true;
    const char *svg = draw(&f);
    assert_holds(svg, "<title>all (10 samples, 100%)</title><rect x=\"0.0000%\" y=\"52\"");
    assert_holds(svg, "<title>c (5 samples, 50.00%)</title><rect x=\"50.0000%\" y=\"100\"");
    end(&f);
}

static pk_rgb colour(pk_colouring colouring, pk_palette palette, const char *name) {
    pk_colour_source source = {palette, colouring, PK_COLOUR_SEED};
    return pk_flame_colour(&source, name, strlen(name));
}

static void assert_colour(pk_rgb c, int r, int g, int b) {
    if (c.r != r || c.g != g || c.b != b) fail_msg("rgb(%d,%d,%d)", c.r, c.g, c.b);
}

static void names_have_known_colours(void **state) {
    (void)state;
    assert_colour(colour(PK_COLOURING_DETERMINISTIC, PK_PALETTE_HOT, ""), 206, 183, 37);
    assert_colour(colour(PK_COLOURING_DETERMINISTIC, PK_PALETTE_HOT, "main"), 238, 28, 47);
    assert_colour(colour(PK_COLOURING_DETERMINISTIC, PK_PALETTE_HOT, "a"), 249, 157, 1);
    assert_colour(colour(PK_COLOURING_SEQUENCE, PK_PALETTE_HOT, "a"), 227, 0, 7);
    /* 0.46692634 and reversed 0.8404103: 205 + 50 v2, 230 v1, 55 v2 */
    assert_colour(colour(PK_COLOURING_HASH, PK_PALETTE_HOT, "genunix`kmem_cache_free"), 247, 107,
                  46);
    assert_colour(colour(PK_COLOURING_HASH, PK_PALETTE_HOT, ""), 255, 230, 55);
    pk_rgb grey;
    assert_true(pk_separator_colour("--", 2, &grey) && grey.r == 160);
    assert_true(pk_separator_colour("-", 1, &grey) && grey.r == 200);
    assert_false(pk_separator_colour("a-", 2, &grey) || pk_separator_colour("", 0, &grey));
}

/* A frame's palette shows in which of its three components is the greatest. */
static void assert_palette(pk_palette palette, const char *name, pk_palette as) {
    pk_rgb is = colour(PK_COLOURING_DETERMINISTIC, palette, name);
    pk_rgb expected = colour(PK_COLOURING_DETERMINISTIC, as, name);
    if (is.r != expected.r || is.g != expected.g || is.b != expected.b)
        fail_msg("%s: %s is not %s", pk_palette_name(palette), name, pk_palette_name(as));
}

static void palettes_know_languages(void **state) {
    (void)state;
    assert_palette(PK_PALETTE_JAVA, "do_idle_[k]", PK_PALETTE_ORANGE);
    assert_palette(PK_PALETTE_JAVA, "Ljava/util/Map.get_[i]", PK_PALETTE_AQUA);
    assert_palette(PK_PALETTE_JAVA, "x_[j]", PK_PALETTE_GREEN);
    assert_palette(PK_PALETTE_JAVA, "a::b", PK_PALETTE_YELLOW);
    assert_palette(PK_PALETTE_JAVA, "Ljava/util/Map", PK_PALETTE_GREEN);
    assert_palette(PK_PALETTE_JAVA, "com.x.y", PK_PALETTE_GREEN);
    assert_palette(PK_PALETTE_JAVA, "[libc.so.6]", PK_PALETTE_RED);
    assert_palette(PK_PALETTE_JS, "  ", PK_PALETTE_GREEN);
    assert_palette(PK_PALETTE_JS, "/a/node_modules/b.js", PK_PALETTE_PURPLE);
    assert_palette(PK_PALETTE_JS, "/a/b.js", PK_PALETTE_GREEN);
    assert_palette(PK_PALETTE_JS, "f /a/b.js:1", PK_PALETTE_AQUA);
    assert_palette(PK_PALETTE_JS, "f_[j]", PK_PALETTE_AQUA);
    assert_palette(PK_PALETTE_JS, "v8::f", PK_PALETTE_YELLOW);
    assert_palette(PK_PALETTE_PERL, "Perl_pp_add", PK_PALETTE_GREEN);
    assert_palette(PK_PALETTE_PERL, "main", PK_PALETTE_RED);
    assert_palette(PK_PALETTE_PYTHON, "/x/site-packages/y.py", PK_PALETTE_AQUA);
    assert_palette(PK_PALETTE_PYTHON, "/usr/lib/python3.11/json.py", PK_PALETTE_YELLOW);
    assert_palette(PK_PALETTE_PYTHON, "<frozen os>", PK_PALETTE_YELLOW);
    assert_palette(PK_PALETTE_PYTHON, "app.py", PK_PALETTE_RED);
    assert_palette(PK_PALETTE_RUST, "app`core::fmt::write", PK_PALETTE_ORANGE);
    assert_palette(PK_PALETTE_RUST, "<alloc::vec::Vec<T>>::push", PK_PALETTE_ORANGE);
    assert_palette(PK_PALETTE_RUST, "app::run", PK_PALETTE_AQUA);
    assert_palette(PK_PALETTE_RUST, "main", PK_PALETTE_YELLOW);
    assert_palette(PK_PALETTE_WAKEUP, "main", PK_PALETTE_AQUA);
    for (int i = 0; i < PK_PALETTES; i++) {
        pk_palette parsed;
        assert_true(pk_palette_parse(pk_palette_name((pk_palette)i), &parsed));
        assert_int_equal(parsed, i);
    }
}

static void backgrounds_are_names_or_colours(void **state) {
    (void)state;
    pk_rgb top, bottom;
    assert_true(pk_background_parse("#0aF9b3", &top, &bottom));
    assert_colour(top, 0x0a, 0xf9, 0xb3);
    assert_true(pk_background_parse("green", &top, &bottom));
    assert_colour(bottom, 0xe0, 0xff, 0xe0);
    assert_false(pk_background_parse("#12345", &top, &bottom));
    assert_false(pk_background_parse("#12345g", &top, &bottom));
    assert_false(pk_background_parse("pink", &top, &bottom));
}

static void a_difference_shows_what_came_and_went(void **state) {
    (void)state;
    fixture f = begin("main;a 1 3\nmain;b 4 2\nmain;b;c 5 5\nmain;gone 9 0\n", 2, false);
    const char *svg = draw(&f);
    /* main lost 9 of 19; a won 2 and b with c lost 2, of at most 9 */
    assert_holds(svg, "<title>main (10 samples, 100.00%; -90.00%)</title>");
    assert_holds(svg, "<title>a (3 samples, 30.00%; +20.00%)</title>");
    assert_holds(svg, "<title>b (7 samples, 70.00%; -20.00%)</title>");
    assert_holds(svg, "<title>c (5 samples, 50.00%; 0.00%)</title>");
    assert_holds(svg, "fill=\"rgb(250,250,250)\"");
    assert_holds(svg, "fill=\"rgb(100,100,255)\"");
    assert_holds(svg, "fill=\"rgb(255,216,216)\"");
    f.style.negate = true;
    assert_holds(draw(&f), "<title>a (3 samples, 30.00%; -20.00%)</title>");
    end(&f);
}

static void a_chart_keeps_the_order_and_gaps(void **state) {
    (void)state;
    fixture f = begin("main;b 1\nmain 2\nmain;a 1\n", 1, true);
    const char *svg = draw(&f);
    assert_holds(svg, "<title>b (1 samples, 25.00%)</title><rect x=\"0.0000%\"");
    assert_holds(svg, "<title>a (1 samples, 25.00%)</title><rect x=\"75.0000%\"");
    assert_holds(svg, "<title>main (4 samples, 100.00%)</title>");
    end(&f);
}

static void narrow_frames_are_left_out_and_counted(void **state) {
    (void)state;
    fixture f = begin("main;a 9999\nmain;b;c 1\n", 1, false);
    f.style.min_width = 0.1;
    const char *svg = draw(&f);
    assert_holds(svg, "<title>a (9,999 samples, 99.99%)</title>");
    assert_null(strstr(svg, "<title>b "));
    assert_int_equal(f.left_out, 2);
    end(&f);
}

static void no_name_breaks_out(void **state) {
    (void)state;
    fixture f = begin("</text><script>alert(1)</script>&\"' 1\nx\x01\xff 1\n", 1, false);
    f.style.title = "a<b>&\"";
    f.style.subtitle = "</text>";
    f.style.notes = "-->\n--->\xc3\xa9";
    f.style.font = "x\"; } * { color:red & \xc3\xa9";
    f.style.count_name = "<b>";
    const char *svg = draw(&f);
    assert_null(strstr(svg, "<script>"));
    assert_null(strstr(svg, "</text><"
                            "/text>"));
    assert_holds(
        svg, "&lt;/text&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#39; (1 &lt;b&gt;,");
    assert_holds(svg, ">a&lt;b&gt;&amp;&quot;</text>");
    const char *notes = strstr(svg, "<!--NOTES: ");
    assert_non_null(notes);
    assert_ptr_equal(strstr(notes + 4, "--"), strstr(notes + 4, "-->"));
    assert_null(strchr(svg, 1));
    end(&f);
}

static void marks_colour_and_do_not_show(void **state) {
    (void)state;
    fixture f = begin("main;sys_read_[k] 10\n", 1, false);
    f.style.palette = PK_PALETTE_JAVA;
    const char *svg = draw(&f);
    assert_holds(svg, "<title>sys_read (10 samples, 100.00%)</title>");
    assert_holds(svg, ">sys_read</text>");
    end(&f);
}

static void counts_take_a_factor(void **state) {
    (void)state;
    fixture f = begin("main 1234567\n", 1, false);
    f.style.factor = 1e-3;
    f.style.count_name = "ms";
    assert_holds(draw(&f), "<title>main (1,235 ms, 100.00%)</title>");
    end(&f);
}

static void nothing_is_a_sentence_and_an_error(void **state) {
    (void)state;
    fixture f = begin("", 1, false);
    assert_false(pk_flame_svg(&f.tree, &f.style, &f.out, NULL, &f.err));
    assert_int_equal(f.err.kind, PK_E_INPUT);
    assert_holds(f.out.data, "no stack has any weight");
    assert_holds(f.out.data, "</svg>");
    end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_stacks_have_known_frames),
        cmocka_unit_test(icicles_grow_down),
        cmocka_unit_test(names_have_known_colours),
        cmocka_unit_test(palettes_know_languages),
        cmocka_unit_test(backgrounds_are_names_or_colours),
        cmocka_unit_test(a_difference_shows_what_came_and_went),
        cmocka_unit_test(a_chart_keeps_the_order_and_gaps),
        cmocka_unit_test(narrow_frames_are_left_out_and_counted),
        cmocka_unit_test(no_name_breaks_out),
        cmocka_unit_test(marks_colour_and_do_not_show),
        cmocka_unit_test(counts_take_a_factor),
        cmocka_unit_test(nothing_is_a_sentence_and_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

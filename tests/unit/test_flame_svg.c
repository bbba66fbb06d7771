/* The picture: geometry, colours and texts with known values, and nothing that breaks out of it.
 * With PAGES_DIR=FOLDER it only writes the pictures that tests/browser looks at into that folder.
 */
#include "tests/unit/check.h"

#include <string.h>

#include "profile/flame_svg.h"
#include "profile/folded.h"
#include "profile/folded_pack.h"

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
        fail_msg("%s: %s is not %s", pk_palette_names[palette], name, pk_palette_names[as]);
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
    assert_string_equal(pk_palette_names[PK_PALETTE_HOT], "hot");
    assert_string_equal(pk_palette_names[PK_PALETTE_RUST], "rust");
    assert_string_equal(pk_palette_names[PK_PALETTE_ORANGE], "orange");
    assert_null(pk_palette_names[PK_PALETTES]);
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
    assert_holds(svg, ">2 frames narrower than 0.1% are left out</text>");
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

static void times_are_shown_with_their_samples(void **state) {
    (void)state;
    fixture f = begin("main;a 3009027\nmain 1003009\n", 1, false);
    f.style.weight_is_time = true;
    f.style.sample_weight = 1003009;
    const char *svg = draw(&f);
    assert_holds(svg, "<title>all (4.01 ms, 4 samples, 100%)</title>");
    assert_holds(svg, "<title>a (3.01 ms, 3 samples, 75.00%)</title>");
    assert_holds(svg, "fg:w=\"3009027\"");
    f.style.factor = 1e3;
    assert_holds(draw(&f), "<title>a (3.01 s, 3 samples, 75.00%)</title>");
    f.style.weight_is_time = false;
    f.style.factor = 1;
    f.style.count_name = "cycles";
    assert_holds(draw(&f), "<title>a (3,009,027 cycles, 3 samples, 75.00%)</title>");
    f.style.weight_is_bytes = true;
    f.style.sample_weight = 0;
    assert_holds(draw(&f), "<title>a (2.87 MiB, 75.00%)</title>");
    end(&f);
}

static unsigned count_of(const char *svg, const char *what) {
    unsigned n = 0;
    for (const char *at = svg; (at = strstr(at, what)); at++) n++;
    return n;
}

static void too_many_frames_lose_the_narrowest(void **state) {
    (void)state;
    fixture f = begin("main;a 50\nmain;b 30\nmain;c 20\nmain;d 20\n", 1, false);
    f.style.max_frames = 4;
    const char *svg = draw(&f); /* c and d are alike: both go */
    assert_int_equal(count_of(svg, "<g><title>"), 4);
    assert_holds(svg, "<title>b (30 samples, 25.00%)</title>");
    assert_null(strstr(svg, "<title>c "));
    assert_int_equal(f.left_out, 2);
    assert_holds(svg, ">2 frames narrower than 18% are left out</text>");
    f.style.max_frames = 5;
    assert_int_equal(count_of(draw(&f), "<g><title>"), 6);
    assert_int_equal(f.left_out, 0);
    assert_null(strstr(f.out.data, "left out"));
    end(&f);
}

static void a_larger_total_leaves_room(void **state) {
    (void)state;
    fixture f = begin(three, 1, false);
    f.style.total = 20;
    const char *svg = draw(&f);
    assert_holds(svg, "<title>all (20 samples, 100%)</title>");
    assert_holds(svg, "<title>main (10 samples, 50.00%)</title><rect x=\"0.0000%\" y=\"69\" "
                      "width=\"50.0000%\"");
    f.style.total = 9; /* less than there is: not heeded */
    assert_holds(draw(&f), "<title>main (10 samples, 100.00%)</title>");
    end(&f);
}

static void frames_get_links_and_attributes(void **state) {
    (void)state;
    static const char wishes[] = "a\ttitle=My \"A\" & co\thref=http://x/?a=1&b=2\tid=ida\n"
                                 "b\tclass=\"k\"\n";
    fixture f = begin(three, 1, false);
    uint64_t ignored = 0;
    pk_flame_attributes *all = pk_flame_attributes_read(wishes, strlen(wishes), &ignored, &f.err);
    assert_non_null(all);
    f.style.attributes = all;
    const char *svg = draw(&f);
    assert_holds(svg, "<a xlink:href=\"http://x/?a=1&amp;b=2\" id=\"ida\" target=\"_top\">"
                      "<title>My &quot;A&quot; &amp; co</title>");
    assert_holds(svg, ">a</text></a>\n");
    assert_holds(svg, "<g class=\"k\"><title>b (7 samples, 70.00%)</title>");
    pk_flame_attributes_free(all);
    end(&f);
}

static void colours_are_kept(void **state) {
    (void)state;
    fixture f = begin(three, 1, false);
    pk_palette_map *map = pk_palette_map_new();
    assert_non_null(map);
    assert_true(pk_palette_map_set(map, "main", 4, (pk_rgb){1, 2, 3}));
    f.style.palette_map = map;
    assert_holds(draw(&f), "fill=\"rgb(1,2,3)\" fg:x=\"0\" fg:w=\"10\"");
    /* b is coloured after a and the root: the one of main was not drawn from the sequence */
    pk_rgb colour;
    assert_true(pk_palette_map_find(map, "b", 1, &colour));
    assert_int_equal(colour.r, 221);
    assert_int_equal(colour.g, 193);
    assert_int_equal(colour.b, 54);
    pk_palette_map_free(map);
    end(&f);
}

static void stacks_travel_along(void **state) {
    (void)state;
    fixture f = begin("main;a 99999\nmain;b_[k] 1\n", 1, false);
    assert_null(strstr(draw(&f), "<metadata"));
    f.style.embed_stacks = true;
    f.style.min_width = 1; /* of b there is nothing to be seen */
    const char *from = strstr(draw(&f), "<metadata id=\"stacks\"");
    assert_non_null(from);
    from = strchr(from, '>') + 1;
    const char *to = strchr(from, '<');
    assert_non_null(to);
    pk_strbuf folded;
    pk_strbuf_init(&folded, 1 << 20);
    assert_ok(pk_folded_unpack(from, (size_t)(to - from), &folded, &f.err), &f.err);
    assert_string_equal(folded.data, "main;a 99999\nmain;b_[k] 1\n");
    pk_strbuf_fini(&folded);
    end(&f);
}

static void a_difference_explains_itself(void **state) {
    (void)state;
    fixture f = begin("main;a 1 3\nmain;b;x 3 0\nmain;b;y 1 0\nmain;c 5 7\nmain;z 2 0\n", 2, false);
    const char *svg = draw(&f);
    assert_holds(svg, "</tspan> less than before: 12 samples \u2192 10 samples (-16.7%)</text>");
    assert_holds(svg, ">Vanished: 6 samples before, nothing after</text>");
    /* with all that it called, so x and y have no line; the heaviest first */
    assert_holds(svg, "<title>main;b</title>b (4 samples)</text>\n<text x=\"10\" y=\"190\">"
                      "<title>main;z</title>z (2 samples)</text>\n</g>");
    assert_holds(svg, "viewBox=\"0 0 1200 206\"");
    assert_int_equal(f.left_out, 0);
    f.style.plain = true;
    svg = draw(&f);
    assert_null(strstr(svg, "Vanished"));
    assert_null(strstr(svg, "id=\"legend\""));
    assert_holds(svg, "viewBox=\"0 0 1200 118\"");
    end(&f);
}

static void a_long_list_of_what_vanished_is_cut(void **state) {
    (void)state;
    pk_strbuf folded;
    pk_strbuf_init(&folded, 1 << 20);
    pk_strbuf_add_str(&folded, "main 5 5\n");
    for (int i = 0; i < 15; i++) pk_strbuf_addf(&folded, "main;f%02d %d 0\n", i, i + 1);
    fixture f = begin(folded.data, 2, false);
    const char *svg = draw(&f);
    assert_holds(svg, ">Vanished: 120 samples before");
    assert_holds(svg, "</title>f14 (15 samples)</text>");
    assert_holds(svg, "</title>f03 (4 samples)</text>");
    assert_null(strstr(svg, "</title>f02 (3 samples)</text>"));
    assert_holds(svg, ">and 3 more</text>");
    pk_strbuf_fini(&folded);
    end(&f);
}

static void titles_follow_the_kind(void **state) {
    (void)state;
    fixture f = begin(three, 1, false);
    f.style.title = NULL;
    assert_holds(draw(&f), ">Flame Graph</text>");
    f.style.inverted = true;
    assert_holds(draw(&f), ">Icicle Graph</text>");
    end(&f);
    f = begin(three, 1, true);
    f.style.title = NULL;
    assert_holds(draw(&f), ">Flame Chart</text>");
    end(&f);
}

static void elements_may_have_lines_of_their_own(void **state) {
    (void)state;
    fixture f = begin("main 1\n", 1, false);
    f.style.pretty = true;
    assert_holds(draw(&f), "<g>\n  <title>main (1 samples, 100.00%)</title>\n  <rect ");
    assert_holds(f.out.data, "/>\n  <text x=\"0.2500%\" y=\"47.50\">main</text>\n</g>\n");
    end(&f);
}

static void plain_is_what_the_peer_draws(void **state) {
    (void)state;
    fixture f = begin(three, 1, false);
    assert_holds(draw(&f), ">Opened in a browser, frames zoom on a click");
    assert_holds(f.out.data, "class=\"perfkit-flame night\"");
    f.style.plain = true;
    assert_holds(draw(&f), "y=\"117.00\"> </text>");
    assert_holds(f.out.data, "class=\"perfkit-flame\"");
    f.style.plain = false;
    f.style.background = "#ffffff"; /* as it was asked for, at night too */
    assert_holds(draw(&f), "class=\"perfkit-flame\"");
    end(&f);
}

/* ---- for the browser ---- */

static void write_picture(fixture *f, const char *name) {
    char path[CHECK_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s.svg", getenv("PAGES_DIR"), name);
    check_write_file(path, draw(f));
    end(f);
}

/* In ms: 1 s in all, parse 50 %, read 40 %, Flush 20 %. */
static fixture begin_known(void) {
    fixture f = begin("serve;main;parse;read 300000000\nserve;main;parse 100000000\n"
                      "serve;main;write;Flush 200000000\nserve;main;write;parse;read 100000000\n"
                      "serve;idle_with_a_name_too_long_to_be_shown_in_whole_on_a_telephone "
                      "300000000\n",
                      1, false);
    f.style.weight_is_time = true;
    f.style.sample_weight = 1000000;
    f.style.title = "Flame graph of a server under load";
    f.style.subtitle = "1,000 samples of cpu-clock at 1,000 Hz in 1 s, none lost: perfkit serve";
    return f;
}

static void the_pictures_for_the_browser(void **state) {
    (void)state;
    fixture f = begin_known();
    write_picture(&f, "known");
    f = begin_known();
    f.style.inverted = true;
    f.style.plain = true;
    write_picture(&f, "icicle");
    f = begin_known();
    f.style.image_width = 900;
    f.style.background = "#f8f8f8";
    write_picture(&f, "fixed");
    f = begin("</text><script>alert(1)</script>&\"';a\x01\xff\xc3\xa9 1\n--></style>]]> 1\n", 1,
              false);
    f.style.title = "</text><script>alert(2)</script>";
    f.style.notes = "--><script>alert(3)</script>";
    f.style.embed_stacks = true;
    write_picture(&f, "hostile");
    f = begin("main;a 10 30\nmain;b 40 20\nmain;c 50 50\nmain;gone;x 9 0\n", 2, false);
    write_picture(&f, "difference");
    f = begin("main;a 3\nmain;b 4\nmain;a 3\n", 1, true);
    write_picture(&f, "chart");
    f = begin("main;a 512\nmain;b 1536\nmain;c 3145728\n", 1, false);
    f.style.weight_is_bytes = true;
    write_picture(&f, "bytes");
    f = begin(three, 1, false);
    static const char wishes[] = "a\thref=#there\n";
    uint64_t ignored = 0;
    pk_flame_attributes *all = pk_flame_attributes_read(wishes, strlen(wishes), &ignored, &f.err);
    assert_non_null(all);
    f.style.attributes = all;
    write_picture(&f, "link");
    pk_flame_attributes_free(all);
}

/* Stacks of 20 frames, no two the same, as random as those of a large program: 3 functions are
 * called at each level, and each of them at random. */
static void the_large_picture_for_the_browser(void **state) {
    (void)state;
    enum { STACKS = 50000, DEPTH = 20 };
    pk_strbuf folded;
    pk_strbuf_init(&folded, 64 << 20);
    uint32_t x = 1;
    for (int i = 0; i < STACKS; i++) {
        pk_strbuf_add_str(&folded, "main");
        for (int level = 0; level < DEPTH; level++) {
            x = x * 1664525 + 1013904223;
            uint32_t r = x >> 24;
            pk_strbuf_addf(&folded, ";level%d_function_%d", level, r < 200 ? 0 : r < 245 ? 1 : 2);
        }
        pk_strbuf_addf(&folded, ";leaf%d %d\n", i, 1 + i % 7);
    }
    fixture f = begin(folded.data, 1, false);
    pk_strbuf_fini(&folded);
    f.style.max_frames = PK_FLAME_FRAMES_MAX;
    f.style.min_width = 0;
    write_picture(&f, "large");
}

int main(void) {
    const struct CMUnitTest browser[] = {cmocka_unit_test(the_pictures_for_the_browser),
                                         cmocka_unit_test(the_large_picture_for_the_browser)};
    if (getenv("PAGES_DIR")) return cmocka_run_group_tests(browser, NULL, NULL);
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
        cmocka_unit_test(times_are_shown_with_their_samples),
        cmocka_unit_test(too_many_frames_lose_the_narrowest),
        cmocka_unit_test(a_larger_total_leaves_room),
        cmocka_unit_test(frames_get_links_and_attributes),
        cmocka_unit_test(colours_are_kept),
        cmocka_unit_test(stacks_travel_along),
        cmocka_unit_test(a_difference_explains_itself),
        cmocka_unit_test(a_long_list_of_what_vanished_is_cut),
        cmocka_unit_test(titles_follow_the_kind),
        cmocka_unit_test(elements_may_have_lines_of_their_own),
        cmocka_unit_test(plain_is_what_the_peer_draws),
        cmocka_unit_test(nothing_is_a_sentence_and_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Threads over time: what a sample stands for, and where it is drawn.
 * With PAGES_DIR=FOLDER it only writes the picture that tests/browser looks at into that folder. */
#include "tests/unit/check.h"

#include <string.h>

#include "profile/flame_chart.h"

static uint32_t intern(pk_profile *p, const char *name) {
    return pk_names_intern(p->names, name, strlen(name));
}

static uint32_t add_thread(pk_profile *p, const char *name, uint32_t tid) {
    pk_profile_thread *thread = pk_array_push(&p->threads);
    assert_non_null(thread);
    *thread = (pk_profile_thread){.pid = 10, .tid = tid, .name = intern(p, name)};
    return (uint32_t)p->threads.count - 1;
}

/* A sample that began a second and so many us after the clock did, of 1 ms; stack: "a;b;c". */
static void add_sample(pk_profile *p, uint32_t thread, uint64_t us, const char *stack) {
    pk_err err = {0};
    uint32_t frames[8];
    size_t n = 0;
    for (const char *at = stack, *end; at; at = end ? end + 1 : NULL) {
        end = strchr(at, ';');
        frames[n++] = pk_names_intern(p->names, at, end ? (size_t)(end - at) : strlen(at));
    }
    const uint64_t weight = 1000000;
    uint32_t node = pk_stack_tree_add(&p->tree, frames, n, &weight, &err);
    assert_ok(node != PK_NODE_NONE, &err);
    pk_profile_sample *sample = pk_array_push(&p->samples);
    assert_non_null(sample);
    *sample = (pk_profile_sample){1000000000 + us * 1000, thread, node, weight};
}

/* worker: 3 samples about 1 ms apart, and one at the end; io: one in between. */
static void begin_threads(pk_profile *p) {
    pk_err err = {0};
    assert_ok(pk_profile_init(p, 1, false, &err), &err);
    p->weight_is_time = true;
    uint32_t worker = add_thread(p, "worker", 11), io = add_thread(p, "io", 12);
    add_thread(p, "idle", 13);
    add_sample(p, worker, 1000, "worker-10/11;main;a");
    add_sample(p, worker, 2000, "worker-10/11;main;a");
    add_sample(p, worker, 3100, "worker-10/11;main;a");
    add_sample(p, io, 5000, "io-10/12;loop");
    add_sample(p, worker, 10000, "worker-10/11;main;b");
}

static const char *draw_threads(pk_profile *p, const pk_flame_style *style, pk_strbuf *out) {
    pk_err err = {0};
    size_t left_out;
    pk_strbuf_clear(out);
    assert_ok(pk_flame_chart_svg(p, style, out, &left_out, &err), &err);
    return out->data;
}

static void threads_have_lanes_on_one_axis_of_time(void **state) {
    (void)state;
    pk_profile p;
    begin_threads(&p);
    pk_strbuf out;
    pk_strbuf_init(&out, 1 << 20);
    pk_flame_style style = PK_FLAME_STYLE;
    style.title = NULL;
    const char *svg = draw_threads(&p, &style, &out);
    assert_holds(svg, ">Flame Chart</text>");
    /* two lanes: 48 px of heading, 3 rows, half a row of air, 2 rows, 34 px below */
    assert_holds(svg, "viewBox=\"0 0 1200 170\"");
    assert_holds(svg, "<g class=\"thread\"><title>worker 11 (4.1 ms of 10 ms)</title>"
                      "<rect x=\"0.0000%\" y=\"81\" width=\"100.0000%\"");
    assert_holds(svg, "<title>io 12 (1 ms of 10 ms)</title><rect x=\"0.0000%\" y=\"121\"");
    assert_holds(svg, "<title>main (3.1 ms from 0)</title><rect x=\"0.0000%\" y=\"65\" "
                      "width=\"31.0000%\"");
    assert_holds(svg, "<title>a (3.1 ms from 0)</title><rect x=\"0.0000%\" y=\"49\"");
    assert_holds(svg, "<title>b (1 ms from 9 ms)</title><rect x=\"90.0000%\"");
    assert_holds(svg, "<title>loop (1 ms from 4 ms)</title><rect x=\"40.0000%\" y=\"105\" "
                      "width=\"10.0000%\"");
    assert_null(strstr(svg, "idle 13"));
    assert_holds(svg, "total_samples=\"10000000\"");
    assert_holds(svg, "y=\"45.00\">10 ms</text>");
    style.inverted = true;
    svg = draw_threads(&p, &style, &out);
    assert_holds(svg, "<title>worker 11 (4.1 ms of 10 ms)</title><rect x=\"0.0000%\" y=\"64\"");
    assert_holds(svg, "<title>a (3.1 ms from 0)</title><rect x=\"0.0000%\" y=\"96\"");
    assert_holds(svg, "<title>io 12 (1 ms of 10 ms)</title><rect x=\"0.0000%\" y=\"120\"");
    pk_strbuf_fini(&out);
    pk_profile_fini(&p);
}

static void weights_that_are_no_times_last_a_period(void **state) {
    (void)state;
    pk_profile p;
    begin_threads(&p);
    p.weight_is_time = false;
    p.frequency_hz = 500; /* 2 ms: the first sample reaches back before the clock's second */
    pk_strbuf out;
    pk_strbuf_init(&out, 1 << 20);
    const char *svg = draw_threads(&p, &PK_FLAME_STYLE, &out);
    assert_holds(svg, "<title>worker 11 (6.1 ms of 11 ms)</title>");
    assert_holds(svg, "<title>loop (2 ms from 4 ms)</title>");
    pk_strbuf_fini(&out);
    pk_profile_fini(&p);
}

static void time_off_the_cpu_comes_after_its_sample(void **state) {
    (void)state;
    pk_profile p;
    begin_threads(&p);
    p.off_cpu = true;
    pk_strbuf out;
    pk_strbuf_init(&out, 1 << 20);
    const char *svg = draw_threads(&p, &PK_FLAME_STYLE, &out);
    assert_holds(svg, "<title>worker 11 (4 ms of 10 ms)</title>");
    assert_holds(svg, "<title>main (2 ms from 0)</title>");
    assert_holds(svg, "<title>main (1 ms from 2.1 ms)</title>"); /* no hole is closed here */
    assert_holds(svg, "<title>loop (1 ms from 4 ms)</title>");
    pk_strbuf_fini(&out);
    pk_profile_fini(&p);
}

static void without_samples_there_is_no_chart(void **state) {
    (void)state;
    pk_profile p;
    pk_err err = {0};
    assert_ok(pk_profile_init(&p, 1, false, &err), &err);
    pk_strbuf out;
    pk_strbuf_init(&out, 1 << 20);
    assert_false(pk_flame_chart_svg(&p, &PK_FLAME_STYLE, &out, NULL, &err));
    assert_int_equal(err.kind, PK_E_INPUT);
    pk_strbuf_fini(&out);
    pk_profile_fini(&p);
}

static void samples_without_a_time_make_no_chart(void **state) {
    (void)state;
    pk_profile p;
    begin_threads(&p);
    assert_true(pk_flame_chart_possible(&p));
    PK_AT(&p.samples, pk_profile_sample, 2).time_ns = UINT64_MAX;
    assert_false(pk_flame_chart_possible(&p));
    PK_AT(&p.samples, pk_profile_sample, 2).time_ns = 0;
    assert_false(pk_flame_chart_possible(&p));
    pk_profile_fini(&p);
}

static void the_threads_for_the_browser(void **state) {
    (void)state;
    pk_profile p;
    begin_threads(&p);
    pk_strbuf out;
    pk_strbuf_init(&out, 1 << 20);
    char path[CHECK_PATH_MAX];
    snprintf(path, sizeof path, "%s/threads.svg", getenv("PAGES_DIR"));
    check_write_file(path, draw_threads(&p, &PK_FLAME_STYLE, &out));
    pk_strbuf_fini(&out);
    pk_profile_fini(&p);
}

int main(void) {
    const struct CMUnitTest browser[] = {cmocka_unit_test(the_threads_for_the_browser)};
    if (getenv("PAGES_DIR")) return cmocka_run_group_tests(browser, NULL, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_have_lanes_on_one_axis_of_time),
        cmocka_unit_test(weights_that_are_no_times_last_a_period),
        cmocka_unit_test(time_off_the_cpu_comes_after_its_sample),
        cmocka_unit_test(without_samples_there_is_no_chart),
        cmocka_unit_test(samples_without_a_time_make_no_chart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

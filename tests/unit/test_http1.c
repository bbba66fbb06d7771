/* Every case of http1_cases.h, and those at the limits, whole, byte by byte and cut in two at each
 * position: both the fast parser and its oracle say what the case says, at the byte it says. */
#include "check.h"

#include <inttypes.h>

#include "http1_cases.h"
#include "load/http1_scan.h"
#include "tests/oracle/http1_feeder.h"
#include "tests/oracle/http1_slow.h"

enum { TEXT_MAX = 200000, ENOUGH = 1000 };

static const char *const step_names[] = {"more", "done", "error"};

/* ---- outcomes ---- */

typedef struct outcome {
    pk_http1_step step;
    pk_load_error_class error;
    unsigned status;
    uint64_t body, head;
    bool keep_alive, suspicious;
    uint64_t used;
} outcome;

static outcome outcome_of_fast(const http1_feeder *f) {
    const pk_http1 *p = &f->parser;
    return (outcome){f->step,       p->error,      p->status,     p->body_bytes,
                     p->head_bytes, p->keep_alive, p->suspicious, f->used};
}

static outcome outcome_of_slow(const http1_slow *s, pk_http1_step step) {
    return (outcome){step,          s->error,      s->status,     s->body_bytes,
                     s->head_bytes, s->keep_alive, s->suspicious, s->bytes};
}

/* known: after how many bytes the case knows its outcome. */
static void assert_outcome(const http1_case *c, uint64_t known, outcome got, const char *who,
                           size_t cut) {
    bool same = got.step == c->step && got.error == c->error && got.status == c->status &&
                got.body == c->body && got.keep_alive == c->keep_alive &&
                got.suspicious == c->suspicious;
    if (c->step == PK_HTTP1_DONE) same &= got.used == known && got.head == known - c->body;
    if (same) return;
    print_error("%s: the %s parser, cut %zu: %s, %s, status %u, body %" PRIu64 ", head %" PRIu64
                ", used %" PRIu64 ", keep-alive %d, suspicious %d\n",
                c->name, who, cut, step_names[got.step], pk_load_error_name(got.error), got.status,
                got.body, got.head, got.used, got.keep_alive, got.suspicious);
    fail();
}

static void assert_step(const http1_case *c, pk_http1_step got, pk_http1_step want, size_t at,
                        size_t cut) {
    if (got == want) return;
    print_error("%s: cut %zu: %s instead of %s after %zu bytes\n", c->name, cut, step_names[got],
                step_names[want], at);
    fail();
}

/* ---- running a case ---- */

/* Both parsers get text[0..bytes), in two pieces that meet at `cut`, or in pieces of `piece` bytes
 * where that is not 0. */
static void run_cut(const http1_case *c, const char *text, size_t bytes, size_t known, size_t cut,
                    size_t piece) {
    http1_feeder f;
    http1_feeder_begin(&f, c->is_head, c->is_connect);
    for (size_t at = 0; at < bytes && f.step == PK_HTTP1_MORE;) {
        size_t size = piece ? piece : at < cut ? cut - at : bytes - at;
        if (size > bytes - at) size = bytes - at;
        http1_feeder_piece(&f, text + at, size);
        at += size;
        pk_http1_step want = at >= known && !c->closes ? c->step : PK_HTTP1_MORE;
        assert_step(c, f.step, want, at, cut);
    }
    /* Where the answer was known before the connection ended, it stands. */
    f.step = pk_http1_end(&f.parser);
    assert_outcome(c, known, outcome_of_fast(&f), "fast", piece ? piece : cut);
    http1_feeder_end(&f);
}

static void run_slow(const http1_case *c, const char *text, size_t bytes, size_t known) {
    http1_slow *s = malloc(sizeof *s);
    assert_non_null(s);
    http1_slow_begin(s, c->is_head, c->is_connect);
    pk_http1_step step = PK_HTTP1_MORE;
    for (size_t at = 0; at < bytes && step == PK_HTTP1_MORE; at++) {
        step = http1_slow_byte(s, text[at]);
        pk_http1_step want = at + 1 >= known && !c->closes ? c->step : PK_HTTP1_MORE;
        assert_step(c, step, want, at + 1, 1);
    }
    if (c->closes) step = http1_slow_end(s);
    assert_outcome(c, known, outcome_of_slow(s, step), "slow", 0);
    free(s);
}

/* Long texts: not every cut, but all near the point where the answer is known. */
static void run_case(const http1_case *c, const char *text, size_t bytes, size_t known) {
    run_slow(c, text, bytes, known);
    run_cut(c, text, bytes, known, 0, 0);
    run_cut(c, text, bytes, known, 0, bytes > ENOUGH ? 997 : 1);
    for (size_t cut = 1; cut < bytes; cut++) {
        bool near = cut + 8 > known && cut < known + 8;
        if (bytes <= ENOUGH || near || cut % 4099 == 0) run_cut(c, text, bytes, known, cut, 0);
    }
}

/* The text without its '@'. */
static void run_row(void **state) {
    const http1_case *c = *state;
    char *text = malloc(c->bytes + 1);
    assert_non_null(text);
    const char *mark = memchr(c->text, '@', c->bytes);
    size_t known = mark ? (size_t)(mark - c->text) : c->bytes;
    memcpy(text, c->text, known);
    size_t rest = mark ? c->bytes - known - 1 : 0;
    if (rest) memcpy(text + known, mark + 1, rest);
    run_case(c, text, known + rest, known);
    free(text);
}

/* ---- the limits ---- */

typedef struct text {
    char *data;
    size_t bytes;
} text;

static text text_begin(void) {
    text t = {malloc(TEXT_MAX), 0};
    assert_non_null(t.data);
    return t;
}

static void add(text *t, const char *string) {
    size_t n = strlen(string);
    assert_true(t->bytes + n <= TEXT_MAX);
    memcpy(t->data + t->bytes, string, n);
    t->bytes += n;
}

static void add_times(text *t, const char *string, size_t times) {
    for (size_t i = 0; i < times; i++) add(t, string);
}

/* Runs it, known at its end, and forgets it. */
static void run_text(text *t, http1_case c) {
    run_case(&c, t->data, t->bytes, t->bytes);
    free(t->data);
    t->data = NULL;
}

/* A head whose status line and one long field have `bytes` bytes together with what `rest` adds. */
static text long_head(size_t bytes, const char *rest) {
    text t = text_begin();
    add(&t, OK "X: ");
    add_times(&t, "x", bytes - t.bytes - strlen(rest));
    add(&t, rest);
    return t;
}

static void a_head_of_64_kib_is_read(void **state) {
    (void)state;
    text t = long_head(PK_HTTP1_HEAD_BYTES_MAX, "\r\n" FIVE "\r\n");
    add(&t, "hello");
    run_text(&t, (http1_case){.name = "64 KiB", KEEP(200, 5)});
    t = long_head(PK_HTTP1_HEAD_BYTES_MAX, "\nContent-Length: 5\n\n");
    add(&t, "hello");
    run_text(&t, (http1_case){.name = "64 KiB with LF", KEEP(200, 5)});
}

static void a_head_over_64_kib_is_too_large(void **state) {
    (void)state;
    http1_case large = {.name = "over 64 KiB", BROKEN(TOO_LARGE, 0, 0)};
    text t = long_head(PK_HTTP1_HEAD_BYTES_MAX + 1, "\r\n" FIVE "\r\n");
    run_case(&large, t.data, t.bytes, PK_HTTP1_HEAD_BYTES_MAX);
    free(t.data);
    t = long_head(2 * PK_HTTP1_HEAD_BYTES_MAX, "");
    run_case(&large, t.data, t.bytes, PK_HTTP1_HEAD_BYTES_MAX);
    free(t.data);
    t = text_begin(); /* a long name, a long reason, many lines */
    add(&t, OK);
    add_times(&t, "x", PK_HTTP1_HEAD_BYTES_MAX - t.bytes);
    run_text(&t, large);
    t = text_begin();
    add(&t, "HTTP/1.1 200 ");
    add_times(&t, "x", PK_HTTP1_HEAD_BYTES_MAX - t.bytes);
    run_text(&t, large);
}

static void the_first_error_counts_beside_the_size(void **state) {
    (void)state;
    http1_case wrong = {.name = "NUL at 64 KiB", WRONG};
    text t = long_head(PK_HTTP1_HEAD_BYTES_MAX, "?");
    t.data[t.bytes - 1] = '\0';
    run_text(&t, wrong);
}

static void each_interim_head_may_have_64_kib(void **state) {
    (void)state;
    text t = long_head(PK_HTTP1_HEAD_BYTES_MAX, "\r\n\r\n");
    memcpy(t.data, "HTTP/1.1 103", 12);
    add(&t, OK FIVE "\r\nhello");
    run_text(&t, (http1_case){.name = "103 of 64 KiB", KEEP(200, 5)});
}

static void a_head_of_256_lines_is_read(void **state) {
    (void)state;
    text t = text_begin();
    add(&t, OK);
    add_times(&t, "X: y\r\n", PK_HTTP1_LINES_MAX - 1);
    add(&t, FIVE "\r\nhello");
    run_text(&t, (http1_case){.name = "256 lines", KEEP(200, 5)});
    t = text_begin();
    add(&t, OK FIVE "X: y\r\n");
    add_times(&t, " z\r\n", PK_HTTP1_LINES_MAX - 2);
    add(&t, "\r\nhello");
    run_text(&t, (http1_case){.name = "256 folded lines", KEEP(200, 5)});
}

static void a_head_over_256_lines_is_too_large(void **state) {
    (void)state;
    static const char *const lines[] = {"X: y\r\n", "X:\n", " folded\r\n"};
    for (size_t i = 0; i < 3; i++) {
        text t = text_begin();
        add(&t, OK FIVE);
        add_times(&t, lines[i], PK_HTTP1_LINES_MAX - 1);
        size_t known = t.bytes + 1; /* the first byte of line 257 */
        add(&t, "X: y\r\n\r\nhello");
        http1_case large = {.name = lines[i], BROKEN(TOO_LARGE, 0, 0)};
        run_case(&large, t.data, t.bytes, known);
        free(t.data);
    }
}

static void sixteen_interim_answers_are_skipped(void **state) {
    (void)state;
    text t = text_begin();
    add_times(&t, "HTTP/1.1 100 C\r\n\r\n", PK_HTTP1_INTERIM_MAX);
    add(&t, OK FIVE "\r\nhello");
    run_text(&t, (http1_case){.name = "16 times 100", KEEP(200, 5)});
}

static void a_seventeenth_interim_answer_is_too_much(void **state) {
    (void)state;
    text t = text_begin();
    add_times(&t, "HTTP/1.1 100 C\r\n\r\n", PK_HTTP1_INTERIM_MAX + 1);
    run_text(&t, (http1_case){.name = "17 times 100", BROKEN(TOO_LARGE, 0, 0)});
}

static void a_chunk_line_may_have_4_kib(void **state) {
    (void)state;
    for (size_t chunk = 0; chunk < 3; chunk++) { /* the limit is each line's own */
        text t = text_begin();
        add(&t, CHUNKED);
        for (size_t i = 0; i <= chunk; i++) {
            add(&t, "5;");
            add_times(&t, "x", PK_HTTP1_CHUNK_LINE_MAX - 4);
            add(&t, "\r\nhello\r\n");
        }
        add(&t, "0\r\n\r\n");
        run_text(&t, (http1_case){.name = "4 KiB", KEEP(200, 5 * (chunk + 1))});
    }
}

static void a_chunk_line_over_4_kib_is_too_large(void **state) {
    (void)state;
    static const char *const fill[] = {"x", " "};
    static const char *const begin[] = {"5;", "5"};
    for (size_t i = 0; i < 2; i++) {
        text t = text_begin();
        add(&t, CHUNKED);
        size_t known = t.bytes + PK_HTTP1_CHUNK_LINE_MAX;
        add(&t, begin[i]);
        add_times(&t, fill[i], known - t.bytes - 1);
        add(&t, "\r\nhello\r\n0\r\n\r\n");
        http1_case large = {.name = "over 4 KiB", BROKEN(TOO_LARGE, 200, 0)};
        run_case(&large, t.data, t.bytes, known);
        free(t.data);
    }
}

static void a_trailer_has_the_limits_of_a_head(void **state) {
    (void)state;
    text t = text_begin();
    add(&t, CHUNKED "0\r\n");
    size_t before = t.bytes;
    add(&t, "X: ");
    add_times(&t, "x", before + PK_HTTP1_HEAD_BYTES_MAX - 4 - t.bytes);
    add(&t, "\r\n\r\n");
    run_text(&t, (http1_case){.name = "64 KiB of trailer", KEEP(200, 0)});
    t = text_begin();
    add(&t, CHUNKED "0\r\nX: ");
    add_times(&t, "x", before + PK_HTTP1_HEAD_BYTES_MAX - t.bytes);
    run_text(&t, (http1_case){.name = "more trailer", BROKEN(TOO_LARGE, 200, 0)});
    t = text_begin();
    add(&t, CHUNKED "0\r\n");
    add_times(&t, "X: y\r\n", PK_HTTP1_LINES_MAX);
    add(&t, "\r\n");
    run_text(&t, (http1_case){.name = "256 lines of trailer", KEEP(200, 0)});
    t = text_begin();
    add(&t, CHUNKED "0\r\n");
    add_times(&t, "X: y\r\n", PK_HTTP1_LINES_MAX);
    add(&t, "X");
    run_text(&t, (http1_case){.name = "257 lines of trailer", BROKEN(TOO_LARGE, 200, 0)});
}

/* ---- what the table cannot say ---- */

static void feed_all(pk_http1 *p, const char *data, size_t bytes, uint64_t total) {
    while (total > 0) {
        size_t n = total < bytes ? (size_t)total : bytes, used;
        pk_http1_step step = pk_http1_feed(p, data, n, &used);
        assert_int_equal(used, n);
        total -= n;
        assert_true(step == PK_HTTP1_MORE || total == 0);
    }
}

static void bodies_over_4_gib_are_counted(void **state) {
    (void)state;
    static const char zeros[1 << 20];
    static const char *const heads[] = {OK "Content-Length: 5368709121\r\n\r\n",
                                        CHUNKED "140000001\r\n", OK "\r\n"};
    const uint64_t body = (5ull << 30) + 1;
    for (size_t i = 0; i < 3; i++) {
        pk_http1 p;
        size_t used;
        pk_http1_begin(&p, false, false);
        assert_int_equal(pk_http1_feed(&p, heads[i], strlen(heads[i]), &used), PK_HTTP1_MORE);
        assert_false(pk_http1_has_body(&p));
        feed_all(&p, zeros, sizeof zeros, body);
        assert_true(pk_http1_has_body(&p));
        if (i == 1) assert_int_equal(pk_http1_feed(&p, "\r\n0\r\n\r\n", 7, &used), PK_HTTP1_DONE);
        assert_int_equal(pk_http1_end(&p), PK_HTTP1_DONE);
        assert_int_equal(p.body_bytes, body);
        assert_int_equal(p.head_bytes, strlen(heads[i]) + (i == 1 ? 7 : 0));
    }
}

static void an_incomplete_head_is_left_to_the_caller(void **state) {
    (void)state;
    static const char head[] = "HTTP/1.1 100 C\r\n\r\n" OK FIVE "\r\nhel";
    enum { INTERIM = 18, FINAL = INTERIM + 38 };
    pk_http1 p;
    size_t used = 1;
    pk_http1_begin(&p, false, false);
    assert_int_equal(pk_http1_feed(&p, head, 0, &used), PK_HTTP1_MORE);
    assert_int_equal(used, 0);
    assert_int_equal(pk_http1_feed(&p, head, INTERIM - 1, &used), PK_HTTP1_MORE);
    assert_int_equal(used, 0);
    assert_int_equal(pk_http1_feed(&p, head, FINAL - 1, &used), PK_HTTP1_MORE);
    assert_int_equal(used, INTERIM);
    assert_int_equal(p.head_bytes, INTERIM);
    assert_int_equal(p.status, 0);
    /* The same bytes once more change nothing. */
    assert_int_equal(pk_http1_feed(&p, head + INTERIM, FINAL - 1 - INTERIM, &used), PK_HTTP1_MORE);
    assert_int_equal(used, 0);
    assert_int_equal(pk_http1_feed(&p, head + INTERIM, sizeof head - 1 - INTERIM, &used),
                     PK_HTTP1_MORE);
    assert_int_equal(used, sizeof head - 1 - INTERIM);
    assert_int_equal(p.status, 200);
    assert_int_equal(p.body_bytes, 3);
}

static void an_answer_is_final(void **state) {
    (void)state;
    static const char good[] = OK FIVE "\r\nhello", bad[] = "nonsense";
    pk_http1 p;
    size_t used;
    pk_http1_begin(&p, false, false);
    assert_int_equal(pk_http1_feed(&p, good, sizeof good - 1, &used), PK_HTTP1_DONE);
    assert_int_equal(pk_http1_feed(&p, good, sizeof good - 1, &used), PK_HTTP1_DONE);
    assert_int_equal(used, 0);
    assert_int_equal(pk_http1_feed(&p, good, 0, &used), PK_HTTP1_DONE);
    assert_int_equal(pk_http1_end(&p), PK_HTTP1_DONE);
    assert_int_equal(p.body_bytes, 5);
    pk_http1_begin(&p, false, false);
    used = 1;
    assert_int_equal(pk_http1_feed(&p, bad, sizeof bad - 1, &used), PK_HTTP1_ERROR);
    assert_int_equal(used, 0);
    assert_int_equal(pk_http1_feed(&p, good, sizeof good - 1, &used), PK_HTTP1_ERROR);
    assert_int_equal(pk_http1_end(&p), PK_HTTP1_ERROR);
    assert_int_equal(p.error, PK_LOAD_E_MALFORMED);
    pk_http1_begin(&p, false, false); /* and the next one is a new one */
    assert_int_equal(pk_http1_feed(&p, good, sizeof good - 1, &used), PK_HTTP1_DONE);
    assert_int_equal(p.error, PK_LOAD_NO_ERROR);
}

/* The search of this processor and the portable one, on texts full of line ends at all lengths and
 * alignments; and once against an answer that is known. */
static void the_search_for_the_end_is_the_same_everywhere(void **state) {
    (void)state;
    static const char letters[] = "\n\n\n\r\r\r\r\0xyzxyzxyzxyzxyz:  ";
    uint32_t random = 1, a[64], b[64];
    size_t found = 0;
    for (int round = 0; round < 200000; round++) {
        char block[160];
        size_t n = (size_t)round % sizeof block, rare = 1 + (size_t)round % 7;
        for (size_t i = 0; i < n; i++) {
            random = random * 1664525u + 1013904223u;
            size_t r = (random >> 8) % (rare * sizeof letters);
            block[i] = r < sizeof letters - 1 ? letters[r] : 'x';
            if (i > 0 && block[i - 1] == '\r' && random >> 30) block[i] = '\n';
        }
        char *exact = malloc(n ? n : 1);
        assert_non_null(exact);
        memcpy(exact, block, n);
        size_t lines_max = 1 + (size_t)round % 64;
        size_t na = pk_http1_scan(exact, n, a, lines_max);
        size_t nb = pk_http1_scan_portable(exact, n, b, lines_max);
        assert_int_equal(na, nb);
        assert_memory_equal(a, b, na * sizeof a[0]);
        found += na > 0;
        free(exact);
    }
    assert_in_range(found, 10000, 190000);
    assert_int_equal(pk_http1_scan("a\nbb\r\n\r\nccccccccccccccccccccccccccccc", 36, a, 8), 3);
    assert_int_equal(a[0], 1);
    assert_int_equal(a[1], 5);
    assert_int_equal(a[2], 7);
    assert_int_equal(pk_http1_scan("a\nbb\r\n\rc", 8, a, 8), 0);
}

int main(void) {
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(a_head_of_64_kib_is_read),
        cmocka_unit_test(a_head_over_64_kib_is_too_large),
        cmocka_unit_test(the_first_error_counts_beside_the_size),
        cmocka_unit_test(each_interim_head_may_have_64_kib),
        cmocka_unit_test(a_head_of_256_lines_is_read),
        cmocka_unit_test(a_head_over_256_lines_is_too_large),
        cmocka_unit_test(sixteen_interim_answers_are_skipped),
        cmocka_unit_test(a_seventeenth_interim_answer_is_too_much),
        cmocka_unit_test(a_chunk_line_may_have_4_kib),
        cmocka_unit_test(a_chunk_line_over_4_kib_is_too_large),
        cmocka_unit_test(a_trailer_has_the_limits_of_a_head),
        cmocka_unit_test(bodies_over_4_gib_are_counted),
        cmocka_unit_test(an_incomplete_head_is_left_to_the_caller),
        cmocka_unit_test(an_answer_is_final),
        cmocka_unit_test(the_search_for_the_end_is_the_same_everywhere),
    };
    enum { N_OTHERS = sizeof others / sizeof others[0] };
    struct CMUnitTest tests[N_CASES + N_OTHERS] = {{0}};
    for (size_t i = 0; i < N_CASES; i++) {
        tests[i].name = cases[i].name;
        tests[i].test_func = run_row;
        tests[i].initial_state = (void *)(uintptr_t)&cases[i];
    }
    memcpy(tests + N_CASES, others, sizeof others);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

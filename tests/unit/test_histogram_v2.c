/* The encoding, against bytes that other implementations wrote. */
#include "stats/histogram.h"

#include "check.h"

enum { TEXT_MAX = 16 << 20 };

static pk_hist *decode(const char *text) {
    pk_err err;
    pk_hist *hist = pk_hist_decode(text, strlen(text), &err);
    assert_ok(hist, &err);
    return hist;
}

/* Written by HdrHistogram_py 0.10.8: HdrHistogram(1, 3600000000, 3), i*i*1000 for i = 1..100, then
 * 12345 times 77 and twice 0. */
static const char by_python[] =
    "HISTFAAAAOZ4nC3Kr0tDYRTG8ff5vldlYQtaBbOIf8IYQ4aIiIjIghhEDCIiY4jBsDDFICLjhgWRhQkXEdMwiWwLS2MY"
    "RItx0SKCyeK5d54P5ydn+jSccs79ulH4/664vIe3Lvc1OgR1fXfUyjCYIZrkNU0tRZjibpxognbAS8DlGNWAqqfp6XqG"
    "nge4ggbx8AwD6MOjeBI90Rdv4kMMxaf4Efeiwpk4FxeiJkJRF9eiIZoiSl5uRJFNs8W22WGXPbPPAYeUKHPEMSe2Z02O"
    "fGKBguViYsksmxWzatbMutkwBWaZM/NJxv4A8nI5hw==";

static void histogram_of_python_gives_its_quantiles(void **state) {
    (void)state;
    pk_hist *h = decode(by_python);
    assert_int_equal(h->lowest, 1);
    assert_int_equal(h->highest, 3600000000);
    assert_int_equal(h->digits, 3);
    assert_int_equal(h->total, 12447);
    assert_int_equal(h->min, 0);
    assert_int_equal(h->max, 10002431);
    assert_near(pk_hist_quantile(h, 0), 0, 0);
    assert_near(pk_hist_quantile(h, 0.5), 77, 0);
    assert_near(pk_hist_quantile(h, 0.99), 77, 0);
    assert_near(pk_hist_quantile(h, 0.995), 1444863, 0);
    assert_near(pk_hist_quantile(h, 0.999), 7745535, 0);
    assert_near(pk_hist_quantile(h, 1), 10002431, 0);
    assert_near(pk_hist_mean(h), 27258.777697437134, 1e-6);   /* its midpoints are whole numbers */
    assert_near(pk_hist_stddev(h), 404932.55171420495, 1e-4); /* it divides by n */
    pk_hist_free(h);
}

/* Written by hdr-histogram-js 3.0.1: from 1000 to 3.6e12 with 2 digits (its lowest bit is 512), 500
 * values of x = x * 48271 mod (2^31 - 1) from x = 1, then 1.8e12. */
static const char by_javascript[] =
    "HISTFAAAAQB4nEWOwUkEQRBF/7z+U9Oz6zIOizc9ediTIJiDNyPYaASNwAQEk1jw5MFcDEOqVrAamq6u/1/965e3vTSc"
    "JA2SUFX7kdrj/eldfzV8DrxOfI18NybuOPA8cGTliSOMPLDQWNl64paFCXFgYWVhZkQevXJFo7FFNXdeN24lmEA06rWz"
    "sGgWM9EQUB/k8hQiN1sJyZMgYnIp0pYksXVJ2VEDVKR0oLNZnnNgE/rnKZAnZpN/53UeCRyVpMLAmPPqix3tnNIZjoZb"
    "2qJ4Sqs6BHERnYDYRK5NhiHci9QrRvaX0RVRyyMUzlI55FTRS6gEbMIh5E7YPTryRvSPPb8XnRBY";

static void histogram_of_javascript_gives_its_quantiles(void **state) {
    (void)state;
    pk_hist *h = decode(by_javascript);
    assert_int_equal(h->lowest, 1000);
    assert_int_equal(h->unit_magnitude, 9);
    assert_int_equal(h->digits, 2);
    assert_int_equal(h->total, 501);
    assert_int_equal(h->min, 48128);
    assert_near(pk_hist_quantile(h, 0.1), 234881023, 0);
    assert_near(pk_hist_quantile(h, 0.5), 1056964607, 0);
    assert_near(pk_hist_quantile(h, 0.9), 1954545663, 0);
    assert_near(pk_hist_quantile(h, 0.99), 2130706431, 0);
    assert_near(pk_hist_quantile(h, 0.999), 1803886264319, 0);
    assert_near(pk_hist_mean(h), 4647879590.578842, 1e-9);

    pk_hist *same = NULL;
    pk_err err;
    same = pk_hist_new(h->lowest, h->highest, h->digits, &err);
    assert_ok(same, &err);
    uint64_t x = 1;
    for (int i = 0; i < 500; i++) pk_hist_record(same, x = x * 48271 % 2147483647);
    pk_hist_record(same, 1800000000000);
    assert_memory_equal(h->counts, same->counts, h->counts_length * sizeof h->counts[0]);
    pk_hist_free(same);
    pk_hist_free(h);
}

/* Written by the Rust crate hdrhistogram 7.6.0: from 1 to 2^63 - 1 with 5 digits, k + 1 times 2^k
 * for k = 0..62, then 123456789 + 1000003 k for k = 0..199. */
static const char by_rust[] = "HISTFAAAAP14nO3Sz0oCURTH8Zk72USo0z8qwqaIiIiIiIiQyoiIiIiIiIiIiIiIiIiI"
                              "iMpNb9BSxMdwKS5diA/h0o0bl4fr"
                              "VxxURFyISy/nc+7hd+Gsbujvf9QwrLBRPT7vNqO6eiJFL1F9Rr9vIDA47d8O/"
                              "gyJOSLWmNjj4kzKzJREQhJ1RZuzoq050fa8"
                              "aGcBi1jCMlawijWsYyOTDKiU61Xarc+"
                              "1ik1s5iyVcFTcae4twzZPvSXdWlIKhodV1lY5u9Ibh87CLq5qDAt5/xa/bAe72MM+"
                              "DnCIIxzjBKc4wzkucIkrXOMGt7jDPR7wiCc84wWveMM7PvCJL3zjtwwGOxWT";

static void histogram_of_rust_gives_its_quantiles(void **state) {
    (void)state;
    pk_hist *h = decode(by_rust);
    assert_int_equal(h->highest, INT64_MAX);
    assert_int_equal(h->digits, 5);
    assert_int_equal(h->total, 2216);
    assert_int_equal(h->min, 1);
    assert_int_equal(h->max, 4611721202799476735);
    assert_near(pk_hist_quantile(h, 0), 1, 0);
    assert_near(pk_hist_quantile(h, 0.1), 1048583, 0);
    assert_near(pk_hist_quantile(h, 0.5), 4398080065535, 0);
    assert_near(pk_hist_quantile(h, 0.9), 576465150349934591.0, 1e-15);
    assert_near(pk_hist_quantile(h, 0.99), 4611721202799476735.0, 1e-15);
    assert_near(pk_hist_mean(h), 258055617220513100.0, 1e-9);
    assert_near(pk_hist_stddev(h), 857509372378178800.0, 1e-3); /* it divides by n */
    assert_int_equal(pk_hist_count_up_to(h, 1), 1);
    assert_int_equal(pk_hist_count_up_to(h, 1ull << 20), 231); /* 1 + 2 + ... + 21 */
    pk_hist_free(h);
}

static void encoding_gives_the_bytes_that_python_wrote(void **state) {
    (void)state;
    pk_err err;
    pk_hist *theirs = decode(by_python), *ours = pk_hist_new(1, 3600000000, 3, &err);
    assert_ok(ours, &err);
    for (uint64_t i = 1; i <= 100; i++) pk_hist_record(ours, i * i * 1000);
    pk_hist_record_n(ours, 77, 12345);
    pk_hist_record_n(ours, 0, 2);
    pk_strbuf a, b; /* plain: another zlib may compress otherwise */
    pk_strbuf_init(&a, TEXT_MAX);
    pk_strbuf_init(&b, TEXT_MAX);
    assert_ok(pk_hist_encode_plain(ours, &a, &err), &err);
    assert_ok(pk_hist_encode_plain(theirs, &b, &err), &err);
    assert_int_equal(a.length, b.length);
    assert_memory_equal(a.data, b.data, a.length);
    pk_strbuf_fini(&a);
    pk_strbuf_fini(&b);
    pk_hist_free(theirs);
    pk_hist_free(ours);
}

static void plain_encoding_is_as_described(void **state) {
    (void)state;
    static const unsigned char expected[] = {
        0x1c,      0x84, 0x93, 0x13,                         /* cookie and word size */
        0,         0,    0,    18,                           /* bytes of counts */
        0,         0,    0,    0,                            /* offset */
        0,         0,    0,    2,                            /* digits */
        0,         0,    0,    0,    0,    0,    0,    1,    /* lowest */
        0,         0,    0,    0,    0,    0,    0x27, 0x10, /* highest: 10000 */
        0x3f,      0xf0, 0,    0,    0,    0,    0,    0,    /* 1.0 */
        2,                                                   /* value 0: once */
        0,                                                   /* 1: never */
        0x80,      1,                                        /* 2: 64 times: ZigZag 128 */
        1 + 2 * 2,                                           /* 3, 4, 5: three times nothing */
        0xfe,      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, /* 6: 2^62 - 1 times */
        0xff,      3,                                              /* 7..262: nothing, 256 times */
        0xd0,      0x0f,                                           /* 263: 1000 times */
    };
    pk_err err;
    pk_hist *h = pk_hist_new(1, 10000, 2, &err);
    assert_ok(h, &err);
    pk_hist_record(h, 0);
    pk_hist_record_n(h, 2, 64);
    pk_hist_record_n(h, 6, (1ull << 62) - 1);
    pk_hist_record_n(h, 270, 1000); /* two values share a bucket from 256 on: 256 + 14 / 2 = 263 */
    pk_hist_record_n(h, 10001, 5);  /* over the highest: not in the format */
    pk_strbuf out;
    pk_strbuf_init(&out, TEXT_MAX);
    assert_ok(pk_hist_encode_plain(h, &out, &err), &err);
    assert_int_equal(out.length, sizeof expected);
    assert_memory_equal(out.data, expected, sizeof expected);
    pk_hist *again = pk_hist_decode_plain(out.data, out.length, &err);
    assert_ok(again, &err);
    assert_memory_equal(h->counts, again->counts, h->counts_length * sizeof h->counts[0]);
    assert_int_equal(again->total, h->total - 5);
    assert_int_equal(again->min, 0);
    assert_int_equal(again->max, 271);
    pk_strbuf_fini(&out);
    pk_hist_free(h);
    pk_hist_free(again);
}

static void empty_and_full_histograms_survive_the_round_trip(void **state) {
    (void)state;
    for (uint64_t step = 0; step <= 1; step++) {
        pk_err err;
        pk_hist *h = pk_hist_new(1, 2000000, 3, &err);
        assert_ok(h, &err);
        for (uint64_t value = 0; step && value <= h->highest; value += step)
            pk_hist_record_n(h, value, 1 + value % 3 * value);
        pk_strbuf out;
        pk_strbuf_init(&out, TEXT_MAX);
        pk_strbuf_add_str(&out, "before");
        assert_ok(pk_hist_encode(h, &out, &err), &err);
        assert_memory_equal(out.data, "beforeHISTF", 11); /* appended; all start so */
        pk_hist *again = decode(out.data + 6);
        assert_int_equal(again->total, h->total);
        assert_memory_equal(h->counts, again->counts, h->counts_length * sizeof h->counts[0]);
        assert_int_equal(again->min, h->min);
        assert_near(pk_hist_mean(again), pk_hist_mean(h), 1e-3);
        pk_strbuf_fini(&out);
        pk_hist_free(h);
        pk_hist_free(again);
    }
}

static void a_full_buffer_is_an_error_and_stays_as_it_was(void **state) {
    (void)state;
    pk_hist *h = decode(by_python);
    for (size_t room = 0; room < strlen(by_python); room += 17) {
        pk_err err = {0};
        pk_strbuf out;
        pk_strbuf_init(&out, room);
        assert_fails(pk_hist_encode(h, &out, &err), &err, PK_E_LIMIT);
        assert_int_equal(out.length, 0);
        pk_strbuf_fini(&out);
    }
    pk_hist_free(h);
}

static void damaged_text_is_refused(void **state) {
    (void)state;
    size_t length = strlen(by_python);
    char text[sizeof by_python];
    for (size_t cut = 0; cut < length; cut++) {
        pk_err err = {0};
        assert_fails(pk_hist_decode(by_python, cut, &err), &err, PK_E_INPUT);
    }
    for (size_t i = 0; i < length; i++) { /* zlib's checksum finds what base64 lets pass */
        pk_err err = {0};
        memcpy(text, by_python, sizeof text);
        text[i] = text[i] == 'A' ? 'B' : 'A';
        pk_hist *hist = pk_hist_decode(text, length, &err);
        if (i < length - 3) assert_fails(hist, &err, PK_E_INPUT); /* then: unused bits, padding */
        pk_hist_free(hist);
    }
    static const char *const no_base64[] = {"",     "====",  "A===", "HIST=AAA", "HI\nT",
                                            "HIS*", "HISTF", " HIS", "=AAA",     "HIST\xc3\xa4=="};
    for (size_t i = 0; i < sizeof no_base64 / sizeof no_base64[0]; i++) {
        pk_err err = {0};
        assert_fails(pk_hist_decode(no_base64[i], strlen(no_base64[i]), &err), &err, PK_E_INPUT);
    }
}

static void damaged_wrappers_are_refused(void **state) {
    (void)state;
    pk_hist_free(decode("HISTFAAAABt4nJNpmSzMwMDAyAABaLS6gP0HCIsJAD7QArI="));
    static const char *const wrong[] = {
        /* three bytes after the end of the compressed data */
        "HISTFAAAAB54nJNpmSzMwMDAyAABaLS6gP0HCIsJAD7QArJhYmM=",
        /* a byte less, and one more, stated than there is */
        "HISTFAAAABp4nJNpmSzMwMDAyAABaLS6gP0HCIsJAD7QArI=",
        "HISTFAAAABx4nJNpmSzMwMDAyAABaLS6gP0HCIsJAD7QArI=",
        /* without the last byte of the checksum */
        "HISTFAAAABp4nJNpmSzMwMDAyAABaLS6gP0HCIsJAD7QAg==",
        "HISTFAAAAAA=",
        "HISTFA==",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        pk_err err = {0};
        assert_fails(pk_hist_decode(wrong[i], strlen(wrong[i]), &err), &err, PK_E_INPUT);
    }
}

/* A plain encoding from 1 to 10000 with 1 digit (32 + 9 * 16 counts) and these bytes of counts. */
static bool accepts(const unsigned char *counts, size_t n) {
    unsigned char plain[40 + 512] = {0x1c, 0x84, 0x93, 0x13};
    plain[6] = (unsigned char)(n >> 8);
    plain[7] = (unsigned char)n;
    plain[15] = 1;
    plain[23] = 1;
    plain[30] = 0x27;
    plain[31] = 0x10;
    memcpy(plain + 40, counts, n);
    pk_err err = {0};
    pk_hist *hist = pk_hist_decode_plain(plain, 40 + n, &err);
    bool accepted = hist != NULL;
    if (!accepted) assert_fails(hist, &err, PK_E_INPUT);
    pk_hist_free(hist);
    return accepted;
}

static void hostile_counts_are_refused(void **state) {
    (void)state;
    enum { LENGTH = 32 + 9 * 16 };
    unsigned char ones[LENGTH + 1];
    memset(ones, 2, sizeof ones);
    assert_true(accepts(ones, 0));
    assert_true(accepts(ones, LENGTH));
    assert_false(accepts(ones, LENGTH + 1));
#define COUNTS(...) (const unsigned char[]){__VA_ARGS__}, sizeof((unsigned char[]){__VA_ARGS__})
    assert_true(accepts(COUNTS(0xdf, 2)));     /* 176 zeros: ZigZag 351 */
    assert_false(accepts(COUNTS(0xe1, 2)));    /* 177 */
    assert_true(accepts(COUNTS(0xdd, 2, 2)));  /* 175 and a count */
    assert_false(accepts(COUNTS(0xdf, 2, 2))); /* 176 and a count */
    assert_false(accepts(COUNTS(2, 0x80)));    /* cut off */
    assert_true(accepts(COUNTS(2, 0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00)));
    /* 2^63 - 1 values are the most; the ninth byte has eight bits */
    assert_true(accepts(COUNTS(0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)));
    assert_false(accepts(COUNTS(0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2)));
    /* 2^63 zeros: the most negative number */
    assert_false(accepts(COUNTS(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)));
}

static void hostile_headers_are_refused(void **state) {
    (void)state;
    static const unsigned char good[40] = {0x1c, 0x84, 0x93, 0x13, [15] = 3, [23] = 1, [30] = 0x27};
    static const struct {
        int at;
        unsigned char byte;
    } wrong[] = {{0, 0x1d},  {3, 0x14},  {4, 0x80}, {7, 1},     {12, 0x80}, {15, 0}, {15, 6},
                 {15, 0xff}, {16, 0x80}, {23, 0},   {22, 0x27}, {24, 0x80}, {30, 0}};
    pk_err err = {0};
    pk_hist *hist = pk_hist_decode_plain(good, sizeof good, &err);
    assert_ok(hist, &err);
    pk_hist_free(hist);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        unsigned char bytes[sizeof good];
        memcpy(bytes, good, sizeof good);
        bytes[wrong[i].at] = wrong[i].byte;
        assert_fails(pk_hist_decode_plain(bytes, sizeof bytes, &err), &err, PK_E_INPUT);
    }
    for (size_t cut = 0; cut < sizeof good; cut++)
        assert_fails(pk_hist_decode_plain(good, cut, &err), &err, PK_E_INPUT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(histogram_of_python_gives_its_quantiles),
        cmocka_unit_test(histogram_of_javascript_gives_its_quantiles),
        cmocka_unit_test(histogram_of_rust_gives_its_quantiles),
        cmocka_unit_test(encoding_gives_the_bytes_that_python_wrote),
        cmocka_unit_test(plain_encoding_is_as_described),
        cmocka_unit_test(empty_and_full_histograms_survive_the_round_trip),
        cmocka_unit_test(a_full_buffer_is_an_error_and_stays_as_it_was),
        cmocka_unit_test(damaged_text_is_refused),
        cmocka_unit_test(damaged_wrappers_are_refused),
        cmocka_unit_test(hostile_counts_are_refused),
        cmocka_unit_test(hostile_headers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

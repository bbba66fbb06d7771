/* gzip and zlib streams: known bytes, round trips, and what is no stream. */
#include "tests/unit/check.h"

#include <string.h>

#include "base/compress.h"

static const char text[] = "a;b 3\n";
/* What `printf 'a;b 3\n' | gzip -n` and Python's zlib.compress give. */
static const unsigned char gzipped[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
                                        0x03, 0x4b, 0xb4, 0x4e, 0x52, 0x30, 0xe6, 0x02, 0x00,
                                        0x8d, 0x01, 0x47, 0x19, 0x06, 0x00, 0x00, 0x00};
static const unsigned char zlibbed[] = {0x78, 0x9c, 0x4b, 0xb4, 0x4e, 0x52, 0x30,
                                        0xe6, 0x02, 0x00, 0x05, 0xcb, 0x01, 0x5c};

static void both_wrappings_are_read(void **state) {
    (void)state;
    pk_strbuf out;
    pk_strbuf_init(&out, PK_COMPRESS_STEP + 100);
    assert_true(pk_inflate(gzipped, sizeof gzipped, &out));
    assert_string_equal(out.data, text);
    pk_strbuf_clear(&out);
    assert_true(pk_inflate(zlibbed, sizeof zlibbed, &out));
    assert_string_equal(out.data, text);
    pk_strbuf_fini(&out);
}

static void gzip_is_what_gzip_writes(void **state) {
    (void)state;
    pk_strbuf out;
    pk_strbuf_init(&out, PK_COMPRESS_STEP + 100);
    assert_true(pk_gzip(text, strlen(text), &out));
    assert_int_equal(out.length, sizeof gzipped);
    assert_memory_equal(out.data, gzipped, sizeof gzipped);
    pk_strbuf_fini(&out);
}

static void large_texts_come_back(void **state) {
    (void)state;
    enum { BYTES = 1 << 20 };
    char *large = malloc(BYTES);
    assert_non_null(large);
    for (uint32_t i = 0, x = 1; i < BYTES; i++) {
        x = x * 1664525 + 1013904223;
        large[i] = (char)(x >> 24);
    }
    pk_strbuf small, back;
    pk_strbuf_init(&small, 2 * BYTES);
    pk_strbuf_init(&back, BYTES + PK_COMPRESS_STEP);
    assert_true(pk_gzip(large, BYTES, &small));
    assert_true(pk_inflate(small.data, small.length, &back));
    assert_int_equal(back.length, BYTES);
    assert_memory_equal(back.data, large, BYTES);
    pk_strbuf_fini(&small);
    pk_strbuf_fini(&back);
    free(large);
}

static void broken_streams_are_refused(void **state) {
    (void)state;
    unsigned char bytes[sizeof gzipped + 1];
    memcpy(bytes, gzipped, sizeof gzipped);
    bytes[sizeof gzipped] = 0;
    pk_strbuf out;
    pk_strbuf_init(&out, 1 << 20);
    assert_false(pk_inflate(bytes, 0, &out));
    for (size_t cut = 1; cut < sizeof gzipped; cut++) assert_false(pk_inflate(bytes, cut, &out));
    assert_false(pk_inflate(bytes, sizeof bytes, &out)); /* something behind it */
    bytes[20] ^= 1;                                      /* of the checksum */
    assert_false(pk_inflate(bytes, sizeof gzipped, &out));
    assert_false(pk_inflate(text, strlen(text), &out));
    pk_strbuf_fini(&out);
}

static void a_bound_is_kept(void **state) {
    (void)state;
    enum { ZEROS = 1 << 20 };
    char *zeros = calloc(1, ZEROS);
    assert_non_null(zeros);
    pk_strbuf small, back;
    pk_strbuf_init(&small, 1 << 20);
    pk_strbuf_init(&back, ZEROS / 2);
    assert_true(pk_gzip(zeros, ZEROS, &small));
    assert_false(pk_inflate(small.data, small.length, &back));
    assert_true(back.length <= ZEROS / 2);
    pk_strbuf_fini(&small);
    pk_strbuf_fini(&back);
    free(zeros);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_wrappings_are_read), cmocka_unit_test(gzip_is_what_gzip_writes),
        cmocka_unit_test(large_texts_come_back),   cmocka_unit_test(broken_streams_are_refused),
        cmocka_unit_test(a_bound_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

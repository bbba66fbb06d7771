#include "check.h"

#include "base/base64.h"

/* RFC 4648, section 10 */
static const struct {
    const char *plain, *text;
} vectors[] = {{"", ""},
               {"f", "Zg=="},
               {"fo", "Zm8="},
               {"foo", "Zm9v"},
               {"foob", "Zm9vYg=="},
               {"fooba", "Zm9vYmE="},
               {"foobar", "Zm9vYmFy"}};

static void the_rfc_s_vectors(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        pk_strbuf out;
        pk_strbuf_init(&out, 100);
        assert_true(pk_base64_encode(vectors[i].plain, strlen(vectors[i].plain), &out));
        assert_string_equal(out.data, vectors[i].text);
        pk_strbuf_clear(&out);
        assert_true(pk_base64_decode(vectors[i].text, strlen(vectors[i].text), &out));
        assert_string_equal(out.data, vectors[i].plain);
        pk_strbuf_fini(&out);
    }
}

static void all_bytes_survive(void **state) {
    (void)state;
    unsigned char bytes[256];
    for (int i = 0; i < 256; i++) bytes[i] = (unsigned char)i;
    for (size_t n = 250; n <= 256; n++) {
        pk_strbuf text, back;
        pk_strbuf_init(&text, 1000);
        pk_strbuf_init(&back, 1000);
        assert_true(pk_base64_encode(bytes, n, &text));
        assert_true(pk_base64_decode(text.data, text.length, &back));
        assert_int_equal(back.length, n);
        assert_memory_equal(back.data, bytes, n);
        pk_strbuf_fini(&text);
        pk_strbuf_fini(&back);
    }
}

static void what_is_none_is_refused(void **state) {
    (void)state;
    const char *const bad[] = {
        "Z", "Zg", "Zg=", "Z===", "====", "Zm9v!A==", "Zm=v", "Zm9vZg==Zm9v", "Zm9 "};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        pk_strbuf out;
        pk_strbuf_init(&out, 100);
        assert_false(pk_base64_decode(bad[i], strlen(bad[i]), &out));
        pk_strbuf_fini(&out);
    }
}

static void no_room_is_said(void **state) {
    (void)state;
    pk_strbuf out;
    pk_strbuf_init(&out, 3);
    assert_false(pk_base64_encode("foo", 3, &out));
    assert_false(pk_strbuf_ok(&out));
    pk_strbuf_fini(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rfc_s_vectors),
        cmocka_unit_test(all_bytes_survive),
        cmocka_unit_test(what_is_none_is_refused),
        cmocka_unit_test(no_room_is_said),
    };
    return cmocka_run_group_tests_name("base/base64", tests, NULL, NULL);
}

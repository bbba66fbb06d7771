#include "report/escape.h"

#include "check.h"

typedef void escape_fn(pk_strbuf *out, const char *text, size_t bytes);

static void check_escape(escape_fn *escape, const char *text, size_t bytes, const char *expected) {
    pk_strbuf out;
    pk_strbuf_init(&out, 1 << 16);
    pk_strbuf_add_str(&out, "before ");
    escape(&out, text, bytes);
    assert_true(pk_strbuf_ok(&out));
    assert_string_equal(out.data, expected);
    pk_strbuf_fini(&out);
}
#define CHECK(escape, text, expected) \
    check_escape(escape, text, sizeof(text) - 1, "before " expected)

#define FFFD "\xef\xbf\xbd"

static void readable_text_stays_as_it_is(void **state) {
    (void)state;
    CHECK(pk_escape_terminal, "", "");
    CHECK(pk_escape_terminal, "GET /\xc3\xa4\xe4\xb8\xad\xf0\x9f\x98\x80 200",
          "GET /\xc3\xa4\xe4\xb8\xad\xf0\x9f\x98\x80 200");
    CHECK(pk_escape_markup, "caf\xc3\xa9 a=b; c/d", "caf\xc3\xa9 a=b; c/d");
    CHECK(pk_escape_utf8, "caf\xc3\xa9 <&>\t\n\x1b", "caf\xc3\xa9 <&>\t\n\x1b");
}

static void a_terminal_gets_no_control_sequence(void **state) {
    (void)state;
    CHECK(pk_escape_terminal, "\x1b[31mred\x1b]0;title\x07", "\\x1b[31mred\\x1b]0;title\\x07");
    CHECK(pk_escape_terminal, "a\tb\nc\rd\0e\x7f", "a\\tb\\nc\\x0dd\\x00e\\x7f");
    CHECK(pk_escape_terminal,
          "\xc2\x9b"
          "31m",
          "\\xc2\\x9b31m");                            /* CSI in one character */
    CHECK(pk_escape_terminal, "\xc2\xa0", "\xc2\xa0"); /* the first after C1 */
}

static void a_terminal_gets_no_text_that_runs_backwards(void **state) {
    (void)state;
    CHECK(pk_escape_terminal, "cod\xe2\x80\xaegpj.exe", "cod\\xe2\\x80\\xaegpj.exe");
    CHECK(pk_escape_terminal, "\xe2\x81\xa6\xe2\x81\xa9\xd8\x9c",
          "\\xe2\\x81\\xa6\\xe2\\x81\\xa9\\xd8\\x9c");
    CHECK(pk_escape_terminal, "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",
          "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d"); /* Hebrew is */
}

static void a_terminal_sees_the_bytes_of_invalid_text(void **state) {
    (void)state;
    CHECK(pk_escape_terminal, "\xff\xc3(\xe2\x82", "\\xff\\xc3(\\xe2\\x82");
    CHECK(pk_escape_terminal, "\xed\xa0\x80", "\\xed\\xa0\\x80");
}

static void markup_cannot_end_text_or_attribute(void **state) {
    (void)state;
    CHECK(pk_escape_markup, "<a href=\"x\" title='y'>&amp;</a>",
          "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;");
    CHECK(pk_escape_markup, "]]>", "]]&gt;");
}

static void markup_holds_only_what_xml_allows(void **state) {
    (void)state;
    CHECK(pk_escape_markup, "a\tb\nc", "a\tb\nc");
    CHECK(pk_escape_markup, "\0\x0b\r\x1b\x7f\xc2\x85", FFFD FFFD FFFD FFFD FFFD FFFD);
    CHECK(pk_escape_markup, "\xef\xbf\xbe\xef\xbf\xbf\xef\xbf\xbd", FFFD FFFD FFFD);
    CHECK(pk_escape_markup, "\xff\xc0\xaf", FFFD FFFD FFFD);
}

static void invalid_bytes_become_replacement_characters(void **state) {
    (void)state;
    CHECK(pk_escape_utf8,
          "a\xff"
          "b\xe2\x82",
          "a" FFFD "b" FFFD FFFD);
    CHECK(pk_escape_utf8, "\xf4\x90\x80\x80", FFFD FFFD FFFD FFFD);
    CHECK(pk_escape_utf8, "\xef\xbf\xbe", "\xef\xbf\xbe"); /* well-formed, if no character */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readable_text_stays_as_it_is),
        cmocka_unit_test(a_terminal_gets_no_control_sequence),
        cmocka_unit_test(a_terminal_gets_no_text_that_runs_backwards),
        cmocka_unit_test(a_terminal_sees_the_bytes_of_invalid_text),
        cmocka_unit_test(markup_cannot_end_text_or_attribute),
        cmocka_unit_test(markup_holds_only_what_xml_allows),
        cmocka_unit_test(invalid_bytes_become_replacement_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "check.h"

#include <errno.h>

static const char *formatted(const pk_err *err) {
    static char line[PK_ERR_LINE_MAX];
    size_t length = pk_err_format(err, line, sizeof line);
    assert_int_equal(length, strlen(line));
    return line;
}

static void all_parts_stand_in_order(void **state) {
    (void)state;
    pk_err err;
    errno = ENOSPC;
    pk_fail(&err, PK_E_SYS, "base.json", "cannot write %d bytes", 4096);
    pk_fix(&err, "free %s there", "space");
    assert_string_equal(formatted(&err), "base.json: cannot write 4096 bytes: No space left on "
                                         "device; free space there");
}

static void absent_parts_go_with_their_separators(void **state) {
    (void)state;
    pk_err err;
    errno = ENOENT;
    pk_fail(&err, PK_E_USAGE, NULL, "no URL");
    assert_int_equal(err.sys_errno, 0);
    assert_string_equal(formatted(&err), "no URL");
    pk_fix(&err, "give one");
    assert_string_equal(formatted(&err), "no URL; give one");
    pk_fail(&err, PK_E_SYS, "f", "cannot open it");
    assert_string_equal(formatted(&err), "f: cannot open it: No such file or directory");
    pk_fail(&err, PK_E_INPUT, "-z", "too long");
    pk_fix(&err, "use less");
    assert_string_equal(formatted(&err), "-z: too long; use less");
    assert_string_equal(formatted(&(pk_err){0}), "");
}

static void failing_clears_what_stood_there(void **state) {
    (void)state;
    pk_err err;
    errno = EIO;
    pk_fail(&err, PK_E_SYS, "a", "first");
    pk_fix(&err, "do this");
    pk_fail(&err, PK_E_LIMIT, NULL, "second");
    assert_int_equal(err.kind, PK_E_LIMIT);
    assert_string_equal(formatted(&err), "second");
}

static void an_error_can_be_wrapped_in_itself(void **state) {
    (void)state;
    pk_err err;
    pk_fail(&err, PK_E_INPUT, "line 3", "no method");
    pk_fix(&err, "write GET");
    pk_fail(&err, err.kind, "plan.txt", "%s: %s", err.where, err.what);
    assert_string_equal(formatted(&err), "plan.txt: line 3: no method");
    pk_fix(&err, "again");
    pk_fix(&err, "%s and %s", err.fix, err.fix);
    assert_string_equal(err.fix, "again and again");
}

static void errno_survives(void **state) {
    (void)state;
    pk_err err;
    errno = EBADF;
    pk_fail(&err, PK_E_SYS, NULL, "x");
    pk_fix(&err, "y");
    assert_int_equal(errno, EBADF);
    assert_int_equal(err.sys_errno, EBADF);
}

static void our_own_mistakes_say_what_to_do(void **state) {
    (void)state;
    pk_err err;
    pk_fail(&err, PK_E_INTERNAL, NULL, "no such row");
    assert_non_null(strstr(formatted(&err), "please report"));
}

static void text_too_long_is_cut(void **state) {
    (void)state;
    char text[2000];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    pk_err err;
    errno = EIO;
    pk_fail(&err, PK_E_SYS, text, "%s", text);
    pk_fix(&err, "%s", text);
    assert_int_equal(strlen(err.where), sizeof err.where - 1);
    assert_int_equal(strlen(err.what), sizeof err.what - 1);
    assert_int_equal(strlen(err.fix), sizeof err.fix - 1);
    size_t whole =
        strlen(err.where) + 2 + strlen(err.what) + 2 + strlen(strerror(EIO)) + 2 + strlen(err.fix);
    assert_int_equal(strlen(formatted(&err)), whole);
}

static void a_small_line_is_a_prefix_of_the_whole(void **state) {
    (void)state;
    pk_err err;
    pk_fail(&err, PK_E_INPUT, "a\u00e9", "\u20acb\xf0\x9f\x98\x80");
    const char *whole = "a\u00e9: \u20acb\xf0\x9f\x98\x80";
    for (size_t size = 0; size <= strlen(whole) + 1; size++) {
        char line[32];
        memset(line, 'X', sizeof line);
        size_t length = pk_err_format(&err, line, size);
        assert_int_equal(line[size], 'X');
        if (size == 0) continue;
        assert_int_equal(strlen(line), length);
        assert_true(length < size);
        assert_memory_equal(line, whole, length);
        assert_int_not_equal((unsigned char)whole[length] & 0xC0,
                             0x80); /* cut between characters */
        assert_true(size - length <= 4);
    }
}

static void it_is_one_line_that_no_terminal_acts_on(void **state) {
    (void)state;
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"a\nb\rc\td", "a?b?c?d"},
        {"\x1b[31mred\x7f", "?[31mred?"},
        {"C1 \xc2\x9b"
         "x",
         "C1 ?x"}, /* CSI as U+009B */
        {"no-break\xc2\xa0space", "no-break\xc2\xa0space"},
        {"Latin-1 \xe9t", "Latin-1 ?t"},
        {"half \xe2\x82", "half ??"},
        {"overlong \xc0\xaf \xe0\x80\xaf \xf0\x80\x80\xaf", "overlong ?? ??? ????"},
        {"surrogate \xed\xa0\x80", "surrogate ???"},
        {"too large \xf4\x90\x80\x80 \xf5", "too large ???? ?"},
        {"fine \xed\x9f\xbf \xee\x80\x80 \xf4\x8f\xbf\xbf",
         "fine \xed\x9f\xbf \xee\x80\x80 \xf4\x8f\xbf\xbf"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pk_err err;
        pk_fail(&err, PK_E_INPUT, NULL, "%s", cases[i].text);
        assert_string_equal(formatted(&err), cases[i].shown);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_parts_stand_in_order),
        cmocka_unit_test(absent_parts_go_with_their_separators),
        cmocka_unit_test(failing_clears_what_stood_there),
        cmocka_unit_test(an_error_can_be_wrapped_in_itself),
        cmocka_unit_test(errno_survives),
        cmocka_unit_test(our_own_mistakes_say_what_to_do),
        cmocka_unit_test(text_too_long_is_cut),
        cmocka_unit_test(a_small_line_is_a_prefix_of_the_whole),
        cmocka_unit_test(it_is_one_line_that_no_terminal_acts_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "report/utf8.h"

#include "check.h"

#include <locale.h>
#include <wchar.h>

static void check_next(const char *text, size_t bytes, uint32_t code, size_t length) {
    uint32_t got = 0;
    assert_int_equal(pk_utf8_next(text, bytes, &got), length);
    assert_int_equal(got, code);
}
#define NEXT(text, code, length) check_next(text, sizeof(text) - 1, code, length)

static void every_form_is_decoded_at_its_edges(void **state) {
    (void)state;
    check_next("", 1, 0, 1);
    NEXT("\x7f", 0x7f, 1);
    NEXT("\xc2\x80", 0x80, 2);
    NEXT("\xdf\xbf", 0x7ff, 2);
    NEXT("\xe0\xa0\x80", 0x800, 3);
    NEXT("\xed\x9f\xbf", 0xd7ff, 3);
    NEXT("\xee\x80\x80", 0xe000, 3);
    NEXT("\xef\xbf\xbf", 0xffff, 3);
    NEXT("\xf0\x90\x80\x80", 0x10000, 4);
    NEXT("\xf4\x8f\xbf\xbf", 0x10ffff, 4);
    NEXT("\xc3\xa4xyz", 0xe4, 2);
}

static void ill_formed_bytes_are_taken_one_by_one(void **state) {
    (void)state;
    NEXT("\x80", PK_UTF8_INVALID, 1);     /* a continuation alone */
    NEXT("\xc0\xaf", PK_UTF8_INVALID, 1); /* overlong / */
    NEXT("\xc1\xbf", PK_UTF8_INVALID, 1);
    NEXT("\xe0\x9f\xbf", PK_UTF8_INVALID, 1);     /* overlong U+07FF */
    NEXT("\xf0\x8f\xbf\xbf", PK_UTF8_INVALID, 1); /* overlong U+FFFF */
    NEXT("\xed\xa0\x80", PK_UTF8_INVALID, 1);     /* surrogates */
    NEXT("\xed\xbf\xbf", PK_UTF8_INVALID, 1);
    NEXT("\xf4\x90\x80\x80", PK_UTF8_INVALID, 1); /* over U+10FFFF */
    NEXT("\xf5\x80\x80\x80", PK_UTF8_INVALID, 1);
    NEXT("\xff", PK_UTF8_INVALID, 1);
    NEXT("\xe2\x82", PK_UTF8_INVALID, 1);  /* cut off */
    NEXT("\xe2\x82(", PK_UTF8_INVALID, 1); /* broken off */
    NEXT("\xe2(\x82", PK_UTF8_INVALID, 1);
    check_next("\xf0\x9f\x98\x80", 3, PK_UTF8_INVALID, 1);
}

static void encode(uint32_t code, char out[4], size_t *bytes) {
    *bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = *bytes; i-- > 1; code >>= 6) out[i] = (char)(0x80 | (code & 0x3f));
    out[0] = (char)(lead[*bytes] | code);
}

static void all_code_points_come_back(void **state) {
    (void)state;
    for (uint32_t code = 0; code <= 0x10ffff; code++) {
        char text[4];
        size_t bytes;
        encode(code, text, &bytes);
        if (code >= 0xd800 && code <= 0xdfff) check_next(text, bytes, PK_UTF8_INVALID, 1);
        else check_next(text, bytes, code, bytes);
    }
}

static void cells_are_those_of_a_terminal(void **state) {
    (void)state;
    static const struct {
        uint32_t code;
        int cells;
    } cases[] = {
        {'\0', 0},    {'\n', 0},     {0x1b, 0},
        {0x7f, 0},    {0x9b, 0},     {' ', 1},
        {'a', 1},     {0xe4, 1},     {0xad, 1},
        {0x3b1, 1},   {0x25a0, 1},   {0x301, 0},
        {0x200b, 0},  {0x200d, 0},   {0xfe0f, 0},
        {0x20dd, 0},  {0x202e, 0},   {0x4e2d, 2},
        {0x3042, 2},  {0xac00, 2},   {0xff21, 2},
        {0x1f600, 2}, {0x20000, 2},  {0x1160, 0},
        {0xff71, 1},  {0x10ffff, 1}, {PK_UTF8_INVALID, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(pk_utf8_cells(cases[i].code), cases[i].cells);
}

static void cells_agree_with_the_c_library(void **state) {
    (void)state;
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    if (!utf8) {
        print_message("there is no C.UTF-8 locale here\n");
        skip();
    }
    locale_t old = uselocale(utf8);
    int assigned = 0, differences = 0;
    for (uint32_t code = 0x20; code <= 0x10ffff; code++) {
        int theirs = wcwidth((wchar_t)code);
        if (theirs < 0) continue; /* unassigned, or a control character */
        assigned++;
        differences += theirs != pk_utf8_cells(code);
    }
    uselocale(old);
    freelocale(utf8);
    assert_true(assigned > 100000);
    /* none with glibc 2.36; another one knows another Unicode */
    print_message("%d of %d code points differ\n", differences, assigned);
    assert_true(differences <= assigned / 500);
}

static void fit_stops_before_the_cell_too_many(void **state) {
    (void)state;
    static const char text[] = "a\xe4\xb8\xad"
                               "e\xcc\x81"
                               "b"; /* a, wide, e + accent, b: 5 cells */
    static const size_t expected[] = {0, 1, 1, 4, 7, 8, 8};
    static const int cells_expected[] = {0, 1, 1, 3, 4, 5, 5};
    for (int max = 0; max <= 6; max++) {
        int cells = -1;
        assert_int_equal(pk_utf8_fit(text, strlen(text), max, &cells), expected[max]);
        assert_int_equal(cells, cells_expected[max]);
    }
    int cells;
    assert_int_equal(pk_utf8_fit(text, strlen(text), -1, &cells), 0);
    assert_int_equal(pk_utf8_fit("", 0, 5, &cells), 0);
    assert_int_equal(pk_utf8_fit("\xff\xfe", 2, 1, &cells), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_decoded_at_its_edges),
        cmocka_unit_test(ill_formed_bytes_are_taken_one_by_one),
        cmocka_unit_test(all_code_points_come_back),
        cmocka_unit_test(cells_are_those_of_a_terminal),
        cmocka_unit_test(cells_agree_with_the_c_library),
        cmocka_unit_test(fit_stops_before_the_cell_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

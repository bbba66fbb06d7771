#include "check.h"

#include "base/strbuf.h"

/* What the header promises at any time; checked after each call. */
static void sane(const pk_strbuf *sb) {
    assert_non_null(sb->data);
    assert_true(sb->length < sb->capacity);
    assert_int_equal(sb->data[sb->length], '\0');
    assert_true(sb->length <= sb->max_bytes);
}

static void it_reads_as_a_string_at_any_time(void **state) {
    (void)state;
    pk_strbuf sb;
    pk_strbuf_init(&sb, 1000);
    sane(&sb);
    assert_string_equal(sb.data, "");
    pk_strbuf_add_str(&sb, "");
    pk_strbuf_add(&sb, NULL, 0);
    sane(&sb);
    pk_strbuf_add_str(&sb, "one");
    sane(&sb);
    pk_strbuf_add_char(&sb, ' ');
    pk_strbuf_add(&sb, "two\0three", 9);
    sane(&sb);
    pk_strbuf_addf(&sb, "%03d%%", 7);
    sane(&sb);
    assert_int_equal(sb.length, 17);
    assert_memory_equal(sb.data, "one two\0three007%", 18);
    pk_strbuf_clear(&sb);
    sane(&sb);
    assert_string_equal(sb.data, "");
    pk_strbuf_fini(&sb);
    sane(&sb);
}

static void it_grows_to_the_maximum_and_not_beyond(void **state) {
    (void)state;
    for (size_t max = 0; max < 300; max += 7) {
        pk_strbuf sb;
        pk_strbuf_init(&sb, max);
        for (size_t i = 0; i < max; i++) {
            pk_strbuf_add_char(&sb, (char)('a' + i % 26));
            sane(&sb);
        }
        assert_true(pk_strbuf_ok(&sb));
        assert_int_equal(sb.length, max);
        assert_true(sb.capacity <= max + 1);
        pk_strbuf_add_char(&sb, '!');
        sane(&sb);
        assert_false(pk_strbuf_ok(&sb));
        assert_int_equal(sb.length, max);
        for (size_t i = 0; i < max; i++) assert_int_equal(sb.data[i], 'a' + i % 26);
        pk_strbuf_fini(&sb);
    }
}

static void a_failure_refuses_all_that_follows(void **state) {
    (void)state;
    pk_strbuf sb;
    pk_strbuf_init(&sb, 5);
    pk_strbuf_add_str(&sb, "abc");
    pk_strbuf_addf(&sb, "%d", 123);
    assert_false(pk_strbuf_ok(&sb));
    pk_strbuf_add_char(&sb, 'd');
    assert_null(pk_strbuf_reserve(&sb, 1));
    assert_string_equal(sb.data, "abc");
    assert_null(pk_strbuf_detach(&sb, NULL));
    assert_true(pk_strbuf_ok(&sb));
    assert_string_equal(sb.data, "");
    pk_strbuf_add_str(&sb, "again");
    pk_strbuf_add_str(&sb, "!");
    pk_strbuf_clear(&sb);
    assert_true(pk_strbuf_ok(&sb));
    pk_strbuf_add_str(&sb, "fits");
    assert_string_equal(sb.data, "fits");
    pk_strbuf_fini(&sb);
}

static void sizes_that_overflow_are_refused(void **state) {
    (void)state;
    pk_strbuf sb;
    pk_strbuf_init(&sb, SIZE_MAX);
    pk_strbuf_add_str(&sb, "abc");
    assert_null(pk_strbuf_reserve(&sb, SIZE_MAX));
    pk_strbuf_clear(&sb);
    assert_null(pk_strbuf_reserve(&sb, SIZE_MAX - 1));
    pk_strbuf_clear(&sb);
    pk_strbuf_add_str(&sb, "abc");
    assert_true(pk_strbuf_ok(&sb));
    pk_strbuf_fini(&sb);
}

static void reserved_room_can_be_filled_in_part(void **state) {
    (void)state;
    pk_strbuf sb;
    pk_strbuf_init(&sb, 5000);
    pk_strbuf_add_str(&sb, "head ");
    char *room = pk_strbuf_reserve(&sb, 4000);
    assert_non_null(room);
    memset(room, 'x', 4000);
    pk_strbuf_grown(&sb, 3);
    sane(&sb);
    assert_string_equal(sb.data, "head xxx");
    assert_non_null(pk_strbuf_reserve(&sb, 0));
    pk_strbuf_fini(&sb);
}

static void detached_text_is_the_callers(void **state) {
    (void)state;
    pk_strbuf sb;
    size_t length = 99;
    pk_strbuf_init(&sb, 100);
    char *nothing = pk_strbuf_detach(&sb, &length);
    assert_string_equal(nothing, "");
    assert_int_equal(length, 0);
    pk_strbuf_add_str(&sb, "text");
    char *text = pk_strbuf_detach(&sb, &length);
    sane(&sb);
    assert_int_equal(sb.length, 0);
    pk_strbuf_add_str(&sb, "more");
    assert_string_equal(text, "text");
    assert_int_equal(length, 4);
    free(nothing);
    free(text);
    pk_strbuf_fini(&sb);
}

static void printing_more_than_any_first_guess_works(void **state) {
    (void)state;
    pk_strbuf sb;
    pk_strbuf_init(&sb, 1 << 20);
    for (int width = 1; width <= 65536; width *= 2) pk_strbuf_addf(&sb, "%*d", width, 1);
    assert_true(pk_strbuf_ok(&sb));
    assert_int_equal(sb.length, 131071);
    assert_int_equal(sb.data[131070], '1');
    pk_strbuf_fini(&sb);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_reads_as_a_string_at_any_time),
        cmocka_unit_test(it_grows_to_the_maximum_and_not_beyond),
        cmocka_unit_test(a_failure_refuses_all_that_follows),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(reserved_room_can_be_filled_in_part),
        cmocka_unit_test(detached_text_is_the_callers),
        cmocka_unit_test(printing_more_than_any_first_guess_works),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

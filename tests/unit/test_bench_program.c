/* Programs and copies that leave nothing behind, and pairs of objects that differ in one word. */
#include "tests/unit/worker_process.h"

#include <elf.h>

static char *read_path(const char *path, size_t *bytes) {
    pk_strbuf content;
    pk_err err;
    pk_strbuf_init(&content, 64 << 20);
    assert_ok(pk_file_read(path, 64 << 20, &content, &err), &err);
    char *data = pk_strbuf_detach(&content, bytes);
    assert_non_null(data);
    return data;
}

static void a_copy_is_another_file_with_the_same_bytes(void **state) {
    (void)state;
    char path[CHECK_PATH_MAX];
    pk_program a, b;
    pk_err err;
    struct stat st[3];
    size_t bytes[2];
    worker_object(path, "pace_0.so");
    size_t open_before = check_count_files("/proc/self/fd");
    assert_ok(pk_program_copy(path, &a, &err), &err);
    assert_ok(pk_program_copy(path, &b, &err), &err);
    assert_int_equal(stat(path, &st[0]), 0);
    assert_int_equal(stat(a.path, &st[1]), 0);
    assert_int_equal(stat(b.path, &st[2]), 0);
    for (int i = 0; i < 3; i++)
        for (int j = i + 1; j < 3; j++)
            assert_true(st[i].st_dev != st[j].st_dev || st[i].st_ino != st[j].st_ino);
    char *original = read_path(path, &bytes[0]), *copy = read_path(a.path, &bytes[1]);
    assert_int_equal(bytes[0], bytes[1]);
    assert_memory_equal(original, copy, bytes[0]);
    free(original);
    free(copy);

    assert_true(a.fd >= 10 && b.fd >= 10); /* 3 is the worker's reply */
    assert_int_equal(fcntl(a.fd, F_GETFD), 0);
    pk_program_close(&a);
    pk_program_close(&b);
    assert_int_equal(a.fd, -1);
    pk_program_close(&a);
    assert_int_equal(check_count_files("/proc/self/fd"), open_before);
}

static void nobody_can_change_a_program(void **state) {
    (void)state;
    pk_program suite;
    pk_err err;
    size_t bytes;
    const void *data = pk_program_suite_data(&bytes);
    assert_true(bytes > sizeof(Elf64_Ehdr));
    assert_memory_equal(data, ELFMAG, SELFMAG);
    assert_ok(pk_program_suite(&suite, &err), &err);
    assert_int_equal(pwrite(suite.fd, "x", 1, 0), -1);
    assert_int_equal(ftruncate(suite.fd, 0), -1);
    pk_program_close(&suite);
}

static void what_cannot_be_copied_is_an_error(void **state) {
    (void)state;
    pk_program program = {.fd = 77};
    pk_err err;
    memset(&err, 0, sizeof err);
    assert_false(pk_program_copy("/nowhere/at/all.so", &program, &err));
    assert_string_equal(err.where, "/nowhere/at/all.so");
    assert_int_equal(program.fd, 77);
}

/* Does the file's byte `at` become executable memory? */
static bool is_code(const char *file, size_t at) {
    Elf64_Ehdr header;
    memcpy(&header, file, sizeof header);
    for (int i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr segment;
        memcpy(&segment, file + header.e_phoff + (size_t)i * sizeof segment, sizeof segment);
        if (segment.p_type == PT_LOAD && (segment.p_flags & PF_X) && at >= segment.p_offset &&
            at < segment.p_offset + segment.p_filesz)
            return true;
    }
    return false;
}

/* A slow-down by data alone: neither the code nor where it lies differs. */
static void paces_differ_in_one_word_of_data(void **state) {
    (void)state;
    static const char *const names[] = {"pace_20.so", "pace_21.so", "pace_50.so"};
    char path[CHECK_PATH_MAX];
    size_t bytes[2];
    char *base = read_path(worker_object(path, "pace_0.so"), &bytes[0]);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *other = read_path(worker_object(path, names[i]), &bytes[1]);
        assert_int_equal(bytes[0], bytes[1]);
        size_t first = bytes[0], last = 0;
        for (size_t at = 0; at < bytes[0]; at++)
            if (base[at] != other[at]) first = first < at ? first : at, last = at;
        assert_true(first <= last && last - first < sizeof(uint64_t));
        assert_false(is_code(base, first) || is_code(base, last));
        free(other);
    }
    free(base);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_is_another_file_with_the_same_bytes),
        cmocka_unit_test(nobody_can_change_a_program),
        cmocka_unit_test(what_cannot_be_copied_is_an_error),
        cmocka_unit_test(paces_differ_in_one_word_of_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

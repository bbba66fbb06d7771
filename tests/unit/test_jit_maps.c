/* The files of compilers: whose are believed, and that they may grow. */
#include "tests/unit/check.h"

#include <sys/stat.h>

#include "profile/jit_maps.h"
#include "timing/clock.h"

#define PID 2147483646u /* no process has it: more than the kernel gives */

typedef struct folder {
    char path[64], file[128];
} folder;

static folder begin(void) {
    folder f = {.path = "/tmp/perfkit-jit-maps-XXXXXX"};
    assert_non_null(mkdtemp(f.path));
    snprintf(f.file, sizeof f.file, "%s/perf-%u.map", f.path, PID);
    return f;
}

static void end(const folder *f) {
    unlink(f->file);
    assert_int_equal(rmdir(f->path), 0);
}

static void append(const folder *f, const char *text) {
    FILE *file = fopen(f->file, "a");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static pk_jit_maps *maps_of(const folder *f) {
    pk_jit_maps *maps = pk_jit_maps_new(f->path);
    assert_non_null(maps);
    return maps;
}

/* Looked at again after at least 50 ms: asks until it is there, or until a long time is over. */
static void expect_soon(pk_jit_maps *maps, uint64_t address, const char *name) {
    uint64_t give_up = pk_now_ns() + 20 * UINT64_C(1000000000);
    const char *found = NULL;
    while (!found && pk_now_ns() < give_up) found = pk_jit_maps_find(maps, PID, address);
    assert_non_null(found);
    assert_string_equal(found, name);
}

static void names_by_process(void **state) {
    (void)state;
    folder f = begin();
    append(&f, "1000 10 one\n");
    pk_jit_maps *maps = maps_of(&f);
    assert_string_equal(pk_jit_maps_find(maps, PID, 0x1008), "one");
    assert_null(pk_jit_maps_find(maps, PID, 0x1010));
    for (uint32_t pid = 1; pid < 50; pid++) assert_null(pk_jit_maps_find(maps, PID - pid, 0x1008));
    assert_string_equal(pk_jit_maps_find(maps, PID, 0x1008), "one");
    pk_jit_maps_free(maps);
    pk_jit_maps_free(NULL);
    end(&f);
}

static void a_file_that_grows(void **state) {
    (void)state;
    folder f = begin();
    pk_jit_maps *maps = maps_of(&f);
    assert_null(pk_jit_maps_find(maps, PID, 0x1000)); /* there is none yet */
    append(&f, "1000 10 one\n");
    expect_soon(maps, 0x1000, "one");
    assert_null(pk_jit_maps_find(maps, PID, 0x2000));
    append(&f, "2000 10 two\n");
    expect_soon(maps, 0x2000, "two");
    expect_soon(maps, 0x1000, "one");
    pk_jit_maps_free(maps);
    end(&f);
}

static void expect_nothing(const folder *f) {
    pk_jit_maps *maps = maps_of(f);
    assert_null(pk_jit_maps_find(maps, PID, 0x1000));
    pk_jit_maps_free(maps);
}

static void files_that_are_not_believed(void **state) {
    (void)state;
    folder f = begin();
    char other[160];
    snprintf(other, sizeof other, "%s.other", f.file);
    append(&f, "1000 10 one\n");
    assert_int_equal(rename(f.file, other), 0);
    assert_int_equal(symlink(other, f.file), 0);
    expect_nothing(&f);
    assert_int_equal(unlink(f.file), 0);
    assert_int_equal(mkfifo(f.file, 0600), 0); /* nobody writes to it */
    expect_nothing(&f);
    assert_int_equal(unlink(f.file), 0);
    assert_int_equal(rename(other, f.file), 0);
    pk_jit_maps *maps = maps_of(&f);
    assert_string_equal(pk_jit_maps_find(maps, PID, 0x1000), "one");
    pk_jit_maps_free(maps);
    if (geteuid() == 0) { /* of somebody who is neither root nor the process */
        assert_int_equal(chown(f.file, 12345, 12345), 0);
        expect_nothing(&f);
    }
    end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_by_process),
        cmocka_unit_test(a_file_that_grows),
        cmocka_unit_test(files_that_are_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

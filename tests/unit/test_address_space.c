/* Processes, their maps and the names of their threads, event after event. */
#include "tests/unit/check.h"

#include "profile/address_space.h"
#include "profile/names.h"
#include "stats/random.h"

static void map(pk_spaces *s, uint32_t pid, uint64_t begin, uint64_t end, uint64_t offset,
                uint32_t file) {
    pk_err err = {0};
    pk_map m = {begin, end, offset, file};
    assert_ok(pk_spaces_map(s, pid, &m, &err), &err);
}

static void forked(pk_spaces *s, uint32_t pid, uint32_t tid, uint32_t ppid, uint32_t ptid) {
    pk_err err = {0};
    assert_ok(pk_spaces_fork(s, pid, tid, ppid, ptid, &err), &err);
}

static void comm(pk_spaces *s, uint32_t pid, uint32_t tid, uint32_t name, bool exec) {
    pk_err err = {0};
    assert_ok(pk_spaces_comm(s, pid, tid, name, exec, &err), &err);
}

/* file 0: nothing is mapped there. */
static void expect(const pk_spaces *s, uint32_t pid, uint64_t address, uint32_t file,
                   uint64_t offset) {
    const pk_map *m = pk_spaces_find(s, pid, address);
    if (file == 0) {
        assert_null(m);
        return;
    }
    assert_non_null(m);
    assert_int_equal(m->file, file);
    assert_int_equal(address - m->begin + m->offset, offset);
}

static void new_maps_replace_what_they_overlap(void **state) {
    (void)state;
    pk_spaces *s = pk_spaces_new();
    assert_non_null(s);
    expect(s, 7, 0x1000, 0, 0);
    map(s, 7, 0x1000, 0x9000, 0x100000, 1);
    map(s, 7, 0x3000, 0x4000, 0, 2); /* in the middle: both ends remain */
    expect(s, 7, 0xfff, 0, 0);
    expect(s, 7, 0x1000, 1, 0x100000);
    expect(s, 7, 0x2fff, 1, 0x101fff);
    expect(s, 7, 0x3000, 2, 0);
    expect(s, 7, 0x3fff, 2, 0xfff);
    expect(s, 7, 0x4000, 1, 0x103000);
    expect(s, 7, 0x8fff, 1, 0x107fff);
    expect(s, 7, 0x9000, 0, 0);
    map(s, 7, 0x2800, 0x3800, 0x50, 3); /* the end of one and the start of the next */
    expect(s, 7, 0x27ff, 1, 0x1017ff);
    expect(s, 7, 0x2800, 3, 0x50);
    expect(s, 7, 0x3800, 2, 0x800);
    size_t n;
    assert_non_null(pk_spaces_maps(s, 7, &n));
    assert_int_equal(n, 4);
    map(s, 7, 0x1000, 0x9000, 0, 4); /* all of them */
    assert_int_equal(pk_spaces_maps(s, 7, &n)[0].file, 4);
    assert_int_equal(n, 1);
    map(s, 7, 0x5000, 0x5000, 0, 5); /* empty, and none */
    map(s, 7, 0x5000, 0x4000, 0, 5);
    expect(s, 7, 0x5000, 4, 0x4000);
    map(s, PK_PID_KERNEL, 0xffffffff81000000, UINT64_MAX, 0xffffffff81000000, 9);
    expect(s, PK_PID_KERNEL, 0xffffffff81000123, 9, 0xffffffff81000123);
    expect(s, 7, 0xffffffff81000123, 0, 0);
    pk_spaces_free(s);
    pk_spaces_free(NULL);
}

static void fork_copies_and_exec_clears(void **state) {
    (void)state;
    pk_spaces *s = pk_spaces_new();
    map(s, 10, 0x1000, 0x2000, 0, 1);
    uint64_t version = pk_spaces_version(s, 10);
    assert_true(version != 0);
    forked(s, 11, 11, 10, 10);
    expect(s, 11, 0x1800, 1, 0x800);
    assert_true(pk_spaces_version(s, 10) == version);
    assert_true(pk_spaces_version(s, 11) != version);
    /* From now on each has its own. */
    map(s, 11, 0x1000, 0x1800, 0, 2);
    expect(s, 10, 0x1000, 1, 0);
    expect(s, 11, 0x1000, 2, 0);
    comm(s, 11, 11, 100, true);
    expect(s, 11, 0x1000, 0, 0);
    expect(s, 10, 0x1000, 1, 0);
    /* A name alone changes no map; a thread of the same process copies none. */
    comm(s, 10, 10, 101, false);
    forked(s, 10, 12, 10, 10);
    assert_true(pk_spaces_version(s, 10) == version);
    expect(s, 12, 0x1000, 0, 0);
    /* The number of an old process is used again. */
    map(s, 11, 0x7000, 0x8000, 0, 3);
    forked(s, 11, 11, 10, 10);
    expect(s, 11, 0x7000, 0, 0);
    expect(s, 11, 0x1000, 1, 0);
    pk_spaces_free(s);
}

static void threads_have_names(void **state) {
    (void)state;
    pk_spaces *s = pk_spaces_new();
    assert_int_equal(pk_spaces_name(s, 10, 10), PK_NAME_NONE);
    comm(s, 10, 10, 1, false);
    forked(s, 10, 11, 10, 10); /* inherits, then gets its own */
    assert_int_equal(pk_spaces_name(s, 10, 11), 1);
    comm(s, 10, 11, 2, false);
    assert_int_equal(pk_spaces_name(s, 10, 10), 1);
    assert_int_equal(pk_spaces_name(s, 10, 11), 2);
    /* One that nobody told of has the name of its process. */
    assert_int_equal(pk_spaces_name(s, 10, 99), 1);
    /* A process begins with the name of the thread that made it, until it runs another program. */
    forked(s, 20, 20, 10, 11);
    assert_int_equal(pk_spaces_name(s, 20, 20), 2);
    comm(s, 20, 20, 3, true);
    assert_int_equal(pk_spaces_name(s, 20, 20), 3);
    assert_int_equal(pk_spaces_name(s, 10, 11), 2);
    /* The number of a thread is used again in another process. */
    comm(s, 20, 11, 4, false);
    assert_int_equal(pk_spaces_name(s, 20, 11), 4);
    assert_int_equal(pk_spaces_name(s, 10, 11), 1);
    pk_spaces_free(s);
}

static void maps_go_with_the_last_thread(void **state) {
    (void)state;
    pk_spaces *s = pk_spaces_new();
    map(s, 10, 0x1000, 0x2000, 0, 1);
    comm(s, 10, 10, 1, false);
    forked(s, 10, 11, 10, 10);
    pk_spaces_exit(s, 10, 10);
    pk_spaces_exit(s, 10, 10);
    pk_spaces_exit(s, 99, 11);
    expect(s, 10, 0x1000, 1, 0);
    pk_spaces_exit(s, 10, 11);
    expect(s, 10, 0x1000, 0, 0);
    /* The first thread was never told of: it may be alive. */
    map(s, 20, 0x1000, 0x2000, 0, 1);
    comm(s, 20, 21, 1, false);
    pk_spaces_exit(s, 20, 21);
    expect(s, 20, 0x1000, 1, 0);
    pk_spaces_free(s);
}

/* Against painting every byte; several processes, so that the tables grow. */
static void painted_bytes_agree(void **state) {
    (void)state;
    static uint32_t painted[300][100], offsets[300][100];
    pk_random random;
    pk_random_seed(&random, 5);
    pk_spaces *s = pk_spaces_new();
    memset(painted, 0, sizeof painted);
    for (uint32_t i = 1; i < 9000; i++) {
        uint32_t pid = (uint32_t)pk_random_below(&random, 300);
        uint64_t begin = pk_random_below(&random, 99);
        uint64_t end = begin + 1 + pk_random_below(&random, 100 - begin);
        map(s, pid, begin, end, i, i);
        for (uint64_t a = begin; a < end; a++) {
            painted[pid][a] = i;
            offsets[pid][a] = (uint32_t)(a - begin + i);
        }
    }
    for (uint32_t pid = 0; pid < 300; pid++)
        for (uint64_t a = 0; a < 100; a++) expect(s, pid, a, painted[pid][a], offsets[pid][a]);
    pk_spaces_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_maps_replace_what_they_overlap),
        cmocka_unit_test(fork_copies_and_exec_clears),
        cmocka_unit_test(threads_have_names),
        cmocka_unit_test(maps_go_with_the_last_thread),
        cmocka_unit_test(painted_bytes_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

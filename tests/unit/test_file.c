#include "check.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"

/* ---- faults: the linker sends write, fsync and rename here (WRAP_test_file in the Makefile) ----
 */

static struct {
    int calls, fail_at; /* call number fail_at fails, counted from 1; 0: none does */
    bool persistent;    /* and so do all after it */
    int fail_errno;
    size_t write_bytes_max; /* a short write; 0: no bound */
    int interrupts;         /* so many writes are interrupted first */
} fault;

static bool fails_now(void) {
    fault.calls++;
    bool fails = fault.fail_at > 0 &&
                 (fault.persistent ? fault.calls >= fault.fail_at : fault.calls == fault.fail_at);
    if (fails) errno = fault.fail_errno;
    return fails;
}

ssize_t __real_write(int fd, const void *data, size_t bytes);
int __real_fsync(int fd);
int __real_rename(const char *from, const char *to);
ssize_t __wrap_write(int fd, const void *data, size_t bytes);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);

ssize_t __wrap_write(int fd, const void *data, size_t bytes) {
    if (fault.interrupts > 0) {
        fault.interrupts--;
        errno = EINTR;
        return -1;
    }
    if (fails_now()) return -1;
    bool cut = fault.write_bytes_max > 0 && bytes > fault.write_bytes_max;
    return __real_write(fd, data, cut ? fault.write_bytes_max : bytes);
}

int __wrap_fsync(int fd) {
    return fails_now() ? -1 : __real_fsync(fd);
}

int __wrap_rename(const char *from, const char *to) {
    return fails_now() ? -1 : __real_rename(from, to);
}

/* ---- fixture: a folder of its own for each test ---- */

static int setup(void **state) {
    memset(&fault, 0, sizeof fault);
    *state = malloc(CHECK_PATH_MAX);
    check_folder_begin(*state);
    return 0;
}

static int teardown(void **state) {
    check_folder_end(*state);
    free(*state);
    return 0;
}

static void holds(const char *path, const char *text) {
    char found[256];
    assert_string_equal(check_read_file(found, sizeof found, path), text);
}

static mode_t mode_of(const char *path) {
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

/* ---- replacing ---- */

static void a_file_is_created_with_the_umask_and_replaced_with_its_mode(void **state) {
    char path[CHECK_PATH_MAX];
    pk_err err = {0};
    check_path(path, *state, "f");
    mode_t before = umask(027);
    assert_ok(pk_file_replace(path, "first", 5, &err), &err);
    umask(before);
    holds(path, "first");
    assert_int_equal(mode_of(path), 0640);
    assert_int_equal(chmod(path, 0751), 0);
    assert_ok(pk_file_replace(path, "second", 6, &err), &err);
    holds(path, "second");
    assert_int_equal(mode_of(path), 0751);
    assert_ok(pk_file_replace(path, "", 0, &err), &err);
    holds(path, "");
    assert_int_equal(check_count_files(*state), 1);
}

static void assert_owner(const char *path, uid_t user, gid_t group) {
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_uid, user);
    assert_int_equal(st.st_gid, group);
}

/* Who is not root writes it all the same, and keeps it. */
static void a_new_file_is_for_whom_it_was_made(void **state) {
    char path[CHECK_PATH_MAX];
    pk_err err = {0};
    bool root = geteuid() == 0;
    const pk_file_owner somebody = {.user = 65534, .group = 65533},
                        another = {.user = 1234, .group = 1235};
    check_path(path, *state, "f");
    assert_ok(pk_file_replace_for(path, "first", 5, &somebody, &err), &err);
    holds(path, "first");
    assert_owner(path, root ? 65534 : geteuid(), root ? 65533 : getegid());
    assert_ok(pk_file_replace_for(path, "second", 6, &another, &err), &err);
    assert_ok(pk_file_replace_for(path, "third", 5, NULL, &err), &err);
    holds(path, "third");
    assert_owner(path, root ? 65534 : geteuid(), root ? 65533 : getegid());
}

/* The n-th system call fails, for each n until nothing fails any more. */
static void fail_each_call(const char *folder, bool persistent) {
    char path[CHECK_PATH_MAX];
    check_path(path, folder, persistent ? "p" : "t");
    int fail_at;
    for (fail_at = 1;; fail_at++) {
        memset(&fault, 0, sizeof fault);
        check_write_file(path, "old");
        fault.fail_at = fail_at;
        fault.persistent = persistent;
        fault.fail_errno = ENOSPC;
        pk_err err = {0};
        fault.calls = 0;
        bool ok = pk_file_replace(path, "new", 3, &err);
        bool injected = fault.calls >= fail_at;
        memset(&fault, 0, sizeof fault);
        holds(path, ok ? "new" : "old");
        assert_int_equal(check_count_files(folder), 1); /* no temporary left */
        if (!injected) break;
        if (ok) continue; /* the folder's fsync, after the rename */
        assert_int_equal(err.kind, PK_E_SYS);
        assert_int_equal(err.sys_errno, ENOSPC);
        assert_string_equal(err.where, path);
        assert_true(err.fix[0]);
    }
    assert_int_equal(fail_at, 5); /* write, fsync, rename, the folder's fsync */
    assert_int_equal(unlink(path), 0);
}

static void after_any_fault_the_file_is_old_or_new(void **state) {
    fail_each_call(*state, false);
    fail_each_call(*state, true);
}

static void what_fails_is_an_error_except_after_the_rename(void **state) {
    char path[CHECK_PATH_MAX];
    check_path(path, *state, "f");
    for (int fail_at = 1; fail_at <= 4; fail_at++) {
        pk_err err = {0};
        fault.calls = 0;
        fault.fail_at = fail_at;
        fault.fail_errno = EIO;
        assert_int_equal(pk_file_replace(path, "new", 3, &err), fail_at == 4);
        assert_int_equal(fault.calls, fail_at);
    }
}

static void short_and_interrupted_writes_go_on(void **state) {
    char path[CHECK_PATH_MAX];
    pk_err err = {0};
    fault.write_bytes_max = 2;
    fault.interrupts = 3;
    assert_ok(pk_file_replace(check_path(path, *state, "f"), "longer than two", 15, &err), &err);
    assert_int_equal(fault.interrupts, 0);
    assert_true(fault.calls >= 8);
    holds(path, "longer than two");
}

static void a_link_is_followed_and_stays_a_link(void **state) {
    char file[CHECK_PATH_MAX], link[CHECK_PATH_MAX], chain[CHECK_PATH_MAX],
        dangling[CHECK_PATH_MAX], made[CHECK_PATH_MAX], sub[CHECK_PATH_MAX];
    pk_err err = {0};
    assert_int_equal(mkdir(check_path(sub, *state, "sub"), 0700), 0);
    check_write_file(check_path(file, *state, "sub/f"), "old");
    assert_int_equal(symlink("f", check_path(link, *state, "sub/link")), 0); /* seen from sub */
    assert_int_equal(symlink(link, check_path(chain, *state, "chain")), 0);
    assert_ok(pk_file_replace(chain, "new", 3, &err), &err);
    holds(file, "new");
    struct stat st;
    assert_int_equal(lstat(chain, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));

    assert_int_equal(symlink("sub/made", check_path(dangling, *state, "dangling")), 0);
    assert_ok(pk_file_replace(dangling, "made", 4, &err), &err);
    holds(check_path(made, *state, "sub/made"), "made");
    assert_int_equal(check_count_files(*state), 3);
    assert_int_equal(check_count_files(sub), 3);
}

static void links_in_a_circle_are_an_error(void **state) {
    char a[CHECK_PATH_MAX], b[CHECK_PATH_MAX];
    check_path(a, *state, "a");
    check_path(b, *state, "b");
    assert_int_equal(symlink("b", a), 0);
    assert_int_equal(symlink("a", b), 0);
    pk_err err = {0};
    assert_fails(pk_file_replace(a, "x", 1, &err), &err, PK_E_SYS);
    assert_int_equal(err.sys_errno, ELOOP);
}

static void a_pipe_is_written_to_and_stays(void **state) {
    char path[CHECK_PATH_MAX], got[16] = "";
    check_path(path, *state, "pipe");
    assert_int_equal(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(reader >= 0);
    pk_err err = {0};
    assert_ok(pk_file_replace(path, "through", 7, &err), &err);
    assert_int_equal(read(reader, got, sizeof got - 1), 7);
    assert_string_equal(got, "through");
    close(reader);
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
    assert_ok(pk_file_replace("/dev/null", "gone", 4, &err), &err);
    assert_int_equal(stat("/dev/null", &st), 0);
    assert_true(S_ISCHR(st.st_mode));
}

/* As with `perfkit ... -o /dev/stdout >file`: the shell's open file gets it. */
static void an_inherited_descriptor_keeps_its_file(void **state) {
    char path[CHECK_PATH_MAX], name[64];
    int fd = open(check_path(path, *state, "out"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_true(pk_fd_write_all(fd, "before ", 7));
    struct stat before, after;
    assert_int_equal(fstat(fd, &before), 0);
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    pk_err err = {0};
    assert_ok(pk_file_replace(name, "after", 5, &err), &err);
    assert_int_equal(stat(path, &after), 0);
    assert_true(before.st_ino == after.st_ino);
    holds(path, "before after");
    close(fd);
}

static void a_full_device_is_an_error(void **state) {
    (void)state;
    pk_err err = {0};
    assert_fails(pk_file_replace("/dev/full", "x", 1, &err), &err, PK_E_SYS);
    assert_int_equal(err.sys_errno, ENOSPC);
}

static void impossible_places_say_why(void **state) {
    char path[CHECK_PATH_MAX], long_name[5000];
    pk_err err = {0};
    assert_fails(pk_file_replace(*state, "x", 1, &err), &err, PK_E_SYS);
    assert_int_equal(err.sys_errno, EISDIR);
    memset(&err, 0, sizeof err);
    assert_fails(pk_file_replace(check_path(path, *state, "no/f"), "x", 1, &err), &err, PK_E_SYS);
    assert_int_equal(err.sys_errno, ENOENT);
    memset(&err, 0, sizeof err);
    check_write_file(check_path(path, *state, "f"), "");
    assert_fails(pk_file_replace(check_path(path, *state, "f/f"), "x", 1, &err), &err, PK_E_SYS);
    assert_int_equal(err.sys_errno, ENOTDIR);
    memset(&err, 0, sizeof err);
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    assert_fails(pk_file_replace(long_name, "x", 1, &err), &err, PK_E_SYS);
    assert_int_equal(err.sys_errno, ENAMETOOLONG);
    memset(&err, 0, sizeof err);
    assert_fails(pk_file_replace("", "x", 1, &err), &err, PK_E_SYS);
    assert_int_equal(check_count_files(*state), 1);
}

/* Root may write anywhere, so this is somebody else, in a child. */
static void a_read_only_file_is_not_replaced(void **state) {
    char path[CHECK_PATH_MAX];
    const uid_t nobody = geteuid() == 0 ? 65534 : geteuid();
    check_write_file(check_path(path, *state, "f"), "old");
    assert_int_equal(chown(path, nobody, (gid_t)-1), 0);
    assert_int_equal(chown(*state, nobody, (gid_t)-1), 0);
    assert_int_equal(chmod(path, 0444), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        pk_err err = {0};
        if (setresuid(nobody, nobody, nobody) < 0) _exit(1);
        if (pk_file_replace(path, "new", 3, &err) || err.sys_errno != EACCES) _exit(2);
        if (chmod(path, 0644) < 0 || !pk_file_replace(path, "new", 3, &err)) _exit(3);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    holds(path, "new");
    assert_int_equal(check_count_files(*state), 1);
}

static void the_longest_name_works(void **state) {
    char name[256], path[CHECK_PATH_MAX];
    memset(name, 'n', 255);
    name[255] = '\0';
    pk_err err = {0};
    assert_ok(pk_file_replace(check_path(path, *state, name), "x", 1, &err), &err);
    holds(path, "x");
}

static void a_name_without_a_folder_is_in_the_current_one(void **state) {
    int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(here >= 0);
    assert_int_equal(chdir(*state), 0);
    pk_err err = {0};
    bool ok = pk_file_replace("plain", "x", 1, &err);
    size_t files = check_count_files(".");
    assert_int_equal(fchdir(here), 0);
    close(here);
    assert_ok(ok, &err);
    assert_int_equal(files, 1);
}

static void a_left_over_of_a_killed_run_is_no_hindrance(void **state) {
    char path[CHECK_PATH_MAX], name[64], left[CHECK_PATH_MAX];
    snprintf(name, sizeof name, ".perfkit-%ld-0.tmp", (long)getpid());
    check_write_file(check_path(left, *state, name), "somebody's");
    pk_err err = {0};
    assert_ok(pk_file_replace(check_path(path, *state, "f"), "x", 1, &err), &err);
    holds(path, "x");
    holds(left, "somebody's");
}

/* ---- reading ---- */

static void reading_appends_up_to_the_bound(void **state) {
    char path[CHECK_PATH_MAX];
    check_write_file(check_path(path, *state, "f"), "12345");
    pk_strbuf text;
    pk_strbuf_init(&text, 100);
    pk_err err = {0};
    pk_strbuf_add_str(&text, "> ");
    assert_ok(pk_file_read(path, 5, &text, &err), &err);
    assert_string_equal(text.data, "> 12345");
    assert_fails(pk_file_read(path, 4, &text, &err), &err, PK_E_LIMIT);
    assert_string_equal(text.data, "> 12345");
    assert_true(pk_strbuf_ok(&text));
    pk_strbuf_fini(&text);
}

static void a_large_file_with_any_bytes_reads_back(void **state) {
    char path[CHECK_PATH_MAX];
    enum { BYTES = 1000003 };
    unsigned char *data = malloc(BYTES);
    assert_non_null(data);
    for (size_t i = 0; i < BYTES; i++) data[i] = (unsigned char)(i * 31 + i / 256);
    pk_err err = {0};
    assert_ok(pk_file_replace(check_path(path, *state, "f"), data, BYTES, &err), &err);
    pk_strbuf text;
    pk_strbuf_init(&text, BYTES);
    assert_ok(pk_file_read(path, SIZE_MAX, &text, &err), &err);
    assert_int_equal(text.length, BYTES);
    assert_memory_equal(text.data, data, BYTES);
    pk_strbuf_fini(&text);
    pk_strbuf_init(&text, BYTES - 1); /* the buffer's own bound holds too */
    pk_strbuf_add_str(&text, "kept");
    assert_fails(pk_file_read(path, SIZE_MAX, &text, &err), &err, PK_E_LIMIT);
    assert_string_equal(text.data, "kept");
    assert_int_equal(text.length, 4);
    assert_true(pk_strbuf_ok(&text));
    pk_strbuf_fini(&text);
    free(data);
}

static void a_dash_is_standard_input(void **state) {
    (void)state;
    int ends[2], kept = dup(STDIN_FILENO);
    assert_int_equal(pipe(ends), 0);
    assert_true(pk_fd_write_all(ends[1], "from a pipe", 11));
    close(ends[1]);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
    pk_strbuf text;
    pk_strbuf_init(&text, 100);
    pk_err err = {0};
    bool ok = pk_file_read("-", 100, &text, &err);
    assert_int_equal(fcntl(STDIN_FILENO, F_GETFD) < 0, 0); /* left open */
    if (kept >= 0) {
        dup2(kept, STDIN_FILENO);
        close(kept);
    }
    assert_ok(ok, &err);
    assert_string_equal(text.data, "from a pipe");
    pk_strbuf_fini(&text);
}

static void what_cannot_be_read_says_why(void **state) {
    char path[CHECK_PATH_MAX];
    pk_strbuf text;
    pk_strbuf_init(&text, 100);
    pk_err err = {0};
    assert_fails(pk_file_read(check_path(path, *state, "no"), 10, &text, &err), &err, PK_E_SYS);
    assert_int_equal(err.sys_errno, ENOENT);
    assert_string_equal(err.where, path);
    memset(&err, 0, sizeof err);
    assert_fails(pk_file_read(*state, 10, &text, &err), &err, PK_E_SYS);
    assert_int_equal(err.sys_errno, EISDIR);
    assert_non_null(strstr(err.fix, "not a directory"));
    assert_int_equal(text.length, 0);
    pk_strbuf_fini(&text);
}

static void a_device_that_takes_nothing_ends_the_loop(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    close(ends[1]);
    assert_false(pk_fd_write_all(ends[0], "x", 1)); /* the end for reading */
    assert_int_equal(errno, EBADF);
    assert_true(pk_fd_write_all(-1, "", 0));
    close(ends[0]);
}

static void a_folder_is_made_with_those_above_it(void **state) {
    char path[CHECK_PATH_MAX];
    struct stat st;
    pk_err err = {0};
    check_path(path, *state, "a/b//c/");
    assert_ok(pk_folder_make(path, &err), &err);
    assert_int_equal(stat(path, &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_ok(pk_folder_make(path, &err), &err); /* there already */
    assert_ok(pk_folder_make("/", &err), &err);

    char file[CHECK_PATH_MAX];
    check_write_file(check_path(file, *state, "a/file"), "x");
    assert_fails(pk_folder_make(check_path(path, *state, "a/file/below"), &err), &err, PK_E_SYS);
    assert_int_equal(err.sys_errno, EEXIST); /* what stands in the way is named */
    assert_string_equal(err.where, file);
    memset(&err, 0, sizeof err);
    assert_fails(pk_folder_make("", &err), &err, PK_E_SYS);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_created_with_the_umask_and_replaced_with_its_mode),
        TEST(a_new_file_is_for_whom_it_was_made),
        TEST(after_any_fault_the_file_is_old_or_new),
        TEST(what_fails_is_an_error_except_after_the_rename),
        TEST(short_and_interrupted_writes_go_on),
        TEST(a_link_is_followed_and_stays_a_link),
        TEST(links_in_a_circle_are_an_error),
        TEST(a_pipe_is_written_to_and_stays),
        TEST(an_inherited_descriptor_keeps_its_file),
        TEST(a_full_device_is_an_error),
        TEST(impossible_places_say_why),
        TEST(a_read_only_file_is_not_replaced),
        TEST(the_longest_name_works),
        TEST(a_name_without_a_folder_is_in_the_current_one),
        TEST(a_left_over_of_a_killed_run_is_no_hindrance),
        TEST(reading_appends_up_to_the_bound),
        TEST(a_large_file_with_any_bytes_reads_back),
        TEST(a_dash_is_standard_input),
        TEST(what_cannot_be_read_says_why),
        TEST(a_device_that_takes_nothing_ends_the_loop),
        TEST(a_folder_is_made_with_those_above_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

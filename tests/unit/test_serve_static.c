/* serve/static_files: what may be named, and what can be opened. */
#include "check.h"

#include <errno.h>
#include <sys/stat.h>

#include "serve/media_type.h"
#include "serve/static_files.h"

static void paths_that_may_name_a_file(void **state) {
    (void)state;
    static const char *const yes[] = {"/",     "/a",   "/a/b.txt",    "/a/",
                                      "/a..b", "/a b", "/caf\xc3\xa9"};
    static const char *const no[] = {
        "",        "a",  "*",    "//",           "/a//b",   "/..",  "/../a", "/a/..",
        "/a/../b", "/.", "/./a", "/.git/config", "/a/.env", "/...", "/a\\b", "/..\\a"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        assert_true(pk_static_path_allowed(yes[i]));
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) assert_false(pk_static_path_allowed(no[i]));
}

typedef struct tree {
    char folder[CHECK_PATH_MAX];
    int fd; /* of folder/root */
} tree;

/* root/{in.txt, sub/deep.txt, link -> sub/deep.txt, dirlink -> sub, out -> ../secret,
 * abs -> /etc/passwd, up -> .., fifo}, secret */
static void tree_begin(tree *t) {
    char path[CHECK_PATH_MAX];
    check_folder_begin(t->folder);
    check_write_file(check_path(path, t->folder, "secret"), "secret");
    assert_int_equal(mkdir(check_path(path, t->folder, "root"), 0700), 0);
    assert_int_equal(mkdir(check_path(path, t->folder, "root/sub"), 0700), 0);
    check_write_file(check_path(path, t->folder, "root/in.txt"), "in");
    check_write_file(check_path(path, t->folder, "root/sub/deep.txt"), "deep");
    assert_int_equal(symlink("sub/deep.txt", check_path(path, t->folder, "root/link")), 0);
    assert_int_equal(symlink("sub", check_path(path, t->folder, "root/dirlink")), 0);
    assert_int_equal(symlink("../secret", check_path(path, t->folder, "root/out")), 0);
    assert_int_equal(symlink("/etc/passwd", check_path(path, t->folder, "root/abs")), 0);
    assert_int_equal(symlink("..", check_path(path, t->folder, "root/up")), 0);
    assert_int_equal(mkfifo(check_path(path, t->folder, "root/fifo"), 0600), 0);
    t->fd = open(check_path(path, t->folder, "root"), O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(t->fd >= 0);
}

static void tree_end(tree *t) {
    close(t->fd);
    check_folder_end(t->folder);
}

static bool holds(int directory, const char *path, pk_beneath how, const char *content) {
    char text[16] = "";
    int fd = pk_open_beneath(directory, path, how);
    if (fd < 0) return false;
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    return n >= 0 && strcmp(text, content) == 0;
}

static void nothing_outside_can_be_opened(void **state) {
    (void)state;
    static const char *const outside[] = {"out",
                                          "abs",
                                          "up/secret",
                                          "../secret",
                                          "sub/../../secret",
                                          "/etc/passwd",
                                          "up",
                                          "..",
                                          "dirlink/../../secret",
                                          "/proc/self/cwd",
                                          ""};
    static const pk_beneath ways[] = {PK_BENEATH_KERNEL, PK_BENEATH_WALK};
    tree t;
    tree_begin(&t);
    for (size_t w = 0; w < 2; w++) {
        assert_true(holds(t.fd, "in.txt", ways[w], "in"));
        assert_true(holds(t.fd, "sub/deep.txt", ways[w], "deep"));
        assert_false(holds(t.fd, "none", ways[w], ""));
        assert_int_equal(errno, ENOENT);
        for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
            int fd = pk_open_beneath(t.fd, outside[i], ways[w]);
            if (fd >= 0) print_error("opened %s by way %zu\n", outside[i], w);
            assert_int_equal(fd, -1);
        }
    }
    tree_end(&t);
}

static void links_are_followed_inside_by_the_kernel_and_never_by_the_walk(void **state) {
    (void)state;
    tree t;
    tree_begin(&t);
    assert_false(holds(t.fd, "link", PK_BENEATH_WALK, "deep"));
    assert_false(holds(t.fd, "dirlink/deep.txt", PK_BENEATH_WALK, "deep"));
    int probe = pk_open_beneath(t.fd, "link", PK_BENEATH_KERNEL);
    if (probe >= 0) { /* a kernel with openat2 */
        close(probe);
        assert_true(holds(t.fd, "link", PK_BENEATH_KERNEL, "deep"));
        assert_true(holds(t.fd, "dirlink/deep.txt", PK_BENEATH_KERNEL, "deep"));
    }
    tree_end(&t);
}

static void a_pipe_does_not_hold_us_up(void **state) {
    (void)state;
    tree t;
    tree_begin(&t);
    for (int how = PK_BENEATH_KERNEL; how <= PK_BENEATH_WALK; how++) {
        int fd = pk_open_beneath(t.fd, "fifo", (pk_beneath)how);
        assert_true(fd >= 0);
        close(fd);
    }
    tree_end(&t);
}

static void no_descriptor_is_left_open(void **state) {
    (void)state;
    tree t;
    tree_begin(&t);
    size_t before = check_count_files("/proc/self/fd");
    for (int how = PK_BENEATH_KERNEL; how <= PK_BENEATH_WALK; how++) {
        assert_true(holds(t.fd, "sub/deep.txt", (pk_beneath)how, "deep"));
        assert_int_equal(pk_open_beneath(t.fd, "sub/none/x", (pk_beneath)how), -1);
        assert_int_equal(pk_open_beneath(t.fd, "sub/../in.txt/x", (pk_beneath)how), -1);
    }
    assert_int_equal(check_count_files("/proc/self/fd"), before);
    tree_end(&t);
}

static void types_come_from_the_suffix(void **state) {
    (void)state;
    assert_string_equal(pk_media_type("a/index.html"), "text/html; charset=utf-8");
    assert_string_equal(pk_media_type("X.PNG"), "image/png");
    assert_string_equal(pk_media_type("app.min.js"), "text/javascript; charset=utf-8");
    assert_string_equal(pk_media_type("a.json"), "application/json");
    assert_string_equal(pk_media_type("a.svg"), "image/svg+xml");
    assert_string_equal(pk_media_type("dir.txt/file"), "application/octet-stream");
    assert_string_equal(pk_media_type("noext"), "application/octet-stream");
    assert_string_equal(pk_media_type("a.unheard"), "application/octet-stream");
    assert_string_equal(pk_media_type(""), "application/octet-stream");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_that_may_name_a_file),
        cmocka_unit_test(nothing_outside_can_be_opened),
        cmocka_unit_test(links_are_followed_inside_by_the_kernel_and_never_by_the_walk),
        cmocka_unit_test(a_pipe_does_not_hold_us_up),
        cmocka_unit_test(no_descriptor_is_left_open),
        cmocka_unit_test(types_come_from_the_suffix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

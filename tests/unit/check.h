/* What unit tests share: cmocka with the headers it needs first, doubles, errors, folders.
 * cmocka 1.1.5 compares no doubles (assert_float_equal casts to float). */
#ifndef PK_TESTS_UNIT_CHECK_H
#define PK_TESTS_UNIT_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

/* |actual - expected| <= relative * |expected|; with expected 0 or relative 0: equal. NaN is near
 * NaN only. */
#define assert_near(actual, expected, relative) \
    check_near((actual), (expected), (relative), #actual, __FILE__, __LINE__)

static inline void check_near(double actual, double expected, double relative, const char *what,
                              const char *file, int line) {
    bool near = isnan(expected)   ? isnan(actual)
                : isinf(expected) ? actual == expected
                                  : fabs(actual - expected) <= relative * fabs(expected);
    if (near) return;
    print_error("%s is %.17g, not %.17g within %g of it\n", what, actual, expected, relative);
    _fail(file, line);
}

/* The text holds `what`. */
#define assert_holds(text, what) check_holds((text), (what), __FILE__, __LINE__)

static inline void check_holds(const char *text, const char *what, const char *file, int line) {
    if (strstr(text, what)) return;
    print_error("it does not hold: %s\n", what);
    _fail(file, line);
}

/* The call succeeds; its error is shown if not. */
#define assert_ok(ok, err) check_ok((ok), (err), #ok, __FILE__, __LINE__)

static inline void check_ok(bool ok, const pk_err *err, const char *what, const char *file,
                            int line) {
    if (ok) return;
    char text[PK_ERR_LINE_MAX];
    pk_err_format(err, text, sizeof text);
    print_error("%s failed: %s\n", what, text);
    _fail(file, line);
}

/* The call fails with this kind and says what is wrong and how to fix it. *err starts cleared:
 * memset it before the call. */
#define assert_fails(ok, err, err_kind) \
    check_fails((ok), (err), (err_kind), #ok, __FILE__, __LINE__)

static inline void check_fails(bool ok, const pk_err *err, pk_err_kind kind, const char *what,
                               const char *file, int line) {
    if (!ok && err->kind == kind && err->what[0] && err->fix[0]) return;
    print_error("%s gave %d: kind %d (not %d), what \"%s\", fix \"%s\"\n", what, ok, err->kind,
                kind, err->what, err->fix);
    _fail(file, line);
}

enum { CHECK_PATH_MAX = 512 };

/* A new, empty, private folder; end removes it with all that is in it. */
static inline void check_folder_begin(char path[CHECK_PATH_MAX]) {
    const char *parent = getenv("TMPDIR");
    snprintf(path, CHECK_PATH_MAX, "%s/perfkit-test-XXXXXX", parent && *parent ? parent : "/tmp");
    assert_non_null(mkdtemp(path));
}

static inline int check_remove(const char *path, const struct stat *st, int type,
                               struct FTW *where) {
    (void)st, (void)type, (void)where;
    return remove(path);
}

static inline void check_folder_end(const char *path) {
    assert_int_equal(nftw(path, check_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* out = "folder/name". Returns out. */
static inline char *check_path(char out[CHECK_PATH_MAX], const char *folder, const char *name) {
    int length = snprintf(out, CHECK_PATH_MAX, "%s/%s", folder, name);
    assert_in_range(length, 1, CHECK_PATH_MAX - 1);
    return out;
}

/* How many entries a folder has, hidden ones too. */
static inline size_t check_count_files(const char *folder) {
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(dir));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(dir);
    return count;
}

/* A small file's text, NUL-terminated in out[0..size). Returns out. */
static inline char *check_read_file(char *out, size_t size, const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    ssize_t n = read(fd, out, size - 1);
    close(fd);
    assert_true(n >= 0 && (size_t)n < size - 1);
    out[n] = '\0';
    return out;
}

static inline void check_write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

#endif

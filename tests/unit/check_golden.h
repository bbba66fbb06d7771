/* Texts against the files in tests/unit/golden. UPDATE_GOLDEN=1 rewrites the files (make golden);
 * read the difference before keeping it. */
#ifndef PK_TESTS_UNIT_CHECK_GOLDEN_H
#define PK_TESTS_UNIT_CHECK_GOLDEN_H

#include "check.h"

#include "base/version.h"

/* The version changes with every release. */
static inline void golden_hide_version(char *text) {
    for (char *at = text; (at = strstr(at, PK_VERSION)); at++) {
        memset(at, 'V', 1);
        memmove(at + 1, at + strlen(PK_VERSION), strlen(at + strlen(PK_VERSION)) + 1);
    }
}

/* Frees text. */
static inline void assert_golden(const char *name, char *text) {
    char path[CHECK_PATH_MAX];
    static char expected[512 << 10];
    golden_hide_version(text);
    check_path(path, "tests/unit/golden", name);
    if (getenv("UPDATE_GOLDEN")) check_write_file(path, text);
    check_read_file(expected, sizeof expected, path);
    if (strcmp(text, expected) != 0) print_error("%s is not what comes out now:\n%s", path, text);
    assert_int_equal(strcmp(text, expected), 0);
    free(text);
}

#endif

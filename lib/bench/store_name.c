/* Names of folders, as Criterion.rs makes them, and who has which. */
#include <stdio.h>
#include <string.h>

#include "bench/store_internal.h"

enum {
    PART_BYTES_MAX = 64, /* Criterion's */
    ALIKE_MAX = 1000,    /* ids with one and the same folder name */
};

/* Bytes of text to keep so that at most `max` are left and no character is cut. */
static size_t whole_characters(const char *text, size_t length, size_t max) {
    if (length <= max) return length;
    while (max > 0 && ((unsigned char)text[max] & 0xc0) == 0x80) max--;
    return max;
}

/* A part that is no folder's name, or the name of a folder with another meaning. */
static bool is_taken(const char *part, size_t length) {
    static const char *const names[] = {"new",     "base", "change", "report",
                                        "profile", ".",    "..",     PK_STORE_OWN};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == length && memcmp(names[i], part, length) == 0) return true;
    return length == 0;
}

/* Appends the part to out[0..bytes), NUL-terminated; false: no room. */
static bool add_part(char *out, size_t bytes, const char *part) {
    size_t used = strlen(out);
    size_t length = whole_characters(part, strlen(part), PART_BYTES_MAX);
    bool taken = is_taken(part, length);
    size_t need = (used > 0) + length + taken;
    if (used + need + 1 > bytes) return false;
    char *p = out + used;
    if (used > 0) *p++ = '/';
    for (size_t i = 0; i < length; i++) *p++ = strchr("?\"/\\*<>:|^", part[i]) ? '_' : part[i];
    if (taken) *p++ = '_';
    *p = '\0';
    return true;
}

bool pk_store_directory(const char *group, const char *function, const char *value, char *out,
                        size_t bytes) {
    if (bytes == 0) return false;
    out[0] = '\0';
    return add_part(out, bytes, group) && (!function || add_part(out, bytes, function)) &&
           (!value || add_part(out, bytes, value));
}

/* read: a part as pk_baseline holds it, cut when it is very long. */
static bool same_part(const char *read, const char *part) {
    return strncmp(read, part ? part : "", sizeof((pk_baseline *)0)->group - 1) == 0;
}

bool pk_store_place(pk_store *store, const char *group, const char *function, const char *value,
                    char *out, size_t bytes) {
    if (!pk_store_directory(group, function, value, out, bytes)) return false;
    size_t length = strlen(out);
    for (unsigned i = 2; i < ALIKE_MAX; i++) {
        pk_baseline other;
        /* The folder of a baseline, of an id with one part less, is no benchmark's. */
        bool is_baseline = pk_store_read_identity(store, out, false, &other);
        bool is_used = !is_baseline && pk_store_read_identity(store, out, true, &other);
        if (!is_baseline && !is_used) return true;
        if (is_used && same_part(other.group, group) && same_part(other.function, function) &&
            same_part(other.value, value))
            return true;
        int more = snprintf(out + length, bytes - length, "_%u", i);
        if (more < 0 || (size_t)more >= bytes - length) return false;
    }
    return false;
}

bool pk_store_baseline_name(const char *name, pk_err *err) {
    static const char *const taken[] = {"change", "report", "profile"};
    const char *what = NULL;
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        if (strcmp(name, taken[i]) == 0) what = "a folder of this name has another meaning";
    for (const char *p = name; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == '/') what = "it is to be the name of a folder";
    if (!*name) what = "it is empty";
    if (name[0] == '.') what = "it begins with a dot";
    if (strlen(name) > PART_BYTES_MAX) what = "it is longer than 64 bytes";
    if (!what) return true;
    pk_fail(err, PK_E_USAGE, NULL, "\"%.80s\" cannot be the name of a baseline: %s", name, what);
    pk_fix(err, "use letters, digits, - and _");
    return false;
}

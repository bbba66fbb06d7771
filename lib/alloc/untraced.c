#include "alloc/untraced.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc/collector.h"
#include "base/digits.h"
#include "base/strbuf.h"

#define SUSPECTS_MAX 4096u
#define NAME_BYTES 64u
#define NAMES_BYTES_MAX 400u
#define CHILDREN_BYTES 4096u
#define LOOKS 2u /* one may come between exec and the hook */

typedef struct suspect {
    uint32_t pid, seen;
    char name[NAME_BYTES];
} suspect;

struct pk_untraced {
    pk_array suspects;
};

pk_untraced *pk_untraced_new(void) {
    pk_untraced *u = calloc(1, sizeof *u);
    if (u) u->suspects = PK_ARRAY(suspect, SUSPECTS_MAX);
    return u;
}

void pk_untraced_free(pk_untraced *u) {
    if (!u) return;
    pk_array_fini(&u->suspects);
    free(u);
}

static suspect *suspect_at(const pk_untraced *u, size_t i) {
    return &PK_AT(&u->suspects, suspect, i);
}

static void see(pk_untraced *u, uint32_t pid, const char *exe) {
    const char *slash = strrchr(exe, '/');
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "%s", slash && slash[1] ? slash + 1 : exe);
    for (size_t i = 0; i < u->suspects.count; i++) {
        suspect *s = suspect_at(u, i);
        if (s->pid != pid || strcmp(s->name, name) != 0) continue;
        s->seen++;
        return;
    }
    suspect *s = pk_array_push(&u->suspects);
    if (!s) return;
    *s = (suspect){.pid = pid, .seen = 1};
    memcpy(s->name, name, sizeof name);
}

/* The program of a process; false: it has ended, or is not ours to see. */
static bool exe_of(uint32_t pid, char out[PATH_MAX]) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%u/exe", pid);
    ssize_t n = readlink(path, out, PATH_MAX - 1);
    out[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* "12 345 ": what the first thread has started. */
static void look_at_children(pk_untraced *u, uint32_t pid, const char *exe,
                             pk_untraced_known *known, const void *context) {
    char path[64], text[CHILDREN_BYTES], child_exe[PATH_MAX];
    snprintf(path, sizeof path, "/proc/%u/task/%u/children", pid, pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text);
    if (fd >= 0) close(fd);
    size_t bytes = n > 0 ? (size_t)n : 0;
    for (size_t at = 0, taken; at < bytes; at += taken + 1) {
        uint64_t child = 0;
        taken = pk_digits(text + at, bytes - at, &child);
        if (taken == 0 || at + taken == bytes) break; /* the last one may be cut */
        if (known(context, (uint32_t)child) || !exe_of((uint32_t)child, child_exe)) continue;
        /* A copy of its parent has an image as soon as it allocates. */
        if (strcmp(child_exe, exe) != 0) see(u, (uint32_t)child, child_exe);
    }
}

void pk_untraced_look(pk_untraced *u, uint32_t pid, const char *exe, pk_untraced_known *known,
                      const void *context) {
    char now[PATH_MAX];
    if (!exe_of(pid, now)) return;
    if (strcmp(now, exe) != 0) see(u, pid, now);
    look_at_children(u, pid, now, known, context);
}

void pk_untraced_forget(pk_untraced *u, uint32_t pid) {
    for (size_t i = 0; i < u->suspects.count; i++)
        if (suspect_at(u, i)->pid == pid) suspect_at(u, i)->seen = 0;
}

size_t pk_untraced_count(const pk_untraced *u) {
    size_t n = 0;
    for (size_t i = 0; i < u->suspects.count; i++) n += suspect_at(u, i)->seen >= LOOKS;
    return n;
}

static bool was_named(const pk_untraced *u, size_t i) {
    for (size_t k = 0; k < i; k++)
        if (suspect_at(u, k)->seen >= LOOKS &&
            strcmp(suspect_at(u, k)->name, suspect_at(u, i)->name) == 0)
            return true;
    return false;
}

void pk_untraced_note(const pk_untraced *u, pk_alloc_result *result) {
    pk_strbuf names;
    size_t n = pk_untraced_count(u);
    if (n == 0) return;
    pk_strbuf_init(&names, NAMES_BYTES_MAX);
    for (size_t i = 0; i < u->suspects.count; i++)
        if (suspect_at(u, i)->seen >= LOOKS && !was_named(u, i))
            pk_strbuf_addf(&names, "%s%s", names.length ? ", " : "", suspect_at(u, i)->name);
    pk_alloc_note_add(result,
                      "the hook cannot be loaded with static and privileged programs; attach to "
                      "them: perfkit alloc -p PID",
                      "%zu program%s that it started %s not counted: %s", n, n == 1 ? "" : "s",
                      n == 1 ? "was" : "were", names.data);
    pk_strbuf_fini(&names);
}

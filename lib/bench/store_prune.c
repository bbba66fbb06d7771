/* Clearing up: code that nothing in the store refers to any more. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/file.h"
#include "bench/layout.h"
#include "bench/store_internal.h"

#define LAYOUTS PK_STORE_OWN "/layouts"

enum {
    HASH_DIGITS = 64,
    HASHES_MAX = 1 << 22,
    ENTRIES_MAX = 1 << 20,
    DEPTH_MAX = 5, /* GROUP/FUNCTION/VALUE/NAME, and one for what else may lie there */
    FILE_BYTES_MAX = 1 << 30,
    UNUSED_S = 24 * 3600,
};

typedef struct hash {
    char digits[HASH_DIGITS];
} hash;

typedef struct references {
    pk_store *store;
    pk_array hashes; /* hash */
    size_t entries;
    bool failed; /* not all could be read: nothing is known to be superfluous */
} references;

static size_t hash_length(const char *text) {
    return strspn(text, "0123456789abcdef");
}

static int compare_hashes(const void *a, const void *b) {
    return memcmp(a, b, HASH_DIGITS);
}

/* Every word of 64 hex digits is a reference, whatever it stands for: the records and the sessions
 * name the code they measured, the code they compared with, and nothing else that long. */
static void take_text(references *r, const char *text) {
    while (!r->failed && *text) {
        size_t length = hash_length(text);
        if (length == HASH_DIGITS) {
            hash *h = pk_array_push(&r->hashes);
            if (h) memcpy(h->digits, text, HASH_DIGITS);
            else r->failed = true;
        }
        text += length;
        text += strcspn(text, "0123456789abcdef");
    }
}

static void take_file(references *r, int folder_fd, const char *name) {
    pk_strbuf text;
    pk_err ignored;
    pk_strbuf_init(&text, FILE_BYTES_MAX);
    int fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || !pk_fd_read_all(fd, name, FILE_BYTES_MAX, &text, &ignored)) r->failed = true;
    else if (text.length > 0) take_text(r, text.data);
    if (fd >= 0) close(fd);
    pk_strbuf_fini(&text);
}

static bool is_folder(int parent_fd, const struct dirent *entry) {
    struct stat st;
    if (entry->d_type != DT_UNKNOWN) return entry->d_type == DT_DIR;
    return fstatat(parent_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static void walk(references *r, int parent_fd, const char *name, int depth) {
    int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        if (fd >= 0) close(fd);
        r->failed = true;
        return;
    }
    for (struct dirent *entry; !r->failed && (entry = readdir(dir));) {
        const char *inner = entry->d_name;
        if (inner[0] == '.') continue;
        if (++r->entries > ENTRIES_MAX) r->failed = true;
        else if (strcmp(inner, PK_STORE_RECORD) == 0 || strcmp(inner, PK_STORE_SESSIONS) == 0)
            take_file(r, fd, inner);
        else if (depth > 0 && is_folder(fd, entry)) walk(r, fd, inner, depth - 1);
    }
    closedir(dir);
}

static bool is_referenced(const references *r, const char *digits) {
    return r->hashes.count > 0 &&
           bsearch(digits, r->hashes.items, r->hashes.count, sizeof(hash), compare_hashes) != NULL;
}

/* ---- what goes ---- */

static void prune_artefact(const references *r, int folder_fd, const char *name) {
    bool is_artefact = hash_length(name) == HASH_DIGITS && strcmp(name + HASH_DIGITS, ".so") == 0;
    if (is_artefact && !is_referenced(r, name)) (void)unlinkat(folder_fd, name, 0);
}

static void prune_layouts(const references *r, int folder_fd, const char *name) {
    char path[2 * HASH_DIGITS], of[HASH_DIGITS + 1];
    struct stat st;
    if (hash_length(name) != HASH_DIGITS || name[HASH_DIGITS]) return;
    snprintf(path, sizeof path, "%.64s/" PK_LAYOUTS_OF, name);
    if (readlinkat(folder_fd, path, of, sizeof of) == HASH_DIGITS && is_referenced(r, of)) return;
    if (fstatat(folder_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) return;
    if (time(NULL) - st.st_mtime > UNUSED_S) pk_store_remove_tree(folder_fd, name, 2);
}

static void prune_folder(const references *r, const char *folder,
                         void (*prune)(const references *, int, const char *)) {
    int fd = openat(r->store->home_fd, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        if (fd >= 0) close(fd);
        return;
    }
    for (struct dirent *entry; (entry = readdir(dir));) prune(r, fd, entry->d_name);
    closedir(dir);
}

void pk_store_prune(pk_store *store) {
    pk_err ignored;
    if (!pk_store_may_write(store, &ignored)) return;
    references r = {.store = store, .hashes = PK_ARRAY(hash, HASHES_MAX)};
    walk(&r, store->home_fd, ".", DEPTH_MAX);
    if (!r.failed) {
        if (r.hashes.count > 0) qsort(r.hashes.items, r.hashes.count, sizeof(hash), compare_hashes);
        prune_folder(&r, PK_STORE_ARTEFACTS, prune_artefact);
        prune_folder(&r, LAYOUTS, prune_layouts);
    }
    pk_array_fini(&r.hashes);
}

#include "alloc/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "alloc/preload.h"
#include "base/file.h"

#define LOCK_NAME "running" /* held by the perfkit whose folder it is */
#define IMAGE_END ".image"

static bool put_path(char out[PATH_MAX], const char *folder, const char *name) {
    int n = snprintf(out, PATH_MAX, "%s/%s", folder, name);
    return n > 0 && n < PATH_MAX;
}

/* ---- making ---- */

static bool write_hook(const char *folder, pk_err *err) {
    char path[PATH_MAX];
    const void *bytes;
    size_t n;
    if (!pk_alloc_hook_object(&bytes, &n)) {
        pk_fail(err, PK_E_UNSUPPORTED, NULL, "this perfkit has no hook for this processor");
        pk_fix(err, "use it on x86-64");
        return false;
    }
    int fd = -1;
    if (put_path(path, folder, PK_ALLOC_HOOK_NAME))
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    bool ok = fd >= 0 && pk_fd_write_all(fd, bytes, n) && fchmod(fd, 0644) == 0;
    if (!ok) {
        pk_fail(err, PK_E_SYS, folder, "cannot write the hook");
        pk_fix(err, "free space there, or choose another folder with --folder");
    }
    if (fd >= 0) close(fd);
    return ok;
}

/* -1: somebody else holds it, or it cannot be made. */
static int take_lock(const char *folder, int flags) {
    char path[PATH_MAX];
    if (!put_path(path, folder, LOCK_NAME)) return -1;
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
    if (fd >= 0) close(fd);
    return -1;
}

static bool fill_folder(pk_alloc_folder *folder, pk_err *err) {
    mode_t mode = geteuid() == 0 ? 01777 : 0755;
    folder->lock = take_lock(folder->path, O_CREAT | O_EXCL);
    if (folder->lock < 0 || chmod(folder->path, mode) < 0) {
        pk_fail(err, PK_E_SYS, folder->path, "cannot use it for images");
        pk_fix(err, "choose another folder with --folder");
        return false;
    }
    return write_hook(folder->path, err);
}

/* The loader splits LD_PRELOAD at blanks and colons, and maps nothing from where nothing may be
 * executed. */
static bool can_load_from(const char *parent, pk_err *err) {
    struct statvfs fs;
    if (parent[0] != '/' || strpbrk(parent, ": \t\n")) {
        pk_fail(err, PK_E_INPUT, parent, "programs cannot load from a path with a blank or a ':'");
        pk_fix(err, "choose another folder with --folder");
        return false;
    }
    if (statvfs(parent, &fs) == 0 && !(fs.f_flag & ST_NOEXEC)) return true;
    if (fs.f_flag & ST_NOEXEC)
        pk_fail(err, PK_E_INPUT, parent, "it is mounted noexec: nothing can be loaded from it");
    else pk_fail(err, PK_E_SYS, parent, "cannot look at it");
    pk_fix(err, "choose another folder with --folder");
    return false;
}

static bool make_asked(const char *asked, pk_alloc_folder *folder, pk_err *err) {
    if (mkdir(asked, 0755) < 0) {
        pk_fail(err, PK_E_SYS, asked, "cannot make the folder");
        pk_fix(err, errno == EEXIST ? "remove it, or choose a name that is not in use"
                                    : "choose another place");
        return false;
    }
    if (!realpath(asked, folder->path)) {
        pk_fail(err, PK_E_SYS, asked, "cannot find its path");
        pk_fix(err, "choose another place");
        (void)rmdir(asked);
        return false;
    }
    if (can_load_from(folder->path, err) && fill_folder(folder, err)) return true;
    pk_alloc_folder_remove(folder);
    return false;
}

static bool make_below(const char *parent, pk_alloc_folder *folder, pk_err *err) {
    if (!can_load_from(parent, err)) return false;
    if (!put_path(folder->path, parent, PK_ALLOC_FOLDER_NAME "XXXXXX") || !mkdtemp(folder->path)) {
        folder->path[0] = '\0';
        pk_fail(err, PK_E_SYS, parent, "cannot make a folder there");
        pk_fix(err, "choose another place with --folder");
        return false;
    }
    if (fill_folder(folder, err)) return true;
    pk_alloc_folder_remove(folder);
    return false;
}

bool pk_alloc_folder_make(const char *asked, const pk_text_list *parents, pk_alloc_folder *folder,
                          pk_err *err) {
    *folder = (pk_alloc_folder){.lock = -1};
    if (asked) return make_asked(asked, folder, err);
    for (size_t i = 0; i < parents->count; i++) {
        if (make_below(parents->items[i], folder, err)) return true;
        if (err->kind == PK_E_UNSUPPORTED) return false;
    }
    if (parents->count == 0) {
        pk_fail(err, PK_E_USAGE, NULL, "no folder for images");
        pk_fix(err, "choose one with --folder");
    }
    return false;
}

/* ---- removing ---- */

static bool is_ours(const char *name) {
    size_t n = strlen(name), end = strlen(IMAGE_END);
    return strcmp(name, LOCK_NAME) == 0 || strcmp(name, PK_ALLOC_HOOK_NAME) == 0 ||
           (n > end && strcmp(name + n - end, IMAGE_END) == 0);
}

void pk_alloc_folder_remove(pk_alloc_folder *folder) {
    char path[PATH_MAX];
    DIR *dir = folder->path[0] ? opendir(folder->path) : NULL;
    if (dir) {
        for (struct dirent *entry; (entry = readdir(dir));)
            if (is_ours(entry->d_name) && put_path(path, folder->path, entry->d_name)) unlink(path);
        closedir(dir);
        (void)rmdir(folder->path); /* stays, if somebody else has put something there */
    }
    pk_alloc_folder_close(folder);
}

void pk_alloc_folder_close(pk_alloc_folder *folder) {
    if (folder->lock >= 0) close(folder->lock);
    *folder = (pk_alloc_folder){.lock = -1};
}

/* ---- finding ---- */

typedef struct newest {
    struct timespec made;
    bool busy; /* there are some whose perfkit is still there */
    pk_alloc_folder *folder;
} newest;

static bool is_newer(const struct timespec *a, const struct timespec *b) {
    return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

static void look_at(newest *n, const char *path) {
    struct stat st;
    if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid()) return;
    if (n->folder->path[0] && !is_newer(&st.st_mtim, &n->made)) return;
    int lock = take_lock(path, 0);
    if (lock < 0) {
        n->busy = true;
        return;
    }
    pk_alloc_folder_close(n->folder);
    snprintf(n->folder->path, sizeof n->folder->path, "%s", path);
    n->folder->lock = lock;
    n->made = st.st_mtim;
}

static void look_below(newest *n, const char *parent) {
    char path[PATH_MAX];
    DIR *dir = opendir(parent);
    if (!dir) return;
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strncmp(entry->d_name, PK_ALLOC_FOLDER_NAME, strlen(PK_ALLOC_FOLDER_NAME)) == 0 &&
            put_path(path, parent, entry->d_name))
            look_at(n, path);
    closedir(dir);
}

static bool find_asked(const char *asked, pk_alloc_folder *folder, pk_err *err) {
    int n = snprintf(folder->path, sizeof folder->path, "%s", asked);
    struct stat st;
    if (n < 0 || n >= PATH_MAX || stat(asked, &st) < 0 || !S_ISDIR(st.st_mode)) {
        pk_fail(err, PK_E_INPUT, asked, "there is no such folder");
        pk_fix(err, "give the one that perfkit alloc had, or none for the newest");
        folder->path[0] = '\0';
        return false;
    }
    folder->lock = take_lock(asked, 0);
    char lock[PATH_MAX];
    if (folder->lock >= 0 || !put_path(lock, asked, LOCK_NAME) || access(lock, F_OK) != 0)
        return true; /* images alone will do: a copy */
    pk_fail(err, PK_E_INPUT, asked, "its perfkit is still running");
    pk_fix(err, "end that one (Ctrl-C): it will show what it has");
    folder->path[0] = '\0';
    return false;
}

bool pk_alloc_folder_find(const char *asked, const pk_text_list *parents, pk_alloc_folder *folder,
                          pk_err *err) {
    *folder = (pk_alloc_folder){.lock = -1};
    if (asked) return find_asked(asked, folder, err);
    newest n = {.folder = folder};
    for (size_t i = 0; i < parents->count; i++) look_below(&n, parents->items[i]);
    if (folder->path[0]) return true;
    pk_fail(err, PK_E_INPUT, NULL,
            n.busy ? "nothing to recover: each perfkit that counts is still running"
                   : "nothing to recover: no perfkit that was counting has been killed");
    pk_fix(err, "name the folder with --folder if it lies elsewhere");
    return false;
}

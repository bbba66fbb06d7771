/* Folders that are replaced as a whole, and what a killed run left of such work.
 *
 * HOME/.perfkit/tmp/N/new is filled and synced, then exchanged with its place by one
 * renameat2(RENAME_EXCHANGE). Where the file system refuses that (NFS, some overlays), the old
 * folder is moved aside to N/old after N/place has noted where it belongs, and the new one moved
 * in: a kill between the two renames is undone by the next who opens the store. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "bench/store_internal.h"

enum { STAGES_MAX = 100000 };

#define ADVICE "free space there, or choose another place with --home"

static bool fail_sys(const pk_store *store, const char *relative, const char *what, pk_err *err) {
    char where[PATH_MAX];
    pk_store_where(store, relative, where);
    pk_fail(err, PK_E_SYS, where, "%s", what);
    pk_fix(err, ADVICE);
    return false;
}

/* out = "folder/name"; false, with errno, when it does not fit. */
static bool join(char out[PATH_MAX], const char *folder, const char *name) {
    int length = snprintf(out, PATH_MAX, "%s/%s", folder, name);
    if (length >= 0 && length < PATH_MAX) return true;
    errno = ENAMETOOLONG;
    return false;
}

/* The name of a file is durable once its folder is. Errors do not matter: the content is there. */
static void sync_folder(int home_fd, const char *relative) {
    int fd = openat(home_fd, relative, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    (void)fsync(fd);
    close(fd);
}

static void parent_of(const char *path, char out[PATH_MAX]) {
    const char *slash = strrchr(path, '/');
    int length = slash ? (int)(slash - path) : 1;
    snprintf(out, PATH_MAX, "%.*s", length, slash ? path : ".");
}

/* Makes the folder and those above it, below home. */
static bool make_folders(const pk_store *store, const char *path) {
    char part[PATH_MAX], parent[PATH_MAX];
    for (const char *p = path; *p; p += strspn(p, "/")) {
        p += strcspn(p, "/");
        snprintf(part, sizeof part, "%.*s", (int)(p - path), path);
        if (mkdirat(store->home_fd, part, 0777) == 0) {
            parent_of(part, parent);
            sync_folder(store->home_fd, parent);
        } else if (errno != EEXIST) {
            return false;
        }
    }
    return true;
}

/* A file of a folder that nobody sees yet. False keeps errno. */
static bool write_file(int folder_fd, const char *name, const void *data, size_t bytes) {
    int fd = openat(folder_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd < 0) return false;
    bool ok = pk_fd_write_all(fd, data, bytes) && fsync(fd) == 0;
    int failed = errno;
    if (close(fd) < 0 && ok) { /* NFS reports a full disk only here */
        failed = errno;
        ok = false;
    }
    errno = failed;
    return ok;
}

static bool is_dots(const char *name) {
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* What stays disturbs nobody and is tried again. */
void pk_store_remove_tree(int parent_fd, const char *name, int depth) {
    if (unlinkat(parent_fd, name, 0) == 0 || errno == ENOENT || depth == 0) return;
    int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        if (fd >= 0) close(fd);
        return;
    }
    for (struct dirent *entry; (entry = readdir(dir));)
        if (!is_dots(entry->d_name)) pk_store_remove_tree(fd, entry->d_name, depth - 1);
    closedir(dir);
    (void)unlinkat(parent_fd, name, AT_REMOVEDIR);
}

/* ---- one replacement ---- */

typedef struct stage {
    const pk_store *store;
    char path[64];      /* PK_STORE_TEMP/N */
    char fresh[80];     /* .../new */
    char old[80];       /* .../old */
    const char *target; /* relative to home */
} stage;

static bool stage_begin(pk_store *store, const char *target, stage *s, pk_err *err) {
    *s = (stage){.store = store, .target = target};
    if (!make_folders(store, PK_STORE_TEMP))
        return fail_sys(store, PK_STORE_TEMP, "cannot make this folder", err);
    for (int tries = 0; tries < STAGES_MAX; tries++) {
        snprintf(s->path, sizeof s->path, PK_STORE_TEMP "/%u", store->staged++);
        if (mkdirat(store->home_fd, s->path, 0777) == 0) {
            snprintf(s->fresh, sizeof s->fresh, "%s/new", s->path);
            snprintf(s->old, sizeof s->old, "%s/old", s->path);
            return true;
        }
        if (errno != EEXIST) break;
    }
    return fail_sys(store, PK_STORE_TEMP, "cannot make a folder in it", err);
}

static void stage_end(const stage *s) {
    int failed = errno;
    pk_store_remove_tree(s->store->home_fd, s->path, 2);
    errno = failed;
}

static bool fill(const stage *s, size_t n, const pk_store_file files[], pk_err *err) {
    const pk_store *store = s->store;
    int fd = -1;
    if (mkdirat(store->home_fd, s->fresh, 0777) == 0)
        fd = openat(store->home_fd, s->fresh, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return fail_sys(store, s->target, "cannot make this folder", err);
    bool ok = true;
    for (size_t i = 0; i < n && ok; i++) {
        ok = write_file(fd, files[i].name, files[i].data, files[i].bytes);
        char path[PATH_MAX];
        if (!ok && join(path, s->target, files[i].name))
            fail_sys(store, path, "cannot write it", err);
        else if (!ok) fail_sys(store, s->target, "cannot write a file there", err);
    }
    if (ok && fsync(fd) < 0) ok = fail_sys(store, s->target, "cannot write it to the disk", err);
    close(fd);
    return ok;
}

/* Does a folder hold folders? Then it is a benchmark's: its parts are not ours to replace. */
static bool holds_folders(const pk_store *store, const char *path) {
    int fd = openat(store->home_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        if (fd >= 0) close(fd);
        return false;
    }
    bool found = false;
    for (struct dirent *entry; !found && (entry = readdir(dir));) {
        struct stat st;
        found = !is_dots(entry->d_name) &&
                fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
    }
    closedir(dir);
    return found;
}

static bool is_refusal(int number) {
    return number == EINVAL || number == ENOSYS || number == EOPNOTSUPP;
}

/* Moves what is at the target to N/old, after N/place has noted where it came from. */
static bool move_aside(const stage *s) {
    int home = s->store->home_fd;
    int fd = openat(home, s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return false;
    bool ok = write_file(fd, "place", s->target, strlen(s->target)) && fsync(fd) == 0;
    int failed = errno;
    close(fd);
    errno = failed;
    return ok && renameat(home, s->target, home, s->old) == 0;
}

/* The new folder takes its place. False keeps errno, and the old one is where it was. */
static bool exchange(const stage *s) {
    int home = s->store->home_fd;
    if (renameat2(home, s->fresh, home, s->target, RENAME_EXCHANGE) == 0) return true;
    if (errno == ENOENT) return renameat(home, s->fresh, home, s->target) == 0;
    if (!is_refusal(errno)) return false;
    if (!move_aside(s)) return errno == ENOENT && renameat(home, s->fresh, home, s->target) == 0;
    if (renameat(home, s->fresh, home, s->target) == 0) return true;
    int failed = errno;
    (void)renameat(home, s->old, home, s->target);
    errno = failed;
    return false;
}

static bool commit(const stage *s, pk_err *err) {
    char parent[PATH_MAX], where[PATH_MAX];
    parent_of(s->target, parent);
    if (!make_folders(s->store, parent))
        return fail_sys(s->store, parent, "cannot make this folder", err);
    if (holds_folders(s->store, s->target)) {
        pk_store_where(s->store, s->target, where);
        pk_fail(err, PK_E_INPUT, where, "this folder belongs to another benchmark");
        pk_fix(err, "give the baseline another name");
        return false;
    }
    if (!exchange(s)) return fail_sys(s->store, s->target, "cannot replace it", err);
    sync_folder(s->store->home_fd, parent);
    return true;
}

bool pk_store_replace_folder(pk_store *store, const char *place, size_t n,
                             const pk_store_file files[], pk_err *err) {
    stage s;
    if (!pk_store_may_write(store, err) || !stage_begin(store, place, &s, err)) return false;
    bool ok = fill(&s, n, files, err) && commit(&s, err);
    stage_end(&s);
    return ok;
}

bool pk_store_remove_folder(pk_store *store, const char *place, pk_err *err) {
    stage s;
    struct stat st;
    if (!pk_store_may_write(store, err)) return false;
    if (fstatat(store->home_fd, place, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
        return true;
    if (!stage_begin(store, place, &s, err)) return false;
    bool ok = renameat(store->home_fd, place, store->home_fd, s.fresh) == 0 || errno == ENOENT;
    if (!ok) fail_sys(store, place, "cannot remove it", err);
    stage_end(&s);
    return ok;
}

bool pk_store_put_file(pk_store *store, const char *place, const void *data, size_t bytes,
                       pk_err *err) {
    stage s;
    char parent[PATH_MAX];
    if (!pk_store_may_write(store, err) || !stage_begin(store, place, &s, err)) return false;
    parent_of(place, parent);
    int fd = openat(store->home_fd, s.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && make_folders(store, parent) && write_file(fd, "new", data, bytes) &&
              renameat(store->home_fd, s.fresh, store->home_fd, place) == 0;
    if (!ok) fail_sys(store, place, "cannot write it", err);
    else sync_folder(store->home_fd, parent);
    if (fd >= 0) close(fd);
    stage_end(&s);
    return ok;
}

/* ---- after a kill ---- */

/* Is it a path below home, as `place` notes it? */
static bool is_inside(const char *path) {
    for (const char *p = path; *p; p += strspn(p, "/")) {
        size_t length = strcspn(p, "/");
        if (length == 0 || (length <= 2 && memcmp(p, "..", length) == 0)) return false;
        p += length;
    }
    return *path != '\0';
}

/* The old folder goes back if the new one had not yet taken its place. */
static void put_back(const pk_store *store, const char *stage_path) {
    char note[PATH_MAX], old[PATH_MAX], place[PATH_MAX];
    if (!join(note, stage_path, "place") || !join(old, stage_path, "old")) return;
    int fd = openat(store->home_fd, note, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return;
    ssize_t n = read(fd, place, sizeof place - 1);
    close(fd);
    place[n > 0 ? n : 0] = '\0';
    /* NOREPLACE may be refused like EXCHANGE; a place that is taken is never an empty folder. */
    if (is_inside(place)) (void)renameat(store->home_fd, old, store->home_fd, place);
}

static DIR *open_leftovers(const pk_store *store) {
    int fd = openat(store->home_fd, PK_STORE_TEMP, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir && fd >= 0) close(fd);
    return dir;
}

bool pk_store_has_leftovers(const pk_store *store) {
    DIR *dir = open_leftovers(store);
    bool found = false;
    for (struct dirent *entry; dir && !found && (entry = readdir(dir));)
        found = !is_dots(entry->d_name);
    if (dir) closedir(dir);
    return found;
}

void pk_store_recover(pk_store *store) {
    DIR *dir = open_leftovers(store);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char path[PATH_MAX];
        if (is_dots(entry->d_name) || strlen(entry->d_name) > 20) continue;
        if (!join(path, PK_STORE_TEMP, entry->d_name)) continue;
        put_back(store, path);
        pk_store_remove_tree(store->home_fd, path, 2);
    }
    if (dir) closedir(dir);
}

#include "base/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum {
    LINKS_MAX = 40,       /* as in the kernel's own walk (MAXSYMLINKS, linux/namei.h) */
    TEMP_NAMES_MAX = 100, /* left-overs of killed runs with our pid: more than one is unlikely */
    READ_BYTES = 16384,
};

bool pk_fd_write_all(int fd, const void *data, size_t bytes) {
    const char *p = data;
    while (bytes > 0) {
        ssize_t n = write(fd, p, bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n == 0) errno = EIO; /* no device answers so; never loop on one that does */
        if (n <= 0) return false;
        p += n;
        bytes -= (size_t)n;
    }
    return true;
}

/* The advice for a file that cannot be opened or made, by errno. */
static void fix_access(pk_err *err, const char *fallback) {
    switch (err->sys_errno) {
    case ENOENT:
    case ENOTDIR:
        pk_fix(err, "check the path");
        break;
    case EACCES:
    case EPERM:
        pk_fix(err, "check its permissions");
        break;
    case EISDIR:
        pk_fix(err, "give a file, not a directory");
        break;
    case EROFS:
        pk_fix(err, "choose a place that can be written to");
        break;
    default:
        pk_fix(err, "%s", fallback);
    }
}

/* ---- reading ---- */

static bool read_to_end(int fd, const char *where, size_t max_bytes, pk_strbuf *out, pk_err *err) {
    char buffer[READ_BYTES];
    size_t start = out->length;
    for (;;) {
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            pk_fail(err, PK_E_SYS, where, "cannot read it");
            fix_access(err, "check the file and the disk it is on");
            return false;
        }
        if (n == 0) return true;
        if ((size_t)n > max_bytes - (out->length - start)) {
            pk_fail(err, PK_E_LIMIT, where, "it is larger than %zu bytes", max_bytes);
            pk_fix(err, "give a smaller file");
            return false;
        }
        pk_strbuf_add(out, buffer, (size_t)n);
        if (!pk_strbuf_ok(out)) {
            pk_fail(err, PK_E_LIMIT, where, "it does not fit in memory");
            pk_fix(err, "give a smaller file");
            return false;
        }
    }
}

bool pk_fd_read_all(int fd, const char *where, size_t max_bytes, pk_strbuf *out, pk_err *err) {
    assert(pk_strbuf_ok(out));
    size_t before = out->length;
    if (read_to_end(fd, where, max_bytes, out, err)) return true;
    out->failed = false;
    out->length = before;
    if (out->capacity > 1) out->data[before] = '\0';
    return false;
}

bool pk_file_read(const char *path, size_t max_bytes, pk_strbuf *out, pk_err *err) {
    bool is_stdin = strcmp(path, "-") == 0;
    const char *where = is_stdin ? "standard input" : path;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        pk_fail(err, PK_E_SYS, where, "cannot open it");
        fix_access(err, "check the path");
        return false;
    }
    bool ok = pk_fd_read_all(fd, where, max_bytes, out, err);
    if (!is_stdin) close(fd);
    return ok;
}

/* ---- replacing ---- */

/* What a path stands for once its symbolic links are followed. */
typedef struct target {
    char path[PATH_MAX];
    bool exists;
    bool direct; /* to be written to as it is, not replaced */
    struct stat st;
} target;

static bool is_on_procfs(const char *link) {
    int fd = open(link, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct statfs fs;
    bool yes = fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
    if (fd >= 0) close(fd);
    return yes;
}

/* The bytes of `path` up to and with its last slash. */
static int folder_length(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? (int)(slash + 1 - path) : 0;
}

/* path = what the link at `path` holds, seen from where it is. */
static bool follow_link(char path[PATH_MAX]) {
    char held[PATH_MAX], joined[PATH_MAX];
    ssize_t n = readlink(path, held, sizeof held - 1);
    if (n < 0) return false;
    held[n] = '\0';
    int folder = held[0] == '/' ? 0 : folder_length(path);
    int length = snprintf(joined, sizeof joined, "%.*s%s", folder, path, held);
    if (length < 0 || (size_t)length >= sizeof joined) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(path, joined, (size_t)length + 1);
    return true;
}

/* False keeps errno. */
static bool resolve(const char *path, target *t) {
    *t = (target){0};
    if (strlen(path) >= sizeof t->path) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(t->path, path, strlen(path) + 1);
    t->exists = stat(path, &t->st) == 0;
    if (!t->exists && errno != ENOENT) return false;
    if (t->exists && S_ISDIR(t->st.st_mode)) {
        errno = EISDIR;
        return false;
    }
    /* A rename asks only the folder; who made a file read-only means it. */
    if (t->exists && faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0) return false;
    t->direct = t->exists && !S_ISREG(t->st.st_mode);
    for (int links = 0; !t->direct; links++) {
        struct stat st;
        if (lstat(t->path, &st) < 0) return errno == ENOENT;
        if (!S_ISLNK(st.st_mode)) return true;
        /* /dev/stdout leads through /proc/self/fd: what is meant is the open file, and replacing
         * the one it was opened from would leave the shell's redirection with nothing. */
        t->direct = t->exists && is_on_procfs(t->path);
        if (links == LINKS_MAX) errno = ELOOP;
        if (links == LINKS_MAX || (!t->direct && !follow_link(t->path))) return false;
    }
    return true;
}

static bool write_direct(const char *path, const void *data, size_t bytes, pk_err *err) {
    /* O_APPEND: a regular file is only met here as an inherited descriptor, which may have been
     * written to before. */
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY);
    bool written = fd >= 0 && pk_fd_write_all(fd, data, bytes);
    if (!written) {
        pk_fail(err, PK_E_SYS, path, fd < 0 ? "cannot open it" : "cannot write %zu bytes", bytes);
        fix_access(err, "choose another place for it");
    }
    if (fd >= 0 && close(fd) < 0 && written) {
        pk_fail(err, PK_E_SYS, path, "cannot write %zu bytes", bytes);
        pk_fix(err, "choose another place for it");
        written = false;
    }
    return written;
}

/* Creates ".perfkit-PID-N.tmp" in the folder of `path`. Not "path.tmp", since a file's name may be
 * as long as names can be; not mkstemp: that makes files with mode 0600, and the umask can
 * only be learnt by changing it, which other threads would see. */
static int create_beside(const char *path, char temp[PATH_MAX]) {
    for (int i = 0; i < TEMP_NAMES_MAX; i++) {
        int length = snprintf(temp, PATH_MAX, "%.*s.perfkit-%ld-%d.tmp", folder_length(path), path,
                              (long)getpid(), i);
        if (length < 0 || length >= PATH_MAX) {
            errno = ENAMETOOLONG;
            return -1;
        }
        int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (fd >= 0 || errno != EEXIST) return fd;
    }
    return -1;
}

/* The name is durable only once its directory is. Nothing is reported: the new content is in place
 * already, and after a crash the old one may be back, which the contract allows. */
static void sync_folder_of(const char *path) {
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%.*s", folder_length(path), path);
    if (!folder[0]) memcpy(folder, ".", 2);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    (void)fsync(fd);
    close(fd);
}

/* Only root may give a file away; for others the file becomes theirs, as with any editor. */
static bool give(int fd, uid_t user, gid_t group) {
    return fchown(fd, user, group) == 0 || errno == EPERM || errno == EINVAL;
}

static bool set_mode_and_owner(int fd, const target *t, const pk_file_owner *owner) {
    if (!t->exists) return !owner || give(fd, owner->user, owner->group);
    return give(fd, t->st.st_uid, t->st.st_gid) && fchmod(fd, t->st.st_mode & 07777) == 0;
}

static bool write_beside(const target *t, const void *data, size_t bytes,
                         const pk_file_owner *owner, pk_err *err) {
    char temp[PATH_MAX];
    int fd = create_beside(t->path, temp);
    if (fd < 0) {
        pk_fail(err, PK_E_SYS, t->path, "cannot create a file there");
        fix_access(err, "choose another place for it");
        return false;
    }
    bool ok =
        pk_fd_write_all(fd, data, bytes) && set_mode_and_owner(fd, t, owner) && fsync(fd) == 0;
    int failed = errno;
    if (close(fd) < 0 && ok) { /* NFS reports a full disk only here */
        failed = errno;
        ok = false;
    }
    errno = failed;
    if (!ok) {
        pk_fail(err, PK_E_SYS, t->path, "cannot write %zu bytes", bytes);
        pk_fix(err, "free space there, or choose another place");
    } else if (rename(temp, t->path) < 0) {
        pk_fail(err, PK_E_SYS, t->path, "cannot replace it");
        fix_access(err, "choose another place for it");
        ok = false;
    }
    if (!ok) unlink(temp);
    return ok;
}

bool pk_file_replace_for(const char *path, const void *data, size_t bytes,
                         const pk_file_owner *owner, pk_err *err) {
    target t;
    if (!resolve(path, &t)) {
        pk_fail(err, PK_E_SYS, path, "cannot write to it");
        fix_access(err, "choose another place for it");
        return false;
    }
    if (t.direct) return write_direct(path, data, bytes, err);
    if (!write_beside(&t, data, bytes, owner, err)) return false;
    sync_folder_of(t.path);
    return true;
}

bool pk_file_replace(const char *path, const void *data, size_t bytes, pk_err *err) {
    return pk_file_replace_for(path, data, bytes, NULL, err);
}

/* ---- folders ---- */

/* EEXIST also stands for a file of that name, and a folder there can be one that we may not change.
 */
static bool make_one(const char *path) {
    struct stat st;
    if (mkdir(path, 0777) == 0) return true;
    int reason = errno;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) return true;
    errno = reason;
    return false;
}

bool pk_folder_make(const char *path, pk_err *err) {
    char part[PATH_MAX];
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof part) {
        errno = length ? ENAMETOOLONG : ENOENT;
        pk_fail(err, PK_E_SYS, path, "cannot make this folder");
        pk_fix(err, "choose another path");
        return false;
    }
    for (size_t end = 1; end <= length; end++) {
        if (path[end] != '/' && path[end] != '\0') continue;
        memcpy(part, path, end);
        part[end] = '\0';
        if (make_one(part)) continue;
        pk_fail(err, PK_E_SYS, part, "cannot make this folder");
        fix_access(err, "choose another path");
        return false;
    }
    return true;
}

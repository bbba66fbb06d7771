/* The store as a whole: opening, locking, artefacts. */
#include "bench/store.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "bench/store_internal.h"

enum {
    HASH_BYTES = 32,
    HASH_DIGITS = 2 * HASH_BYTES,
    LOCK_TRIES = 20,
    LOCK_WAIT_NS = 5000000,
};

void pk_store_where(const pk_store *store, const char *relative, char out[PATH_MAX]) {
    int length = snprintf(out, PATH_MAX, "%s/%s", store->home, relative);
    if (length < 0 || length >= PATH_MAX) out[PATH_MAX - 1] = '\0';
}

bool pk_store_may_write(const pk_store *store, pk_err *err) {
    if (store->lock_fd >= 0) return true;
    pk_fail(err, PK_E_INTERNAL, store->home, "written to without its lock");
    return false;
}

const char *pk_store_home(const pk_store *store) {
    return store->home;
}

/* ---- opening ---- */

/* Like mkdir -p. Errors show when the folder is opened. Returns how long the path of the first
 * folder is that was not there; 0: all were. */
static size_t make_home(const char *home) {
    char part[PATH_MAX];
    size_t made_bytes = 0;
    for (const char *p = home; *p;) {
        p += strspn(p, "/");
        p += strcspn(p, "/");
        int length = snprintf(part, sizeof part, "%.*s", (int)(p - home), home);
        if (length <= 0 || length >= PATH_MAX) continue;
        if (mkdir(part, 0777) == 0 && made_bytes == 0) made_bytes = (size_t)length;
    }
    return made_bytes;
}

/* Who holds the lock, as it has written into the file; 0: unknown. */
static long holder_of(int fd) {
    char text[32];
    int64_t pid = 0;
    pk_err ignored;
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return pk_parse_int(text, 1, INT32_MAX, &pid, &ignored) ? (long)pid : 0;
}

/* The descriptor that holds the lock; -1: another holds it (errno EWOULDBLOCK), or no file can be
 * made. A file system without locks (some network ones) is as if nobody held it. */
static int take_lock(const pk_store *store, bool create) {
    if (create) (void)mkdirat(store->home_fd, PK_STORE_OWN, 0777);
    int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0);
    int fd = openat(store->home_fd, PK_STORE_LOCK, flags, 0666);
    if (fd < 0) return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
        close(fd);
        errno = EWOULDBLOCK;
        return -1;
    }
    return fd;
}

static bool fail_lock(const pk_store *store, pk_err *err) {
    if (errno != EWOULDBLOCK) {
        pk_fail(err, PK_E_SYS, store->home, "cannot write there");
        pk_fix(err, "choose another place with --home");
        return false;
    }
    int fd = openat(store->home_fd, PK_STORE_LOCK, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    long pid = fd >= 0 ? holder_of(fd) : 0;
    if (fd >= 0) close(fd);
    if (pid) pk_fail(err, PK_E_INPUT, store->home, "perfkit with pid %ld is writing to it", pid);
    else pk_fail(err, PK_E_INPUT, store->home, "another perfkit is writing to it");
    pk_fix(err, "wait for it, or choose another place with --home");
    return false;
}

static bool lock_store(pk_store *store, pk_err *err) {
    int fd = take_lock(store, true);
    /* A reader that clears up holds it for a moment: that is no reason to give up. */
    for (int i = 0; fd < 0 && errno == EWOULDBLOCK && i < LOCK_TRIES; i++) {
        struct timespec moment = {.tv_nsec = LOCK_WAIT_NS};
        nanosleep(&moment, NULL);
        fd = take_lock(store, true);
    }
    if (fd < 0) return fail_lock(store, err);
    char text[32];
    int length = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    /* For the message above alone: whether it can be written does not matter. */
    if (ftruncate(fd, 0) == 0) (void)!pwrite(fd, text, (size_t)length, 0);
    store->lock_fd = fd;
    pk_store_recover(store);
    return true;
}

/* Whoever only reads puts left-overs in order too, if nobody is writing and it may. */
static void recover_if_idle(pk_store *store) {
    if (!pk_store_has_leftovers(store)) return;
    int fd = take_lock(store, false);
    if (fd < 0) return;
    pk_store_recover(store);
    close(fd);
}

pk_store *pk_store_open(const char *home, bool create, bool lock, pk_err *err) {
    pk_store *store = calloc(1, sizeof *store);
    char *copy = strdup(home);
    if (!store || !copy) {
        free(store);
        free(copy);
        pk_fail(err, PK_E_LIMIT, home, "out of memory");
        return NULL;
    }
    *store = (pk_store){.home = copy, .lock_fd = -1};
    if (create) store->made_bytes = make_home(home);
    store->home_fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store->home_fd < 0) {
        pk_fail(err, PK_E_SYS, home,
                create ? "cannot make or open the store" : "there is no store");
        pk_fix(err, create ? "choose another place with --home"
                           : "perfkit bench makes one; --home says where it is");
        pk_store_close(store);
        return NULL;
    }
    if (lock && !lock_store(store, err)) {
        pk_store_close(store);
        return NULL;
    }
    if (!lock) recover_if_idle(store);
    return store;
}

void pk_store_close(pk_store *store) {
    if (!store) return;
    if (store->lock_fd >= 0) close(store->lock_fd); /* and so unlocked */
    if (store->home_fd >= 0) close(store->home_fd);
    free(store->home);
    free(store);
}

/* Only what is empty goes. */
static void remove_home(const pk_store *store) {
    char part[PATH_MAX];
    size_t bytes = strlen(store->home);
    if (unlinkat(store->home_fd, PK_STORE_OWN, AT_REMOVEDIR) < 0) return;
    while (bytes >= store->made_bytes && bytes < sizeof part) {
        snprintf(part, sizeof part, "%.*s", (int)bytes, store->home);
        if (rmdir(part) < 0) return;
        while (bytes > 0 && store->home[bytes - 1] == '/') bytes--;
        while (bytes > 0 && store->home[bytes - 1] != '/') bytes--;
        while (bytes > 0 && store->home[bytes - 1] == '/') bytes--;
    }
}

void pk_store_abandon(pk_store *store) {
    if (store && store->made_bytes > 0 && store->lock_fd >= 0) {
        (void)unlinkat(store->home_fd, PK_STORE_LOCK, 0);
        remove_home(store);
    }
    pk_store_close(store);
}

/* ---- artefacts ---- */

bool pk_store_hash(const void *data, size_t bytes, char hash[65], pk_err *err) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    if (EVP_Digest(data, bytes, digest, &length, EVP_sha256(), NULL) != 1 || length != HASH_BYTES) {
        pk_fail(err, PK_E_UNSUPPORTED, NULL, "this OpenSSL cannot compute SHA-256");
        pk_fix(err, "its configuration must allow it");
        return false;
    }
    for (unsigned i = 0; i < length; i++) snprintf(hash + 2 * (size_t)i, 3, "%02x", digest[i]);
    return true;
}

/* ".perfkit/artefacts/HASH.so". */
static void artefact_place(const char *hash, char out[PATH_MAX]) {
    snprintf(out, PATH_MAX, PK_STORE_ARTEFACTS "/%.64s.so", hash);
}

static bool is_hash(const char *hash) {
    return strlen(hash) == HASH_DIGITS && strspn(hash, "0123456789abcdef") == HASH_DIGITS;
}

bool pk_store_put_artefact(pk_store *store, const void *data, size_t bytes, char hash[65],
                           pk_err *err) {
    char digits[HASH_DIGITS + 1], place[PATH_MAX];
    struct stat st;
    if (!pk_store_hash(data, bytes, digits, err)) return false;
    artefact_place(digits, place);
    /* Written whole or not at all: the same size is the same content. */
    bool there =
        fstatat(store->home_fd, place, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size == (off_t)bytes;
    if (!there && !pk_store_put_file(store, place, data, bytes, err)) return false;
    memcpy(hash, digits, sizeof digits);
    return true;
}

bool pk_store_artefact(pk_store *store, const char *hash, char *path, size_t bytes) {
    char place[PATH_MAX], whole[PATH_MAX];
    struct stat st;
    if (!is_hash(hash)) return false;
    artefact_place(hash, place);
    if (fstatat(store->home_fd, place, &st, 0) < 0 || !S_ISREG(st.st_mode)) return false;
    pk_store_where(store, place, whole);
    return (size_t)snprintf(path, bytes, "%s", whole) < bytes;
}

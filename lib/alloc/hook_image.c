/* The image file: making it, giving out its chunks, snapshots of the mappings. */
#include "alloc/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define IMAGES_MAX 100000 /* of one process number */
#define SNAPSHOTS_MAX 1000
#define HIGH_FD 900 /* programs expect the low numbers to be theirs */

void *pk_hook_map(void *address, size_t bytes, int protection, int flags, int fd, off_t offset) {
    return (void *)syscall(SYS_mmap, address, bytes, protection, flags, fd, offset);
}

int pk_hook_unmap(void *address, size_t bytes) {
    return (int)syscall(SYS_munmap, address, bytes);
}

void *pk_hook_memory(size_t bytes, int advice) {
    void *at = pk_hook_map(NULL, bytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) return NULL;
    if (madvise(at, bytes, advice) == 0) return at;
    pk_hook_unmap(at, bytes);
    return NULL;
}

uint64_t pk_hook_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- the file ---- */

/* Programs close descriptors that they do not know, and give their numbers to other files; they
 * change their root and their user. So the file is looked at before each use, and opened again by
 * its name if it is no longer there. */
static int image_fd(pk_hook_process *process) {
    struct stat file;
    if (fstat(process->fd, &file) == 0 && file.st_dev == process->device &&
        file.st_ino == process->inode)
        return process->fd;
    int fd = open(process->path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return -1;
    int high = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);
    if (high >= 0) {
        close(fd);
        fd = high;
    }
    if (fstat(fd, &file) == 0 && file.st_dev == process->device && file.st_ino == process->inode) {
        process->fd = fd;
        return fd;
    }
    close(fd);
    return -1;
}

/* Room in the file, so that writing to the mapping cannot fail later (SIGBUS), without going beyond
 * the program's own limit (SIGXFSZ). */
static bool reserve(int fd, uint64_t at, size_t bytes) {
    static const char zeros[4096];
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) < 0 || at + PK_IMAGE_CHUNK_BYTES > limit.rlim_cur)
        return false;
    if (fallocate(fd, 0, (off_t)at, (off_t)bytes) == 0) return true;
    if (errno != EOPNOTSUPP && errno != ENOSYS) return false;
    for (size_t done = 0; done < bytes; done += sizeof zeros)
        if (pwrite(fd, zeros, sizeof zeros, (off_t)(at + done)) != (ssize_t)sizeof zeros)
            return false;
    return true;
}

static void *map_chunk(int fd, uint32_t number, size_t bytes) {
    uint64_t at = number * PK_IMAGE_CHUNK_BYTES;
    if (!reserve(fd, at, bytes)) return NULL;
    void *base =
        pk_hook_map(NULL, PK_IMAGE_CHUNK_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)at);
    if (base == MAP_FAILED) return NULL;
    madvise(base, PK_IMAGE_CHUNK_BYTES, MADV_DONTFORK);
    return base;
}

pk_image_chunk *pk_hook_chunk_new(pk_image_kind kind, uint32_t thread, size_t bytes,
                                  uint32_t *number) {
    pk_hook_process *process = pk_hook.process;
    uint32_t n = atomic_load(&process->head->chunks);
    do {
        if (n >= pk_hook.chunks_max || atomic_load(&process->no_room)) goto full;
    } while (!atomic_compare_exchange_weak(&process->head->chunks, &n, n + 1));
    int fd = image_fd(process);
    pk_image_chunk *chunk = fd < 0 ? NULL : map_chunk(fd, n, (bytes + 4095) & ~(size_t)4095);
    if (!chunk) goto full;
    chunk->thread = thread ? thread : kind == PK_CHUNK_THREAD ? n : 0;
    pk_hook.chunks[n] = (pk_hook_chunk){(unsigned char *)chunk, chunk->thread};
    *number = n;
    __atomic_store_n(&chunk->kind, (uint32_t)kind, __ATOMIC_RELEASE);
    return chunk;
full:
    atomic_store(&process->no_room, true);
    atomic_fetch_add(&process->head->full, 1);
    return NULL;
}

static void fill_head(pk_image_head *head, uint32_t exec_number) {
    struct timespec unix_time;
    head->chunk.kind = PK_CHUNK_HEAD;
    head->version = PK_IMAGE_VERSION;
    head->flags = pk_hook.flags;
    head->sample_bytes = pk_hook.sample_bytes;
    head->pid = (uint32_t)getpid();
    head->parent_pid = (uint32_t)getppid();
    head->exec_number = exec_number;
    head->forked = pk_hook.first_pid != getpid();
    head->started_ns = pk_hook_now_ns();
    clock_gettime(CLOCK_REALTIME, &unix_time);
    head->started_unix_ns = (uint64_t)unix_time.tv_sec * 1000000000u + (uint64_t)unix_time.tv_nsec;
    prctl(PR_GET_NAME, head->name, 0, 0, 0);
    ssize_t n = readlink("/proc/self/exe", head->exe, sizeof head->exe - 1);
    head->exe[n < 0 ? 0 : n] = 0;
    atomic_store(&head->chunks, 1);
    atomic_store(&head->before_ready, atomic_load(&pk_hook.before_ready));
    __atomic_store_n(&head->magic, PK_IMAGE_MAGIC, __ATOMIC_RELEASE);
}

static int create_file(pk_hook_process *process, uint32_t *exec_number) {
    int fd = -1;
    for (uint32_t n = 0; fd < 0 && n < IMAGES_MAX; n++) {
        int length = snprintf(process->path, sizeof process->path, "%s/" PK_IMAGE_NAME,
                              pk_hook.folder, (uint32_t)getpid(), n);
        if (length < 0 || (size_t)length >= sizeof process->path) return -1;
        fd = open(process->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0 && errno != EEXIST) return -1;
        *exec_number = n;
    }
    return fd;
}

bool pk_hook_image_create(pk_hook_process *process) {
    uint32_t exec_number = 0;
    struct stat file;
    int fd = create_file(process, &exec_number);
    if (fd < 0) return false;
    int high = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);
    if (high >= 0) {
        close(fd);
        fd = high;
    }
    if (fstat(fd, &file) < 0) goto failed;
    process->head = map_chunk(fd, 0, PK_IMAGE_CHUNK_BYTES);
    if (!process->head) goto failed;
    process->fd = fd;
    process->device = file.st_dev;
    process->inode = file.st_ino;
    fill_head(process->head, exec_number);
    return true;
failed:
    unlink(process->path);
    close(fd);
    return false;
}

void pk_hook_image_close(pk_hook_process *process) {
    struct stat file;
    uint32_t n = atomic_load(&process->head->chunks);
    for (uint32_t i = 1; i < n && i < pk_hook.chunks_max; i++) {
        if (pk_hook.chunks[i].base) pk_hook_unmap(pk_hook.chunks[i].base, PK_IMAGE_CHUNK_BYTES);
        pk_hook.chunks[i] = (pk_hook_chunk){0};
    }
    pk_hook_unmap(process->head, PK_IMAGE_CHUNK_BYTES);
    if (fstat(process->fd, &file) == 0 && file.st_dev == process->device &&
        file.st_ino == process->inode)
        close(process->fd);
}

/* ---- snapshots ---- */

void pk_hook_snapshot(void) {
    pk_hook_process *process = pk_hook.process;
    if (process->snapshots++ >= SNAPSHOTS_MAX) return;
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    uint64_t now = pk_hook_now_ns();
    size_t room = PK_IMAGE_CHUNK_BYTES - sizeof(pk_image_chunk);
    bool more = true;
    for (uint32_t part = 0; more; part++) {
        uint32_t number;
        pk_image_chunk *chunk = pk_hook_chunk_new(PK_CHUNK_MAPS, 0, PK_IMAGE_CHUNK_BYTES, &number);
        if (!chunk) break;
        chunk->part = part;
        chunk->time_ns = now;
        chunk->era = process->era;
        size_t used = 0;
        while (used < room) {
            ssize_t n = read(fd, (char *)(chunk + 1) + used, room - used);
            if (n < 0 && errno == EINTR) continue;
            more = n > 0;
            if (!more) break;
            used += (size_t)n;
        }
        __atomic_store_n(&chunk->used, (uint32_t)used, __ATOMIC_RELEASE);
    }
    close(fd);
}

void pk_hook_object_seen(uint64_t start) {
    pk_hook_process *process = pk_hook.process;
    pk_hook_lock();
    uint32_t i = 0;
    while (i < process->n_objects && process->objects[i] != start) i++;
    if (i == process->n_objects) {
        if (i < PK_HOOK_OBJECTS) process->objects[process->n_objects++] = start;
        pk_hook_snapshot();
    }
    pk_hook_unlock();
}

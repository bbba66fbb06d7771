#include "alloc/image_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOM (PK_IMAGE_CHUNK_BYTES - sizeof(pk_image_chunk))

static void read_at(int fd, uint64_t at, void *out, size_t bytes) {
    char *to = out;
    size_t done = 0;
    while (done < bytes) {
        ssize_t n = pread(fd, to + done, bytes - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        done += (size_t)n;
    }
    memset(to + done, 0, bytes - done);
}

bool pk_image_file_refresh(pk_image_file *file) {
    struct stat st;
    if (fstat(file->fd, &st) < 0 || st.st_size < 0) return false;
    read_at(file->fd, 0, &file->head, sizeof file->head);
    file->head.name[sizeof file->head.name - 1] = '\0';
    file->head.exe[sizeof file->head.exe - 1] = '\0';
    uint64_t in_file = ((uint64_t)st.st_size + PK_IMAGE_CHUNK_BYTES - 1) / PK_IMAGE_CHUNK_BYTES;
    uint64_t n = file->head.chunks;
    if (n > in_file) n = in_file;
    file->n_chunks = n < PK_IMAGE_CHUNKS_MAX ? (uint32_t)n : PK_IMAGE_CHUNKS_MAX;
    return file->head.magic == PK_IMAGE_MAGIC;
}

bool pk_image_file_open(const char *path, pk_image_file *file, pk_err *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;
    if (fd < 0) {
        pk_fail(err, PK_E_SYS, path, "cannot open it");
        pk_fix(err, "see that it is there, and yours to read");
        return false;
    }
    file->fd = fd;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || !pk_image_file_refresh(file)) {
        pk_fail(err, PK_E_INPUT, path, "it is no image of perfkit alloc");
        pk_fix(err, "give a folder that perfkit alloc has made");
    } else if (file->head.version != PK_IMAGE_VERSION) {
        pk_fail(err, PK_E_INPUT, path, "it is of version %u, and this is made for %u",
                file->head.version, PK_IMAGE_VERSION);
        pk_fix(err, "read it with the perfkit that made it");
    } else {
        return true;
    }
    close(fd);
    file->fd = -1;
    return false;
}

void pk_image_file_close(pk_image_file *file) {
    if (file->fd >= 0) close(file->fd);
    file->fd = -1;
}

/* What one item of a kind takes; 0: it has none. */
static uint32_t item_bytes(uint32_t kind) {
    switch (kind) {
    case PK_CHUNK_CELLS:
        return sizeof(pk_image_cell);
    case PK_CHUNK_FRAMES:
        return sizeof(uint64_t);
    case PK_CHUNK_MAPS:
        return 1;
    default:
        return 0;
    }
}

pk_image_chunk pk_image_file_chunk(const pk_image_file *file, uint32_t number) {
    pk_image_chunk chunk;
    read_at(file->fd, number * PK_IMAGE_CHUNK_BYTES, &chunk, sizeof chunk);
    bool known = chunk.kind >= PK_CHUNK_HEAD && chunk.kind <= PK_CHUNK_MAPS;
    if (number >= file->n_chunks || !known) chunk.kind = PK_CHUNK_NONE;
    uint32_t bytes = item_bytes(chunk.kind);
    uint32_t most = bytes ? (uint32_t)(ROOM / bytes) : 0;
    if (chunk.used > most) chunk.used = most;
    return chunk;
}

void pk_image_file_read(const pk_image_file *file, uint32_t number, uint64_t from, void *out,
                        size_t bytes) {
    read_at(file->fd, number * PK_IMAGE_CHUNK_BYTES + from, out, bytes);
}

#include "serve/pattern.h"

#include <sys/mman.h>
#include <unistd.h>

/* 63 characters and a newline make a line; line l begins with character number l. */
enum { LINE_BYTES = 64 };
static const char alphabet[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-";
_Static_assert(sizeof alphabet == LINE_BYTES, "63 characters and the newline fill a line");

char pk_pattern_byte(uint64_t i) {
    i %= PK_PATTERN_BLOCK_BYTES;
    uint64_t column = i % LINE_BYTES;
    if (column == LINE_BYTES - 1) return '\n';
    return alphabet[(i / LINE_BYTES + column) % (LINE_BYTES - 1)];
}

void pk_pattern_fill(char *out, uint64_t start, size_t n) {
    for (size_t i = 0; i < n; i++) out[i] = pk_pattern_byte(start + i);
}

static size_t whole_blocks(uint64_t bytes) {
    uint64_t blocks = bytes / PK_PATTERN_BLOCK_BYTES + (bytes % PK_PATTERN_BLOCK_BYTES != 0);
    return (size_t)((blocks ? blocks : 1) * PK_PATTERN_BLOCK_BYTES);
}

const char *pk_pattern_map(uint64_t bytes, pk_err *err) {
    size_t block = PK_PATTERN_BLOCK_BYTES;
    size_t total = whole_blocks(bytes);
    char *map = MAP_FAILED;
    int fd = memfd_create("perfkit-pattern", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, (off_t)block) < 0) goto out;
    map = mmap(NULL, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED) goto out;
    char *writable = mmap(NULL, block, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    bool ok = writable != MAP_FAILED;
    if (ok) {
        pk_pattern_fill(writable, 0, block);
        munmap(writable, block);
    }
    for (size_t at = 0; ok && at < total; at += block)
        ok = mmap(map + at, block, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED;
    if (!ok) {
        munmap(map, total);
        map = MAP_FAILED;
    }
out:
    if (map == MAP_FAILED) {
        pk_fail(err, PK_E_SYS, "--max-bytes", "cannot map the bytes to send");
        pk_fix(err, "choose a smaller one");
    }
    if (fd >= 0) close(fd);
    return map == MAP_FAILED ? NULL : map;
}

void pk_pattern_unmap(const char *map, uint64_t bytes) {
    if (map) munmap((void *)(uintptr_t)map, whole_blocks(bytes));
}

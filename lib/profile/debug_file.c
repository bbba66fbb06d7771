#include "profile/debug_file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

typedef struct search {
    const pk_elf_image *image;
    const pk_debug_folders *folders;
    const char *section;
    char hex[2 * 64 + 1]; /* the build-id; empty without one */
} search;

/* The CRC-32 of a whole file, that of gzip, which .gnu_debuglink has as well. */
static bool file_crc(const char *path, uint32_t *crc) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return false;
    unsigned char block[16384];
    uLong sum = crc32(0, NULL, 0);
    ssize_t n;
    while ((n = read(fd, block, sizeof block)) > 0) sum = crc32(sum, block, (uInt)n);
    close(fd);
    *crc = (uint32_t)sum;
    return n == 0;
}

/* The image at a path, if it is what we look for. crc: NULL when it is known by its build-id. */
static PK_PRINTF(3, 4) pk_elf_image *try(const search *s, const uint32_t *crc, const char *fmt,
                                         ...) {
    char path[PATH_MAX];
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(path, sizeof path, fmt, args);
    va_end(args);
    if (length < 0 || (size_t)length >= sizeof path) return NULL;
    pk_err err;
    pk_elf_image *found = pk_elf_image_open(path, &err);
    if (!found) return NULL;
    uint32_t actual = 0;
    bool right =
        crc ? file_crc(path, &actual) && actual == *crc : pk_elf_image_same_build(found, s->image);
    if (right && pk_elf_image_has_section(found, s->section)) return found;
    pk_elf_image_free(found);
    return NULL;
}

static pk_elf_image *by_build_id(const search *s) {
    pk_elf_image *found = NULL;
    for (const char *const *root = s->folders->roots; root && *root && !found; root++)
        found = try(s, NULL, "%s/.build-id/%.2s/%s.debug", *root, s->hex, s->hex + 2);
    return found;
}

static pk_elf_image *by_link(const search *s) {
    uint32_t crc;
    const char *name = pk_elf_image_debug_link(s->image, &crc);
    if (!name || strchr(name, '/')) return NULL;
    const char *path = pk_elf_image_path(s->image), *slash = strrchr(path, '/');
    int folder_bytes = slash && slash - path < PATH_MAX ? (int)(slash - path) : 0;
    const char *folder = slash ? path : ".";
    if (!slash) folder_bytes = 1;
    pk_elf_image *found = try(s, &crc, "%.*s/%s", folder_bytes, folder, name);
    if (!found) found = try(s, &crc, "%.*s/.debug/%s", folder_bytes, folder, name);
    for (const char *const *root = s->folders->roots; root && *root && !found; root++)
        found = try(s, &crc, "%s/%.*s/%s", *root, folder_bytes, folder, name);
    return found;
}

static pk_elf_image *by_perf_cache(const search *s) {
    const char *cache = s->folders->perf_cache;
    if (!cache) return NULL;
    pk_elf_image *found = try(s, NULL, "%s/.build-id/%.2s/%s/debug", cache, s->hex, s->hex + 2);
    return found ? found : try(s, NULL, "%s/.build-id/%.2s/%s/elf", cache, s->hex, s->hex + 2);
}

pk_elf_image *pk_debug_file_open(const pk_elf_image *image, const pk_debug_folders *folders,
                                 const char *section) {
    static const pk_debug_folders none = {0};
    search s = {.image = image, .folders = folders ? folders : &none, .section = section};
    size_t bytes = 0;
    const uint8_t *id = pk_elf_image_build_id(image, &bytes);
    bool known = id && bytes >= 2 && bytes * 2 < sizeof s.hex;
    for (size_t i = 0; known && i < bytes; i++) snprintf(s.hex + 2 * i, 3, "%02x", id[i]);
    pk_elf_image *found = known ? by_build_id(&s) : NULL;
    if (!found) found = by_link(&s);
    if (!found && known) found = by_perf_cache(&s);
    return found;
}

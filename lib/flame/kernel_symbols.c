#include "flame/kernel_symbols.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#define BLOCK_BYTES 65536u
#define NOTES_BYTES_MAX ((size_t)1 << 20)

/* Adds what the file holds, in blocks: it is some megabytes, and little of it is kept. False: it
 * cannot be read, or there is no memory. */
static bool add_file(pk_kallsyms *kallsyms, int fd) {
    char block[BLOCK_BYTES];
    size_t held = 0; /* the beginning of a line */
    ssize_t n;
    while ((n = read(fd, block + held, sizeof block - held)) != 0) {
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        held += (size_t)n;
        const char *end = memrchr(block, '\n', held);
        /* No symbol has a line that fills the block: it is passed over. */
        size_t whole = end ? (size_t)(end - block) + 1 : 0;
        if (!pk_kallsyms_add(kallsyms, block, whole)) return false;
        if (!end && held == sizeof block) whole = held;
        held -= whole;
        memmove(block, block + whole, held);
    }
    return pk_kallsyms_add(kallsyms, block, held);
}

pk_kallsyms *pk_kernel_symbols_read(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    pk_kallsyms *kallsyms = fd < 0 ? NULL : pk_kallsyms_new();
    bool ok = kallsyms && add_file(kallsyms, fd);
    if (fd >= 0) close(fd);
    if (ok) pk_kallsyms_finish(kallsyms);
    if (ok && !pk_kallsyms_restricted(kallsyms)) return kallsyms;
    pk_kallsyms_free(kallsyms);
    return NULL;
}

static pk_kallsyms *from_cache(const pk_kernel_id *id, const char *cache) {
    char hex[2 * 64 + 1] = "", path[PATH_MAX];
    if (!cache || id->build_id_bytes < 2 || id->build_id_bytes * 2 >= sizeof hex) return NULL;
    for (size_t i = 0; i < id->build_id_bytes; i++)
        snprintf(hex + 2 * i, 3, "%02x", id->build_id[i]);
    int n = snprintf(path, sizeof path, "%s/.build-id/%.2s/%s/kallsyms", cache, hex, hex + 2);
    return n > 0 && (size_t)n < sizeof path ? pk_kernel_symbols_read(path) : NULL;
}

/* Does the note with a build-id, among those of a kernel (elf(5), "Notes"), say another one? */
static bool says_other(const char *notes, size_t bytes, const pk_kernel_id *id) {
    Elf64_Nhdr note;
    for (size_t at = 0; bytes - at >= sizeof note;) {
        memcpy(&note, notes + at, sizeof note);
        size_t name = at + sizeof note, desc = name + (((size_t)note.n_namesz + 3) & ~(size_t)3);
        size_t next = desc + (((size_t)note.n_descsz + 3) & ~(size_t)3);
        if (next > bytes) break;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
            memcmp(notes + name, "GNU", 4) == 0)
            return note.n_descsz != id->build_id_bytes ||
                   memcmp(notes + desc, id->build_id, id->build_id_bytes) != 0;
        at = next;
    }
    return false;
}

static bool is_other_kernel(const pk_kernel_id *id, const char *path) {
    pk_strbuf notes;
    pk_err err;
    if (id->build_id_bytes == 0) return false;
    pk_strbuf_init(&notes, NOTES_BYTES_MAX);
    bool other = pk_file_read(path, NOTES_BYTES_MAX, &notes, &err) &&
                 says_other(notes.data, notes.length, id);
    pk_strbuf_fini(&notes);
    return other;
}

pk_kallsyms *pk_kernel_symbols_find(const pk_kernel_id *id, const pk_debug_folders *folders,
                                    const char *path, const char *notes) {
    pk_kallsyms *cached = from_cache(id, folders ? folders->perf_cache : NULL);
    if (cached || !path || is_other_kernel(id, notes)) return cached;
    return pk_kernel_symbols_read(path);
}

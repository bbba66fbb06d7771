#include "flame/kernel_symbols.h"

#include <elf.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"

#define KALLSYMS_BYTES_MAX ((size_t)256 << 20)
#define NOTES_BYTES_MAX ((size_t)1 << 20)

pk_kallsyms *pk_kernel_symbols_read(const char *path) {
    pk_strbuf text;
    pk_err err;
    pk_kallsyms *kallsyms = NULL;
    pk_strbuf_init(&text, KALLSYMS_BYTES_MAX);
    if (pk_file_read(path, KALLSYMS_BYTES_MAX, &text, &err))
        kallsyms = pk_kallsyms_parse(text.data, text.length, &err);
    pk_strbuf_fini(&text);
    if (!kallsyms || !pk_kallsyms_restricted(kallsyms)) return kallsyms;
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

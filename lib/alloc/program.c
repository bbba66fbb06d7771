#include "alloc/program.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/process.h"
#include "profile/elf_image.h"
#include "profile/symbols.h"

#define SCRIPT_BYTES_MAX 256u
#define INTERPRETERS_MAX 4u /* of scripts, as in Linux (exec.c) */
#define SEGMENTS_MAX 256u
#define DYNAMIC_MAX 4096u
#define NAME_MAX_BYTES 256u
#define ATTACH "start it, then: perfkit alloc -p PID"

#ifdef __aarch64__
#define MACHINE EM_AARCH64
#else
#define MACHINE EM_X86_64
#endif

typedef struct elf_file {
    const char *path;
    int fd;
    Elf64_Ehdr header;
    Elf64_Phdr segments[SEGMENTS_MAX];
    size_t n_segments;
} elf_file;

static bool read_exactly(int fd, uint64_t at, void *out, size_t bytes) {
    return at <= INT64_MAX && pread(fd, out, bytes, (off_t)at) == (ssize_t)bytes;
}

static bool unsuited(pk_err *err, const char *path, const char *what, const char *fix) {
    pk_fail(err, PK_E_UNSUPPORTED, path, "%s", what);
    pk_fix(err, "%s", fix);
    return false;
}

/* ---- what the file is ---- */

static void read_segments(elf_file *f) {
    size_t n = f->header.e_phnum < SEGMENTS_MAX ? f->header.e_phnum : SEGMENTS_MAX;
    if (f->header.e_phentsize == sizeof(Elf64_Phdr) &&
        read_exactly(f->fd, f->header.e_phoff, f->segments, n * sizeof *f->segments))
        f->n_segments = n;
}

static const Elf64_Phdr *segment_of(const elf_file *f, uint32_t type) {
    for (size_t i = 0; i < f->n_segments; i++)
        if (f->segments[i].p_type == type) return &f->segments[i];
    return NULL;
}

/* The text at an offset of the file, cut to its room. */
static void read_text(const elf_file *f, uint64_t at, char out[NAME_MAX_BYTES]) {
    ssize_t n = at <= INT64_MAX ? pread(f->fd, out, NAME_MAX_BYTES - 1, (off_t)at) : 0;
    out[n > 0 ? n : 0] = '\0';
}

static bool check_loader(const elf_file *f, pk_err *err) {
    const Elf64_Phdr *interpreter = segment_of(f, PT_INTERP);
    char loader[NAME_MAX_BYTES];
    if (!interpreter)
        return unsuited(err, f->path,
                        "it is statically linked, so that nothing can be loaded with it",
                        ATTACH " (--backend bpf)");
    read_text(f, interpreter->p_offset, loader);
    if (strstr(loader, "/ld-musl"))
        return unsuited(err, f->path, "it runs on musl, and the hook needs glibc",
                        ATTACH " (--backend bpf)");
    return true;
}

/* ---- libraries ---- */

static uint64_t offset_of(const elf_file *f, uint64_t address) {
    for (size_t i = 0; i < f->n_segments; i++) {
        const Elf64_Phdr *s = &f->segments[i];
        if (s->p_type == PT_LOAD && address >= s->p_vaddr && address - s->p_vaddr < s->p_filesz)
            return address - s->p_vaddr + s->p_offset;
    }
    return UINT64_MAX;
}

/* The sanitizers' own allocators must come first, and then nothing reaches another. */
static bool is_sanitizer(const char *library) {
    static const char *const names[] = {"libasan.so",   "libtsan.so",       "liblsan.so",
                                        "libhwasan.so", "libclang_rt.asan", "libclang_rt.tsan"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(library, names[i], strlen(names[i])) == 0) return true;
    return false;
}

static bool check_libraries(const elf_file *f, pk_err *err) {
    const Elf64_Phdr *dynamic = segment_of(f, PT_DYNAMIC);
    uint64_t texts = UINT64_MAX;
    if (!dynamic) return true;
    for (int pass = 0; pass < 2; pass++) { /* the table of texts, then the libraries */
        for (uint64_t i = 0; i < DYNAMIC_MAX && (i + 1) * sizeof(Elf64_Dyn) <= dynamic->p_filesz;
             i++) {
            Elf64_Dyn entry;
            char library[NAME_MAX_BYTES];
            if (!read_exactly(f->fd, dynamic->p_offset + i * sizeof entry, &entry, sizeof entry) ||
                entry.d_tag == DT_NULL)
                break;
            if (entry.d_tag == DT_STRTAB) texts = offset_of(f, entry.d_un.d_ptr);
            if (pass == 0 || entry.d_tag != DT_NEEDED || texts > INT64_MAX) continue;
            read_text(f, texts + entry.d_un.d_val, library);
            if (is_sanitizer(library))
                return unsuited(err, f->path,
                                "it is built with a sanitizer, which has an allocator of its own",
                                "build it without -fsanitize");
        }
    }
    return true;
}

/* ---- privileges ---- */

/* The loader ignores LD_PRELOAD then (AT_SECURE; ld.so(8)). */
static bool check_privileges(const char *path, int fd, pk_err *err) {
    struct stat st;
    if (fstat(fd, &st) < 0) return true;
    bool user = st.st_mode & S_ISUID && st.st_uid != getuid();
    bool group = st.st_mode & S_ISGID && st.st_mode & S_IXGRP && st.st_gid != getgid();
    bool capable = getuid() != 0 && fgetxattr(fd, "security.capability", NULL, 0) > 0;
    if (!user && !group && !capable) return true;
    return unsuited(err, path, "it gains privileges when it starts, and loads nothing of ours then",
                    "run perfkit as root, or as root attach to it: perfkit alloc -p PID");
}

/* ---- symbols ---- */

/* Names by which programs have an allocator in themselves. */
static const char *allocator_of(const char *symbol) {
    static const char *const names[][2] = {{"malloc", "a malloc of its own"},
                                           {"je_malloc", "jemalloc"},
                                           {"_rjem_malloc", "jemalloc"},
                                           {"mi_malloc", "mimalloc"},
                                           {"tc_malloc", "tcmalloc"},
                                           {"__interceptor_malloc", "a sanitizer's allocator"},
                                           {"___interceptor_malloc", "a sanitizer's allocator"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(symbol, names[i][0]) == 0) return names[i][1];
    return NULL;
}

static bool check_symbols(const char *path, pk_err *err) {
    pk_err ignored;
    const char *found = NULL;
    pk_elf_image *image = pk_elf_image_open(path, &ignored);
    pk_symbols *symbols = image ? pk_symbols_load(image, NULL, &ignored) : NULL;
    size_t n = symbols ? pk_symbols_count(symbols) : 0;
    for (size_t i = 0; i < n && !found; i++)
        found = allocator_of(pk_symbols_at(symbols, (uint32_t)i)->name);
    pk_symbols_free(symbols);
    pk_elf_image_free(image);
    if (!found) return true;
    pk_fail(err, PK_E_UNSUPPORTED, path, "it has %s linked into it, which the hook cannot see",
            found);
    pk_fix(err, ATTACH " (--backend bpf), or link the allocator dynamically");
    return false;
}

/* ---- scripts ---- */

/* The program that "#!" names, with env(1) looked through; false: it is no script. */
static bool interpreter_of(int fd, char out[PATH_MAX]) {
    char line[SCRIPT_BYTES_MAX + 1], *rest = line + 2, *words[8];
    ssize_t bytes = pread(fd, line, SCRIPT_BYTES_MAX, 0);
    if (bytes < 3 || line[0] != '#' || line[1] != '!') return false;
    line[bytes] = '\0';
    rest[strcspn(rest, "\n")] = '\0';
    size_t n = 0;
    for (char *word; n < 8 && (word = strsep(&rest, " \t"));)
        if (*word) words[n++] = word;
    size_t at = 0;
    const char *slash = n > 1 ? strrchr(words[0], '/') : NULL;
    if (slash && strcmp(slash + 1, "env") == 0)
        for (at = 1; at + 1 < n && (words[at][0] == '-' || strchr(words[at], '='));) at++;
    pk_err ignored;
    return at < n && pk_process_find(words[at], out, PATH_MAX, &ignored);
}

static bool check_file(const char *path, int fd, pk_err *err) {
    elf_file f = {.path = path, .fd = fd};
    if (!read_exactly(fd, 0, &f.header, sizeof f.header) ||
        memcmp(f.header.e_ident, ELFMAG, SELFMAG) != 0)
        return true;
    if (f.header.e_ident[EI_CLASS] != ELFCLASS64 || f.header.e_machine != MACHINE)
        return unsuited(err, path, "it is made for another kind of processor, such as 32 bits",
                        "count a 64-bit program");
    read_segments(&f);
    return check_loader(&f, err) && check_libraries(&f, err) && check_privileges(path, fd, err) &&
           check_symbols(path, err);
}

bool pk_alloc_program_check(const char *path, pk_err *err) {
    char program[PATH_MAX], next[PATH_MAX];
    if (strlen(path) >= sizeof program) return true;
    memcpy(program, path, strlen(path) + 1);
    for (unsigned i = 0;; i++) {
        int fd = open(program, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0) return true; /* it may be executable all the same */
        bool script = i < INTERPRETERS_MAX && interpreter_of(fd, next);
        bool ok = script || check_file(program, fd, err);
        close(fd);
        if (!script) return ok;
        memcpy(program, next, sizeof program);
    }
}

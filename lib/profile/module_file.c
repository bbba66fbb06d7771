#include "profile/module_file.h"

#include <dirent.h>
#include <elf.h>
#include <link.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/fnv.h"

#define VDSO "[vdso]"
#define DELETED " (deleted)"
#define VDSO_BYTES_MAX 65536u /* four times the largest known */

/* ---- whose file ---- */

/* The mount namespace ("mnt:[4026531841]") and the root in it ("/", or a folder). False: no such
 * process, or not ours to see. */
static bool add_link(const char *process, const char *name, uint64_t *hash) {
    char path[64], target[PATH_MAX];
    snprintf(path, sizeof path, "/proc/%s/%s", process, name);
    ssize_t n = readlink(path, target, sizeof target);
    if (n < 0) return false;
    *hash = pk_fnv1a(*hash, target, (size_t)n);
    return true;
}

static bool root_of(const char *process, uint64_t *root) {
    *root = PK_FNV_START;
    return add_link(process, "ns/mnt", root) && add_link(process, "root", root);
}

uint64_t pk_module_own_root(void) {
    uint64_t root;
    return root_of("self", &root) ? root : 0;
}

uint64_t pk_module_root(uint32_t pid, uint64_t own) {
    char process[16];
    uint64_t root;
    snprintf(process, sizeof process, "%u", pid);
    if (pid == 0 || own == 0 || !root_of(process, &root) || root == own) return 0;
    return root;
}

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && memcmp(text + n - m, end, m) == 0;
}

bool pk_module_is_fleeting(const pk_module_id *id, uint64_t root) {
    return id->pid != 0 && !id->kernel && id->path[0] == '/' &&
           (root != 0 || ends_with(id->path, DELETED));
}

/* ---- is it that file? ---- */

/* Old versions of perf fill a shorter build-id up with zeros. */
static bool same_build_id(const pk_module_id *id, const pk_elf_image *image) {
    size_t bytes = 0;
    const uint8_t *own = pk_elf_image_build_id(image, &bytes);
    if (!own || bytes > id->build_id_bytes || memcmp(own, id->build_id, bytes) != 0) return false;
    for (size_t i = bytes; i < id->build_id_bytes; i++)
        if (id->build_id[i] != 0) return false;
    return true;
}

typedef struct search {
    const pk_module_id *id;
    pk_elf_image *found; /* NULL: not yet */
    pk_module_state state;
} search;

/* Keeps the image if it is the one that was recorded. sure: it is known to be that file even
 * without a build-id. */
static void judge(search *s, pk_elf_image *image, bool sure) {
    bool recorded = s->id->build_id_bytes > 0;
    if (recorded ? same_build_id(s->id, image) : sure) {
        s->found = image;
        s->state = PK_MODULE_READY;
        return;
    }
    pk_elf_image_free(image);
    if (s->state != PK_MODULE_NOT_A_FILE) s->state = PK_MODULE_CHANGED;
}

static void try(search *s, const char *path, bool sure) {
    pk_err err;
    if (s->found) return;
    pk_elf_image *image = pk_elf_image_open(path, &err);
    if (image) judge(s, image, sure);
    else if (err.kind == PK_E_INPUT && s->state == PK_MODULE_MISSING) s->state = PK_MODULE_NOT_ELF;
}

/* ---- the places ---- */

/* Names of mappings that never lead to a file in a folder; a program may have been started from
 * memory all the same, and can be had from the process then. */
static bool is_no_path(const char *path) {
    static const char *const begins[] = {"//anon", "/memfd:", "/dev/zero", "/SYSV",
                                         "/anon_hugepage"};
    if (path[0] != '/') return true;
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        if (strncmp(path, begins[i], strlen(begins[i])) == 0) return true;
    return false;
}

/* A deleted file lives on in the process that has mapped it: below /proc/PID/map_files is a link
 * for each mapping (proc(5); root may open them), /proc/PID/exe is one to the program. */
static bool try_link(search *s, int folder, const char *path, const char *link) {
    char target[PATH_MAX];
    ssize_t n = readlinkat(folder, link, target, sizeof target);
    if (n < 0 || (size_t)n != strlen(s->id->path) || memcmp(target, s->id->path, (size_t)n) != 0)
        return false;
    char whole[PATH_MAX];
    snprintf(whole, sizeof whole, "%s/%s", path, link);
    try(s, whole, true);
    return true;
}

static void try_mapped(search *s) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%u", s->id->pid);
    DIR *folder = opendir(path);
    if (!folder) return;
    (void)try_link(s, dirfd(folder), path, "exe");
    closedir(folder);
    if (s->found) return;
    snprintf(path, sizeof path, "/proc/%u/map_files", s->id->pid);
    folder = opendir(path);
    if (!folder) return;
    /* One mapping of the file is as good as another. */
    for (struct dirent *entry; (entry = readdir(folder));)
        if (try_link(s, dirfd(folder), path, entry->d_name)) break;
    closedir(folder);
}

static void try_process(search *s, uint64_t root) {
    char path[PATH_MAX];
    if (s->id->pid == 0) return;
    if (ends_with(s->id->path, DELETED)) try_mapped(s);
    if (root == 0 || is_no_path(s->id->path)) return;
    int n = snprintf(path, sizeof path, "/proc/%u/root%s", s->id->pid, s->id->path);
    if (n > 0 && (size_t)n < sizeof path) try(s, path, true);
}

static void try_paths(search *s) {
    char path[PATH_MAX];
    try(s, s->id->path, true);
    size_t n = strlen(s->id->path), tail = strlen(DELETED);
    if (!ends_with(s->id->path, DELETED) || n - tail >= sizeof path) return;
    /* Another file has its name by now, unless the build-id says that it is the same. */
    memcpy(path, s->id->path, n - tail);
    path[n - tail] = '\0';
    try(s, path, false);
}

/* perf's cache keeps whole files, distributions keep debug files and links to the whole ones. */
static void try_by_build_id(search *s, const pk_debug_folders *folders) {
    char hex[2 * 64 + 1] = "", path[PATH_MAX];
    size_t bytes = s->id->build_id_bytes;
    if (!folders || bytes < 2 || bytes * 2 >= sizeof hex) return;
    for (size_t i = 0; i < bytes; i++) snprintf(hex + 2 * i, 3, "%02x", s->id->build_id[i]);
    const char *leaf = strcmp(s->id->path, VDSO) == 0 ? "vdso" : "elf";
    if (folders->perf_cache &&
        (size_t)snprintf(path, sizeof path, "%s/.build-id/%.2s/%s/%s", folders->perf_cache, hex,
                         hex + 2, leaf) < sizeof path)
        try(s, path, false);
    for (const char *const *root = folders->roots; root && *root && !s->found; root++)
        if ((size_t)snprintf(path, sizeof path, "%s/.build-id/%.2s/%s", *root, hex, hex + 2) <
            sizeof path)
            try(s, path, false);
}

/* The kernel's shared object is no file, but all processes of one kernel have the same, we too. */
static void try_own_vdso(search *s) {
    const unsigned char *base = (const unsigned char *)(uintptr_t)getauxval(AT_SYSINFO_EHDR);
    if (!base) return;
    ElfW(Ehdr) header;
    memcpy(&header, base, sizeof header);
    size_t bytes = header.e_shoff + (size_t)header.e_shnum * header.e_shentsize;
    for (size_t i = 0; i < header.e_phnum; i++) {
        ElfW(Phdr) segment;
        memcpy(&segment, base + header.e_phoff + i * header.e_phentsize, sizeof segment);
        size_t end = segment.p_offset + segment.p_filesz;
        if (segment.p_type == PT_LOAD && end > bytes) bytes = end;
    }
    pk_err err;
    pk_elf_image *image =
        bytes <= VDSO_BYTES_MAX ? pk_elf_image_copy(base, bytes, VDSO, &err) : NULL;
    if (image) judge(s, image, true);
}

pk_module_state pk_module_file_open(const pk_module_id *id, uint64_t root,
                                    const pk_debug_folders *folders, pk_elf_image **image) {
    search s = {.id = id, .state = PK_MODULE_MISSING};
    if (id->kernel) {
        s.state = PK_MODULE_KERNEL;
    } else if (strcmp(id->path, VDSO) == 0) {
        try_own_vdso(&s);
        if (!s.found) try_by_build_id(&s, folders);
    } else if (is_no_path(id->path)) {
        s.state = PK_MODULE_NOT_A_FILE;
        if (id->path[0] == '/') try_process(&s, 0);
    } else {
        try_process(&s, root);
        if (!s.found) try_paths(&s);
        if (!s.found) try_by_build_id(&s, folders);
    }
    *image = s.found;
    return s.state;
}

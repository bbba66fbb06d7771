#include "alloc/bpf_target.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc/folder.h"
#include "base/array.h"
#include "base/file.h"
#include "profile/elf_functions.h"
#include "profile/proc_maps.h"

#define MAPS_BYTES_MAX ((size_t)64 << 20)
#define OBJECTS_MAX 65536

/* In the order of pk_alloc_function. */
static const char *const allocators[] = {"malloc",         "calloc",        "realloc",
                                         "reallocarray",   "aligned_alloc", "memalign",
                                         "posix_memalign", "valloc",        "pvalloc"};
#define N_ALLOCATORS (sizeof allocators / sizeof *allocators)
_Static_assert(N_ALLOCATORS == PK_CALL_NEW, "named as they are numbered");

typedef struct object { /* a file of which code is mapped */
    uint64_t begin, end, inode;
    uint32_t major, minor;
    unsigned rank; /* the lowest is asked first */
    char *path;
} object;

enum { RANK_EXECUTABLE, RANK_LIBRARY, RANK_LIBC, RANK_LOADER };

typedef struct search {
    pid_t pid;
    char executable[PK_BPF_PATH_BYTES];
    pk_array objects;
    const char *symbol; /* NULL: the allocators */
    pk_bpf_entries *found;
} search;

static const char *name_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool begins(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

static unsigned rank_of(const search *s, const char *path) {
    const char *name = name_of(path);
    if (strcmp(path, s->executable) == 0) return RANK_EXECUTABLE;
    /* What an attachment before has left there is nobody's allocator. */
    if (begins(name, PK_ALLOC_HOOK_NAME)) return RANK_LOADER;
    if (begins(name, "ld-musl") || begins(name, "libc.so") || begins(name, "libc-2.") ||
        begins(name, "libc.musl"))
        return RANK_LIBC;
    return begins(name, "ld-") || begins(name, "ld64") ? RANK_LOADER : RANK_LIBRARY;
}

static bool take_map(void *context, const pk_proc_map *map, pk_err *err) {
    search *s = context;
    if (map->inode == 0) return true;
    for (size_t i = 0; i < s->objects.count; i++) {
        const object *o = &PK_AT(&s->objects, object, i);
        if (o->inode == map->inode && o->major == map->major && o->minor == map->minor) return true;
    }
    object *new = pk_array_push(&s->objects);
    char *path = new ? strdup(map->file) : NULL;
    if (!path) {
        pk_fail(err, PK_E_LIMIT, NULL, "no memory for the list of libraries");
        if (new) s->objects.count--;
        return false;
    }
    *new = (object){.begin = map->begin,
                    .end = map->end,
                    .inode = map->inode,
                    .major = map->major,
                    .minor = map->minor,
                    .rank = rank_of(s, path),
                    .path = path};
    return true;
}

/* The kernel's own link leads to the file that is mapped, whatever has become of its path. */
static void path_of(const search *s, const object *o, char *path, size_t bytes) {
    snprintf(path, bytes, "/proc/%d/map_files/%llx-%llx", (int)s->pid, (unsigned long long)o->begin,
             (unsigned long long)o->end);
    if (access(path, R_OK) != 0) snprintf(path, bytes, "/proc/%d/root%s", (int)s->pid, o->path);
}

static bool take_function(void *context, size_t name, uint64_t offset) {
    search *s = context;
    pk_bpf_entries *found = s->found;
    /* Several names of one place are one function. */
    for (size_t i = 0; i < found->n; i++)
        if (found->entries[i].offset == offset) return true;
    if (found->n == PK_BPF_ENTRIES_MAX) return false;
    found->entries[found->n++] =
        (pk_bpf_entry){offset, (uint8_t)(s->symbol ? PK_CALL_OTHER : (pk_alloc_function)name)};
    return true;
}

static bool has_malloc(const pk_bpf_entries *found) {
    for (size_t i = 0; i < found->n; i++)
        if (found->entries[i].function == PK_CALL_MALLOC) return true;
    return false;
}

static bool look_in(search *s, const object *o) {
    pk_bpf_entries *found = s->found;
    pk_err unreadable;
    found->n = 0;
    path_of(s, o, found->path, sizeof found->path);
    snprintf(found->object, sizeof found->object, "%s", o->path);
    pk_elf_image *image = pk_elf_image_open(found->path, &unreadable);
    if (!image) return false;
    if (s->symbol) pk_elf_functions_find(image, &s->symbol, 1, take_function, s);
    else pk_elf_functions_find(image, allocators, N_ALLOCATORS, take_function, s);
    pk_elf_image_free(image);
    return s->symbol ? found->n > 0 : has_malloc(found);
}

bool pk_bpf_is_library(const char *lib, size_t bytes, const char *path) {
    const char *name = name_of(path);
    if (bytes == 0) return true;
    if (strlen(path) == bytes && memcmp(path, lib, bytes) == 0) return true;
    if (strncmp(name, lib, bytes) != 0) return false;
    return name[bytes] == 0 || begins(name + bytes, ".so") || begins(name + bytes, "-2.");
}

static bool find_in_objects(search *s, const char *lib, size_t lib_bytes) {
    unsigned last = s->symbol ? RANK_LOADER : RANK_LIBC;
    for (unsigned rank = RANK_EXECUTABLE; rank <= last; rank++)
        for (size_t i = 0; i < s->objects.count; i++) {
            const object *o = &PK_AT(&s->objects, object, i);
            if (o->rank == rank && pk_bpf_is_library(lib, lib_bytes, o->path) && look_in(s, o))
                return true;
        }
    return false;
}

static bool is_64_bit(pid_t pid, pk_err *err) {
    char path[64], where[32];
    unsigned char ident[EI_NIDENT] = {0};
    snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    snprintf(where, sizeof where, "process %d", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, ident, sizeof ident);
    int reason = errno;
    if (fd >= 0) close(fd);
    errno = reason;
    if (n < 0) {
        pk_fail(err, PK_E_SYS, where, "its executable cannot be read");
        return false;
    }
    if (n < EI_NIDENT || ident[EI_CLASS] == ELFCLASS64) return true;
    pk_fail(err, PK_E_UNSUPPORTED, where, "a 32-bit program");
    return false;
}

static bool find(search *s, const char *function, pk_err *err) {
    const char *colon = function ? strrchr(function, ':') : NULL;
    size_t lib_bytes = colon ? (size_t)(colon - function) : 0;
    if (function) s->symbol = colon ? colon + 1 : function;
    if (find_in_objects(s, function, lib_bytes)) return true;
    char where[32];
    snprintf(where, sizeof where, "process %d", (int)s->pid);
    if (function) {
        pk_fail(err, PK_E_INPUT, where, "no function \"%s\" in what it has mapped%s%.*s", s->symbol,
                lib_bytes ? " of " : "", (int)lib_bytes, lib_bytes ? function : "");
        pk_fix(err, "name it as its file does, for example libc:malloc");
    } else {
        pk_fail(err, PK_E_INPUT, where, "no malloc in what it has mapped");
        pk_fix(err, "--function LIB:SYMBOL counts the function by which it allocates");
    }
    return false;
}

bool pk_bpf_entries_find(pid_t pid, const char *function, pk_bpf_entries *found, pk_err *err) {
    char path[64];
    pk_strbuf text;
    search s = {.pid = pid, .objects = PK_ARRAY(object, OBJECTS_MAX), .found = found};
    if (!is_64_bit(pid, err)) return false;
    snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    ssize_t n = readlink(path, s.executable, sizeof s.executable - 1);
    s.executable[n > 0 ? n : 0] = 0;
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    pk_strbuf_init(&text, MAPS_BYTES_MAX);
    bool ok = pk_file_read(path, MAPS_BYTES_MAX, &text, err) &&
              pk_proc_maps_parse(text.data, text.length, take_map, &s, err) &&
              find(&s, function, err);
    pk_strbuf_fini(&text);
    for (size_t i = 0; i < s.objects.count; i++) free(PK_AT(&s.objects, object, i).path);
    pk_array_fini(&s.objects);
    return ok;
}

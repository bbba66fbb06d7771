#include "alloc/inject_target.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc/bpf_target.h"
#include "alloc/folder.h"
#include "alloc/preload.h"
#include "alloc/program.h"
#include "base/file.h"
#include "profile/proc_maps.h"

#define PATH_BYTES 64
#define TEXT_MAX ((size_t)64 << 20)
#define STATUS_BYTES 8192

static void where_of(pid_t pid, char out[PATH_BYTES]) {
    snprintf(out, PATH_BYTES, "process %d", (int)pid);
}

static void proc_path(pid_t pid, const char *name, char out[PATH_BYTES]) {
    snprintf(out, PATH_BYTES, "/proc/%d/%s", (int)pid, name);
}

bool pk_inject_status(pid_t tid, const char *name, char *out, size_t bytes) {
    char path[PATH_BYTES], text[STATUS_BYTES];
    proc_path(tid, "status", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    if (n <= 0) return false;
    text[n] = '\0';
    for (char *line = text, *end; line; line = end ? end + 1 : NULL) {
        end = strchr(line, '\n');
        if (strncmp(line, name, strlen(name)) != 0) continue;
        if (end) *end = '\0';
        line += strlen(name);
        snprintf(out, bytes, "%s", line + strspn(line, " \t"));
        return true;
    }
    return false;
}

/* ---- may it be? ---- */

static bool refuse(pk_err *err, pid_t pid, const char *what, const char *fix) {
    char where[PATH_BYTES];
    where_of(pid, where);
    pk_fail(err, PK_E_UNSUPPORTED, where, "%s", what);
    pk_fix(err, "%s", fix);
    return false;
}

static bool check_state(pid_t pid, pk_err *err) {
    char state[64], tracer[64], where[PATH_BYTES];
    where_of(pid, where);
    if (!pk_inject_status(pid, "State:", state, sizeof state)) {
        pk_fail(err, PK_E_INPUT, where, "there is no such process");
        pk_fix(err, "look for its number with: pgrep -a NAME");
        return false;
    }
    if (state[0] == 'Z' || state[0] == 'X') {
        pk_fail(err, PK_E_INPUT, where, "it has ended");
        pk_fix(err, "attach while it runs, or start it under perfkit alloc");
        return false;
    }
    if (pk_inject_status(pid, "TracerPid:", tracer, sizeof tracer) && strcmp(tracer, "0") != 0) {
        pk_fail(err, PK_E_UNSUPPORTED, where, "process %s traces it already", tracer);
        pk_fix(err, "end that one (gdb, strace), or use --backend bpf");
        return false;
    }
    if (state[0] == 'T' || state[0] == 't')
        return refuse(err, pid, "it is stopped", "let it go on (kill -CONT), or use --backend bpf");
    return true;
}

static bool ignores_faults(pid_t pid) {
    char ignored[64];
    size_t n;
    if (!pk_inject_status(pid, "SigIgn:", ignored, sizeof ignored) || (n = strlen(ignored)) < 3)
        return false;
    /* Bit 10 of the hexadecimal mask is signal 11. */
    return strchr("4567cdef", ignored[n - 3]) != NULL;
}

static bool check_guards(pid_t pid, pk_err *err) {
    char text[256];
    if (pk_inject_status(pid, "Seccomp:", text, sizeof text) && strcmp(text, "0") != 0)
        return refuse(err, pid, "its system calls are filtered (seccomp): the hook's could end it",
                      "use --backend bpf");
    if (pk_inject_status(pid, "x86_Thread_features:", text, sizeof text) && strstr(text, "shstk"))
        return refuse(err, pid, "it has a shadow stack, which forbids calls from outside",
                      "use --backend bpf");
    if (ignores_faults(pid))
        return refuse(err, pid, "it ignores SIGSEGV, by which a call from outside ends",
                      "use --backend bpf");
    return true;
}

static bool check_program(pid_t pid, pk_err *err) {
    char path[PATH_BYTES], where[PATH_BYTES];
    proc_path(pid, "exe", path);
    where_of(pid, where);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        pk_fail(err, PK_E_SYS, where, "its program cannot be read");
        pk_fix(err, errno == ENOENT ? "a thread of the kernel has none: give a program's"
                                    : "run perfkit as root or as its user");
        return false;
    }
    close(fd);
    if (pk_alloc_program_check(path, err)) return true;
    snprintf(err->where, sizeof err->where, "%s", where);
    pk_fix(err, "use --backend bpf");
    return false;
}

bool pk_inject_check(pid_t pid, pk_err *err) {
    return check_state(pid, err) && check_program(pid, err) && check_guards(pid, err);
}

/* Who is neither root nor of our user is an other to our folders. */
static bool others_pass(const char *folder) {
    char path[PATH_MAX];
    struct stat st;
    snprintf(path, sizeof path, "%s", folder);
    for (char *slash; (slash = strrchr(path, '/')); *slash = '\0')
        if (stat(path[0] ? path : "/", &st) < 0 || !(st.st_mode & S_IXOTH)) return false;
    return true;
}

bool pk_inject_reaches(pid_t pid, const char *folder) {
    char there[PATH_MAX + PATH_BYTES], here[PATH_MAX + PATH_BYTES], proc[PATH_BYTES];
    struct stat a, b, process;
    int n =
        snprintf(there, sizeof there, "/proc/%d/root%s/%s", (int)pid, folder, PK_ALLOC_HOOK_NAME);
    snprintf(here, sizeof here, "%s/%s", folder, PK_ALLOC_HOOK_NAME);
    snprintf(proc, sizeof proc, "/proc/%d", (int)pid);
    if (n < 0 || (size_t)n >= sizeof there || stat(there, &a) < 0 || stat(here, &b) < 0 ||
        a.st_dev != b.st_dev || a.st_ino != b.st_ino || stat(proc, &process) < 0)
        return false;
    return process.st_uid == 0 || process.st_uid == geteuid() || others_pass(folder);
}

/* ---- where is what? ---- */

bool pk_inject_read(const pk_inject_target *target, uint64_t at, void *out, size_t bytes) {
    return pread(target->memory, out, bytes, (off_t)at) == (ssize_t)bytes;
}

bool pk_inject_write(const pk_inject_target *target, uint64_t at, const void *bytes, size_t n) {
    return pwrite(target->memory, bytes, n, (off_t)at) == (ssize_t)n;
}

typedef struct place { /* an offset of a file, to be found in memory */
    const char *file;
    uint64_t offset;
    uint64_t address; /* 0: not found */
} place;

typedef struct walk {
    pk_inject_target *target;
    place *places;
    size_t n;
} walk;

static const char *name_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool is_loader(const char *name) {
    return strncmp(name, "ld-linux", 8) == 0 || strncmp(name, "ld-2.", 5) == 0 ||
           strncmp(name, "ld.so", 5) == 0;
}

static bool take_map(void *context, const pk_proc_map *map, pk_err *err) {
    walk *w = context;
    (void)err;
    for (size_t i = 0; i < w->n; i++) {
        place *p = &w->places[i];
        if (p->file && strcmp(p->file, map->file) == 0 && p->offset >= map->offset &&
            p->offset - map->offset < map->end - map->begin)
            p->address = map->begin + (p->offset - map->offset);
    }
    if (is_loader(name_of(map->file))) {
        w->target->loader_begin = map->begin;
        w->target->loader_end = map->end;
    }
    return true;
}

static bool each_map(pid_t pid, pk_maps_visitor *visitor, void *context, pk_err *err) {
    char path[PATH_BYTES];
    pk_strbuf text;
    proc_path(pid, "maps", path);
    pk_strbuf_init(&text, TEXT_MAX);
    bool ok = pk_file_read(path, TEXT_MAX, &text, err) &&
              pk_proc_maps_parse(text.data, text.length, visitor, context, err);
    pk_strbuf_fini(&text);
    return ok;
}

enum { PLACES = 4 };

static bool place_of(pid_t pid, const char *function, pk_bpf_entries *entries, place *p,
                     pk_err *err) {
    if (!pk_bpf_entries_find(pid, function, entries, err)) return false;
    *p = (place){.file = entries->object, .offset = entries->entries[0].offset};
    for (size_t i = 0; i < entries->n; i++)
        if (entries->entries[i].function == PK_CALL_MALLOC) p->offset = entries->entries[i].offset;
    return true;
}

static bool find_functions(pk_inject_target *t, pk_bpf_entries entries[PLACES], pk_err *err) {
    place places[PLACES] = {0};
    char name[PK_BPF_PATH_BYTES + 8];
    pk_err ignored;
    walk w = {t, places, PLACES};
    if (!place_of(t->pid, NULL, &entries[0], &places[0], err)) return false;
    /* Before glibc 2.34 they were in a library of their own. */
    if (!place_of(t->pid, "libc:dlopen", &entries[1], &places[1], &ignored) &&
        !place_of(t->pid, "libdl:dlopen", &entries[1], &places[1], &ignored))
        return refuse(err, t->pid, "its libc has no dlopen, by which the hook would be loaded",
                      "use --backend bpf");
    if (!place_of(t->pid, "libc:dlerror", &entries[2], &places[2], &ignored))
        (void)place_of(t->pid, "libdl:dlerror", &entries[2], &places[2], &ignored);
    snprintf(name, sizeof name, "%s:free", entries[0].object);
    (void)place_of(t->pid, name, &entries[3], &places[3], &ignored);
    if (!each_map(t->pid, take_map, &w, err)) return false;
    t->free = places[3].address;
    t->malloc = places[0].address;
    t->dlopen = places[1].address;
    t->dlerror = places[2].address;
    return (t->malloc && t->dlopen && t->loader_end) ||
           refuse(err, t->pid, "its libraries are not where its maps say", "use --backend bpf");
}

void pk_inject_refused(pid_t pid, pk_err *err) {
    char where[PATH_BYTES], scope = '0';
    int error = errno;
    int fd = open("/proc/sys/kernel/yama/ptrace_scope", O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && read(fd, &scope, 1) != 1) scope = '0';
    if (fd >= 0) close(fd);
    bool closed = scope == '3' || (scope != '0' && geteuid() != 0);
    errno = error;
    where_of(pid, where);
    pk_fail(err, error == EPERM || error == EACCES ? PK_E_UNSUPPORTED : PK_E_SYS, where,
            "it may not be traced%s", closed ? " (kernel.yama.ptrace_scope forbids it)" : "");
    pk_fix(err, scope == '3' ? "use --backend bpf, or start it under perfkit alloc"
                             : "run perfkit as root");
}

bool pk_inject_open(pid_t pid, pk_inject_target *t, pk_err *err) {
    char path[PATH_BYTES];
    *t = (pk_inject_target){.pid = pid};
    proc_path(pid, "mem", path);
    t->memory = open(path, O_RDWR | O_CLOEXEC);
    if (t->memory >= 0) return true;
    pk_inject_refused(pid, err);
    return false;
}

bool pk_inject_find(pk_inject_target *t, pk_err *err) {
    pk_bpf_entries *entries = calloc(PLACES, sizeof *entries);
    if (!entries) {
        pk_fail(err, PK_E_LIMIT, NULL, "no memory to look at a process");
        return false;
    }
    bool ok = find_functions(t, entries, err);
    free(entries);
    return ok;
}

void pk_inject_close(pk_inject_target *t) {
    if (t->memory >= 0) close(t->memory);
    t->memory = -1;
}

/* ---- our hook ---- */

typedef struct hook_file { /* our own bytes, which can be trusted */
    const uint8_t *bytes;
    size_t n;
    const Elf64_Phdr *code;
    uint64_t attach, control; /* addresses in its own numbering */
} hook_file;

static void take_symbols(hook_file *h, const Elf64_Shdr *sections, const Elf64_Shdr *table) {
    const Elf64_Sym *symbols = (const void *)(h->bytes + table->sh_offset);
    const char *names = (const char *)h->bytes + sections[table->sh_link].sh_offset;
    for (size_t i = 0; i < table->sh_size / sizeof *symbols; i++) {
        const char *name = names + symbols[i].st_name;
        if (strcmp(name, "pk_alloc_hook_attach") == 0) h->attach = symbols[i].st_value;
        if (strcmp(name, "pk_alloc_hook_control") == 0) h->control = symbols[i].st_value;
    }
}

static bool read_hook(hook_file *h) {
    const void *bytes;
    if (!pk_alloc_hook_object(&bytes, &h->n)) return false;
    h->bytes = bytes;
    const Elf64_Ehdr *header = bytes;
    const Elf64_Phdr *segments = (const void *)(h->bytes + header->e_phoff);
    const Elf64_Shdr *sections = (const void *)(h->bytes + header->e_shoff);
    for (size_t i = 0; i < header->e_phnum; i++)
        if (segments[i].p_type == PT_LOAD && segments[i].p_flags & PF_X) h->code = &segments[i];
    for (size_t i = 0; i < header->e_shnum; i++)
        if (sections[i].sh_type == SHT_DYNSYM) take_symbols(h, sections, &sections[i]);
    return h->code && h->attach && h->control;
}

typedef struct hook_walk {
    pk_inject_target *target;
    const hook_file *hook;
    bool found;
} hook_walk;

/* Code is the same in memory as in the file; its folder may have been removed long ago. */
static bool same_code(const pk_inject_target *t, const hook_file *h, uint64_t at) {
    uint8_t *there = malloc(h->code->p_filesz);
    bool same = there && pk_inject_read(t, at, there, h->code->p_filesz) &&
                memcmp(there, h->bytes + h->code->p_offset, h->code->p_filesz) == 0;
    free(there);
    return same;
}

static bool take_hook(void *context, const pk_proc_map *map, pk_err *err) {
    hook_walk *w = context;
    pk_inject_target *t = w->target;
    (void)err;
    const char *name = name_of(map->file);
    uint64_t skip = w->hook->code->p_offset % 4096;
    if (w->found || strncmp(name, PK_ALLOC_HOOK_NAME, strlen(PK_ALLOC_HOOK_NAME)) != 0 ||
        map->offset + skip != w->hook->code->p_offset || !same_code(t, w->hook, map->begin + skip))
        return true;
    uint64_t base = map->begin + skip - w->hook->code->p_vaddr;
    t->attach = base + w->hook->attach;
    t->control = base + w->hook->control;
    t->hook_begin = map->begin;
    t->hook_end = map->end;
    w->found = true;
    return true;
}

bool pk_inject_find_hook(pk_inject_target *t) {
    hook_file hook = {0};
    pk_err ignored;
    hook_walk w = {t, &hook, false};
    return read_hook(&hook) && each_map(t->pid, take_hook, &w, &ignored) && w.found;
}

#include "profile/jit_maps.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/file.h"
#include "base/procfs.h"
#include "base/units.h"
#include "profile/perf_map.h"
#include "timing/clock.h"

#define PROCESSES_MAX (1u << 20)
#define FILE_BYTES_MAX (1ull << 30)
#define LOOK_AGAIN_NS (50 * 1000000ull)
#define READING_SHARE 20 /* of the time at most 1/20 goes into reading again */

typedef struct process {
    uint32_t pid;
    pk_perf_map *map; /* NULL: there is no file (yet) */
    dev_t device;     /* what was read */
    ino_t inode;
    off_t bytes;
    struct timespec changed;
    uint64_t next_look_ns;
} process;

struct pk_jit_maps {
    const char *folder;
    pk_array all; /* of process, by pid */
};

pk_jit_maps *pk_jit_maps_new(const char *folder) {
    pk_jit_maps *maps = calloc(1, sizeof *maps);
    if (!maps) return NULL;
    maps->folder = folder;
    maps->all = PK_ARRAY(process, PROCESSES_MAX);
    return maps;
}

void pk_jit_maps_free(pk_jit_maps *maps) {
    if (!maps) return;
    for (size_t i = 0; i < maps->all.count; i++)
        pk_perf_map_free(PK_AT(&maps->all, process, i).map);
    pk_array_fini(&maps->all);
    free(maps);
}

/* ---- files ---- */

static bool owner_is_fine(uint32_t pid, uid_t owner) {
    pk_process_info info;
    if (owner == 0 || owner == geteuid()) return true;
    return pk_procfs_process((pid_t)pid, &info) && info.uid == owner;
}

/* A descriptor; -1: not there, or not to be trusted. */
static int open_map(const char *path, uint32_t pid, struct stat *st) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return -1;
    if (fstat(fd, st) == 0 && S_ISREG(st->st_mode) && owner_is_fine(pid, st->st_uid)) return fd;
    close(fd);
    return -1;
}

/* The process's number in its own namespace, the last one of the line "NSpid:"; 0: not known. */
static uint32_t inner_pid(uint32_t pid) {
    char path[64];
    pk_err err;
    pk_strbuf text;
    int64_t inner = 0;
    snprintf(path, sizeof path, "/proc/%u/status", pid);
    pk_strbuf_init(&text, 1u << 16);
    bool read = pk_file_read(path, text.max_bytes, &text, &err);
    char *line = read ? strstr(text.data, "\nNSpid:") : NULL;
    char *end = line ? strchr(line + 1, '\n') : NULL;
    if (end) {
        *end = '\0';
        const char *number = strrchr(line, '\t');
        if (!number || !pk_parse_int(number + 1, 1, INT32_MAX, &inner, &err)) inner = 0;
    }
    pk_strbuf_fini(&text);
    return (uint32_t)inner;
}

static int open_any(const pk_jit_maps *maps, uint32_t pid, struct stat *st) {
    char path[PATH_MAX];
    int n =
        snprintf(path, sizeof path, "%s/perf-%u.map", maps->folder ? maps->folder : "/tmp", pid);
    int fd = n > 0 && (size_t)n < sizeof path ? open_map(path, pid, st) : -1;
    uint32_t inner = fd < 0 && !maps->folder ? inner_pid(pid) : 0;
    if (inner == 0) return fd;
    snprintf(path, sizeof path, "/proc/%u/root/tmp/perf-%u.map", pid, inner);
    return open_map(path, pid, st);
}

static bool is_as_read(const process *p, const struct stat *st) {
    return p->map && p->device == st->st_dev && p->inode == st->st_ino && p->bytes == st->st_size &&
           p->changed.tv_sec == st->st_mtim.tv_sec && p->changed.tv_nsec == st->st_mtim.tv_nsec;
}

/* What cannot be read leaves what was known. */
static void read_map(process *p, int fd, const struct stat *st) {
    pk_strbuf text;
    pk_err err;
    pk_strbuf_init(&text, FILE_BYTES_MAX);
    if (pk_fd_read_all(fd, "perf map", FILE_BYTES_MAX, &text, &err)) {
        pk_perf_map *map = pk_perf_map_parse(text.data, text.length, &err);
        if (map) {
            pk_perf_map_free(p->map);
            p->map = map;
            p->device = st->st_dev;
            p->inode = st->st_ino;
            p->bytes = st->st_size;
            p->changed = st->st_mtim;
        }
    }
    pk_strbuf_fini(&text);
}

static void look(const pk_jit_maps *maps, process *p) {
    uint64_t begin = pk_now_ns();
    if (begin < p->next_look_ns) return;
    struct stat st;
    int fd = open_any(maps, p->pid, &st);
    if (fd >= 0) {
        if (!is_as_read(p, &st)) read_map(p, fd, &st);
        close(fd);
    }
    uint64_t end = pk_now_ns(), pause = (end - begin) * READING_SHARE;
    p->next_look_ns = end + (pause > LOOK_AGAIN_NS ? pause : LOOK_AGAIN_NS);
}

/* ---- processes ---- */

/* NULL: out of memory. */
static process *process_of(pk_jit_maps *maps, uint32_t pid) {
    size_t low = 0, high = maps->all.count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (PK_AT(&maps->all, process, middle).pid < pid) low = middle + 1;
        else high = middle;
    }
    process *items = maps->all.items;
    if (low < maps->all.count && items[low].pid == pid) return &items[low];
    if (!pk_array_push(&maps->all)) return NULL;
    process *p = &PK_AT(&maps->all, process, low);
    memmove(p + 1, p, (maps->all.count - 1 - low) * sizeof *p);
    *p = (process){.pid = pid};
    return p;
}

const char *pk_jit_maps_find(pk_jit_maps *maps, uint32_t pid, uint64_t address) {
    process *p = process_of(maps, pid);
    if (!p) return NULL;
    const char *name = p->map ? pk_perf_map_find(p->map, address) : NULL;
    if (name) return name;
    look(maps, p);
    return p->map ? pk_perf_map_find(p->map, address) : NULL;
}

#include "alloc/bpf_probe.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/array.h"
#include "base/digits.h"
#include "base/embed.h"

PK_EMBED(pk_bpf_object, PK_BPF_OBJECT_PATH);

#define CHUNK_BYTES (PK_BPF_CHUNK_ROWS * sizeof(pk_bpf_row))
#define LINKS_MAX 65536
#define LOG_BYTES ((size_t)1 << 20)
#define COUNTS_AT_ONCE 4096u
#define FIRST_NAMESPACE 0xeffffffcu /* the inode of the first one, as the kernel fixes it */

struct pk_bpf_probe {
    struct bpf_object *object;
    struct bpf_program *program;
    struct ring_buffer *ring;
    int chunks, segments, processes, lists, counts, totals, sizes;
    bool at_once;     /* all functions of a process by one link */
    pk_array fds;     /* int: links of that kind */
    pk_array links;   /* struct bpf_link * */
    int chunk;        /* the one being filled; -1: none yet */
    pk_bpf_row *rows; /* its rows */
    uint32_t n_rows;  /* in all chunks */
    int n_processors;
    uint64_t *all; /* room for what they have in one item of a map */
    pk_bpf_stack_visitor *each;
    void *context;
    bool stopped;
};

/* ---- loading ---- */

/* What bpf(2) takes for one link at many places (Linux 6.6; uapi/linux/bpf.h of that). */
#define UPROBE_MULTI 48
struct many_places {
    uint32_t program, target, type, flags;
    uint64_t path, offsets, semaphores, cookies;
    uint32_t n, place_flags, pid, reserved;
};

/* Earlier than 6.10 such links see the first thread of a process alone. */
static bool can_at_once(void) {
    struct utsname name;
    uint64_t major = 0, minor = 0;
    if (uname(&name) != 0) return false;
    size_t n = pk_digits(name.release, strlen(name.release), &major);
    if (n > 0 && name.release[n] == '.')
        (void)pk_digits(name.release + n + 1, strlen(name.release + n + 1), &minor);
    return major > 6 || (major == 6 && minor >= 10);
}

static int say_nothing(enum libbpf_print_level level, const char *format, va_list arguments) {
    (void)level;
    (void)format;
    (void)arguments;
    return 0;
}

static bool refuse(pk_err *err, int reason, const char *what) {
    errno = reason;
    if (reason != EPERM && reason != EACCES) {
        pk_fail(err, PK_E_SYS, "BPF", "%s", what);
        pk_fix(err, "--backend inject does without it");
        return false;
    }
    pk_fail(err, PK_E_SYS, "BPF", "%s", what);
    pk_fix(err, "run as root, or with CAP_BPF and CAP_PERFMON; --backend inject needs neither");
    return false;
}

/* The last line of the verifier's log that says something: why it refused. */
static void refuse_program(pk_err *err, int reason, char *log) {
    size_t n = strlen(log);
    while (n > 0 && log[n - 1] == '\n') log[--n] = 0;
    char *line = strrchr(log, '\n');
    if (line && strncmp(line + 1, "processed ", 10) == 0) {
        *line = 0;
        line = strrchr(log, '\n');
    }
    line = line ? line + 1 : log;
    (void)refuse(err, reason, "the kernel refuses the program");
    if (reason == EPERM || !*line) return;
    pk_fail(err, PK_E_UNSUPPORTED, "BPF", "the kernel refuses the program: %.200s", line);
    pk_fix(err, "Linux 5.17 or later is needed; --backend inject does without it");
}

static bool set_namespace(struct bpf_object *object) {
    struct stat own;
    struct bpf_map *map = bpf_object__find_map_by_name(object, ".rodata.settings");
    if (stat("/proc/self/ns/pid", &own) != 0 || own.st_ino == FIRST_NAMESPACE) return true;
    pk_bpf_settings settings = {own.st_dev, own.st_ino};
    return map && bpf_map__set_initial_value(map, &settings, sizeof settings) == 0;
}

static bool set_size(struct bpf_object *object, const char *name, size_t n) {
    struct bpf_map *map = bpf_object__find_map_by_name(object, name);
    return map && bpf_map__set_max_entries(map, (uint32_t)n) == 0;
}

static int on_stack(void *context, void *data, size_t bytes) {
    pk_bpf_probe *p = context;
    const pk_bpf_stack *stack = data;
    if (bytes < sizeof *stack || (bytes - sizeof *stack) / 8 < stack->n_frames) return 0;
    if (!p->each(p->context, stack, (const uint64_t *)(stack + 1))) p->stopped = true;
    return 0;
}

/* libbpf takes bytes behind the fields that it knows, padding too, for fields of a later version,
 * and refuses them unless they are 0: an initialiser may leave them as they are. */
static void clear(void *options, size_t bytes, size_t *size) {
    memset(options, 0, bytes);
    *size = bytes;
}

static bool load(pk_bpf_probe *p, size_t n_processes, char *log, pk_err *err) {
    struct bpf_object_open_opts options;
    clear(&options, sizeof options, &options.sz);
    options.object_name = "perfkit_alloc";
    options.kernel_log_buf = log;
    options.kernel_log_size = LOG_BYTES;
    libbpf_set_print(say_nothing);
    p->object =
        bpf_object__open_mem(pk_embed_data(pk_bpf_object), pk_embed_bytes(pk_bpf_object), &options);
    if (!p->object) return refuse(err, errno, "the program cannot be opened");
    if (!set_namespace(p->object) ||
        !set_size(p->object, "segments", n_processes * 2 * PK_BPF_SEGMENTS_MAX) ||
        !set_size(p->object, "processes", n_processes) ||
        !set_size(p->object, "lists", n_processes * 2) ||
        !set_size(p->object, "desks", 2 * (size_t)p->n_processors))
        return refuse(err, errno, "the program cannot be set up");
    struct bpf_program *program = bpf_object__find_program_by_name(p->object, "on_entry");
    if (program && p->at_once) bpf_program__set_expected_attach_type(program, UPROBE_MULTI);
    int failed = bpf_object__load(p->object);
    if (failed) refuse_program(err, -failed, log);
    return !failed;
}

static bool find_parts(pk_bpf_probe *p, pk_err *err) {
    p->program = bpf_object__find_program_by_name(p->object, "on_entry");
    p->chunks = bpf_object__find_map_fd_by_name(p->object, "chunks");
    p->segments = bpf_object__find_map_fd_by_name(p->object, "segments");
    p->processes = bpf_object__find_map_fd_by_name(p->object, "processes");
    p->lists = bpf_object__find_map_fd_by_name(p->object, "lists");
    p->counts = bpf_object__find_map_fd_by_name(p->object, "counts");
    p->totals = bpf_object__find_map_fd_by_name(p->object, "totals");
    p->sizes = bpf_object__find_map_fd_by_name(p->object, "sizes");
    int stacks = bpf_object__find_map_fd_by_name(p->object, "stacks");
    p->ring = ring_buffer__new(stacks, on_stack, p, NULL);
    if (p->program && p->ring) return true;
    return refuse(err, errno, "its ring of stacks cannot be read");
}

pk_bpf_probe *pk_bpf_probe_new(size_t n_processes, pk_err *err) {
    pk_bpf_probe *p = calloc(1, sizeof *p);
    char *log = calloc(1, LOG_BYTES);
    bool ok = p && log;
    if (!ok) pk_fail(err, PK_E_LIMIT, NULL, "no memory for attaching");
    if (ok) {
        p->chunk = -1;
        p->at_once = can_at_once();
        p->fds = PK_ARRAY(int, LINKS_MAX);
        p->links = PK_ARRAY(struct bpf_link *, LINKS_MAX);
        p->n_processors = libbpf_num_possible_cpus();
        ok = p->n_processors > 0 || refuse(err, -p->n_processors, "processors cannot be counted");
    }
    if (ok) {
        p->all = calloc((size_t)p->n_processors * (sizeof(pk_bpf_totals) / sizeof *p->all),
                        sizeof *p->all);
        ok = p->all != NULL;
        if (!ok) pk_fail(err, PK_E_LIMIT, NULL, "no memory for attaching");
    }
    ok = ok && load(p, n_processes, log, err) && find_parts(p, err);
    free(log);
    if (ok) return p;
    pk_bpf_probe_free(p);
    return NULL;
}

static void close_chunk(pk_bpf_probe *p) {
    if (p->rows) munmap(p->rows, CHUNK_BYTES);
    if (p->chunk >= 0) close(p->chunk);
    p->rows = NULL;
    p->chunk = -1;
}

void pk_bpf_probe_free(pk_bpf_probe *p) {
    if (!p) return;
    pk_bpf_probe_detach(p);
    pk_array_fini(&p->links);
    pk_array_fini(&p->fds);
    close_chunk(p);
    ring_buffer__free(p->ring);
    bpf_object__close(p->object);
    free(p->all);
    free(p);
}

/* ---- tables ---- */

/* One more chunk; the kernel keeps it as long as it is in the map of chunks. */
static bool next_chunk(pk_bpf_probe *p, pk_err *err) {
    uint32_t number = p->n_rows / PK_BPF_CHUNK_ROWS;
    close_chunk(p);
    if (number >= PK_BPF_CHUNKS_MAX) {
        pk_fail(err, PK_E_LIMIT, NULL, "more call frame information than there is room for");
        return false;
    }
    struct bpf_map_create_opts options;
    clear(&options, sizeof options, &options.sz);
    options.map_flags = BPF_F_MMAPABLE;
    p->chunk = bpf_map_create(BPF_MAP_TYPE_ARRAY, "rows", sizeof(uint32_t), sizeof(pk_bpf_row),
                              PK_BPF_CHUNK_ROWS, &options);
    if (p->chunk < 0) return refuse(err, -p->chunk, "no table of rows can be made");
    void *rows = mmap(NULL, CHUNK_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, p->chunk, 0);
    if (rows == MAP_FAILED) return refuse(err, errno, "a table of rows cannot be mapped");
    p->rows = rows;
    int failed = bpf_map_update_elem(p->chunks, &number, &p->chunk, BPF_ANY);
    return !failed || refuse(err, -failed, "a table of rows cannot be handed over");
}

bool pk_bpf_probe_rows(pk_bpf_probe *p, const pk_bpf_row rows[], size_t n, uint32_t *first,
                       pk_err *err) {
    uint32_t begin = p->n_rows;
    for (size_t done = 0; done < n;) {
        uint32_t place = p->n_rows % PK_BPF_CHUNK_ROWS;
        if (place == 0 && !next_chunk(p, err)) return false;
        size_t room = PK_BPF_CHUNK_ROWS - place, now = n - done < room ? n - done : room;
        memcpy(p->rows + place, rows + done, now * sizeof *rows);
        p->n_rows += (uint32_t)now;
        done += now;
    }
    *first = begin;
    return true;
}

static bool put(int map, uint32_t number, const void *value, pk_err *err) {
    int failed = bpf_map_update_elem(map, &number, value, BPF_ANY);
    return !failed || refuse(err, -failed, "what is mapped cannot be handed over");
}

bool pk_bpf_probe_process(pk_bpf_probe *p, uint32_t number, const pk_bpf_process *process,
                          const pk_bpf_list *list, const pk_bpf_segment segments[], pk_err *err) {
    uint32_t place = number * 2 + (process->turn & 1);
    for (uint32_t i = 0; i < list->n_segments; i++)
        if (!put(p->segments, place * PK_BPF_SEGMENTS_MAX + i, &segments[i], err)) return false;
    return put(p->lists, place, list, err) && put(p->processes, number, process, err);
}

/* ---- attaching ---- */

static bool no_room(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "more probes than there is room for");
    return false;
}

static bool attach_at_once(pk_bpf_probe *p, pid_t pid, uint32_t number,
                           const pk_bpf_entries *entries, pk_err *err) {
    uint64_t offsets[PK_BPF_ENTRIES_MAX], cookies[PK_BPF_ENTRIES_MAX];
    for (size_t i = 0; i < entries->n; i++) {
        offsets[i] = entries->entries[i].offset;
        cookies[i] = PK_BPF_COOKIE(number, entries->entries[i].function);
    }
    struct many_places places = {.program = (uint32_t)bpf_program__fd(p->program),
                                 .type = UPROBE_MULTI,
                                 .path = (uint64_t)(uintptr_t)entries->path,
                                 .offsets = (uint64_t)(uintptr_t)offsets,
                                 .cookies = (uint64_t)(uintptr_t)cookies,
                                 .n = (uint32_t)entries->n,
                                 .pid = (uint32_t)pid};
    int *fd = pk_array_push(&p->fds);
    if (!fd) return no_room(err);
    *fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &places, sizeof places);
    if (*fd >= 0) return true;
    p->fds.count--;
    return refuse(err, errno, "the probes cannot be set");
}

static bool attach_one(pk_bpf_probe *p, pid_t pid, uint32_t number, const char *path,
                       const pk_bpf_entry *entry, pk_err *err) {
    struct bpf_uprobe_opts options;
    clear(&options, sizeof options, &options.sz);
    options.bpf_cookie = PK_BPF_COOKIE(number, entry->function);
    struct bpf_link **link = pk_array_push(&p->links);
    if (!link) return no_room(err);
    *link = bpf_program__attach_uprobe_opts(p->program, pid, path, (size_t)entry->offset, &options);
    if (*link) return true;
    p->links.count--;
    return refuse(err, errno, "the probe cannot be set");
}

bool pk_bpf_probe_attach(pk_bpf_probe *p, pid_t pid, uint32_t number, const pk_bpf_entries *entries,
                         pk_err *err) {
    if (p->at_once) return attach_at_once(p, pid, number, entries, err);
    for (size_t i = 0; i < entries->n; i++)
        if (!attach_one(p, pid, number, entries->path, &entries->entries[i], err)) return false;
    return true;
}

void pk_bpf_probe_detach(pk_bpf_probe *p) {
    for (size_t i = 0; i < p->fds.count; i++) close(PK_AT(&p->fds, int, i));
    for (size_t i = 0; i < p->links.count; i++)
        bpf_link__destroy(PK_AT(&p->links, struct bpf_link *, i));
    p->fds.count = p->links.count = 0;
}

/* ---- reading ---- */

bool pk_bpf_probe_stacks(pk_bpf_probe *p, pk_bpf_stack_visitor *each, void *context) {
    p->each = each;
    p->context = context;
    p->stopped = false;
    ring_buffer__consume(p->ring);
    return !p->stopped;
}

bool pk_bpf_probe_counts(pk_bpf_probe *p, pk_bpf_count_visitor *each, void *context) {
    uint64_t *hashes = calloc(COUNTS_AT_ONCE, sizeof *hashes);
    pk_bpf_count *counts = calloc(COUNTS_AT_ONCE, sizeof *counts);
    uint32_t place = 0;
    bool ok = hashes && counts, first = true;
    for (int failed = 0; ok && !failed; first = false) {
        uint32_t n = COUNTS_AT_ONCE;
        failed = bpf_map_lookup_batch(p->counts, first ? NULL : &place, &place, hashes, counts, &n,
                                      NULL);
        if (failed && failed != -ENOENT) ok = false; /* ENOENT: the last ones */
        for (uint32_t i = 0; ok && i < n; i++) ok = each(context, hashes[i], &counts[i]);
    }
    free(hashes);
    free(counts);
    return ok;
}

/* Sums of the numbers that each processor has: the item `key` of a map, n of them. */
static void add_up(const pk_bpf_probe *p, int map, uint32_t key, uint64_t sums[], size_t n,
                   uint64_t *all) {
    memset(sums, 0, n * sizeof *sums);
    if (bpf_map_lookup_elem(map, &key, all) != 0) return;
    for (size_t i = 0; i < (size_t)p->n_processors * n; i++) sums[i % n] += all[i];
}

_Static_assert(sizeof(pk_bpf_size) <= sizeof(pk_bpf_totals), "there is room in `all`");
_Static_assert(sizeof(pk_bpf_totals) % sizeof(uint64_t) == 0, "numbers alone");

void pk_bpf_probe_totals(pk_bpf_probe *p, pk_bpf_totals *totals) {
    uint64_t sums[sizeof *totals / sizeof(uint64_t)];
    add_up(p, p->totals, 0, sums, sizeof sums / sizeof *sums, p->all);
    memcpy(totals, sums, sizeof sums);
}

void pk_bpf_probe_sizes(pk_bpf_probe *p, pk_bpf_size sizes[PK_IMAGE_SIZE_CLASSES]) {
    for (uint32_t i = 0; i < PK_IMAGE_SIZE_CLASSES; i++) {
        uint64_t sums[2];
        add_up(p, p->sizes, i, sums, 2, p->all);
        sizes[i] = (pk_bpf_size){sums[0], sums[1]};
    }
}

/* Out of the store: a baseline, and what there is. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/file.h"
#include "bench/result_json.h"
#include "bench/store_internal.h"

enum {
    FILE_BYTES_MAX = 64 << 20,
    CHANGES_MAX = 100, /* how often a folder may be replaced while it is read */
    FOLDERS_DEEP_MAX = 16,
    ENTRIES_MAX = 100000,
    NAMES_MAX = 1000,
};

/* ---- one folder, read as it was at one moment ---- */

typedef struct part {
    const char *name;
    pk_criterion_reader *read; /* NULL: our own record */
    bool there;
    pk_strbuf text;
} part;

enum { BENCHMARK, SAMPLE, ESTIMATES, TUKEY, RECORD, PARTS };

static void parts_init(part parts[PARTS]) {
    static const struct {
        const char *name;
        pk_criterion_reader *read;
    } all[PARTS] = {{PK_CRITERION_BENCHMARK, pk_criterion_read_benchmark},
                    {PK_CRITERION_SAMPLE, pk_criterion_read_sample},
                    {PK_CRITERION_ESTIMATES, pk_criterion_read_estimates},
                    {PK_CRITERION_TUKEY, pk_criterion_read_tukey},
                    {PK_STORE_RECORD, NULL}};
    for (size_t i = 0; i < PARTS; i++) {
        parts[i] = (part){.name = all[i].name, .read = all[i].read};
        pk_strbuf_init(&parts[i].text, FILE_BYTES_MAX);
    }
}

static void parts_fini(part parts[PARTS]) {
    for (size_t i = 0; i < PARTS; i++) pk_strbuf_fini(&parts[i].text);
}

static void part_where(const pk_store *store, const char *place, const char *name,
                       char where[PATH_MAX]) {
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/%s", place, name);
    if (length < 0 || length >= PATH_MAX) path[PATH_MAX - 1] = '\0';
    pk_store_where(store, path, where);
}

/* False: it is there and cannot be read. */
static bool slurp(int folder_fd, const char *where, part *p, pk_err *err) {
    pk_strbuf_clear(&p->text);
    p->there = false;
    int fd = openat(folder_fd, p->name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 && errno == ENOENT) return true;
    if (fd < 0) {
        pk_fail(err, PK_E_SYS, where, "cannot open it");
        pk_fix(err, "check its permissions");
        return false;
    }
    p->there = pk_fd_read_all(fd, where, FILE_BYTES_MAX, &p->text, err);
    close(fd);
    return p->there;
}

/* Is the folder that was opened still the one at its place? Only what has left its place is taken
 * apart, so what was read until now was whole. */
static bool is_in_place(const pk_store *store, const char *place, int folder_fd) {
    struct stat opened, now;
    return fstat(folder_fd, &opened) == 0 && fstatat(store->home_fd, place, &now, 0) == 0 &&
           opened.st_dev == now.st_dev && opened.st_ino == now.st_ino;
}

typedef enum outcome { NONE, WHOLE, FAILED, REPLACED } outcome;

static outcome read_once(const pk_store *store, const char *place, part parts[PARTS], pk_err *err) {
    int fd = openat(store->home_fd, place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) return NONE;
    char where[PATH_MAX];
    if (fd < 0) {
        pk_store_where(store, place, where);
        pk_fail(err, PK_E_SYS, where, "cannot open it");
        pk_fix(err, "check its permissions");
        return FAILED;
    }
    bool ok = true;
    for (size_t i = 0; i < PARTS && ok; i++) {
        part_where(store, place, parts[i].name, where);
        ok = slurp(fd, where, &parts[i], err);
    }
    bool in_place = is_in_place(store, place, fd);
    close(fd);
    if (!in_place) return REPLACED;
    if (!ok) return FAILED;
    return parts[BENCHMARK].there ? WHOLE : NONE;
}

static outcome read_folder(const pk_store *store, const char *place, part parts[PARTS],
                           pk_err *err) {
    for (int i = 0; i < CHANGES_MAX; i++) {
        outcome o = read_once(store, place, parts, err);
        if (o != REPLACED) return o;
    }
    char where[PATH_MAX];
    pk_store_where(store, place, where);
    pk_fail(err, PK_E_INPUT, where, "it is being replaced all the time");
    pk_fix(err, "wait until perfkit bench has ended");
    return FAILED;
}

/* ---- a baseline ---- */

/* Criterion writes over its own files and leaves ours beside them: then the record is of another
 * run than the sample. */
static bool record_fits(const pk_baseline *b, const pk_bench_result *result) {
    if (b->n != pk_bench_samples(result)) return b->n == 0;
    for (size_t i = 0, k = 0; i < result->n_workers; i++) {
        const pk_bench_side *side = pk_bench_sample(&result->workers[i]);
        if (!side) continue;
        if (b->iterations[k] != (double)side->iterations) return false;
        if (b->times_ns[k++] != (double)side->iterations * side->trimmed_ns) return false;
    }
    return true;
}

static bool read_record(const part *p, const char *where, pk_arena *arena, pk_baseline *b,
                        pk_err *err) {
    pk_bench_record record;
    if (!pk_bench_record_parse(p->text.data, p->text.length, where, arena, &record, err))
        return false;
    if (record.n_results != 1 || !record_fits(b, record.results)) return true;
    b->result = record.results;
    b->environment = record.has_environment ? PK_NEW(arena, 1, pk_environment) : NULL;
    if (!b->environment) return true;
    *b->environment = record.environment;
    pk_bench_session_of(b->result, b->environment, &b->session);
    return true;
}

static bool parse_parts(const pk_store *store, const char *place, const part parts[PARTS],
                        pk_arena *arena, pk_baseline *b, pk_err *err) {
    for (size_t i = 0; i < PARTS; i++) {
        char where[PATH_MAX];
        if (!parts[i].there) continue;
        part_where(store, place, parts[i].name, where);
        const pk_strbuf *text = &parts[i].text;
        bool ok = parts[i].read ? parts[i].read(text->data, text->length, where, arena, b, err)
                                : read_record(&parts[i], where, arena, b, err);
        if (!ok) return false;
    }
    return true;
}

static pk_baseline *new_baseline(pk_arena *arena, const char *place, pk_err *err) {
    pk_baseline *b = PK_NEW(arena, 1, pk_baseline);
    if (b) return b;
    pk_fail(err, PK_E_LIMIT, place, "it does not fit in memory");
    pk_fix(err, "choose fewer benchmarks");
    return NULL;
}

pk_baseline *pk_store_load(pk_store *store, const char *id_directory, const char *name,
                           pk_arena *arena, pk_err *err) {
    char place[PATH_MAX];
    int length = snprintf(place, sizeof place, "%s/%s", id_directory, name);
    err->kind = PK_OK;
    if (length < 0 || length >= PATH_MAX) return NULL;
    part parts[PARTS];
    parts_init(parts);
    outcome o = read_folder(store, place, parts, err);
    pk_baseline *b = o == WHOLE ? new_baseline(arena, place, err) : NULL;
    if (b && !parse_parts(store, place, parts, arena, b, err)) b = NULL;
    if (b) snprintf(b->directory, sizeof b->directory, "%s", id_directory);
    parts_fini(parts);
    return b;
}

/* ---- what there is ---- */

static bool is_hidden(const struct dirent *entry) {
    return entry->d_name[0] == '.';
}

static DIR *open_folder(const pk_store *store, const char *path) {
    int fd = openat(store->home_fd, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir && fd >= 0) close(fd);
    return dir;
}

/* out = "folder/name", or the name where the folder is home; false: too long. */
static bool below(char out[PATH_MAX], const char *folder, const char *name) {
    int length = snprintf(out, PATH_MAX, "%s%s%s", folder, *folder ? "/" : "", name);
    return length >= 0 && length < PATH_MAX;
}

static bool is_baseline(const pk_store *store, const char *path) {
    char file[PATH_MAX];
    return below(file, path, PK_CRITERION_BENCHMARK) &&
           faccessat(store->home_fd, file, F_OK, 0) == 0;
}

/* Any baseline in the folder: false when there is none. */
static bool first_baseline(const pk_store *store, const char *folder, char out[PATH_MAX]) {
    DIR *dir = open_folder(store, folder);
    bool found = false;
    for (struct dirent *entry; dir && !found && (entry = readdir(dir));)
        found = !is_hidden(entry) && below(out, folder, entry->d_name) && is_baseline(store, out);
    if (dir) closedir(dir);
    return found;
}

static bool read_identity_file(const pk_store *store, const char *path, pk_baseline *identity,
                               pk_err *err) {
    char file[PATH_MAX], where[PATH_MAX];
    *identity = (pk_baseline){0};
    if (!below(file, path, PK_CRITERION_BENCHMARK)) return false;
    pk_store_where(store, file, where);
    pk_strbuf text;
    pk_strbuf_init(&text, FILE_BYTES_MAX);
    int fd = openat(store->home_fd, file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) pk_fail(err, PK_E_SYS, where, "cannot open it");
    bool ok = fd >= 0 && pk_fd_read_all(fd, where, FILE_BYTES_MAX, &text, err) &&
              pk_criterion_read_benchmark(text.data, text.length, where, NULL, identity, err);
    if (fd >= 0) close(fd);
    pk_strbuf_fini(&text);
    return ok;
}

bool pk_store_read_identity(const pk_store *store, const char *path, bool nested,
                            pk_baseline *identity) {
    char inner[PATH_MAX];
    pk_err ignored;
    if (nested && !first_baseline(store, path, inner)) return false;
    return read_identity_file(store, nested ? inner : path, identity, &ignored);
}

typedef struct listing {
    pk_store *store;
    const char *wanted; /* a baseline's name, or NULL */
    pk_arena *arena;
    pk_array entries;
    pk_err *err;
} listing;

static bool fail_list(listing *l) {
    pk_fail(l->err, PK_E_LIMIT, l->store->home, "there are more benchmarks than fit in memory");
    pk_fix(l->err, "choose another place with --home");
    return false;
}

static int compare_names(const void *a, const void *b) {
    return strverscmp(*(const char *const *)a, *(const char *const *)b);
}

/* Adds the benchmark at `path` that has these baselines. One that vanished meanwhile is passed
 * over. */
static bool add_entry(listing *l, const char *path, const pk_array *names) {
    pk_baseline identity;
    pk_store_entry entry = {0};
    char inner[PATH_MAX];
    size_t n = names->count;
    const char **list = PK_NEW(l->arena, n, const char *);
    bool wanted = !l->wanted;
    if (!list) return fail_list(l);
    memcpy(list, names->items, n * sizeof list[0]);
    qsort(list, n, sizeof list[0], compare_names);
    for (size_t i = 0; i < n; i++) wanted = wanted || strcmp(list[i], l->wanted) == 0;
    if (!wanted || !below(inner, path, list[0])) return true;
    if (!read_identity_file(l->store, inner, &identity, l->err))
        return l->err->kind == PK_E_SYS && l->err->sys_errno == ENOENT;
    entry.id = pk_arena_strdup(l->arena, identity.id);
    entry.directory = pk_arena_strdup(l->arena, path);
    entry.group = pk_arena_strdup(l->arena, identity.group);
    entry.function = pk_arena_strdup(l->arena, identity.function);
    entry.value = pk_arena_strdup(l->arena, identity.value);
    entry.names = list;
    entry.n_names = n;
    pk_store_entry *place = pk_array_push(&l->entries);
    if (!place || !entry.id || !entry.directory || !entry.group || !entry.function || !entry.value)
        return fail_list(l);
    *place = entry;
    return true;
}

static bool walk(listing *l, const char *path, int depth);

/* One name in a folder: a baseline of the benchmark that the folder is, or a folder to look into.
 */
static bool visit(listing *l, const char *path, const char *name, int depth, pk_array *names) {
    char inner[PATH_MAX];
    if (!below(inner, path, name)) return true;
    if (!is_baseline(l->store, inner)) return walk(l, inner, depth + 1);
    const char **place = pk_array_push(names);
    const char *copy = pk_arena_strdup(l->arena, name);
    if (!place || !copy) return fail_list(l);
    *place = copy;
    return true;
}

static bool walk(listing *l, const char *path, int depth) {
    DIR *dir = depth < FOLDERS_DEEP_MAX ? open_folder(l->store, path) : NULL;
    if (!dir) return true;
    pk_array names = PK_ARRAY(const char *, NAMES_MAX);
    bool ok = true;
    for (struct dirent *entry; ok && (entry = readdir(dir));) {
        bool may_be_folder =
            entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN || entry->d_type == DT_LNK;
        if (may_be_folder && !is_hidden(entry)) ok = visit(l, path, entry->d_name, depth, &names);
    }
    closedir(dir);
    if (ok && names.count > 0 && *path) ok = add_entry(l, path, &names);
    pk_array_fini(&names);
    return ok;
}

static int compare_entries(const void *a, const void *b) {
    const pk_store_entry *x = a, *y = b;
    return strverscmp(x->directory, y->directory);
}

bool pk_store_list(pk_store *store, const char *name, pk_arena *arena, pk_store_entry **entries,
                   size_t *n, pk_err *err) {
    listing l = {.store = store,
                 .wanted = name,
                 .arena = arena,
                 .entries = PK_ARRAY(pk_store_entry, ENTRIES_MAX),
                 .err = err};
    bool ok = walk(&l, "", 0);
    pk_store_entry *copy = ok ? PK_NEW(arena, l.entries.count, pk_store_entry) : NULL;
    if (ok && !copy) ok = fail_list(&l);
    if (ok) {
        if (l.entries.count > 0) {
            memcpy(copy, l.entries.items, l.entries.count * sizeof *copy);
            qsort(copy, l.entries.count, sizeof *copy, compare_entries);
        }
        *entries = copy;
        *n = l.entries.count;
    }
    pk_array_fini(&l.entries);
    return ok;
}

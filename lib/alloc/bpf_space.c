#include "alloc/bpf_space.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/bpf_rows.h"
#include "base/file.h"
#include "profile/modules.h"
#include "profile/proc_maps.h"

#define MAPS_BYTES_MAX ((size_t)64 << 20)
#define SNAPSHOTS_MAX 65536
#define ROWS_MAX (64u << 20)
#define MODULES_MAX (1u << 20)

typedef struct file_rows {
    bool made;
    uint32_t first, n;
    uint64_t base;
} file_rows;

struct pk_bpf_tables {
    pk_bpf_probe *probe;
    pk_modules *modules;
    pk_array files; /* file_rows, by the module's number */
    uint32_t n_spaces;
};

pk_bpf_tables *pk_bpf_tables_new(pk_bpf_probe *probe, const pk_debug_folders *folders,
                                 pk_err *err) {
    pk_bpf_tables *t = calloc(1, sizeof *t);
    if (t) {
        t->probe = probe;
        t->files = PK_ARRAY(file_rows, MODULES_MAX);
        t->modules = pk_modules_new(folders);
    }
    if (t && t->modules) return t;
    pk_bpf_tables_free(t);
    pk_fail(err, PK_E_LIMIT, NULL, "no memory for tables of call frame information");
    return NULL;
}

void pk_bpf_tables_free(pk_bpf_tables *t) {
    if (!t) return;
    pk_modules_free(t->modules);
    pk_array_fini(&t->files);
    free(t);
}

void pk_bpf_space_init(pk_bpf_space *space, pid_t pid, uint32_t index) {
    *space = (pk_bpf_space){
        .pid = pid, .index = index, .snapshots = PK_ARRAY(pk_bpf_snapshot, SNAPSHOTS_MAX)};
}

void pk_bpf_space_fini(pk_bpf_space *space) {
    for (size_t i = 0; i < space->snapshots.count; i++)
        free(PK_AT(&space->snapshots, pk_bpf_snapshot, i).text);
    pk_array_fini(&space->snapshots);
}

/* ---- lines ---- */

/* The line that begins at `at`, with its end; at most to `end`. */
static size_t line_bytes(const char *at, const char *end) {
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    return newline ? (size_t)(newline - at) + 1 : (size_t)(end - at);
}

size_t pk_bpf_code_lines(char *text, size_t bytes) {
    const char *end = text + bytes;
    char *to = text;
    size_t n;
    for (const char *at = text; at < end; at += n) {
        n = line_bytes(at, end);
        const char *blank = memchr(at, ' ', n);
        if (!blank || at + n - blank < 5 || blank[3] != 'x') continue;
        memmove(to, at, n);
        to += n;
    }
    return (size_t)(to - text);
}

bool pk_bpf_unmapped(const pk_bpf_snapshot *before, const pk_bpf_snapshot *after) {
    const char *end = before->text + before->bytes;
    size_t n;
    for (const char *at = before->text; at < end; at += n) {
        n = line_bytes(at, end);
        /* Only of a file does the address mean the same for as long as it is mapped. */
        if (memchr(at, '/', n) && !memmem(after->text, after->bytes, at, n)) return true;
    }
    return false;
}

/* ---- tables ---- */

static bool make_rows(pk_bpf_tables *t, uint32_t module, file_rows *file, pk_err *err) {
    const pk_module_cfi *cfi = pk_module_cfi_of(t->modules, module);
    pk_array rows = PK_ARRAY(pk_bpf_row, ROWS_MAX);
    bool ok = true;
    if (cfi && cfi->section.n_bytes > 0) {
        ok = pk_bpf_rows_make(&cfi->section, &rows, &file->base, err) &&
             pk_bpf_probe_rows(t->probe, rows.items, rows.count, &file->first, err);
        file->n = (uint32_t)rows.count;
    }
    pk_array_fini(&rows);
    file->made = true;
    return ok;
}

static file_rows *rows_of(pk_bpf_tables *t, uint32_t module, pk_err *err) {
    while (t->files.count <= module)
        if (!pk_array_push(&t->files)) {
            pk_fail(err, PK_E_LIMIT, NULL, "no memory for tables of call frame information");
            return NULL;
        }
    file_rows *file = &PK_AT(&t->files, file_rows, module);
    return file->made || make_rows(t, module, file, err) ? file : NULL;
}

typedef struct filling {
    pk_bpf_tables *tables;
    pk_bpf_space *space;
    pk_bpf_segment *segments;
    uint32_t n;
} filling;

static bool take_map(void *context, const pk_proc_map *map, pk_err *err) {
    filling *f = context;
    pk_module_id id = {.path = map->file, .pid = (uint32_t)f->space->pid};
    if (f->n == PK_BPF_SEGMENTS_MAX) {
        f->space->left_out++;
        return true;
    }
    uint32_t module = pk_modules_number(f->tables->modules, &id);
    file_rows *rows = module == UINT32_MAX ? NULL : rows_of(f->tables, module, err);
    if (module == UINT32_MAX) pk_fail(err, PK_E_LIMIT, NULL, "no memory for the list of files");
    if (!rows) return false;
    pk_bpf_segment segment = {.begin = map->begin, .end = map->end};
    const pk_elf_image *image = pk_module_image(f->tables->modules, module);
    uint64_t vaddr;
    if (rows->n > 0 && image && pk_elf_image_vaddr(image, map->offset, &vaddr)) {
        segment.bias = map->begin - vaddr + rows->base;
        segment.first_row = rows->first;
        segment.n_rows = rows->n;
    }
    f->segments[f->n++] = segment;
    return true;
}

/* From `text`, which is changed on the way. */
static bool hand_over(pk_bpf_tables *t, pk_bpf_space *space, char *text, size_t bytes, uint32_t era,
                      pk_err *err) {
    filling f = {.tables = t,
                 .space = space,
                 .segments = calloc(PK_BPF_SEGMENTS_MAX, sizeof(pk_bpf_segment))};
    bool ok = f.segments != NULL;
    if (!ok) pk_fail(err, PK_E_LIMIT, NULL, "no memory for the list of what is mapped");
    space->left_out = 0;
    ok = ok && pk_proc_maps_parse(text, bytes, take_map, &f, err);
    pk_bpf_process process = {(uint32_t)space->pid, space->n_spaces++};
    pk_bpf_list list = {.space = ++t->n_spaces, .era = era, .n_segments = f.n};
    ok = ok && pk_bpf_probe_process(t->probe, space->index, &process, &list, f.segments, err);
    free(f.segments);
    return ok;
}

/* ---- looking ---- */

static bool add_snapshot(pk_bpf_space *space, pk_strbuf *text, pk_bpf_snapshot **added,
                         pk_err *err) {
    size_t n = space->snapshots.count;
    pk_bpf_snapshot new = {.bytes = text->length}, *slot = pk_array_push(&space->snapshots);
    new.text = slot ? pk_strbuf_detach(text, NULL) : NULL;
    if (!new.text) {
        if (slot) space->snapshots.count--;
        pk_fail(err, PK_E_LIMIT, NULL, "no memory for what is mapped");
        return false;
    }
    if (n > 0) {
        const pk_bpf_snapshot *last = &PK_AT(&space->snapshots, pk_bpf_snapshot, n - 1);
        new.era = last->era + pk_bpf_unmapped(last, &new);
    }
    *slot = new;
    *added = slot;
    return true;
}

static bool take_text(pk_bpf_tables *t, pk_bpf_space *space, pk_strbuf *text, bool *changed,
                      pk_err *err) {
    size_t n = space->snapshots.count;
    text->length = pk_bpf_code_lines(text->data, text->length);
    if (text->length == 0) return true; /* it is ending */
    text->data[text->length] = 0;
    if (n > 0) {
        const pk_bpf_snapshot *last = &PK_AT(&space->snapshots, pk_bpf_snapshot, n - 1);
        if (last->bytes == text->length && memcmp(last->text, text->data, last->bytes) == 0)
            return true;
    }
    space->too_often = n == SNAPSHOTS_MAX || t->n_spaces == PK_BPF_SPACES_MAX;
    if (space->too_often) return true;
    pk_bpf_snapshot *added;
    if (!add_snapshot(space, text, &added, err)) return false;
    *changed = true;
    char *copy = malloc(added->bytes + 1);
    if (!copy) {
        pk_fail(err, PK_E_LIMIT, NULL, "no memory for what is mapped");
        return false;
    }
    memcpy(copy, added->text, added->bytes + 1);
    bool ok = hand_over(t, space, copy, added->bytes, added->era, err);
    free(copy);
    return ok;
}

bool pk_bpf_space_look(pk_bpf_tables *t, pk_bpf_space *space, bool *changed, pk_err *err) {
    char path[64];
    pk_strbuf text;
    pk_err unreadable;
    bool ok = true;
    *changed = false;
    if (space->too_often) return true;
    snprintf(path, sizeof path, "/proc/%d/maps", (int)space->pid);
    pk_strbuf_init(&text, MAPS_BYTES_MAX);
    if (pk_file_read(path, MAPS_BYTES_MAX, &text, &unreadable))
        ok = take_text(t, space, &text, changed, err);
    pk_strbuf_fini(&text);
    return ok;
}

/* Images into a result. */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc/collector.h"
#include "alloc/image_file.h"
#include "alloc/image_stacks.h"
#include "base/strbuf.h"

#define PATH_BYTES 4400u
#define IMAGES_MAX (1u << 20)
#define SNAPSHOT_BYTES_MAX ((size_t)256 << 20)
#define PER_THREAD_BYTES (64u << 10) /* pk_image_thread.held */

typedef struct snapshot {
    uint64_t time_ns;
    uint32_t era, chunk; /* its first; the others follow in their order */
} snapshot;

typedef struct reading {
    pk_alloc_result *result;
    pk_image_file file;
    pk_image_stacks stacks;
    pk_array snapshots; /* snapshot, by era and time */
    bool peak_is_now;   /* nothing was freed since it was reached */
} reading;

/* ---- threads ---- */

static void add_thread(reading *r, const pk_image_thread *thread, int64_t *held,
                       pk_alloc_process *process) {
    process->threads++;
    pk_alloc_sum(&process->calls, thread->calls);
    pk_alloc_sum(&process->bytes, thread->bytes);
    pk_alloc_sum(&process->frees, thread->frees);
    pk_alloc_sum(&process->freed_bytes, thread->freed_bytes);
    pk_alloc_sum(&process->temporary, thread->temporary);
    pk_alloc_sum(&process->stacks_remembered, thread->stacks_remembered);
    pk_alloc_sum(&process->stacks_unwound, thread->stacks_unwound);
    if (__builtin_add_overflow(*held, thread->held, held)) *held = 0;
    for (uint32_t i = 0; i < PK_IMAGE_SIZE_CLASSES; i++)
        pk_alloc_sum(&r->result->sizes[i], thread->sizes[i]);
}

static void add_snapshot(reading *r, uint32_t number, const pk_image_chunk *chunk) {
    snapshot *s = chunk->part == 0 ? pk_array_push(&r->snapshots) : NULL;
    if (s) *s = (snapshot){chunk->time_ns, chunk->era, number};
}

static int by_time(const void *a, const void *b) {
    const snapshot *x = a, *y = b;
    if (x->era != y->era) return x->era < y->era ? -1 : 1;
    if (x->time_ns != y->time_ns) return x->time_ns < y->time_ns ? -1 : 1;
    return x->chunk < y->chunk ? -1 : x->chunk > y->chunk;
}

/* All but the cells. */
static void read_chunks(reading *r, pk_image_thread *thread, pk_alloc_process *process) {
    int64_t held = 0;
    for (uint32_t i = 1; i < r->file.n_chunks; i++) {
        pk_image_chunk chunk = pk_image_file_chunk(&r->file, i);
        if (chunk.kind == PK_CHUNK_MAPS) add_snapshot(r, i, &chunk);
        if (chunk.kind != PK_CHUNK_THREAD) continue;
        pk_image_file_read(&r->file, i, 0, thread, sizeof *thread);
        add_thread(r, thread, &held, process);
    }
    if (r->snapshots.count > 0)
        qsort(r->snapshots.items, r->snapshots.count, sizeof(snapshot), by_time);
    /* What threads held back has not been compared with the peak. */
    int64_t live, peak = r->file.head.peak_bytes;
    if (__builtin_add_overflow(r->file.head.live_bytes, held, &live)) live = 0;
    r->peak_is_now = r->file.head.peak_ns == 0 || live > peak;
    if (live > peak) peak = live;
    process->peak_bytes = peak > 0 ? (uint64_t)peak : 0;
    if (r->peak_is_now) process->peak_ns = UINT64_MAX;
}

/* ---- maps ---- */

/* The text of a snapshot: its parts, one after the other. */
static void read_snapshot(const reading *r, const snapshot *s, pk_strbuf *text) {
    uint32_t part = 0;
    for (uint32_t i = s->chunk; i < r->file.n_chunks; i++) {
        pk_image_chunk chunk = pk_image_file_chunk(&r->file, i);
        if (chunk.kind != PK_CHUNK_MAPS || chunk.time_ns != s->time_ns || chunk.era != s->era ||
            chunk.part != part) {
            if (chunk.kind == PK_CHUNK_MAPS && i > s->chunk) break;
            continue;
        }
        char *to = pk_strbuf_reserve(text, chunk.used);
        if (!to) break;
        pk_image_file_read(&r->file, i, sizeof chunk, to, chunk.used);
        pk_strbuf_grown(text, chunk.used);
        part++;
    }
}

/* Maps what the era's snapshots say, the newest last. */
static bool map_era(reading *r, uint32_t era, pk_err *err) {
    bool ok = pk_collector_unmap(r->result->collector, err);
    for (size_t i = 0; ok && i < r->snapshots.count; i++) {
        const snapshot *s = &PK_AT(&r->snapshots, snapshot, i);
        if (s->era != era) continue;
        pk_strbuf text;
        pk_strbuf_init(&text, SNAPSHOT_BYTES_MAX);
        read_snapshot(r, s, &text);
        ok = pk_collector_maps(r->result->collector, text.data, text.length, err);
        pk_strbuf_fini(&text);
    }
    return ok;
}

/* ---- stacks ---- */

static uint64_t whole(double x) {
    if (!(x > 0)) return 0;
    return x < 1.8e19 ? (uint64_t)(x + 0.5) : UINT64_MAX;
}

static uint64_t left(uint64_t all, uint64_t gone) {
    return all > gone ? all - gone : 0;
}

static double error_of(double variance) {
    return variance > 0 && isfinite(variance) ? sqrt(variance) : 0;
}

/* What is shown of a stack: of samples, what they stand for. */
static pk_alloc_stack figures(const reading *r, const pk_image_stack *s) {
    pk_alloc_stack out = {.frames = s->frames,
                          .n_frames = s->n_frames,
                          .flags = s->flags,
                          .function = s->function,
                          .calls = s->calls,
                          .bytes = s->bytes,
                          .freed_calls = s->freed_calls,
                          .freed_bytes = s->freed_bytes,
                          .temporary = s->temporary};
    if (r->file.head.sample_bytes > 0) {
        /* Temporary ones are the share that they are of the samples. */
        double share = s->calls > 0 ? (double)s->temporary / (double)s->calls : 0;
        out.calls = whole(s->estimated_calls);
        out.bytes = whole(s->estimated_bytes);
        out.freed_calls = whole(s->estimated_freed_calls);
        out.freed_bytes = whole(s->estimated_freed_bytes);
        out.temporary = whole(share * s->estimated_calls);
        out.calls_error = error_of(s->variance_calls);
        out.bytes_error = error_of(s->variance_bytes);
    }
    if (!(r->file.head.flags & PK_ALLOC_LIVE)) return out;
    out.leaked_calls = left(out.calls, out.freed_calls);
    out.leaked_bytes = left(out.bytes, out.freed_bytes);
    out.peak_calls = s->peak_calls > 0 ? (uint64_t)s->peak_calls : 0;
    out.peak_bytes = s->peak_bytes > 0 ? (uint64_t)s->peak_bytes : 0;
    return out;
}

static int by_era(const void *a, const void *b) {
    const pk_image_stack *x = a, *y = b;
    return x->era < y->era ? -1 : x->era > y->era;
}

/* Threads count all calls and bytes, but of the rest the samples alone. */
static void estimate(pk_alloc_process *process, const pk_alloc_stack *shown) {
    pk_alloc_sum(&process->frees, shown->freed_calls);
    pk_alloc_sum(&process->freed_bytes, shown->freed_bytes);
    pk_alloc_sum(&process->temporary, shown->temporary);
}

/* Stacks of an era, with what was mapped then. */
static bool add_stacks(reading *r, pk_alloc_process *process, pk_err *err) {
    pk_array *stacks = &r->stacks.stacks;
    pk_index_fini(&r->stacks.by_frames); /* sorted, they have other numbers */
    if (stacks->count > 0) qsort(stacks->items, stacks->count, sizeof(pk_image_stack), by_era);
    bool ok = true;
    if (r->file.head.sample_bytes > 0)
        process->frees = process->freed_bytes = process->temporary = 0;
    for (size_t i = 0; ok && i < stacks->count; i++) {
        const pk_image_stack *s = &PK_AT(stacks, pk_image_stack, i);
        if (i == 0 || s->era != s[-1].era) ok = map_era(r, s->era, err);
        pk_alloc_stack shown = figures(r, s);
        ok = ok && pk_collector_stack(r->result->collector, &shown, err);
        if (ok && r->file.head.sample_bytes > 0) estimate(process, &shown);
        pk_alloc_sum(&process->leaked_calls, shown.leaked_calls);
        pk_alloc_sum(&process->leaked_bytes, shown.leaked_bytes);
    }
    return ok && pk_collector_keep_maps(r->result->collector, err);
}

/* ---- one image ---- */

static pk_alloc_process head_of(const reading *r) {
    const pk_image_head *head = &r->file.head;
    return (pk_alloc_process){.pid = head->pid,
                              .parent_pid = head->parent_pid,
                              .exec_number = head->exec_number,
                              .name = head->name,
                              .exe = head->exe,
                              .started_ns = head->started_ns,
                              .ended_ns = head->ended_ns ? head->ended_ns : UINT64_MAX,
                              .forked = head->forked,
                              .peak_ns = head->peak_ns ? head->peak_ns : UINT64_MAX,
                              .inside_hook = head->inside_hook,
                              .before_ready = head->before_ready,
                              .not_kept = head->full,
                              .unknown_frees = head->unknown_frees,
                              .differences = head->differences};
}

static bool add(reading *r, const pk_alloc_process *facts, pk_err *err) {
    pk_alloc_result *result = r->result;
    const pk_image_head *head = &r->file.head;
    pk_alloc_process *process = pk_collector_process(result->collector, facts, err);
    if (!process) return false;
    if (!(head->flags & PK_ALLOC_LIVE)) process->peak_bytes = 0;
    process->peak_error_bytes = process->threads > 1 ? process->threads * PER_THREAD_BYTES : 0;
    result->live_known = result->live_known && head->flags & PK_ALLOC_LIVE;
    result->sampled = result->sampled || head->sample_bytes > 0;
    if (head->sample_bytes > 0) result->sample_bytes = head->sample_bytes;
    if (r->stacks.broken > 0) result->incomplete = true;
    if (result->started_unix_ns == 0 || head->started_unix_ns < result->started_unix_ns)
        result->started_unix_ns = head->started_unix_ns;
    return add_stacks(r, process, err);
}

bool pk_alloc_add_image(pk_alloc_result *result, const char *path, pk_err *err) {
    reading r = {.result = result, .snapshots = PK_ARRAY(snapshot, IMAGES_MAX)};
    if (!pk_image_file_open(path, &r.file, err)) return false;
    pk_image_thread *thread = aligned_alloc(_Alignof(pk_image_thread), sizeof *thread);
    pk_alloc_process facts = head_of(&r);
    if (thread) read_chunks(&r, thread, &facts);
    else pk_fail(err, PK_E_LIMIT, path, "not enough memory to read it");
    bool ok = pk_image_stacks_read(&r.file, r.peak_is_now, &r.stacks, err) && thread;
    ok = ok && add(&r, &facts, err);
    free(thread);
    pk_image_stacks_fini(&r.stacks);
    pk_array_fini(&r.snapshots);
    pk_image_file_close(&r.file);
    return ok;
}

/* ---- a folder of them ---- */

typedef struct found {
    uint64_t started_ns;
    char name[64];
} found;

static int by_start(const void *a, const void *b) {
    const found *x = a, *y = b;
    if (x->started_ns != y->started_ns) return x->started_ns < y->started_ns ? -1 : 1;
    return strcmp(x->name, y->name);
}

static bool is_image(const char *name) {
    size_t n = strlen(name), end = strlen(".image");
    return n > end && n < sizeof(((found *)0)->name) && strcmp(name + n - end, ".image") == 0;
}

/* Those without a magic number were never begun: the process was ended before. */
static bool find_images(const char *folder, pk_array *images, pk_err *err) {
    DIR *dir = opendir(folder);
    if (!dir) {
        pk_fail(err, PK_E_SYS, folder, "cannot read the folder of images");
        pk_fix(err, "give the folder that perfkit alloc has made");
        return false;
    }
    bool ok = true;
    for (struct dirent *entry; ok && (entry = readdir(dir));) {
        char path[PATH_BYTES];
        pk_image_file file;
        pk_err none;
        if (!is_image(entry->d_name)) continue;
        int n = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (n < 0 || (size_t)n >= sizeof path || !pk_image_file_open(path, &file, &none)) continue;
        found *image = pk_array_push(images);
        ok = image != NULL;
        if (ok) {
            image->started_ns = file.head.started_ns;
            snprintf(image->name, sizeof image->name, "%s", entry->d_name);
        } else {
            pk_fail(err, PK_E_LIMIT, folder, "too many images");
        }
        pk_image_file_close(&file);
    }
    closedir(dir);
    return ok;
}

bool pk_alloc_add_folder(pk_alloc_result *result, const char *folder, pk_err *err) {
    pk_array images = PK_ARRAY(found, IMAGES_MAX);
    bool ok = find_images(folder, &images, err);
    if (ok && images.count == 0) {
        pk_fail(err, PK_E_INPUT, folder, "nothing was counted: there is no image");
        ok = false;
    }
    if (ok) qsort(images.items, images.count, sizeof(found), by_start);
    for (size_t i = 0; ok && i < images.count; i++) {
        char path[PATH_BYTES];
        snprintf(path, sizeof path, "%s/%s", folder, PK_AT(&images, found, i).name);
        ok = pk_alloc_add_image(result, path, err);
    }
    pk_array_fini(&images);
    return ok;
}

#include "alloc/timeline.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "alloc/collector.h"
#include "alloc/image_file.h"
#include "alloc/untraced.h"
#include "base/digits.h"
#include "base/units.h"

#define IMAGES_MAX 65536u
#define CHUNKS_MAX 65536u /* of threads, and not yet known ones */
#define NAME_BYTES 64u
#define PATH_BYTES 4400u
#define PERIOD_NS (10 * PK_NS_PER_MS)
#define EVENTS_BYTES 8192u
#define UNTRACED_NS (100 * PK_NS_PER_MS)
#define DESCRIPTORS_MAX 256u /* what is beyond is opened anew each time */

typedef struct figures {
    uint64_t calls, bytes, frees;
    int64_t live;
} figures;

typedef struct watched {
    char name[NAME_BYTES];
    bool open, begun; /* begun: it was an image once */
    uint32_t pid;
    pk_image_file file; /* if open */
    uint32_t n_scanned;
    pk_array threads, unknown; /* uint32_t: numbers of chunks; unknown: not written yet, or holes */
    figures last;
} watched;

struct pk_timeline {
    pk_alloc_result *result;
    const char *folder;
    int events; /* inotify */
    uint64_t period_ns, due_ns;
    pk_array images;       /* watched *: of programs that run */
    figures ended;         /* of the others */
    pk_untraced *untraced; /* NULL: not asked for */
    uint64_t untraced_due_ns;
};

/* ---- which images there are ---- */

static void forget(watched *w) {
    if (w->open) pk_image_file_close(&w->file);
    pk_array_fini(&w->threads);
    pk_array_fini(&w->unknown);
    free(w);
}

static void add_image(pk_timeline *t, const char *name) {
    uint64_t pid;
    watched *w = strlen(name) < NAME_BYTES && pk_digits(name, strlen(name), &pid) > 0
                     ? calloc(1, sizeof *w)
                     : NULL;
    watched **slot = w ? pk_array_push(&t->images) : NULL;
    if (!slot) {
        free(w);
        return; /* it is counted at the end all the same */
    }
    memcpy(w->name, name, strlen(name) + 1);
    w->pid = (uint32_t)pid;
    w->threads = w->unknown = PK_ARRAY(uint32_t, CHUNKS_MAX);
    *slot = w;
    if (t->untraced) pk_untraced_forget(t->untraced, w->pid);
}

static void take_events(pk_timeline *t) {
    _Alignas(struct inotify_event) char buffer[EVENTS_BYTES];
    ssize_t n;
    while ((n = read(t->events, buffer, sizeof buffer)) > 0) {
        for (char *at = buffer; at < buffer + n;) {
            struct inotify_event *event = (void *)at;
            at += sizeof *event + event->len;
            if (event->len > 0 && strstr(event->name, ".image")) add_image(t, event->name);
        }
    }
}

/* ---- what one says ---- */

static void note_thread(watched *w, uint32_t number) {
    uint32_t *slot = pk_array_push(&w->threads);
    if (slot) *slot = number;
}

/* Files that only the program can reach are opened while it has them. */
static void meet(pk_timeline *t, watched *w, uint32_t number, uint32_t used) {
    char *text = malloc(used);
    pk_err ignored;
    if (!text) return;
    pk_image_file_read(&w->file, number, sizeof(pk_image_chunk), text, used);
    (void)!pk_collector_meet(t->result->collector, w->pid, text, used, &ignored);
    free(text);
}

/* False: it is not written yet. */
static bool scan_chunk(pk_timeline *t, watched *w, uint32_t number) {
    pk_image_chunk chunk = pk_image_file_chunk(&w->file, number);
    if (chunk.kind == PK_CHUNK_THREAD) note_thread(w, number);
    if (chunk.kind == PK_CHUNK_MAPS && chunk.used == 0) return false;
    if (chunk.kind == PK_CHUNK_MAPS) meet(t, w, number, chunk.used);
    return chunk.kind != PK_CHUNK_NONE;
}

static void scan(pk_timeline *t, watched *w) {
    size_t kept = 0;
    for (size_t i = 0; i < w->unknown.count; i++) {
        uint32_t number = PK_AT(&w->unknown, uint32_t, i);
        if (!scan_chunk(t, w, number)) PK_AT(&w->unknown, uint32_t, kept++) = number;
    }
    w->unknown.count = kept;
    for (; w->n_scanned < w->file.n_chunks; w->n_scanned++) {
        if (w->n_scanned == 0 || scan_chunk(t, w, w->n_scanned)) continue;
        uint32_t *slot = pk_array_push(&w->unknown);
        if (slot) *slot = w->n_scanned;
    }
}

static void sum_threads(watched *w) {
    figures sum = {.live = w->file.head.live_bytes};
    for (size_t i = 0; i < w->threads.count; i++) {
        pk_image_thread thread;
        pk_image_file_read(&w->file, PK_AT(&w->threads, uint32_t, i), 0, &thread,
                           offsetof(pk_image_thread, sizes));
        pk_alloc_sum(&sum.calls, thread.calls);
        pk_alloc_sum(&sum.bytes, thread.bytes);
        pk_alloc_sum(&sum.frees, thread.frees);
        if (__builtin_add_overflow(sum.live, thread.held, &sum.live)) sum.live = 0;
    }
    w->last = sum;
}

static void look(pk_timeline *t, watched *w) {
    char path[PATH_BYTES];
    pk_err ignored;
    if (!w->open) {
        int n = snprintf(path, sizeof path, "%s/%s", t->folder, w->name);
        w->open = n > 0 && (size_t)n < sizeof path && pk_image_file_open(path, &w->file, &ignored);
    } else if (!pk_image_file_refresh(&w->file)) {
        return;
    }
    if (!w->open) return;
    w->begun = true;
    scan(t, w);
    sum_threads(w);
    if (t->images.count <= DESCRIPTORS_MAX) return;
    pk_image_file_close(&w->file);
    w->open = false;
}

/* ---- which programs run ---- */

/* Resident bytes; false: it has ended. */
static bool resident(uint32_t pid, uint64_t *bytes) {
    char path[64], text[128];
    uint64_t pages = 0;
    snprintf(path, sizeof path, "/proc/%u/statm", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    if (n <= 0) return false;
    text[n] = '\0';
    const char *second = strchr(text, ' ');
    if (!second || pk_digits(second + 1, strlen(second + 1), &pages) == 0 || pages == 0)
        return false; /* a zombie has none */
    *bytes = pages * (uint64_t)sysconf(_SC_PAGESIZE);
    return true;
}

/* A later image of the same process is of the program that took this one's place. */
static bool is_replaced(const pk_timeline *t, size_t i) {
    const watched *w = PK_AT(&t->images, watched *, i);
    for (size_t k = i + 1; k < t->images.count; k++) {
        const watched *later = PK_AT(&t->images, watched *, k);
        if (later->pid == w->pid && later->begun) return true;
    }
    return false;
}

static void end_image(pk_timeline *t, size_t i) {
    watched *w = PK_AT(&t->images, watched *, i);
    pk_alloc_sum(&t->ended.calls, w->last.calls);
    pk_alloc_sum(&t->ended.bytes, w->last.bytes);
    pk_alloc_sum(&t->ended.frees, w->last.frees);
    forget(w);
    t->images.count--;
    watched **images = t->images.items;
    memmove(images + i, images + i + 1, (t->images.count - i) * sizeof *images);
}

/* ---- moments ---- */

static void add_moment(pk_timeline *t, const pk_alloc_moment *moment) {
    pk_array *moments = &t->result->moments;
    if (moments->count >= PK_TIMELINE_MOMENTS) { /* every second one stays */
        size_t kept = 0;
        for (size_t i = 0; i < moments->count; i += 2)
            PK_AT(moments, pk_alloc_moment, kept++) = PK_AT(moments, pk_alloc_moment, i);
        moments->count = kept;
        t->period_ns *= 2;
    }
    pk_alloc_moment *slot = pk_array_push(moments);
    if (slot) *slot = *moment;
}

/* last: what programs left when they ended is what they had live then. */
static void take_moment(pk_timeline *t, uint64_t now_ns, bool last) {
    take_events(t);
    pk_alloc_moment moment = {.time_ns = now_ns};
    bool any = t->ended.calls > 0;
    for (size_t i = 0; i < t->images.count;) {
        watched *w = PK_AT(&t->images, watched *, i);
        uint64_t rss = 0;
        bool running = (resident(w->pid, &rss) || last) && !is_replaced(t, i);
        look(t, w); /* afterwards: what it did until its end is there by then */
        any = any || w->begun;
        if (!running) {
            end_image(t, i);
            continue;
        }
        pk_alloc_sum(&moment.calls, w->last.calls);
        pk_alloc_sum(&moment.bytes, w->last.bytes);
        pk_alloc_sum(&moment.frees, w->last.frees);
        if (w->last.live > 0) pk_alloc_sum(&moment.live_bytes, (uint64_t)w->last.live);
        pk_alloc_sum(&moment.rss_bytes, rss);
        i++;
    }
    pk_alloc_sum(&moment.calls, t->ended.calls);
    pk_alloc_sum(&moment.bytes, t->ended.bytes);
    pk_alloc_sum(&moment.frees, t->ended.frees);
    if (any) add_moment(t, &moment);
}

/* ---- programs without an image ---- */

static bool has_image(const void *context, uint32_t pid) {
    const pk_timeline *t = context;
    for (size_t i = 0; i < t->images.count; i++)
        if (PK_AT(&t->images, watched *, i)->pid == pid) return true;
    return false;
}

static void look_for_untraced(pk_timeline *t, uint64_t now_ns) {
    if (!t->untraced || now_ns < t->untraced_due_ns) return;
    t->untraced_due_ns = now_ns + UNTRACED_NS;
    for (size_t i = 0; i < t->images.count; i++) {
        const watched *w = PK_AT(&t->images, watched *, i);
        if (w->begun) pk_untraced_look(t->untraced, w->pid, w->file.head.exe, has_image, t);
    }
}

/* ---- for who runs it ---- */

uint64_t pk_timeline_wait_ns(const pk_timeline *t, uint64_t now_ns) {
    return t->due_ns > now_ns ? t->due_ns - now_ns : 0;
}

void pk_timeline_tick(pk_timeline *t, uint64_t now_ns) {
    if (now_ns < t->due_ns) return;
    take_moment(t, now_ns, false);
    look_for_untraced(t, now_ns);
    t->due_ns += t->period_ns;
    if (t->due_ns <= now_ns) t->due_ns = now_ns + t->period_ns; /* late ones are not made up for */
}

/* ---- life ---- */

pk_timeline *pk_timeline_begin(pk_alloc_result *result, const char *folder, uint64_t period_ns,
                               bool follow, pk_err *err) {
    pk_timeline *t = calloc(1, sizeof *t);
    int events = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (!t || events < 0 || inotify_add_watch(events, folder, IN_CREATE) < 0) {
        pk_fail(err, PK_E_SYS, folder, "cannot watch it (inotify)");
        pk_fix(err, "raise fs.inotify.max_user_instances");
        if (events >= 0) close(events);
        free(t);
        return NULL;
    }
    t->result = result;
    t->folder = folder;
    t->events = events;
    t->period_ns = period_ns ? period_ns : PERIOD_NS;
    t->images = PK_ARRAY(watched *, IMAGES_MAX);
    if (follow) t->untraced = pk_untraced_new();
    return t;
}

void pk_timeline_end(pk_timeline *t, uint64_t now_ns) {
    if (!t) return;
    take_moment(t, now_ns, true);
    for (size_t i = 0; i < t->images.count; i++) forget(PK_AT(&t->images, watched *, i));
    pk_array_fini(&t->images);
    if (t->untraced) pk_untraced_note(t->untraced, t->result);
    pk_untraced_free(t->untraced);
    close(t->events);
    free(t);
}

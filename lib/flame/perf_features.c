#include "flame/perf_features.h"

#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"

#define EVENTS_MAX 4096
#define IDS_MAX (4u << 20)
#define BUILD_IDS_MAX (1u << 20)
#define COMMAND_BYTES_MAX 65536
#define BUILD_ID_SIZED (1u << 15) /* misc: the id's length is given */

enum {
    FEATURE_BUILD_ID = 2,
    FEATURE_HOSTNAME = 3,
    FEATURE_OSRELEASE = 4,
    FEATURE_ARCH = 6,
    FEATURE_NRCPUS = 7,
    FEATURE_CMDLINE = 11,
    FEATURE_EVENT_DESC = 12,
    FEATURE_DIR_FORMAT = 24
};

static bool no_memory(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "not enough memory for what the recording says of itself");
    return false;
}

void pk_perf_features_fini(pk_perf_features *features) {
    pk_array_fini(&features->attrs);
    pk_array_fini(&features->names);
    pk_array_fini(&features->ids);
    pk_array_fini(&features->build_ids);
}

/* ---- events ---- */

/* Arrays move as they grow. */
static void publish(pk_perf_features *f) {
    f->info->events = (pk_perf_events){f->attrs.items, f->attrs.count, f->ids.items, f->ids.count};
    f->info->event_names = f->names.items;
    f->info->build_ids = f->build_ids.items;
    f->info->n_build_ids = f->build_ids.count;
}

static int by_id(const void *a, const void *b) {
    const pk_perf_id *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static uint64_t word(const unsigned char *at) {
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static uint32_t half(const unsigned char *at) {
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

bool pk_perf_features_event(pk_perf_features *f, const unsigned char *attr, size_t n,
                            const unsigned char *ids, size_t n_ids, pk_err *err) {
    if (!f->attrs.item_bytes) {
        f->attrs = PK_ARRAY(pk_perf_attr, EVENTS_MAX);
        f->names = PK_ARRAY(const char *, EVENTS_MAX);
        f->ids = PK_ARRAY(pk_perf_id, IDS_MAX);
    }
    pk_perf_attr parsed;
    if (!pk_perf_attr_parse(attr, n, &parsed)) {
        pk_fail(err, PK_E_INPUT, NULL, "an event is described by %zu bytes; there must be %d", n,
                PK_ATTR_BYTES_LEAST);
        return false;
    }
    pk_perf_attr *slot = pk_array_push(&f->attrs);
    if (!slot || !pk_array_push(&f->names)) return no_memory(err);
    *slot = parsed;
    for (size_t i = 0; i < n_ids; i++) {
        pk_perf_id *id = pk_array_push(&f->ids);
        if (!id) return no_memory(err);
        *id = (pk_perf_id){word(ids + 8 * i), f->attrs.count - 1};
    }
    if (f->ids.count) qsort(f->ids.items, f->ids.count, sizeof(pk_perf_id), by_id);
    publish(f);
    return true;
}

bool pk_perf_features_attr(pk_perf_features *f, const unsigned char *payload, size_t n,
                           pk_err *err) {
    size_t size = n >= 8 ? half(payload + 4) : 0;
    if (size < PK_ATTR_BYTES_LEAST || size > n) size = n;
    return pk_perf_features_event(f, payload, size, payload + size, (n - size) / 8, err);
}

/* ---- texts ---- */

/* What is left of a section. */
typedef struct piece {
    const unsigned char *at;
    size_t left;
} piece;

static bool take_half(piece *p, uint32_t *value) {
    if (p->left < 4) return false;
    *value = half(p->at);
    p->at += 4;
    p->left -= 4;
    return true;
}

/* A length, and so many bytes that hold a text with a NUL behind. */
static bool take_text(piece *p, const char **text) {
    uint32_t bytes;
    if (!take_half(p, &bytes) || bytes > p->left || !memchr(p->at, 0, bytes)) return false;
    *text = (const char *)p->at;
    p->at += bytes;
    p->left -= bytes;
    return true;
}

static bool keep_text(pk_perf_features *f, piece p, const char **where, pk_err *err) {
    const char *text;
    if (!take_text(&p, &text)) return true;
    *where = pk_arena_strdup(f->arena, text);
    return *where ? true : no_memory(err);
}

static bool keep_command(pk_perf_features *f, piece p, pk_err *err) {
    uint32_t words;
    if (!take_half(&p, &words)) return true;
    pk_strbuf line;
    pk_strbuf_init(&line, COMMAND_BYTES_MAX);
    const char *text;
    for (uint32_t i = 0; i < words && take_text(&p, &text); i++) {
        if (i > 0) pk_strbuf_add_char(&line, ' ');
        pk_strbuf_add_str(&line, text);
    }
    f->info->command = pk_arena_strdup(f->arena, line.data);
    pk_strbuf_fini(&line);
    return f->info->command ? true : no_memory(err);
}

/* Events stand in the order of the attrs; a name for one that was not described is passed over. */
static bool keep_event_names(pk_perf_features *f, piece p, pk_err *err) {
    uint32_t events, attr_bytes;
    if (!take_half(&p, &events) || !take_half(&p, &attr_bytes)) return true;
    for (uint32_t i = 0; i < events && i < f->names.count; i++) {
        uint32_t n_ids;
        const char *text;
        if (attr_bytes > p.left) return true;
        p.at += attr_bytes;
        p.left -= attr_bytes;
        if (!take_half(&p, &n_ids) || !take_text(&p, &text) || n_ids > p.left / 8) return true;
        p.at += (size_t)n_ids * 8;
        p.left -= (size_t)n_ids * 8;
        const char *name = pk_arena_strdup(f->arena, text);
        if (!name) return no_memory(err);
        PK_AT(&f->names, const char *, i) = name;
    }
    return true;
}

/* ---- build-ids ---- */

bool pk_perf_features_build_id(pk_perf_features *f, uint16_t misc, const unsigned char *payload,
                               size_t n, pk_err *err) {
    if (n < 29 || !memchr(payload + 28, 0, n - 28)) return true;
    if (!f->build_ids.item_bytes) f->build_ids = PK_ARRAY(pk_perf_build_id, BUILD_IDS_MAX);
    pk_perf_build_id *id = pk_array_push(&f->build_ids);
    if (!id) return no_memory(err);
    memcpy(&id->pid, payload, sizeof id->pid);
    memcpy(id->id, payload + 4, PK_BUILD_ID_MAX);
    size_t bytes = misc & BUILD_ID_SIZED ? payload[24] : PK_BUILD_ID_MAX;
    id->id_bytes = bytes <= PK_BUILD_ID_MAX ? bytes : PK_BUILD_ID_MAX;
    id->file = pk_arena_strdup(f->arena, (const char *)payload + 28);
    publish(f);
    return id->file ? true : no_memory(err);
}

static bool keep_build_ids(pk_perf_features *f, piece p, pk_err *err) {
    while (p.left >= PK_RECORD_HEADER_BYTES) {
        size_t n = pk_record_size(p.at, p.left);
        if (n == 0 || n > p.left) break;
        uint16_t misc;
        memcpy(&misc, p.at + 4, sizeof misc);
        if (!pk_perf_features_build_id(f, misc, p.at + PK_RECORD_HEADER_BYTES,
                                       n - PK_RECORD_HEADER_BYTES, err))
            return false;
        p.at += n;
        p.left -= n;
    }
    return true;
}

bool pk_perf_features_section(pk_perf_features *f, uint64_t bit, const unsigned char *bytes,
                              size_t n, pk_err *err) {
    piece p = {bytes, n};
    uint32_t configured;
    switch (bit) {
    case FEATURE_BUILD_ID:
        return keep_build_ids(f, p, err);
    case FEATURE_HOSTNAME:
        return keep_text(f, p, &f->info->host, err);
    case FEATURE_OSRELEASE:
        return keep_text(f, p, &f->info->kernel, err);
    case FEATURE_ARCH:
        return keep_text(f, p, &f->info->machine, err);
    case FEATURE_NRCPUS:
        if (take_half(&p, &configured)) (void)take_half(&p, &f->info->cpus);
        return true;
    case FEATURE_CMDLINE:
        return keep_command(f, p, err);
    case FEATURE_EVENT_DESC:
        return keep_event_names(f, p, err);
    case FEATURE_DIR_FORMAT:
        pk_fail(err, PK_E_UNSUPPORTED, NULL, "records in several files (perf record --threads)");
        pk_fix(err, "record without --threads");
        return false;
    default:
        return true;
    }
}

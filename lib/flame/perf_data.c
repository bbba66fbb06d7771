#include "flame/perf_data.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "flame/perf_features.h"
#include "flame/record_queue.h"
#include "flame/unzstd.h"

#define MAGIC "PERFILE2"
#define MAGIC_SWAPPED "2ELIFREP"
#define HEADER_BYTES 104     /* of a file */
#define PIPE_HEADER_BYTES 16 /* of what goes through a pipe */
#define STREAM_BYTES (1u << 20)
#define FORGET_BYTES (16u << 20) /* a mapped file is given back when so much was touched */

/* Where raw bytes come from: a mapping, or a descriptor with a buffer. at[0..left) is what is here
 * and not yet taken. */
typedef struct source {
    const unsigned char *at;
    size_t left;
    int fd;                /* -1: a mapping, all is here */
    unsigned char *buffer; /* STREAM_BYTES */
    size_t buffered;       /* bytes in it, from its beginning */
    bool ended;
} source;

struct pk_perf_data {
    const char *name;
    pk_arena *arena;
    pk_perf_info info;
    pk_perf_features features;
    source in;
    unsigned char *map;
    size_t map_bytes, touched; /* since it was last given back */
    bool piped;
    pk_unzstd *zstd;
    unsigned char *unpacked; /* STREAM_BYTES: what the decoder gave and is no whole record yet */
    size_t n_unpacked;
    pk_record_queue queue;
    pk_queued_record given; /* to the caller */
    bool has_given, finished;
    pk_err broken; /* why there is nothing behind what was read */
};

/* ---- bytes ---- */

/* At least n bytes in in->at, if there are so many; false: they cannot be read. */
static bool fill(source *in, size_t n, pk_err *err) {
    if (in->fd < 0 || in->left >= n) return true;
    size_t used = in->buffered - in->left;
    memmove(in->buffer, in->buffer + used, in->left);
    in->buffered = in->left;
    in->at = in->buffer;
    while (!in->ended && in->left < n) {
        ssize_t got = read(in->fd, in->buffer + in->buffered, STREAM_BYTES - in->buffered);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            pk_fail(err, PK_E_SYS, NULL, "cannot read the records");
            return false;
        }
        in->ended = got == 0;
        in->buffered += (size_t)got;
        in->left += (size_t)got;
    }
    return true;
}

static void advance(pk_perf_data *data, size_t n) {
    data->in.at += n;
    data->in.left -= n;
    data->info.bytes_read += n;
}

/* Passes over n bytes, however many. */
static bool skip(pk_perf_data *data, uint64_t n, pk_err *err) {
    while (n > 0) {
        size_t want = n < STREAM_BYTES / 2 ? (size_t)n : STREAM_BYTES / 2;
        if (!fill(&data->in, want, err)) return false;
        size_t step = data->in.left < want ? data->in.left : want;
        if (step == 0) return true;
        advance(data, step);
        n -= step;
    }
    return true;
}

/* ---- records ---- */

static bool push(pk_perf_data *data, const unsigned char *bytes, size_t n, bool copy, pk_err *err) {
    pk_record record;
    if (!pk_record_parse(&data->info.events, bytes, n, &record, err)) return false;
    uint64_t time_ns = record.time_ns == PK_TIME_NONE ? 0 : record.time_ns;
    return pk_record_queue_push(&data->queue, time_ns, bytes, n, copy, err);
}

static bool take_record(pk_perf_data *data, const unsigned char *bytes, size_t n, bool copy,
                        pk_err *err);

/* All whole records of what the decoder has given; the rest waits for more. */
static bool take_unpacked(pk_perf_data *data, pk_err *err) {
    size_t at = 0;
    for (;;) {
        size_t left = data->n_unpacked - at;
        if (left < PK_RECORD_HEADER_BYTES) break;
        size_t n = pk_record_size(data->unpacked + at, left);
        if (n == 0) {
            pk_fail(err, PK_E_INPUT, NULL, "a compressed record without a size");
            return false;
        }
        if (n > left) break;
        if (!take_record(data, data->unpacked + at, n, true, err)) return false;
        at += n;
    }
    data->n_unpacked -= at;
    memmove(data->unpacked, data->unpacked + at, data->n_unpacked);
    return true;
}

static bool unpack(pk_perf_data *data, const unsigned char *bytes, size_t n, pk_err *err) {
    data->info.compressed = true;
    if (!data->zstd && !(data->zstd = pk_unzstd_open(err))) return false;
    if (!data->unpacked && !(data->unpacked = malloc(STREAM_BYTES))) {
        pk_fail(err, PK_E_LIMIT, NULL, "not enough memory to decompress");
        return false;
    }
    pk_unzstd_feed(data->zstd, bytes, n);
    for (size_t got = 1; got > 0;) {
        size_t room = STREAM_BYTES - data->n_unpacked;
        if (!pk_unzstd_read(data->zstd, data->unpacked + data->n_unpacked, room, &got, err))
            return false;
        data->n_unpacked += got;
        if (!take_unpacked(data, err)) return false;
    }
    return true;
}

/* Types from 64 on are perf's own words. */
static bool take_own(pk_perf_data *data, const pk_record *r, pk_err *err) {
    const unsigned char *payload = r->payload;
    size_t n = r->bytes - PK_RECORD_HEADER_BYTES;
    switch ((int)r->type) {
    case PK_RECORD_HEADER_ATTR:
        return pk_perf_features_attr(&data->features, payload, n, err);
    case PK_RECORD_HEADER_FEATURE:
        if (n < 8) return true;
        return pk_perf_features_section(&data->features, *(const pk_word *)payload, payload + 8,
                                        n - 8, err);
    case PK_RECORD_BUILD_ID:
        return pk_perf_features_build_id(&data->features, r->misc, payload, n, err);
    case PK_RECORD_FINISHED_ROUND:
        pk_record_queue_round(&data->queue);
        return true;
    case PK_RECORD_COMPRESSED:
        return unpack(data, payload, n, err);
    case PK_RECORD_COMPRESSED2: {
        if (n < 8) return true;
        uint64_t bytes = *(const pk_word *)payload;
        return unpack(data, payload + 8, bytes < n - 8 ? (size_t)bytes : n - 8, err);
    }
    default:
        return true;
    }
}

static bool take_record(pk_perf_data *data, const unsigned char *bytes, size_t n, bool copy,
                        pk_err *err) {
    uint32_t type;
    memcpy(&type, bytes, sizeof type);
    if (type <= PK_RECORD_KERNEL_LAST) {
        if (data->info.events.n_attrs > 0) return push(data, bytes, n, copy, err);
        pk_fail(err, PK_E_INPUT, NULL, "records before the event they belong to is described");
        return false;
    }
    pk_record record = {.type = (pk_record_type)type, .bytes = n};
    memcpy(&record.misc, bytes + 4, sizeof record.misc);
    record.payload = bytes + PK_RECORD_HEADER_BYTES;
    /* A decoder's output that holds compressed records again would never end. */
    bool packed = type == PK_RECORD_COMPRESSED || type == PK_RECORD_COMPRESSED2;
    if (packed && data->unpacked && bytes >= data->unpacked &&
        bytes < data->unpacked + STREAM_BYTES) {
        pk_fail(err, PK_E_INPUT, NULL, "compressed records within compressed records");
        return false;
    }
    return take_own(data, &record, err);
}

/* What stands behind a record without being part of it. */
static uint64_t trailing_bytes(uint32_t type, const unsigned char *payload, size_t n) {
    uint32_t narrow;
    if (type == PK_RECORD_AUXTRACE && n >= 8) return *(const pk_word *)payload;
    if (type != PK_RECORD_TRACING_DATA || n < sizeof narrow) return 0;
    memcpy(&narrow, payload, sizeof narrow);
    return narrow;
}

/* The next raw record into the queue, or the end. */
static bool read_one(pk_perf_data *data, pk_err *err) {
    source *in = &data->in;
    if (!fill(in, PK_RECORD_HEADER_BYTES, err)) return false;
    size_t n = pk_record_size(in->at, in->left);
    if (in->left < PK_RECORD_HEADER_BYTES || n == 0) {
        if (in->left >= PK_RECORD_HEADER_BYTES) data->info.unfinished = true;
        data->info.cut_bytes = in->left;
        data->finished = true;
    } else {
        if (!fill(in, n, err)) return false;
        if (in->left < n) {
            data->info.unfinished = true;
            data->info.cut_bytes = in->left;
            data->finished = true;
        }
    }
    if (data->finished) {
        pk_record_queue_end(&data->queue);
        return true;
    }
    const unsigned char *bytes = in->at;
    uint32_t type;
    memcpy(&type, bytes, sizeof type);
    uint64_t behind =
        trailing_bytes(type, bytes + PK_RECORD_HEADER_BYTES, n - PK_RECORD_HEADER_BYTES);
    bool ok = take_record(data, bytes, n, in->fd >= 0, err);
    advance(data, n);
    return ok && skip(data, behind, err);
}

/* Gives the mapping back whenever so much of it was looked at, by reading or by giving records out,
 * which may be far behind: a large file does not fill memory, and what is needed again is read from
 * the file again. */
static void forget(pk_perf_data *data, size_t bytes) {
    data->touched += bytes;
    if (!data->map || data->touched < FORGET_BYTES) return;
    (void)madvise(data->map, data->map_bytes, MADV_DONTNEED);
    data->touched = 0;
}

static void give_back(pk_perf_data *data) {
    if (data->has_given) pk_record_queue_done(&data->queue, &data->given);
    data->has_given = false;
}

bool pk_perf_data_next(pk_perf_data *data, pk_record *record, pk_err *err) {
    *err = (pk_err){0};
    give_back(data);
    for (;;) {
        if (pk_record_queue_pop(&data->queue, &data->given)) {
            data->has_given = true;
            forget(data, data->given.n_bytes);
            if (pk_record_parse(&data->info.events, data->given.bytes, data->given.n_bytes, record,
                                err))
                return true;
            pk_fail(err, err->kind, data->name, "%s", err->what);
            return false;
        }
        if (data->finished) break;
        uint64_t before = data->info.bytes_read;
        /* What came before is given out first. */
        if (!read_one(data, &data->broken)) {
            data->finished = true;
            pk_record_queue_end(&data->queue);
        }
        forget(data, (size_t)(data->info.bytes_read - before));
    }
    errno = data->broken.sys_errno;
    if (data->broken.kind != PK_OK)
        pk_fail(err, data->broken.kind, data->name, "%s", data->broken.what);
    return false;
}

/* ---- opening ---- */

static uint64_t header_u64(const unsigned char *at, size_t offset) {
    uint64_t value;
    memcpy(&value, at + offset, sizeof value);
    return value;
}

static bool known_magic(const unsigned char *at, size_t n, const char *name, pk_err *err) {
    if (n >= PIPE_HEADER_BYTES && memcmp(at, MAGIC, 8) == 0) return true;
    if (n >= PIPE_HEADER_BYTES && memcmp(at, MAGIC_SWAPPED, 8) == 0) {
        pk_fail(err, PK_E_UNSUPPORTED, name, "recorded on a machine of the other byte order");
        pk_fix(err, "read it on such a machine");
        return false;
    }
    pk_fail(err, PK_E_INPUT, name, n == 0 ? "empty" : "no perf.data");
    pk_fix(err, "make one with `perf record -g`");
    return false;
}

/* A section that lies within the file. */
static bool section(const pk_perf_data *data, uint64_t offset, uint64_t bytes) {
    return offset <= data->map_bytes && bytes <= data->map_bytes - offset;
}

static bool read_attrs(pk_perf_data *data, pk_err *err) {
    uint64_t entry = header_u64(data->map, 16);
    uint64_t offset = header_u64(data->map, 24), bytes = header_u64(data->map, 32);
    if (entry < PK_ATTR_BYTES_LEAST + 16 || entry > 4096 || !section(data, offset, bytes)) {
        pk_fail(err, PK_E_INPUT, data->name, "the list of events is broken");
        return false;
    }
    for (uint64_t at = offset; at + entry <= offset + bytes; at += entry) {
        const unsigned char *attr = data->map + at;
        uint64_t ids = header_u64(attr, entry - 16), ids_bytes = header_u64(attr, entry - 8);
        if (!section(data, ids, ids_bytes)) ids = ids_bytes = 0;
        if (!pk_perf_features_event(&data->features, attr, entry - 16, data->map + ids,
                                    ids_bytes / 8, err))
            return false;
    }
    return true;
}

static bool read_features(pk_perf_data *data, uint64_t table, pk_err *err) {
    const unsigned char *bitmap = data->map + 72;
    for (unsigned bit = 0; bit < 256; bit++) {
        if (!(bitmap[bit / 8] >> bit % 8 & 1)) continue;
        if (!section(data, table, 16)) break;
        uint64_t offset = header_u64(data->map, table), bytes = header_u64(data->map, table + 8);
        table += 16;
        if (section(data, offset, bytes) &&
            !pk_perf_features_section(&data->features, bit, data->map + offset, bytes, err))
            return false;
    }
    return true;
}

/* The header of a file: where the events, the records and what else is known stand. */
static bool read_header(pk_perf_data *data, pk_err *err) {
    if (data->map_bytes < HEADER_BYTES) {
        pk_fail(err, PK_E_INPUT, data->name, "cut off within its header");
        return false;
    }
    uint64_t offset = header_u64(data->map, 40), bytes = header_u64(data->map, 48);
    if (!read_attrs(data, err)) return false;
    if (data->info.events.n_attrs == 0 || offset > data->map_bytes) {
        pk_fail(err, PK_E_INPUT, data->name, "no event was recorded");
        return false;
    }
    data->info.unfinished = bytes == 0 || !section(data, offset, bytes);
    if (data->info.unfinished) bytes = data->map_bytes - offset;
    else if (!read_features(data, offset + bytes, err)) return false;
    data->in.at = data->map + offset;
    data->in.left = bytes;
    return true;
}

static pk_perf_data *begin(const char *name, pk_err *err) {
    pk_perf_data *data = calloc(1, sizeof *data);
    if (data) data->arena = pk_arena_new(256u << 20);
    if (!data || !data->arena || !(data->name = pk_arena_strdup(data->arena, name))) {
        pk_fail(err, PK_E_LIMIT, name, "not enough memory");
        if (data) pk_arena_free(data->arena);
        free(data);
        return NULL;
    }
    pk_record_queue_init(&data->queue);
    data->features = (pk_perf_features){.arena = data->arena, .info = &data->info};
    data->in.fd = -1;
    return data;
}

static bool map_file(pk_perf_data *data, int fd, pk_err *err) {
    struct stat status;
    if (fstat(fd, &status) != 0) {
        pk_fail(err, PK_E_SYS, data->name, "cannot read");
        return false;
    }
    if (S_ISDIR(status.st_mode)) {
        pk_fail(err, PK_E_UNSUPPORTED, data->name, "a folder, as `perf record --threads` writes");
        pk_fix(err, "record without --threads");
        return false;
    }
    data->map_bytes = (size_t)status.st_size;
    data->info.bytes_total = data->map_bytes;
    if (data->map_bytes == 0) return known_magic(NULL, 0, data->name, err);
    void *map = mmap(NULL, data->map_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED) {
        pk_fail(err, PK_E_SYS, data->name, "cannot map");
        return false;
    }
    data->map = map;
    (void)madvise(map, data->map_bytes, MADV_SEQUENTIAL);
    return known_magic(map, data->map_bytes, data->name, err);
}

pk_perf_data *pk_perf_data_open(const char *path, pk_err *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        pk_fail(err, PK_E_SYS, path, "cannot open");
        return NULL;
    }
    struct stat status;
    if (fstat(fd, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
        pk_perf_data *data = pk_perf_data_stream(fd, path, err);
        if (!data) close(fd);
        return data;
    }
    pk_perf_data *data = begin(path, err);
    bool ok = data && map_file(data, fd, err);
    close(fd);
    if (ok && header_u64(data->map, 8) == PIPE_HEADER_BYTES) {
        data->piped = true;
        data->in.at = data->map + PIPE_HEADER_BYTES;
        data->in.left = data->map_bytes - PIPE_HEADER_BYTES;
    } else if (ok) {
        ok = read_header(data, err);
    }
    if (ok) return data;
    pk_perf_data_close(data);
    return NULL;
}

pk_perf_data *pk_perf_data_stream(int fd, const char *name, pk_err *err) {
    pk_perf_data *data = begin(name, err);
    if (!data) return NULL;
    data->piped = true;
    data->in.fd = fd;
    data->in.buffer = malloc(STREAM_BYTES);
    data->in.at = data->in.buffer;
    bool ok = data->in.buffer != NULL;
    if (!ok) pk_fail(err, PK_E_LIMIT, name, "not enough memory");
    ok = ok && fill(&data->in, PIPE_HEADER_BYTES, err) &&
         known_magic(data->in.at, data->in.left, name, err);
    if (ok && header_u64(data->in.at, 8) != PIPE_HEADER_BYTES) {
        pk_fail(err, PK_E_INPUT, name, "a perf.data file cannot be read through a pipe");
        pk_fix(err, "give its path, or record with `-o -`");
        ok = false;
    }
    if (ok) {
        advance(data, PIPE_HEADER_BYTES);
        return data;
    }
    pk_perf_data_close(data);
    return NULL;
}

void pk_perf_data_close(pk_perf_data *data) {
    if (!data) return;
    give_back(data);
    pk_record_queue_fini(&data->queue);
    pk_perf_features_fini(&data->features);
    pk_unzstd_close(data->zstd);
    free(data->unpacked);
    free(data->in.buffer);
    if (data->map) munmap(data->map, data->map_bytes);
    pk_arena_free(data->arena);
    free(data);
}

const pk_perf_info *pk_perf_data_info(const pk_perf_data *data) {
    return &data->info;
}

/* perf.data: what `perf record` wrote, from a file or through a pipe, compressed or not, as records
 * in order of time. Format: tools/perf/Documentation/perf.data-file-format.txt of the kernel.
 *
 * A file is mapped and given back piece by piece, so that memory stays bounded by the records of
 * two rounds, not by the file. A file that perf could not finish (killed) is read to its end. */
#ifndef PK_FLAME_PERF_DATA_H
#define PK_FLAME_PERF_DATA_H

#include "base/arena.h"
#include "flame/record.h"

typedef struct pk_perf_data pk_perf_data;

typedef struct pk_perf_build_id {
    int32_t pid; /* -1: the host kernel's */
    unsigned char id[PK_BUILD_ID_MAX];
    size_t id_bytes;
    const char *file;
} pk_perf_build_id;

/* What the file says of the recording; grows while a pipe is read. */
typedef struct pk_perf_info {
    pk_perf_events events;
    const char *const *event_names;                /* n_attrs; NULL: not told */
    const char *command, *host, *kernel, *machine; /* NULL: not told; command: words by blanks */
    uint32_t cpus;                                 /* online; 0: not told */
    const pk_perf_build_id *build_ids;             /* n_build_ids */
    size_t n_build_ids;
    bool unfinished; /* perf was killed: sizes are missing, the end may be */
    bool compressed;
    uint64_t cut_bytes;   /* at the end, that are no whole record */
    uint64_t bytes_total; /* of the file; 0: a pipe */
    uint64_t bytes_read;
} pk_perf_info;

/* path: a file, also one that holds what a pipe carried; "-" is not special. Errors name the path:
 * not perf's, of another byte order, a directory (perf record --threads), compressed where zstd is
 * not built in. NULL on failure. */
pk_perf_data *pk_perf_data_open(const char *path, pk_err *err) PK_MUST_CHECK;
/* What comes through a descriptor, which stays the caller's; `name` is for messages. Reads the
 * first bytes: blocks until they are there. */
pk_perf_data *pk_perf_data_stream(int fd, const char *name, pk_err *err) PK_MUST_CHECK;
void pk_perf_data_close(pk_perf_data *data);
const pk_perf_info *pk_perf_data_info(const pk_perf_data *data);

/* The next record of the kernel in order of time, valid until the next call. False: the end
 * (err->kind is PK_OK), or what follows cannot be read; all that came before it was given then. */
bool pk_perf_data_next(pk_perf_data *data, pk_record *record, pk_err *err) PK_MUST_CHECK;

#endif

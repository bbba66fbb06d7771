/* Any bytes as perf.data, in a file and through a pipe: it ends, in order of time, and reads
 * nothing beyond what is there. */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "flame/perf_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* Touches what a record points to. */
static uint64_t touch(const pk_record *r) {
    uint64_t sum = 0;
    if (r->type == PK_RECORD_SAMPLE) {
        for (size_t i = 0; i < r->sample.n_chain; i++) sum += r->sample.chain[i];
        for (size_t i = 0; i < r->sample.stack_bytes; i++) sum += r->sample.stack[i];
    }
    if (r->type == PK_RECORD_COMM) sum += strlen(r->comm.name);
    if (r->type == PK_RECORD_MMAP || r->type == PK_RECORD_MMAP2) sum += strlen(r->mmap.file);
    if (r->type == PK_RECORD_KSYMBOL) sum += strlen(r->ksymbol.name);
    return sum;
}

static uint64_t read_all(pk_perf_data *data) {
    pk_err err = {0};
    pk_record record;
    uint64_t sum = 0;
    while (pk_perf_data_next(data, &record, &err)) sum += touch(&record);
    const pk_perf_info *info = pk_perf_data_info(data);
    for (size_t i = 0; i < info->events.n_attrs; i++)
        if (info->event_names[i]) sum += strlen(info->event_names[i]);
    for (size_t i = 0; i < info->n_build_ids; i++) sum += strlen(info->build_ids[i].file);
    assert(err.kind == PK_OK || err.what[0]);
    pk_perf_data_close(data);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    if (n > 1 << 16) return 0;
    int fd = memfd_create("perf.data", MFD_CLOEXEC);
    assert(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    pk_err err = {0};
    uint64_t sum = 0;
    pk_perf_data *data = pk_perf_data_open(path, &err);
    if (data) sum += read_all(data);
    assert(lseek(fd, 0, SEEK_SET) == 0);
    data = pk_perf_data_stream(fd, "stream", &err);
    if (data) sum += read_all(data);
    close(fd);
    __asm__ volatile("" : : "r"(sum)); /* so that it is needed */
    return 0;
}

/* perf.data files made by hand, in memory: every byte of them is known. */
#ifndef PK_TESTS_PERF_FILE_H
#define PK_TESTS_PERF_FILE_H

#include "tests/unit/check.h"

#include <linux/perf_event.h>
#include <string.h>

#include "base/strbuf.h"
#include "flame/record.h"

#define PERF_FILE_TYPE                                                             \
    (PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CALLCHAIN | \
     PERF_SAMPLE_PERIOD)

static inline void put(pk_strbuf *to, uint64_t value, size_t bytes) {
    pk_strbuf_add(to, &value, bytes);
}

static inline void put_text(pk_strbuf *to, const char *text) { /* padded to words */
    pk_strbuf_add(to, text, strlen(text) + 1);
    while (to->length % 8) put(to, 0, 1);
}

/* Begins a record; perf_record_end fills in its size. */
static inline size_t perf_record_begin(pk_strbuf *to, uint32_t type, uint16_t misc) {
    size_t at = to->length;
    put(to, type, 4);
    put(to, misc, 2);
    put(to, 0, 2);
    return at;
}

static inline void perf_record_end(pk_strbuf *to, size_t at) {
    uint16_t size = (uint16_t)(to->length - at);
    memcpy(to->data + at + 6, &size, 2);
}

static inline void perf_trailer(pk_strbuf *to, uint32_t pid, uint64_t time) {
    put(to, pid, 4);
    put(to, pid, 4);
    put(to, time, 8);
}

/* The attr of one event, of PERF_FILE_TYPE and sample_id_all, 128 bytes. */
static inline void perf_attr(pk_strbuf *to, uint64_t sample_type, uint64_t config) {
    struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
                                   .size = 128,
                                   .config = config,
                                   .sample_freq = 997,
                                   .freq = 1,
                                   .sample_id_all = 1,
                                   .sample_type = sample_type};
    pk_strbuf_add(to, &attr, 128);
}

static inline void perf_sample(pk_strbuf *to, uint32_t pid, uint64_t time, uint64_t period,
                               size_t n, const uint64_t chain[]) {
    size_t at = perf_record_begin(to, PERF_RECORD_SAMPLE, PERF_RECORD_MISC_USER);
    put(to, n ? chain[n - 1] : 0, 8);
    put(to, pid, 4);
    put(to, pid + 1, 4);
    put(to, time, 8);
    put(to, period, 8);
    put(to, n, 8);
    for (size_t i = 0; i < n; i++) put(to, chain[i], 8);
    perf_record_end(to, at);
}

static inline void perf_comm(pk_strbuf *to, uint32_t pid, uint64_t time, const char *name,
                             bool exec) {
    size_t at = perf_record_begin(to, PERF_RECORD_COMM, exec ? PERF_RECORD_MISC_COMM_EXEC : 0);
    put(to, pid, 4);
    put(to, pid, 4);
    put_text(to, name);
    perf_trailer(to, pid, time);
    perf_record_end(to, at);
}

static inline void perf_mmap2(pk_strbuf *to, uint32_t pid, uint64_t time, uint64_t address,
                              uint64_t bytes, uint64_t offset, const char *file) {
    size_t at = perf_record_begin(to, PERF_RECORD_MMAP2, PERF_RECORD_MISC_USER);
    put(to, pid, 4);
    put(to, pid, 4);
    put(to, address, 8);
    put(to, bytes, 8);
    put(to, offset, 8);
    put(to, 8, 4);
    put(to, 1, 4);
    put(to, 4711, 8);
    put(to, 3, 8);
    put(to, 5, 4); /* read and execute */
    put(to, 2, 4);
    put_text(to, file);
    perf_trailer(to, pid, time);
    perf_record_end(to, at);
}

static inline void perf_empty(pk_strbuf *to, uint32_t type) {
    perf_record_end(to, perf_record_begin(to, type, 0));
}

/* A file with one event around the records; finished: with sizes, a command and event names. */
static inline void perf_file(pk_strbuf *to, const pk_strbuf *records, bool finished) {
    size_t attrs = 104, data = attrs + 144;
    pk_strbuf_add_str(to, "PERFILE2");
    put(to, 104, 8);
    put(to, 144, 8);
    put(to, attrs, 8);
    put(to, 144, 8);
    put(to, data, 8);
    put(to, finished ? records->length : 0, 8);
    put(to, 0, 8);
    put(to, 0, 8);
    put(to, finished ? 1u << 11 | 1u << 12 | 1u << 7 : 0, 8); /* CMDLINE, EVENT_DESC, NRCPUS */
    for (int i = 0; i < 3; i++) put(to, 0, 8);
    perf_attr(to, PERF_FILE_TYPE, 0);
    put(to, 0, 8); /* no ids */
    put(to, 0, 8);
    pk_strbuf_add(to, records->data, records->length);
    if (!finished) return;
    size_t sections = data + records->length + 3 * 16;
    size_t sizes[3] = {8, 4 + 2 * (4 + 8), 8 + 128 + 4 + 4 + 16};
    for (int i = 0; i < 3; i++) {
        put(to, sections, 8);
        put(to, sizes[i], 8);
        sections += sizes[i];
    }
    put(to, 8, 4);
    put(to, 2, 4);
    put(to, 2, 4);
    put(to, 8, 4);
    pk_strbuf_add(to, "perf\0\0\0\0", 8);
    put(to, 8, 4);
    pk_strbuf_add(to, "record\0\0", 8);
    put(to, 1, 4);
    put(to, 128, 4);
    perf_attr(to, PERF_FILE_TYPE, 0);
    put(to, 0, 4);
    put(to, 16, 4);
    pk_strbuf_add(to, "cpu-clock:ppp\0\0\0", 16);
}

#endif

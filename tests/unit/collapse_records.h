/* Records made by hand through a collapse: each mapping that has no file is one function, named
 * "[FILE]", so that stacks can be read off the addresses. */
#ifndef PK_TESTS_COLLAPSE_RECORDS_H
#define PK_TESTS_COLLAPSE_RECORDS_H

#include "tests/unit/perf_file.h"

#include "flame/collapse.h"
#include "profile/folded.h"

#define COLLAPSE_ATTRS 3

typedef struct collapse_fixture {
    pk_collapse_options options;
    pk_perf_attr attrs[COLLAPSE_ATTRS];
    const char *names[COLLAPSE_ATTRS];
    pk_perf_id ids[COLLAPSE_ATTRS];
    pk_perf_info info;
    pk_strbuf records, folded;
    pk_profile profile;
    pk_collapse *collapse;
    pk_err err;
} collapse_fixture;

/* One event, cpu-clock at 997 Hz, as perf_sample and perf_trailer write it. */
static inline int collapse_setup(void **state) {
    collapse_fixture *f = calloc(1, sizeof *f);
    pk_strbuf_init(&f->records, 4 << 20);
    pk_strbuf_init(&f->folded, 4 << 20);
    f->attrs[0] = (pk_perf_attr){.type = PERF_TYPE_SOFTWARE,
                                 .sample_type = PERF_FILE_TYPE,
                                 .flags = PK_ATTR_SAMPLE_ID_ALL | PK_ATTR_FREQUENCY,
                                 .is_frequency = true,
                                 .sample_period = 997};
    f->names[0] = "cpu-clock:ppp";
    f->info = (pk_perf_info){.events = {.attrs = f->attrs, .n_attrs = 1, .ids = f->ids},
                             .event_names = f->names,
                             .command = "perf record ./burner",
                             .host = "here",
                             .kernel = "6.1"};
    *state = f;
    return 0;
}

static inline int collapse_teardown(void **state) {
    collapse_fixture *f = *state;
    pk_collapse_free(f->collapse);
    pk_profile_fini(&f->profile);
    pk_kallsyms_free(f->options.kallsyms);
    pk_strbuf_fini(&f->records);
    pk_strbuf_fini(&f->folded);
    free(f);
    return 0;
}

/* The maps that most tests have: a process 70, whose functions a to d are pages of one another. */
static inline void collapse_burner(collapse_fixture *f) {
    perf_comm(&f->records, 70, 1, "burner", true);
    static const char *const files[] = {"/gone/a", "/gone/b", "/gone/c", "/gone/d"};
    for (uint64_t i = 0; i < 4; i++)
        perf_mmap2(&f->records, 70, 1, 0x1000 * (i + 1), 0x1000, 0, files[i]);
}

/* Hands over what is in f->records, and empties it. */
static inline void collapse_feed(collapse_fixture *f) {
    if (!f->collapse) {
        assert_ok(pk_profile_init(&f->profile, 1, f->options.in_order, &f->err), &f->err);
        f->collapse = pk_collapse_new(&f->options, &f->profile, &f->err);
        assert_ok(f->collapse != NULL, &f->err);
    }
    for (size_t at = 0; at < f->records.length;) {
        const unsigned char *bytes = (const unsigned char *)f->records.data + at;
        size_t n = pk_record_size(bytes, f->records.length - at);
        pk_record record;
        assert_true(n > 0);
        assert_ok(pk_record_parse(&f->info.events, bytes, n, &record, &f->err), &f->err);
        assert_ok(pk_collapse_record(f->collapse, &f->info, &record, &f->err), &f->err);
        at += n;
    }
    pk_strbuf_clear(&f->records);
}

static inline const char *collapse_folded(collapse_fixture *f) {
    pk_strbuf_clear(&f->folded);
    assert_ok(pk_folded_write(&f->profile.tree, &f->folded, &f->err), &f->err);
    return f->folded.data;
}

/* The whole of it: these folded stacks. */
static inline void collapse_gives(collapse_fixture *f, const char *folded) {
    collapse_feed(f);
    assert_ok(pk_collapse_end(f->collapse, &f->err), &f->err);
    assert_string_equal(collapse_folded(f), folded);
}

/* The same options and events for another recording. */
static inline void collapse_again(collapse_fixture *f) {
    pk_collapse_free(f->collapse);
    f->collapse = NULL;
    pk_profile_fini(&f->profile);
    pk_strbuf_clear(&f->records);
}

static inline void perf_fork(pk_strbuf *to, uint32_t type, uint32_t pid, uint32_t tid,
                             uint32_t parent, uint64_t time) {
    size_t at = perf_record_begin(to, type, 0);
    put(to, pid, 4);
    put(to, parent, 4);
    put(to, tid, 4);
    put(to, parent, 4);
    put(to, time, 8);
    perf_trailer(to, parent, time);
    perf_record_end(to, at);
}

/* A record of `type` with words as its payload. */
static inline void perf_words(pk_strbuf *to, uint32_t type, uint16_t misc, uint32_t pid,
                              uint64_t time, size_t n, const uint64_t words[]) {
    size_t at = perf_record_begin(to, type, misc);
    for (size_t i = 0; i < n; i++) put(to, words[i], 8);
    perf_trailer(to, pid, time);
    perf_record_end(to, at);
}

#define CHAIN(...) (sizeof((const uint64_t[]){__VA_ARGS__}) / 8), ((const uint64_t[]){__VA_ARGS__})

#endif

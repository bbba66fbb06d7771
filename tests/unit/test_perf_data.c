/* perf.data as files and pipes, ordered by time, compressed, cut off anywhere, broken. */
#include "tests/unit/perf_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef HAVE_LIBZSTD
#include <zstd.h>
#endif

#include "flame/perf_data.h"

typedef struct fixture {
    char folder[CHECK_PATH_MAX];
    pk_strbuf records, file;
    pk_perf_data *data;
    pk_record record;
    pk_err err;
} fixture;

static int begin(void **state) {
    fixture *f = calloc(1, sizeof *f);
    check_folder_begin(f->folder);
    pk_strbuf_init(&f->records, 4 << 20);
    pk_strbuf_init(&f->file, 4 << 20);
    *state = f;
    return 0;
}

static int end(void **state) {
    fixture *f = *state;
    pk_perf_data_close(f->data);
    pk_strbuf_fini(&f->records);
    pk_strbuf_fini(&f->file);
    check_folder_end(f->folder);
    free(f);
    return 0;
}

static bool try_open(fixture *f, size_t bytes) {
    char path[CHECK_PATH_MAX];
    check_path(path, f->folder, "perf.data");
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, f->file.data, bytes), bytes);
    close(fd);
    pk_perf_data_close(f->data);
    f->err = (pk_err){0};
    f->data = pk_perf_data_open(path, &f->err);
    return f->data != NULL;
}

static void open_file(fixture *f) {
    pk_strbuf_clear(&f->file);
    perf_file(&f->file, &f->records, true);
    assert_true(try_open(f, f->file.length));
}

static pk_record *next(fixture *f, pk_record_type type) {
    assert_ok(pk_perf_data_next(f->data, &f->record, &f->err), &f->err);
    assert_int_equal(f->record.type, type);
    return &f->record;
}

static void assert_end(fixture *f) {
    if (pk_perf_data_next(f->data, &f->record, &f->err)) fail_msg("one record more");
    assert_int_equal(f->err.kind, PK_OK);
}

static const uint64_t chain[] = {PK_CHAIN_USER, 0x1000, 0x2000, 0x3000};

/* ---- what records say ---- */

static void records_say_what_was_put_in(void **state) {
    fixture *f = *state;
    perf_comm(&f->records, 70, 1, "burner", true);
    perf_mmap2(&f->records, 70, 2, 0x400000, 0x1000, 0x2000, "/bin/burner");
    perf_sample(&f->records, 70, 3, 1003009, 4, chain);
    open_file(f);
    const pk_record *r = next(f, PK_RECORD_COMM);
    assert_string_equal(r->comm.name, "burner");
    assert_true(r->comm.exec);
    assert_int_equal(r->time_ns, 1);
    r = next(f, PK_RECORD_MMAP2);
    assert_string_equal(r->mmap.file, "/bin/burner");
    assert_true(r->mmap.executable);
    assert_int_equal(r->mmap.address, 0x400000);
    assert_int_equal(r->mmap.bytes, 0x1000);
    assert_int_equal(r->mmap.offset, 0x2000);
    assert_int_equal(r->mmap.inode, 4711);
    assert_int_equal(r->pid, 70);
    r = next(f, PK_RECORD_SAMPLE);
    assert_int_equal(r->sample.period, 1003009);
    assert_int_equal(r->sample.mode, PK_CPU_USER);
    assert_int_equal(r->sample.n_chain, 4);
    assert_int_equal(r->sample.chain[3], 0x3000);
    assert_true(r->sample.chain[0] >= PK_CHAIN_MARKER_LEAST);
    assert_int_equal(r->pid, 70);
    assert_int_equal(r->tid, 71);
    assert_int_equal(r->cpu, UINT32_MAX);
    assert_end(f);
    const pk_perf_info *info = pk_perf_data_info(f->data);
    assert_string_equal(info->command, "perf record");
    assert_string_equal(info->event_names[0], "cpu-clock:ppp");
    assert_int_equal(info->cpus, 2);
    assert_true(info->events.attrs[0].is_frequency);
    assert_int_equal(info->events.attrs[0].sample_period, 997);
    assert_false(info->unfinished || info->compressed);
}

static void build_ids_come_with_maps(void **state) {
    fixture *f = *state;
    size_t at = perf_record_begin(&f->records, PERF_RECORD_MMAP2,
                                  PERF_RECORD_MISC_USER | PERF_RECORD_MISC_MMAP_BUILD_ID);
    put(&f->records, 70, 4);
    put(&f->records, 70, 4);
    for (int i = 0; i < 3; i++) put(&f->records, 0x1000, 8);
    put(&f->records, 20, 4); /* of 20 bytes */
    for (uint8_t i = 0; i < 20; i++) put(&f->records, i, 1);
    put(&f->records, 1, 4); /* may only be read */
    put(&f->records, 0, 4);
    put_text(&f->records, "/lib/x.so");
    perf_trailer(&f->records, 70, 1);
    perf_record_end(&f->records, at);
    open_file(f);
    const pk_record *r = next(f, PK_RECORD_MMAP2);
    assert_int_equal(r->mmap.build_id_bytes, 20);
    assert_int_equal(r->mmap.build_id[19], 19);
    assert_false(r->mmap.executable);
    assert_string_equal(r->mmap.file, "/lib/x.so");
}

static void other_records(void **state) {
    fixture *f = *state;
    size_t at = perf_record_begin(&f->records, PERF_RECORD_FORK, 0);
    put(&f->records, 80, 4);
    put(&f->records, 70, 4);
    put(&f->records, 81, 4);
    put(&f->records, 71, 4);
    put(&f->records, 1, 8);
    perf_trailer(&f->records, 80, 1);
    perf_record_end(&f->records, at);
    at = perf_record_begin(&f->records, PERF_RECORD_LOST, 0);
    put(&f->records, 0, 8);
    put(&f->records, 4321, 8);
    perf_trailer(&f->records, 80, 2);
    perf_record_end(&f->records, at);
    at = perf_record_begin(&f->records, PERF_RECORD_SWITCH, PERF_RECORD_MISC_SWITCH_OUT);
    perf_trailer(&f->records, 80, 3);
    perf_record_end(&f->records, at);
    at = perf_record_begin(&f->records, PERF_RECORD_KSYMBOL, 0);
    put(&f->records, 0xffffffffc0000000u, 8);
    put(&f->records, 200, 4);
    put(&f->records, 1, 2);
    put(&f->records, PERF_RECORD_KSYMBOL_FLAGS_UNREGISTER, 2);
    put_text(&f->records, "bpf_prog_1");
    perf_trailer(&f->records, 0, 4);
    perf_record_end(&f->records, at);
    open_file(f);
    const pk_record *r = next(f, PK_RECORD_FORK);
    assert_int_equal(r->pid, 80);
    assert_int_equal(r->tid, 81);
    assert_int_equal(r->fork.parent_pid, 70);
    assert_int_equal(r->fork.parent_tid, 71);
    assert_int_equal(next(f, PK_RECORD_LOST)->lost, 4321);
    r = next(f, PK_RECORD_SWITCH);
    assert_true(r->on_cpu.out && !r->on_cpu.preempted);
    assert_int_equal(r->pid, 80);
    r = next(f, PK_RECORD_KSYMBOL);
    assert_true(r->ksymbol.gone);
    assert_string_equal(r->ksymbol.name, "bpf_prog_1");
    assert_end(f);
}

/* Every field before the stack, and a stack of which less is filled than stored. */
static void copied_stacks_and_registers(void **state) {
    (void)state;
    pk_perf_attr attr = {.sample_type = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_ADDR |
                                        PERF_SAMPLE_CPU | PERF_SAMPLE_READ | PERF_SAMPLE_RAW |
                                        PERF_SAMPLE_BRANCH_STACK | PERF_SAMPLE_REGS_USER |
                                        PERF_SAMPLE_STACK_USER | PERF_SAMPLE_DATA_SRC,
                         .read_format =
                             PERF_FORMAT_GROUP | PERF_FORMAT_ID | PERF_FORMAT_TOTAL_TIME_ENABLED,
                         .branch_sample_type = PERF_SAMPLE_BRANCH_HW_INDEX,
                         .sample_period = 100,
                         .registers_user = 1u << 6 | 1u << 7 | 1u << 8};
    pk_strbuf r;
    pk_strbuf_init(&r, 4096);
    size_t at = perf_record_begin(&r, PERF_RECORD_SAMPLE, PERF_RECORD_MISC_KERNEL);
    put(&r, 9, 8);
    put(&r, 0xabc, 8);
    put(&r, 0, 8);
    put(&r, 3, 4);
    put(&r, 0, 4);
    put(&r, 2, 8); /* two values, each with an id, one time */
    for (int i = 0; i < 5; i++) put(&r, 1, 8);
    put(&r, 4, 4); /* raw */
    put(&r, 0, 4);
    put(&r, 1, 8); /* one branch */
    for (int i = 0; i < 4; i++) put(&r, 1, 8);
    put(&r, PERF_SAMPLE_REGS_ABI_64, 8);
    for (uint64_t i = 0; i < 3; i++) put(&r, 0x70 + i, 8);
    put(&r, 64, 8);
    for (uint8_t i = 0; i < 64; i++) put(&r, i, 1);
    put(&r, 40, 8);
    put(&r, 5, 8);
    perf_record_end(&r, at);
    pk_perf_events events = {.attrs = &attr, .n_attrs = 1};
    pk_record record;
    pk_err err = {0};
    const unsigned char *bytes = (const unsigned char *)r.data;
    assert_int_equal(pk_record_size(bytes, r.length), r.length);
    assert_ok(pk_record_parse(&events, bytes, r.length, &record, &err), &err);
    assert_int_equal(record.sample.ip, 0xabc);
    assert_int_equal(record.cpu, 3);
    assert_int_equal(record.sample.mode, PK_CPU_KERNEL);
    assert_int_equal(record.sample.period, 100);
    assert_int_equal(record.sample.registers[7], 0x71);
    assert_int_equal(record.sample.registers_known, attr.registers_user);
    assert_int_equal(record.sample.stack_bytes, 40);
    assert_int_equal(record.sample.stack_stored, 64);
    assert_int_equal(record.sample.stack[39], 39);
    /* Cut anywhere before the stack's end it contradicts itself, and is not read beyond. */
    for (size_t n = PK_RECORD_HEADER_BYTES; n < r.length - 8; n++) {
        unsigned char *copy = malloc(n);
        memcpy(copy, bytes, n);
        assert_false(pk_record_parse(&events, copy, n, &record, &err));
        free(copy);
    }
    pk_strbuf_fini(&r);
}

static void samples_find_their_event(void **state) {
    (void)state;
    static const uint64_t types[] = {PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TIME,
                                     PERF_SAMPLE_IP | PERF_SAMPLE_TIME | PERF_SAMPLE_ID};
    static const pk_perf_id ids[] = {{5, 1}, {7, 0}, {9, 2}};
    for (size_t t = 0; t < 2; t++) {
        pk_perf_attr attrs[3];
        for (size_t i = 0; i < 3; i++)
            attrs[i] = (pk_perf_attr){.sample_type = types[t], .flags = PK_ATTR_SAMPLE_ID_ALL};
        pk_perf_events events = {attrs, 3, ids, 3};
        pk_strbuf r;
        pk_strbuf_init(&r, 4096);
        size_t at = perf_record_begin(&r, PERF_RECORD_SAMPLE, 0);
        put(&r, t == 0 ? 9 : 100, 8);
        put(&r, t == 0 ? 100 : 55, 8);
        put(&r, t == 0 ? 55 : 9, 8);
        perf_record_end(&r, at);
        size_t lost = r.length;
        at = perf_record_begin(&r, PERF_RECORD_LOST_SAMPLES, 0);
        put(&r, 17, 8);
        put(&r, 66, 8); /* time, then the id */
        put(&r, 5, 8);
        perf_record_end(&r, at);
        pk_record record;
        pk_err err = {0};
        const unsigned char *bytes = (const unsigned char *)r.data;
        assert_ok(pk_record_parse(&events, bytes, lost, &record, &err), &err);
        assert_int_equal(record.attr, 2);
        assert_int_equal(record.time_ns, 55);
        assert_ok(pk_record_parse(&events, bytes + lost, r.length - lost, &record, &err), &err);
        assert_int_equal(record.attr, 1);
        assert_int_equal(record.time_ns, 66);
        assert_int_equal(record.lost, 17);
        pk_strbuf_fini(&r);
    }
}

/* ---- order ---- */

/* Two rings, written one after the other in each round, as perf does. */
static void write_rounds(pk_strbuf *to) {
    for (uint64_t round = 0; round < 50; round++) {
        for (uint64_t ring = 0; ring < 2; ring++)
            for (uint64_t i = 0; i < 20; i++) {
                /* the second ring's last one belongs to the next round's time */
                uint64_t time = 1000 + round * 100 + i * 5 + ring * 2 + (ring && i == 19 ? 30 : 0);
                perf_sample(to, 70, time, 1, 2, chain);
            }
        perf_empty(to, PK_RECORD_FINISHED_ROUND);
    }
}

static void assert_in_order(fixture *f, size_t n) {
    uint64_t before = 0;
    for (size_t i = 0; i < n; i++) {
        const pk_record *r = next(f, PK_RECORD_SAMPLE);
        if (r->time_ns < before) fail_msg("%zu: out of order", i);
        before = r->time_ns;
        assert_int_equal(r->sample.n_chain, 2);
        assert_int_equal(r->sample.chain[1], 0x1000);
    }
    assert_end(f);
}

static void rounds_come_in_order_of_time(void **state) {
    fixture *f = *state;
    write_rounds(&f->records);
    open_file(f);
    assert_in_order(f, 2000);
}

static void make_pipe_file(fixture *f) {
    pk_strbuf_clear(&f->file);
    pk_strbuf_add_str(&f->file, "PERFILE2");
    put(&f->file, 16, 8);
    size_t at = perf_record_begin(&f->file, PK_RECORD_HEADER_ATTR, 0);
    perf_attr(&f->file, PERF_FILE_TYPE, 0);
    put(&f->file, 77, 8);
    perf_record_end(&f->file, at);
    at = perf_record_begin(&f->file, PK_RECORD_TRACING_DATA, 0);
    put(&f->file, 16, 8);
    perf_record_end(&f->file, at);
    for (int i = 0; i < 16; i++) put(&f->file, 0xff, 1); /* behind the record, no part of it */
    at = perf_record_begin(&f->file, PK_RECORD_HEADER_FEATURE, 0);
    put(&f->file, 6, 8); /* ARCH */
    put(&f->file, 8, 4);
    pk_strbuf_add(&f->file, "x86_64\0\0", 8);
    perf_record_end(&f->file, at);
    pk_strbuf_add(&f->file, f->records.data, f->records.length);
}

static void a_pipe_kept_in_a_file(void **state) {
    fixture *f = *state;
    write_rounds(&f->records);
    make_pipe_file(f);
    assert_true(try_open(f, f->file.length));
    assert_in_order(f, 2000);
    assert_string_equal(pk_perf_data_info(f->data)->machine, "x86_64");
    assert_int_equal(pk_perf_data_info(f->data)->events.n_ids, 1);
}

/* Through a pipe, which gives pieces of all sizes: more than its buffer and ours hold. */
static void a_pipe_that_is_one(void **state) {
    fixture *f = *state;
    for (int i = 0; i < 9; i++) write_rounds(&f->records);
    make_pipe_file(f);
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        size_t at = 0;
        for (size_t step = 1; at < f->file.length; step = step * 3 % 7919 + 1) {
            size_t n = step < f->file.length - at ? step : f->file.length - at;
            ssize_t put_bytes = write(ends[1], f->file.data + at, n);
            if (put_bytes < 0) break;
            at += (size_t)put_bytes;
        }
        _exit(at == f->file.length ? 0 : 1);
    }
    close(ends[1]);
    f->data = pk_perf_data_stream(ends[0], "a pipe", &f->err);
    assert_ok(f->data != NULL, &f->err);
    size_t n = 0;
    while (pk_perf_data_next(f->data, &f->record, &f->err)) n++;
    assert_int_equal(f->err.kind, PK_OK);
    assert_int_equal(n, 18000);
    close(ends[0]);
}

static void compressed_records_straddle(void **state) {
#ifdef HAVE_LIBZSTD
    fixture *f = *state;
    write_rounds(&f->records);
    size_t bound = ZSTD_compressBound(f->records.length);
    unsigned char *packed = malloc(bound);
    size_t n = ZSTD_compress(packed, bound, f->records.data, f->records.length, 1);
    assert_false(ZSTD_isError(n));
    pk_strbuf_clear(&f->records);
    for (size_t at = 0; at < n; at += 333) { /* sizes that are no multiple of a word */
        size_t piece = n - at < 333 ? n - at : 333;
        size_t record = perf_record_begin(&f->records, PK_RECORD_COMPRESSED, 0);
        pk_strbuf_add(&f->records, (const char *)packed + at, piece);
        perf_record_end(&f->records, record);
    }
    free(packed);
    open_file(f);
    assert_in_order(f, 2000);
    assert_true(pk_perf_data_info(f->data)->compressed);
    /* What is no zstd is said. */
    f->file.data[104 + 144 + 8] ^= 0x55;
    assert_true(try_open(f, f->file.length));
    while (pk_perf_data_next(f->data, &f->record, &f->err)) {
    }
    assert_int_equal(f->err.kind, PK_E_INPUT);
#else
    fixture *f = *state;
    size_t record = perf_record_begin(&f->records, PK_RECORD_COMPRESSED, 0);
    put(&f->records, 1, 8);
    perf_record_end(&f->records, record);
    open_file(f);
    assert_false(pk_perf_data_next(f->data, &f->record, &f->err));
    assert_int_equal(f->err.kind, PK_E_UNSUPPORTED);
#endif
}

/* ---- what is not whole ---- */

static void a_killed_recording_is_read_to_its_end(void **state) {
    fixture *f = *state;
    perf_sample(&f->records, 70, 1, 1, 4, chain);
    perf_sample(&f->records, 70, 2, 1, 4, chain);
    perf_file(&f->file, &f->records, false);
    assert_true(try_open(f, f->file.length - 10));
    next(f, PK_RECORD_SAMPLE);
    assert_end(f);
    const pk_perf_info *info = pk_perf_data_info(f->data);
    assert_true(info->unfinished);
    assert_int_equal(info->cut_bytes, f->records.length / 2 - 10);
}

static void cut_anywhere_it_ends_or_says_why(void **state) {
    fixture *f = *state;
    perf_comm(&f->records, 70, 1, "burner", true);
    perf_mmap2(&f->records, 70, 2, 0x400000, 0x1000, 0, "/bin/burner");
    perf_sample(&f->records, 70, 3, 1, 4, chain);
    perf_file(&f->file, &f->records, true);
    for (size_t n = 0; n < f->file.length; n++) {
        if (!try_open(f, n)) {
            assert_true(n < 104 + 144 + 8);
            assert_int_equal(f->err.kind, PK_E_INPUT);
            assert_true(f->err.what[0]);
            continue;
        }
        while (pk_perf_data_next(f->data, &f->record, &f->err)) {
        }
        assert_int_equal(f->err.kind, PK_OK);
    }
}

static void assert_refused(fixture *f, pk_err_kind kind, const char *what) {
    assert_false(try_open(f, f->file.length));
    assert_int_equal(f->err.kind, kind);
    if (!strstr(f->err.what, what)) fail_msg("%s", f->err.what);
}

static void what_is_no_recording_is_refused(void **state) {
    fixture *f = *state;
    assert_refused(f, PK_E_INPUT, "empty");
    pk_strbuf_add_str(&f->file, "<svg>this is a picture</svg>");
    assert_refused(f, PK_E_INPUT, "no perf.data");
    pk_strbuf_clear(&f->file);
    pk_strbuf_add_str(&f->file, "2ELIFREP........");
    assert_refused(f, PK_E_UNSUPPORTED, "byte order");
    f->data = pk_perf_data_open(f->folder, &f->err);
    assert_null(f->data);
    assert_int_equal(f->err.kind, PK_E_UNSUPPORTED);
    f->data = pk_perf_data_open("/nowhere/at/all", &f->err);
    assert_null(f->data);
    assert_int_equal(f->err.kind, PK_E_SYS);
}

static void a_record_that_contradicts_itself_is_named(void **state) {
    fixture *f = *state;
    perf_sample(&f->records, 70, 1, 1, 4, chain);
    uint64_t too_many = 1000;
    memcpy(f->records.data + 8 + 8 + 8 + 8 + 8, &too_many, 8);
    open_file(f);
    assert_false(pk_perf_data_next(f->data, &f->record, &f->err));
    assert_int_equal(f->err.kind, PK_E_INPUT);
    assert_non_null(strstr(f->err.what, "type 9"));
    assert_non_null(strstr(f->err.where, "perf.data"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(records_say_what_was_put_in),
        TEST(build_ids_come_with_maps),
        TEST(other_records),
        cmocka_unit_test(copied_stacks_and_registers),
        cmocka_unit_test(samples_find_their_event),
        TEST(rounds_come_in_order_of_time),
        TEST(a_pipe_kept_in_a_file),
        TEST(a_pipe_that_is_one),
        TEST(compressed_records_straddle),
        TEST(a_killed_recording_is_read_to_its_end),
        TEST(cut_anywhere_it_ends_or_says_why),
        TEST(what_is_no_recording_is_refused),
        TEST(a_record_that_contradicts_itself_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

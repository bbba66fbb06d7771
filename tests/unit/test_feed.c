#include "check.h"

#include <linux/perf_event.h>
#include <pthread.h>

#include "flame/feed.h"
#include "tests/unit/perf_file.h"

#define WHOLE_TYPE                                                                          \
    (PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME |         \
     PERF_SAMPLE_CPU | PERF_SAMPLE_PERIOD | PERF_SAMPLE_CALLCHAIN | PERF_SAMPLE_REGS_USER | \
     PERF_SAMPLE_STACK_USER)

static const pk_perf_attr whole = {.sample_type = WHOLE_TYPE,
                                   .flags = PK_ATTR_SAMPLE_ID_ALL,
                                   .registers_user = 0x5,
                                   .stack_user = 64};
static const pk_perf_info info = {.events = {.attrs = &whole, .n_attrs = 1}};

/* A sample with two registers, and `stored` bytes of stack of which `filled` are good. */
static void put_sample(pk_strbuf *to, uint32_t tid, uint64_t time, size_t stored, size_t filled) {
    size_t at = perf_record_begin(to, PERF_RECORD_SAMPLE, PERF_RECORD_MISC_USER);
    put(to, 4711, 8);     /* identifier */
    put(to, 0x401000, 8); /* ip */
    put(to, tid, 4);      /* pid */
    put(to, tid, 4);
    put(to, time, 8);
    put(to, 1, 8);       /* cpu */
    put(to, 1003009, 8); /* period */
    put(to, 1, 8);       /* callchain */
    put(to, PK_CHAIN_USER, 8);
    put(to, PERF_SAMPLE_REGS_ABI_64, 8);
    put(to, 11, 8);
    put(to, 22, 8);
    put(to, stored, 8);
    for (size_t i = 0; i < stored; i++) put(to, i < filled ? 0x80 + i % 100 : 0, 1);
    if (stored > 0) put(to, filled, 8);
    perf_record_end(to, at);
}

static void parse(const unsigned char *bytes, size_t n, pk_record *record) {
    pk_err err;
    assert_ok(pk_record_parse(&info.events, bytes, n, record, &err), &err);
}

static void a_stack_is_kept_as_far_as_it_is_filled(void **state) {
    (void)state;
    static const struct {
        size_t stored, filled, less;
    } cases[] = {{64, 20, 64 - 24 - 8},
                 {64, 64, 0},
                 {64, 24, 64 - 24 - 8},
                 {4096, 1, 4080},
                 {4096, 0, 4080}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pk_strbuf bytes;
        pk_record before, after;
        unsigned char compact[8192];
        pk_strbuf_init(&bytes, 8192);
        put_sample(&bytes, 7, 100, cases[i].stored, cases[i].filled);
        const unsigned char *raw = (const unsigned char *)bytes.data;
        parse(raw, bytes.length, &before);
        size_t n = pk_record_compact(&before, raw, bytes.length, compact);
        if (cases[i].less > 0) assert_int_equal(n, bytes.length - cases[i].less);
        parse(compact, n, &after);
        pk_record_compact_parsed(&after);
        assert_non_null(after.sample.stack);
        assert_int_equal(after.sample.stack_bytes, cases[i].filled);
        assert_int_equal(after.sample.stack_stored, cases[i].stored);
        assert_memory_equal(after.sample.stack, before.sample.stack, cases[i].filled);
        assert_memory_equal(after.sample.registers, before.sample.registers,
                            sizeof before.sample.registers);
        assert_int_equal(after.sample.ip, 0x401000);
        assert_int_equal(after.sample.n_chain, 1);
        assert_int_equal(after.time_ns, 100);
        pk_strbuf_fini(&bytes);
    }
}

static void without_a_stack_nothing_is_changed(void **state) {
    (void)state;
    pk_strbuf bytes;
    pk_record before, after;
    unsigned char compact[512];
    pk_strbuf_init(&bytes, 512);
    put_sample(&bytes, 7, 100, 0, 0); /* of a thread of the kernel */
    const unsigned char *raw = (const unsigned char *)bytes.data;
    parse(raw, bytes.length, &before);
    size_t n = pk_record_compact(&before, raw, bytes.length, compact);
    assert_int_equal(n, bytes.length);
    assert_memory_equal(compact, raw, n);
    parse(compact, n, &after);
    pk_record_compact_parsed(&after);
    assert_null(after.sample.stack);
    assert_int_equal(after.sample.stack_stored, 0);

    /* One whose stack could not be read at all. */
    pk_strbuf_clear(&bytes);
    put_sample(&bytes, 7, 100, 64, 0);
    raw = (const unsigned char *)bytes.data;
    parse(raw, bytes.length, &before);
    n = pk_record_compact(&before, raw, bytes.length, compact);
    parse(compact, n, &after);
    pk_record_compact_parsed(&after);
    assert_int_equal(after.sample.stack_bytes, 0);
    pk_strbuf_fini(&bytes);
}

/* ---- the thread ---- */

typedef struct got {
    size_t n, fail_at;
    uint64_t times[4096];
    pthread_t thread;
    pthread_mutex_t *gate; /* the sink waits here; NULL: it does not */
} got;

static bool sink(void *context, const pk_perf_info *from, const pk_record *record, pk_err *err) {
    got *g = context;
    if (from != &info || g->n >= sizeof g->times / sizeof g->times[0]) return false;
    if (g->gate) {
        pthread_mutex_lock(g->gate);
        pthread_mutex_unlock(g->gate);
    }
    g->thread = pthread_self();
    g->times[g->n++] = record->time_ns;
    if (g->n != g->fail_at) return true;
    pk_fail(err, PK_E_INPUT, NULL, "no more");
    return false;
}

static void push(pk_feed *feed, uint64_t time, size_t stack) {
    pk_strbuf bytes;
    pk_record record;
    pk_err err;
    pk_strbuf_init(&bytes, PK_RECORD_BYTES_MAX);
    put_sample(&bytes, 7, time, stack, stack);
    parse((const unsigned char *)bytes.data, bytes.length, &record);
    assert_ok(pk_feed_push(feed, &record, (const unsigned char *)bytes.data, bytes.length, &err),
              &err);
    pk_strbuf_fini(&bytes);
}

static pk_feed *begin(got *g) {
    pk_err err;
    pk_feed *feed = pk_feed_start(&info, sink, g, &err);
    assert_non_null(feed);
    return feed;
}

static void records_of_several_rings_come_in_order_of_time(void **state) {
    (void)state;
    got *g = calloc(1, sizeof *g);
    pk_err err;
    pk_feed *feed = begin(g);
    /* Each round: two rings, one after the other. */
    for (uint64_t round = 0; round < 20; round++) {
        for (uint64_t i = 0; i < 100; i += 2) push(feed, 100 * round + i, 64);
        for (uint64_t i = 1; i < 100; i += 2) push(feed, 100 * round + i, 64);
        pk_feed_round(feed);
    }
    assert_ok(pk_feed_end(feed, &err), &err);
    assert_int_equal(g->n, 2000);
    for (size_t i = 0; i < g->n; i++) assert_int_equal(g->times[i], i);
    assert_false(pthread_equal(g->thread, pthread_self()));
    free(g);
}

static void a_sink_that_waits_does_not_keep_others_waiting(void **state) {
    (void)state;
    enum { STACK = 60000, RECORDS = 4500 }; /* 257 MiB */
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    got *g = calloc(1, sizeof *g);
    g->gate = &gate;
    pthread_mutex_lock(&gate);
    pk_feed *feed = begin(g);
    assert_false(pk_feed_full(feed));
    for (uint64_t i = 0; i < RECORDS; i++) push(feed, i, STACK);
    assert_true(pk_feed_full(feed)); /* and so no more would be taken */
    pk_feed_drop(NULL);
    pk_feed_round(feed);
    g->fail_at = 1;
    pthread_mutex_unlock(&gate);
    pk_err err = {0};
    assert_false(pk_feed_end(feed, &err));
    assert_string_equal(err.what, "no more");
    assert_int_equal(g->n, 1); /* the rest was thrown away */
    free(g);
}

static void what_is_dropped_is_not_handed_over(void **state) {
    (void)state;
    got *g = calloc(1, sizeof *g);
    pk_feed *feed = begin(g);
    /* No round has ended; what has no time (0) would not wait for one. */
    for (uint64_t i = 1; i <= 100; i++) push(feed, i, 64);
    pk_feed_drop(feed);
    assert_int_equal(g->n, 0);
    free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stack_is_kept_as_far_as_it_is_filled),
        cmocka_unit_test(without_a_stack_nothing_is_changed),
        cmocka_unit_test(records_of_several_rings_come_in_order_of_time),
        cmocka_unit_test(a_sink_that_waits_does_not_keep_others_waiting),
        cmocka_unit_test(what_is_dropped_is_not_handed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

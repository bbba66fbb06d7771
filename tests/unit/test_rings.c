#include "check.h"

#include <linux/perf_event.h>
#include <sys/mman.h>

#include "flame/record.h"
#include "flame/rings.h"

/* A ring as the kernel would fill it: memory of a file, with the header page in front. */
typedef struct fake {
    int fd;
    pk_ring ring;
    struct perf_event_mmap_page *page;
    unsigned char joined[PK_RECORD_BYTES_MAX + 1];
} fake;

static fake *fake_begin(size_t bytes) {
    fake *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->fd = memfd_create("ring", MFD_CLOEXEC);
    assert_true(f->fd >= 0);
    assert_int_equal(ftruncate(f->fd, (off_t)((size_t)sysconf(_SC_PAGESIZE) + bytes)), 0);
    assert_int_equal(pk_ring_map(f->fd, bytes, &f->ring), 0);
    assert_int_equal(f->ring.bytes, bytes);
    f->page = f->ring.pages;
    return f;
}

static void fake_end(fake *f) {
    pk_ring_unmap(&f->ring);
    pk_ring_unmap(&f->ring);
    close(f->fd);
    free(f);
}

/* A record of n bytes that all tell its number, where data_head stands. */
static void put(fake *f, unsigned char number, size_t n) {
    unsigned char record[4096];
    assert_true(n <= sizeof record);
    memset(record, number, n);
    struct perf_event_header header = {.type = number, .size = (uint16_t)n};
    memcpy(record, &header, sizeof header);
    for (size_t i = 0; i < n; i++)
        f->ring.data[(f->page->data_head + i) & (f->ring.bytes - 1)] = record[i];
    f->page->data_head += n;
}

typedef struct got {
    const fake *from;
    size_t n, bytes;
    unsigned char numbers[64];
    uint64_t tails[64]; /* of the ring when the record was given out */
    size_t stop_at;
} got;

static bool take(void *context, const unsigned char *bytes, size_t n, pk_err *err) {
    got *g = context;
    for (size_t i = sizeof(struct perf_event_header); i < n; i++)
        assert_int_equal(bytes[i], bytes[0]);
    assert_true(g->n < sizeof g->numbers);
    g->tails[g->n] = g->from->page->data_tail;
    g->numbers[g->n++] = bytes[0];
    g->bytes += n;
    if (g->n != g->stop_at) return true;
    pk_fail(err, PK_E_LIMIT, NULL, "enough");
    return false;
}

static void records_come_in_order_and_whole_across_the_end(void **state) {
    (void)state;
    fake *f = fake_begin(4096);
    pk_err err;
    got g = {.from = f};
    /* 1000 does not divide the ring: each turn another record lies across its end. */
    for (unsigned char number = 1; number <= 40; number++) {
        put(f, number, 1000);
        if (number % 4 == 0) assert_ok(pk_ring_drain(&f->ring, f->joined, take, &g, &err), &err);
    }
    assert_int_equal(g.n, 40);
    assert_int_equal(g.bytes, 40000);
    for (size_t i = 0; i < 40; i++) {
        assert_int_equal(g.numbers[i], i + 1);
        assert_int_equal(g.tails[i], 1000 * i); /* room is given back one by one */
    }
    assert_int_equal(f->page->data_tail, f->page->data_head);
    fake_end(f);
}

static void a_record_that_is_refused_is_taken_all_the_same(void **state) {
    (void)state;
    fake *f = fake_begin(4096);
    pk_err err = {0};
    got g = {.from = f, .stop_at = 2};
    for (unsigned char number = 1; number <= 3; number++) put(f, number, 64);
    assert_false(pk_ring_drain(&f->ring, f->joined, take, &g, &err));
    assert_string_equal(err.what, "enough");
    assert_ok(pk_ring_drain(&f->ring, f->joined, take, &g, &err), &err);
    assert_int_equal(g.n, 3);
    assert_int_equal(g.numbers[2], 3);
    fake_end(f);
}

static void what_is_no_record_ends_it(void **state) {
    (void)state;
    static const struct {
        uint16_t size;
        uint64_t there;
    } broken[] = {{0, 64}, {4, 64}, {72, 64}, {20, 64}, {64, 4096 + 64}};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        fake *f = fake_begin(4096);
        pk_err err = {0};
        got g = {.from = f};
        struct perf_event_header header = {.type = 1, .size = broken[i].size};
        memcpy(f->ring.data, &header, sizeof header);
        f->page->data_head = broken[i].there;
        assert_false(pk_ring_drain(&f->ring, f->joined, take, &g, &err));
        assert_int_equal(err.kind, PK_E_INTERNAL);
        assert_int_equal(g.n, 0);
        assert_int_equal(f->page->data_tail, f->page->data_head);
        fake_end(f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_in_order_and_whole_across_the_end),
        cmocka_unit_test(a_record_that_is_refused_is_taken_all_the_same),
        cmocka_unit_test(what_is_no_record_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

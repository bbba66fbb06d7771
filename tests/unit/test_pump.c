#include "check.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>

#include "flame/pump.h"

#define KiB ((size_t)1 << 10)
#define MiB ((size_t)1 << 20)

typedef struct pumped {
    int in, out; /* what the pump reads from is written to in */
    pk_pump *pump;
    size_t descriptors;
} pumped;

static pumped start(size_t max_bytes) {
    pumped p = {.descriptors = check_count_files("/proc/self/fd")};
    int ends[2];
    pk_err err = {0};
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    p.in = ends[1];
    p.pump = pk_pump_start(ends[0], max_bytes, &p.out, &err);
    assert_non_null(p.pump);
    return p;
}

static void finish(pumped *p) {
    close(p->out);
    pk_pump_end(p->pump);
    assert_int_equal(check_count_files("/proc/self/fd"), p->descriptors);
}

/* Byte i of the stream. */
static unsigned char byte_at(size_t i) {
    return (unsigned char)(i * 2654435761u >> 7);
}

/* Writes [at, at + n) of it; false when it would have to wait for longer than a second. */
static bool write_stream(int fd, size_t at, size_t n) {
    unsigned char bytes[4096];
    assert_int_equal(n % sizeof bytes, 0);
    for (size_t done = 0; done < n; done += sizeof bytes) {
        for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = byte_at(at + done + i);
        struct pollfd ready = {.fd = fd, .events = POLLOUT};
        if (poll(&ready, 1, 1000) != 1) return false;
        assert_int_equal(write(fd, bytes, sizeof bytes),
                         sizeof bytes); /* one page is all or none */
    }
    return true;
}

static void read_stream(int fd, size_t n) {
    unsigned char bytes[8192];
    size_t at = 0;
    for (ssize_t got; (got = read(fd, bytes, sizeof bytes)) > 0; at += (size_t)got)
        for (size_t i = 0; i < (size_t)got; i++)
            if (bytes[i] != byte_at(at + i)) fail_msg("byte %zu", at + i);
    assert_int_equal(at, n);
}

static void what_waits_is_kept_in_order(void **state) {
    (void)state;
    pumped p = start(64 * MiB);
    assert_true(write_stream(p.in, 0, 20 * MiB)); /* nobody reads yet */
    close(p.in);
    read_stream(p.out, 20 * MiB);
    finish(&p);
}

static void more_than_the_bound_is_not_kept(void **state) {
    (void)state;
    pumped p = start(2 * MiB);
    /* In the pump, in the block that is begun, and in two pipes. */
    assert_false(write_stream(p.in, 0, 8 * MiB));
    close(p.in);
    finish(&p);
}

static void an_empty_stream_ends(void **state) {
    (void)state;
    pumped p = start(MiB);
    close(p.in);
    read_stream(p.out, 0);
    finish(&p);
}

static void a_reader_that_is_gone_ends_it(void **state) {
    (void)state;
    pumped p = start(64 * MiB);
    assert_true(write_stream(p.in, 0, 4 * MiB));
    close(p.out);
    pk_pump_end(p.pump); /* the writer still has its end open */
    struct pollfd gone = {.fd = p.in, .events = POLLOUT};
    assert_int_equal(poll(&gone, 1, 5000), 1);
    assert_true(gone.revents & POLLERR);
    close(p.in);
    assert_int_equal(check_count_files("/proc/self/fd"), p.descriptors);
}

static void *write_slowly(void *context) {
    const int *fd = context;
    for (size_t i = 0; i < 200; i++)
        if (!write_stream(*fd, i * 64 * KiB, 64 * KiB)) return NULL;
    close(*fd);
    return context;
}

static void both_at_once(void **state) {
    (void)state;
    pumped p = start(MiB);
    pthread_t thread;
    void *done;
    assert_int_equal(pthread_create(&thread, NULL, write_slowly, &p.in), 0);
    read_stream(p.out, 200 * 64 * KiB);
    assert_int_equal(pthread_join(thread, &done), 0);
    assert_non_null(done);
    finish(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waits_is_kept_in_order),
        cmocka_unit_test(more_than_the_bound_is_not_kept),
        cmocka_unit_test(an_empty_stream_ends),
        cmocka_unit_test(a_reader_that_is_gone_ends_it),
        cmocka_unit_test(both_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

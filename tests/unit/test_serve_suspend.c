/* serve/suspend: connections put aside and brought back, with MHD's part replaced. */
#include "check.h"

#include <sys/socket.h>

#include "base/units.h"
#include "serve/suspend.h"
#include "timing/clock.h"

/* What the replaced functions saw, in order. The "connections" are the waits themselves. */
enum { SEEN_MAX = 4096 };
static struct MHD_Connection *suspended_order[SEEN_MAX], *resumed_order[SEEN_MAX];
static size_t n_suspended, n_resumed;

void __wrap_MHD_suspend_connection(struct MHD_Connection *mhd);
void __wrap_MHD_resume_connection(struct MHD_Connection *mhd);

void __wrap_MHD_suspend_connection(struct MHD_Connection *mhd) {
    suspended_order[n_suspended++] = mhd;
}
void __wrap_MHD_resume_connection(struct MHD_Connection *mhd) {
    /* resuming what is not suspended is undefined in MHD */
    bool known = false;
    for (size_t i = 0; i < n_suspended; i++) known |= suspended_order[i] == mhd;
    assert_true(known);
    resumed_order[n_resumed++] = mhd;
}

typedef struct bench {
    pk_suspended suspended;
    int client_fd, server_fd; /* a pair: closing the client shows at the server */
} bench;

static void bench_begin(bench *b) {
    int pair[2];
    n_suspended = n_resumed = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    b->client_fd = pair[0];
    b->server_fd = pair[1];
    b->suspended = (pk_suspended){.count = 0};
}

static void bench_end(bench *b) {
    pk_suspended_end(&b->suspended);
    assert_int_equal(b->suspended.count, 0);
    pk_suspended_fini(&b->suspended);
    if (b->client_fd >= 0) close(b->client_fd);
    close(b->server_fd);
}

static pk_wait wait_on(const bench *b, pk_wait *self) {
    return (pk_wait){.mhd = (struct MHD_Connection *)(void *)self, .fd = b->server_fd};
}

/* Runs, and what is next. */
static uint64_t run_at(bench *b, uint64_t now_ns, bool endless) {
    pk_suspended_run(&b->suspended, now_ns, endless);
    return pk_suspended_next(&b->suspended);
}

static void due_ones_come_back_in_order_of_time(void **state) {
    (void)state;
    enum { N = 1000 };
    bench b;
    static pk_wait waits[N];
    bench_begin(&b);
    uint64_t start = pk_now_ns() + PK_NS_PER_S / 2;
    uint64_t x = 12345;
    for (size_t i = 0; i < N; i++) {
        waits[i] = wait_on(&b, &waits[i]);
        x = x * 6364136223846793005u + 1442695040888963407u;
        assert_true(pk_suspend(&b.suspended, &waits[i], start + (x >> 33) % 1000));
    }
    assert_int_equal(n_suspended, N);
    assert_int_equal(b.suspended.count, N);

    uint64_t next = run_at(&b, start - 1, false);
    assert_int_equal(n_resumed, 0);
    assert_true(next >= start && next < start + 1000);
    next = run_at(&b, start + 499, false);
    size_t half = n_resumed;
    assert_true(half > N / 4 && half < N);
    assert_true(next >= start + 500);
    assert_int_equal(run_at(&b, start + 1000, false), UINT64_MAX);
    assert_int_equal(n_resumed, N);
    uint64_t last = 0;
    for (size_t i = 0; i < N; i++) {
        const pk_wait *wait = (const pk_wait *)(void *)resumed_order[i];
        assert_true(wait->due_ns >= last);
        assert_int_equal(i < half, wait->due_ns <= start + 499);
        assert_false(wait->client_left);
        last = wait->due_ns;
    }
    bench_end(&b);
}

static void the_next_moment_is_the_nearest(void **state) {
    (void)state;
    bench b;
    pk_wait first, later, sooner;
    bench_begin(&b);
    uint64_t now = pk_now_ns();
    first = wait_on(&b, &first);
    later = wait_on(&b, &later);
    sooner = wait_on(&b, &sooner);
    assert_int_equal(pk_suspended_next(&b.suspended), UINT64_MAX);
    assert_true(pk_suspend(&b.suspended, &first, now + 100 * PK_NS_PER_MS));
    assert_true(pk_suspend(&b.suspended, &later, now + 200 * PK_NS_PER_MS));
    assert_int_equal(pk_suspended_next(&b.suspended), now + 100 * PK_NS_PER_MS);
    assert_true(pk_suspend(&b.suspended, &sooner, now + 50 * PK_NS_PER_MS));
    assert_int_equal(pk_suspended_next(&b.suspended), now + 50 * PK_NS_PER_MS);
    bench_end(&b);
}

static void a_client_that_leaves_brings_its_wait_back(void **state) {
    (void)state;
    bench b;
    pk_wait wait;
    bench_begin(&b);
    uint64_t now = pk_now_ns();
    wait = wait_on(&b, &wait);
    assert_true(pk_suspend(&b.suspended, &wait, PK_WAIT_FOR_EVER));

    /* looked at once a second, not before */
    uint64_t look = run_at(&b, now + PK_NS_PER_S / 2, false);
    assert_true(look >= now + PK_NS_PER_S && look < now + 2 * PK_NS_PER_S);
    assert_int_equal(run_at(&b, look, false), look + PK_NS_PER_S);
    assert_int_equal(n_resumed, 0);

    /* bytes that wait unread are no end */
    assert_int_equal(write(b.client_fd, "x", 1), 1);
    assert_int_equal(run_at(&b, look + PK_NS_PER_S, false), look + 2 * PK_NS_PER_S);
    assert_int_equal(n_resumed, 0);

    close(b.client_fd);
    b.client_fd = -1;
    assert_int_equal(run_at(&b, look + 2 * PK_NS_PER_S, false), UINT64_MAX);
    assert_int_equal(n_resumed, 1);
    assert_true(wait.client_left);
    bench_end(&b);
}

static void the_drain_brings_back_what_would_wait_for_ever(void **state) {
    (void)state;
    enum { N = 20 };
    bench b;
    pk_wait waits[N];
    bench_begin(&b);
    uint64_t now = pk_now_ns();
    for (size_t i = 0; i < N; i++) {
        waits[i] = wait_on(&b, &waits[i]);
        uint64_t due = i % 2 ? PK_WAIT_FOR_EVER : now + PK_NS_PER_S / 2 + i;
        assert_true(pk_suspend(&b.suspended, &waits[i], due));
    }
    pk_suspended_run(&b.suspended, now, false);
    assert_int_equal(n_resumed, 0);
    uint64_t next = run_at(&b, now, true);
    assert_int_equal(n_resumed, N / 2);
    assert_int_equal(next, now + PK_NS_PER_S / 2);
    for (size_t i = 0; i < n_resumed; i++)
        assert_int_equal(((const pk_wait *)(void *)resumed_order[i] - waits) % 2, 1);
    bench_end(&b);
    assert_int_equal(n_resumed, N);
}

static void after_the_end_nothing_is_suspended(void **state) {
    (void)state;
    bench b;
    pk_wait wait;
    bench_begin(&b);
    wait = wait_on(&b, &wait);
    pk_suspended_end(&b.suspended);
    assert_false(pk_suspend(&b.suspended, &wait, PK_WAIT_FOR_EVER));
    assert_int_equal(n_suspended, 0);
    bench_end(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(due_ones_come_back_in_order_of_time),
        cmocka_unit_test(the_next_moment_is_the_nearest),
        cmocka_unit_test(a_client_that_leaves_brings_its_wait_back),
        cmocka_unit_test(the_drain_brings_back_what_would_wait_for_ever),
        cmocka_unit_test(after_the_end_nothing_is_suspended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

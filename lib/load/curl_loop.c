#include "load/curl_loop.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "timing/clock.h"

#define WAKE_TAG (PK_LOOP_OWN_BIT - 1)
#define TIMER_GRAIN_NS 1000000u
#define UNASKED_READS_MAX 64

enum watch_events { UNKNOWN = 0, READ = EPOLLIN, WRITE = EPOLLOUT, PARKED = 1 << 30 };

static void collect(pk_curl_lane *lane) {
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(lane->multi, &left));) {
        if (message->msg != CURLMSG_DONE) continue;
        CURLcode code = message->data.result; /* gone once the handle is removed */
        lane->loop->on_done(lane->loop->context, message->easy_handle, code);
    }
}

static void act(pk_curl_lane *lane, curl_socket_t fd, int what) {
    int running;
    curl_multi_socket_action(lane->multi, fd, what, &running);
    collect(lane);
}

static bool grow_watched(pk_curl_loop *loop, size_t fd) {
    if (fd < loop->watched_count) return true;
    size_t count = fd + 1 > 2 * loop->watched_count ? fd + 1 : 2 * loop->watched_count;
    pk_curl_watch *grown = realloc(loop->watched, count * sizeof *grown);
    if (!grown) return false;
    memset(grown + loop->watched_count, 0, (count - loop->watched_count) * sizeof *grown);
    loop->watched = grown;
    loop->watched_count = count;
    return true;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *socket_data) {
    pk_curl_lane *lane = context;
    pk_curl_loop *loop = lane->loop;
    (void)socket_data;
    if (loop->on_wait && what != CURL_POLL_REMOVE) loop->on_wait(loop->context, easy, fd);
    if (!grow_watched(loop, (size_t)fd)) return -1;
    uint32_t *watched = &loop->watched[fd].events;
    loop->watched[fd].lane_idx = (uint32_t)(lane - loop->lanes);
    if (what == CURL_POLL_REMOVE) {
        *watched |= *watched ? (uint32_t)PARKED : 0u;
        return 0;
    }
    uint32_t want =
        (what & CURL_POLL_IN ? (uint32_t)READ : 0u) | (what & CURL_POLL_OUT ? (uint32_t)WRITE : 0u);
    uint32_t have = *watched & ~(uint32_t)PARKED;
    *watched = want;
    if (want == have) return 0;
    struct epoll_event event = {.events = want, .data.u64 = (uint64_t)fd};
    int how = have ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    return epoll_ctl(loop->epoll_fd, how, fd, &event) == 0 ? 0 : -1;
}

static int on_timer(CURLM *multi, long timeout_ms, void *context) {
    pk_curl_lane *lane = context;
    (void)multi;
    lane->timer_ns = timeout_ms < 0    ? UINT64_MAX
                     : timeout_ms == 0 ? 0
                                       : pk_now_ns() + (uint64_t)timeout_ms * 1000000u;
    return 0;
}

static bool lane_init(pk_curl_lane *lane, pk_curl_loop *loop) {
    lane->loop = loop;
    lane->timer_ns = UINT64_MAX;
    lane->multi = curl_multi_init();
    if (!lane->multi) return false;
    curl_multi_setopt(lane->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(lane->multi, CURLMOPT_SOCKETDATA, lane);
    curl_multi_setopt(lane->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(lane->multi, CURLMOPT_TIMERDATA, lane);
    curl_multi_setopt(lane->multi, CURLMOPT_MAXCONNECTS, (long)PK_CURL_LANE_SLOTS + 8);
    return true;
}

bool pk_curl_loop_init(pk_curl_loop *loop, uint32_t n_slots, int wake_fd) {
    struct epoll_event wake = {.events = EPOLLIN, .data.u64 = WAKE_TAG};
    uint32_t n_lanes = (n_slots + PK_CURL_LANE_SLOTS - 1) / PK_CURL_LANE_SLOTS;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->lanes = calloc(n_lanes, sizeof *loop->lanes);
    if (loop->epoll_fd < 0 || !loop->lanes) return false;
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, wake_fd, &wake) < 0) return false;
    for (; loop->n_lanes < n_lanes; loop->n_lanes++)
        if (!lane_init(&loop->lanes[loop->n_lanes], loop)) return false;
    return true;
}

void pk_curl_loop_fini(pk_curl_loop *loop) {
    for (uint32_t i = 0; i < loop->n_lanes; i++) curl_multi_cleanup(loop->lanes[i].multi);
    loop->n_lanes = 0;
    free(loop->lanes);
    loop->lanes = NULL;
    free(loop->watched);
    loop->watched = NULL;
    loop->watched_count = 0;
    if (loop->epoll_fd >= 0) close(loop->epoll_fd);
    loop->epoll_fd = -1;
}

void pk_curl_loop_add(pk_curl_loop *loop, uint32_t slot, CURL *easy) {
    pk_curl_lane *lane = &loop->lanes[slot / PK_CURL_LANE_SLOTS];
    curl_multi_add_handle(lane->multi, easy);
    act(lane, CURL_SOCKET_TIMEOUT, 0); /* a new handle has a timer of 0 */
}

void pk_curl_loop_remove(pk_curl_loop *loop, uint32_t slot, CURL *easy) {
    curl_multi_remove_handle(loop->lanes[slot / PK_CURL_LANE_SLOTS].multi, easy);
}

uint64_t pk_curl_loop_timer_ns(const pk_curl_loop *loop) {
    uint64_t first = UINT64_MAX;
    for (uint32_t i = 0; i < loop->n_lanes; i++)
        if (loop->lanes[i].timer_ns < first) first = loop->lanes[i].timer_ns;
    return first;
}

void pk_curl_loop_run_timers(pk_curl_loop *loop, uint64_t now_ns) {
    for (uint32_t i = 0; i < loop->n_lanes; i++) {
        pk_curl_lane *lane = &loop->lanes[i];
        uint64_t was_ns = lane->timer_ns;
        if (was_ns > now_ns) continue;
        act(lane, CURL_SOCKET_TIMEOUT, 0);
        /* libcurl says nothing when it found the timer not yet run out (its clock has a coarser
         * grain than ours): come back, or that timer would be lost */
        if (lane->timer_ns == was_ns) lane->timer_ns = now_ns + TIMER_GRAIN_NS;
    }
}

/* A Linux before 5.11, and some emulators, know waits of whole milliseconds only. */
static int wait_ms(const pk_curl_loop *loop, uint64_t wait_ns, struct epoll_event events[],
                   int max) {
    uint64_t ms = wait_ns / 1000000u + (wait_ns % 1000000u != 0);
    return epoll_wait(loop->epoll_fd, events, max, ms < INT_MAX ? (int)ms : INT_MAX);
}

int pk_curl_loop_wait(pk_curl_loop *loop, pk_wait *wait, struct epoll_event events[], int max) {
    uint64_t wait_ns = wait->until_ns > wait->now_ns ? wait->until_ns - wait->now_ns : 0;
    struct timespec most = {.tv_sec = (time_t)(wait_ns / 1000000000u),
                            .tv_nsec = (long)(wait_ns % 1000000000u)};
    bool for_ever = wait->until_ns == UINT64_MAX;
    int n = epoll_pwait2(loop->epoll_fd, events, max, for_ever ? NULL : &most, NULL);
    if (n < 0 && errno == ENOSYS) n = wait_ms(loop, wait_ns, events, max);
    wait->woke_ns = pk_now_ns();
    return n;
}

void pk_curl_loop_forget(pk_curl_loop *loop, int fd) {
    if ((size_t)fd >= loop->watched_count || loop->watched[fd].events == UNKNOWN) return;
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    loop->watched[fd].events = UNKNOWN;
}

/* An idle connection was closed or reset, or brought bytes that nobody asked for. libcurl looks at
 * it before it uses it again, but is content with all except a plain end: it would send into the
 * void, or take those bytes for the next answer. So make it a plain end. False: it was neither, but
 * the event is older than what libcurl has read since, when it worked on another one of the batch.
 */
static bool end_for_libcurl(int fd) {
    char unasked[4096];
    ssize_t n = recv(fd, unasked, sizeof unasked, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return false;
    for (int i = 0; i < UNASKED_READS_MAX && n > 0; i++)
        n = recv(fd, unasked, sizeof unasked, MSG_DONTWAIT);
    shutdown(fd, SHUT_RDWR);
    return true;
}

void pk_curl_loop_event(pk_curl_loop *loop, const struct epoll_event *event) {
    if (event->data.u64 == WAKE_TAG) return;
    size_t fd = (size_t)event->data.u64;
    uint32_t watched = fd < loop->watched_count ? loop->watched[fd].events : (uint32_t)UNKNOWN;
    if (watched == UNKNOWN) return; /* closed by an earlier event of this batch */
    if (watched & PARKED) {
        if (end_for_libcurl((int)fd)) pk_curl_loop_forget(loop, (int)fd);
        return;
    }
    int what = (event->events & EPOLLIN ? CURL_CSELECT_IN : 0) |
               (event->events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
               (event->events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
    act(&loop->lanes[loop->watched[fd].lane_idx], (curl_socket_t)fd, what);
}

void pk_curl_loop_count_retransmits(pk_curl_loop *loop, int fd) {
    struct tcp_info info;
    socklen_t bytes = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &bytes) < 0) return;
    loop->totals.retransmits_known = true;
    loop->totals.retransmits += info.tcpi_total_retrans;
}

int pk_curl_loop_on_close(void *context, curl_socket_t fd) {
    pk_curl_loop *loop = context;
    pk_curl_loop_count_retransmits(loop, fd);
    pk_curl_loop_forget(loop, fd);
    return close(fd);
}

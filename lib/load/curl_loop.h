/* libcurl's multi interface on epoll: what both engines need to drive transfers or connects.
 *
 * Handles share a multi in lanes of PK_CURL_LANE_SLOTS: looking for a connection, libcurl walks
 * over all that the multi has (ConnectionExists, ACTIVESOCKET, remove_handle), which at 10,000
 * connections cost more than the rest of a request.
 *
 * Invariants:
 *  (1) watched[fd] says what epoll watches for libcurl's fd; PARKED means that libcurl wants
 *      nothing now but the registration was kept: a kept-alive connection is asked for again with
 *      its next request, and that saves two epoll_ctl calls per request. A parked descriptor that
 *      becomes ready (the server closed it, or spoke out of turn) is unregistered, or
 *      level-triggered epoll would spin, and ended, so that libcurl does not use it again.
 *  (2) Closing a descriptor goes through the loop, which unregisters it: the number may come back
 *      as another socket, and a duplicate would keep the registration alive.
 *  (3) After each call into libcurl that may finish transfers, the finished ones are handed to
 *      on_done at once, so that no answer waits for the others of its batch. */
#ifndef PK_LOAD_CURL_LOOP_H
#define PK_LOAD_CURL_LOOP_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include "load/engine.h"

#define PK_CURL_LANE_SLOTS 64u
#define PK_CURL_LANE_FILES 2u        /* a multi handle's wake-up pair */
#define PK_LOOP_OWN_BIT (1ull << 63) /* marks epoll entries that are not the loop's */

typedef struct pk_curl_loop pk_curl_loop;

typedef struct pk_curl_lane {
    CURLM *multi;
    pk_curl_loop *loop;
    uint64_t timer_ns; /* when libcurl wants to be called; UINT64_MAX: not */
} pk_curl_lane;

typedef struct pk_curl_watch {
    uint32_t events; /* what epoll was told; 0: not registered */
    uint32_t lane_idx;
} pk_curl_watch;

struct pk_curl_loop {
    int epoll_fd;
    pk_curl_lane *lanes;
    uint32_t n_lanes;
    pk_curl_watch *watched; /* by descriptor */
    size_t watched_count;
    pk_engine_totals totals;
    /* A transfer has ended; the callback must take the handle out with pk_curl_loop_remove. */
    void (*on_done)(void *context, CURL *easy, CURLcode code);
    /* Or NULL. libcurl waits for this descriptor now, for this handle's sake. */
    void (*on_wait)(void *context, CURL *easy, int fd);
    void *context;
};

/* wake_fd is watched too, and nothing else is done with it. Call fini after a failure as well. */
bool pk_curl_loop_init(pk_curl_loop *loop, uint32_t n_slots, int wake_fd) PK_MUST_CHECK;
void pk_curl_loop_fini(pk_curl_loop *loop);

/* Starts a handle: sends its request or begins to connect before it returns. */
void pk_curl_loop_add(pk_curl_loop *loop, uint32_t slot, CURL *easy);
void pk_curl_loop_remove(pk_curl_loop *loop, uint32_t slot, CURL *easy);

/* The next moment at which libcurl wants to be called; UINT64_MAX: none. */
uint64_t pk_curl_loop_timer_ns(const pk_curl_loop *loop);
void pk_curl_loop_run_timers(pk_curl_loop *loop, uint64_t now_ns);

/* Returns epoll_pwait2's count. */
int pk_curl_loop_wait(pk_curl_loop *loop, pk_wait *wait, struct epoll_event events[], int max);
/* One event without PK_LOOP_OWN_BIT. */
void pk_curl_loop_event(pk_curl_loop *loop, const struct epoll_event *event);

/* The loop no longer watches this descriptor of libcurl's. */
void pk_curl_loop_forget(pk_curl_loop *loop, int fd);
/* Adds the socket's retransmits to the totals. */
void pk_curl_loop_count_retransmits(pk_curl_loop *loop, int fd);
/* For CURLOPT_CLOSESOCKETFUNCTION; the context is the loop. */
int pk_curl_loop_on_close(void *loop, curl_socket_t fd);

#endif

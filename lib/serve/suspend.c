#include "serve/suspend.h"

#include <microhttpd.h>
#include <poll.h>
#include <stdlib.h>
#include "base/units.h"
#include "timing/clock.h"

enum { FIRST_CAPACITY = 64 };

static uint64_t next_moment(const pk_wait *wait) {
    return wait->due_ns < wait->look_ns ? wait->due_ns : wait->look_ns;
}

static void sift_up(pk_wait **heap, size_t i) {
    pk_wait *moved = heap[i];
    while (i > 0) {
        size_t parent = (i - 1) / 2;
        if (next_moment(heap[parent]) <= next_moment(moved)) break;
        heap[i] = heap[parent];
        i = parent;
    }
    heap[i] = moved;
}

static void sift_down(pk_wait **heap, size_t count, size_t i) {
    pk_wait *moved = heap[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= count) break;
        if (child + 1 < count && next_moment(heap[child + 1]) < next_moment(heap[child])) child++;
        if (next_moment(moved) <= next_moment(heap[child])) break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = moved;
}

void pk_suspended_fini(pk_suspended *suspended) {
    free(suspended->heap);
    suspended->heap = NULL;
}

static bool has_room(pk_suspended *suspended) {
    if (suspended->count < suspended->capacity) return true;
    size_t capacity = suspended->capacity ? 2 * suspended->capacity : FIRST_CAPACITY;
    pk_wait **heap = reallocarray(suspended->heap, capacity, sizeof *heap);
    if (!heap) return false;
    suspended->heap = heap;
    suspended->capacity = capacity;
    return true;
}

bool pk_suspend(pk_suspended *suspended, pk_wait *wait, uint64_t due_ns) {
    if (suspended->closed || !has_room(suspended)) return false;
    MHD_suspend_connection(wait->mhd);
    wait->due_ns = due_ns;
    wait->look_ns = pk_now_ns() + PK_NS_PER_S;
    wait->client_left = false;
    suspended->heap[suspended->count] = wait;
    sift_up(suspended->heap, suspended->count++);
    return true;
}

/* The descriptor is open: MHD closes no suspended connection. A client that only shut its sending
 * side counts as gone too; the two look the same until something is sent. */
static bool client_has_left(int fd) {
    struct pollfd look = {.fd = fd, .events = POLLRDHUP};
    return poll(&look, 1, 0) > 0 && (look.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL));
}

static void resume_top(pk_suspended *suspended) {
    pk_wait *top = suspended->heap[0];
    suspended->heap[0] = suspended->heap[--suspended->count];
    if (suspended->count) sift_down(suspended->heap, suspended->count, 0);
    MHD_resume_connection(top->mhd);
}

uint64_t pk_suspended_next(const pk_suspended *suspended) {
    return suspended->count ? next_moment(suspended->heap[0]) : UINT64_MAX;
}

void pk_suspended_run(pk_suspended *suspended, uint64_t now_ns, bool endless) {
    if (endless) {
        for (size_t i = 0; i < suspended->count; i++)
            if (suspended->heap[i]->due_ns == PK_WAIT_FOR_EVER) suspended->heap[i]->due_ns = 0;
        for (size_t i = suspended->count / 2; i-- > 0;)
            sift_down(suspended->heap, suspended->count, i);
    }
    while (suspended->count && next_moment(suspended->heap[0]) <= now_ns) {
        pk_wait *top = suspended->heap[0];
        if (top->due_ns > now_ns) {
            top->client_left = client_has_left(top->fd);
            top->look_ns = now_ns + PK_NS_PER_S;
        }
        if (top->due_ns <= now_ns || top->client_left) resume_top(suspended);
        else sift_down(suspended->heap, suspended->count, 0);
    }
}

void pk_suspended_end(pk_suspended *suspended) {
    suspended->closed = true;
    while (suspended->count) resume_top(suspended);
}

#include "flame/feed.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/file.h"
#include "flame/record_queue.h"

/* What may wait. With whole stacks of two busy threads at 997 Hz two seconds of work of the sink;
 * usually stacks are a twentieth of that. */
#define WAITING_BYTES_MAX (256u << 20)
enum { BATCH = 64 };

struct pk_feed {
    const pk_perf_info *info;
    pk_record_sink *sink;
    void *context;
    pthread_t thread;
    int failed_fd;
    unsigned char compact[PK_RECORD_BYTES_MAX + 1 + sizeof(uint64_t)]; /* of who pushes */

    pthread_mutex_t lock; /* of all below */
    pthread_cond_t more;  /* there may be something for the sink */
    pk_record_queue queue;
    size_t waiting_bytes;
    bool closed, dropped, failed;
    pk_err err;
};

/* ---- stacks ---- */

size_t pk_record_compact(const pk_record *record, const unsigned char *bytes, size_t n,
                         unsigned char *out) {
    if (record->type != PK_RECORD_SAMPLE || !record->sample.stack) {
        memcpy(out, bytes, n);
        return n;
    }
    const pk_record_sample *sample = &record->sample;
    /* size, stack, how much of it is filled; the size before it was cut. Of an empty one a word is
     * kept: with a size of 0 it would be a sample that had none to copy. */
    const uint64_t filled = sample->stack_bytes, kept = filled > 0 ? (filled + 7) & ~7ull : 8,
                   stored = sample->stack_stored;
    size_t before = (size_t)(sample->stack - bytes) - sizeof kept;
    unsigned char *at = out;
    memcpy(at, bytes, before);
    memcpy(at += before, &kept, sizeof kept);
    memcpy(at += sizeof kept, sample->stack, kept);
    memcpy(at += kept, &filled, sizeof filled);
    memcpy(at += sizeof filled, &stored, sizeof stored);
    return (size_t)(at - out) + sizeof stored;
}

void pk_record_compact_parsed(pk_record *record) {
    if (record->type != PK_RECORD_SAMPLE || !record->sample.stack) return;
    uint64_t stored;
    memcpy(&stored, record->payload + record->bytes - PK_RECORD_HEADER_BYTES - sizeof stored,
           sizeof stored);
    record->sample.stack_stored = (size_t)stored;
}

/* ---- the sink's thread ---- */

static bool hand_over(pk_feed *feed, const pk_queued_record *queued, pk_err *err) {
    pk_record record;
    if (!pk_record_parse(&feed->info->events, queued->bytes, queued->n_bytes, &record, err))
        return false;
    pk_record_compact_parsed(&record);
    return feed->sink(feed->context, feed->info, &record, err);
}

static void fail(pk_feed *feed, const pk_err *err) {
    feed->failed = true;
    feed->err = *err;
    const uint64_t one = 1;
    (void)!pk_fd_write_all(feed->failed_fd, &one, sizeof one); /* the caller looks at failed too */
}

/* With the lock held, but not while the sink works. */
static void hand_over_batch(pk_feed *feed, const pk_queued_record batch[], size_t n) {
    pk_err err = {0};
    bool ok = !feed->failed && !feed->dropped;
    pthread_mutex_unlock(&feed->lock);
    for (size_t i = 0; i < n && ok; i++) ok = hand_over(feed, &batch[i], &err);
    pthread_mutex_lock(&feed->lock);
    if (!ok && err.kind != PK_OK) fail(feed, &err);
    for (size_t i = 0; i < n; i++) {
        feed->waiting_bytes -= batch[i].n_bytes;
        pk_record_queue_done(&feed->queue, &batch[i]);
    }
}

static void *feed_sink(void *context) {
    pk_feed *feed = context;
    pthread_mutex_lock(&feed->lock);
    for (;;) {
        pk_queued_record batch[BATCH];
        size_t n = 0;
        while (n < BATCH && pk_record_queue_pop(&feed->queue, &batch[n])) n++;
        if (n > 0) hand_over_batch(feed, batch, n);
        else if (feed->closed) break;
        else pthread_cond_wait(&feed->more, &feed->lock);
    }
    pthread_mutex_unlock(&feed->lock);
    return NULL;
}

/* ---- life ---- */

static void free_feed(pk_feed *feed) {
    pthread_mutex_destroy(&feed->lock);
    pthread_cond_destroy(&feed->more);
    pk_record_queue_fini(&feed->queue);
    if (feed->failed_fd >= 0) close(feed->failed_fd);
    free(feed);
}

pk_feed *pk_feed_start(const pk_perf_info *info, pk_record_sink *sink, void *context, pk_err *err) {
    pk_feed *feed = malloc(sizeof *feed);
    if (!feed) {
        pk_fail(err, PK_E_LIMIT, NULL, "not enough memory to record");
        return NULL;
    }
    *feed = (pk_feed){.info = info,
                      .sink = sink,
                      .context = context,
                      .failed_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    pthread_mutex_init(&feed->lock, NULL);
    pthread_cond_init(&feed->more, NULL);
    pk_record_queue_init(&feed->queue);
    int rc = feed->failed_fd < 0 ? errno : pthread_create(&feed->thread, NULL, feed_sink, feed);
    if (rc == 0) return feed;
    errno = rc;
    pk_fail(err, PK_E_SYS, NULL, "cannot start the recorder's thread");
    pk_fix(err, "raise the limits on processes and open files (ulimit -u, -n)");
    free_feed(feed);
    return NULL;
}

void pk_feed_close(pk_feed *feed) {
    pthread_mutex_lock(&feed->lock);
    pk_record_queue_end(&feed->queue);
    feed->closed = true;
    pthread_cond_signal(&feed->more);
    pthread_mutex_unlock(&feed->lock);
}

bool pk_feed_end(pk_feed *feed, pk_err *err) {
    pk_feed_close(feed);
    pthread_join(feed->thread, NULL);
    bool ok = !feed->failed;
    if (!ok) *err = feed->err;
    free_feed(feed);
    return ok;
}

void pk_feed_drop(pk_feed *feed) {
    if (!feed) return;
    pthread_mutex_lock(&feed->lock);
    feed->dropped = true;
    pthread_mutex_unlock(&feed->lock);
    pk_err ignored;
    (void)!pk_feed_end(feed, &ignored);
}

/* ---- the rings' side ---- */

bool pk_feed_push(pk_feed *feed, const pk_record *record, const unsigned char *bytes, size_t n,
                  pk_err *err) {
    size_t kept = pk_record_compact(record, bytes, n, feed->compact);
    uint64_t time_ns = record->time_ns == PK_TIME_NONE ? 0 : record->time_ns;
    bool ok = true;
    pthread_mutex_lock(&feed->lock);
    if (!feed->failed) {
        ok = pk_record_queue_push(&feed->queue, time_ns, feed->compact, kept, true, err);
        if (ok) feed->waiting_bytes += kept;
    }
    pthread_mutex_unlock(&feed->lock);
    return ok;
}

void pk_feed_round(pk_feed *feed) {
    pthread_mutex_lock(&feed->lock);
    pk_record_queue_round(&feed->queue);
    pthread_cond_signal(&feed->more);
    pthread_mutex_unlock(&feed->lock);
}

bool pk_feed_full(pk_feed *feed) {
    pthread_mutex_lock(&feed->lock);
    bool full = feed->waiting_bytes >= WAITING_BYTES_MAX && !feed->failed;
    pthread_mutex_unlock(&feed->lock);
    return full;
}

int pk_feed_fd(const pk_feed *feed) {
    return feed->failed_fd;
}

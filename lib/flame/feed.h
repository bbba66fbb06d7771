/* From the rings to the sink: records are put in order of time and handed on in a thread of their
 * own, so that a sink that takes its time (it opens files, it unwinds) does not keep the rings from
 * being emptied. Copied stacks are kept only as far as they are filled. */
#ifndef PK_FLAME_FEED_H
#define PK_FLAME_FEED_H

#include "flame/recorder.h"

typedef struct pk_feed pk_feed;

/* info must outlive it. NULL: no thread, no memory. */
pk_feed *pk_feed_start(const pk_perf_info *info, pk_record_sink *sink, void *context,
                       pk_err *err) PK_MUST_CHECK;
/* Takes a copy of a record that was parsed from bytes[0..n). After the sink has failed it does
 * nothing. False: out of memory. */
bool pk_feed_push(pk_feed *feed, const pk_record *record, const unsigned char *bytes, size_t n,
                  pk_err *err) PK_MUST_CHECK;
/* Every ring was emptied since the last call, up to some moment after it. */
void pk_feed_round(pk_feed *feed);
/* So much waits for the sink that the rings had better keep what they have. */
bool pk_feed_full(pk_feed *feed);
/* Readable when the sink has failed. */
int pk_feed_fd(const pk_feed *feed);

/* No more will come: the sink gets all that waits, while the caller goes on. */
void pk_feed_close(pk_feed *feed);
/* Waits until it has it all, closing if that was not done, and frees. False: the sink said so, and
 * *err is what it said. */
bool pk_feed_end(pk_feed *feed, pk_err *err) PK_MUST_CHECK;
/* Throws away what waits, and frees. NULL is fine. */
void pk_feed_drop(pk_feed *feed);

/* The parts of it that are about bytes. A sample whose stack is cut to what is filled: into
 * out[0..n], with what was asked for behind; returns its size. Other records are copied as they
 * are. out may hold n bytes more 8. */
size_t pk_record_compact(const pk_record *record, const unsigned char *bytes, size_t n,
                         unsigned char *out);
/* Sets what parsing such bytes again cannot tell: stack_stored. */
void pk_record_compact_parsed(pk_record *record);

#endif

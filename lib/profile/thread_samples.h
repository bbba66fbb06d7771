/* The samples of a profile, thread by thread: files of other programs want them so. */
#ifndef PK_PROFILE_THREAD_SAMPLES_H
#define PK_PROFILE_THREAD_SAMPLES_H

#include "base/strbuf.h"
#include "profile/profile.h"

typedef struct pk_thread_samples {
    uint32_t *order; /* numbers in profile->samples: those of thread t, by time, are
                        order[begin[t]..begin[t + 1]) */
    size_t *begin;   /* threads.count + 1 */
} pk_thread_samples;

/* False: out of memory. */
bool pk_thread_samples_init(pk_thread_samples *by_thread, const pk_profile *profile,
                            pk_err *err) PK_MUST_CHECK;
void pk_thread_samples_fini(pk_thread_samples *by_thread);
static inline const pk_profile_sample *pk_thread_sample(const pk_thread_samples *by_thread,
                                                        const pk_profile *profile, size_t i) {
    return &PK_AT(&profile->samples, pk_profile_sample, by_thread->order[i]);
}

#endif

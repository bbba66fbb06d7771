#include "profile/thread_samples.h"

#include <stdlib.h>

bool pk_thread_samples_init(pk_thread_samples *by_thread, const pk_profile *profile, pk_err *err) {
    size_t n = profile->samples.count, threads = profile->threads.count;
    size_t *begin = calloc(threads + 2, sizeof *begin);
    uint32_t *order = calloc(n ? n : 1, sizeof *order);
    if (!begin || !order) {
        free(begin);
        free(order);
        pk_fail(err, PK_E_LIMIT, NULL, "not enough memory for the samples of %zu threads", threads);
        return false;
    }
    /* begin[t + 2] counts thread t, then begin[t + 1] is where its next sample goes. */
    for (size_t i = 0; i < n; i++)
        begin[PK_AT(&profile->samples, pk_profile_sample, i).thread + 2]++;
    for (size_t t = 2; t < threads + 2; t++) begin[t] += begin[t - 1];
    for (size_t i = 0; i < n; i++)
        order[begin[PK_AT(&profile->samples, pk_profile_sample, i).thread + 1]++] = (uint32_t)i;
    *by_thread = (pk_thread_samples){order, begin};
    return true;
}

void pk_thread_samples_fini(pk_thread_samples *by_thread) {
    free(by_thread->order);
    free(by_thread->begin);
    *by_thread = (pk_thread_samples){0};
}

/* What `perf record` writes to standard error, as errors with what to do. */
#ifndef PK_FLAME_PERF_SAYS_H
#define PK_FLAME_PERF_SAYS_H

#include "base/error.h"
#include "base/process.h"
#include "flame/recorder.h"

/* perf ended, as `exit` tells, before or while it recorded, and left this text (may be empty). */
void pk_perf_says_fail(const pk_record_options *options, const char *text, const pk_exit *exit,
                       pk_err *err);

#endif

/* A recording into a profile: which recorder, and what it tells. */
#ifndef PK_FLAME_FLAME_RECORD_H
#define PK_FLAME_FLAME_RECORD_H

#include "flame/flame.h"

/* "perf" or "builtin" for these options, and why, in the profile's arena (recorder, recorder_reason
 * of *result). */
bool pk_flame_choose(const pk_flame_options *options, pk_flame_result *result,
                     pk_err *err) PK_MUST_CHECK;

/* Records, and collapses as records come: all but the names of the kernel is in *collapse, whose
 * profile result->profile is. Nothing was recorded: false. */
bool pk_flame_record(const pk_flame_options *options, const pk_collapse_options *collapse,
                     const pk_interrupt *interrupt, pk_flame_result *result,
                     pk_err *err) PK_MUST_CHECK;

#endif

/* A profile over time: one lane per thread, one below the other, all on one axis of time, so that
 * what ran beside what can be seen. Where a thread was not sampled, its lane has a gap. */
#ifndef PK_PROFILE_FLAME_CHART_H
#define PK_PROFILE_FLAME_CHART_H

#include "profile/flame_svg.h"
#include "profile/profile.h"

/* Were samples kept, and do all have times? */
bool pk_flame_chart_possible(const pk_profile *profile);
/* From profile->samples. A sample on the CPU stands for the time before
 * it, for as long as its weight is (if that is time), else 1 / frequency_hz, but not for time that
 * the one before it stands for; holes of less than half of that are closed, since the clock that
 * samples is not exact. A sample off the CPU stands for the time from it on. fg:x and fg:w are ns
 * from the first one's begin. Frames next to each other in time with the same callers are one. Of
 * style, max_frames is shared by the threads; times are always shown as such; in place of a
 * sequence of colours each name has its own, since it comes again. *left_out as in pk_flame_svg.
 * False: it is not possible (PK_E_INPUT), or out of memory. */
bool pk_flame_chart_svg(const pk_profile *profile, const pk_flame_style *style, pk_strbuf *out,
                        size_t *left_out, pk_err *err) PK_MUST_CHECK;

#endif

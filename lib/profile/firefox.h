/* A profile in the Firefox profiler's "processed profile" format, for https://profiler.firefox.com
 * (drop the file on the page): threads over time where the samples were kept in order, else all
 * stacks on one thread, one behind the other. docs/formats.md. */
#ifndef PK_PROFILE_FIREFOX_H
#define PK_PROFILE_FIREFOX_H

#include "base/strbuf.h"
#include "profile/profile.h"

/* False: more than out holds, or out of memory. */
bool pk_firefox(const pk_profile *profile, pk_strbuf *out, pk_err *err) PK_MUST_CHECK;

#endif

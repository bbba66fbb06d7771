/* A profile as a file for speedscope (https://www.speedscope.app/file-format-schema.json): type
 * "sampled"; one profile per thread where the samples were kept in order, else one of all stacks.
 */
#ifndef PK_PROFILE_SPEEDSCOPE_H
#define PK_PROFILE_SPEEDSCOPE_H

#include "base/strbuf.h"
#include "profile/profile.h"

/* name: of the profile, "perf.data"; NULL: the command. False: more than out holds, or out of
 * memory. */
bool pk_speedscope(const pk_profile *profile, const char *name, pk_strbuf *out,
                   pk_err *err) PK_MUST_CHECK;

#endif

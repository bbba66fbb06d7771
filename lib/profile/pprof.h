/* A profile for pprof: profile.proto (github.com/google/pprof), gzip'ed, as `go tool pprof` and
 * its kin read it. Values per stack: samples/count where they are known, and the weight. */
#ifndef PK_PROFILE_PPROF_H
#define PK_PROFILE_PPROF_H

#include "base/strbuf.h"
#include "profile/profile.h"

/* Binary. False: more than out holds, or out of memory. */
bool pk_pprof(const pk_profile *profile, pk_strbuf *out, pk_err *err) PK_MUST_CHECK;

#endif

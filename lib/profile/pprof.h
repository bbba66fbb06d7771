/* A profile for pprof: profile.proto (github.com/google/pprof), gzip'ed, as `go tool pprof` and
 * its kin read it. Values per stack: samples/count where they are known, and the weight. */
#ifndef PK_PROFILE_PPROF_H
#define PK_PROFILE_PPROF_H

#include "base/strbuf.h"
#include "profile/profile.h"

/* One of the values that every stack has. */
typedef struct pk_pprof_value {
    const char *type, *unit; /* "alloc_space", "bytes" */
    unsigned weight;         /* of the tree, each node's self */
    const uint64_t *by_node; /* instead of a weight, one per node of the tree; NULL */
} pk_pprof_value;

typedef struct pk_pprof_types {
    const pk_pprof_value *values;
    size_t n_values;
    const char *shown;                     /* the type that is shown unless asked otherwise */
    const char *period_type, *period_unit; /* of profile->period, where that is not 0 */
    const char *drop;  /* a regular expression: functions whose whole name it is are not shown, nor
                          what they call; NULL: none */
    const char *first; /* the path of the module that is the program; NULL: the first one */
} pk_pprof_types;

/* Binary. False: more than out holds, or out of memory. */
bool pk_pprof(const pk_profile *profile, pk_strbuf *out, pk_err *err) PK_MUST_CHECK;
/* The same with values of the caller's: the tree, modules, period, duration and command are the
 * profile's, what it says of its weight is not looked at. */
bool pk_pprof_values(const pk_profile *profile, const pk_pprof_types *types, pk_strbuf *out,
                     pk_err *err) PK_MUST_CHECK;

#endif

/* A profile for the terminal, and as JSON: functions by self and total, callers and callees,
 * modules. Times in ms, s where the profile counts time, else its own unit. Trees are summed. */
#ifndef PK_PROFILE_TOP_H
#define PK_PROFILE_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "profile/functions.h"
#include "profile/profile.h"
#include "report/json.h"

typedef struct pk_top_options {
    size_t rows; /* 0: all */
    pk_function_order order;
    bool colour;
    int width; /* of the terminal, in cells: longer names lose their end; 0: they do not */
} pk_top_options;

/* "self  %  total  %  function"; below it, how many more there are. A profile without samples
 * writes nothing. */
bool pk_top_functions(FILE *out, const pk_profile *profile, const pk_top_options *options,
                      pk_err *err) PK_MUST_CHECK;
/* Callers above, the function with self and total in the middle, callees below; one of callers and
 * callees may be left out. `function` as pk_functions_named takes it; PK_E_INPUT: there is none. */
bool pk_top_around(FILE *out, const pk_profile *profile, const char *function, bool callers,
                   bool callees, const pk_top_options *options, pk_err *err) PK_MUST_CHECK;
/* One row per module: frames, the share without a name, stacks that were lost there, what of
 * symbols, debug information and CFI it has. Nothing where no module is known. */
bool pk_top_modules(FILE *out, const pk_profile *profile, const pk_top_options *options,
                    pk_err *err) PK_MUST_CHECK;

/* Document "flame/1" (docs/formats.md), to which the caller may add before pk_json_write. Rows as
 * options say, around: NULL or a function whose callers and callees are wanted. NULL: out of
 * memory, or no such function. */
pk_json *pk_top_json(const pk_profile *profile, const pk_top_options *options, const char *around,
                     pk_err *err) PK_MUST_CHECK;

#endif

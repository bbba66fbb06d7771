/* perfkit compare, where what is compared are profiles: private to compare*.c. */
#ifndef PK_CMD_COMPARE_PROFILES_H
#define PK_CMD_COMPARE_PROFILES_H

#include <stdio.h>

#include "cli/command.h"
#include "profile/difference.h"

typedef struct compare_profiles_options {
    const char *before, *after; /* files */
    const char *output;         /* the picture of the difference; NULL: none */
    uint64_t rows;              /* of the table; 0: all */
    int order;                  /* pk_function_order */
    double alpha;
    bool json, colour;
} compare_profiles_options;

/* Is it a file with a profile: perf.data, folded stacks, a flame graph? */
bool compare_is_profile(const char *path);
/* Prints how much two profiles have, and which functions changed most, as a table or as JSON; their
 * trees need not be summed. names: of the files. Of options only strip_hex may be set. */
bool compare_print_changes(FILE *out, const pk_profile *const profiles[2],
                           const char *const names[2], const pk_difference_options *options,
                           const pk_difference_view *view, bool json, pk_err *err) PK_MUST_CHECK;

/* Prints the functions that changed most and writes the picture; returns the exit code. */
int compare_profiles(const compare_profiles_options *options, const pk_invocation *invocation,
                     pk_err *err);

#endif

/* Leaks that are known and wanted: which stacks they are, and whether what remains is too much. */
#ifndef PK_ALLOC_SUPPRESS_H
#define PK_ALLOC_SUPPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alloc/alloc.h"

typedef struct pk_alloc_suppressions pk_alloc_suppressions;

/* Lines "leak:PATTERN" of text[0..bytes), as LeakSanitizer and heaptrack have them: '#' begins a
 * comment, empty lines are passed over, blanks around are not part of it. A pattern is found
 * anywhere in the name of a function or of an object file; '*' stands for any text, '^' at its
 * start and '$' at its end hold it there. `where` is for errors: a line that is something else is
 * one (PK_E_INPUT). NULL: that, or out of memory. */
pk_alloc_suppressions *pk_alloc_suppressions_read(const char *where, const char *text, size_t bytes,
                                                  pk_err *err) PK_MUST_CHECK;
void pk_alloc_suppressions_free(pk_alloc_suppressions *all);

/* Does a pattern hold for this text? */
bool pk_alloc_pattern_matches(const char *pattern, const char *text);

typedef struct pk_alloc_leaks {
    uint64_t calls, bytes;                       /* that remain */
    uint64_t suppressed_calls, suppressed_bytes; /* by a pattern */
    bool known;                                  /* frees were followed */
    bool failed;                                 /* bytes > the limit */
} pk_alloc_leaks;

/* suppressions: NULL for none. limit_bytes: what --fail-on-leak allows; UINT64_MAX: anything. What
 * could not be counted never fails: known is false then. */
pk_alloc_leaks pk_alloc_judge_leaks(const pk_alloc_result *result,
                                    const pk_alloc_suppressions *suppressions,
                                    uint64_t limit_bytes);

#endif

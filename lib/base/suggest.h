/* "Did you mean": the name that a mistyped word is nearest to. */
#ifndef PK_BASE_SUGGEST_H
#define PK_BASE_SUGGEST_H

#include <stddef.h>

/* The name among names[0..n) nearest to `word` within Damerau-Levenshtein distance 2 (and less
 * than the word's length), or NULL. */
const char *pk_suggest(const char *word, const char *const names[], size_t n);

#endif

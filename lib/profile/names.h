/* Names of frames, each kept once: a profile has millions of frames and some thousand names. */
#ifndef PK_PROFILE_NAMES_H
#define PK_PROFILE_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct pk_names pk_names;
#define PK_NAME_NONE UINT32_MAX

/* limit_bytes bounds the texts. NULL: out of memory. */
pk_names *pk_names_new(size_t limit_bytes);
void pk_names_free(pk_names *names);
/* The number of text[0..bytes), the same for equal bytes; numbers count up from 0.
 * PK_NAME_NONE: out of memory or over the limit. */
uint32_t pk_names_intern(pk_names *names, const char *text, size_t bytes) PK_MUST_CHECK;
/* As above, but PK_NAME_NONE if it was never interned. */
uint32_t pk_names_find(const pk_names *names, const char *text, size_t bytes);
uint32_t pk_names_count(const pk_names *names);
/* NUL-terminated; valid until pk_names_free. bytes may be NULL. */
const char *pk_names_text(const pk_names *names, uint32_t name, size_t *bytes);

#endif

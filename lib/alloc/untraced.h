/* Programs that a counted one has started, or become, without the hook: static ones, privileged
 * ones, those of another libc. Seen only if they run for some time. */
#ifndef PK_ALLOC_UNTRACED_H
#define PK_ALLOC_UNTRACED_H

#include <stdbool.h>
#include <stdint.h>

#include "alloc/alloc.h"

typedef struct pk_untraced pk_untraced;

pk_untraced *pk_untraced_new(void); /* NULL: out of memory */
void pk_untraced_free(pk_untraced *untraced);

/* Has this process an image? */
typedef bool pk_untraced_known(const void *context, uint32_t pid);
/* Looks at a process that runs and has an image, of the program `exe`, and at its children. */
void pk_untraced_look(pk_untraced *untraced, uint32_t pid, const char *exe,
                      pk_untraced_known *known, const void *context);
/* A process has an image (now). */
void pk_untraced_forget(pk_untraced *untraced, uint32_t pid);
/* How many were seen at two looks. */
size_t pk_untraced_count(const pk_untraced *untraced);
/* A note with their names, if there are any. */
void pk_untraced_note(const pk_untraced *untraced, pk_alloc_result *result);

#endif

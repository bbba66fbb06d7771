/* The limit on open files. */
#ifndef PK_BASE_DESCRIPTORS_H
#define PK_BASE_DESCRIPTORS_H

#include <stdbool.h>
#include <sys/resource.h>

/* Raises the soft limit to the hard one, for the whole process. *before (may be NULL): what it was,
 * for setrlimit(2). False: there is nothing to raise, or it may not be. */
bool pk_descriptors_raise(struct rlimit *before);

#endif

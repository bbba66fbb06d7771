/* Files that a tool writes as its result. */
#ifndef PK_CMD_OUTPUT_H
#define PK_CMD_OUTPUT_H

#include "base/file.h"

/* Who called sudo, where it runs us as root: new files are theirs. False: nobody. */
bool output_owner(pk_file_owner *owner);
/* pk_file_replace, for the one who called. */
bool output_write(const char *path, const void *data, size_t bytes, pk_err *err) PK_MUST_CHECK;

#endif

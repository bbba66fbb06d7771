/* Whole files: read with a bound, replaced atomically. */
#ifndef PK_BASE_FILE_H
#define PK_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"
#include "base/strbuf.h"

/* Appends the file's bytes to *out; "-" reads standard input. More than max_bytes is an error. */
bool pk_file_read(const char *path, size_t max_bytes, pk_strbuf *out, pk_err *err) PK_MUST_CHECK;

/* Writes data[0..bytes) to a temporary file beside `path`, syncs, renames. Afterwards `path` holds
 * either the old content or all of the new; no temporary is left. Devices, pipes and other
 * non-regular files (such as /dev/stdout) are written to directly. Keeps an existing file's mode;
 * follows a symbolic link and replaces what it points at. */
bool pk_file_replace(const char *path, const void *data, size_t bytes, pk_err *err) PK_MUST_CHECK;

/* Writes everything to fd, going on after short writes and EINTR. False keeps errno. */
bool pk_fd_write_all(int fd, const void *data, size_t bytes) PK_MUST_CHECK;

#endif

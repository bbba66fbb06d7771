/* Whole files: read with a bound, replaced atomically. */
#ifndef PK_BASE_FILE_H
#define PK_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "base/error.h"
#include "base/strbuf.h"

/* Appends the file's bytes to *out; "-" reads standard input. More than max_bytes is an error. */
bool pk_file_read(const char *path, size_t max_bytes, pk_strbuf *out, pk_err *err) PK_MUST_CHECK;

/* The same from an open descriptor, from where it stands; `where` names it in errors. */
bool pk_fd_read_all(int fd, const char *where, size_t max_bytes, pk_strbuf *out,
                    pk_err *err) PK_MUST_CHECK;

/* Writes data[0..bytes) to a temporary file beside `path`, syncs, renames. Afterwards `path` holds
 * either the old content or all of the new; no temporary is left. An existing file keeps its mode
 * and, as far as we may, its owner; one without write permission is not replaced; its other hard
 * links keep the old content. A symbolic link is followed and stays. Devices, pipes and inherited
 * descriptors (/dev/stdout) are written to directly. */
bool pk_file_replace(const char *path, const void *data, size_t bytes, pk_err *err) PK_MUST_CHECK;

typedef struct pk_file_owner {
    uid_t user;
    gid_t group;
} pk_file_owner;
/* The same for somebody else (NULL: for us): a file that was not there before is theirs, as far as
 * we may. */
bool pk_file_replace_for(const char *path, const void *data, size_t bytes,
                         const pk_file_owner *owner, pk_err *err) PK_MUST_CHECK;

/* Makes a folder and those above it (mode 0777 & ~umask); content with what is there already. */
bool pk_folder_make(const char *path, pk_err *err) PK_MUST_CHECK;

/* Writes everything to fd, going on after short writes and EINTR. False keeps errno. */
bool pk_fd_write_all(int fd, const void *data, size_t bytes) PK_MUST_CHECK;

#endif

/* Files below one directory, and nothing outside of it. */
#ifndef PK_SERVE_STATIC_FILES_H
#define PK_SERVE_STATIC_FILES_H

#include <stdbool.h>

typedef enum pk_beneath { PK_BENEATH_KERNEL, PK_BENEATH_WALK } pk_beneath;

/* Opens path (relative, without a slash in front) below the directory, read-only and without
 * blocking on pipes. -1 and errno: not there, or outside. By KERNEL (openat2 with RESOLVE_BENEATH,
 * Linux 5.6) symbolic links are followed as long as they stay below; where that call is missing it
 * is done by WALK, name by name, following no link at all. */
int pk_open_beneath(int directory, const char *path, pk_beneath how);

/* May this decoded request path ("/a/b.txt") name a file? No empty, "." or ".." part, no part that
 * begins with a dot (.git, .env), no backslash. Pure. */
bool pk_static_path_allowed(const char *path);

#endif

/* The programs that bench brings along, and private copies of objects, as paths that another
 * process can open, without a file left behind whatever happens.
 *
 * A pk_program is a descriptor of sealed memory (memfd_create) and the path /proc/self/fd/N, which
 * is the same file in every child that inherits the descriptor: it is not close-on-exec. Where the
 * system forbids to execute such memory (vm.memfd_noexec), an unlinked file in /tmp or /var/tmp
 * serves, with the same kind of path. */
#ifndef PK_BENCH_PROGRAM_H
#define PK_BENCH_PROGRAM_H

#include "base/error.h"

typedef struct pk_program {
    int fd; /* -1: none */
    char path[32];
} pk_program;
#define PK_PROGRAM_NONE ((pk_program){.fd = -1})

/* The worker program, to be started as argv[0] = path. */
bool pk_program_worker(pk_program *program, pk_err *err) PK_MUST_CHECK;
/* The built-in suite, a shared object to be named in a job. */
bool pk_program_suite(pk_program *program, pk_err *err) PK_MUST_CHECK;
/* The suite's bytes, for hashing and for the store. */
const void *pk_program_suite_data(size_t *bytes);
/* A copy of the object at `path`, so that two sides of a comparison are two files: dlopen gives one
 * handle for one file (same device and inode), however it is named. An object that finds libraries
 * beside itself ($ORIGIN) does not find them from a copy, so copy only then. */
bool pk_program_copy(const char *path, pk_program *program, pk_err *err) PK_MUST_CHECK;
/* The same from memory. */
bool pk_program_of(const void *data, size_t bytes, pk_program *program, pk_err *err) PK_MUST_CHECK;
/* Closes; does nothing when there is none. */
void pk_program_close(pk_program *program);

#endif

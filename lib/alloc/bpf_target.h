/* Where the functions that allocate lie in a running process. */
#ifndef PK_ALLOC_BPF_TARGET_H
#define PK_ALLOC_BPF_TARGET_H

#include <stdint.h>
#include <sys/types.h>

#include "alloc/image.h"
#include "base/error.h"

#define PK_BPF_ENTRIES_MAX 32
#define PK_BPF_PATH_BYTES 4400

typedef struct pk_bpf_entry {
    uint64_t offset;  /* in the file */
    uint8_t function; /* pk_alloc_function */
} pk_bpf_entry;

typedef struct pk_bpf_entries {
    char path[PK_BPF_PATH_BYTES];   /* by which the kernel finds the file, also a deleted one */
    char object[PK_BPF_PATH_BYTES]; /* as the process has it */
    pk_bpf_entry entries[PK_BPF_ENTRIES_MAX];
    size_t n;
} pk_bpf_entries;

/* Those of the process's allocator: of the executable where it has its own, else of a library that
 * stands in for libc, else of libc. With `function` ("LIB:SYMBOL"; LIB is a file's name, without
 * ".so..." or with, or its path, or nothing) that one. False: the process is gone or not ours to
 * see, it is 32-bit, or has no such function. */
bool pk_bpf_entries_find(pid_t pid, const char *function, pk_bpf_entries *found,
                         pk_err *err) PK_MUST_CHECK;

/* Does LIB of "LIB:SYMBOL" mean the file at `path`? */
bool pk_bpf_is_library(const char *lib, size_t bytes, const char *path);

#endif

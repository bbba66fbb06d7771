/* What a process has mapped, as the program in the kernel wants to know it: looked at again and
 * again, since programs load more. Each file's call frame information is handed over once. */
#ifndef PK_ALLOC_BPF_SPACE_H
#define PK_ALLOC_BPF_SPACE_H

#include "alloc/bpf_probe.h"
#include "base/array.h"
#include "profile/debug_file.h"

typedef struct pk_bpf_tables pk_bpf_tables;

/* Both must outlive it. NULL: out of memory. */
pk_bpf_tables *pk_bpf_tables_new(pk_bpf_probe *probe, const pk_debug_folders *folders, pk_err *err);
void pk_bpf_tables_free(pk_bpf_tables *tables);

typedef struct pk_bpf_snapshot { /* the executable lines of /proc/PID/maps, at a moment */
    char *text;
    size_t bytes;
    uint32_t era; /* moves on when a file was unmapped: then addresses may mean something else */
} pk_bpf_snapshot;

typedef struct pk_bpf_space {
    pid_t pid;
    uint32_t index;     /* the process's number */
    uint32_t n_spaces;  /* handed over so far, of this process */
    pk_array snapshots; /* pk_bpf_snapshot, as they came */
    bool too_often;     /* it changes more often than can be followed: no more is handed over */
    uint32_t left_out;  /* mappings for which there was no room */
} pk_bpf_space;

void pk_bpf_space_init(pk_bpf_space *space, pid_t pid, uint32_t index);
void pk_bpf_space_fini(pk_bpf_space *space);

/* Looks, and hands over what has changed. *changed: there is a new snapshot, or the first. A
 * process that has ended has not changed. False: the kernel refuses, or no memory. */
bool pk_bpf_space_look(pk_bpf_tables *tables, pk_bpf_space *space, bool *changed,
                       pk_err *err) PK_MUST_CHECK;

/* The executable lines of a text of /proc/PID/maps, in place; returns how many bytes are left. */
size_t pk_bpf_code_lines(char *text, size_t bytes);
/* Was a file in `before` that is not in `after` as it was? Both as pk_bpf_code_lines leaves them.
 */
bool pk_bpf_unmapped(const pk_bpf_snapshot *before, const pk_bpf_snapshot *after);

#endif

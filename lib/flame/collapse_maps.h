/* What a recording says of processes and of the kernel, kept as address spaces and modules. */
#ifndef PK_FLAME_COLLAPSE_MAPS_H
#define PK_FLAME_COLLAPSE_MAPS_H

#include "base/array.h"
#include "flame/collapse.h"
#include "flame/perf_data.h"
#include "profile/address_space.h"
#include "profile/kallsyms.h"
#include "profile/modules.h"
#include "profile/names.h"

/* Of threads that ended before their last sample was taken perf_event_open(2) says -1, which is the
 * kernel's number in MMAP records. */
#define PK_PID_NOBODY (UINT32_MAX - 1)

typedef struct pk_collapse_maps {
    pk_spaces *spaces;
    pk_modules *modules;
    pk_names *names; /* the caller's, for the names of threads */
    const pk_debug_folders *folders;
    pk_kallsyms *kallsyms;     /* NULL: none, or not yet */
    pk_kallsyms *own_kallsyms; /* read here */
    const char *kallsyms_path;
    bool kernel_done; /* kallsyms are as they will be */
    bool has_text;    /* the recording says where the kernel lay: at `text` */
    uint64_t text;
    uint8_t kernel_id[PK_BUILD_ID_MAX];
    size_t kernel_id_bytes;
    pk_names *files;    /* with build-ids; their numbers below build_ids.count have one each */
    pk_array build_ids; /* size_t, of info->build_ids */
    size_t n_known;     /* of info->build_ids, taken so far */
} pk_collapse_maps;

/* folders, kallsyms and kallsyms_path as in pk_collapse_options. False: out of memory; fini is
 * right then as well. */
bool pk_collapse_maps_init(pk_collapse_maps *maps, const pk_collapse_options *options,
                           pk_names *names, pk_err *err) PK_MUST_CHECK;
void pk_collapse_maps_fini(pk_collapse_maps *maps);

/* MMAP, MMAP2, FORK, COMM, EXIT and KSYMBOL; others change nothing. */
bool pk_collapse_maps_record(pk_collapse_maps *maps, const pk_perf_info *info,
                             const pk_record *record, pk_err *err) PK_MUST_CHECK;

/* The kernel's functions, read now if they were not given; NULL: there are none that fit. */
const pk_kallsyms *pk_collapse_maps_kernel(pk_collapse_maps *maps);

#endif

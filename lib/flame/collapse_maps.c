#include "flame/collapse_maps.h"

#include <string.h>

#include "flame/kernel_symbols.h"

#define FILES_BYTES_MAX (256u << 20)
#define FILES_MAX (1u << 20)
#define KERNEL "[kernel.kallsyms]"
/* Where the kernel of a 64-bit machine lies (Documentation/arch/x86/x86_64/mm.rst, arm64/memory):
 * in the upper half. */
#define KERNEL_BEGIN (UINT64_C(1) << 63)

static bool no_memory(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "not enough memory for the files of all processes");
    return false;
}

/* ---- build-ids ---- */

/* The build-ids that came to be known since the last call. The first one of a file is kept. */
static bool take_build_ids(pk_collapse_maps *maps, const pk_perf_info *info) {
    for (; maps->n_known < info->n_build_ids; maps->n_known++) {
        const char *file = info->build_ids[maps->n_known].file;
        uint32_t number = pk_names_intern(maps->files, file, strlen(file));
        if (number == PK_NAME_NONE) return false;
        if (number < maps->build_ids.count) continue;
        size_t *index = pk_array_push(&maps->build_ids);
        if (!index) return false;
        *index = maps->n_known;
    }
    return true;
}

static bool find_build_id(pk_collapse_maps *maps, const pk_perf_info *info, pk_module_id *id) {
    if (!take_build_ids(maps, info)) return false;
    if (maps->build_ids.count == 0) return true;
    uint32_t number = pk_names_find(maps->files, id->path, strlen(id->path));
    if (number == PK_NAME_NONE) return true;
    size_t index = PK_AT(&maps->build_ids, size_t, number);
    id->build_id = info->build_ids[index].id;
    id->build_id_bytes = info->build_ids[index].id_bytes;
    return true;
}

/* ---- maps ---- */

static bool map_module(pk_collapse_maps *maps, uint32_t pid, pk_map *map, const pk_module_id *id,
                       pk_err *err) {
    map->file = pk_modules_number(maps->modules, id);
    if (map->file == UINT32_MAX) return no_memory(err);
    return pk_spaces_map(maps->spaces, pid, map, err);
}

/* "[kernel.kallsyms]_text": behind the name stands the symbol whose address is the map's offset. */
static bool map_kernel(pk_collapse_maps *maps, const pk_perf_info *info, pk_map *map,
                       pk_module_id *id, pk_err *err) {
    bool itself = strncmp(id->path, KERNEL, strlen(KERNEL)) == 0;
    if (itself && strcmp(id->path + strlen(KERNEL), "_text") == 0) {
        maps->has_text = true;
        maps->text = map->offset;
    }
    if (itself) id->path = KERNEL;
    id->kernel = true;
    if (id->build_id_bytes == 0 && !find_build_id(maps, info, id)) return no_memory(err);
    if (itself && id->build_id_bytes > 0) {
        memcpy(maps->kernel_id, id->build_id, id->build_id_bytes);
        maps->kernel_id_bytes = id->build_id_bytes;
        id->build_id_bytes = 0; /* there is but one */
    }
    return map_module(maps, PK_PID_KERNEL, map, id, err);
}

static bool take_map(pk_collapse_maps *maps, const pk_perf_info *info, const pk_record *record,
                     pk_err *err) {
    const pk_record_mmap *m = &record->mmap;
    if (!m->executable || m->bytes > UINT64_MAX - m->address) return true;
    pk_map map = {.begin = m->address, .end = m->address + m->bytes, .offset = m->offset};
    pk_module_id id = {.path = m->file,
                       .build_id = m->build_id,
                       .build_id_bytes = m->build_id_bytes,
                       .pid = record->pid};
    if (record->pid == PK_PID_KERNEL) return map_kernel(maps, info, &map, &id, err);
    if (id.build_id_bytes == 0 && !find_build_id(maps, info, &id)) return no_memory(err);
    return map_module(maps, record->pid, &map, &id, err);
}

/* A program of BPF, a trampoline, ...: a piece of kernel code with a name. What comes to lie there
 * later takes its place, so its end says nothing new. */
static bool take_ksymbol(pk_collapse_maps *maps, const pk_record *record, pk_err *err) {
    uint64_t begin = record->ksymbol.address;
    if (record->ksymbol.gone || record->ksymbol.bytes > UINT64_MAX - begin) return true;
    pk_map map = {.begin = begin, .end = begin + record->ksymbol.bytes};
    pk_module_id id = {.path = record->ksymbol.name, .kernel = true};
    return map_module(maps, PK_PID_KERNEL, &map, &id, err);
}

static bool take_comm(pk_collapse_maps *maps, const pk_record *record, pk_err *err) {
    uint32_t name = pk_names_intern(maps->names, record->comm.name, strlen(record->comm.name));
    if (name == PK_NAME_NONE) return no_memory(err);
    return pk_spaces_comm(maps->spaces, record->pid, record->tid, name, record->comm.exec, err);
}

/* ---- life ---- */

bool pk_collapse_maps_init(pk_collapse_maps *maps, const pk_collapse_options *options,
                           pk_names *names, pk_err *err) {
    *maps = (pk_collapse_maps){.spaces = pk_spaces_new(),
                               .modules = pk_modules_new(options->folders),
                               .names = names,
                               .folders = options->folders,
                               .kallsyms = options->kallsyms,
                               .kallsyms_path = options->kallsyms_path,
                               .files = pk_names_new(FILES_BYTES_MAX),
                               .build_ids = PK_ARRAY(size_t, FILES_MAX)};
    if (!maps->spaces || !maps->modules || !maps->files) return no_memory(err);
    /* Recordings need not say where the kernel is: it is known. */
    pk_map map = {.begin = KERNEL_BEGIN, .end = UINT64_MAX};
    pk_module_id id = {.path = KERNEL, .kernel = true};
    return map_module(maps, PK_PID_KERNEL, &map, &id, err);
}

void pk_collapse_maps_fini(pk_collapse_maps *maps) {
    pk_spaces_free(maps->spaces);
    pk_modules_free(maps->modules);
    pk_names_free(maps->files);
    pk_array_fini(&maps->build_ids);
    pk_kallsyms_free(maps->own_kallsyms);
    *maps = (pk_collapse_maps){0};
}

bool pk_collapse_maps_record(pk_collapse_maps *maps, const pk_perf_info *info,
                             const pk_record *record, pk_err *err) {
    switch ((int)record->type) {
    case PK_RECORD_MMAP:
    case PK_RECORD_MMAP2:
        return take_map(maps, info, record, err);
    case PK_RECORD_COMM:
        return take_comm(maps, record, err);
    case PK_RECORD_FORK:
        return pk_spaces_fork(maps->spaces, record->pid, record->tid, record->fork.parent_pid,
                              record->fork.parent_tid, err);
    case PK_RECORD_EXIT:
        pk_spaces_exit(maps->spaces, record->pid, record->tid);
        return true;
    case PK_RECORD_KSYMBOL:
        return take_ksymbol(maps, record, err);
    default:
        return true;
    }
}

const pk_kallsyms *pk_collapse_maps_kernel(pk_collapse_maps *maps) {
    if (maps->kernel_done) return maps->kallsyms;
    maps->kernel_done = true;
    if (!maps->kallsyms) {
        pk_kernel_id id = {maps->kernel_id, maps->kernel_id_bytes};
        maps->own_kallsyms =
            pk_kernel_symbols_find(&id, maps->folders, maps->kallsyms_path, "/sys/kernel/notes");
        maps->kallsyms = maps->own_kallsyms;
    }
    if (maps->kallsyms && maps->has_text && !pk_kallsyms_relocate(maps->kallsyms, maps->text))
        maps->kallsyms = NULL;
    return maps->kallsyms;
}

/* The files that programs have mapped: each opened once, its symbols, inlined functions and call
 * frame information made when they are first asked for. A module's number is what pk_map.file of an
 * address space holds. Not thread-safe. */
#ifndef PK_PROFILE_MODULES_H
#define PK_PROFILE_MODULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "profile/cfi.h"
#include "profile/debug_file.h"
#include "profile/elf_image.h"
#include "profile/inlines.h"
#include "profile/symbols.h"

typedef enum pk_module_state {
    PK_MODULE_READY,
    PK_MODULE_NOT_A_FILE, /* "[heap]", "//anon", "[stack]", "/memfd:...": code made at run time */
    PK_MODULE_KERNEL,     /* the kernel or one of its modules */
    PK_MODULE_MISSING,    /* cannot be opened (now) */
    PK_MODULE_CHANGED,    /* has another build-id than was recorded: not used */
    PK_MODULE_NOT_ELF,
} pk_module_state;

typedef struct pk_module_id {
    const char *path; /* as the recording has it, " (deleted)" and all */
    const uint8_t *build_id;
    size_t build_id_bytes; /* 0: not known */
    uint32_t pid;          /* whose file it is: looked up in its root while it lives; 0: nobody's,
                              looked up here */
    bool kernel;
} pk_module_id;

/* Where a module's call frame information is, for code at addresses of the file's own numbering. */
typedef struct pk_module_cfi {
    pk_cfi_section section; /* n_bytes 0: it has none */
    const uint8_t *header;  /* .eh_frame_hdr; NULL: none */
    size_t header_bytes;
    uint64_t header_address;
} pk_module_cfi;

typedef struct pk_modules pk_modules;

/* folders as pk_debug_file_open takes them; they must outlive the modules. NULL: out of memory. */
pk_modules *pk_modules_new(const pk_debug_folders *folders);
void pk_modules_free(pk_modules *modules);

/* The number of a file: the same for the same path and build-id, unless the process lives in
 * another root or mount namespace than ours, where the path may be another file. What may be gone
 * with its process (such a file, or a deleted one) is opened at once. UINT32_MAX: out of memory. */
uint32_t pk_modules_number(pk_modules *modules, const pk_module_id *id) PK_MUST_CHECK;
uint32_t pk_modules_count(const pk_modules *modules);

const char *pk_module_path(const pk_modules *modules, uint32_t module);
const char *pk_module_name(const pk_modules *modules, uint32_t module); /* the path's last part */
/* Opens it, if nobody has yet: what its process sees, or the path, or by its build-id what lies in
 * the folders. "[vdso]" is our own, where build-ids agree or none was recorded. */
pk_module_state pk_module_open(pk_modules *modules, uint32_t module);
/* NULL where the module is not PK_MODULE_READY, or out of memory. */
const pk_elf_image *pk_module_image(pk_modules *modules, uint32_t module);
const pk_symbols *pk_module_symbols(pk_modules *modules, uint32_t module);
pk_inlines *pk_module_inlines(pk_modules *modules, uint32_t module);
/* Of .eh_frame; empty for 32-bit files. */
const pk_module_cfi *pk_module_cfi_of(pk_modules *modules, uint32_t module);

#endif

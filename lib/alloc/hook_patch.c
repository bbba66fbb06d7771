/* The slots of objects that are loaded already: the relocations by which they call the allocator.
 */
#include "alloc/hook_patch.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))
#define PAGE 4096u
#define SEGMENTS_MAX 64u

EXPORTED pk_hook_control pk_alloc_hook_control = {.hook = &pk_hook};

/* ---- what stands in for what ---- */

/* A caller is searched by the loader for where it looks (DT_RUNPATH) and for $ORIGIN; so what it
 * must see is called as if by the program itself, and what was loaded is patched with the next one.
 */
void *pk_hook_dlopen(const char *file, int mode) PK_HIDDEN;
bool pk_hook_dlopen_is_plain(const char *file, int mode, const void *caller) PK_HIDDEN;
void *pk_hook_dlopen_and_patch(const char *file, int mode) PK_HIDDEN;
void *(*pk_hook_real_dlopen)(const char *, int)PK_HIDDEN;

__asm__(".text\n"
        ".globl pk_hook_dlopen\n"
        ".hidden pk_hook_dlopen\n"
        ".type pk_hook_dlopen, @function\n"
        "pk_hook_dlopen:\n"
        ".cfi_startproc\n"
        "endbr64\n"
        "pushq %rdi\n"
        ".cfi_adjust_cfa_offset 8\n"
        "pushq %rsi\n"
        ".cfi_adjust_cfa_offset 8\n"
        "subq $8, %rsp\n"
        ".cfi_adjust_cfa_offset 8\n"
        "movq 24(%rsp), %rdx\n"
        "call pk_hook_dlopen_is_plain\n"
        "addq $8, %rsp\n"
        ".cfi_adjust_cfa_offset -8\n"
        "popq %rsi\n"
        ".cfi_adjust_cfa_offset -8\n"
        "popq %rdi\n"
        ".cfi_adjust_cfa_offset -8\n"
        "testb %al, %al\n"
        "jne pk_hook_dlopen_and_patch\n"
        "jmp *pk_hook_real_dlopen(%rip)\n"
        ".cfi_endproc\n"
        ".size pk_hook_dlopen, .-pk_hook_dlopen\n");

/* The linker binds these to ours (-Bsymbolic-functions), whatever the program has. */
#define SAME(name) \
    { #name, (void (*)(void))name }

static const struct {
    const char *name;
    void (*ours)(void);
} stand_ins[] = {
    SAME(malloc),       SAME(free),
    SAME(calloc),       SAME(realloc),
    SAME(reallocarray), SAME(aligned_alloc),
    SAME(memalign),     SAME(posix_memalign),
    SAME(valloc),       SAME(pvalloc),
    SAME(dlclose),      SAME(_exit),
    SAME(_Exit),        {"dlopen", (void (*)(void))pk_hook_dlopen},
};
#define N_STAND_INS (sizeof stand_ins / sizeof *stand_ins)

/* ---- one object ---- */

typedef struct object {
    uint64_t base, begin, end;       /* end: of its last segment */
    uint64_t relro_begin, relro_end; /* whole pages that were made read-only */
    const ElfW(Sym) * symbols;
    const char *names;
    const ElfW(Rela) * tables[2];
    uint64_t n[2];
} object;

typedef struct pass {
    const void *real[N_STAND_INS]; /* what the program calls now; NULL: nothing of this name */
    uint64_t loader, vdso, self;   /* bases of objects that are let alone */
    int error;
} pass;

/* glibc has made addresses of most of these, but not where the section is read-only. */
static uint64_t address_in(const object *o, uint64_t value) {
    return value < o->base ? o->base + value : value;
}

static void read_dynamic(object *o, const ElfW(Dyn) * d) {
    uint64_t bytes[2] = {0, 0};
    for (; d->d_tag != DT_NULL; d++) {
        uint64_t at = address_in(o, d->d_un.d_ptr);
        if (d->d_tag == DT_SYMTAB) o->symbols = (const void *)at;
        else if (d->d_tag == DT_STRTAB) o->names = (const void *)at;
        else if (d->d_tag == DT_RELA) o->tables[0] = (const void *)at;
        else if (d->d_tag == DT_RELASZ) bytes[0] = d->d_un.d_val;
        else if (d->d_tag == DT_JMPREL) o->tables[1] = (const void *)at;
        else if (d->d_tag == DT_PLTRELSZ) bytes[1] = d->d_un.d_val;
    }
    for (int i = 0; i < 2; i++) o->n[i] = o->tables[i] ? bytes[i] / sizeof(ElfW(Rela)) : 0;
}

static bool read_object(object *o, const struct dl_phdr_info *info) {
    const ElfW(Dyn) *dynamic = NULL;
    *o = (object){.base = info->dlpi_addr, .begin = UINT64_MAX};
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        uint64_t begin = o->base + p->p_vaddr, end = begin + p->p_memsz;
        if (p->p_type == PT_DYNAMIC) dynamic = (const void *)begin;
        if (p->p_type == PT_LOAD && begin < o->begin) o->begin = begin;
        if (p->p_type == PT_LOAD && end > o->end) o->end = end;
        if (p->p_type == PT_GNU_RELRO) {
            o->relro_begin = begin & ~(uint64_t)(PAGE - 1);
            o->relro_end = end & ~(uint64_t)(PAGE - 1);
        }
    }
    if (dynamic) read_dynamic(o, dynamic);
    return o->symbols && o->names;
}

/* ---- one slot ---- */

static bool note_slot(uint64_t at, uint64_t ours, uint64_t before) {
    pk_hook_control *c = &pk_alloc_hook_control;
    uint64_t n = atomic_load(&c->n_slots), i = 0;
    while (i < n && c->slots[i].at != at) i++;
    if (i == PK_HOOK_SLOTS_MAX) return false;
    c->slots[i] = (pk_hook_slot){at, ours, before};
    if (i == n) atomic_store(&c->n_slots, n + 1);
    return true;
}

/* Only what leads to the allocator that we call: an object may have been bound to another one. A
 * slot that was not used yet leads back into its object. */
static bool leads_to(const object *o, const ElfW(Rela) * r, uint64_t now, const void *real) {
    if (now == (uint64_t)real) return true;
    return ELF64_R_TYPE(r->r_info) == R_X86_64_JUMP_SLOT && now >= o->begin && now < o->end &&
           o->symbols[ELF64_R_SYM(r->r_info)].st_shndx == SHN_UNDEF;
}

static void write_slot(const object *o, uint64_t at, uint64_t value, pass *p) {
    void *page = (void *)(at & ~(uint64_t)(PAGE - 1));
    bool read_only = at >= o->relro_begin && at < o->relro_end;
    if (read_only && mprotect(page, PAGE, PROT_READ | PROT_WRITE) < 0) {
        p->error = errno;
        return;
    }
    atomic_store((_Atomic uint64_t *)at, value);
    if (read_only) mprotect(page, PAGE, PROT_READ);
}

static void take_relocation(const object *o, const ElfW(Rela) * r, pass *p) {
    uint64_t type = ELF64_R_TYPE(r->r_info), at = o->base + r->r_offset;
    if ((type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT && type != R_X86_64_64) ||
        r->r_addend != 0 || at % sizeof(uint64_t) != 0 || at < o->begin || at >= o->end)
        return;
    const char *name = o->names + o->symbols[ELF64_R_SYM(r->r_info)].st_name;
    for (size_t i = 0; i < N_STAND_INS && atomic_load(&pk_hook.active); i++) {
        if (!p->real[i] || strcmp(name, stand_ins[i].name) != 0) continue;
        uint64_t now = atomic_load((_Atomic uint64_t *)at), ours = (uint64_t)stand_ins[i].ours;
        if (now == ours || !leads_to(o, r, now, p->real[i])) return;
        if (note_slot(at, ours, now)) write_slot(o, at, ours, p);
        else p->error = ENOMEM;
        return;
    }
}

static int take_object(struct dl_phdr_info *info, size_t bytes, void *context) {
    (void)bytes;
    pass *p = context;
    object o;
    if (!read_object(&o, info) || o.begin == p->loader || o.begin == p->vdso || o.begin == p->self)
        return 0;
    for (int i = 0; i < 2; i++)
        for (uint64_t j = 0; j < o.n[i]; j++) take_relocation(&o, &o.tables[i][j], p);
    return 0;
}

/* ---- all of them; the loader's lock keeps two passes apart ---- */

static bool make_room(void) {
    pk_hook_control *c = &pk_alloc_hook_control;
    if (c->slots) return true;
    void *at = mmap(NULL, PK_HOOK_SLOTS_MAX * sizeof *c->slots, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) return false;
    c->slots = at;
    return true;
}

int pk_hook_patch(void) {
    pass p = {.loader = getauxval(AT_BASE), .vdso = getauxval(AT_SYSINFO_EHDR)};
    Dl_info self;
    if (!dladdr(&pk_alloc_hook_control, &self)) return EINVAL;
    p.self = (uint64_t)self.dli_fbase;
    for (size_t i = 0; i < N_STAND_INS; i++) p.real[i] = pk_hook_find_function(stand_ins[i].name);
    void *real = pk_hook_find_function("dlopen");
    memcpy(&pk_hook_real_dlopen, &real, sizeof real);
    if (!make_room()) return ENOMEM;
    dl_iterate_phdr(take_object, &p);
    return p.error;
}

/* ---- libraries that are loaded later ---- */

static bool has_own_path(const struct link_map *map) {
    for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++)
        if (d->d_tag == DT_RUNPATH || d->d_tag == DT_RPATH) return true;
    return false;
}

bool pk_hook_dlopen_is_plain(const char *file, int mode, const void *caller) {
    (void)mode;
    Dl_info info;
    void *map = NULL;
    if (!atomic_load(&pk_hook.active) || !file || strchr(file, '$')) return false;
    if (strchr(file, '/')) return true;
    return dladdr1(caller, &info, &map, RTLD_DL_LINKMAP) && !has_own_path(map);
}

void *pk_hook_dlopen_and_patch(const char *file, int mode) {
    void *handle = pk_hook_real_dlopen(file, mode);
    int error = errno;
    if (handle && atomic_load(&pk_hook.active)) (void)pk_hook_patch();
    errno = error;
    return handle;
}

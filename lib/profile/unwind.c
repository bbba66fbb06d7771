#include "profile/unwind.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "profile/unwind_arch.h"

/* ---- what holds at an address, in short ---- */

typedef enum step_how {
    STEP_UNMAPPED,  /* nobody knows of code there */
    STEP_NO_FILE,   /* code made at run time, or its file cannot be had */
    STEP_NO_CFI,    /* code of a file, without call frame information */
    STEP_OUTERMOST, /* the thread's first function */
    STEP_PLAIN,     /* as below */
    STEP_ODD,       /* the whole row is needed */
    STEP_SIGNAL,    /* the same, and the caller was interrupted */
} step_how;

/* CFA = register + offset, and of the kept register i, if bit i of `saved` is set, the caller's
 * value is at CFA + 8 * at[i]. */
typedef struct step {
    int32_t cfa_offset;
    uint8_t how; /* step_how */
    uint8_t cfa_register;
    uint16_t saved;
    int16_t at[PK_UNWIND_KEPT_MAX];
} step;

/* ---- the cache: by address of a process at one state of its maps, and by address of a module, so
 * that a new map costs a look-up and not a search through the file ---- */

#define WAYS 4u
#define SETS 8192u /* a power of two; with WAYS entries each it is 1.5 MB */

typedef struct cached {
    uint64_t space, address; /* space 0: free */
    step step;
} cached;

/* Spaces: pk_spaces_version's of a process; a module's; of a process, for what stands in front of
 * an address, in `how`. */
#define MODULE_SPACE (UINT64_C(1) << 63) /* + the module */
#define CALLS_SPACE (UINT64_C(1) << 62)  /* + the version */

struct pk_unwinder {
    const pk_unwind_arch *arch;
    const pk_spaces *spaces;
    pk_modules *modules;
    cached *cache; /* SETS * WAYS */
};

static cached *set_of(const pk_unwinder *u, uint64_t space, uint64_t address) {
    uint64_t hash = (address ^ space * UINT64_C(0xff51afd7ed558ccd)) * UINT64_C(0x9e3779b97f4a7c15);
    return u->cache + (hash >> 32 & (SETS - 1)) * WAYS;
}

static const step *cache_find(const pk_unwinder *u, uint64_t space, uint64_t address) {
    const cached *set = set_of(u, space, address);
    for (unsigned i = 0; i < WAYS; i++)
        if (set[i].address == address && set[i].space == space) return &set[i].step;
    return NULL;
}

/* The oldest of its set goes. */
static const step *cache_add(const pk_unwinder *u, uint64_t space, uint64_t address,
                             const step *what) {
    cached *set = set_of(u, space, address);
    memmove(set + 1, set, (WAYS - 1) * sizeof *set);
    set[0] = (cached){space, address, *what};
    return &set[0].step;
}

pk_unwinder *pk_unwinder_new_for(const pk_unwind_arch *arch, const pk_spaces *spaces,
                                 pk_modules *modules) {
    pk_unwinder *u = calloc(1, sizeof *u);
    if (!u) return NULL;
    *u = (pk_unwinder){arch, spaces, modules, calloc((size_t)SETS * WAYS, sizeof *u->cache)};
    if (u->cache) return u;
    free(u);
    return NULL;
}

pk_unwinder *pk_unwinder_new(const pk_spaces *spaces, pk_modules *modules) {
#if defined __aarch64__
    return pk_unwinder_new_for(&pk_unwind_aarch64, spaces, modules);
#else
    return pk_unwinder_new_for(&pk_unwind_x86_64, spaces, modules);
#endif
}

void pk_unwinder_free(pk_unwinder *unwinder) {
    if (!unwinder) return;
    free(unwinder->cache);
    free(unwinder);
}

/* ---- from call frame information to a step ---- */

/* The rule of a kept register. False: the whole row is needed. */
static bool shorten_rule(const pk_cfi_rule *rule, unsigned i, step *into) {
    if (rule->how == PK_CFI_UNSPECIFIED || rule->how == PK_CFI_SAME) return true;
    if (rule->how != PK_CFI_AT || rule->offset % 8 != 0 || rule->offset / 8 < INT16_MIN ||
        rule->offset / 8 > INT16_MAX)
        return false;
    into->saved = (uint16_t)(into->saved | 1u << i);
    into->at[i] = (int16_t)(rule->offset / 8);
    return true;
}

static bool is_kept(const pk_unwind_arch *arch, unsigned reg) {
    for (unsigned i = 0; i < arch->n_kept; i++)
        if (arch->kept[i] == reg) return true;
    return false;
}

/* False: the whole row is needed. */
static bool shorten(const pk_unwind_arch *arch, const pk_cfi_row *row, step *into) {
    if (row->signal_frame || row->cfa_is_expression || row->return_register != arch->kept[0] ||
        row->cfa_offset != (int32_t)row->cfa_offset)
        return false;
    into->cfa_register = row->cfa_register;
    into->cfa_offset = (int32_t)row->cfa_offset;
    for (unsigned i = 0; i < arch->n_kept; i++)
        if (!shorten_rule(&row->rules[arch->kept[i]], i, into)) return false;
    for (unsigned reg = 0; reg < PK_CFI_REGISTERS; reg++) {
        pk_cfi_how how = row->rules[reg].how;
        if (!is_kept(arch, reg) && how != PK_CFI_UNSPECIFIED && how != PK_CFI_SAME &&
            how != PK_CFI_UNDEFINED)
            return false;
    }
    return arch->returns_by_register || (into->saved & 1);
}

static bool find_row(const pk_unwinder *u, uint32_t module, uint64_t vaddr, pk_cfi_row *row) {
    const pk_module_cfi *cfi = pk_module_cfi_of(u->modules, module);
    pk_cfi_fde fde;
    return cfi && cfi->section.n_bytes > 0 &&
           pk_cfi_find(&cfi->section, cfi->header, cfi->header_bytes, cfi->header_address, vaddr,
                       &fde) &&
           pk_cfi_row_at(&fde, vaddr, row);
}

static step make_step(const pk_unwinder *u, uint32_t module, uint64_t vaddr) {
    step made = {.how = STEP_NO_CFI};
    pk_cfi_row row;
    if (!find_row(u, module, vaddr, &row)) return made;
    if (row.rules[row.return_register].how == PK_CFI_UNDEFINED) made.how = STEP_OUTERMOST;
    else if (row.signal_frame) made.how = STEP_SIGNAL;
    else made.how = shorten(u->arch, &row, &made) ? STEP_PLAIN : STEP_ODD;
    return made;
}

/* Where the byte at an address of a process lies in its module. False: not in a file that can be
 * read. *module is UINT32_MAX if nothing is mapped there. */
static bool place_of(const pk_unwinder *u, uint32_t pid, uint64_t address, uint32_t *module,
                     uint64_t *vaddr) {
    const pk_map *map = pk_spaces_find(u->spaces, pid, address);
    *module = map ? map->file : UINT32_MAX;
    const pk_elf_image *image = map ? pk_module_image(u->modules, map->file) : NULL;
    return image && pk_elf_image_vaddr(image, address - map->begin + map->offset, vaddr);
}

static const step *find_step(const pk_unwinder *u, uint32_t pid, uint64_t version,
                             uint64_t address) {
    const step *known = cache_find(u, version, address);
    if (known) return known;
    uint32_t module;
    uint64_t vaddr;
    step made = {0};
    if (place_of(u, pid, address, &module, &vaddr)) {
        known = cache_find(u, MODULE_SPACE + module, vaddr);
        if (!known) {
            made = make_step(u, module, vaddr);
            known = cache_add(u, MODULE_SPACE + module, vaddr, &made);
        }
        made = *known;
    } else {
        made.how = module == UINT32_MAX ? STEP_UNMAPPED : STEP_NO_FILE;
    }
    return cache_add(u, version, address, &made);
}

/* ---- a walk ---- */

typedef struct walk {
    pk_unwinder *u;
    uint32_t pid;
    uint64_t version;
    const unsigned char *stack;
    uint64_t stack_begin, stack_bytes; /* of the copy */
    pk_cfi_frame frame;                /* .pc: where it will go on */
    uint64_t address;                  /* within the instruction that it executes */
    uint64_t floor;                    /* the next frame begins above it */
    bool stack_full, innermost;
    bool beyond;      /* something above the copy was asked for in this step */
    bool other_stack; /* behind a signal's frame: there may be another one */
} walk;

typedef enum step_end { WALK_ON, WALK_TOP, WALK_STUCK } step_end;

/* As far above the copy as something on the same stack can be. A copy that is smaller than was
 * asked for holds all there is, unless a page was not in memory. */
#define STACK_MAX (UINT64_C(1) << 30)
#define STACK_USUAL (UINT64_C(8) << 20)

static bool read_stack(walk *w, uint64_t address, uint64_t *value) {
    uint64_t into = address - w->stack_begin;
    if (address >= w->stack_begin && into < w->stack_bytes && w->stack_bytes - into >= 8) {
        memcpy(value, w->stack + into, 8);
        return true;
    }
    uint64_t reach = w->stack_bytes + (w->stack_full ? STACK_MAX : STACK_USUAL);
    w->beyond |= w->other_stack || (address >= w->stack_begin && into < reach);
    return false;
}

static bool read_for_cfi(void *context, uint64_t address, uint64_t *value) {
    return read_stack(context, address, value);
}

static bool knows(const walk *w, unsigned reg) {
    return w->frame.known >> reg & 1;
}

typedef enum behind { BEHIND_OTHER, BEHIND_CALL, BEHIND_UNKNOWN } behind;

/* What stands in front of an address that may be a return address. Unknown: code that is in no
 * file. */
static behind look_before(const walk *w, uint64_t address) {
    const pk_unwind_arch *arch = w->u->arch;
    const pk_map *map = pk_spaces_find(w->u->spaces, w->pid, address - 1);
    if (!map) return BEHIND_OTHER;
    const pk_elf_image *image = pk_module_image(w->u->modules, map->file);
    if (!image) return BEHIND_UNKNOWN;
    uint64_t into = address - map->begin, offset = map->offset + into - PK_UNWIND_CALL_BYTES;
    uint8_t bytes[PK_UNWIND_CALL_BYTES];
    bool call = into >= sizeof bytes && pk_elf_image_read(image, offset, bytes, sizeof bytes) &&
                arch->is_call(bytes);
    return call ? BEHIND_CALL : BEHIND_OTHER;
}

static behind what_is_before(const walk *w, uint64_t address) {
    uint64_t space = CALLS_SPACE | w->version;
    const step *known = cache_find(w->u, space, address);
    if (known) return (behind)known->how;
    step found = {.how = (uint8_t)look_before(w, address)};
    return (behind)cache_add(w->u, space, address, &found)->how;
}

/* The frame pointer points to that of the caller and the return address above it (psABI 3.2.2;
 * AAPCS64 6.4.6). 0 in it is how every start of a thread marks its end. */
static step_end take_frame_record(walk *w) {
    const pk_unwind_arch *arch = w->u->arch;
    pk_cfi_frame *frame = &w->frame;
    if (!knows(w, arch->fp)) return WALK_STUCK;
    uint64_t record = frame->value[arch->fp], up, back;
    if (record == 0) return w->innermost ? WALK_STUCK : WALK_TOP;
    if (record % 8 != 0 || record < w->floor) return WALK_STUCK;
    if (!read_stack(w, record, &up) || !read_stack(w, record + 8, &back)) return WALK_STUCK;
    back &= arch->address_bits;
    behind before = back ? what_is_before(w, back) : BEHIND_CALL;
    /* Where no call can be seen, frames that go on upwards have to do. */
    bool upwards = up == 0 || up > record;
    if (before == BEHIND_OTHER || (before == BEHIND_UNKNOWN && !upwards)) return WALK_STUCK;
    frame->value[arch->fp] = up;
    frame->value[arch->kept[0]] = back;
    frame->value[arch->sp] = record + arch->sp_above_record;
    frame->known = UINT64_C(1) << arch->fp | UINT64_C(1) << arch->kept[0];
    if (arch->sp_above_record) frame->known |= UINT64_C(1) << arch->sp;
    frame->pc = back;
    w->floor = record + 8;
    return WALK_ON;
}

/* Takes the word at stack pointer + offset for the return address, if a call stands in front of
 * what it points to. described: and only if there is call frame information for that. */
static bool take_word(walk *w, uint64_t offset, bool described) {
    const pk_unwind_arch *arch = w->u->arch;
    pk_cfi_frame *frame = &w->frame;
    uint64_t at = frame->value[arch->sp] + offset, back;
    if (arch->returns_by_register || !knows(w, arch->sp) || !read_stack(w, at, &back) ||
        what_is_before(w, back) != BEHIND_CALL)
        return false;
    uint8_t how = find_step(w->u, w->pid, w->version, back - 1)->how;
    if (described && how != STEP_PLAIN && how != STEP_ODD) return false;
    frame->value[arch->sp] = at + 8;
    frame->pc = frame->value[arch->kept[0]] = back;
    return true;
}

static bool take_return_register(walk *w) {
    const pk_unwind_arch *arch = w->u->arch;
    unsigned back = arch->kept[0];
    if (!arch->returns_by_register || !knows(w, back)) return false;
    w->frame.pc = w->frame.value[back] & arch->address_bits;
    return what_is_before(w, w->frame.pc) == BEHIND_CALL;
}

/* Assembler without call frame information. If it has put nothing on the stack, its return address
 * is where the call left it. Otherwise it may keep frame pointers, as some compilers of such code
 * do; on their stacks old return addresses lie about, so that the nearest word that looks like one
 * is only taken where there is no frame pointer. */
#define WORDS_OF_ASSEMBLER 4u
static step_end take_assembler(walk *w) {
    if (w->innermost && (take_return_register(w) || take_word(w, 0, false))) return WALK_ON;
    step_end end = take_frame_record(w);
    for (uint64_t i = 0; i < WORDS_OF_ASSEMBLER && end == WALK_STUCK; i++)
        if (take_word(w, 8 * i, true)) end = WALK_ON;
    return end;
}

static step_end take_plain(walk *w, const step *s) {
    const pk_unwind_arch *arch = w->u->arch;
    pk_cfi_frame *frame = &w->frame;
    if (!knows(w, s->cfa_register)) return take_frame_record(w);
    uint64_t cfa = frame->value[s->cfa_register] + (uint64_t)(int64_t)s->cfa_offset;
    uint64_t known = 0, sp = knows(w, arch->sp) ? frame->value[arch->sp] : 0;
    for (unsigned i = 0; i < arch->n_kept; i++) {
        unsigned reg = arch->kept[i];
        bool has = frame->known >> reg & 1;
        uint64_t at = cfa + (uint64_t)(int64_t)s->at[i] * 8;
        /* What compilers say of a function's end stays as it was while registers are taken back
         * from the stack: below the stack pointer the register has its value again. */
        if (s->saved >> i & 1 && (i == 0 || at >= sp)) has = read_stack(w, at, &frame->value[reg]);
        else if (i == 0) has = has && w->innermost;
        if (i == 0 && !has) return WALK_STUCK;
        known |= (uint64_t)has << reg;
    }
    frame->value[arch->sp] = cfa;
    frame->known = known | UINT64_C(1) << arch->sp;
    frame->pc = frame->value[arch->kept[0]];
    return WALK_ON;
}

static step_end take_odd(walk *w, bool signal) {
    uint32_t module;
    uint64_t vaddr;
    pk_cfi_row row;
    if (!place_of(w->u, w->pid, w->address, &module, &vaddr) ||
        !find_row(w->u, module, vaddr, &row))
        return WALK_STUCK;
    if (signal) w->other_stack = true;
    switch (pk_cfi_step(&row, &w->frame, w->u->arch->sp, read_for_cfi, w, &w->frame)) {
    case PK_CFI_STEPPED:
        return WALK_ON;
    case PK_CFI_OUTERMOST:
        return WALK_TOP;
    default:
        return WALK_STUCK;
    }
}

/* From the frame at w->address to its caller. */
static step_end take_step(walk *w, const step *s) {
    const pk_unwind_arch *arch = w->u->arch;
    step_end end;
    bool signal = s->how == STEP_SIGNAL;
    switch (s->how) {
    case STEP_OUTERMOST:
        return WALK_TOP;
    case STEP_PLAIN:
        end = take_plain(w, s);
        break;
    case STEP_ODD:
    case STEP_SIGNAL:
        end = take_odd(w, signal);
        break;
    case STEP_NO_FILE:
        end = take_frame_record(w);
        break;
    default: /* nothing is mapped where a call went astray: it has put its return address */
        end = take_assembler(w);
    }
    if (end != WALK_ON) return end;
    w->frame.pc &= arch->address_bits;
    if (w->frame.pc == 0) return WALK_TOP;
    w->address = signal ? w->frame.pc : w->frame.pc - 1;
    /* A stack that does not go up is broken, or goes round for ever; only a signal may have come
     * to another stack, and only a function that is interrupted may have nothing on it. */
    if (knows(w, arch->sp)) {
        uint64_t sp = w->frame.value[arch->sp];
        if (!signal && sp < w->floor + (w->innermost ? 0 : 1)) return WALK_STUCK;
        w->floor = sp;
    }
    w->innermost = signal;
    w->beyond = false;
    return WALK_ON;
}

static bool begin(walk *w, pk_unwinder *u, const pk_user_state *state) {
    const pk_unwind_arch *arch = u->arch;
    *w = (walk){.u = u,
                .pid = state->pid,
                .version = pk_spaces_version(u->spaces, state->pid),
                .stack = state->stack,
                .stack_bytes = state->stack ? state->stack_bytes : 0,
                .stack_full = state->stack_full,
                .innermost = true};
    for (unsigned i = 0; i < arch->n_registers; i++) {
        unsigned reg = arch->dwarf[i];
        if (reg == PK_UNWIND_NO_REGISTER || !(state->registers_known >> i & 1)) continue;
        w->frame.value[reg] = state->registers[i];
        w->frame.known |= UINT64_C(1) << reg;
    }
    if (!(state->registers_known >> arch->perf_ip & 1)) return false;
    w->address = w->frame.pc = state->registers[arch->perf_ip];
    if (!knows(w, arch->sp)) return true;
    w->stack_begin = w->floor = state->registers[arch->perf_sp];
    return true;
}

/* Is that where programs start? Some have no call frame information there, or none that says so. */
#define ENTRY_BYTES 64u
static bool at_entry(const walk *w, uint64_t address) {
    uint32_t module;
    uint64_t vaddr;
    GElf_Ehdr header;
    return place_of(w->u, w->pid, address, &module, &vaddr) &&
           gelf_getehdr(pk_elf_image_elf(pk_module_image(w->u->modules, module)), &header) &&
           vaddr >= header.e_entry && vaddr - header.e_entry < ENTRY_BYTES;
}

/* It went no further than this address. */
static pk_unwind_end stuck(const walk *w, uint64_t address, uint32_t *lost_in) {
    if (at_entry(w, address)) return PK_UNWIND_WHOLE;
    if (w->beyond) return w->stack_bytes > 0 ? PK_UNWIND_CUT : PK_UNWIND_NO_STACK;
    const pk_map *map = pk_spaces_find(w->u->spaces, w->pid, address);
    *lost_in = map ? map->file : UINT32_MAX;
    return PK_UNWIND_LOST;
}

pk_unwind_end pk_unwind(pk_unwinder *unwinder, const pk_user_state *state, uint64_t addresses[],
                        size_t max, size_t *n, uint32_t *lost_in) {
    walk w;
    *n = 0;
    *lost_in = UINT32_MAX;
    if (!begin(&w, unwinder, state)) return PK_UNWIND_LOST;
    for (;;) {
        const step *s = find_step(unwinder, w.pid, w.version, w.address);
        if (s->how == STEP_UNMAPPED && *n == 0 && w.stack_bytes == 0) return PK_UNWIND_WHOLE;
        if (s->how == STEP_UNMAPPED && !w.innermost) return stuck(&w, addresses[*n - 1], lost_in);
        if (*n == max) return PK_UNWIND_DEEP;
        /* Nobody called the code that a signal's handler returns to. */
        uint64_t address = s->how == STEP_SIGNAL ? w.frame.pc : w.address;
        addresses[(*n)++] = address;
        step_end end = take_step(&w, s);
        if (end == WALK_TOP) return PK_UNWIND_WHOLE;
        if (end == WALK_STUCK) return stuck(&w, address, lost_in);
    }
}

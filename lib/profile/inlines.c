#include "profile/inlines.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdlib.h>

#include "base/array.h"
#include "profile/debug_view.h"
#include "profile/intervals.h"

#define UNITS_MAX (1u << 22)
#define RANGES_MAX (1u << 26)
#define DEPTH_MAX 256u /* of entries in each other; hostile files have more */
#define LINKS_MAX 16u  /* from an entry to the one with its name */
#define HEADER_MAX 64u /* of a unit: more than any version has */

typedef struct unit {
    Dwarf_Off entry;
    uint64_t bytes; /* of its entries: none has less than one */
    bool walked;
    pk_array intervals; /* of pk_interval: value is a place in entries */
    pk_array entries;   /* of Dwarf_Off: the inlined functions */
} unit;

struct pk_inlines {
    pk_elf_image *debug; /* NULL: the image has its own debug information */
    pk_debug_view *view; /* NULL: libdw reads the image itself */
    Dwarf *dwarf;        /* NULL: there is none */
    Dwarf_Off listed;    /* units before this are known */
    bool complete;       /* there are no more */
    pk_array units;
    pk_array intervals; /* of pk_interval: value is a place in units */
};

static bool reach(const pk_inlines *in, Dwarf_Off offset) {
    return !in->view || pk_debug_view_reach(in->view, offset);
}

/* Pushes the ranges of code of an entry. False: out of memory. */
static bool push_ranges(pk_array *intervals, Dwarf_Die *die, uint32_t value) {
    Dwarf_Addr base, begin, end;
    ptrdiff_t next = 0;
    while ((next = dwarf_ranges(die, next, &base, &begin, &end)) > 0) {
        /* What the linker threw away stands at 0. */
        if (begin == 0 || begin >= end) continue;
        pk_interval *interval = pk_array_push(intervals);
        if (!interval) return false;
        *interval = (pk_interval){.begin = begin, .end = end, .value = value};
    }
    return true;
}

/* ---- the units ---- */

static bool take_unit(pk_inlines *in, Dwarf_Off entry, uint64_t bytes) {
    Dwarf_Die die;
    if (!dwarf_offdie(in->dwarf, entry, &die)) return true;
    size_t before = in->intervals.count;
    if (!push_ranges(&in->intervals, &die, (uint32_t)in->units.count)) return false;
    if (in->intervals.count == before) return true;
    unit *u = pk_array_push(&in->units);
    if (!u) return false;
    *u = (unit){.entry = entry,
                .bytes = bytes,
                .intervals = PK_ARRAY(pk_interval, RANGES_MAX),
                .entries = PK_ARRAY(Dwarf_Off, RANGES_MAX)};
    return true;
}

static void list_next(pk_inlines *in) {
    Dwarf_Off offset = in->listed, next;
    size_t header;
    in->complete = !reach(in, offset + HEADER_MAX) ||
                   dwarf_nextcu(in->dwarf, offset, &next, &header, NULL, NULL, NULL) != 0 ||
                   next <= offset || !reach(in, next) ||
                   !take_unit(in, offset + header, next - offset);
    if (!in->complete) in->listed = next;
}

static bool covered_since(const pk_inlines *in, size_t first, uint64_t vaddr) {
    const pk_interval *items = in->intervals.items;
    for (size_t i = first; i < in->intervals.count; i++)
        if (vaddr >= items[i].begin && vaddr < items[i].end) return true;
    return false;
}

/* Lists units until one has the address, and a quarter more than before, so that the intervals are
 * not sorted again for each of them. */
static void list_until(pk_inlines *in, uint64_t vaddr) {
    size_t least = in->units.count + in->units.count / 4;
    for (bool found = false; !in->complete && !(found && in->units.count >= least);) {
        size_t before = in->intervals.count;
        list_next(in);
        found = found || covered_since(in, before, vaddr);
    }
    pk_intervals_nest(in->intervals.items, in->intervals.count);
}

pk_inlines *pk_inlines_open(const pk_elf_image *image, const pk_debug_folders *folders,
                            pk_err *err) {
    pk_inlines *in = calloc(1, sizeof *in);
    if (!in) {
        pk_fail(err, PK_E_LIMIT, pk_elf_image_path(image),
                "not enough memory for its inlined functions");
        return NULL;
    }
    in->units = PK_ARRAY(unit, UNITS_MAX);
    in->intervals = PK_ARRAY(pk_interval, RANGES_MAX);
    bool own = pk_elf_image_has_section(image, ".debug_info");
    if (!own) in->debug = pk_debug_file_open(image, folders, ".debug_info");
    const pk_elf_image *from = own ? image : in->debug;
    if (from) in->view = pk_debug_view_open(from);
    if (from) {
        Elf *elf = in->view ? pk_debug_view_elf(in->view) : pk_elf_image_elf(from);
        in->dwarf = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
    }
    in->complete = !in->dwarf;
    return in;
}

void pk_inlines_free(pk_inlines *inlines) {
    if (!inlines) return;
    for (size_t i = 0; i < inlines->units.count; i++) {
        unit *u = &PK_AT(&inlines->units, unit, i);
        pk_array_fini(&u->intervals);
        pk_array_fini(&u->entries);
    }
    pk_array_fini(&inlines->units);
    pk_array_fini(&inlines->intervals);
    if (inlines->dwarf) dwarf_end(inlines->dwarf);
    pk_debug_view_free(inlines->view);
    pk_elf_image_free(inlines->debug);
    free(inlines);
}

bool pk_inlines_known(pk_inlines *inlines) {
    while (inlines->units.count == 0 && !inlines->complete) list_next(inlines);
    pk_intervals_nest(inlines->intervals.items, inlines->intervals.count);
    return inlines->units.count > 0;
}

/* ---- the entries of one ---- */

/* May an inlined function stand below such an entry? Types can hold functions, variables cannot. */
static bool has_code_below(int tag) {
    switch (tag) {
    case DW_TAG_subprogram:
    case DW_TAG_inlined_subroutine:
    case DW_TAG_lexical_block:
    case DW_TAG_try_block:
    case DW_TAG_catch_block:
    case DW_TAG_with_stmt:
    case DW_TAG_namespace:
    case DW_TAG_module:
    case DW_TAG_class_type:
    case DW_TAG_structure_type:
    case DW_TAG_union_type:
    case DW_TAG_enumeration_type:
    case DW_TAG_interface_type:
        return true;
    default:
        return false;
    }
}

/* Takes the inlined functions below an entry, those that hold others before them. Each entry costs
 * one of *left, so that a file whose siblings lead back into what was seen comes to an end. False:
 * out of memory; the rest of the unit is then left out. */
static bool walk(unit *u, Dwarf_Die *parent, unsigned depth, uint64_t *left) {
    Dwarf_Die die;
    if (depth == DEPTH_MAX || dwarf_child(parent, &die) != 0) return true;
    do {
        if (*left == 0) return true;
        (*left)--;
        int tag = dwarf_tag(&die);
        if (tag == DW_TAG_inlined_subroutine) {
            Dwarf_Off *entry = pk_array_push(&u->entries);
            if (!entry) return false;
            *entry = dwarf_dieoffset(&die);
            if (!push_ranges(&u->intervals, &die, (uint32_t)u->entries.count - 1)) return false;
        }
        if (has_code_below(tag) && !walk(u, &die, depth + 1, left)) return false;
    } while (dwarf_siblingof(&die, &die) == 0);
    return true;
}

static void walk_unit(pk_inlines *in, unit *u) {
    Dwarf_Die die;
    uint64_t left = u->bytes;
    u->walked = true;
    if (dwarf_offdie(in->dwarf, u->entry, &die)) (void)walk(u, &die, 0, &left);
    pk_intervals_nest(u->intervals.items, u->intervals.count);
}

/* ---- addresses ---- */

/* Does what it is an instance of stand in another unit, which may be any? */
static bool leaves_unit(Dwarf_Die die) {
    for (unsigned i = 0; i < LINKS_MAX; i++) {
        Dwarf_Attribute link;
        if (!dwarf_attr(&die, DW_AT_abstract_origin, &link) &&
            !dwarf_attr(&die, DW_AT_specification, &link))
            return false;
        switch (dwarf_whatform(&link)) {
        case DW_FORM_ref1:
        case DW_FORM_ref2:
        case DW_FORM_ref4:
        case DW_FORM_ref8:
        case DW_FORM_ref_udata:
            break;
        default:
            return true;
        }
        if (!dwarf_formref_die(&link, &die)) return false;
    }
    return true;
}

/* The name in the entry, or in what it is an instance of. */
static const char *name_of(const pk_inlines *in, Dwarf_Off entry) {
    static const unsigned names[] = {DW_AT_linkage_name, DW_AT_MIPS_linkage_name, DW_AT_name};
    Dwarf_Die die;
    if (!dwarf_offdie(in->dwarf, entry, &die)) return "";
    if (leaves_unit(die) && !reach(in, UINT64_MAX)) return "";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        Dwarf_Attribute attribute;
        if (!dwarf_attr_integrate(&die, names[i], &attribute)) continue;
        const char *name = dwarf_formstring(&attribute);
        if (name && *name) return name;
    }
    return "";
}

static size_t names_in(const pk_inlines *in, const unit *u, uint64_t vaddr, const char *names[],
                       size_t max) {
    const pk_interval *items = u->intervals.items;
    uint32_t innermost = pk_intervals_find(items, u->intervals.count, vaddr);
    size_t depth = 0;
    for (uint32_t i = innermost; i != PK_INTERVAL_NONE; i = pk_intervals_outer(items, i, vaddr))
        depth++;
    size_t place = depth;
    for (uint32_t i = innermost; i != PK_INTERVAL_NONE; i = pk_intervals_outer(items, i, vaddr))
        if (--place < max)
            names[place] = name_of(in, PK_AT(&u->entries, Dwarf_Off, items[i].value));
    return depth < max ? depth : max;
}

static uint32_t unit_at(pk_inlines *in, uint64_t vaddr) {
    uint32_t i = pk_intervals_find(in->intervals.items, in->intervals.count, vaddr);
    if (i != PK_INTERVAL_NONE || in->complete) return i;
    list_until(in, vaddr);
    return pk_intervals_find(in->intervals.items, in->intervals.count, vaddr);
}

size_t pk_inlines_at(pk_inlines *inlines, uint64_t vaddr, const char *names[], size_t max) {
    size_t n = 0;
    uint32_t i = unit_at(inlines, vaddr);
    const pk_interval *items = inlines->intervals.items;
    /* Units do not share code, but where one seems to lie in another either may have it. */
    for (; i != PK_INTERVAL_NONE && n == 0; i = pk_intervals_outer(items, i, vaddr)) {
        unit *u = &PK_AT(&inlines->units, unit, items[i].value);
        if (!u->walked) walk_unit(inlines, u);
        n = names_in(inlines, u, vaddr, names, max);
    }
    return n;
}

#include "profile/symbols.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/array.h"
#include "profile/intervals.h"
#include "profile/plt.h"

#define SYMBOLS_MAX (1u << 26)

struct pk_symbols {
    pk_elf_image *debug; /* names may lie in it */
    pk_arena *names;     /* those of the PLT */
    pk_symbol *items;
    pk_interval *intervals; /* one for each item, in the same order */
    size_t n;
    pk_symbols_source source;
};

/* ---- from the file ---- */

typedef struct raw {
    uint64_t begin, end; /* end = begin: no size */
    uint64_t section_end;
    const char *name;
    uint8_t rank;        /* 0: the best binding */
    uint8_t underscores; /* leading ones */
} raw;

static uint8_t rank_of(unsigned char bind) {
    return bind == STB_GLOBAL || bind == STB_GNU_UNIQUE ? 0 : bind == STB_WEAK ? 1 : 2;
}

/* "$x", "$d.4": where code and data begin in ARM's and RISC-V's files. */
static bool is_marker(const char *name) {
    return name[0] == '$' && name[1] && strchr("adtx", name[1]) && (!name[2] || name[2] == '.');
}

static bool wanted(const GElf_Sym *sym, const GElf_Shdr *section, const char *name) {
    unsigned char type = GELF_ST_TYPE(sym->st_info);
    if (sym->st_shndx == SHN_UNDEF || sym->st_shndx == SHN_COMMON || !*name) return false;
    if (type == STT_FUNC || type == STT_GNU_IFUNC) return true;
    return type == STT_NOTYPE && section && (section->sh_flags & SHF_EXECINSTR) && !is_marker(name);
}

static bool push(pk_array *all, uint64_t begin, uint64_t bytes, uint64_t section_end,
                 const char *name, uint8_t rank) {
    raw *item = pk_array_push(all);
    if (!item) return false;
    *item = (raw){.begin = begin, .section_end = section_end, .name = name, .rank = rank};
    if (__builtin_add_overflow(begin, bytes, &item->end)) item->end = UINT64_MAX;
    size_t underscores = strspn(name, "_");
    item->underscores = underscores > UINT8_MAX ? UINT8_MAX : (uint8_t)underscores;
    return true;
}

static bool take_table(Elf *elf, Elf_Scn *table, const GElf_Shdr *header, pk_array *all) {
    Elf_Data *data = elf_getdata(table, NULL);
    if (!data || header->sh_entsize == 0) return true;
    size_t n = data->d_size / gelf_fsize(elf, ELF_T_SYM, 1, EV_CURRENT);
    for (size_t i = 1; i < n && i < INT32_MAX; i++) {
        GElf_Sym sym;
        if (!gelf_getsym(data, (int)i, &sym)) continue;
        GElf_Shdr section;
        Elf_Scn *home = sym.st_shndx < SHN_LORESERVE ? elf_getscn(elf, sym.st_shndx) : NULL;
        bool has_home = home && gelf_getshdr(home, &section);
        const char *name = elf_strptr(elf, header->sh_link, sym.st_name);
        if (!name || !wanted(&sym, has_home ? &section : NULL, name)) continue;
        uint64_t end = UINT64_MAX;
        if (has_home && __builtin_add_overflow(section.sh_addr, section.sh_size, &end))
            end = UINT64_MAX;
        if (!push(all, sym.st_value, sym.st_size, end, name, rank_of(GELF_ST_BIND(sym.st_info))))
            return false;
    }
    return true;
}

/* False: out of memory. */
static bool take_tables(const pk_elf_image *image, GElf_Word type, pk_array *all) {
    Elf *elf = pk_elf_image_elf(image);
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
        GElf_Shdr header;
        if (!gelf_getshdr(section, &header) || header.sh_type != type) continue;
        if (!take_table(elf, section, &header, all)) return false;
    }
    return true;
}

static bool gather(pk_symbols *symbols, const pk_elf_image *image, const pk_debug_folders *folders,
                   pk_array *all) {
    symbols->source = PK_SYMBOLS_OWN;
    if (!take_tables(image, SHT_SYMTAB, all)) return false;
    if (all->count > 0) return true;
    symbols->debug = pk_debug_file_open(image, folders, ".symtab");
    symbols->source = PK_SYMBOLS_DEBUG_FILE;
    if (symbols->debug && !take_tables(symbols->debug, SHT_SYMTAB, all)) return false;
    if (all->count > 0) return true;
    symbols->source = PK_SYMBOLS_DYNAMIC;
    if (!take_tables(image, SHT_DYNSYM, all)) return false;
    if (all->count == 0) symbols->source = PK_SYMBOLS_NONE;
    return true;
}

typedef struct plt_context {
    pk_symbols *symbols;
    pk_array *all;
} plt_context;

static bool take_plt_entry(void *context, uint64_t begin, uint64_t bytes, const char *name) {
    plt_context *c = context;
    const char *full = pk_arena_printf(c->symbols->names, "%s@plt", name);
    return full && push(c->all, begin, bytes, begin + bytes, full, rank_of(STB_LOCAL));
}

/* ---- one name for each address ---- */

static int by_address_then_taste(const void *a, const void *b) {
    const raw *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    if (x->rank != y->rank) return x->rank - y->rank;
    if (x->underscores != y->underscores) return x->underscores - y->underscores;
    if (x->end != y->end) return x->end > y->end ? -1 : 1;
    size_t x_bytes = strlen(x->name), y_bytes = strlen(y->name);
    if (x_bytes != y_bytes) return x_bytes > y_bytes ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* Of those that begin together keeps the first, with the longest size. Returns how many remain. */
static size_t unite(raw *items, size_t n) {
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || items[kept - 1].begin != items[i].begin) items[kept++] = items[i];
        else if (items[i].end > items[kept - 1].end) items[kept - 1].end = items[i].end;
    }
    return kept;
}

/* Gives an end to those without a size, and drops those that are labels within a function. */
static size_t close_open_ends(raw *items, size_t n) {
    size_t kept = 0;
    uint64_t sized_end = 0; /* the furthest that a function with a size reaches */
    for (size_t i = 0; i < n; i++) {
        raw item = items[i];
        if (item.end > item.begin) {
            if (item.end > sized_end) sized_end = item.end;
        } else {
            if (item.begin < sized_end) continue;
            item.end = i + 1 < n ? items[i + 1].begin : UINT64_MAX;
            if (item.section_end < item.end) item.end = item.section_end;
            /* Nothing says how far it goes, or it stands at its section's end, as markers do. */
            if (item.end == UINT64_MAX || item.end <= item.begin) continue;
        }
        items[kept++] = item;
    }
    return kept;
}

static bool settle(pk_symbols *symbols, pk_array *all) {
    raw *items = all->items;
    if (all->count > 0) qsort(items, all->count, sizeof *items, by_address_then_taste);
    size_t n = close_open_ends(items, unite(items, all->count));
    symbols->items = calloc(n + 1, sizeof *symbols->items);
    symbols->intervals = calloc(n + 1, sizeof *symbols->intervals);
    if (!symbols->items || !symbols->intervals) return false;
    symbols->n = n;
    for (size_t i = 0; i < n; i++) {
        symbols->items[i] = (pk_symbol){items[i].begin, items[i].end, items[i].name};
        symbols->intervals[i] =
            (pk_interval){.begin = items[i].begin, .end = items[i].end, .value = (uint32_t)i};
    }
    pk_intervals_nest(symbols->intervals, n);
    return true;
}

/* ---- public ---- */

pk_symbols *pk_symbols_load(const pk_elf_image *image, const pk_debug_folders *folders,
                            pk_err *err) {
    pk_symbols *symbols = calloc(1, sizeof *symbols);
    pk_array all = PK_ARRAY(raw, SYMBOLS_MAX);
    if (symbols) symbols->names = pk_arena_new(1u << 30);
    plt_context context = {symbols, &all};
    bool ok = symbols && symbols->names && gather(symbols, image, folders, &all) &&
              pk_plt_each(image, take_plt_entry, &context) && settle(symbols, &all);
    pk_array_fini(&all);
    if (ok) return symbols;
    pk_symbols_free(symbols);
    pk_fail(err, PK_E_LIMIT, pk_elf_image_path(image), "not enough memory for its symbols");
    return NULL;
}

void pk_symbols_free(pk_symbols *symbols) {
    if (!symbols) return;
    free(symbols->items);
    free(symbols->intervals);
    pk_arena_free(symbols->names);
    pk_elf_image_free(symbols->debug);
    free(symbols);
}

uint32_t pk_symbols_find(const pk_symbols *symbols, uint64_t vaddr) {
    uint32_t i = pk_intervals_find(symbols->intervals, symbols->n, vaddr);
    return i == PK_INTERVAL_NONE ? PK_SYMBOL_NONE : symbols->intervals[i].value;
}

size_t pk_symbols_count(const pk_symbols *symbols) {
    return symbols->n;
}

const pk_symbol *pk_symbols_at(const pk_symbols *symbols, uint32_t i) {
    return &symbols->items[i];
}

pk_symbols_source pk_symbols_from(const pk_symbols *symbols) {
    return symbols->source;
}

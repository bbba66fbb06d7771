/* The functions of one ELF file: address -> symbol.
 * One table of symbols is taken, the first there is of: the file's own .symtab; that of its
 * separate debug file (profile/debug_file); .dynsym. Kept of it: functions, indirect functions, and
 * symbols without a type in executable sections (assembly), except markers such as ARM's "$x". Of
 * several at one address the name is that of the global before the weak before the local one, then
 * of the one with fewer leading '_', then of the longer function, then the longer name, as in perf;
 * they end where the longest ends. A symbol without a size goes to the next symbol, at most to the
 * end of its section; within a function that has a size it is a label of it, and not kept. Beside
 * these, on x86-64, the entries of the PLT: "NAME@plt", NAME being what the relocation of the slot
 * says that the entry jumps through. */
#ifndef PK_PROFILE_SYMBOLS_H
#define PK_PROFILE_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

#include "profile/debug_file.h"
#include "profile/elf_image.h"

typedef struct pk_symbol {
    uint64_t begin, end; /* [begin, end), in the file's own numbering (pk_elf_image_vaddr) */
    const char *name;    /* as the file has it: mangled */
} pk_symbol;

typedef enum pk_symbols_source {
    PK_SYMBOLS_NONE, /* none at all; the PLT may still have names */
    PK_SYMBOLS_OWN,  /* .symtab */
    PK_SYMBOLS_DEBUG_FILE,
    PK_SYMBOLS_DYNAMIC, /* .dynsym: only what the file offers to others */
} pk_symbols_source;

typedef struct pk_symbols pk_symbols;

/* The image must outlive the symbols: names lie in it. A file without symbols gives an empty table.
 * NULL: out of memory. Thread-safe afterwards, as long as nobody else uses the image. */
pk_symbols *pk_symbols_load(const pk_elf_image *image, const pk_debug_folders *folders,
                            pk_err *err) PK_MUST_CHECK;
void pk_symbols_free(pk_symbols *symbols);

/* The symbol that covers an address, the innermost one; PK_SYMBOL_NONE. */
#define PK_SYMBOL_NONE UINT32_MAX
uint32_t pk_symbols_find(const pk_symbols *symbols, uint64_t vaddr);
size_t pk_symbols_count(const pk_symbols *symbols);
/* In the order of addresses. */
const pk_symbol *pk_symbols_at(const pk_symbols *symbols, uint32_t i);
pk_symbols_source pk_symbols_from(const pk_symbols *symbols);

#endif

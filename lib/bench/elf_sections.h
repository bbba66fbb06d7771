/* What a relocatable ELF object holds (System V gABI, chapter 4: 64 bits, little endian). Both
 * functions take any bytes; data[0..bytes) needs no alignment. False (PK_E_INPUT) for what is no
 * such object. */
#ifndef PK_BENCH_ELF_SECTIONS_H
#define PK_BENCH_ELF_SECTIONS_H

#include <stddef.h>

#include "base/array.h"
#include "base/error.h"

/* The code sections: with -ffunction-sections one for each function. Pushes the name (const char *,
 * into data) of each section that holds code and has a name of its own (".text.fib", not ".text"),
 * in the file's order; names that a linker script could not spell are passed over. *names (of const
 * char *) is the caller's to end in any case. */
bool pk_elf_code_sections(const void *data, size_t bytes, pk_array *names,
                          pk_err *err) PK_MUST_CHECK;

/* Does it define a symbol of this name, and does it use what only a C++ compiler links (a name that
 * is mangled by the Itanium C++ ABI, or exceptions)? */
bool pk_elf_symbols(const void *data, size_t bytes, const char *name, bool *defined,
                    bool *cplusplus, pk_err *err) PK_MUST_CHECK;

#endif

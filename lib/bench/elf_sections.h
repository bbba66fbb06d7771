/* The code sections of a relocatable ELF object (System V gABI, chapter 4: 64 bits, little endian):
 * with -ffunction-sections one for each function. */
#ifndef PK_BENCH_ELF_SECTIONS_H
#define PK_BENCH_ELF_SECTIONS_H

#include <stddef.h>

#include "base/array.h"
#include "base/error.h"

/* Pushes the name (const char *, into data) of each section that holds code and has a name of its
 * own (".text.fib", not ".text"), in the file's order; names that a linker script could not spell
 * are passed over. Takes any bytes; data[0..bytes) needs no alignment. False (PK_E_INPUT) for what
 * is no such object, *names (of const char *) is the caller's to end in any case. */
bool pk_elf_code_sections(const void *data, size_t bytes, pk_array *names,
                          pk_err *err) PK_MUST_CHECK;

#endif

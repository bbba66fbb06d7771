/* Where functions of a name begin in an ELF file: what a probe is set at. */
#ifndef PK_PROFILE_ELF_FUNCTIONS_H
#define PK_PROFILE_ELF_FUNCTIONS_H

#include "profile/elf_image.h"

/* `offset`: in the file. False stops. */
typedef bool pk_elf_function_visitor(void *context, size_t name, uint64_t offset);

/* Calls `each` for every function of names[0..n) that the file defines: those it offers to others
 * (.dynsym; several, where a name has several versions), and for names that are not among these
 * those of .symtab. Undefined ones, and addresses that no part of the file is loaded to, are passed
 * over. */
void pk_elf_functions_find(const pk_elf_image *image, const char *const names[], size_t n,
                           pk_elf_function_visitor *each, void *context);

#endif

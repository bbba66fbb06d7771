/* Call frame information as rows for the program in the kernel (alloc/bpf_shared.h). x86-64. */
#ifndef PK_ALLOC_BPF_ROWS_H
#define PK_ALLOC_BPF_ROWS_H

#include "alloc/bpf_shared.h"
#include "base/array.h"
#include "profile/cfi.h"

/* What a row says, as pk_bpf_row.rule. */
uint32_t pk_bpf_rule_of(const pk_cfi_row *row);

/* Appends to *rows (pk_bpf_row, empty) those of all functions of the section, by address, with
 * PK_BPF_NONE where there is none. *base: what their pc count from. False: no room, or no memory.
 */
bool pk_bpf_rows_make(const pk_cfi_section *section, pk_array *rows, uint64_t *base,
                      pk_err *err) PK_MUST_CHECK;

#endif

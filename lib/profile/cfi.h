/* Call frame information: how to find the caller's registers from a frame's, for any instruction.
 * A reader of .eh_frame and .eh_frame_hdr (Linux Standard Base Core 5.0, 10.6; DWARF 5, 6.4) and
 * the evaluator of its rules and expressions. It allocates nothing, calls nothing of libc but
 * memcpy and keeps no state, so that it works inside a program's malloc as well. Any bytes are
 * taken.
 *
 * Registers have DWARF's numbers (x86-64: psABI 3.6.2; AArch64: "DWARF for the Arm 64-bit
 * Architecture"). */
#ifndef PK_PROFILE_CFI_H
#define PK_PROFILE_CFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PK_CFI_REGISTERS                                                    \
    33 /* x86-64 has 17 (16: return address), AArch64 33 (30: link, 31: SP) \
        */

typedef struct pk_cfi_section {
    const uint8_t *bytes; /* of .eh_frame, where we can read it */
    size_t n_bytes;
    uint64_t address;                    /* of its first byte, where the program has it */
    uint64_t text_address, data_address; /* bases of two rare encodings; 0: none */
} pk_cfi_section;

typedef enum pk_cfi_how {
    PK_CFI_UNSPECIFIED, /* by the architecture: callee-saved registers keep their value */
    PK_CFI_UNDEFINED,   /* lost; of the return address: there is no caller */
    PK_CFI_SAME,
    PK_CFI_AT,         /* saved in memory at CFA + offset */
    PK_CFI_IS,         /* its value is CFA + offset */
    PK_CFI_REGISTER,   /* is in register `offset` */
    PK_CFI_EXPRESSION, /* saved in memory where the expression says */
    PK_CFI_VALUE       /* its value is what the expression says */
} pk_cfi_how;

typedef struct pk_cfi_rule {
    pk_cfi_how how;
    uint32_t expression_bytes;
    int64_t offset;            /* or the register's number */
    const uint8_t *expression; /* within the section */
} pk_cfi_rule;

/* What holds for addresses begin <= pc < end. */
typedef struct pk_cfi_row {
    uint64_t begin, end;
    bool cfa_is_expression;
    uint8_t cfa_register; /* CFA = its value + cfa_offset */
    int64_t cfa_offset;
    pk_cfi_rule cfa_expression;
    pk_cfi_rule rules[PK_CFI_REGISTERS];
    uint8_t return_register;
    bool signal_frame; /* the caller was interrupted: its pc is exact, not a return address */
} pk_cfi_row;

/* One function's entry. */
typedef struct pk_cfi_fde {
    uint64_t begin, end; /* of the code it describes */
    const uint8_t *instructions, *instructions_end;
    const uint8_t *initial, *initial_end; /* of its CIE */
    uint64_t code_factor;
    int64_t data_factor;
    uint8_t return_register;
    bool signal_frame;
} pk_cfi_fde;

/* The entry at section->bytes[*offset], and *offset moves on behind it; CIEs are passed over.
 * False: the end, or an entry that is broken. */
bool pk_cfi_next(const pk_cfi_section *section, size_t *offset, pk_cfi_fde *fde);
/* The entry that describes pc, by the sorted table of .eh_frame_hdr (bytes[0..n) at `address`), or
 * without one (header NULL) by looking at all. False: none does. */
bool pk_cfi_find(const pk_cfi_section *section, const uint8_t *header, size_t header_bytes,
                 uint64_t header_address, uint64_t pc, pk_cfi_fde *fde);
/* The row for pc, which the entry describes. False: its instructions are broken. */
bool pk_cfi_row_at(const pk_cfi_fde *fde, uint64_t pc, pk_cfi_row *row);

typedef struct pk_cfi_frame {
    uint64_t pc;
    uint64_t value[PK_CFI_REGISTERS];
    uint64_t known; /* a bit for each register whose value is known */
} pk_cfi_frame;

/* Reads eight bytes of the program's memory; false: they are not there. */
typedef bool pk_cfi_read(void *context, uint64_t address, uint64_t *value);

typedef enum pk_cfi_end {
    PK_CFI_STEPPED,
    PK_CFI_OUTERMOST, /* there is no caller */
    PK_CFI_NO_MEMORY, /* what is needed is not there: a copied stack was too short */
    PK_CFI_LOST       /* a register is not known, or an expression cannot be evaluated */
} pk_cfi_end;

/* From a frame to its caller. architecture_sp: the stack pointer's number (7, 31), whose value in
 * the caller is the CFA where no rule says otherwise. *caller is written only when stepped. */
pk_cfi_end pk_cfi_step(const pk_cfi_row *row, const pk_cfi_frame *frame, unsigned architecture_sp,
                       pk_cfi_read *read, void *context, pk_cfi_frame *caller);

#endif

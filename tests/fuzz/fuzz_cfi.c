/* Any bytes as .eh_frame, with and without a table: it ends and reads nothing beyond what is there.
 * The first byte says how much of the rest is the table. */
#include <stdint.h>
#include <string.h>

#include "profile/cfi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static bool memory(void *context, uint64_t address, uint64_t *value) {
    (void)context;
    *value = address * 3;
    return address % 5 != 0;
}

static void try_entry(const pk_cfi_fde *fde, uint64_t pc) {
    pk_cfi_row row;
    pk_cfi_frame frame = {.pc = pc, .known = 0x1ffff}, caller;
    for (int i = 0; i < PK_CFI_REGISTERS; i++) frame.value[i] = 0x1000u + (uint64_t)i * 64;
    if (pk_cfi_row_at(fde, pc, &row)) (void)pk_cfi_step(&row, &frame, 7, memory, NULL, &caller);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    if (bytes < 2) return 0;
    size_t table = data[0] < bytes - 1 ? data[0] : bytes - 1;
    const uint8_t *header = data + 1;
    pk_cfi_section section = {header + table, bytes - 1 - table, 0x10000, 0x8000, 0x9000};
    pk_cfi_fde fde;
    int entries = 0;
    for (size_t offset = 0; entries < 1000 && pk_cfi_next(&section, &offset, &fde); entries++) {
        try_entry(&fde, fde.begin);
        if (fde.end > fde.begin) try_entry(&fde, fde.end - 1);
    }
    for (uint64_t pc = 0x4ff0; pc < 0x5110; pc += 0x30)
        if (pk_cfi_find(&section, table ? header : NULL, table, 0xf000, pc, &fde))
            try_entry(&fde, pc);
    return 0;
}

/* AArch64: arch/arm64/include/uapi/asm/perf_regs.h; "DWARF for the Arm 64-bit Architecture", 4.1;
 * "Procedure Call Standard for the Arm 64-bit Architecture", 6.1.1 and 6.4.6. */
#include "profile/unwind_arch.h"

#include <string.h>

/* BL, BLR and BLR with authentication ("Arm Architecture Reference Manual", C4.1). */
static bool is_call(const uint8_t bytes[PK_UNWIND_CALL_BYTES]) {
    uint32_t word;
    memcpy(&word, bytes + PK_UNWIND_CALL_BYTES - 4, sizeof word);
    return word >> 26 == 0x25 || (word & 0xfefff000) == 0xd63f0000;
}

const pk_unwind_arch pk_unwind_aarch64 = {
    .n_registers = 33,
    /* x0 to x30, sp; pc has no number */
    .dwarf = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
              11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
              22, 23, 24, 25, 26, 27, 28, 29, 30, 31, PK_UNWIND_NO_REGISTER},
    .perf_ip = 32,
    .perf_sp = 31,
    .sp = 31,
    .fp = 29,
    .n_kept = 12,
    .kept = {30, 29, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28},
    .returns_by_register = true,
    .address_bits = (UINT64_C(1) << 48) - 1, /* pointer authentication takes those above */
    .is_call = is_call,
};

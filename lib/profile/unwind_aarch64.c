/* AArch64: arch/arm64/include/uapi/asm/perf_regs.h; "DWARF for the Arm 64-bit Architecture", 4.1;
 * "Procedure Call Standard for the Arm 64-bit Architecture", 6.1.1 and 6.4.6. */
#include "profile/unwind_arch.h"

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
};

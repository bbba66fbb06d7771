/* x86-64: arch/x86/include/uapi/asm/perf_regs.h; System V psABI 1.0, 3.2.3 and figure 3.36. */
#include "profile/unwind_arch.h"

#define NONE PK_UNWIND_NO_REGISTER

const pk_unwind_arch pk_unwind_x86_64 = {
    .n_registers = 24,
    /* ax bx cx dx si di bp sp ip, flags and segments, r8 to r15 */
    .dwarf = {0,    3,    2,    1,    4, 5, 6,  7,  16, NONE, NONE, NONE,
              NONE, NONE, NONE, NONE, 8, 9, 10, 11, 12, 13,   14,   15},
    .perf_ip = 8,
    .perf_sp = 7,
    .sp = 7,
    .fp = 6,
    .n_kept = 7,
    .kept = {16, 6, 3, 12, 13, 14, 15},
    .address_bits = UINT64_MAX,
    .sp_above_record = 16,
};

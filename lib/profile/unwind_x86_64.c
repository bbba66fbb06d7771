/* x86-64: arch/x86/include/uapi/asm/perf_regs.h; System V psABI 1.0, 3.2.3 and figure 3.36. */
#include "profile/unwind_arch.h"

#define NONE PK_UNWIND_NO_REGISTER

/* E8 and 32 bits; or FF /2 with its operand: a register, or memory with or without SIB byte and
 * with no, 8 or 32 bits of displacement ("Intel 64 and IA-32 Software Developer's Manual", 2A,
 * CALL). */
static bool is_call(const uint8_t bytes[PK_UNWIND_CALL_BYTES]) {
    const uint8_t *end = bytes + PK_UNWIND_CALL_BYTES;
    if (end[-5] == 0xe8) return true;
    for (int n = 2; n <= 7; n++)
        if (n != 5 && end[-n] == 0xff && (end[1 - n] & 0x38) == 0x10) return true;
    return false;
}

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
    .is_call = is_call,
    .sp_above_record = 16,
};

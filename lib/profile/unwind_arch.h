/* What the unwinder has to know of a processor. Both tables are there on both, since recordings
 * and tests may be of the other one. */
#ifndef PK_PROFILE_UNWIND_ARCH_H
#define PK_PROFILE_UNWIND_ARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "profile/unwind.h"

#define PK_UNWIND_KEPT_MAX 12
#define PK_UNWIND_REGISTERS 33
#define PK_UNWIND_CALL_BYTES 8

typedef struct pk_unwind_arch {
    unsigned char n_registers;
    unsigned char dwarf[PK_UNWIND_REGISTERS]; /* n_registers: of perf's number, DWARF's */
    unsigned char perf_ip, perf_sp;           /* perf's numbers */
    unsigned char sp, fp;                     /* DWARF's */
    unsigned char n_kept;
    /* DWARF's numbers of what a function gives back as it was, the return address in front */
    unsigned char kept[PK_UNWIND_KEPT_MAX];
    bool returns_by_register; /* a function that calls none need not save its return address */
    uint64_t address_bits;    /* of a return address; the others may be a signature */
    /* Does an instruction that calls end with these bytes? */
    bool (*is_call)(const uint8_t bytes[PK_UNWIND_CALL_BYTES]);
    unsigned sp_above_record; /* bytes from a frame record to the caller's stack pointer; 0: none
                                 can be told */
} pk_unwind_arch;

#define PK_UNWIND_NO_REGISTER 255 /* in `dwarf`: it has no number, or nobody needs it */

extern const pk_unwind_arch pk_unwind_x86_64, pk_unwind_aarch64;

/* As pk_unwinder_new, for recordings of that processor. */
pk_unwinder *pk_unwinder_new_for(const pk_unwind_arch *arch, const pk_spaces *spaces,
                                 pk_modules *modules);

#endif

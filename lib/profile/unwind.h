/* The frames of a thread from its registers and a copy of the top of its stack, by the call frame
 * information of what its process had mapped (profile/cfi). What holds at an address is worked out
 * once and remembered, so a frame that was seen before costs a look-up and two reads of the copy.
 * Not thread-safe; x86-64 and AArch64. */
#ifndef PK_PROFILE_UNWIND_H
#define PK_PROFILE_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profile/address_space.h"
#include "profile/modules.h"

typedef struct pk_user_state {
    uint32_t pid;
    const uint64_t *registers;  /* by perf's numbers (asm/perf_regs.h), as in a pk_record_sample */
    uint64_t registers_known;   /* a bit for each */
    const unsigned char *stack; /* stack_bytes, from the stack pointer upwards */
    size_t stack_bytes;
    bool stack_full; /* the copy is as large as was asked for: there may be more of the stack */
} pk_user_state;

typedef enum pk_unwind_end {
    PK_UNWIND_WHOLE, /* reached the thread's first function; n = 0: execve has just taken code and
                        stack of the old program, and there is nothing to reach */
    PK_UNWIND_CUT,   /* the copy of the stack ended before the stack did */
    PK_UNWIND_NO_STACK, /* nothing could be copied where a word of it was needed: execve has given
                           the old stack back, or the page is not in memory */
    PK_UNWIND_LOST,     /* code without call frame information, or a broken stack */
    PK_UNWIND_DEEP,     /* more than `max` frames */
} pk_unwind_end;

typedef struct pk_unwinder pk_unwinder;

/* Both must outlive it. NULL: out of memory. */
pk_unwinder *pk_unwinder_new(const pk_spaces *spaces, pk_modules *modules);
void pk_unwinder_free(pk_unwinder *unwinder);

/* addresses[0..*n) = where the thread is, the innermost frame first. Each lies within the
 * instruction that is being executed: of callers it is the byte before the one they return to; of
 * the code that a signal's handler returns to, its first.
 * Code without call frame information is crossed by its frame pointer where that leads into mapped
 * code further up the stack. *lost_in: for PK_UNWIND_LOST the module of the last address
 * (UINT32_MAX: none is mapped there). 64-bit code only: the caller leaves out what perf marks as
 * PERF_SAMPLE_REGS_ABI_32. */
pk_unwind_end pk_unwind(pk_unwinder *unwinder, const pk_user_state *state, uint64_t addresses[],
                        size_t max, size_t *n, uint32_t *lost_in);

#endif

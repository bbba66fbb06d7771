/* The gates of `perfkit time`: one yes or no over all commands of a run, for scripts. What counts
 * is each command's change against the stored baseline or against the reference. */
#ifndef PK_BENCH_COMMAND_GATE_H
#define PK_BENCH_COMMAND_GATE_H

#include "bench/command.h"

typedef struct pk_command_gate {
    bool stored;    /* the changes against the baseline count, else those against the reference */
    bool regressed; /* fails when a command is slower by more than the threshold for sure: the
                       tests of all commands together, by Holm's method (stats/verdict.h) */
    double slower;  /* fails when the whole interval of a command's change lies above this ratio
                       - 1; NaN: off */
} pk_command_gate;

typedef struct pk_command_gate_result {
    bool failed;
    size_t compared;                /* commands with a change */
    size_t failures;                /* of those */
    const pk_command_result *first; /* that failed; NULL: none */
} pk_command_gate_result;

/* The change that a command is judged by; NULL: it was compared with nothing, or
 * no verdict was to be had. */
const pk_command_change *pk_command_gate_change(const pk_command_gate *gate,
                                                const pk_command_result *result);
/* False only when out of memory. `confidence`: Holm's level is 1 - it. */
bool pk_command_gate_judge(const pk_command_gate *gate, double confidence,
                           const pk_command_report *report, pk_command_gate_result *result,
                           pk_err *err) PK_MUST_CHECK;

#endif

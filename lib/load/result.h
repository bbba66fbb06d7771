/* The workers' reports -> one result. */
#ifndef PK_LOAD_RESULT_H
#define PK_LOAD_RESULT_H

#include "load/load.h"
#include "load/ports.h"
#include "load/worker.h"
#include "timing/cpu.h"

typedef struct pk_load_outcome {
    const pk_load_options *options; /* as settled: threads and connections as they were */
    const pk_plan *plan;
    const char *engine;
    const pk_ports_budget *ports; /* all 0: unknown */
    uint64_t start_ns, started_unix_ns;
    bool interrupted;
    pk_worker_report *reports; /* the first one's tally is emptied into the result */
    unsigned n_reports;        /* at least 1 */
    const pk_machine_cpu *machine_before, *machine_after;
} pk_load_outcome;

bool pk_load_result_make(const pk_load_outcome *outcome, pk_load_result *result,
                         pk_err *err) PK_MUST_CHECK;

#endif

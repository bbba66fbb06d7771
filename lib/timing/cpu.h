/* CPU time and scheduling of threads, the process and the machine. */
#ifndef PK_TIMING_CPU_H
#define PK_TIMING_CPU_H

#include <stdbool.h>
#include <stdint.h>

typedef struct pk_cpu_usage {
    uint64_t user_ns, system_ns;
    uint64_t switches_voluntary, switches_involuntary;
} pk_cpu_usage;
/* The calling thread so far (getrusage RUSAGE_THREAD; user/system split is tick-sampled, the sum
 * is taken from CLOCK_THREAD_CPUTIME_ID so that short spans are right). */
void pk_cpu_thread(pk_cpu_usage *usage);
void pk_cpu_process(pk_cpu_usage *usage);

/* /proc/stat, all CPUs since boot, in clock ticks. */
typedef struct pk_machine_cpu {
    bool known;
    uint64_t total_ticks, idle_ticks, steal_ticks;
} pk_machine_cpu;
void pk_machine_cpu_read(pk_machine_cpu *cpu);
/* Share (0..1) of steal, or of busy time, between two readings; NaN if unknown. */
double pk_machine_steal_ratio(const pk_machine_cpu *before, const pk_machine_cpu *after);
double pk_machine_busy_ratio(const pk_machine_cpu *before, const pk_machine_cpu *after);

/* CPUs this process may run on (sched_getaffinity), at least 1. */
unsigned pk_cpu_count(void);

#endif

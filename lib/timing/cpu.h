/* CPU time and scheduling of threads, the process and the machine. */
#ifndef PK_TIMING_CPU_H
#define PK_TIMING_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct pk_cpu_usage {
    uint64_t user_ns, system_ns;
    uint64_t switches_voluntary, switches_involuntary;
} pk_cpu_usage;
/* The calling thread, or the whole process (all threads, ended ones too), so far. The sum
 * user + system is CLOCK_{THREAD,PROCESS}_CPUTIME_ID, exact; its split is getrusage's, which the
 * kernel may estimate from ticks. */
void pk_cpu_thread(pk_cpu_usage *usage);
void pk_cpu_process(pk_cpu_usage *usage);
/* What was used between two readings of the same thread or process. Not a plain subtraction: the
 * sum never runs backwards, but the share of user or system time can, by microseconds. */
pk_cpu_usage pk_cpu_usage_between(const pk_cpu_usage *before, const pk_cpu_usage *after);

/* How long the calling thread has been ready to run and had no CPU, since it began, in ns
 * (/proc/thread-self/schedstat, second number; Documentation/scheduler/sched-stats in the kernel's
 * tree). False, *ns untouched, where the kernel does not tell. */
bool pk_cpu_thread_wait(uint64_t *ns);
/* The same from the content of that file. */
bool pk_cpu_wait_parse(const char *text, size_t bytes, uint64_t *ns);

/* /proc/stat, all CPUs since boot, in clock ticks. Guest time is part of user time there; idle
 * includes waiting for disks. */
typedef struct pk_machine_cpu {
    bool known;
    uint64_t total_ticks, idle_ticks, steal_ticks;
} pk_machine_cpu;
void pk_machine_cpu_read(pk_machine_cpu *cpu);
/* The same from the content of /proc/stat (proc(5)), text[0..bytes). */
void pk_machine_cpu_parse(const char *text, size_t bytes, pk_machine_cpu *cpu);
/* Share (0..1) of steal, or of busy time (neither idle nor stolen), between two readings; NaN if
 * one is unknown or no tick has passed. */
double pk_machine_steal_ratio(const pk_machine_cpu *before, const pk_machine_cpu *after);
double pk_machine_busy_ratio(const pk_machine_cpu *before, const pk_machine_cpu *after);

/* CPUs this process may run on (sched_getaffinity), at least 1. */
unsigned pk_cpu_count(void);

#endif

/* The machine that measures: what it is, and what disturbs measurements on it. Read-only, from
 * /proc and /sys; what is not there is unknown, never "ok". */
#ifndef PK_TIMING_ENVIRONMENT_H
#define PK_TIMING_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "timing/clock.h"
#include "timing/cpu.h"

/* Texts are empty and numbers negative (or NaN) where unknown. */
typedef struct pk_environment {
    char cpu_model[128], microcode[32], hypervisor[32]; /* "xen", "QEMU", or "hypervisor" */
    int cpus, cpus_allowed;
    /* Of CPU 0; the governor is the first one that is not "performance", if there is such. */
    char scaling_driver[32], governor[32], cpuidle_driver[32];
    int turbo; /* 1 on, 0 off, -1 unknown */
    double mhz_min, mhz_max, mhz_now;
    int smt; /* 1 active, 0 not, -1 unknown */
    char isolated[64], nohz_full[64];
    int aslr; /* randomize_va_space */
    char clock_source[32], kernel[128], host[64], boot_id[40];
    double load_1, load_5, load_15;
    int runnable; /* tasks now, the reader not counted */
    double psi_cpu_some_10;
    double temperature_c; /* of the hottest zone */
    int on_ac_power;      /* 1 yes, 0 on battery, -1 unknown */
    double timer_cost_ns; /* one clock reading */
    char compiler[128];   /* of perfkit itself */
    pk_machine_cpu ticks; /* steal: difference between two readings */
} pk_environment;

/* root: "" for the real machine; tests give a folder that holds proc/ and sys/. The clock is the
 * real one in any case. Takes a few milliseconds. */
void pk_environment_read(const char *root, pk_environment *env);

/* The parsers behind it; they take any bytes and set what they find. */
/* /proc/cpuinfo: model, microcode, hypervisor flag, number of CPUs, clock rate. */
void pk_environment_parse_cpuinfo(const char *text, size_t bytes, pk_environment *env);
/* /proc/loadavg: three averages and "running/all" (proc(5)). */
void pk_environment_parse_loadavg(const char *text, size_t bytes, pk_environment *env);
/* How many CPUs a kernel's list names ("0-3,8"); -1 if it is no such list. */
int pk_environment_parse_cpu_list(const char *list);

/* 16 hex digits that are equal where stored numbers may be compared: a hash (FNV-1a, 64 bits) of
 * CPU model, kernel release, hypervisor, governor, perfkit's compiler. */
void pk_environment_id(const pk_environment *env, char id[65]);

typedef struct pk_environment_warning {
    char what[160]; /* "the governor is powersave, not performance" */
    char fix[160];  /* a command, or empty */
} pk_environment_warning;
/* What stands at the start (before) and what a run has shown (after; NULL: not yet):
 * at most `max` warnings, returns how many. */
size_t pk_environment_check(const pk_environment *before, const pk_environment *after, size_t max,
                            pk_environment_warning warnings[]);

#endif

/* What the kernel's settings say, for recorders. */
#ifndef PK_FLAME_RECORDER_PROBE_H
#define PK_FLAME_RECORDER_PROBE_H

#include <stdint.h>

/* The number in /proc/sys/kernel/NAME; `otherwise` where there is none. */
int64_t pk_kernel_setting(const char *name, int64_t otherwise);

#endif

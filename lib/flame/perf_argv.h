/* The words that start `perf record` (perf-record(1)) for what was asked. */
#ifndef PK_FLAME_PERF_ARGV_H
#define PK_FLAME_PERF_ARGV_H

#include "flame/recorder.h"

/* How perf is told when to begin, by descriptors of ours: it reads "enable" and answers "ack"
 * (perf-record(1), --control). */
typedef struct pk_perf_control {
    pid_t pid;          /* whose descriptors these are */
    int tell, answered; /* that perf reads from, and writes to */
} pk_perf_control;

/* Samples what `command` is (0: none was asked for), which must be there already; recording is off
 * until it is told to begin. The stream goes to standard output, or to options->keep. NULL-ended,
 * in the arena; NULL: no room. */
char **pk_perf_argv(const pk_record_options *options, pid_t command, const pk_perf_control *control,
                    pk_arena *arena) PK_MUST_CHECK;

/* With the user's own words behind "perf": as they are, with "-o perf.data" behind them where they
 * name no file, then the processes or the command. *file is what perf will write, in the arena. */
char **pk_perf_argv_own_words(const pk_record_options *options, const char **file,
                              pk_arena *arena) PK_MUST_CHECK;

/* Bytes of one ring (of each processor), a power of two, for processors rings of memory that may
 * be locked: all of `allowed_bytes` and no more than is useful; 0: what perf takes by itself. */
uint64_t pk_perf_ring_bytes(uint64_t allowed_bytes, size_t processors, uint64_t sample_bytes,
                            uint64_t page_bytes);

#endif

/* One record of perf_event_open(2), as the kernel writes it into its rings and perf into perf.data:
 * linux/perf_event.h (PERF_RECORD_*, PERF_SAMPLE_*), and for the types from 64 on perf's own
 * tools/perf/Documentation/perf.data-file-format.txt. Any bytes are taken; nothing is allocated,
 * and what a record points to lies in those bytes. */
#ifndef PK_FLAME_RECORD_H
#define PK_FLAME_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Words inside a record; only those of the kernel are always aligned. */
typedef uint64_t pk_word __attribute__((aligned(1), may_alias));

#define PK_RECORD_HEADER_BYTES 8
#define PK_RECORD_BYTES_MAX 65535
#define PK_RECORD_REGISTERS_MAX 64
#define PK_BUILD_ID_MAX 20
#define PK_TIME_NONE UINT64_MAX

/* What of an event's perf_event_attr decides how its records look. */
typedef struct pk_perf_attr {
    uint32_t type;
    uint64_t config;
    uint64_t sample_period; /* or frequency: */
    bool is_frequency;
    uint64_t sample_type, read_format, flags; /* flags: PK_ATTR_... */
    uint64_t branch_sample_type, registers_user, registers_interrupt;
    uint32_t stack_user;
    uint32_t clock_id;
} pk_perf_attr;
#define PK_ATTR_FREQUENCY (1ull << 10)
#define PK_ATTR_SAMPLE_ID_ALL (1ull << 18)
#define PK_ATTR_BYTES_LEAST 64 /* PERF_ATTR_SIZE_VER0 */

/* From bytes[0..n) as they stand in a file: the attr's own size says how much of it is known, what
 * is not there is 0. False: too short. */
bool pk_perf_attr_parse(const unsigned char *bytes, size_t n, pk_perf_attr *attr);

typedef enum pk_record_type { /* the kernel's and perf's numbers */
                              PK_RECORD_MMAP = 1,
                              PK_RECORD_LOST = 2,
                              PK_RECORD_COMM = 3,
                              PK_RECORD_EXIT = 4,
                              PK_RECORD_THROTTLE = 5,
                              PK_RECORD_UNTHROTTLE = 6,
                              PK_RECORD_FORK = 7,
                              PK_RECORD_SAMPLE = 9,
                              PK_RECORD_MMAP2 = 10,
                              PK_RECORD_LOST_SAMPLES = 13,
                              PK_RECORD_SWITCH = 14,
                              PK_RECORD_SWITCH_CPU_WIDE = 15,
                              PK_RECORD_NAMESPACES = 16,
                              PK_RECORD_KSYMBOL = 17,
                              PK_RECORD_KERNEL_LAST = 63,
                              PK_RECORD_HEADER_ATTR = 64,
                              PK_RECORD_TRACING_DATA = 66,
                              PK_RECORD_BUILD_ID = 67,
                              PK_RECORD_FINISHED_ROUND = 68,
                              PK_RECORD_AUXTRACE = 71,
                              PK_RECORD_HEADER_FEATURE = 80,
                              PK_RECORD_COMPRESSED = 81,
                              PK_RECORD_FINISHED_INIT = 82,
                              PK_RECORD_COMPRESSED2 = 83
} pk_record_type;

typedef enum pk_cpu_mode {
    PK_CPU_UNKNOWN,
    PK_CPU_KERNEL,
    PK_CPU_USER,
    PK_CPU_HYPERVISOR,
    PK_CPU_GUEST_KERNEL,
    PK_CPU_GUEST_USER
} pk_cpu_mode;

/* In a callchain, what follows is of this mode; anything from -4095 on is a marker, never an
 * address. */
#define PK_CHAIN_MARKER_LEAST ((uint64_t)-4095)
#define PK_CHAIN_KERNEL ((uint64_t)-128)
#define PK_CHAIN_USER ((uint64_t)-512)

typedef struct pk_record_sample {
    uint64_t ip, period;  /* period: the attr's where the sample has none */
    pk_cpu_mode mode;     /* of ip */
    const pk_word *chain; /* n_chain, markers among them; NULL: none */
    size_t n_chain;
    const pk_word
        *calls; /* n_calls that have not returned, the last one first, as the processor
                   keeps them: three words each, the first is where it calls; NULL: none */
    size_t n_calls;
    uint64_t registers_abi; /* 0: none */
    uint64_t
        registers[PK_RECORD_REGISTERS_MAX]; /* by perf's numbers, those of attr.registers_user */
    uint64_t registers_known;               /* a bit for each that is */
    const unsigned char *stack; /* stack_bytes of it, from the stack pointer upwards; NULL: none */
    size_t stack_bytes;
    size_t stack_stored; /* what was asked for: an equal stack_bytes may be cut */
} pk_record_sample;

typedef struct pk_record_mmap {
    uint64_t address, bytes, offset;
    bool executable;
    uint32_t major, minor;
    uint64_t inode, generation;
    unsigned char build_id[PK_BUILD_ID_MAX];
    size_t build_id_bytes; /* 0: not in the record */
    const char *file;      /* NUL-terminated */
} pk_record_mmap;

typedef struct pk_record {
    pk_record_type type;
    uint16_t misc;
    size_t bytes;                 /* of the whole record */
    const unsigned char *payload; /* behind the header */
    uint32_t pid, tid;            /* UINT32_MAX: not known */
    uint64_t time_ns;             /* PK_TIME_NONE: not known */
    uint32_t cpu;                 /* UINT32_MAX: not known */
    size_t attr;                  /* of the event it belongs to */
    union {
        pk_record_sample sample;
        pk_record_mmap mmap; /* MMAP, MMAP2 */
        struct {
            const char *name;
            bool exec;
        } comm;
        struct {
            uint32_t parent_pid, parent_tid;
        } fork;        /* FORK, EXIT */
        uint64_t lost; /* LOST, LOST_SAMPLES */
        struct {
            bool out, preempted;
        } on_cpu; /* SWITCH, SWITCH_CPU_WIDE */
        struct {
            uint64_t address;
            uint32_t bytes;
            bool gone;
            const char *name;
        } ksymbol;
    };
} pk_record;

/* Events by the ids that their records carry. */
typedef struct pk_perf_id {
    uint64_t id;
    size_t attr;
} pk_perf_id;
typedef struct pk_perf_events {
    const pk_perf_attr *attrs; /* n_attrs >= 1 */
    size_t n_attrs;
    const pk_perf_id *ids; /* n_ids, sorted by id; none needed for one event */
    size_t n_ids;
} pk_perf_events;

/* The size that a header states; 0: bytes[0..n) do not hold a header, or it says less than one. */
size_t pk_record_size(const unsigned char *bytes, size_t n);
/* bytes[0..n) is one whole record, n >= 8 as pk_record_size said. Types not listed above are given
 * with their payload alone. False (PK_E_INPUT): it contradicts itself. */
bool pk_record_parse(const pk_perf_events *events, const unsigned char *bytes, size_t n,
                     pk_record *record, pk_err *err) PK_MUST_CHECK;

#endif

/* The budget of local ports: how many connections a second this machine can open to a target, and
 * whether a run will ask for more. Arithmetic on texts and options; only pk_ports_read looks at the
 * machine.
 *
 * A connection is told from others by its two addresses and ports, so each pair of (our address,
 * target's address and port) has the whole range of local ports to itself. Whoever closes first
 * keeps the pair of ports in TIME_WAIT for 60 s (TCP_TIMEWAIT_LEN in the kernel's net/tcp.h; RFC
 * 9293, 3.6.1): with a new connection for each request that is us. The kernel takes such a port
 * again for an outgoing connection only as tcp_tw_reuse says (Documentation/networking/ip-sysctl):
 * 0 never, 1 after a second, 2 (the default) so on loopback only; and never without timestamps. */
#ifndef PK_LOAD_PORTS_H
#define PK_LOAD_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "load/load.h"
#include "load/plan.h"

/* Contents of files under /proc/sys/net/ipv4; NULL: the kernel has no such file. */
typedef struct pk_ports_files {
    const char *ip_local_port_range;     /* "32768\t60999\n" */
    const char *ip_local_reserved_ports; /* "8080,9148-9150\n" or empty */
    const char *tcp_tw_reuse;            /* "2\n" */
    const char *tcp_tw_reuse_delay;      /* "1000\n", ms; since Linux 6.14 */
    const char *tcp_timestamps;          /* "1\n" */
} pk_ports_files;

typedef struct pk_ports {
    uint64_t per_target;       /* local ports for one (source, target) pair */
    uint64_t hold_ns;          /* how long a port stays taken after its connection */
    uint64_t hold_loopback_ns; /* the same, when the target is on loopback */
    bool can_reuse;            /* tcp_tw_reuse has an effect: timestamps are on */
} pk_ports;

/* False, *ports untouched, when the range is missing or no range. */
bool pk_ports_parse(const pk_ports_files *files, pk_ports *ports);
bool pk_ports_read(pk_ports *ports);

/* What a run asks for. */
typedef struct pk_ports_need {
    uint64_t targets;     /* different addresses and ports it connects to; 0: no TCP at all */
    bool is_loopback;     /* all of them */
    bool keepalive;       /* else a connection for each request */
    uint64_t connections; /* at the same time */
    uint64_t threads;
    uint64_t requests;    /* 0: no limit */
    uint64_t duration_ns; /* 0: no limit */
    double rate_hz;       /* 0: as fast as the answers come */
} pk_ports_need;

/* From options as settled (threads and connections as they will be) and the plan's routes. */
pk_ports_need pk_ports_need_of(const pk_load_options *options, const pk_plan *plan);

typedef enum pk_ports_outlook {
    PK_PORTS_ENOUGH,
    PK_PORTS_TOO_MANY_OPEN, /* more connections at the same time than ports */
    PK_PORTS_RUN_OUT,       /* at the rate asked for, at out_after_ns */
    PK_PORTS_MAY_RUN_OUT,   /* in a closed loop, if the server is faster than limit_hz */
} pk_ports_outlook;

typedef struct pk_ports_budget {
    pk_ports_outlook outlook;
    uint64_t ports;      /* for all targets together */
    uint64_t hold_ns;    /* the one that applies */
    double sustained_hz; /* new connections a second that can go on for ever */
    double limit_hz;     /* .. that this run can make, which may end before a port is free again */
    uint64_t out_after_ns; /* RUN_OUT: from the start of the run; else 0 */
    bool reuse_helps;      /* tcp_tw_reuse=1 would shorten hold_ns */
} pk_ports_budget;

pk_ports_budget pk_ports_plan(const pk_ports *ports, const pk_ports_need *need);

/* What will happen, from when, how to fix it: one line. False, *out empty, when ports suffice. */
#define PK_PORTS_ADVICE_MAX 512
bool pk_ports_advice(char *out, size_t bytes, const pk_ports_budget *budget,
                     const pk_ports_need *need);

#endif

/* Connects that waited for a lost SYN. When a SYN is not answered (a full accept queue drops it, or
 * the network), the kernel sends it again after 1 s and then by a fixed schedule, so such connects
 * take just over 1 s, 3 s, 7 s: times of a timer, not of the server. RFC 6298, 2.1 and 5.5: first
 * after 1 s, each wait twice the last; Linux 6.5 and later repeat the first wait
 * tcp_syn_linear_timeouts times (net/ipv4/tcp_timer.c, tcp_retransmit_timer; default 4: 1, 2, 3, 4,
 * 5, 7, 11 s). */
#ifndef PK_LOAD_SYN_RETRY_H
#define PK_LOAD_SYN_RETRY_H

#include <stddef.h>
#include <stdint.h>
#include "stats/histogram.h"

#define PK_SYN_RETRIES_MAX 10

/* When retry number 1.. is sent, counted from the first SYN. */
uint64_t pk_syn_retry_ns(unsigned retry, unsigned linear_timeouts);

typedef struct pk_syn_cluster {
    unsigned retries;
    uint64_t at_ns; /* pk_syn_retry_ns(retries) */
    uint64_t count;
} pk_syn_cluster;

typedef struct pk_syn_retries {
    size_t n; /* clusters that are there, ascending */
    pk_syn_cluster clusters[PK_SYN_RETRIES_MAX];
    uint64_t count; /* connects in all of them */
} pk_syn_retries;

/* tcp: connect times in ns. A cluster is what lies from 10 ms before its moment (the kernel's tick
 * may cut the wait short) to an eighth after it (its timers may be so late) and the fastest connect
 * more, if it is at least four times as dense as what lies before it: a slow network spreads. */
void pk_syn_retries_find(const pk_hist *tcp, unsigned linear_timeouts, pk_syn_retries *out);

/* This machine's tcp_syn_linear_timeouts; 0 where the kernel has none. */
unsigned pk_syn_linear_timeouts(void);

#endif

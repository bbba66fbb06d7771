/* Cuts connections whose request head takes too long. MHD's own timeout is one of idleness: any
 * byte resets it, so a client that sends one byte a second holds its connection for ever. */
#ifndef PK_SERVE_HEAD_DEADLINE_H
#define PK_SERVE_HEAD_DEADLINE_H

#include "serve/server.h"

/* How often to look, for a given deadline. */
uint64_t pk_head_deadline_interval_ns(uint64_t head_timeout_ns);

typedef struct pk_head_state {
    uint64_t waiting_ns; /* since the accept or the end of the last answer */
    uint64_t line_ns;    /* since the request line was seen; 0: it was not */
    bool reused, draining;
} pk_head_state;
typedef enum pk_head_verdict { PK_HEAD_FINE, PK_HEAD_LATE, PK_HEAD_IDLE_IN_DRAIN } pk_head_verdict;
/* Pure. The first head has head_timeout_ns from the accept. A later one has it from the moment its
 * request line was seen, and in any case from the end of the idle time that a silent connection may
 * take. 0: no such timeout. */
pk_head_verdict pk_head_judge(const pk_head_state *state, uint64_t head_timeout_ns,
                              uint64_t idle_timeout_ns);

/* Looks at all connections of the worker; from its thread, outside of MHD's callbacks. */
void pk_heads_cut_late(pk_worker *worker, uint64_t now_ns);

#endif

#include "load/gather.h"

#define PERIOD_NS 1000000u
#define LATENCY_PART 8
#define PAUSE_MAX_NS 100000u
/* A shorter one costs about as much, for sleeping and waking up, as it saves. */
#define PAUSE_MIN_NS 20000u
#define FOUND_PART 8 /* of what is in flight: more has gathered by itself */

void pk_gather_begin(pk_gather *g, uint64_t now_ns) {
    *g = (pk_gather){.since_ns = now_ns};
}

void pk_gather_waited(pk_gather *g, uint64_t from_ns, uint64_t until_ns) {
    uint64_t period_ns = until_ns - g->since_ns;
    g->waited_ns += until_ns - from_ns;
    if (period_ns < PERIOD_NS) return;
    g->is_busy = g->waited_ns < period_ns / 2;
    g->since_ns = until_ns;
    g->waited_ns = 0;
}

uint64_t pk_gather_pause_ns(const pk_gather *g, uint64_t answers, uint64_t fastest_ns,
                            uint64_t in_flight) {
    uint64_t pause_ns = fastest_ns / LATENCY_PART;
    if (!g->is_busy || answers == 0 || answers > in_flight / FOUND_PART) return 0;
    if (pause_ns < PAUSE_MIN_NS) return 0;
    return pause_ns < PAUSE_MAX_NS ? pause_ns : PAUSE_MAX_NS;
}

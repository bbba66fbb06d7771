#include "load/gather.h"

#define PAUSE_MAX_NS 100000u
/* A shorter one costs about as much, for sleeping and waking up, as it saves. */
#define PAUSE_MIN_NS 20000u
#define FOUND_PART 8 /* of what is in flight: more has gathered by itself */
#define STEP_PART 32

/* A step up for each look above the estimate and one down for each below leads to the median, which
 * a look with a connect or a lost CPU in it does not move. */
void pk_gather_worked(pk_gather *g, uint64_t answers, uint64_t work_ns) {
    if (answers == 0) return;
    uint64_t answer_ns = work_ns / answers, step_ns = g->answer_ns / STEP_PART + 1;
    if (g->answer_ns == 0) g->answer_ns = answer_ns;
    else if (answer_ns > g->answer_ns) g->answer_ns += step_ns;
    else g->answer_ns -= step_ns;
}

/* The mean latency can grow by half of the pause for the part of the time that is paused, and that
 * is at most what the thread does not work. A sixteenth at most: for half of the time by an eighth,
 * for three quarters of it by a sixteenth. */
static uint64_t longest_ns(uint64_t answer_ns, uint64_t fastest_ns, uint64_t in_flight) {
    uint64_t work_ns = in_flight * answer_ns; /* Little's law: in fastest_ns */
    if (work_ns >= fastest_ns / 2) return fastest_ns / 4;
    return work_ns >= fastest_ns / 4 ? fastest_ns / 8 : 0;
}

uint64_t pk_gather_pause_ns(const pk_gather *g, uint64_t answers, uint64_t fastest_ns,
                            uint64_t in_flight) {
    if (answers == 0 || answers > in_flight / FOUND_PART) return 0;
    uint64_t pause_ns = longest_ns(g->answer_ns, fastest_ns, in_flight);
    if (pause_ns < PAUSE_MIN_NS) return 0;
    return pause_ns < PAUSE_MAX_NS ? pause_ns : PAUSE_MAX_NS;
}

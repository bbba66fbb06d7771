#include "load/schedule.h"

#include <math.h>

#include "base/units.h"

pk_schedule pk_schedule_make(double rate_hz, uint64_t limit, uint64_t thread, uint64_t threads) {
    return (pk_schedule){.rate_hz = rate_hz, .next = thread, .step = threads, .limit = limit};
}

uint64_t pk_schedule_due_ns(const pk_schedule *s, uint64_t ticket) {
    if (s->rate_hz <= 0) return s->start_ns;
    /* whole seconds apart from the rest: the sum keeps ns over days, k * 1e9 / rate would not */
    double seconds = (double)ticket / s->rate_hz;
    double whole = floor(seconds);
    if (whole >= 9e9) return UINT64_MAX; /* 285 years */
    return s->start_ns + (uint64_t)whole * PK_NS_PER_S + (uint64_t)llround((seconds - whole) * 1e9);
}

uint64_t pk_schedule_backlog(const pk_schedule *s, uint64_t until_ns) {
    if (s->rate_hz <= 0 || !pk_schedule_left(s) || pk_schedule_next_ns(s) > until_ns) return 0;
    double last_due = (double)(until_ns - s->start_ns) / 1e9 * s->rate_hz;
    uint64_t last = last_due < 1e18 ? (uint64_t)last_due : (uint64_t)1e18;
    if (last >= s->limit) last = s->limit - 1;
    /* rounding may have put it off by one at the edge: correct it by the definition */
    if (last > s->next && pk_schedule_due_ns(s, last) > until_ns) last--;
    else if (last + 1 < s->limit && pk_schedule_due_ns(s, last + 1) <= until_ns) last++;
    if (last < s->next) last = s->next;
    return (last - s->next) / s->step + 1;
}

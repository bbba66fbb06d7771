/* When requests are due. The run's tickets are numbered 0, 1, 2 ..; thread t of T takes those with
 * number = t mod T, so that threads share nothing. With a rate, ticket k is due at k / rate. */
#ifndef PK_LOAD_SCHEDULE_H
#define PK_LOAD_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct pk_schedule {
    double rate_hz;    /* of the whole run; 0: everything is due at once */
    uint64_t next;     /* number of this thread's next ticket */
    uint64_t step;     /* threads */
    uint64_t limit;    /* tickets of the whole run; UINT64_MAX: no limit */
    uint64_t start_ns; /* moment of ticket 0 */
} pk_schedule;

pk_schedule pk_schedule_make(double rate_hz, uint64_t limit, uint64_t thread, uint64_t threads);

/* Moment at which ticket k is due. Exact to the ns up to k = 2^53 / 10^9 * rate. */
uint64_t pk_schedule_due_ns(const pk_schedule *schedule, uint64_t ticket);

/* Does this thread have a ticket left? */
static inline bool pk_schedule_left(const pk_schedule *s) {
    return s->next < s->limit;
}
/* The moment of the next one; only while one is left. 0 without a rate. */
static inline uint64_t pk_schedule_next_ns(const pk_schedule *s) {
    return s->rate_hz > 0 ? pk_schedule_due_ns(s, s->next) : 0;
}
static inline void pk_schedule_take(pk_schedule *s) {
    s->next += s->step;
}

/* How many of this thread's tickets are due up to and including `until_ns`, but not taken. */
uint64_t pk_schedule_backlog(const pk_schedule *schedule, uint64_t until_ns);

#endif

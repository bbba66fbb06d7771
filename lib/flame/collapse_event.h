/* Which of a recording's events is wanted, and what its weights mean. */
#ifndef PK_FLAME_COLLAPSE_EVENT_H
#define PK_FLAME_COLLAPSE_EVENT_H

#include "base/array.h"
#include "flame/perf_data.h"

/* How an event is called: as the recording says, else as perf calls the number, else "event
 * TYPE:CONFIG". Written to room if it is not known by a name. */
#define PK_EVENT_NAME_BYTES 64
const char *pk_event_name(const pk_perf_info *info, size_t attr, char room[PK_EVENT_NAME_BYTES]);

/* Is it the event `wanted`? "cpu-clock" is "cpu-clock:ppp" as well: perf's modifiers are no part of
 * a name that has none itself. */
bool pk_event_is(const char *name, const char *wanted);
/* How many bytes of the name stand before its modifiers. */
size_t pk_event_base_bytes(const char *name);

/* Its periods are nanoseconds of a clock. */
bool pk_event_is_clock(const pk_perf_attr *attr);

#endif

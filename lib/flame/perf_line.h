/* The lines of `perf script`: what each of them says (perf-script(1)). They may be any bytes; the
 * pieces point into the line. A pure parser of one line at a time. */
#ifndef PK_FLAME_PERF_LINE_H
#define PK_FLAME_PERF_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "profile/tidy.h"

/* "comm pid/tid [cpu] time: period event: frame", of which any may be missing. */
typedef struct pk_perf_event_line {
    pk_piece comm;
    pk_piece pid, tid; /* digits; 0 bytes: not told */
    bool has_time, has_period;
    uint64_t time_ns, period;
    pk_piece event;   /* with its modifiers; 0 bytes: not told */
    pk_piece payload; /* what stands behind: a callchain of one frame, or fields of the event */
    bool other;       /* of another record than a sample; event is "PERF_RECORD_..." */
} pk_perf_event_line;

typedef enum pk_perf_event_sure {
    PK_EVENT_NONE,    /* nothing of an event's line but perhaps its comm, which is set */
    PK_EVENT_LIKELY,  /* some of the fields */
    PK_EVENT_CERTAIN, /* a thread's number and a time */
} pk_perf_event_sure;

/* A line without blanks at its end, not empty. */
pk_perf_event_sure pk_perf_event_line_read(pk_piece line, pk_perf_event_line *into);

/* "address name+0xoffset (module)", name and module without offset and brackets, both "[unknown]"
 * where they are missing; the address may be any word if there is a module. False: it is none. */
typedef struct pk_perf_frame_line {
    pk_piece address, name, module;
} pk_perf_frame_line;
bool pk_perf_frame_line_read(pk_piece line, pk_perf_frame_line *into) PK_MUST_CHECK;

/* Without what counts as blank at its end, or its beginning. */
pk_piece pk_piece_trim_end(pk_piece text);
pk_piece pk_piece_trim(pk_piece text);

#endif

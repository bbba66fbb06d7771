/* The text that `perf script` prints -> a profile, for recordings of which only that is left. Lines
 * of an event ("comm pid/tid [cpu] time: period event:"), those of its callchain, an empty line;
 * any of these fields may be missing (perf script -F), a callchain of one frame may stand in the
 * event's line, and source lines, headers and other records may stand between. What it makes of
 * them is what inferno-collapse-perf 0.12.8 does, except for its mistakes (docs/methods.md). */
#ifndef PK_FLAME_PERF_TEXT_H
#define PK_FLAME_PERF_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flame/collapse.h"
#include "profile/profile.h"

typedef enum pk_text_kind {
    PK_TEXT_UNCLEAR, /* nothing but empty lines and comments yet: look again with more of it */
    PK_TEXT_PERF,
    PK_TEXT_FOLDED,
    PK_TEXT_OTHER, /* neither */
} pk_text_kind;

/* What a text is, by its first lines: text[0..bytes) is its beginning. `whole`: it is all of it, so
 * that the last line counts without a line break too. */
pk_text_kind pk_text_guess(const char *text, size_t bytes, bool whole);

typedef struct pk_perf_text pk_perf_text;

typedef struct pk_perf_text_counts {
    uint64_t samples;      /* taken */
    uint64_t without;      /* samples of the event that have no stack, and are in no picture */
    uint64_t other_events; /* samples of other events */
    uint64_t ignored;      /* lines that are none of perf's */
} pk_perf_text_counts;

/* options (label, event, count_samples, keep_samples, in_order, by_thread, begin_ns, end_ns,
 * threads, symbolise; the rest has no meaning for a text) must outlive it. *profile has been
 * pk_profile_init'ed, and may have samples of other texts, of the same event. NULL: out of memory.
 */
pk_perf_text *pk_perf_text_new(const pk_collapse_options *options, pk_profile *profile,
                               pk_err *err) PK_MUST_CHECK;
/* The next piece of the text, cut anywhere, any bytes. Lines of more than 64 KiB are ignored.
 * False: out of memory, or more names or stacks than a bound. */
bool pk_perf_text_add(pk_perf_text *text, const char *piece, size_t bytes,
                      pk_err *err) PK_MUST_CHECK;
/* The end of the text, which ends its last event, and fills in what is known of the whole. */
bool pk_perf_text_end(pk_perf_text *text, pk_err *err) PK_MUST_CHECK;
void pk_perf_text_free(pk_perf_text *text);

pk_perf_text_counts pk_perf_text_counted(const pk_perf_text *text);

#endif

/* Texts as inputs of a profile: folded stacks, or what `perf script` prints. */
#ifndef PK_FLAME_FLAME_TEXT_H
#define PK_FLAME_FLAME_TEXT_H

#include "flame/collapse.h"

typedef struct pk_flame_text_read {
    bool folded;       /* else of perf script */
    uint64_t samples;  /* taken; of folded stacks their counts */
    uint64_t lines;    /* folded: taken */
    uint64_t ignored;  /* lines that are neither */
    uint64_t without;  /* samples of perf script without a stack */
    uint64_t fraction; /* folded: counts whose fraction was dropped */
    uint64_t bytes;
} pk_flame_text_read;

/* Adds a text's stacks to the profile, piece by piece as it is read; "-" is standard input. Which
 * of the two it is, is told by its first lines. progress as of pk_collapse_file, for files; when it
 * ends the reading the profile is marked incomplete. */
bool pk_flame_text_add(const char *path, const pk_collapse_options *options,
                       pk_collapse_progress *progress, void *context, pk_profile *profile,
                       pk_flame_text_read *read, pk_err *err) PK_MUST_CHECK;

#endif

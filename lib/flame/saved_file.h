/* A profile from one file of any kind: perf.data, text of `perf script`, folded stacks, a flame
 * graph. Told by what is in it, not by its name. */
#ifndef PK_FLAME_SAVED_FILE_H
#define PK_FLAME_SAVED_FILE_H

#include "flame/flame.h"
#include "profile/saved.h"

/* What a file is, by its beginning. PK_SAVED_UNKNOWN for standard input ("-"), pipes and what
 * cannot be opened, which are left alone, and for text of `perf script`. */
pk_saved_kind pk_saved_file_kind(const char *path);

/* As pk_flame_run, with this file as its only input: options->perf_data and inputs are not looked
 * at. result is always to be given to pk_flame_fini. */
bool pk_flame_run_file(const char *path, const pk_flame_options *options,
                       const pk_interrupt *interrupt, pk_flame_result *result,
                       pk_err *err) PK_MUST_CHECK;

#endif

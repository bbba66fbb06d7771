/* Inside whole commands: what the parts of bench/command share. */
#ifndef PK_BENCH_COMMAND_PARTS_H
#define PK_BENCH_COMMAND_PARTS_H

#include "bench/command.h"

/* Fails with "out of memory"; returns false. */
bool pk_command_no_room(pk_err *err);

/* ---- parameters: command_param.c ---- */

typedef struct pk_parameter_axis { /* a parameter with all its values, in order */
    const char *name;
    const char *const *values; /* n >= 1 */
    size_t n;
} pk_parameter_axis;

/* -P's range or -L's lists, checked. None: n = 0. In the arena. */
bool pk_parameter_axes(const pk_command_options *options, pk_arena *arena, pk_parameter_axis **axes,
                       size_t *n, pk_err *err) PK_MUST_CHECK;
/* Values of a list: split at commas; "\," is a comma, "\\" a backslash. NULL: out of memory. */
const char *const *pk_parameter_split(const char *text, pk_arena *arena, size_t *n) PK_MUST_CHECK;
/* text with each {NAME} replaced, from left to right; what was put in is not looked at again.
 * NULL: out of memory. */
const char *pk_parameter_replace(const char *text, size_t n, const pk_parameter_value values[],
                                 pk_arena *arena) PK_MUST_CHECK;
/* Does {name} occur in text? */
bool pk_parameter_used(const char *text, const char *name);

#endif

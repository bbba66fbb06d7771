/* A command with the hook loaded into it. */
#ifndef PK_ALLOC_LAUNCH_H
#define PK_ALLOC_LAUNCH_H

#include "alloc/alloc.h"

/* Runs options->argv to its end, or until the interrupt or options->duration_ns end it, with our
 * standard descriptors; then its images are in the result, which was begun. False: it could not be
 * started, or nothing of it was counted; result->command_ran says which, and exit how it ended. */
bool pk_alloc_launch(const pk_alloc_options *options, const pk_interrupt *interrupt,
                     pk_alloc_result *result, pk_err *err) PK_MUST_CHECK;

/* The hook's settings, PK_ALLOC_VARIABLE's text, into out[0..bytes); attached: for a program that
 * runs already. False: they do not fit. */
bool pk_alloc_settings(const pk_alloc_options *options, const char *folder, bool attached,
                       char *out, size_t bytes) PK_MUST_CHECK;

#endif

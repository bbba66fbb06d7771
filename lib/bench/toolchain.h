/* Runs of the compiler, for bench/compile and bench/layout. */
#ifndef PK_BENCH_TOOLCHAIN_H
#define PK_BENCH_TOOLCHAIN_H

#include "bench/compile.h"

/* Runs the compiler with `before`, the user's cflags, `after` (both ended by NULL). What it prints
 * is appended to *messages, cut where that is full. On failure err says that `what` ("linking") of
 * the source did not work. */
bool pk_toolchain_run(const char *what, const pk_compile_options *options,
                      const char *const before[], const char *const after[], pk_strbuf *messages,
                      pk_err *err) PK_MUST_CHECK;

/* Links one relocatable object to a shared one, bound at start; script: a linker script, or NULL.
 */
bool pk_toolchain_link(const pk_compile_options *options, const char *object, const char *script,
                       const char *shared, pk_strbuf *messages, pk_err *err) PK_MUST_CHECK;

#endif

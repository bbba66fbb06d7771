/* Runs of the compiler, for bench/compile and bench/layout. */
#ifndef PK_BENCH_TOOLCHAIN_H
#define PK_BENCH_TOOLCHAIN_H

#include "bench/compile.h"

/* Links one relocatable object to a shared one, bound at start. script: a linker script, or NULL,
 * and then what nobody defines is an error. */
bool pk_toolchain_link(const pk_compile_options *options, const char *object, const char *script,
                       const char *shared, pk_strbuf *messages, pk_err *err) PK_MUST_CHECK;

#endif

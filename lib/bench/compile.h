/* Sources that bench compiles itself (`perfkit bench FILE.c`), into an object that can be relinked
 * in other layouts (bench/layout.h). */
#ifndef PK_BENCH_COMPILE_H
#define PK_BENCH_COMPILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"

typedef struct pk_compile_options {
    const char *source;   /* FILE.c, .cc, .cpp, .cxx */
    const char *compiler; /* of C resp. C++, words as in a shell ("ccache gcc"); NULL: cc, c++ */
    const char *cflags;   /* words; NULL: "-O2". Given to the linker's run too (-lm) */
    uint64_t timeout_ns;  /* per run of the compiler */
} pk_compile_options;

/* Is this a source (.c .cc .cpp .cxx) that pk_compile takes? Judged by the name alone. */
bool pk_compile_takes(const char *path);

/* Compiles with -fPIC -ffunction-sections -fvisibility=hidden and a folder on the include path
 * that holds perfkit.h, into the file `object` (relocatable, made or replaced; keep it to relink)
 * and links that to the shared object `shared`, bound at start (-z now).
 * False: err says which step failed. What the compiler printed, in either case, is appended to
 * *messages, to be shown as it is; a source with errors is PK_E_INPUT. */
bool pk_compile(const pk_compile_options *options, const char *object, const char *shared,
                pk_strbuf *messages, pk_err *err) PK_MUST_CHECK;

#endif

/* Sources that bench compiles itself (`perfkit bench FILE.c`), into an object that can be relinked
 * in other layouts (bench/layout.h). */
#ifndef PK_BENCH_COMPILE_H
#define PK_BENCH_COMPILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strbuf.h"

typedef struct pk_compile_options {
    const char *source;   /* FILE.c, .cc, .cpp, .cxx; names what is linked */
    const char *compiler; /* words as in a shell ("ccache gcc"); NULL: cc, or c++ by the source */
    const char *cflags;   /* words; NULL: "-O2". Linking gets all of them, behind the objects; a
                             compilation those that are not for the linker alone (-lm, -L) */
    uint64_t timeout_ns;  /* per run of the compiler */
} pk_compile_options;

/* Is this a source (.c .cc .cpp .cxx) that pk_compile takes? Judged by the name alone. */
bool pk_compile_takes(const char *path);
/* ... one in C++? */
bool pk_compile_is_cplusplus(const char *path);

/* Each of these makes or replaces a file. False: err says which step failed. What the compiler
 * printed, in either case, is appended to *messages, to be shown as it is; a source with errors is
 * PK_E_INPUT.
 *
 * Compiles with -fPIC -ffunction-sections -fvisibility=hidden and a folder on the include path that
 * holds perfkit.h, into the relocatable `object`. */
bool pk_compile_object(const pk_compile_options *options, const char *object, pk_strbuf *messages,
                       pk_err *err) PK_MUST_CHECK;
/* Makes one relocatable object of several (paths ended by NULL); their sections stay apart. */
bool pk_compile_merge(const pk_compile_options *options, const char *const objects[],
                      const char *merged, pk_strbuf *messages, pk_err *err) PK_MUST_CHECK;
/* Links a relocatable object to a shared one, bound at start (-z now); what it uses and nobody
 * defines is an error. */
bool pk_compile_link(const pk_compile_options *options, const char *object, const char *shared,
                     pk_strbuf *messages, pk_err *err) PK_MUST_CHECK;

#endif

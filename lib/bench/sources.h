/* The sources of a run, each compiled once. A source that defines no table of benchmarks is a part:
 * it is linked to each of those that have one. */
#ifndef PK_BENCH_SOURCES_H
#define PK_BENCH_SOURCES_H

#include "bench/bench.h"
#include "bench/compile.h"
#include "bench/program.h"

typedef struct pk_source {
    const char *name;  /* as given */
    pk_program object; /* relocatable */
    bool is_part;
    bool cplusplus; /* or needs what only a C++ compiler links */
} pk_source;

typedef struct pk_sources {
    const pk_bench_options *options;
    const pk_bench_hooks *hooks; /* may be NULL */
    pk_source *items;
    size_t n;
} pk_sources;

/* Compiles those of the options' objects that are sources. When none of them has a table, the first
 * is no part. Options and hooks must outlive *sources; close it in any case. */
bool pk_sources_open(const pk_bench_options *options, const pk_bench_hooks *hooks,
                     pk_sources *sources, pk_err *err) PK_MUST_CHECK;
void pk_sources_close(pk_sources *sources);

/* Is this one of them, and a part of others? */
bool pk_sources_is_part(const pk_sources *sources, const char *name);
/* The source of this name, compiled now if it is new (and then no part). NULL: err says why. Valid
 * until the next call. */
const pk_source *pk_sources_get(pk_sources *sources, const char *name, pk_err *err) PK_MUST_CHECK;
/* Makes the relocatable file `object` of it and of all parts; *how: the way to link that. */
bool pk_sources_join(const pk_sources *sources, const pk_source *source, const char *object,
                     pk_compile_options *how, pk_strbuf *messages, pk_err *err) PK_MUST_CHECK;
/* The way to link an object of the store, by what it uses; any bytes. */
pk_compile_options pk_sources_how(const pk_sources *sources, const char *name, const void *object,
                                  size_t bytes);

/* A folder of our own in /tmp: XXXXXX at the end of `path` is filled in. */
bool pk_sources_folder(char path[], const char *name, pk_err *err) PK_MUST_CHECK;
/* Shows what the compiler has printed. Where nobody hears that, a failure's err quotes its first
 * error. */
void pk_sources_tell(const pk_sources *sources, const pk_strbuf *messages, bool ok, pk_err *err);

#endif

/* What the parts of the store share; bench/store.h is for everybody else. */
#ifndef PK_BENCH_STORE_INTERNAL_H
#define PK_BENCH_STORE_INTERNAL_H

#include <limits.h>
#include "base/strbuf.h"
#include "bench/store.h"
#include "report/json.h"

struct pk_store {
    char *home;
    int home_fd;
    int lock_fd; /* -1: not locked, so nothing may be written */
    unsigned staged;
    size_t made_bytes; /* of home: the first folder that opening it made; 0: it was there */
};

#define PK_STORE_OWN ".perfkit"
#define PK_STORE_TEMP PK_STORE_OWN "/tmp"
#define PK_STORE_ARTEFACTS PK_STORE_OWN "/artefacts"
#define PK_STORE_LOCK PK_STORE_OWN "/lock"

/* A path below home, for errors: "HOME/g/f/new". Cut if it must be. */
void pk_store_where(const pk_store *store, const char *relative, char out[PATH_MAX]);
/* False (an internal error) where the store was opened without its lock. */
bool pk_store_may_write(const pk_store *store, pk_err *err);

/* ---- folders that are replaced as a whole: store_folder.c ---- */

typedef struct pk_store_file {
    const char *name; /* "sample.json" */
    const char *data;
    size_t bytes;
} pk_store_file;

/* Makes the folder `place` (relative to home) hold exactly these files. Whoever opens it sees all
 * of the old ones or all of the new ones. Its parents are made. A folder with folders in it is not
 * replaced: it is a benchmark's, not a baseline. */
bool pk_store_replace_folder(pk_store *store, const char *place, size_t n,
                             const pk_store_file files[], pk_err *err);
/* Whatever is there, at most `depth` folders deep. Best effort. */
void pk_store_remove_tree(int parent_fd, const char *name, int depth);
/* Removes the folder, if it is there, in one step. */
bool pk_store_remove_folder(pk_store *store, const char *place, pk_err *err);
/* One file, new or replaced, in a folder that is made. */
bool pk_store_put_file(pk_store *store, const char *place, const void *data, size_t bytes,
                       pk_err *err);
/* Puts in order what a killed run left in PK_STORE_TEMP; the lock must be held. */
void pk_store_recover(pk_store *store);
bool pk_store_has_leftovers(const pk_store *store);

/* ---- Criterion's files: store_criterion.c ---- */

#define PK_CRITERION_BENCHMARK "benchmark.json"
#define PK_CRITERION_SAMPLE "sample.json"
#define PK_CRITERION_ESTIMATES "estimates.json"
#define PK_CRITERION_TUKEY "tukey.json"
#define PK_STORE_RECORD "perfkit.json"
#define PK_STORE_SESSIONS "sessions.jsonl"

/* Each writes one file's text: compact, no line break at the end. */
typedef bool pk_criterion_writer(FILE *out, const pk_bench_result *result, const char *directory,
                                 pk_err *err);
pk_criterion_writer pk_criterion_write_benchmark, pk_criterion_write_sample,
    pk_criterion_write_estimates, pk_criterion_write_tukey, pk_criterion_write_change;

/* Each reads one file, text[0..bytes) of `where`, into its part of *baseline; arrays in the
 * arena. */
typedef bool pk_criterion_reader(const char *text, size_t bytes, const char *where, pk_arena *arena,
                                 pk_baseline *baseline, pk_err *err);
pk_criterion_reader pk_criterion_read_benchmark, pk_criterion_read_sample,
    pk_criterion_read_estimates, pk_criterion_read_tukey;

/* benchmark.json of the folder `path` (relative to home), or of a baseline in it (any: `nested`).
 * False, without an error, when there is none that can be read. */
bool pk_store_read_identity(const pk_store *store, const char *path, bool nested,
                            pk_baseline *identity);

/* ---- history: store_sessions.c ---- */

/* One line of sessions.jsonl. False: it is none, or torn. */
bool pk_store_session_parse(const char *text, size_t bytes, pk_bench_session *session,
                            bool *continues);
/* Appends the session to the history of the benchmark in `directory`. */
bool pk_store_append_session(pk_store *store, const char *directory,
                             const pk_bench_session *session, bool continues, pk_err *err);

#endif

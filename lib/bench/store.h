/* The store: Criterion's folders and files (Criterion.rs 0.5, directory_name and file layout), so
 * that critcmp and others read them, and beside them what perfkit needs: the workers, the artefact
 * by content hash, the sessions of the past. docs/formats.md has every file.
 *
 *   HOME/GROUP/FUNCTION/VALUE/{new,base,NAME}/{benchmark,estimates,sample,tukey,perfkit}.json
 *   HOME/GROUP/FUNCTION/VALUE/change/estimates.json
 *   HOME/GROUP/FUNCTION/VALUE/sessions.jsonl
 *   HOME/.perfkit/artefacts/SHA256.so      HOME/.perfkit/lock
 *   HOME/.perfkit/layouts/HASH/            (bench/layout.h)
 *
 * A baseline's folder is made beside its place, synced, and exchanged with the old one in a single
 * rename: a reader sees all of the old or all of the new, after kill -9 too. */
#ifndef PK_BENCH_STORE_H
#define PK_BENCH_STORE_H

#include "bench/analyse.h"
#include "bench/bench.h"

typedef struct pk_store pk_store;

/* Opens (create: makes) the store. With `lock` waits for no one: another perfkit that writes is an
 * error naming its pid. What a killed run left behind is put in order. */
pk_store *pk_store_open(const char *home, bool create, bool lock, pk_err *err) PK_MUST_CHECK;
void pk_store_close(pk_store *store);
/* Closes it; if this open made it and nothing has been put into it, it goes again, with the folders
 * above that were made for it. */
void pk_store_abandon(pk_store *store);
const char *pk_store_home(const pk_store *store);

/* A baseline as it was stored; what Criterion itself or an older perfkit wrote has less. */
typedef struct pk_baseline {
    char group[256], function[256], value[256]; /* empty: none */
    char id[1024], directory[512];
    bool linear; /* sampling mode */
    size_t n;
    double *iterations, *times_ns; /* n */
    pk_criterion_estimates estimates;
    bool has_estimates;
    pk_fences fences;
    pk_bench_throughput throughput;
    pk_bench_result *result;     /* perfkit's own record, NULL: none */
    pk_environment *environment; /* of that record; NULL: none */
    pk_bench_session session;    /* workers = 0: none */
} pk_baseline;
/* NULL without an error (err->kind = PK_OK): there is no such baseline. Everything is allocated
 * in the arena. */
pk_baseline *pk_store_load(pk_store *store, const char *id_directory, const char *name,
                           pk_arena *arena, pk_err *err) PK_MUST_CHECK;
/* The folder of an id below home: parts escaped and cut as Criterion does; ours only: a part that
 * would collide with Criterion's own folders (new, base, change, report, profile) gets a '_'. */
bool pk_store_directory(const char *group, const char *function, const char *value, char *out,
                        size_t bytes);
/* The folder where this benchmark is, or will be, in the store: the one above, unless it belongs to
 * another id ("a:b" and "a*b" look alike as folders); then with _2, _3, ... behind. What reads or
 * writes a benchmark of a known id asks this one. False: the parts do not fit in out[0..bytes). */
bool pk_store_place(pk_store *store, const char *group, const char *function, const char *value,
                    char *out, size_t bytes);

/* Can this be the name of a baseline? Not one of Criterion's folders (change, report, profile),
 * nothing with a slash; "new" and "base" are. */
bool pk_store_baseline_name(const char *name, pk_err *err) PK_MUST_CHECK;

/* Writes result as `new`, and `change` when compared (removes a stale one otherwise), and makes the
 * same the baseline `name` (NULL: none). Appends the session to sessions.jsonl. The artefact must
 * have been put before. */
bool pk_store_save(pk_store *store, const pk_bench_result *result, const pk_bench_report *report,
                   const char *name, pk_err *err) PK_MUST_CHECK;

/* Keeps a copy of the file under its content hash (hex, 64 digits), once. */
bool pk_store_put_artefact(pk_store *store, const void *data, size_t bytes, char hash[65],
                           pk_err *err) PK_MUST_CHECK;
/* The path of an artefact; false without an error when it is not there. */
bool pk_store_artefact(pk_store *store, const char *hash, char *path, size_t bytes);

/* Removes what no baseline and no session refers to any more: artefacts, and the layouts made of
 * them unless they were used within the last day (a run that stores nothing takes no lock). Best
 * effort: what cannot be read keeps everything, what cannot be removed stays. Needs the lock. */
void pk_store_prune(pk_store *store);

/* Former sessions of an id, oldest first; those of one artefact if hash is not NULL. A broken line
 * (a crash in the middle of an append) is passed over. */
bool pk_store_sessions(pk_store *store, const char *id_directory, const char *hash, pk_arena *arena,
                       pk_bench_session **sessions, size_t *n, pk_err *err) PK_MUST_CHECK;

/* Every id that has a baseline `name` (NULL: any), and every baseline's name; each folder once,
 * sorted. */
typedef struct pk_store_entry {
    const char *id, *directory, *group, *function, *value;
    const char *const *names; /* baselines: "base", "new", "main" */
    size_t n_names;
} pk_store_entry;
bool pk_store_list(pk_store *store, const char *name, pk_arena *arena, pk_store_entry **entries,
                   size_t *n, pk_err *err) PK_MUST_CHECK;

/* SHA-256 of data as 64 hex digits. */
bool pk_store_hash(const void *data, size_t bytes, char hash[65], pk_err *err) PK_MUST_CHECK;

#endif

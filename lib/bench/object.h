/* A shared object with benchmarks, ready for workers to open: the built-in suite, a file, a source
 * that is compiled first, or old code from the store. */
#ifndef PK_BENCH_OBJECT_H
#define PK_BENCH_OBJECT_H

#include "bench/program.h"
#include "bench/sources.h"
#include "bench/spawn.h"

typedef struct pk_object {
    const char *name;           /* as given, or "built-in" */
    const char *path;           /* that workers open; "": a driver that brings its own */
    pk_driver *driver;          /* that measures it; NULL: the embedded worker */
    const char *const *layouts; /* of compiled code: paths, n_layouts; else 0 */
    unsigned n_layouts;
    pk_program *programs; /* behind those paths that are no files; n_programs */
    size_t n_programs;
    const void *data; /* what the hash is of: bytes of it; NULL: cannot be kept */
    size_t bytes;
    char hash[65];
    const pk_worker_offer *offers; /* n_offers */
    size_t n_offers;
    const pk_bench_failure *failure; /* it could not tell its offers; NULL: it could */
    bool beside;                     /* the suite, where others were named: filters may mean it */
    bool shipped; /* in Python: offers known without asking; driver NULL where there is none */
} pk_object;

/* Who opens. Everything but the programs' descriptors lives in the place's arena. */
typedef struct pk_object_opener {
    const pk_spawn_place *place;
    const pk_bench_options *options;
    pk_sources *sources; /* compiled so far */
    bool layouts;        /* compiled code in many layouts; else in one */
    const char *group;   /* of drivers' files that name none; NULL: the file's name */
} pk_object_opener;

/* Each leaves something to close in *object only on success, and asks it for its offers: an object
 * that crashes then is opened all the same, with its failure. False: no such file, a source that
 * does not compile, an interrupt, ... */
bool pk_object_open_suite(const pk_object_opener *opener, pk_object *object,
                          pk_err *err) PK_MUST_CHECK;
/* name: FILE.so, FILE.c, FILE.py ... */
bool pk_object_open_file(const pk_object_opener *opener, const char *name, pk_object *object,
                         pk_err *err) PK_MUST_CHECK;
/* From the store: a shared object, a compiled one to be linked, or a file for the same driver as
 * that of the new code beside it. */
bool pk_object_open_artefact(const pk_object_opener *opener, const char *name, const char *path,
                             const pk_object *beside, pk_object *object, pk_err *err) PK_MUST_CHECK;
/* A command that speaks the driver protocol. */
bool pk_object_open_command(const pk_object_opener *opener, const char *command, pk_object *object,
                            pk_err *err) PK_MUST_CHECK;
/* The shipped Python functions, without starting Python. */
bool pk_object_open_python_suite(const pk_object_opener *opener, pk_object *object,
                                 pk_err *err) PK_MUST_CHECK;
/* Starts Python for them the first time; object->failure says why it does not run. */
bool pk_object_start_shipped(const pk_object_opener *opener, pk_object *object,
                             pk_err *err) PK_MUST_CHECK;
void pk_object_close(pk_object *object);

/* Gives `object` copies in place of the files that it shares with `other`: dlopen gives one handle
 * for one file. */
bool pk_object_separate(const pk_object_opener *opener, pk_object *object, const pk_object *other,
                        pk_err *err) PK_MUST_CHECK;

/* The file a worker opens for this layout (-1: none). */
const char *pk_object_path(const pk_object *object, int layout);

/* The index in its table of group/function (NULL: none); false if it offers no such. */
bool pk_object_find(const pk_object *object, const char *group, const char *function,
                    uint32_t *index);

#endif

/* Steps of opening an object that the kinds of objects share. */
#ifndef PK_BENCH_OBJECT_PARTS_H
#define PK_BENCH_OBJECT_PARTS_H

#include "bench/object.h"

/* Reads the file into the arena: data, bytes and hash of the object. */
bool pk_object_keep_content(const pk_object_opener *opener, const char *path, pk_object *object,
                            pk_err *err) PK_MUST_CHECK;
/* Private copies of a program, closed with the object; NULL without memory. */
pk_program *pk_object_add_program(pk_object *object);
/* Asks the object for its offers; one that cannot tell them has its failure then. False: it could
 * not be asked. */
bool pk_object_ask(const pk_object_opener *opener, pk_object *object, pk_err *err) PK_MUST_CHECK;
/* The end of each way to open: asks it for its offers if it is `ok` so far, closes it otherwise. */
bool pk_object_opened(const pk_object_opener *opener, pk_object *object, bool ok,
                      pk_err *err) PK_MUST_CHECK;

/* ---- objects of drivers ---- */

bool pk_object_open_driver_file(const pk_object_opener *opener, const char *name, pk_object *object,
                                pk_err *err) PK_MUST_CHECK;
/* What LIST told of a driver: how it is started next time, what its start takes. */
void pk_object_driver_listed(pk_object *object, const pk_worker_outcome *outcome);

#endif

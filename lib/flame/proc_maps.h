/* The maps of a process that already ran when it was attached to: /proc/PID/maps (proc(5)). */
#ifndef PK_FLAME_PROC_MAPS_H
#define PK_FLAME_PROC_MAPS_H

#include <stdbool.h>
#include <stddef.h>

#include "flame/record.h"

/* map->file is valid during the call only. False with *err stops. */
typedef bool pk_maps_visitor(void *context, const pk_record_mmap *map, pk_err *err);

/* Calls `each` for every map that is executable, as the kernel would have told of it when it was
 * made; memory without a name is "//anon". Lines of another form are passed over. `text` is changed
 * on the way. */
bool pk_proc_maps_parse(char *text, size_t bytes, pk_maps_visitor *each, void *context,
                        pk_err *err) PK_MUST_CHECK;

#endif

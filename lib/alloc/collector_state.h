/* What the parts of the collector share: collector.c (processes, maps, stacks), places.c. */
#ifndef PK_ALLOC_COLLECTOR_STATE_H
#define PK_ALLOC_COLLECTOR_STATE_H

#include "alloc/collector.h"
#include "alloc/index.h"
#include "profile/address_space.h"
#include "profile/modules.h"
#include "profile/symbolise.h"

/* What tells two places apart. */
typedef struct pk_place_key {
    uint64_t where; /* in the file; in memory where there is none; the function that was called */
    uint32_t module, process; /* module: of pk_modules; process: where the same place of a file may
                                 be something else in another one, else 0 */
    uint32_t kind;            /* PK_PLACE_... */
    uint32_t object;          /* PK_PLACE_CALLED: its object's name */
} pk_place_key;

enum { PK_PLACE_RETURN, PK_PLACE_EXACT, PK_PLACE_CALLED };

/* Beside each pk_alloc_place. */
typedef struct pk_named_place {
    pk_place_key key;
    const pk_frame *frames; /* the outermost first; of the symboliser, or `called` */
    size_t n_frames;
    pk_frame called;
} pk_named_place;

struct pk_collector {
    pk_alloc_result *result;
    const pk_alloc_options *options;
    pk_symbolise_options symbolise;
    pk_spaces *spaces;
    pk_modules *modules;
    pk_symboliser *symboliser;

    uint32_t process; /* the present one, of result->processes */
    uint32_t pid;
    uint32_t label; /* the first frame of its stacks */
    uint32_t unknown, truncated;
    uint32_t object; /* of the functions that are called, of result->names; PK_NAME_NONE: not looked
                        for since the maps changed */
    bool object_given;

    pk_array named; /* pk_named_place */
    pk_index by_key, by_stack;
    pk_array modules_shown; /* uint32_t by number of pk_modules: of result->modules + 1; 0: none */
    uint32_t *places;       /* of the stack at hand */
    uint32_t *names;        /* of its frames, the root's side first */
};

/* ---- places.c ---- */

/* The number of a place in result->places; UINT32_MAX: out of memory. address: as in
 * pk_image_cell's frames. */
uint32_t pk_place_of_address(pk_collector *c, uint64_t address) PK_MUST_CHECK;
uint32_t pk_place_of_called(pk_collector *c, uint8_t function) PK_MUST_CHECK;

bool pk_collector_no_memory(pk_err *err);

#endif

/* What frames of certain functions shall have in a picture: links, ids, classes, a title of their
 * own. FlameGraph's --nameattr file, read as inferno-flamegraph 0.12 reads it. */
#ifndef PK_PROFILE_FLAME_ATTRIBUTES_H
#define PK_PROFILE_FLAME_ATTRIBUTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define PK_FLAME_ATTRIBUTES_MAX 32u /* of one function */

typedef struct pk_flame_attribute {
    const char *name, *value; /* the name is one that XML allows; the value is not yet escaped */
} pk_flame_attribute;

typedef struct pk_flame_wish { /* for one function */
    const char *title;         /* instead of its name and counts; NULL: none */
    bool is_link;              /* it has an xlink:href: <a> in place of <g> */
    pk_flame_attribute attributes[PK_FLAME_ATTRIBUTES_MAX]; /* no two of one name */
    unsigned n_attributes;
} pk_flame_wish;

typedef struct pk_flame_attributes pk_flame_attributes;

/* Lines "function TAB key=value TAB key=value ..." of text[0..bytes), keys title, href, id, class,
 * target, g_extra and a_extra; a value may stand in "". The extra ones hold attributes themselves:
 * name="value" name=value ... A later line for a function replaces an earlier one. What is not
 * understood is passed over and counted: *ignored is added to. A link without target gets "_top".
 * NULL: out of memory. */
pk_flame_attributes *pk_flame_attributes_read(const char *text, size_t bytes, uint64_t *ignored,
                                              pk_err *err) PK_MUST_CHECK;
void pk_flame_attributes_free(pk_flame_attributes *all);
/* Of the function name[0..bytes), as it stands in the stacks; NULL: nothing is wished. */
const pk_flame_wish *pk_flame_attributes_find(const pk_flame_attributes *all, const char *name,
                                              size_t bytes);

#endif

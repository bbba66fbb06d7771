/* A list of texts, as a repeatable option gives it. Owned by who made it: the parser's arena. */
#ifndef PK_BASE_TEXTLIST_H
#define PK_BASE_TEXTLIST_H

#include <stddef.h>

typedef struct pk_text_list {
    const char **items;
    size_t count;
} pk_text_list;

#endif

/* A text line by line. */
#ifndef PK_BASE_LINES_H
#define PK_BASE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

typedef struct pk_line {
    const char *at; /* bytes of it, without the line break */
    size_t bytes;
} pk_line;

/* The line that begins at text[*offset], and *offset moves on to the next; the last one needs no
 * line break. False: there is none. */
static inline bool pk_line_next(const char *text, size_t bytes, size_t *offset, pk_line *line) {
    if (*offset >= bytes) return false;
    const char *at = text + *offset, *end = memchr(at, '\n', bytes - *offset);
    *line = (pk_line){at, end ? (size_t)(end - at) : bytes - *offset};
    *offset += line->bytes + 1;
    return true;
}

#endif

/* Reading JSON (RFC 8259) that others may have written, cut, or changed: strict, bounded, typed.
 *
 * pk_json_read makes a tree in the caller's arena. The pk_json_get_... functions take members out
 * of it and check their type; the first mistake is kept in the reader's *err as "path: key: what",
 * and from then on they return the value for "absent", so that a caller asks for all it wants and
 * looks at `failed` once. cJSON does not serve here: it makes every number a double (a time in ns
 * since 1970 loses its last digits), and takes text that is no JSON. */
#ifndef PK_REPORT_JSON_READ_H
#define PK_REPORT_JSON_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/error.h"

typedef enum pk_json_kind {
    PK_JSON_NULL,
    PK_JSON_BOOL,
    PK_JSON_NUMBER,
    PK_JSON_TEXT,
    PK_JSON_ARRAY,
    PK_JSON_OBJECT
} pk_json_kind;

/* Read-only for callers. */
typedef struct pk_json_value {
    pk_json_kind kind;
    bool boolean;
    const char *key;  /* in an object; else NULL */
    const char *text; /* TEXT: valid UTF-8 without NUL; NUMBER: as it stood there */
    size_t count;     /* ARRAY, OBJECT: how many it holds */
    size_t index;     /* its place in what holds it */
    const struct pk_json_value *first, *next, *parent;
} pk_json_value;

#define PK_JSON_DEPTH_MAX 64

typedef struct pk_json_reader {
    const char *where; /* the file, for errors; must outlive the reader */
    pk_arena *arena;   /* holds the tree, and the texts that are taken out of it */
    pk_err *err;
    bool failed;
} pk_json_reader;

/* The one value that text[0..bytes) holds; NULL (and failed): it is no JSON (PK_E_INPUT, with line
 * and column), deeper than PK_JSON_DEPTH_MAX, or does not fit in the arena (PK_E_LIMIT). Of a key
 * that stands twice in an object the first counts. */
const pk_json_value *pk_json_read(pk_json_reader *reader, const char *text, size_t bytes);

/* The member of an object, null as it stands there; NULL: absent, or `object` is NULL. That
 * `object` is none is an error. */
const pk_json_value *pk_json_member(pk_json_reader *reader, const pk_json_value *object,
                                    const char *key);

/* What is absent or null gives the value in brackets; `object` may be NULL: all is absent. */
double pk_json_get_double(pk_json_reader *reader, const pk_json_value *object,
                          const char *key); /* (NaN) */
uint64_t pk_json_get_uint(pk_json_reader *reader, const pk_json_value *object,
                          const char *key); /* (0) exact up to 2^64 - 1; "1.0" is whole too */
int pk_json_get_int(pk_json_reader *reader, const pk_json_value *object, const char *key,
                    int absent); /* (absent) */
bool pk_json_get_bool(pk_json_reader *reader, const pk_json_value *object,
                      const char *key); /* (false) */
const char *pk_json_get_text(pk_json_reader *reader, const pk_json_value *object,
                             const char *key); /* (NULL) */
/* ("") into out[0..bytes); a longer text is an error. */
void pk_json_get_chars(pk_json_reader *reader, const pk_json_value *object, const char *key,
                       char *out, size_t bytes);
const pk_json_value *pk_json_get_object(pk_json_reader *reader, const pk_json_value *object,
                                        const char *key); /* (NULL) */
const pk_json_value *pk_json_get_array(pk_json_reader *reader, const pk_json_value *object,
                                       const char *key); /* (NULL) */
/* A word of a list: the i in [0, n) with name(i) equal to it. (0); any other word is an error. */
int pk_json_get_word(pk_json_reader *reader, const pk_json_value *object, const char *key, int n,
                     const char *(*name)(int i));
/* An error if the member is absent or null. */
void pk_json_require(pk_json_reader *reader, const pk_json_value *object, const char *key);

/* The same for one value: an element of an array. */
double pk_json_double_of(pk_json_reader *reader, const pk_json_value *value);
/* An array of finite numbers: *out in the arena, and how many; 0 and NULL when `array` is NULL. */
size_t pk_json_doubles_of(pk_json_reader *reader, const pk_json_value *array, double **out);
const char *pk_json_text_of(pk_json_reader *reader, const pk_json_value *value);
bool pk_json_is_object(pk_json_reader *reader, const pk_json_value *value); /* else an error */

/* What is wrong with this value, in the reader's words: "path: workers[3].new: what". Only the
 * first call of a reader has an effect. */
void pk_json_complain(pk_json_reader *reader, const pk_json_value *value, const char *what, ...)
    PK_PRINTF(3, 4);
/* The same for what does not fit in memory (PK_E_LIMIT). */
void pk_json_no_room(pk_json_reader *reader);

#endif

/* All JSON goes through here: a thin layer over cJSON that keeps our rules:
 * one document {"perfkit": version, "schema": "load/1", ...}; non-finite numbers are null;
 * doubles are printed shortest; integers over 2^53 stay exact. */
#ifndef PK_REPORT_JSON_H
#define PK_REPORT_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "base/error.h"
#include "base/strbuf.h"

typedef struct cJSON pk_json; /* an object or array under construction */

/* NULL when out of memory; all functions below accept NULL and then do nothing, so that only
 * pk_json_write needs a check. */
pk_json *pk_json_document(const char *schema);
/* An object without those two keys: a line of a stream, a file in another program's format. */
pk_json *pk_json_new(void);
void pk_json_free(pk_json *document);

pk_json *pk_json_object(pk_json *parent, const char *key); /* key NULL: append to an array */
pk_json *pk_json_array(pk_json *parent, const char *key);
void pk_json_double(pk_json *parent, const char *key, double value); /* NaN, inf: null */
/* The same, but whole numbers end in ".0": for a format whose writer tells floats from integers. */
void pk_json_float(pk_json *parent, const char *key, double value);
void pk_json_uint(pk_json *parent, const char *key, uint64_t value);
void pk_json_int(pk_json *parent, const char *key, int64_t value);
void pk_json_bool(pk_json *parent, const char *key, bool value);
void pk_json_text(pk_json *parent, const char *key, const char *value); /* NULL: null;
                                                    invalid UTF-8 becomes U+FFFD */
void pk_json_null(pk_json *parent, const char *key);
/* The value, or null where it is not known. */
void pk_json_uint_if(pk_json *parent, const char *key, bool known, uint64_t value);

/* Pretty, two blanks per level, ends in a newline, flushed. False when out of memory at any
 * earlier step (then nothing is written) or on a write error. */
bool pk_json_write(FILE *out, const pk_json *document, pk_err *err) PK_MUST_CHECK;
/* The same without a blank or line break, none at the end either; not flushed. */
bool pk_json_write_compact(FILE *out, const pk_json *document, pk_err *err) PK_MUST_CHECK;

/* "text" in quotes, appended to *out: for documents in other programs' formats that are too large
 * to be built as a tree. Invalid UTF-8 becomes U+FFFD. */
void pk_json_quote(pk_strbuf *out, const char *text, size_t bytes);

#endif

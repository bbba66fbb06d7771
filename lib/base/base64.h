/* base64 (RFC 4648, section 4): the usual alphabet, padded, no line breaks. */
#ifndef PK_BASE_BASE64_H
#define PK_BASE_BASE64_H

#include <stddef.h>
#include "base/strbuf.h"

/* Appends the text of data[0..bytes). False when *out has no room (it is marked failed then). */
bool pk_base64_encode(const void *data, size_t bytes, pk_strbuf *out) PK_MUST_CHECK;
/* Appends the bytes of text[0..length). False when it is no padded base64 or *out has no room. */
bool pk_base64_decode(const char *text, size_t length, pk_strbuf *out) PK_MUST_CHECK;

#endif

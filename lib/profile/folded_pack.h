/* Folded stacks in a few bytes of plain text, to travel inside another document: folded text,
 * compressed by gzip, in base64 (`base64 -d | gunzip` gives the text back). */
#ifndef PK_PROFILE_FOLDED_PACK_H
#define PK_PROFILE_FOLDED_PACK_H

#include "base/strbuf.h"
#include "profile/stack_tree.h"

#define PK_FOLDED_BYTES_MAX ((size_t)1 << 30)

/* Appends the tree's stacks, as pk_folded_write writes them. False: no memory, or no room. */
bool pk_folded_pack(const pk_stack_tree *tree, pk_strbuf *out, pk_err *err) PK_MUST_CHECK;
/* Appends the folded text of packed[0..length), for pk_folded_add. Blanks and line breaks at both
 * ends are passed over. PK_E_INPUT where it is none, or longer than *out may be. */
bool pk_folded_unpack(const char *packed, size_t length, pk_strbuf *folded,
                      pk_err *err) PK_MUST_CHECK;

#endif

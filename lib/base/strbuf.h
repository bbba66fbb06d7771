/* A growing string with a mandatory maximum.
 * Invariants: data is never NULL after init and always NUL-terminated; length < capacity.
 * max_bytes bounds the length, without the NUL.
 * A failed append (over max_bytes, out of memory) leaves what was there and sets `failed`, which
 * stays set and refuses all that follows, so that a text never has a hole: append many times, check
 * pk_strbuf_ok once at the end. */
#ifndef PK_BASE_STRBUF_H
#define PK_BASE_STRBUF_H

#include <stdarg.h>
#include <stddef.h>
#include "base/error.h"

typedef struct pk_strbuf {
    char *data; /* readable as a C string at any time */
    size_t length;
    size_t capacity;
    size_t max_bytes;
    bool failed;
} pk_strbuf;

void pk_strbuf_init(pk_strbuf *sb, size_t max_bytes);
void pk_strbuf_fini(pk_strbuf *sb);
/* Empties and forgets a failure; keeps the memory. */
void pk_strbuf_clear(pk_strbuf *sb);

/* `data`, `text` and the arguments must not point into the buffer itself: it may move. */
void pk_strbuf_add(pk_strbuf *sb, const void *data, size_t bytes);
void pk_strbuf_add_str(pk_strbuf *sb, const char *text);
void pk_strbuf_add_char(pk_strbuf *sb, char c);
void pk_strbuf_addf(pk_strbuf *sb, const char *fmt, ...) PK_PRINTF(2, 3);
void pk_strbuf_addv(pk_strbuf *sb, const char *fmt, va_list args) PK_PRINTF(2, 0);
/* Makes room for `bytes` more and returns where to write them; follow with pk_strbuf_grown.
 * NULL (and failed) when there is no room. */
char *pk_strbuf_reserve(pk_strbuf *sb, size_t bytes);
void pk_strbuf_grown(pk_strbuf *sb, size_t bytes);

/* The string, now the caller's to free(); *sb is as after init, in any case. NULL when it had
 * failed or out of memory, *length untouched then. `length` may be NULL. */
char *pk_strbuf_detach(pk_strbuf *sb, size_t *length);

static inline bool pk_strbuf_ok(const pk_strbuf *sb) {
    return !sb->failed;
}

#endif

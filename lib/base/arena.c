#include "base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Chunks double from the first size to the last: few calls to malloc for a large run, little
 * waste for a small one. */
enum { CHUNK_BYTES_MIN = 4096, CHUNK_BYTES_MAX = 1 << 20 };

typedef struct chunk {
    struct chunk *next;
    size_t used_bytes;
    size_t capacity_bytes;
    alignas(max_align_t) unsigned char data[];
} chunk;

struct pk_arena {
    chunk *newest;
    size_t limit_bytes;
    size_t used_bytes;
    size_t next_chunk_bytes;
};

pk_arena *pk_arena_new(size_t limit_bytes) {
    pk_arena *arena = calloc(1, sizeof *arena);
    if (!arena) return NULL;
    arena->limit_bytes = limit_bytes;
    arena->next_chunk_bytes = CHUNK_BYTES_MIN;
    return arena;
}

void pk_arena_free(pk_arena *arena) {
    if (!arena) return;
    for (chunk *c = arena->newest, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    free(arena);
}

static chunk *chunk_add(pk_arena *arena, size_t need_bytes) {
    size_t capacity = arena->next_chunk_bytes > need_bytes ? arena->next_chunk_bytes : need_bytes;
    size_t total;
    if (__builtin_add_overflow(capacity, sizeof(chunk), &total)) return NULL;
    chunk *c = calloc(1, total);
    if (!c) return NULL;
    c->capacity_bytes = capacity;
    c->next = arena->newest;
    arena->newest = c;
    if (arena->next_chunk_bytes < CHUNK_BYTES_MAX) arena->next_chunk_bytes *= 2;
    return c;
}

void *pk_arena_alloc(pk_arena *arena, size_t n, size_t item_bytes) {
    const size_t align = alignof(max_align_t);
    size_t bytes;
    if (__builtin_mul_overflow(n, item_bytes, &bytes) || bytes > PTRDIFF_MAX - align) return NULL;
    /* An empty allocation takes one unit too, so that its pointer is like any other. */
    bytes = bytes ? (bytes + align - 1) / align * align : align;
    if (bytes > arena->limit_bytes - arena->used_bytes) return NULL;

    chunk *c = arena->newest;
    if (!c || bytes > c->capacity_bytes - c->used_bytes) c = chunk_add(arena, bytes);
    if (!c) return NULL;
    void *data = c->data + c->used_bytes;
    c->used_bytes += bytes;
    arena->used_bytes += bytes;
    assert((uintptr_t)data % align == 0);
    return data;
}

char *pk_arena_strndup(pk_arena *arena, const char *text, size_t bytes) {
    if (bytes >= PTRDIFF_MAX) return NULL;
    char *copy = PK_NEW(arena, bytes + 1, char);
    if (copy) memcpy(copy, text, bytes);
    return copy;
}

char *pk_arena_strdup(pk_arena *arena, const char *text) {
    return pk_arena_strndup(arena, text, strlen(text));
}

char *pk_arena_printf(pk_arena *arena, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (length < 0) return NULL;
    size_t size = (size_t)length + 1;
    char *text = PK_NEW(arena, size, char);
    if (!text) return NULL;
    va_start(args, fmt);
    vsnprintf(text, size, fmt, args);
    va_end(args);
    return text;
}

size_t pk_arena_used_bytes(const pk_arena *arena) {
    return arena->used_bytes;
}

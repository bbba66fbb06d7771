#include "base/strbuf.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What data points at before the first append: readable as "", never written, never freed. */
static const char empty[1] = "";

static bool owns_memory(const pk_strbuf *sb) {
    return sb->data != empty;
}

void pk_strbuf_init(pk_strbuf *sb, size_t max_bytes) {
    *sb = (pk_strbuf){.data = (char *)empty, .capacity = sizeof empty, .max_bytes = max_bytes};
}

void pk_strbuf_fini(pk_strbuf *sb) {
    if (owns_memory(sb)) free(sb->data);
    pk_strbuf_init(sb, sb->max_bytes);
}

void pk_strbuf_clear(pk_strbuf *sb) {
    sb->length = 0;
    sb->failed = false;
    if (owns_memory(sb)) sb->data[0] = '\0';
}

/* Room for `bytes` more and the NUL, or `failed`. After a failure everything is refused, so that
 * a text never has a hole. */
static bool grow(pk_strbuf *sb, size_t bytes) {
    assert(sb->length < sb->capacity);
    if (sb->failed) return false;
    if (bytes < sb->capacity - sb->length && owns_memory(sb)) return true;
    sb->failed = true;
    if (sb->length > sb->max_bytes || bytes > sb->max_bytes - sb->length) return false;
    size_t need = sb->length + bytes;
    if (need >= PTRDIFF_MAX) return false; /* no object may be larger */
    size_t doubled = sb->capacity * 2;
    size_t length_max = doubled > sb->max_bytes ? sb->max_bytes : doubled;
    size_t capacity = (length_max > need ? length_max : need) + 1;
    if (capacity < 64 && sb->max_bytes >= 64) capacity = 64;
    char *data = owns_memory(sb) ? realloc(sb->data, capacity) : malloc(capacity);
    if (!data) return false;
    data[sb->length] = '\0';
    sb->data = data;
    sb->capacity = capacity;
    sb->failed = false;
    return true;
}

char *pk_strbuf_reserve(pk_strbuf *sb, size_t bytes) {
    return grow(sb, bytes) ? sb->data + sb->length : NULL;
}

void pk_strbuf_grown(pk_strbuf *sb, size_t bytes) {
    assert(bytes < sb->capacity - sb->length);
    sb->length += bytes;
    sb->data[sb->length] = '\0';
}

void pk_strbuf_add(pk_strbuf *sb, const void *data, size_t bytes) {
    if (bytes == 0 || !grow(sb, bytes)) return;
    memcpy(sb->data + sb->length, data, bytes);
    pk_strbuf_grown(sb, bytes);
}

void pk_strbuf_add_str(pk_strbuf *sb, const char *text) {
    pk_strbuf_add(sb, text, strlen(text));
}

void pk_strbuf_add_char(pk_strbuf *sb, char c) {
    pk_strbuf_add(sb, &c, 1);
}

void pk_strbuf_addf(pk_strbuf *sb, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    pk_strbuf_addv(sb, fmt, args);
    va_end(args);
}

void pk_strbuf_addv(pk_strbuf *sb, const char *fmt, va_list args) {
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, fmt, args);
    if (length < 0) sb->failed = true;
    else if (grow(sb, (size_t)length)) {
        vsnprintf(sb->data + sb->length, (size_t)length + 1, fmt, again);
        pk_strbuf_grown(sb, (size_t)length);
    }
    va_end(again);
}

char *pk_strbuf_detach(pk_strbuf *sb, size_t *length) {
    char *data = NULL;
    if (grow(sb, 0)) {
        data = sb->data;
        if (length) *length = sb->length;
        sb->data = (char *)empty;
    }
    pk_strbuf_fini(sb);
    return data;
}

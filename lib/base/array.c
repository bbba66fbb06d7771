#include "base/array.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 8 };

static bool grow(pk_array *array) {
    size_t capacity = array->capacity ? array->capacity : FIRST_CAPACITY / 2;
    if (__builtin_mul_overflow(capacity, (size_t)2, &capacity) || capacity > array->max_count)
        capacity = array->max_count;
    size_t bytes;
    if (__builtin_mul_overflow(capacity, array->item_bytes, &bytes)) return false;
    void *items = realloc(array->items, bytes);
    if (!items) return false;
    array->items = items;
    array->capacity = capacity;
    return true;
}

void *pk_array_push(pk_array *array) {
    assert(array->item_bytes > 0);
    if (array->count >= array->max_count || (array->count == array->capacity && !grow(array)))
        return NULL;
    void *item = (char *)array->items + array->count * array->item_bytes;
    memset(item, 0, array->item_bytes);
    array->count++;
    return item;
}

void pk_array_fini(pk_array *array) {
    free(array->items);
    array->items = NULL;
    array->count = array->capacity = 0;
}

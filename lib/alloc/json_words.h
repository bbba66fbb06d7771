/* Words of document "alloc/1", for the way there (to_json.c) and back (from_json.c). */
#ifndef PK_ALLOC_JSON_WORDS_H
#define PK_ALLOC_JSON_WORDS_H

#define PK_ALLOC_SCHEMA "alloc/1"

/* i of pk_alloc_function. */
static inline const char *pk_alloc_function_word(int i) {
    static const char *const words[] = {
        "malloc",         "calloc", "realloc", "reallocarray", "aligned_alloc", "memalign",
        "posix_memalign", "valloc", "pvalloc", "new",          "mmap",          "other"};
    return words[i];
}

#endif

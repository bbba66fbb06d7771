/* Fuzz input as the words of a command line: one a line. */
#ifndef PK_TESTS_FUZZ_WORDS_H
#define PK_TESTS_FUZZ_WORDS_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FUZZ_WORDS_MAX 64
#define FUZZ_BYTES_MAX 4096

typedef struct fuzz_words {
    char *copy; /* free it */
    char *words[FUZZ_WORDS_MAX];
    int n;
} fuzz_words;

/* The last word is what stands behind the last line break, perhaps nothing. n is 0 if the input is
 * too long. Each word is an allocation's part with a NUL behind it. */
static inline fuzz_words fuzz_words_of(const uint8_t *data, size_t bytes) {
    fuzz_words w = {.copy = bytes < FUZZ_BYTES_MAX ? malloc(bytes + 1) : NULL};
    if (!w.copy) return w;
    memcpy(w.copy, data, bytes);
    w.copy[bytes] = '\0';
    for (char *at = w.copy; at && w.n < FUZZ_WORDS_MAX; w.n++) {
        w.words[w.n] = at;
        at = strchr(at, '\n');
        if (at) *at++ = '\0';
    }
    return w;
}

#endif

#include "base/suggest.h"

#include <string.h>

#define DISTANCE_MAX 2
#define WORD_MAX 63 /* longer words are no typing mistakes of ours */

static int min3(int a, int b, int c) {
    int least = a < b ? a : b;
    return least < c ? least : c;
}

/* Damerau-Levenshtein distance in its restricted form ("optimal string alignment": no part is
 * edited twice): insertions, deletions, substitutions and swaps of neighbours, each 1.
 * Only three rows of the table are needed at a time. */
static int distance(const char *a, size_t n, const char *b, size_t m) {
    int rows[3][WORD_MAX + 1];
    for (size_t j = 0; j <= m; j++) rows[0][j] = (int)j;
    for (size_t i = 1; i <= n; i++) {
        int *row = rows[i % 3];
        const int *before = rows[(i + 2) % 3];  /* i - 1 */
        const int *swapped = rows[(i + 1) % 3]; /* i - 2 */
        row[0] = (int)i;
        for (size_t j = 1; j <= m; j++) {
            row[j] = min3(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                swapped[j - 2] + 1 < row[j])
                row[j] = swapped[j - 2] + 1;
        }
    }
    return rows[n % 3][m];
}

const char *pk_suggest(const char *word, const char *const names[], size_t n) {
    size_t length = strlen(word);
    const char *best = NULL;
    int best_distance = length <= DISTANCE_MAX ? (int)length : DISTANCE_MAX + 1;
    if (length > WORD_MAX) return NULL;
    for (size_t i = 0; i < n; i++) {
        size_t name_length = strlen(names[i]);
        if (name_length > WORD_MAX) continue;
        int d = distance(word, length, names[i], name_length);
        if (d >= best_distance) continue;
        best_distance = d;
        best = names[i];
    }
    return best;
}

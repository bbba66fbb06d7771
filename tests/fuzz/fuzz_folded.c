/* Any bytes as folded stacks. Writing makes control characters blanks, and reading cuts blanks off,
 * so that one round may change a text; what a second one writes, a third one writes again. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "profile/folded.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static char *round_trip(const char *text, size_t bytes, unsigned n_weights, bool in_order,
                        size_t *written) {
    pk_err err = {0};
    pk_folded_read read = {0};
    pk_names *names = pk_names_new(16 << 20);
    pk_stack_tree tree;
    char *out = NULL;
    if (names && pk_stack_tree_init(&tree, names, n_weights, in_order, &err)) {
        pk_strbuf sb;
        pk_strbuf_init(&sb, 64 << 20);
        if (pk_folded_add(&tree, text, bytes, &read, &err)) {
            (void)pk_stack_tree_sum(&tree);
            if (pk_folded_write(&tree, &sb, &err)) out = pk_strbuf_detach(&sb, written);
        }
        pk_strbuf_fini(&sb);
        pk_stack_tree_fini(&tree);
    }
    pk_names_free(names);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    if (bytes == 0 || bytes > 1 << 16) return 0;
    unsigned n_weights = 1 + (data[0] & 1);
    bool in_order = data[0] & 2;
    size_t first_bytes = 0, second_bytes = 0;
    char *text = round_trip((const char *)data + 1, bytes - 1, n_weights, in_order, &first_bytes);
    if (!text) return 0;
    char *once = round_trip(text, first_bytes, n_weights, in_order, &first_bytes);
    assert(once);
    char *twice = round_trip(once, first_bytes, n_weights, in_order, &second_bytes);
    assert(twice && first_bytes == second_bytes && memcmp(once, twice, first_bytes) == 0);
    free(text);
    free(once);
    free(twice);
    return 0;
}

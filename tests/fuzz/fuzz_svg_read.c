/* Any bytes as a flame graph. What was read is drawn and read again: no stack comes to it. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "profile/flame_svg.h"
#include "profile/folded.h"
#include "profile/svg_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* The stacks of a picture, folded; NULL: it has none. *tree is the caller's then. */
static char *read_back(const char *text, size_t bytes, pk_names *names, pk_stack_tree *tree) {
    pk_err err = {0};
    pk_svg_info info;
    pk_strbuf folded;
    if (!pk_stack_tree_init(tree, names, 1, false, &err)) return NULL;
    pk_strbuf_init(&folded, 64 << 20);
    char *out = NULL;
    if (pk_svg_read(tree, "x.svg", text, bytes, &info, &err) &&
        pk_folded_write(tree, &folded, &err))
        out = pk_strbuf_detach(&folded, NULL);
    pk_strbuf_fini(&folded);
    if (!out) pk_stack_tree_fini(tree);
    return out;
}

static void draw_and_read_again(pk_stack_tree *tree, const char *folded) {
    pk_err err = {0};
    pk_flame_style style = PK_FLAME_STYLE;
    style.min_width = 0;
    style.embed_stacks = true;
    pk_strbuf svg;
    pk_strbuf_init(&svg, 64 << 20);
    (void)pk_stack_tree_sum(tree);
    if (pk_stack_tree_sort(tree, &err) && pk_flame_svg(tree, &style, &svg, NULL, &err)) {
        pk_names *names = pk_names_new(64 << 20);
        pk_stack_tree again;
        char *text = names ? read_back(svg.data, svg.length, names, &again) : NULL;
        assert(!text || strlen(text) <= strlen(folded)); /* blanks at the ends of names go */
        if (text) pk_stack_tree_fini(&again);
        free(text);
        pk_names_free(names);
    }
    pk_strbuf_fini(&svg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    if (bytes > 1 << 16) return 0;
    pk_names *names = pk_names_new(64 << 20);
    pk_stack_tree tree;
    char *folded = names ? read_back((const char *)data, bytes, names, &tree) : NULL;
    if (folded) {
        draw_and_read_again(&tree, folded);
        pk_stack_tree_fini(&tree);
    }
    free(folded);
    pk_names_free(names);
    return 0;
}

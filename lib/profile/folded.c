#include "profile/folded.h"

#include <stdlib.h>
#include <string.h>

#include "base/digits.h"
#include "base/lines.h"

#define DEPTH_FIRST 64

/* ---- reading ---- */

/* The count behind the last blank of line[0..*bytes), which is cut off with it; digits, and a
 * fraction that is dropped. False: there is none. */
static bool take_count(const char *line, size_t *bytes, uint64_t *count, bool *fraction) {
    size_t end = *bytes;
    while (end > 0 && line[end - 1] == ' ') end--;
    size_t begin = end;
    while (begin > 0 && line[begin - 1] != ' ') begin--;
    if (begin == 0 || begin == end) return false;
    uint64_t value = 0;
    size_t i = begin + pk_digits(line + begin, end - begin, &value);
    if (i == begin) return false;
    if (i < end) {
        if (line[i] != '.') return false;
        *fraction = true;
        for (i++; i < end; i++)
            if (line[i] < '0' || line[i] > '9') return false;
    }
    *count = value;
    *bytes = begin - 1;
    return true;
}

static bool frames_grow(pk_array *frames, pk_names *names, const char *text, size_t bytes) {
    uint32_t name = pk_names_intern(names, text, bytes);
    uint32_t *frame = name == PK_NAME_NONE ? NULL : pk_array_push(frames);
    if (frame) *frame = name;
    return frame != NULL;
}

static bool split(pk_array *frames, pk_names *names, const char *stack, size_t bytes) {
    frames->count = 0;
    size_t begin = 0;
    for (size_t i = 0; i <= bytes; i++) {
        if (i < bytes && stack[i] != ';') continue;
        if (!frames_grow(frames, names, stack + begin, i - begin)) return false;
        begin = i + 1;
    }
    return true;
}

static bool too_deep(const char *stack, size_t bytes) {
    size_t frames = 1;
    for (size_t i = 0; i < bytes; i++) frames += stack[i] == ';';
    return frames > PK_STACK_DEPTH_MAX;
}

/* One line without its end. */
static bool add_line(pk_stack_tree *tree, pk_array *frames, const char *line, size_t bytes,
                     pk_folded_read *read, pk_err *err) {
    uint64_t weights[PK_STACK_WEIGHTS_MAX] = {0}, count;
    bool fraction = false;
    size_t stack = bytes;
    bool counted = take_count(line, &stack, &count, &fraction);
    if (counted) weights[tree->n_weights - 1] = count;
    if (counted && tree->n_weights == 2 && take_count(line, &stack, &count, &fraction))
        weights[0] = count;
    while (stack > 0 && line[stack - 1] == ' ') stack--;
    if (!counted || stack == 0 || too_deep(line, stack)) {
        read->ignored++;
        return true;
    }
    if (!split(frames, tree->names, line, stack)) {
        pk_fail(err, PK_E_LIMIT, NULL, "not enough memory for the names of folded stacks");
        return false;
    }
    if (pk_stack_tree_add(tree, frames->items, frames->count, weights, err) == PK_NODE_NONE)
        return false;
    read->lines++;
    read->fraction += fraction;
    return true;
}

bool pk_folded_add(pk_stack_tree *tree, const char *text, size_t bytes, pk_folded_read *read,
                   pk_err *err) {
    pk_array frames = PK_ARRAY(uint32_t, PK_STACK_DEPTH_MAX);
    bool ok = true;
    pk_line line;
    for (size_t offset = 0; ok && pk_line_next(text, bytes, &offset, &line);) {
        size_t length = line.bytes;
        if (length > 0 && line.at[length - 1] == '\r') length--;
        if (length == 0 || (length >= 2 && line.at[0] == '#' && line.at[1] == ' ')) continue;
        ok = add_line(tree, &frames, line.at, length, read, err);
    }
    pk_array_fini(&frames);
    return ok;
}

/* ---- writing ---- */

typedef struct line {
    size_t begin, bytes; /* of its stack in the text of all */
    const char *text;
    uint32_t node;
} line;

static bool has_weight(const pk_stack_tree *tree, const pk_stack_node *node) {
    for (unsigned w = 0; w < tree->n_weights; w++)
        if (node->self[w] > 0) return true;
    return false;
}

static void add_name(const pk_stack_tree *tree, uint32_t name, pk_strbuf *out) {
    size_t bytes;
    const char *text = pk_names_text(tree->names, name, &bytes);
    size_t begin = out->length;
    pk_strbuf_add(out, text, bytes);
    if (!pk_strbuf_ok(out)) return;
    for (char *c = out->data + begin; bytes > 0; bytes--, c++)
        if (*c == ';') *c = ':';
        else if (*c == '\n' || *c == '\r' || *c == '\0') *c = ' ';
}

static void add_stack(const pk_stack_tree *tree, uint32_t node, uint32_t *path, pk_strbuf *out) {
    size_t depth = pk_stack_tree_path(tree, node, path);
    for (size_t i = 0; i < depth; i++) {
        if (i > 0) pk_strbuf_add_char(out, ';');
        add_name(tree, path[i], out);
    }
}

static int bytewise(const void *a, const void *b) {
    const line *x = a, *y = b;
    size_t shorter = x->bytes < y->bytes ? x->bytes : y->bytes;
    int order = memcmp(x->text, y->text, shorter);
    return order != 0 ? order : (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

static bool no_memory(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "not enough memory to write folded stacks");
    return false;
}

static size_t gather(const pk_stack_tree *tree, line *lines, uint32_t *path, pk_strbuf *stacks) {
    size_t n = 0;
    for (uint32_t i = 1; i < tree->nodes.count; i++) {
        if (!has_weight(tree, pk_node(tree, i))) continue;
        line *l = &lines[n++];
        *l = (line){.begin = stacks->length, .node = i};
        add_stack(tree, i, path, stacks);
        l->bytes = stacks->length - l->begin;
    }
    for (size_t i = 0; i < n; i++) lines[i].text = stacks->data + lines[i].begin;
    return n;
}

bool pk_folded_write(const pk_stack_tree *tree, pk_strbuf *out, pk_err *err) {
    line *lines = calloc(tree->nodes.count, sizeof *lines);
    uint32_t *path = calloc(PK_STACK_DEPTH_MAX, sizeof *path);
    pk_strbuf stacks;
    pk_strbuf_init(&stacks, out->max_bytes);
    size_t n = lines && path ? gather(tree, lines, path, &stacks) : 0;
    bool ok = lines && path && pk_strbuf_ok(&stacks);
    if (ok && !tree->in_order) qsort(lines, n, sizeof *lines, bytewise);
    for (size_t i = 0; ok && i < n; i++) {
        pk_strbuf_add(out, lines[i].text, lines[i].bytes);
        for (unsigned w = 0; w < tree->n_weights; w++)
            pk_strbuf_addf(out, " %llu", (unsigned long long)pk_node(tree, lines[i].node)->self[w]);
        pk_strbuf_add_char(out, '\n');
    }
    pk_strbuf_fini(&stacks);
    free(lines);
    free(path);
    return ok && pk_strbuf_ok(out) ? true : no_memory(err);
}

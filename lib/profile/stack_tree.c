#include "profile/stack_tree.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 1024u /* a power of two */

bool pk_stack_tree_init(pk_stack_tree *tree, pk_names *names, unsigned n_weights, bool in_order,
                        pk_err *err) {
    *tree = (pk_stack_tree){.names = names,
                            .in_order = in_order,
                            .n_weights = n_weights,
                            .nodes = PK_ARRAY(pk_stack_node, PK_STACK_NODES_MAX),
                            .n_slots = SLOTS_FIRST};
    tree->slots = calloc(tree->n_slots, sizeof *tree->slots);
    pk_stack_node *root = tree->slots ? pk_array_push(&tree->nodes) : NULL;
    if (!root) {
        pk_stack_tree_fini(tree);
        pk_fail(err, PK_E_LIMIT, NULL, "not enough memory for call stacks");
        return false;
    }
    root->name = PK_NAME_NONE;
    root->parent = root->first_child = root->last_child = root->next = PK_NODE_NONE;
    return true;
}

void pk_stack_tree_fini(pk_stack_tree *tree) {
    free(tree->slots);
    pk_array_fini(&tree->nodes);
    *tree = (pk_stack_tree){0};
}

/* ---- adding ---- */

/* Mixes both halves: parents and names are small numbers (multiplier: Knuth, TAOCP 6.4). */
static size_t hash_of(uint32_t parent, uint32_t name) {
    uint64_t h = ((uint64_t)parent << 32 | name) * 0x9e3779b97f4a7c15u;
    return (size_t)(h ^ h >> 32);
}

static uint32_t *slot_of(const pk_stack_tree *tree, uint32_t parent, uint32_t name) {
    size_t mask = tree->n_slots - 1;
    for (size_t i = hash_of(parent, name) & mask;; i = (i + 1) & mask) {
        uint32_t *slot = &tree->slots[i];
        if (!*slot) return slot;
        const pk_stack_node *node = pk_node(tree, *slot - 1);
        if (node->parent == parent && node->name == name) return slot;
    }
}

static bool grow(pk_stack_tree *tree) {
    uint32_t *slots = calloc(tree->n_slots * 2, sizeof *slots);
    if (!slots) return false;
    free(tree->slots);
    tree->slots = slots;
    tree->n_slots *= 2;
    for (uint32_t i = 1; i < tree->nodes.count; i++) {
        const pk_stack_node *node = pk_node(tree, i);
        *slot_of(tree, node->parent, node->name) = i + 1;
    }
    return true;
}

static uint32_t append(pk_stack_tree *tree, uint32_t parent, uint32_t name) {
    pk_stack_node *node = pk_array_push(&tree->nodes);
    if (!node) return PK_NODE_NONE;
    uint32_t number = (uint32_t)(tree->nodes.count - 1);
    pk_stack_node *above = pk_node(tree, parent);
    node->name = name;
    node->parent = parent;
    node->depth = above->depth + 1;
    node->first_child = node->last_child = node->next = PK_NODE_NONE;
    if (above->last_child == PK_NODE_NONE) above->first_child = number;
    else pk_node(tree, above->last_child)->next = number;
    above->last_child = number;
    return number;
}

static uint32_t child(pk_stack_tree *tree, uint32_t parent, uint32_t name) {
    if (tree->in_order) {
        uint32_t last = pk_node(tree, parent)->last_child;
        if (last != PK_NODE_NONE && pk_node(tree, last)->name == name) return last;
        return append(tree, parent, name);
    }
    if (tree->nodes.count * 2 >= tree->n_slots && !grow(tree)) return PK_NODE_NONE;
    uint32_t *slot = slot_of(tree, parent, name);
    if (*slot) return *slot - 1;
    uint32_t node = append(tree, parent, name);
    if (node != PK_NODE_NONE) *slot = node + 1;
    return node;
}

static uint64_t saturating(uint64_t a, uint64_t b) {
    return a + b < a ? UINT64_MAX : a + b;
}

uint32_t pk_stack_tree_add(pk_stack_tree *tree, const uint32_t frames[], size_t n,
                           const uint64_t weights[], pk_err *err) {
    if (n > PK_STACK_DEPTH_MAX) {
        pk_fail(err, PK_E_LIMIT, NULL, "a call stack of %zu frames; at most %d are taken", n,
                PK_STACK_DEPTH_MAX);
        return PK_NODE_NONE;
    }
    uint32_t node = PK_NODE_ROOT;
    for (size_t i = 0; i < n && node != PK_NODE_NONE; i++) node = child(tree, node, frames[i]);
    if (tree->in_order && node != PK_NODE_NONE && pk_node(tree, node)->last_child != PK_NODE_NONE)
        node = child(tree, node, PK_NAME_NONE);
    if (node == PK_NODE_NONE) {
        pk_fail(err, PK_E_LIMIT, NULL, "not enough memory for %zu call stack nodes",
                tree->nodes.count);
        return PK_NODE_NONE;
    }
    pk_stack_node *last = pk_node(tree, node);
    for (unsigned w = 0; w < tree->n_weights; w++)
        last->self[w] = saturating(last->self[w], weights[w]);
    return node;
}

size_t pk_stack_tree_path(const pk_stack_tree *tree, uint32_t node, uint32_t names[]) {
    size_t n = 0;
    for (uint32_t i = node; i != PK_NODE_ROOT; i = pk_node(tree, i)->parent)
        n += pk_node(tree, i)->name != PK_NAME_NONE;
    size_t at = n;
    for (uint32_t i = node; i != PK_NODE_ROOT; i = pk_node(tree, i)->parent)
        if (pk_node(tree, i)->name != PK_NAME_NONE) names[--at] = pk_node(tree, i)->name;
    return n;
}

/* ---- totals and order ---- */

uint32_t pk_stack_tree_sum(pk_stack_tree *tree) {
    uint32_t depth = 0;
    for (uint32_t i = 0; i < tree->nodes.count; i++) {
        pk_stack_node *node = pk_node(tree, i);
        memcpy(node->total, node->self, sizeof node->total);
        if (node->depth > depth) depth = node->depth;
    }
    /* A parent always has a smaller number than its children. */
    for (uint32_t i = (uint32_t)tree->nodes.count; i-- > 1;) {
        const pk_stack_node *node = pk_node(tree, i);
        pk_stack_node *parent = pk_node(tree, node->parent);
        for (unsigned w = 0; w < tree->n_weights; w++)
            parent->total[w] = saturating(parent->total[w], node->total[w]);
    }
    return depth;
}

typedef struct sibling {
    const char *text;
    size_t bytes;
    uint32_t node;
} sibling;

static int by_folded_text(const void *a, const void *b) {
    const sibling *x = a, *y = b;
    size_t shorter = x->bytes < y->bytes ? x->bytes : y->bytes;
    int order = memcmp(x->text, y->text, shorter);
    if (order != 0) return order;
    if (x->bytes == y->bytes) return 0;
    int next_x = x->bytes > shorter ? (unsigned char)x->text[shorter] : ';';
    int next_y = y->bytes > shorter ? (unsigned char)y->text[shorter] : ';';
    if (next_x != next_y) return next_x - next_y;
    return x->bytes < y->bytes ? -1 : 1;
}

static void sort_children(pk_stack_tree *tree, uint32_t parent, sibling *room) {
    size_t n = 0;
    pk_stack_node *above = pk_node(tree, parent);
    for (uint32_t i = above->first_child; i != PK_NODE_NONE; i = pk_node(tree, i)->next) {
        sibling *s = &room[n++];
        s->node = i;
        s->text = pk_names_text(tree->names, pk_node(tree, i)->name, &s->bytes);
    }
    if (n < 2) return;
    qsort(room, n, sizeof *room, by_folded_text);
    above->first_child = room[0].node;
    for (size_t i = 0; i + 1 < n; i++) pk_node(tree, room[i].node)->next = room[i + 1].node;
    pk_node(tree, room[n - 1].node)->next = PK_NODE_NONE;
    above->last_child = room[n - 1].node;
}

bool pk_stack_tree_sort(pk_stack_tree *tree, pk_err *err) {
    sibling *room = calloc(tree->nodes.count, sizeof *room);
    if (!room) {
        pk_fail(err, PK_E_LIMIT, NULL, "not enough memory to sort %zu nodes", tree->nodes.count);
        return false;
    }
    for (uint32_t i = 0; i < tree->nodes.count; i++) sort_children(tree, i, room);
    free(room);
    return true;
}

#include "profile/reshape.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

/* What names mean to the options, by their number. */
typedef struct marks {
    uint32_t *renamed; /* without suffixes; the same number where there are none */
    bool *base, *keep, *drop;
    uint32_t n;
} marks;

typedef struct work {
    const pk_stack_tree *from;
    const pk_reshape *options;
    marks marks;
    uint32_t *path;
} work;

static bool no_memory(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "not enough memory to change the stacks");
    return false;
}

bool pk_reshape_any(const pk_reshape *r) {
    return r->reverse || r->fold_recursion || r->strip_suffixes || r->bases.count > 0 ||
           r->keep.count > 0 || r->drop.count > 0;
}

/* ---- names without suffixes ---- */

/* Bytes of name[0..bytes) before ".word" and numbers behind it; `bytes` where it does not end so.
 */
static size_t before_suffix(const char *name, size_t bytes) {
    static const char *const words[] = {"constprop", "isra",     "part",       "cold",
                                        "llvm",      "lto_priv", "localalias", "clone"};
    size_t end = bytes;
    for (;;) {
        size_t dot = end;
        while (dot > 0 && name[dot - 1] != '.') dot--;
        if (dot <= 1) return bytes;
        const char *part = name + dot;
        size_t length = end - dot;
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
            if (strlen(words[i]) == length && memcmp(part, words[i], length) == 0) return dot - 1;
        if (length == 0 || strspn(part, "0123456789") < length) return bytes;
        end = dot - 1;
    }
}

/* The same for " [clone .isra.0]", as demanglers write it. */
static size_t before_clone(const char *name, size_t bytes) {
    static const char begin[] = " [clone .";
    size_t length = sizeof begin - 1;
    if (bytes < length || name[bytes - 1] != ']') return bytes;
    for (size_t i = bytes - length; i > 0; i--)
        if (memcmp(name + i, begin, length) == 0)
            return memchr(name + i, ']', bytes - 1 - i) ? bytes : i;
    return bytes;
}

static size_t without_suffixes(const char *name, size_t bytes) {
    for (;;) {
        size_t shorter = before_clone(name, before_suffix(name, bytes));
        if (shorter == bytes) return bytes;
        bytes = shorter;
    }
}

static bool rename_all(pk_names *names, bool strip, marks *m) {
    uint32_t n = pk_names_count(names);
    m->renamed = calloc(n ? n : 1, sizeof *m->renamed);
    if (!m->renamed) return false;
    for (uint32_t i = 0; i < n; i++) {
        m->renamed[i] = i;
        if (!strip) continue;
        size_t bytes;
        const char *text = pk_names_text(names, i, &bytes);
        size_t shorter = without_suffixes(text, bytes);
        if (shorter < bytes) m->renamed[i] = pk_names_intern(names, text, shorter);
        if (m->renamed[i] == PK_NAME_NONE) return false;
    }
    m->n = pk_names_count(names);
    return true;
}

/* ---- names that match ---- */

static void mark_equal(const pk_names *names, const pk_text_list *list, uint32_t n, bool *marked) {
    for (uint32_t i = 0; i < n; i++)
        for (size_t k = 0; k < list->count && !marked[i]; k++)
            marked[i] = strcmp(pk_names_text(names, i, NULL), list->items[k]) == 0;
}

static bool mark_matching(const pk_names *names, const pk_text_list *list, uint32_t n, bool *marked,
                          pk_err *err) {
    for (size_t k = 0; k < list->count; k++) {
        regex_t regex;
        int code = regcomp(&regex, list->items[k], REG_EXTENDED | REG_NOSUB);
        if (code != 0) {
            char why[128];
            regerror(code, &regex, why, sizeof why);
            pk_fail(err, PK_E_USAGE, NULL, "\"%s\" is no regular expression: %s", list->items[k],
                    why);
            pk_fix(err, "put a backslash before ( ) [ ] { } . * + ? that stand for themselves");
            return false;
        }
        for (uint32_t i = 0; i < n; i++)
            if (!marked[i])
                marked[i] = regexec(&regex, pk_names_text(names, i, NULL), 0, NULL, 0) == 0;
        regfree(&regex);
    }
    return true;
}

static void free_marks(marks *m) {
    free(m->renamed);
    free(m->base);
    free(m->keep);
    free(m->drop);
}

static bool make_marks(work *w, pk_err *err) {
    pk_names *names = w->from->names;
    marks *m = &w->marks;
    if (!rename_all(names, w->options->strip_suffixes, m)) return no_memory(err);
    size_t n = m->n ? m->n : 1;
    m->base = calloc(n, sizeof *m->base);
    m->keep = calloc(n, sizeof *m->keep);
    m->drop = calloc(n, sizeof *m->drop);
    if (!m->base || !m->keep || !m->drop) return no_memory(err);
    mark_equal(names, &w->options->bases, m->n, m->base);
    return mark_matching(names, &w->options->keep, m->n, m->keep, err) &&
           mark_matching(names, &w->options->drop, m->n, m->drop, err);
}

/* ---- one stack ---- */

static bool has(const bool *marked, const uint32_t *path, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (marked[path[i]]) return true;
    return false;
}

/* While the last frames are what the ones before them were, they go. */
static size_t without_repeat(const uint32_t *path, size_t n) {
    for (size_t length = 1; length <= PK_RECURSION_MAX && 2 * length <= n;) {
        size_t bytes = length * sizeof *path;
        if (memcmp(path + n - length, path + n - 2 * length, bytes) != 0) length++;
        else {
            n -= length;
            length = 1;
        }
    }
    return n;
}

static size_t fold_recursion(uint32_t *path, size_t n) {
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        path[kept++] = path[i];
        kept = without_repeat(path, kept);
    }
    return kept;
}

static void reverse(uint32_t *path, size_t n) {
    for (size_t i = 0; i < n / 2; i++) {
        uint32_t other = path[i];
        path[i] = path[n - 1 - i];
        path[n - 1 - i] = other;
    }
}

/* The new stack in path[0..*n); false: it is left out. */
static bool reshape_stack(const work *w, uint32_t *path, size_t *n) {
    const pk_reshape *r = w->options;
    const marks *m = &w->marks;
    for (size_t i = 0; i < *n; i++) path[i] = m->renamed[path[i]];
    if (has(m->drop, path, *n)) return false;
    if (r->keep.count > 0 && !has(m->keep, path, *n)) return false;
    if (r->bases.count > 0) {
        size_t begin = *n;
        while (begin > 0 && !m->base[path[begin - 1]]) begin--;
        if (begin == 0) return false;
        begin--;
        *n -= begin;
        memmove(path, path + begin, *n * sizeof *path);
    }
    if (r->fold_recursion) *n = fold_recursion(path, *n);
    if (r->reverse) reverse(path, *n);
    return true;
}

/* ---- all of them ---- */

static bool reshape_stacks(work *w, pk_stack_tree *to, uint32_t *map, pk_err *err) {
    for (uint32_t i = 0; i < w->from->nodes.count; i++) {
        const pk_stack_node *node = pk_node(w->from, i);
        bool weighs = false;
        for (unsigned k = 0; k < w->from->n_weights; k++) weighs = weighs || node->self[k] > 0;
        if (map) map[i] = PK_NODE_NONE;
        if (!weighs) continue;
        size_t n = pk_stack_tree_path(w->from, i, w->path);
        if (!reshape_stack(w, w->path, &n)) continue;
        uint32_t new = pk_stack_tree_add(to, w->path, n, node->self, err);
        if (new == PK_NODE_NONE) return false;
        if (map) map[i] = new;
    }
    return true;
}

bool pk_reshape_tree(const pk_stack_tree *from, const pk_reshape *reshape, pk_stack_tree *to,
                     uint32_t *map, pk_err *err) {
    work w = {.from = from, .options = reshape};
    pk_stack_tree new;
    bool ok = false;
    w.path = calloc(PK_STACK_DEPTH_MAX, sizeof *w.path);
    if (!w.path) no_memory(err);
    else if (make_marks(&w, err) &&
             pk_stack_tree_init(&new, from->names, from->n_weights, from->in_order, err)) {
        ok = reshape_stacks(&w, &new, map, err);
        if (ok) *to = new;
        else pk_stack_tree_fini(&new);
    }
    free_marks(&w.marks);
    free(w.path);
    return ok;
}

static double weight_of(const pk_stack_tree *tree) {
    double weight = 0;
    for (uint32_t i = 0; i < tree->nodes.count; i++) weight += (double)pk_node(tree, i)->self[0];
    return weight;
}

/* Those that were left out go; the others end where their stack does now. */
static void move_samples(pk_profile *profile, const uint32_t *map) {
    size_t kept = 0;
    for (size_t i = 0; i < profile->samples.count; i++) {
        pk_profile_sample *s = &PK_AT(&profile->samples, pk_profile_sample, i);
        uint32_t node = map[s->node];
        if (node == PK_NODE_NONE) continue;
        s->node = node;
        PK_AT(&profile->samples, pk_profile_sample, kept++) = *s;
    }
    profile->samples.count = kept;
}

bool pk_reshape_profile(pk_profile *profile, const pk_reshape *reshape, pk_err *err) {
    pk_stack_tree new;
    uint32_t *map = calloc(profile->tree.nodes.count, sizeof *map);
    if (!map) return no_memory(err);
    bool ok = pk_reshape_tree(&profile->tree, reshape, &new, map, err);
    if (ok) {
        bool kept = profile->samples.count > 0;
        double before = weight_of(&profile->tree), after = weight_of(&new);
        if (kept) move_samples(profile, map);
        if (kept) profile->n_samples = profile->samples.count;
        else if (before > 0)
            profile->n_samples = (uint64_t)((double)profile->n_samples * (after / before) + 0.5);
        pk_stack_tree_fini(&profile->tree);
        profile->tree = new;
    }
    free(map);
    return ok;
}

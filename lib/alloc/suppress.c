#include "alloc/suppress.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define PATTERNS_MAX (1u << 20)
#define ARENA_BYTES ((size_t)64 << 20)

struct pk_alloc_suppressions {
    pk_arena *arena;
    pk_array patterns; /* const char * */
};

/* ---- patterns ---- */

/* Does `pattern` ('*': any text) begin at text, and where it is held, end with it? Only the last
 * '*' is ever gone back to: what an earlier one took can stay. */
static bool matches_from(const char *pattern, const char *text) {
    const char *star = NULL, *again = NULL;
    for (;;) {
        bool held = pattern[0] == '$' && pattern[1] == '\0';
        if (*pattern == '\0' || (held && *text == '\0')) return true;
        if (*pattern == '*') {
            star = ++pattern;
            again = text;
        } else if (*text != '\0' && *pattern == *text) {
            pattern++;
            text++;
        } else if (star && *again != '\0') {
            pattern = star;
            text = ++again;
        } else {
            return false;
        }
    }
}

bool pk_alloc_pattern_matches(const char *pattern, const char *text) {
    if (*pattern == '^') return matches_from(pattern + 1, text);
    for (; *text != '\0'; text++)
        if (matches_from(pattern, text)) return true;
    return matches_from(pattern, text);
}

/* ---- the file ---- */

static bool add_line(pk_alloc_suppressions *all, const char *where, size_t number, const char *line,
                     size_t bytes, pk_err *err) {
    static const char kind[] = "leak:";
    while (bytes > 0 && isspace((unsigned char)line[0])) line++, bytes--;
    while (bytes > 0 && isspace((unsigned char)line[bytes - 1])) bytes--;
    if (bytes == 0 || line[0] == '#') return true;
    if (bytes < sizeof kind || strncmp(line, kind, sizeof kind - 1) != 0 ||
        memchr(line, '\0', bytes)) {
        pk_fail(err, PK_E_INPUT, where, "line %zu is no suppression", number);
        pk_fix(err, "write leak:FUNCTION or leak:FILE");
        return false;
    }
    const char **pattern = pk_array_push(&all->patterns);
    char *text = pk_arena_strndup(all->arena, line + sizeof kind - 1, bytes - (sizeof kind - 1));
    if (pattern) *pattern = text;
    if (pattern && text) return true;
    pk_fail(err, PK_E_LIMIT, where, "more suppressions than fit in memory");
    return false;
}

pk_alloc_suppressions *pk_alloc_suppressions_read(const char *where, const char *text, size_t bytes,
                                                  pk_err *err) {
    pk_alloc_suppressions *all = calloc(1, sizeof *all);
    if (all) all->arena = pk_arena_new(ARENA_BYTES);
    if (!all || !all->arena) {
        free(all);
        pk_fail(err, PK_E_LIMIT, where, "out of memory");
        return NULL;
    }
    all->patterns = PK_ARRAY(const char *, PATTERNS_MAX);
    const char *end = text + bytes;
    for (size_t number = 1; text < end; number++) {
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        if (!stop) stop = end;
        if (!add_line(all, where, number, text, (size_t)(stop - text), err)) {
            pk_alloc_suppressions_free(all);
            return NULL;
        }
        text = stop < end ? stop + 1 : end;
    }
    return all;
}

void pk_alloc_suppressions_free(pk_alloc_suppressions *all) {
    if (!all) return;
    pk_array_fini(&all->patterns);
    pk_arena_free(all->arena);
    free(all);
}

/* ---- judgement ---- */

static bool any_matches(const pk_alloc_suppressions *all, const char *text) {
    for (size_t i = 0; i < all->patterns.count; i++)
        if (pk_alloc_pattern_matches(PK_AT(&all->patterns, const char *, i), text)) return true;
    return false;
}

/* Which names and objects a pattern holds for: judged once each, not once per stack. */
typedef struct judged {
    const pk_alloc_suppressions *suppressions;
    const pk_alloc_result *result;
    signed char *names, *places; /* 0: not yet, 1: yes, -1: no; NULL: no memory, judge each time */
} judged;

static bool name_held(judged *j, uint32_t name) {
    if (j->names && j->names[name]) return j->names[name] > 0;
    bool yes = any_matches(j->suppressions, pk_names_text(j->result->names, name, NULL));
    if (j->names) j->names[name] = yes ? 1 : -1;
    return yes;
}

static bool place_held(judged *j, uint32_t at) {
    if (j->places && j->places[at]) return j->places[at] > 0;
    const pk_alloc_place *place = &PK_AT(&j->result->places, pk_alloc_place, at);
    bool yes = (place->object && any_matches(j->suppressions, place->object)) ||
               (place->symbol && any_matches(j->suppressions, place->symbol));
    if (j->places) j->places[at] = yes ? 1 : -1;
    return yes;
}

/* By name, inlined functions too, but not the program's; and by the files that frames lie in. */
static bool is_suppressed(judged *j, const pk_alloc_stack *s) {
    const pk_stack_tree *tree = &j->result->tree;
    for (uint32_t node = s->node; pk_node(tree, node)->depth > 1;
         node = pk_node(tree, node)->parent)
        if (name_held(j, pk_node(tree, node)->name)) return true;
    for (uint32_t i = 0; s->places && i <= s->n_frames; i++)
        if (place_held(j, s->places[i])) return true;
    return false;
}

pk_alloc_leaks pk_alloc_judge_leaks(const pk_alloc_result *result,
                                    const pk_alloc_suppressions *suppressions,
                                    uint64_t limit_bytes) {
    pk_alloc_leaks leaks = {.known = result->live_known};
    if (!leaks.known) return leaks;
    judged j = {.suppressions = suppressions, .result = result};
    if (suppressions) {
        j.names = calloc(pk_names_count(result->names) + 1, 1);
        j.places = calloc(result->places.count + 1, 1);
    }
    for (size_t i = 0; i < result->stacks.count; i++) {
        const pk_alloc_stack *s = &PK_AT(&result->stacks, pk_alloc_stack, i);
        if (s->leaked_bytes == 0 && s->leaked_calls == 0) continue;
        if (suppressions && is_suppressed(&j, s)) {
            leaks.suppressed_calls += s->leaked_calls;
            leaks.suppressed_bytes += s->leaked_bytes;
        } else {
            leaks.calls += s->leaked_calls;
            leaks.bytes += s->leaked_bytes;
        }
    }
    free(j.names);
    free(j.places);
    leaks.failed = leaks.bytes > limit_bytes;
    return leaks;
}

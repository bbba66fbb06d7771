#include "bench/select.h"

#include <math.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/suggest.h"
#include "base/units.h"
#include "bench/memory.h"

/* ---- parameters ---- */

typedef struct values {
    pk_arena *arena;
    pk_array list; /* of const char * */
} values;

static bool too_many(const char *text, pk_err *err) {
    pk_fail(err, PK_E_USAGE, NULL, "\"%.60s\" has more than %d values", text, PK_BENCH_PARAMS_MAX);
    pk_fix(err, "give a larger step, as in 0:1000:10");
    return false;
}

static bool push_value(values *v, const char *value, const char *text, pk_err *err) {
    if (!value) return pk_bench_no_memory(err);
    const char **slot = pk_array_push(&v->list);
    if (!slot) return too_many(text, err);
    *slot = value;
    return true;
}

/* Cuts the integer before `end` (a ':' or the end of item) off *from. */
static bool take_integer(char **from, int64_t *out) {
    char *colon = strchr(*from, ':');
    pk_err ignored = {0};
    if (colon) *colon = '\0';
    if (!pk_parse_int(*from, INT64_MIN, INT64_MAX, out, &ignored)) return false;
    *from = colon ? colon + 1 : NULL;
    return true;
}

static bool push_range(values *v, const char *item, const char *text, pk_err *err) {
    char *copy = pk_arena_strdup(v->arena, item);
    if (!copy) return pk_bench_no_memory(err);
    int64_t first = 0, last = 0, step = 1;
    bool ok = take_integer(&copy, &first) && copy && take_integer(&copy, &last) &&
              (!copy || take_integer(&copy, &step)) && !copy;
    if (!ok || step <= 0 || last < first) {
        pk_fail(err, PK_E_USAGE, NULL, "\"%.60s\" is no range of whole numbers", item);
        pk_fix(err, "write first:last:step with first <= last and step >= 1, as in 10:30:5");
        return false;
    }
    for (int64_t i = first; i <= last;) {
        char *value = pk_arena_printf(v->arena, "%lld", (long long)i);
        if (!push_value(v, value, text, err)) return false;
        if (__builtin_add_overflow(i, step, &i)) break;
    }
    return true;
}

static bool push_items(values *v, const char *text, pk_err *err) {
    for (const char *p = text;;) {
        const char *end = strchrnul(p, ',');
        char *item = pk_arena_strndup(v->arena, p, (size_t)(end - p));
        if (!item) return pk_bench_no_memory(err);
        if (!*item) {
            pk_fail(err, PK_E_USAGE, NULL, "\"%.60s\" has an empty value", text);
            pk_fix(err, "write values with commas between them, as in 10,20,30");
            return false;
        }
        bool ok =
            strchr(item, ':') ? push_range(v, item, text, err) : push_value(v, item, text, err);
        if (!ok) return false;
        if (!*end) return true;
        p = end + 1;
    }
}

bool pk_bench_params(const char *text, pk_arena *arena, const char *const **out, size_t *n,
                     pk_err *err) {
    values v = {.arena = arena, .list = PK_ARRAY(const char *, PK_BENCH_PARAMS_MAX)};
    const char **copy = NULL;
    if (push_items(&v, text, err)) {
        copy = PK_NEW(arena, v.list.count, const char *);
        if (!copy) pk_bench_no_memory(err);
    }
    if (copy) {
        for (size_t i = 0; i < v.list.count; i++) copy[i] = PK_AT(&v.list, const char *, i);
        *out = copy;
        *n = v.list.count;
    }
    pk_array_fini(&v.list);
    return copy != NULL;
}

/* NaN if it is no number. */
static double number_of(const char *text) {
    double number = NAN;
    pk_err ignored = {0};
    bool minus = text[0] == '-';
    if (!pk_parse_double(text + minus, &number, &ignored)) return NAN;
    return minus ? -number : number;
}

static bool within_bounds(const pk_bench_case *c, const char *where, pk_err *err) {
    const pk_worker_offer *offer = c->offer;
    if (!offer->has_bounds || !c->param) return true;
    int64_t value;
    pk_err ignored = {0};
    bool whole = pk_parse_int(c->param, INT64_MIN, INT64_MAX, &value, &ignored);
    if (whole && value >= offer->param_min && value <= offer->param_max) return true;
    pk_fail(err, PK_E_USAGE, where, "%s%s%s takes %s%lld to %lld, not %.60s%s%s", c->group,
            c->function ? "/" : "", c->function ? c->function : "",
            whole ? "" : "a whole number from ", (long long)offer->param_min,
            (long long)offer->param_max, c->param, offer->bounds_reason ? ": " : "",
            offer->bounds_reason ? offer->bounds_reason : "");
    pk_fix(err, "choose a value within the bounds");
    return false;
}

/* ---- filters ---- */

typedef struct patterns {
    const pk_text_list *texts;
    regex_t *compiled; /* NULL: whole ids */
    size_t n_compiled;
} patterns;

static void patterns_fini(patterns *p) {
    for (size_t i = 0; i < p->n_compiled; i++) regfree(&p->compiled[i]);
    free(p->compiled);
}

static bool patterns_init(patterns *p, const pk_text_list *texts, bool exact, pk_err *err) {
    *p = (patterns){.texts = texts};
    if (exact || texts->count == 0) return true;
    p->compiled = calloc(texts->count, sizeof *p->compiled);
    if (!p->compiled) return pk_bench_no_memory(err);
    for (size_t i = 0; i < texts->count; i++) {
        int rc = regcomp(&p->compiled[i], texts->items[i], REG_EXTENDED | REG_NOSUB);
        if (rc != 0) {
            char why[128];
            regerror(rc, &p->compiled[i], why, sizeof why);
            pk_fail(err, PK_E_USAGE, texts->items[i], "it is no regular expression: %s", why);
            pk_fix(err, "put a \\ before a character that is meant as it is, or use --exact");
            return false;
        }
        p->n_compiled++;
    }
    return true;
}

static bool matches(const patterns *p, size_t i, const char *id) {
    return p->compiled ? regexec(&p->compiled[i], id, 0, NULL, 0) == 0
                       : strcmp(p->texts->items[i], id) == 0;
}

static bool any_matches(const patterns *p, const char *id) {
    for (size_t i = 0; i < p->texts->count; i++)
        if (matches(p, i, id)) return true;
    return false;
}

/* ---- selection ---- */

typedef struct selection {
    const pk_bench_options *options;
    size_t n_objects;
    const pk_bench_offers *objects;
    pk_arena *arena;
    const char *const *params; /* of the options; NULL: none given */
    size_t n_params;
    patterns filters, skips;
    bool *beside; /* of each filter: it means objects beside the named ones; NULL: none does */
    bool any_for_named; /* a filter means the named ones */
    pk_array cases;     /* selected */
    pk_array names;     /* const char *: ids and their parts, for did-you-mean */
} selection;

static bool name_case(selection *s, pk_bench_case *c, bool named_value, pk_err *err) {
    c->group = c->offer->group;
    c->function = c->offer->function;
    c->value = named_value ? c->param : NULL;
    c->value_number = c->value ? number_of(c->value) : NAN;
    c->value_is_number = !isnan(c->value_number);
    c->id = pk_arena_printf(s->arena, "%s%s%s%s%s", c->group, c->function ? "/" : "",
                            c->function ? c->function : "", c->value ? "/" : "",
                            c->value ? c->value : "");
    return c->id || pk_bench_no_memory(err);
}

static bool remember_names(selection *s, const pk_bench_case *c, pk_err *err) {
    const char *const names[] = {c->id, c->function, c->group};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!names[i]) continue;
        const char **slot = pk_array_push(&s->names);
        if (!slot) return pk_bench_no_memory(err);
        *slot = names[i];
    }
    return true;
}

static bool filters_want(const selection *s, const pk_bench_case *c) {
    bool beside = s->objects[c->object].beside;
    if (!beside && (s->options->filters.count == 0 || (s->beside && !s->any_for_named)))
        return true;
    for (size_t i = 0; i < s->options->filters.count; i++)
        if ((s->beside && s->beside[i]) == beside && matches(&s->filters, i, c->id)) return true;
    return false;
}

static bool add_case(selection *s, pk_bench_case *c, bool named_value, pk_err *err) {
    if (!name_case(s, c, named_value, err) || !remember_names(s, c, err)) return false;
    if (!filters_want(s, c) || any_matches(&s->skips, c->id)) return true;
    const char *where = s->params ? "--param" : s->objects[c->object].object;
    if (!within_bounds(c, where, err)) return false;
    pk_bench_case *slot = pk_array_push(&s->cases);
    if (!slot) return pk_bench_no_memory(err);
    *slot = *c;
    return true;
}

static bool add_offer(selection *s, size_t object, uint32_t index, pk_err *err) {
    const pk_worker_offer *offer = &s->objects[object].items[index];
    pk_bench_case c = {.offer = offer, .object = object, .index = index};
    if (!offer->params) return add_case(s, &c, false, err);
    const char *const *params = s->params;
    size_t n = s->n_params;
    if (!params && !pk_bench_params(offer->params, s->arena, &params, &n, err)) {
        if (err->kind != PK_E_USAGE) return false;
        pk_fail(err, PK_E_INPUT, s->objects[object].object, "the parameters of %s: %s",
                offer->group, err->what);
        pk_fix(err, "correct `params` in the source of the benchmark");
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        c.param = params[i];
        if (!add_case(s, &c, s->params || n > 1, err)) return false;
    }
    return true;
}

/* ---- the suite beside named objects ---- */

static bool begins_with_a_group(const pk_bench_offers *object, const char *filter) {
    for (size_t i = 0; i < object->n; i++) {
        size_t length = strlen(object->items[i].group);
        if (strncmp(filter, object->items[i].group, length) != 0) continue;
        if (filter[length] == '\0' || filter[length] == '/') return true;
    }
    return false;
}

/* Which filters mean objects beside the named ones. */
static bool deal_filters(selection *s, pk_err *err) {
    const pk_text_list *filters = &s->options->filters;
    bool *beside = PK_NEW(s->arena, filters->count, bool);
    if (!beside) return pk_bench_no_memory(err);
    bool any = false;
    for (size_t i = 0; i < filters->count; i++) {
        for (size_t j = 0; j < s->n_objects; j++)
            if (s->objects[j].beside)
                beside[i] |= begins_with_a_group(&s->objects[j], filters->items[i]);
        for (size_t j = 0; j < s->cases.count && beside[i]; j++) {
            const pk_bench_case *c = &PK_AT(&s->cases, pk_bench_case, j);
            if (!s->objects[c->object].beside && matches(&s->filters, i, c->id)) beside[i] = false;
        }
        any |= beside[i];
        s->any_for_named |= !beside[i];
    }
    s->beside = any ? beside : NULL;
    return true;
}

static bool nothing_selected(const selection *s, pk_err *err) {
    const pk_bench_options *o = s->options;
    if (s->names.count == 0) {
        pk_fail(err, PK_E_INPUT, s->n_objects == 1 ? s->objects[0].object : NULL,
                "there is no benchmark in it");
        pk_fix(err, "name benchmarks with PERFKIT_BENCHMARKS, see perfkit.h");
        return false;
    }
    const char *near = NULL;
    for (size_t i = 0; i < o->filters.count && !near; i++)
        near = pk_suggest(o->filters.items[i], s->names.items, s->names.count);
    bool filtered = o->filters.count > 0;
    pk_fail(err, PK_E_USAGE, filtered ? o->filters.items[0] : "--skip", "%s",
            filtered ? o->skips.count > 0 ? "no benchmark is left" : "no benchmark has such an id"
                     : "it leaves no benchmark");
    if (near) pk_fix(err, "did you mean '%s'?", near);
    else pk_fix(err, "`perfkit bench --list` shows the ids");
    return false;
}

static bool some_take_params(const selection *s, pk_err *err) {
    if (!s->params) return true;
    for (size_t i = 0; i < s->cases.count; i++)
        if (PK_AT(&s->cases, pk_bench_case, i).param) return true;
    pk_fail(err, PK_E_USAGE, "--param", "none of the selected benchmarks takes a parameter");
    pk_fix(err, "leave it out, or give the benchmarks `params`, see perfkit.h");
    return false;
}

static int by_id(const void *a, const void *b) {
    const pk_bench_case *const *x = a, *const *y = b;
    return strcmp((*x)->id, (*y)->id);
}

static bool ids_are_unique(const selection *s, pk_err *err) {
    size_t n = s->cases.count;
    const pk_bench_case **sorted = malloc(n * sizeof *sorted);
    if (!sorted) return pk_bench_no_memory(err);
    for (size_t i = 0; i < n; i++) sorted[i] = &PK_AT(&s->cases, pk_bench_case, i);
    qsort(sorted, n, sizeof(const pk_bench_case *), by_id);
    bool unique = true;
    for (size_t i = 1; i < n && unique; i++) {
        const pk_bench_case *a = sorted[i - 1], *b = sorted[i];
        unique = strcmp(a->id, b->id) != 0;
        if (unique) continue;
        const char *object = s->objects[b->object].object;
        if (a->object != b->object) {
            pk_fail(err, PK_E_USAGE, object, "%s is also in %s", a->id,
                    s->objects[a->object].object);
            pk_fix(err, "run them one after the other, or compare with --compare-with FILE");
        } else {
            pk_fail(err, PK_E_USAGE, s->params ? "--param" : object, "%s is there twice", a->id);
            pk_fix(err, "give each %s once", s->params ? "value" : "group/function");
        }
    }
    free(sorted);
    return unique;
}

static bool add_all(selection *s, pk_err *err) {
    for (size_t i = 0; i < s->n_objects; i++)
        for (size_t j = 0; j < s->objects[i].n; j++)
            if (!add_offer(s, i, (uint32_t)j, err)) return false;
    return true;
}

static bool select_all(selection *s, pk_err *err) {
    const pk_bench_options *o = s->options;
    if (o->param && !pk_bench_params(o->param, s->arena, &s->params, &s->n_params, err)) {
        pk_fail(err, PK_E_USAGE, "--param", "%s", err->what);
        pk_fix(err, "write values or ranges, as in 20 or 10,20,30 or 10:30:5");
        return false;
    }
    if (!patterns_init(&s->filters, &o->filters, o->exact, err) ||
        !patterns_init(&s->skips, &o->skips, o->exact, err))
        return false;
    if (!add_all(s, err)) return false;
    bool beside = false;
    for (size_t i = 0; i < s->n_objects; i++) beside |= s->objects[i].beside;
    if (beside) { /* now that it is known what the filters match in the named ones */
        if (!deal_filters(s, err)) return false;
        s->cases.count = s->names.count = 0;
        if (!add_all(s, err)) return false;
    }
    if (s->cases.count == 0) return nothing_selected(s, err);
    return some_take_params(s, err) && ids_are_unique(s, err);
}

bool pk_bench_select(const pk_bench_options *options, size_t n_objects,
                     const pk_bench_offers objects[], pk_arena *arena, pk_bench_case **cases,
                     size_t *n, pk_err *err) {
    selection s = {
        .options = options,
        .n_objects = n_objects,
        .objects = objects,
        .arena = arena,
        .filters = {.texts = &options->filters},
        .skips = {.texts = &options->skips},
        .cases = PK_ARRAY(pk_bench_case, PK_BENCH_PARAMS_MAX),
        .names = PK_ARRAY(const char *, 3 * PK_BENCH_PARAMS_MAX),
    };
    pk_bench_case *copy = NULL;
    if (select_all(&s, err)) {
        copy = PK_NEW(arena, s.cases.count, pk_bench_case);
        if (!copy) pk_bench_no_memory(err);
    }
    if (copy) {
        for (size_t i = 0; i < s.cases.count; i++) copy[i] = PK_AT(&s.cases, pk_bench_case, i);
        *cases = copy;
        *n = s.cases.count;
    }
    patterns_fini(&s.filters);
    patterns_fini(&s.skips);
    pk_array_fini(&s.cases);
    pk_array_fini(&s.names);
    return copy != NULL;
}

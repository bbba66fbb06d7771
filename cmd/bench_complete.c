/* perfkit bench: what completion offers. It reads the store and the built-in suite; it runs nothing
 * that stands on the line, and stops when a shell would notice the time. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/units.h"
#include "bench/store.h"
#include "cli/complete.h"
#include "cmd/bench_cli.h"
#include "timing/clock.h"

#define ARENA_BYTES (64u << 20)
#define BUDGET_NS (12 * PK_NS_PER_MS) /* for descriptions; what comes later has none */
#define SOURCES "so c cc cpp cxx py js"

typedef struct stored {
    pk_arena *arena;
    pk_store *store; /* NULL: there is none */
    pk_store_entry *entries;
    size_t n;
} stored;

/* What is in the store that the line names; a broken or missing one is empty. */
static void open_stored(const pk_choices *choices, stored *s) {
    pk_err ignored;
    *s = (stored){.arena = pk_arena_new(ARENA_BYTES)};
    if (!s->arena) return;
    const char *home = pk_choices_option(choices, "home");
    if (!home || !home[0]) home = bench_home(s->arena);
    if (home) s->store = pk_store_open(home, false, false, &ignored);
    if (s->store && !pk_store_list(s->store, NULL, s->arena, &s->entries, &s->n, &ignored))
        s->n = 0;
}

static void close_stored(stored *s) {
    pk_store_close(s->store);
    pk_arena_free(s->arena);
}

/* ---- ids ---- */

/* "9.88 us, 3m ago". */
static void describe(const stored *s, const pk_store_entry *entry, char *out, size_t bytes) {
    char mean[PK_FORMAT_MAX], age[PK_FORMAT_MAX];
    pk_err ignored;
    pk_baseline *b = pk_store_load(s->store, entry->directory, "new", s->arena, &ignored);
    if (!b || !b->has_estimates) return;
    pk_format_duration(mean, sizeof mean, b->estimates.mean.point);
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    uint64_t now = (uint64_t)t.tv_sec * PK_NS_PER_S + (uint64_t)t.tv_nsec;
    if (b->session.time_unix_ns && now > b->session.time_unix_ns)
        snprintf(out, bytes, "%s, %s ago", mean,
                 pk_format_duration(age, sizeof age, (double)(now - b->session.time_unix_ns)));
    else snprintf(out, bytes, "%s", mean);
}

static void offer_stored_ids(pk_choices *choices, const stored *s) {
    uint64_t end = pk_now_ns() + BUDGET_NS;
    for (size_t i = 0; i < s->n; i++) {
        char description[2 * PK_FORMAT_MAX + 8] = "";
        const char *typed = pk_choices_typed(choices);
        if (strncmp(s->entries[i].id, typed, strlen(typed)) != 0) continue;
        if (pk_now_ns() < end) describe(s, &s->entries[i], description, sizeof description);
        pk_choices_add(choices, s->entries[i].id, description);
    }
}

/* Of the built-in suite, unless the line names a file that brings others. */
static void offer_built_in_ids(pk_choices *choices, const stored *s) {
    const pk_bench_options options = {.param = pk_choices_option(choices, "param")};
    pk_bench_id *ids;
    size_t n;
    pk_err ignored;
    const char *word;
    for (size_t i = 0; (word = pk_choices_word(choices, i)); i++)
        if (bench_is_target(word)) return;
    if (!s->arena || !pk_bench_list(&options, s->arena, &ids, &n, &ignored)) return;
    for (size_t i = 0; i < n; i++) pk_choices_add(choices, ids[i].id, "built in");
}

static void offer_ids(pk_choices *choices) {
    stored s;
    open_stored(choices, &s);
    offer_stored_ids(choices, &s);
    offer_built_in_ids(choices, &s);
    close_stored(&s);
}

void bench_complete_skips(pk_choices *choices) {
    offer_ids(choices);
}

void bench_complete_words(pk_choices *choices) {
    offer_ids(choices);
    pk_complete_paths(choices, SOURCES);
}

/* ---- baselines ---- */

static size_t count_with(const stored *s, const char *name) {
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        for (size_t j = 0; j < s->entries[i].n_names; j++)
            n += strcmp(s->entries[i].names[j], name) == 0;
    return n;
}

void bench_complete_baselines(pk_choices *choices) {
    stored s;
    open_stored(choices, &s);
    for (size_t i = 0; i < s.n; i++) {
        for (size_t j = 0; j < s.entries[i].n_names; j++) {
            char description[48];
            const char *name = s.entries[i].names[j];
            size_t n = count_with(&s, name);
            snprintf(description, sizeof description, "%zu benchmark%s", n, n == 1 ? "" : "s");
            pk_choices_add(choices, name, description);
        }
    }
    close_stored(&s);
}

void bench_complete_compare(pk_choices *choices) {
    bench_complete_baselines(choices);
    pk_complete_paths(choices, SOURCES);
}

void bench_complete_results(pk_choices *choices) {
    bench_complete_baselines(choices);
    pk_complete_paths(choices, "json");
}

void bench_complete_home(pk_choices *choices) {
    pk_complete_paths(choices, "");
}

void bench_complete_driver(pk_choices *choices) {
    pk_complete_paths(choices, "*");
}

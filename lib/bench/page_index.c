#include "bench/pages.h"

#include <string.h>

#include "bench/page_parts.h"

static void count_cell(pk_page *page, pk_tint tint, size_t count) {
    pk_page_cell(page, count ? tint : PK_TINT_MUTED, "%zu", count);
}

/* The last run: how many have which verdict. */
static void add_counts(pk_page *page, size_t n, const pk_bench_page_entry entries[]) {
    static const pk_column columns[] = {{"▲ regressed", true},   {"▼ improved", true},
                                        {"? cannot tell", true}, {"= no change", true},
                                        {"not compared", true},  {"✗ failed", true}};
    static const pk_verdict_word order[] = {PK_REGRESSED, PK_IMPROVED, PK_CANNOT_TELL,
                                            PK_NO_CHANGE};
    size_t count[4] = {0}, fresh = 0, failed = 0, alone = 0;
    for (size_t i = 0; i < n; i++) {
        const pk_bench_result *r = entries[i].result;
        if (!entries[i].fresh) continue;
        fresh++;
        failed += r->failed;
        if (pk_page_compared(r)) count[r->change.verdict.word]++;
        else alone += !r->failed;
    }
    pk_page_text(page, PK_TINT_NONE, "%zu benchmark%s, %zu of them measured in the last run.", n,
                 n == 1 ? "" : "s", fresh);
    if (fresh == 0) return;
    pk_page_table_begin(page, NULL, sizeof columns / sizeof columns[0], columns);
    for (size_t i = 0; i < 4; i++)
        count_cell(page, pk_page_verdict_tint(order[i]), count[order[i]]);
    count_cell(page, PK_TINT_NONE, alone);
    count_cell(page, PK_TINT_BAD, failed);
    pk_page_table_end(page);
}

static void add_row(pk_page *page, pk_arena *arena, const pk_bench_page_entry *entry) {
    char when[PK_PAGE_TIME_MAX];
    const pk_bench_result *r = entry->result;
    pk_link link = {r->id, pk_page_address(arena, "../", entry->directory)};
    pk_page_link_cell(page, &link);
    pk_page_time_cells(page, r);
    pk_page_change_cells(page, r);
    pk_page_cell(page, entry->fresh ? PK_TINT_NONE : PK_TINT_MUTED, "%s",
                 pk_page_time(when, r->started_unix_ns));
}

/* A link to the group's page; not where a benchmark's page is in its place. */
static void add_groups(pk_page *page, pk_arena *arena, size_t n,
                       const pk_bench_page_entry entries[]) {
    static const pk_column columns[] = {{"group", false}, {"benchmarks", true}};
    pk_page_section(page, "Groups");
    pk_page_table_begin(page, NULL, 2, columns);
    for (size_t i = 0, end; i < n; i = end) {
        const char *group = entries[i].result->group;
        char directory[512];
        bool has_page = pk_store_directory(group, NULL, NULL, directory, sizeof directory);
        for (end = i; end < n && strcmp(entries[end].result->group, group) == 0; end++)
            has_page = has_page && strcmp(entries[end].directory, directory) != 0;
        pk_link link = {group, pk_page_address(arena, "../", directory)};
        if (has_page) pk_page_link_cell(page, &link);
        else pk_page_cell(page, PK_TINT_NONE, "%s", group);
        pk_page_cell(page, PK_TINT_NONE, "%zu", end - i);
    }
    pk_page_table_end(page);
}

static void add_all(pk_page *page, pk_arena *arena, size_t n, const pk_bench_page_entry entries[],
                    const pk_bench_report *run) {
    static const pk_column columns[] = {{"benchmark", false}, {"time", true},
                                        {"interval", true},   {"change", true},
                                        {"verdict", false},   {"measured", false}};
    add_counts(page, n, entries);
    if (run && run->interrupted) pk_page_text(page, PK_TINT_WARN, "The last run was interrupted.");
    pk_page_section(page, "All benchmarks");
    if (n == 0) {
        pk_page_text(page, PK_TINT_MUTED, "The store is empty: perfkit bench fills it.");
        return;
    }
    pk_page_table_begin(page, "Time per iteration; change against the base it was compared with.",
                        sizeof columns / sizeof columns[0], columns);
    for (size_t i = 0; i < n; i++) add_row(page, arena, &entries[i]);
    pk_page_table_end(page);
    add_groups(page, arena, n, entries);
    if (!run) return;
    pk_page_section(page, "Machine of the last run");
    pk_page_machine(page, run);
}

bool pk_bench_page_index(FILE *out, size_t n, const pk_bench_page_entry entries[],
                         const pk_bench_report *run, pk_err *err) {
    pk_arena *arena = pk_arena_new(PK_PAGE_ARENA_BYTES);
    pk_page page;
    if (!arena) return pk_page_out_of_memory(err);
    pk_page_begin(&page, "Benchmarks", 0, NULL);
    add_all(&page, arena, n, entries, run);
    bool ok = pk_page_finish(&page, true, out, err);
    pk_arena_free(arena);
    return ok;
}

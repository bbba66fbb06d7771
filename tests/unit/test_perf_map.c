/* Maps of compiled code: the last line that covers an address has it. */
#include "tests/unit/check.h"

#include "base/strbuf.h"
#include "profile/perf_map.h"
#include "stats/random.h"

static pk_perf_map *parse(const char *text) {
    pk_err err = {0};
    pk_perf_map *map = pk_perf_map_parse(text, strlen(text), &err);
    assert_ok(map != NULL, &err);
    return map;
}

static void expect(const pk_perf_map *map, uint64_t address, const char *name) {
    const char *found = pk_perf_map_find(map, address);
    assert_string_equal(found ? found : "-", name);
}

static void known_lines(void **state) {
    (void)state;
    pk_perf_map *map = parse("1000 100 LazyCompile:*run app.js:1\n"
                             "0x2000 0x10 with prefix\n"
                             "3000 0 empty\n"
                             "not a line\n"
                             "4000 10\n"
                             "4000 10 \n"
                             "fffffffffffffff0 20 beyond the end\n"
                             "11112222333344445 10 more than 64 bits\n"
                             "7fABcd00 8 mixed\r\n"
                             "5000 10 without newline");
    assert_int_equal(pk_perf_map_count(map), 4);
    expect(map, 0xfff, "-");
    expect(map, 0x1000, "LazyCompile:*run app.js:1");
    expect(map, 0x10ff, "LazyCompile:*run app.js:1");
    expect(map, 0x1100, "-");
    expect(map, 0x200f, "with prefix");
    expect(map, 0x3000, "-");
    expect(map, 0x4000, "-");
    expect(map, 0x7fabcd07, "mixed");
    expect(map, 0x500f, "without newline");
    expect(map, UINT64_MAX, "-");
    pk_perf_map_free(map);
    map = parse("");
    assert_int_equal(pk_perf_map_count(map), 0);
    expect(map, 0, "-");
    pk_perf_map_free(map);
    pk_perf_map_free(NULL);
}

static void later_lines_win(void **state) {
    (void)state;
    pk_perf_map *map = parse("100 100 old\n"
                             "140 40 middle\n"
                             "1f0 20 over the end\n"
                             "150 10 inner\n"
                             "150 10 inner again\n");
    expect(map, 0x100, "old");
    expect(map, 0x13f, "old");
    expect(map, 0x140, "middle");
    expect(map, 0x14f, "middle");
    expect(map, 0x150, "inner again");
    expect(map, 0x160, "middle");
    expect(map, 0x17f, "middle");
    expect(map, 0x180, "old");
    expect(map, 0x1f0, "over the end");
    expect(map, 0x20f, "over the end");
    expect(map, 0x210, "-");
    pk_perf_map_free(map);
}

/* Against painting every byte, line after line. */
static void painted_bytes_agree(void **state) {
    (void)state;
    pk_random random;
    pk_random_seed(&random, 3);
    for (int round = 0; round < 200; round++) {
        char painted[128][8];
        pk_strbuf text;
        pk_strbuf_init(&text, 1 << 16);
        for (int i = 0; i < 128; i++) memcpy(painted[i], "-", 2);
        for (int line = 0; line < 30; line++) {
            uint64_t begin = pk_random_below(&random, 100), size = 1 + pk_random_below(&random, 28);
            pk_strbuf_addf(&text, "%llx %llx n%d\n", (unsigned long long)begin,
                           (unsigned long long)size, line);
            for (uint64_t i = begin; i < begin + size; i++)
                snprintf(painted[i], sizeof painted[i], "n%d", line);
        }
        pk_perf_map *map = parse(text.data);
        for (uint64_t i = 0; i < 128; i++) expect(map, i, painted[i]);
        pk_perf_map_free(map);
        pk_strbuf_fini(&text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_lines),
        cmocka_unit_test(later_lines_win),
        cmocka_unit_test(painted_bytes_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

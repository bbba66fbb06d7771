/* The kernel's symbols, from texts that are small enough to know. */
#include "tests/unit/check.h"

#include "base/file.h"
#include "profile/kallsyms.h"

static const char sample[] = "0000000000000000 A fixed_percpu_data\n"
                             "ffffffff81000000 T _text\n"
                             "ffffffff81000000 T _stext\n"
                             "ffffffff81000000 t startup\n"
                             "ffffffff81000100 t local_one\n"
                             "ffffffff81000100 T __global_one\n"
                             "ffffffff81000200 W weak_one\n"
                             "ffffffff81000300 D some_data\n"
                             "ffffffff81000400 t last_of_kernel\n"
                             "rubbish\n"
                             "ffffffff81000500 t\n"
                             "ffffffffc0000010 t first_of_module\t[ext4]\n"
                             "ffffffffc0000050 t second of_module\t[ext4]\n"
                             "ffffffffc0002f00 t late_of_module\t[ext4]\n"
                             "ffffffffc0003000 t of_other\t[xfs]";

static pk_kallsyms *parse(const char *text, size_t bytes) {
    pk_err err = {0};
    pk_kallsyms *k = pk_kallsyms_parse(text, bytes, &err);
    assert_ok(k != NULL, &err);
    return k;
}

static void expect(const pk_kallsyms *k, uint64_t address, const char *name, const char *module) {
    pk_kernel_symbol found;
    if (!pk_kallsyms_find(k, address, &found)) {
        assert_null(name);
        return;
    }
    assert_non_null(name);
    assert_string_equal(found.name, name);
    if (module) assert_string_equal(found.module, module);
    else assert_null(found.module);
}

static void known_symbols(void **state) {
    (void)state;
    pk_kallsyms *k = parse(sample, sizeof sample - 1);
    assert_false(pk_kallsyms_restricted(k));
    assert_int_equal(pk_kallsyms_count(k), 8);
    expect(k, 0xffffffff80ffffff, NULL, NULL);
    expect(k, 0xffffffff81000000, "startup", NULL); /* fewer leading '_' */
    expect(k, 0xffffffff810000ff, "startup", NULL);
    expect(k, 0xffffffff81000100, "local_one", NULL);
    expect(k, 0xffffffff810003ff, "weak_one", NULL);       /* data is none, and ends none */
    expect(k, 0xffffffff81001fff, "last_of_kernel", NULL); /* the page after its own */
    expect(k, 0xffffffff81002000, NULL, NULL);
    expect(k, 0xffffffffc000000f, NULL, NULL);
    expect(k, 0xffffffffc000004f, "first_of_module", "ext4");
    expect(k, 0xffffffffc0002eff, "second", "ext4"); /* whatever stands between */
    expect(k, 0xffffffffc0002fff, "late_of_module", "ext4");
    expect(k, 0xffffffffc0003000, "of_other", "xfs");
    expect(k, 0xffffffffc0004fff, "of_other", "xfs");
    expect(k, 0xffffffffc0005000, NULL, NULL);
    expect(k, 0, NULL, NULL);
    expect(k, UINT64_MAX, NULL, NULL);
    pk_kallsyms_free(k);
}

/* Line by line it comes to the same; three modules whose lines are mixed keep their names. */
static void piece_by_piece(void **state) {
    (void)state;
    pk_kallsyms *k = pk_kallsyms_new();
    assert_non_null(k);
    for (const char *at = sample, *end; *at; at = end) {
        end = strchr(at, '\n');
        end = end ? end + 1 : at + strlen(at);
        assert_true(pk_kallsyms_add(k, at, (size_t)(end - at)));
    }
    static const char more[] =
        "ffffffffc0003800 t back\t[ext4]\nffffffffc0003900 t bpf_one\t[bpf]\n"
        "ffffffffc0000080 t early\t[bpf]\n";
    assert_true(pk_kallsyms_add(k, more, sizeof more - 1));
    pk_kallsyms_finish(k);
    assert_int_equal(pk_kallsyms_count(k), 11);
    expect(k, 0xffffffff81000000, "startup", NULL);
    expect(k, 0xffffffffc0000050, "second", "ext4");
    expect(k, 0xffffffffc0000080, "early", "bpf");
    expect(k, 0xffffffffc0003000, "of_other", "xfs");
    expect(k, 0xffffffffc0003800, "back", "ext4");
    expect(k, 0xffffffffc0003900, "bpf_one", "bpf");
    pk_kernel_symbol found;
    assert_true(pk_kallsyms_find(k, 0xffffffffc0003001, &found));
    assert_true(found.begin == 0xffffffffc0003000 && found.end == 0xffffffffc0003800);
    pk_kallsyms_free(k);
}

static void hidden_addresses(void **state) {
    (void)state;
    static const char text[] = "0000000000000000 T _text\n0000000000000000 t startup\n"
                               "0000000000000000 t x\t[ext4]\n";
    static const char *const texts[] = {text, "", "rubbish", "\n\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        pk_kallsyms *k = parse(texts[i], strlen(texts[i]));
        assert_true(pk_kallsyms_restricted(k));
        expect(k, 0, NULL, NULL);
        assert_false(pk_kallsyms_relocate(k, 0));
        pk_kallsyms_free(k);
    }
    pk_kallsyms_free(NULL);
}

static void another_boot(void **state) {
    (void)state;
    pk_kallsyms *k = parse(sample, sizeof sample - 1);
    /* The same boot: all is found. */
    assert_true(pk_kallsyms_relocate(k, 0xffffffff81000000));
    expect(k, 0xffffffffc0003000, "of_other", "xfs");
    /* Up, and down. */
    assert_true(pk_kallsyms_relocate(k, 0xffffffff9a200000));
    expect(k, 0xffffffff9a200100, "local_one", NULL);
    expect(k, 0xffffffff81000100, NULL, NULL);
    expect(k, 0xffffffffc0000010 + 0x19200000, NULL, NULL);
    assert_true(pk_kallsyms_relocate(k, 0xffffffff80e00000));
    expect(k, 0xffffffff80e00200, "weak_one", NULL);
    /* Another kernel changes nothing. */
    assert_false(pk_kallsyms_relocate(k, 0xffffffff80e00010));
    expect(k, 0xffffffff80e00200, "weak_one", NULL);
    pk_kallsyms_free(k);
}

/* This machine's own table, as far as we may see it: every address of it has a name. */
static void real_table(void **state) {
    (void)state;
    pk_strbuf text;
    pk_err err = {0};
    pk_strbuf_init(&text, 256 << 20);
    bool read = pk_file_read("/proc/kallsyms", text.max_bytes, &text, &err);
    pk_kallsyms *k = read ? parse(text.data, text.length) : NULL;
    size_t lines = 0, found = 0;
    pk_kernel_symbol symbol;
    for (const char *line = k ? text.data : NULL; line && *line; lines++) {
        char type = '\0';
        unsigned long long address = 0;
        if (sscanf(line, "%llx %c", &address, &type) == 2 && strchr("tTwW", type) && address)
            found += pk_kallsyms_find(k, address, &symbol);
        else found++;
        line = strchr(line, '\n');
        if (line) line++;
    }
    bool visible = k && !pk_kallsyms_restricted(k);
    pk_kallsyms_free(k);
    pk_strbuf_fini(&text);
    if (!visible) skip();
    assert_int_equal(found, lines);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_symbols),    cmocka_unit_test(piece_by_piece),
        cmocka_unit_test(hidden_addresses), cmocka_unit_test(another_boot),
        cmocka_unit_test(real_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

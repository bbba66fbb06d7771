/* The symbols of files whose functions lie at known places, and where their debug files are found.
 */
#include "tests/unit/symbol_objects.h"

#include <sys/stat.h>

#include "base/file.h"
#include "profile/symbols.h"

typedef struct fixture {
    char path[CHECK_PATH_MAX];
    pk_elf_image *image;
    pk_symbols *symbols;
} fixture;

static fixture load_path(const char *path, const pk_debug_folders *folders) {
    fixture f;
    pk_err err = {0};
    snprintf(f.path, sizeof f.path, "%s", path);
    f.image = pk_elf_image_open(path, &err);
    assert_ok(f.image != NULL, &err);
    f.symbols = pk_symbols_load(f.image, folders, &err);
    assert_ok(f.symbols != NULL, &err);
    return f;
}

static fixture load(const char *name) {
    char path[CHECK_PATH_MAX];
    return load_path(symbol_object(path, name), NULL);
}

static void end(fixture *f) {
    pk_symbols_free(f->symbols);
    pk_elf_image_free(f->image);
}

static const char *name_at(const fixture *f, uint64_t vaddr) {
    uint32_t i = pk_symbols_find(f->symbols, vaddr);
    if (i == PK_SYMBOL_NONE) return "-";
    const pk_symbol *symbol = pk_symbols_at(f->symbols, i);
    assert_true(symbol->begin <= vaddr && vaddr < symbol->end);
    return symbol->name;
}

static uint64_t pointed(const loaded *l, const char *pointer) {
    return (uint64_t)(uintptr_t) * (void *const *)loaded_place(l, pointer) - l->base;
}

/* Places that every table has. */
static void check_exported(const fixture *f, const loaded *l) {
    uint64_t sized = loaded_vaddr(l, "sized"), after = loaded_vaddr(l, "after");
    uint64_t by_hand = loaded_vaddr(l, "by_hand");
    /* "shown", "weak_shown" and "__shown" are one function. */
    assert_string_equal(name_at(f, loaded_vaddr(l, "weak_shown")), "shown");
    /* Without a size, up to the next one. */
    assert_string_equal(name_at(f, by_hand), "by_hand");
    assert_string_equal(name_at(f, by_hand + 3), "by_hand");
    assert_int_equal(by_hand + 4, sized);
    assert_string_equal(name_at(f, sized), "sized");
    /* A label in a function that has a size. */
    assert_string_equal(name_at(f, loaded_vaddr(l, "label_in_sized")), "sized");
    assert_string_equal(name_at(f, loaded_vaddr(l, "label_in_sized") + 1), "sized");
    /* Between the end of one and the next one. */
    assert_string_equal(name_at(f, sized + 4), "-");
    assert_string_equal(name_at(f, after - 1), "-");
    assert_string_equal(name_at(f, after), "after");
    assert_string_equal(name_at(f, after + 1), "-");
    assert_string_equal(name_at(f, loaded_vaddr(l, "at_inner")), "outer");
    assert_string_equal(name_at(f, 0), "-");
    assert_string_equal(name_at(f, UINT64_MAX), "-");
#ifdef __x86_64__
    const char *place = loaded_place(l, "to_getpid");
    int32_t distance;
    memcpy(&distance, place, sizeof distance);
    assert_string_equal(name_at(f, (uint64_t)(uintptr_t)(place + distance) - l->base),
                        "getpid@plt");
#endif
}

/* What only .symtab has. */
static void check_private(const fixture *f, const loaded *l) {
    assert_string_equal(name_at(f, pointed(l, "where_hidden")), "hidden");
    assert_string_equal(name_at(f, pointed(l, "where_chosen")), "one_choice");
}

static void check_whole(const fixture *f, const char *object, pk_symbols_source source) {
    loaded l = load_object(object);
    assert_int_equal(pk_symbols_from(f->symbols), source);
    check_exported(f, &l);
    check_private(f, &l);
    for (uint32_t i = 1; i < pk_symbols_count(f->symbols); i++)
        assert_true(pk_symbols_at(f->symbols, i - 1)->begin < pk_symbols_at(f->symbols, i)->begin);
    dlclose(l.handle);
}

static void own_table(void **state) {
    (void)state;
    static const char *const names[] = {"places.so", "bare.so", "apart.so"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        fixture f = load(names[i]);
        check_whole(&f, names[i], PK_SYMBOLS_OWN);
        end(&f);
    }
}

static void indirect_functions_count(void **state) {
    (void)state;
    fixture f = load("places.so");
    size_t found = 0;
    for (uint32_t i = 0; i < pk_symbols_count(f.symbols); i++)
        found += strcmp(pk_symbols_at(f.symbols, i)->name, "chosen") == 0;
    /* Its place holds the function that chooses: that may be static, or have its name as well. */
    assert_int_equal(found, 1);
    end(&f);
}

static void link_beside_the_file(void **state) {
    (void)state;
    fixture f = load("linked.so");
    check_whole(&f, "linked.so", PK_SYMBOLS_DEBUG_FILE);
    end(&f);
}

static void copy_file(const char *from, const char *to) {
    pk_err err = {0};
    pk_strbuf bytes;
    pk_strbuf_init(&bytes, 16 << 20);
    assert_ok(pk_file_read(from, bytes.max_bytes, &bytes, &err), &err);
    assert_ok(pk_file_replace(to, bytes.data, bytes.length, &err), &err);
    pk_strbuf_fini(&bytes);
}

static void copy_object(const char *name, const char *folder, const char *inside) {
    char from[CHECK_PATH_MAX], to[CHECK_PATH_MAX];
    pk_err err = {0};
    check_path(to, folder, inside);
    *strrchr(to, '/') = '\0';
    assert_ok(pk_folder_make(to, &err), &err);
    copy_file(symbol_object(from, name), check_path(to, folder, inside));
}

static void expect_source(const char *folder, const char *name, const pk_debug_folders *folders,
                          pk_symbols_source source) {
    char path[CHECK_PATH_MAX];
    fixture f = load_path(check_path(path, folder, name), folders);
    assert_int_equal(pk_symbols_from(f.symbols), source);
    end(&f);
}

/* .gnu_debuglink: beside the file, in .debug/ there, below a root; never without the right CRC. */
static void link_has_three_places(void **state) {
    (void)state;
    static const char *const places[] = {"bin/linked.so.debug", "bin/.debug/linked.so.debug", NULL};
    for (size_t i = 0; i < 3; i++) {
        char folder[CHECK_PATH_MAX], root[CHECK_PATH_MAX], inside[2 * CHECK_PATH_MAX];
        check_folder_begin(folder);
        const char *const roots[] = {check_path(root, folder, "root"), NULL};
        pk_debug_folders folders = {.roots = roots};
        copy_object("linked.so", folder, "bin/linked.so");
        expect_source(folder, "bin/linked.so", &folders, PK_SYMBOLS_DYNAMIC);
        snprintf(inside, sizeof inside, "root/%s/bin/linked.so.debug", folder);
        const char *place = places[i] ? places[i] : inside;
        /* Another build's: right name, wrong CRC. */
        copy_object("stripped.so.debug", folder, place);
        expect_source(folder, "bin/linked.so", &folders, PK_SYMBOLS_DYNAMIC);
        copy_object("linked.so.debug", folder, place);
        expect_source(folder, "bin/linked.so", &folders, PK_SYMBOLS_DEBUG_FILE);
        check_folder_end(folder);
    }
}

#define ID_FILE "23456789abcdef0123456789abcdef01234567"

static void build_id_below_a_root_or_in_the_cache(void **state) {
    (void)state;
    char folder[CHECK_PATH_MAX], root[CHECK_PATH_MAX], cache[CHECK_PATH_MAX], path[CHECK_PATH_MAX];
    check_folder_begin(folder);
    const char *const roots[] = {"/nowhere", check_path(root, folder, "root"), NULL};
    pk_debug_folders folders = {.roots = roots, .perf_cache = check_path(cache, folder, "cache")};
    copy_object("stripped.so", folder, "bin/stripped.so");
    expect_source(folder, "bin/stripped.so", &folders, PK_SYMBOLS_DYNAMIC);
    /* A file in the right place with another build-id is another file. */
    copy_object("linked.so.debug", folder, "root/.build-id/01/" ID_FILE ".debug");
    expect_source(folder, "bin/stripped.so", &folders, PK_SYMBOLS_DYNAMIC);
    copy_object("stripped.so.debug", folder, "cache/.build-id/01/" ID_FILE "/debug");
    expect_source(folder, "bin/stripped.so", &folders, PK_SYMBOLS_DEBUG_FILE);
    copy_object("stripped.so", folder, "cache/.build-id/01/" ID_FILE "/debug");
    expect_source(folder, "bin/stripped.so", &folders, PK_SYMBOLS_DYNAMIC);
    copy_object("stripped.so.debug", folder, "cache/.build-id/01/" ID_FILE "/elf");
    expect_source(folder, "bin/stripped.so", &folders, PK_SYMBOLS_DEBUG_FILE);
    copy_object("stripped.so.debug", folder, "root/.build-id/01/" ID_FILE ".debug");
    folders.perf_cache = NULL;
    fixture f = load_path(check_path(path, folder, "bin/stripped.so"), &folders);
    check_whole(&f, "stripped.so", PK_SYMBOLS_DEBUG_FILE);
    end(&f);
    check_folder_end(folder);
}

static void stripped_files_have_what_they_offer(void **state) {
    (void)state;
    fixture f = load("stripped.so");
    loaded l = load_object("stripped.so");
    assert_int_equal(pk_symbols_from(f.symbols), PK_SYMBOLS_DYNAMIC);
    check_exported(&f, &l);
    assert_string_not_equal(name_at(&f, pointed(&l, "where_hidden")), "hidden");
    dlclose(l.handle);
    end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_table),
        cmocka_unit_test(indirect_functions_count),
        cmocka_unit_test(link_beside_the_file),
        cmocka_unit_test(link_has_three_places),
        cmocka_unit_test(build_id_below_a_root_or_in_the_cache),
        cmocka_unit_test(stripped_files_have_what_they_offer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Readable names. The mangled ones are what g++ 12 and rustc made of such functions. */
#include "tests/unit/check.h"

#include "profile/demangle.h"

static void expect(const char *symbol, const char *readable) {
    pk_strbuf out;
    pk_strbuf_init(&out, 2 * PK_DEMANGLED_MAX);
    pk_demangle(symbol, &out);
    assert_true(pk_strbuf_ok(&out));
    assert_string_equal(out.data, readable);
    pk_strbuf_fini(&out);
}

static void other_names_stay(void **state) {
    (void)state;
    static const char *const names[] = {
        "main",  "_start", "",     "_Z",   "_R",     "_Rinse",  "_Zebra",
        "a@plt", "@plt",   "x::y", "_ZN4", ".llvm.", "a.llvm.", "memcpy@@GLIBC_2.14"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) expect(names[i], names[i]);
    /* A clone's ending says something, LLVM's does not. */
    expect("spin.constprop.0", "spin.constprop.0");
    expect("spin.cold", "spin.cold");
    expect("spin.llvm.1234567890", "spin");
}

static void names_of_cplusplus(void **state) {
    (void)state;
    if (!pk_can_demangle()) skip();
    expect("_ZN5house4room4openIiEET_S2_", "house::room::open<int>");
    expect("_ZNSt6vectorIiSaIiEE9push_backERKi",
           "std::vector<int, std::allocator<int> >::push_back");
    expect("_ZNKSt8functionIFviiEEclEii", "std::function<void (int, int)>::operator()");
    expect("_ZN12_GLOBAL__N_14spinEv", "(anonymous namespace)::spin");
    expect("_Znwm@plt", "operator new@plt");
    expect("_ZNSolsEi@@GLIBCXX_3.4", "std::ostream::operator<<@@GLIBCXX_3.4");
    expect("_Z4spini.cold", "spin [clone .cold]");
    expect("_Z4spini.constprop.0", "spin [clone .constprop.0]");
    expect("_Z4spini.isra.0.cold", "spin [clone .isra.0] [clone .cold]");
    expect("_Z4spini.llvm.42", "spin");
}

static void names_of_rust(void **state) {
    (void)state;
    if (!pk_can_demangle()) skip();
    expect("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "core::fmt::Formatter::pad");
    expect(
        "_ZN60_$LT$alloc..string..String$u20$as$u20$core..fmt..Display$GT$3fmt17h0123456789abcdefE",
        "<alloc::string::String as core::fmt::Display>::fmt");
    expect("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE.llvm.9876", "core::fmt::Formatter::pad");
    expect("_RNvC6_123foo3bar", "123foo::bar");
    expect("_RNvNtCs1234_7mycrate3foo3bar", "mycrate::foo::bar");
}

/* f<a, b<a, a>, b<b<a, a>, b<a, a> > ...>: 30 types, each twice as long as the one before it, in a
 * name of some hundred bytes that stands for gigabytes. */
static void a_small_bomb_is_cut(void **state) {
    (void)state;
    if (!pk_can_demangle()) skip();
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    pk_strbuf bomb, out;
    pk_strbuf_init(&bomb, 4096);
    pk_strbuf_init(&out, 2 * PK_DEMANGLED_MAX);
    pk_strbuf_add_str(&bomb, "_Z1fI1a1bIS0_S0_E");
    for (int i = 2; i < 31; i++) pk_strbuf_addf(&bomb, "S1_IS%c_S%c_E", digits[i], digits[i]);
    pk_strbuf_add_str(&bomb, "Evv");
    pk_demangle(bomb.data, &out);
    assert_int_equal(out.length, PK_DEMANGLED_MAX);
    assert_memory_equal(out.data, "f<a, b<a, a>, b<b<a, a>, b<a, a> >, ", 36);
    assert_string_equal(out.data + PK_DEMANGLED_MAX - 3, "...");
    pk_strbuf_fini(&bomb);
    pk_strbuf_fini(&out);
}

static void long_names_are_cut(void **state) {
    (void)state;
    static char name[3 * PK_DEMANGLED_MAX];
    memset(name, 'x', sizeof name - 1);
    pk_strbuf out;
    pk_strbuf_init(&out, 2 * PK_DEMANGLED_MAX);
    pk_demangle(name, &out);
    assert_int_equal(out.length, PK_DEMANGLED_MAX);
    assert_string_equal(out.data + PK_DEMANGLED_MAX - 4, "x...");
    pk_strbuf_fini(&out);
}

static void each_symbol_once(void **state) {
    (void)state;
    pk_names *names = pk_names_new(1 << 20);
    pk_demangler *d = pk_demangler_new(names, 1 << 20);
    assert_non_null(d);
    uint32_t spin = pk_demangler_name(d, "spin"), other = pk_demangler_name(d, "other");
    assert_true(spin != PK_NAME_NONE && other != PK_NAME_NONE && spin != other);
    assert_int_equal(pk_demangler_name(d, "spin"), spin);
    /* Two symbols may be the same function to a reader. */
    assert_int_equal(pk_demangler_name(d, "spin.llvm.7"), spin);
    assert_string_equal(pk_names_text(names, spin, NULL), "spin");
    assert_int_equal(pk_names_count(names), 2);
    pk_demangler_free(d);
    pk_demangler_free(NULL);
    pk_names_free(names);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_names_stay),   cmocka_unit_test(names_of_cplusplus),
        cmocka_unit_test(names_of_rust),      cmocka_unit_test(a_small_bomb_is_cut),
        cmocka_unit_test(long_names_are_cut), cmocka_unit_test(each_symbol_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

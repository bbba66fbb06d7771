/* Names of frames. What stands in `as_inferno` was put through inferno-collapse-perf 0.12.8, which
 * gave the same; where we mean to differ stands in tests of its own. */
#include "tests/unit/check.h"

#include "profile/tidy.h"

static pk_piece piece(const char *text) {
    return (pk_piece){text, strlen(text)};
}

/* The names that come out, with '|' between. */
static char *tidied(const pk_symbolise_options *options, const char *name, const char *module,
                    bool java, bool *skip) {
    pk_strbuf out;
    pk_strbuf_init(&out, 1 << 20);
    pk_tidy_symbol symbol = {piece(name), piece(module), piece("7f12"), java};
    size_t n = pk_tidy(options, &symbol, &out, skip), bytes = 0;
    assert_true(pk_strbuf_ok(&out));
    char *text = pk_strbuf_detach(&out, &bytes);
    if (!text) text = strdup("");
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] != '\0') continue;
        n--;
        if (i + 1 < bytes) text[i] = '|';
    }
    assert_int_equal(n, 0); /* as many as it said */
    return text;
}

static void expect(const pk_symbolise_options *options, const char *name, const char *module,
                   bool java, const char *expected) {
    bool skip;
    char *text = tidied(options, name, module, java, &skip);
    assert_string_equal(text, expected);
    assert_false(skip);
    free(text);
}

static const pk_symbolise_options usual = {0};

// clang-format off
static const struct { const char *name, *expected; } as_inferno[] = {
    {"main", "main"},
    {"memcpy@plt", "memcpy@plt"},
    {"clock_gettime@@GLIBC_2.17", "clock_gettime@@GLIBC_2.17"},
    {"spin.constprop.0", "spin.constprop.0"},
    {"a;b;c", "a:b:c"},
    {"operator new(unsigned long)", "operator new"},
    {"house::room::open<int>(int)", "house::room::open<int>"},
    {"void house::fill<int, 3>(int (&) [3])", "void house::fill<int, 3>"},
    {"std::function<void (int, int)>::operator()(int, int) const", "std::function<void (int, int)>::operator"},
    {"std::function<int (int)>::operator()", "std::function<int (int)>::operator"},
    {"work(int)::{lambda(int)#1}::operator()", "work"},
    {"{lambda(char)#2}::operator()(char) const", "{lambda(char)#2}::operator"},
    {"std::_Function_handler<int (int), work(int)::{lambda(int)#1}>::_M_invoke(std::_Any_data const&, int&&)",
     "std::_Function_handler<int (int), work(int)::{lambda(int)#1}>::_M_invoke"},
    {"house::(anonymous namespace)::enter(int)", "house::(anonymous namespace)::enter"},
    {"non-virtual thunk to house::room::~room()", "non-virtual thunk to house::room::~room"},
    {"std::ostream::operator<<(int)", "std::ostream::operator<<(int)"},
    {"house::operator<(house::room const&)", "house::operator<(house::room const&)"},
    {"house::operator>(house::room const&)", "house::operator>(house::room const&)"},
    {"house::table<(char)40>::at(int)", "house::table<(char)40>::at"},
    {"[(x)]::y(int)", "[(x)]::y"},
    {"a) (b", "a) (b"},
    {"<u64 as core::fmt::Display>::fmt", "<u64 as core::fmt::Display>::fmt"},
    {"core::ops::function::FnOnce::call_once{{vtable.shim}}", "core::ops::function::FnOnce::call_once{{vtable.shim}}"},
    {"core::ptr::drop_in_place<(alloc::string::String, u64)>", "core::ptr::drop_in_place<(alloc::string::String, u64)>"},
    {"house::run::_$u7b$$u7b$closure$u7d$$u7d$::h0123456789abcdef", "house::run::_{{closure}}"},
    {"_$LT$house..room$u20$as$u20$house..Open$GT$::open::h0123456789ABCDEF", "<house::room as house::Open>::open"},
    {"_$LT$$RF$$u5b$u8$u5d$$C$$BP$T$SP$$LP$$RP$$u27$a$u3d$$u3b$$u2b$$u21$$u22$$u7e$.x$GT$h0123456789abcdef",
     "<&[u8],*T@()'a=:+!\"~.x>"},
    {"house::a$odd$b..c::h0123456789abcdef", "house::a$odd$b..c"},
    {"h0123456789abcdef", ""},
    {"xh0123456789abcdef", "x"},
    {"xh0123456789abcdeg", "xh0123456789abcdeg"},
    {"net/http.(*conn).serve", "net/http.(*conn).serve"},
    {"main.(*T).f(int)", "main.(*T).f"},
    {"runtime.goexit.func1", "runtime.goexit.func1"},
    {"main.f[go.shape.int](...)", "main.f[go.shape.int]"},
    {"Ljava/io/PrintStream;::print", "Ljava/io/PrintStream:::print"},
    {"Lorg/x/Y;.call(Lorg/x/Z;)V", "Lorg/x/Y:.call"},
    {"Interpreter", "Interpreter"},
    {"La/B;::a->Lc/D;::b", "La/B:::a|Lc/D:::b_[i]"},
    {"a->b->c(int)", "a|b_[i]|c_[i]"},
    {"a->b_[i]", "a|b_[i]"},
    {"a->", "a|_[i]"},
    {"->b", "|b_[i]"},
    {"LazyCompile:*f /home/x/a b.js:12:3", "LazyCompile:*f /home/x/a b.js:12:3"},
    {"asm_sysvec_apic_timer_interrupt", "asm_sysvec_apic_timer_interrupt"},
    {"bpf_prog_6deef7357e7b4530_sd_fw_ingress", "bpf_prog_6deef7357e7b4530_sd_fw_ingress"},
    {"(main)", NULL},
    {"(", NULL},
    {"wörk(größe)", "wörk"},
    {"(anon", NULL},
    {"a b", "a b"},
};
// clang-format on

static void names_as_inferno_makes_them(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof as_inferno / sizeof *as_inferno; i++) {
        const char *expected = as_inferno[i].expected;
        expect(&usual, as_inferno[i].name, "/bin/x", false, expected ? expected : "");
    }
}

static void of_java_the_letter_goes(void **state) {
    (void)state;
    expect(&usual, "Ljava/io/PrintStream;::print", "/tmp/perf-1.map", true,
           "java/io/PrintStream:::print");
    expect(&usual, "La/B;::a->Lc/D;::b", "/tmp/perf-1.map", true, "a/B:::a|c/D:::b_[i]");
    expect(&usual, "Lookup", "/lib/libjvm.so", true, "Lookup");
    /* What is cut off has no say. */
    expect(&usual, "Lookup(La/B;)", "/lib/libjvm.so", true, "Lookup");
    assert_true(pk_tidy_is_java(piece("java")));
    assert_true(pk_tidy_is_java(piece("java_x")));
    assert_false(pk_tidy_is_java(piece("Java")));
    assert_false(pk_tidy_is_java(piece("jav")));
}

/* inferno drops the first, and makes two frames of each of the others. */
static void names_that_inferno_mistakes(void **state) {
    (void)state;
    expect(&usual, "(anonymous namespace)::spin(int)", "/bin/x", false,
           "(anonymous namespace)::spin");
    expect(&usual, "house::key::operator->", "/bin/x", false, "house::key::operator->");
    expect(&usual, "house::key::operator->*", "/bin/x", false, "house::key::operator->*");
    expect(&usual, "<fn() -> u64 as core::ops::Fn>::call", "/bin/x", false,
           "<fn() -> u64 as core::ops::Fn>::call");
    expect(&usual, "f<decltype (({parm#1})->x)>", "/bin/x", false, "f<decltype (({parm#1})->x)>");
}

static void unknown_functions(void **state) {
    (void)state;
    pk_symbolise_options addresses = {.addresses = true};
    expect(&usual, "[unknown]", "[unknown]", false, "[unknown]");
    expect(&usual, "[unknown]", "/lib/x86_64-linux-gnu/libc.so.6", false, "[libc.so.6]");
    expect(&usual, "[unknown]", "[vdso]", false, "[[vdso]]");
    expect(&usual, "[unknown]", "[kernel.kallsyms]", false, "[[kernel.kallsyms]]");
    expect(&usual, "[unknown]", "/tmp/perf-12.map", false, "[perf-12.map]");
    expect(&usual, "[unknown]", "/tmp/a.out (deleted)", false, "[a.out (deleted)]");
    expect(&addresses, "[unknown]", "[unknown]", false, "[unknown <7f12>]");
    expect(&addresses, "[unknown]", "/lib/libc.so.6", false, "[libc.so.6 <7f12>]");
    expect(&addresses, "main", "/bin/x", false, "main");
}

static void annotations(void **state) {
    (void)state;
    pk_symbolise_options kernel = {.annotate_kernel = true}, jit = {.annotate_jit = true};
    expect(&kernel, "schedule", "[kernel.kallsyms]", false, "schedule_[k]");
    expect(&kernel, "schedule", "[nf_conntrack]", false, "schedule_[k]");
    expect(&kernel, "schedule", "/lib/modules/6.1/nf.ko", false, "schedule_[k]");
    expect(&kernel, "schedule", "/boot/vmlinux-6.1.0-18", false, "schedule_[k]");
    expect(&kernel, "clock_gettime", "[vdso]", false, "clock_gettime_[k]");
    expect(&kernel, "[unknown]", "[vdso]", false, "[[vdso]]_[k]");
    expect(&kernel, "[unknown]", "[unknown]", false, "[unknown]");
    expect(&kernel, "main", "/bin/vmlinux/x", false, "main");
    expect(&kernel, "a->b", "[kernel.kallsyms]", false, "a_[k]|b_[i]");
    expect(&usual, "schedule", "[kernel.kallsyms]", false, "schedule");
    expect(&jit, "f", "/tmp/perf-12.map", false, "f_[j]");
    expect(&jit, "f_[j]", "/tmp/perf-12.map", false, "f_[j]");
    expect(&jit, "f", "/root/.debug/jit/x/jitted-12-3.so", false, "f_[j]");
    expect(&jit, "f", "/tmp/perf-12.mapx", false, "f");
    expect(&jit, "f", "/lib/jitted.so", false, "f");
    expect(&usual, "f", "/tmp/perf-12.map", false, "f");
}

static void raw_names_stay(void **state) {
    (void)state;
    pk_symbolise_options raw = {.raw = true, .annotate_kernel = true};
    expect(&raw, "a;b(int)", "/bin/x", false, "a;b(int)");
    expect(&raw, "La/B;::a->Lc/D;::b", "/bin/x", true, "La/B;::a->Lc/D;::b");
    expect(&raw, "a::h0123456789abcdef", "/bin/x", false, "a::h0123456789abcdef");
    expect(&raw, "[unknown]", "/bin/x", false, "[x]");
    expect(&raw, "schedule", "[kernel.kallsyms]", false, "schedule_[k]");
}

static void callers_that_are_not_wanted(void **state) {
    (void)state;
    const char *items[] = {"f(int)", "g"};
    pk_symbolise_options options = {.skip_after = {items, 2}};
    static const struct {
        const char *name;
        bool skip;
    } cases[] = {{"f(int)", true},  {"f", false}, {"g", true},
                 {"g(int)", false}, {"", false},  {"g::h0123456789abcdef", true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool skip;
        free(tidied(&options, cases[i].name, "/bin/x", false, &skip));
        assert_int_equal(skip, cases[i].skip);
    }
}

static void expect_utf8(const char *bytes, size_t n, const char *expected) {
    pk_strbuf out;
    pk_strbuf_init(&out, 1000);
    pk_tidy_utf8((pk_piece){bytes, n}, &out);
    assert_string_equal(out.data, expected);
    pk_strbuf_fini(&out);
}

#define MARK "\xef\xbf\xbd"

/* The Unicode standard's own examples (chapter 3.9, tables 3-8 to 3-11). */
static void ill_formed_text_is_marked(void **state) {
    (void)state;
    expect_utf8("plain", 5, "plain");
    expect_utf8("wörk", 5, "wörk");
    expect_utf8("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", 9,
                MARK MARK MARK MARK MARK MARK MARK MARK "A");
    expect_utf8("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41", 9,
                MARK MARK MARK MARK MARK MARK MARK MARK "A");
    expect_utf8("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", 9,
                MARK MARK MARK MARK MARK "A" MARK MARK "B");
    expect_utf8("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", 9, MARK MARK MARK MARK "A");
    expect_utf8("a\0b", 3, "a" MARK "b");
    expect_utf8("a\xe6\x97", 3, "a" MARK); /* a name that the kernel cut */
    expect_utf8("", 0, "");
}

static void names_of_threads(void **state) {
    (void)state;
    pk_strbuf out;
    pk_strbuf_init(&out, 1000);
    pk_tidy_comm(piece("pool 1  thread"), &out);
    assert_string_equal(out.data, "pool_1__thread");
    pk_strbuf_fini(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_as_inferno_makes_them),
        cmocka_unit_test(of_java_the_letter_goes),
        cmocka_unit_test(names_that_inferno_mistakes),
        cmocka_unit_test(unknown_functions),
        cmocka_unit_test(annotations),
        cmocka_unit_test(raw_names_stay),
        cmocka_unit_test(callers_that_are_not_wanted),
        cmocka_unit_test(ill_formed_text_is_marked),
        cmocka_unit_test(names_of_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

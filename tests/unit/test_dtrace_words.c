/* dtrace's words: what is understood comes out in parts, what is not is refused with a line. */
#include "check.h"

#include "alloc/dtrace_words.h"

static pk_dtrace_program parsed(pk_arena *arena, const char *text) {
    pk_dtrace_program program;
    pk_err err = {0};
    assert_ok(pk_dtrace_parse(text, arena, &program, &err), &err);
    return program;
}

static void programs_come_apart(void **state) {
    (void)state;
    pk_arena *arena = pk_arena_new(1 << 20);
    pk_dtrace_program p = parsed(arena, "pid$target::malloc:entry { @[ustack()] = count(); }");
    assert_string_equal(p.module, "");
    assert_string_equal(p.function, "malloc");
    assert_string_equal(p.description, "pid$target::malloc:entry ");
    assert_int_equal(p.pid, 0);
    assert_int_equal(p.frames, 0);
    assert_int_equal(p.aggregation, PK_ALLOC_COUNT);

    p = parsed(arena, "\n pid1234:libc.so.6:valloc:entry\t{@sizes [ ustack ( 7 ) ]=sum(arg0)}\n");
    assert_string_equal(p.module, "libc.so.6");
    assert_string_equal(p.function, "valloc");
    assert_int_equal(p.pid, 1234);
    assert_int_equal(p.frames, 7);
    assert_int_equal(p.aggregation, PK_ALLOC_SUM);

    p = parsed(arena, "pid$target:a.out:_Znwm:entry{@=quantize(arg0);}");
    assert_string_equal(p.module, "a.out");
    assert_string_equal(p.function, "_Znwm");
    assert_string_equal(p.description, "pid$target:a.out:_Znwm:entry");
    assert_int_equal(p.aggregation, PK_ALLOC_QUANTIZE);
    pk_arena_free(arena);
}

static void others_are_refused(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        "pid",
        "pid$target",
        "pid$target:",
        "pid$target::",
        "pid$target::malloc",
        "pid$target::malloc:",
        "pid$target::malloc:return { @[ustack()] = count(); }",
        "pid$target::malloc:entry",
        "pid$target::malloc:entry { @[ustack()] = count(); } x",
        "pid$target::malloc:entry { @[ustack(0)] = count(); }",
        "pid$target::malloc:entry { @[ustack()] = max(arg0); }",
        "pid$target::malloc:entry { @[ustack()] = sum(arg1); }",
        "pid$target::malloc:entry { @ = count(); }",
        "pid$target::*alloc:entry { @[ustack()] = count(); }",
        "pid99999999999::malloc:entry { @[ustack()] = count(); }",
    };
    pk_arena *arena = pk_arena_new(1 << 20);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        pk_dtrace_program program;
        pk_err err = {0};
        /* in a block of its own, so that reading behind its end is seen */
        char *text = strdup(texts[i]);
        assert_false(pk_dtrace_parse(text, arena, &program, &err));
        assert_int_equal(err.kind, PK_E_USAGE);
        assert_non_null(strstr(err.fix, "@[ustack()] = count()"));
        free(text);
    }
    pk_arena_free(arena);
}

static void options_have_their_meaning(void **state) {
    (void)state;
    static const char *const good[] = {"ustackframes=5", "stackindent=2", "aggsortrev",
                                       "aggsortkey",     "quiet",         "bufsize=4m",
                                       "strsize=256"};
    static const char *const bad[] = {"",
                                      "=",
                                      "ustackframes",
                                      "ustackframes=0",
                                      "ustackframes=513",
                                      "stackindent=x",
                                      "destructive",
                                      "aggsortre"};
    pk_dtrace_tuning tuning = {0};
    pk_err err = {0};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_ok(pk_dtrace_tune(good[i], &tuning, &err), &err);
    assert_int_equal(tuning.frames, 5);
    assert_int_equal(tuning.indent, 2);
    assert_true(tuning.reversed && tuning.by_key && tuning.quiet);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(pk_dtrace_tune(bad[i], &tuning, &err));
        assert_int_equal(err.kind, PK_E_USAGE);
    }
    assert_int_equal(tuning.frames, 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_come_apart),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(options_have_their_meaning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

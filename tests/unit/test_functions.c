/* Figures per function, and the tables and JSON made of them. */
#include "profile_sample.h"

#include "check_golden.h"
#include "profile/functions.h"
#include "profile/top.h"

static const pk_function *find(const pk_profile *p, const pk_array *functions, const char *name) {
    for (size_t i = 0; i < functions->count; i++) {
        const pk_function *f = &PK_AT(functions, pk_function, i);
        const char *text = f->name == PK_NAME_NONE ? "" : pk_names_text(p->names, f->name, NULL);
        if (strcmp(text, name) == 0) return f;
    }
    fail_msg("no function \"%s\"", name);
    return NULL;
}

static void assert_figures(const pk_profile *p, const pk_array *functions, const char *name,
                           uint64_t self, uint64_t total) {
    const pk_function *f = find(p, functions, name);
    if (!f) return;
    assert_int_equal(f->self[0], self);
    assert_int_equal(f->total[0], total);
}

static void a_stack_counts_once_for_a_function(void **state) {
    (void)state;
    pk_profile p = profile_of("main;f;g;f 5\nmain;f;f 2\nmain;g 1\nmain;f;g;h;f;g 4\nf 8\n");
    pk_array functions = PK_ARRAY(pk_function, 1);
    pk_err err = {0};
    assert_ok(pk_functions(&p.tree, &functions, &err), &err);
    assert_int_equal(functions.count, 4);
    assert_figures(&p, &functions, "main", 0, 12);
    assert_figures(&p, &functions, "f", 15, 19);
    assert_figures(&p, &functions, "g", 5, 10);
    assert_figures(&p, &functions, "h", 0, 4);
    pk_array_fini(&functions);
    pk_profile_fini(&p);
}

static void heavier_functions_come_first(void **state) {
    (void)state;
    pk_profile p = profile_of("m;b 3\nm;a 3\nm;c 1\nm;c;d 9\n");
    pk_array functions = PK_ARRAY(pk_function, 1);
    pk_err err = {0};
    static const char *const by_self[] = {"d", "a", "b", "c", "m"};
    static const char *const by_total[] = {"m", "c", "d", "a", "b"};
    assert_ok(pk_functions(&p.tree, &functions, &err), &err);
    pk_functions_sort(&functions, p.names, PK_BY_SELF, 0);
    for (size_t i = 0; i < 5; i++)
        assert_ptr_equal(find(&p, &functions, by_self[i]), &PK_AT(&functions, pk_function, i));
    pk_functions_sort(&functions, p.names, PK_BY_TOTAL, 0);
    for (size_t i = 0; i < 5; i++)
        assert_ptr_equal(find(&p, &functions, by_total[i]), &PK_AT(&functions, pk_function, i));
    pk_array_fini(&functions);
    pk_profile_fini(&p);
}

typedef struct neighbours {
    bool *chosen;
    size_t n;
    pk_array callers, callees;
    pk_function of;
} neighbours;

static neighbours look(const pk_profile *p, const char *function) {
    neighbours s = {.callers = PK_ARRAY(pk_function, 1), .callees = PK_ARRAY(pk_function, 1)};
    pk_err err = {0};
    assert_ok(pk_functions_named(p->names, function, &s.chosen, &s.n, &err), &err);
    assert_ok(pk_functions_around(&p->tree, s.chosen, &s.callers, &s.callees, &s.of, &err), &err);
    return s;
}

static void end(neighbours *s) {
    free(s->chosen);
    pk_array_fini(&s->callers);
    pk_array_fini(&s->callees);
}

/* Whoever called the outermost f, whatever the innermost one called. */
static void callers_and_callees_add_up_to_the_total(void **state) {
    (void)state;
    pk_profile p = profile_of("m;f;a 1\nm;x;f;f 2\nm;f;y;f;b 4\nf;a 8\nm;f;y 16\nm;z 32\n");
    neighbours s = look(&p, "f");
    assert_int_equal(s.n, 1);
    assert_int_equal(s.of.total[0], 31);
    assert_int_equal(s.of.self[0], 2);
    assert_int_equal(s.callers.count, 3);
    assert_figures(&p, &s.callers, "m", 0, 21);
    assert_figures(&p, &s.callers, "x", 0, 2);
    assert_figures(&p, &s.callers, "", 0, 8);
    assert_int_equal(s.callees.count, 4);
    assert_figures(&p, &s.callees, "y", 0, 16);
    assert_figures(&p, &s.callees, "a", 0, 9);
    assert_figures(&p, &s.callees, "b", 0, 4);
    assert_figures(&p, &s.callees, "", 0, 2);
    assert_int_equal(PK_AT(&s.callees, pk_function, 0).total[0], 16);
    end(&s);
    pk_profile_fini(&p);
}

static void a_name_is_meant_whole_before_in_part(void **state) {
    (void)state;
    pk_profile p = profile_of("m;read 1\nm;pread;read_all 2\nm;pread 4\n");
    neighbours s = look(&p, "read");
    assert_int_equal(s.n, 1);
    assert_int_equal(s.of.total[0], 1);
    end(&s);
    s = look(&p, "rea");
    assert_int_equal(s.n, 3);
    assert_int_equal(s.of.total[0], 7);
    assert_figures(&p, &s.callers, "m", 0, 7);
    end(&s);
    pk_err err = {0};
    assert_fails(pk_functions_named(p.names, "write", &s.chosen, &s.n, &err), &err, PK_E_INPUT);
    pk_profile_fini(&p);
}

/* ---- tables ---- */

typedef bool printer(FILE *out, const pk_profile *p, const pk_top_options *options, pk_err *err);

static char *printed(printer *print, const pk_profile *p, const pk_top_options *options) {
    char *text;
    size_t bytes;
    pk_err err = {0};
    FILE *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    assert_ok(print(out, p, options, &err), &err);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void assert_printed(printer *print, const pk_profile *p, const pk_top_options *options,
                           const char *expected) {
    char *text = printed(print, p, options);
    assert_string_equal(text, expected);
    free(text);
}

static void times_are_in_ms_and_percent(void **state) {
    (void)state;
    pk_profile p = profile_recorded();
    pk_top_options options = {.rows = 3, .order = PK_BY_SELF};
    assert_printed(pk_top_functions, &p, &options,
                   "self ms           total ms            function\n"
                   "   3.00  75.00 %      3.00   75.00 %  hot\n"
                   "   1.00  25.00 %      1.00   25.00 %  [kernel]\n"
                   "   0.00   0.00 %      4.00  100.00 %  burner\n"
                   "and 3 more functions\n");
    options = (pk_top_options){.rows = 2, .order = PK_BY_TOTAL};
    assert_printed(pk_top_functions, &p, &options,
                   "self ms           total ms            function\n"
                   "   0.00   0.00 %      4.00  100.00 %  burner\n"
                   "   3.00  75.00 %      3.00   75.00 %  hot\n"
                   "and 4 more functions\n");
    pk_profile_fini(&p);
}

static void counts_are_whole_and_names_are_escaped_and_cut(void **state) {
    (void)state;
    pk_profile p = profile_of("m;\x1b[31mred;an_unusually_long_name_of_a_function 3\nm 1\n");
    pk_top_options options = {.order = PK_BY_SELF, .width = 64};
    assert_printed(pk_top_functions, &p, &options,
                   "self           total            function\n"
                   "   3  75.00 %      3   75.00 %  an_unusually_long_..\n"
                   "   1  25.00 %      4  100.00 %  m\n"
                   "   0   0.00 %      3   75.00 %  \\x1b[31mred\n");
    pk_profile_fini(&p);
    p = profile_of("");
    assert_printed(pk_top_functions, &p, &options, "");
    pk_profile_fini(&p);
}

static bool around_main(FILE *out, const pk_profile *p, const pk_top_options *options,
                        pk_err *err) {
    return pk_top_around(out, p, "main", true, true, options, err);
}

static bool callers_of_hot(FILE *out, const pk_profile *p, const pk_top_options *options,
                           pk_err *err) {
    return pk_top_around(out, p, "ho", true, false, options, err);
}

static void the_middle_stands_between_callers_and_callees(void **state) {
    (void)state;
    pk_profile p = profile_recorded();
    pk_top_options options = {0};
    assert_printed(around_main, &p, &options,
                   "weight ms     of it   of all        function\n"
                   "     3.00  100.00 %  75.00 %  from  burner\n"
                   "     3.00  100.00 %  75.00 %        main\n"
                   "     2.00   66.67 %  50.00 %  to    hot\n"
                   "     1.00   33.33 %  25.00 %  to    cold\n");
    options.rows = 1;
    assert_printed(callers_of_hot, &p, &options,
                   "weight ms     of it   of all        function\n"
                   "     2.00   66.67 %  50.00 %  from  main\n"
                   "                              from  1 more\n"
                   "     3.00  100.00 %  75.00 %        ho\n");
    pk_err err = {0};
    assert_fails(pk_top_around(stderr, &p, "none", true, true, &options, &err), &err, PK_E_INPUT);
    pk_profile_fini(&p);
}

static void modules_say_what_they_lack(void **state) {
    (void)state;
    pk_profile p = profile_recorded();
    pk_top_options options = {0};
    assert_printed(pk_top_modules, &p, &options,
                   "frames  without name  lost  symbols  debug  CFI  module\n"
                   "     8        0.00 %     0  yes      no     yes  /usr/bin/burner\n"
                   "     2       50.00 %     0  -        -      -    /lib/libgone.so (cannot be "
                   "opened)\n");
    p.stacks_copied = false;
    options.rows = 1;
    assert_printed(pk_top_modules, &p, &options,
                   "frames  without name  lost  symbols  debug  CFI  module\n"
                   "     8        0.00 %     -  yes      no     yes  /usr/bin/burner\n"
                   "and 1 more module\n");
    pk_profile_fini(&p);
}

static bool json(FILE *out, const pk_profile *p, const pk_top_options *options, pk_err *err) {
    pk_json *document = pk_top_json(p, options, "main", err);
    bool ok = document && pk_json_write(out, document, err);
    pk_json_free(document);
    return ok;
}

static void the_document_has_all_figures(void **state) {
    (void)state;
    pk_profile p = profile_recorded();
    pk_top_options options = {.order = PK_BY_SELF};
    assert_golden("flame.json", printed(json, &p, &options));
    pk_profile_fini(&p);
    /* What folded text does not say is null, not 0. */
    p = profile_of("main;a 1\n");
    assert_golden("flame_folded.json", printed(json, &p, &options));
    pk_profile_fini(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stack_counts_once_for_a_function),
        cmocka_unit_test(heavier_functions_come_first),
        cmocka_unit_test(callers_and_callees_add_up_to_the_total),
        cmocka_unit_test(a_name_is_meant_whole_before_in_part),
        cmocka_unit_test(times_are_in_ms_and_percent),
        cmocka_unit_test(counts_are_whole_and_names_are_escaped_and_cut),
        cmocka_unit_test(the_middle_stands_between_callers_and_callees),
        cmocka_unit_test(modules_say_what_they_lack),
        cmocka_unit_test(the_document_has_all_figures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "check.h"

#include <errno.h>

#include "load/load.h"

static const int errnos[] = {0,         ECONNREFUSED, ECONNRESET, ECONNABORTED, EPIPE,
                             ETIMEDOUT, EHOSTUNREACH, ENETDOWN,   ENETUNREACH,  EADDRNOTAVAIL,
                             EMFILE,    ENFILE,       ENOBUFS,    ENOMEM};

static void every_class_has_a_name_of_its_own(void **state) {
    (void)state;
    for (int a = 0; a < PK_LOAD_E_CLASSES; a++) {
        assert_non_null(pk_load_error_name((pk_load_error_class)a));
        assert_true(pk_load_error_name((pk_load_error_class)a)[0]);
        for (int b = 0; b < a; b++)
            assert_string_not_equal(pk_load_error_name((pk_load_error_class)a),
                                    pk_load_error_name((pk_load_error_class)b));
    }
}

/* The texts are the keys of a JSON object: two causes must never share one. Classes whose text is
 * the system's only ever come with their own errors (connect never with EMFILE: that is files). */
static void every_cause_has_a_text_of_its_own(void **state) {
    (void)state;
    char texts[PK_LOAD_E_CLASSES * 16][128];
    size_t n = 0;
    for (int c = 1; c < PK_LOAD_E_CLASSES; c++) {
        for (size_t e = 0; e < sizeof errnos / sizeof errnos[0]; e++) {
            bool files = errnos[e] == EMFILE || errnos[e] == ENFILE;
            bool ports = errnos[e] == EADDRNOTAVAIL;
            if (c == PK_LOAD_E_CONNECT && (files || ports)) continue;
            if (c == PK_LOAD_E_FILES && errnos[e] && !files) continue;
            if (c == PK_LOAD_E_PORTS && errnos[e] && !ports) continue;
            pk_load_error_text(texts[n], sizeof texts[n], (pk_load_error_class)c, errnos[e]);
            assert_true(texts[n][0]);
            for (size_t i = 0; i < n; i++) assert_string_not_equal(texts[n], texts[i]);
            n++;
        }
    }
    assert_true(n > 100);
}

static void assert_text(pk_load_error_class class_, int sys_errno, const char *expected) {
    char text[128];
    assert_ptr_equal(pk_load_error_text(text, sizeof text, class_, sys_errno), text);
    assert_string_equal(text, expected);
}

static void texts_that_scripts_match_are_ohas(void **state) {
    (void)state;
    assert_text(PK_LOAD_E_DEADLINE, 0, "aborted due to deadline");
    assert_text(PK_LOAD_E_TIMEOUT, 0, "timeout");
    assert_text(PK_LOAD_E_CONNECT, ECONNREFUSED, "Connection refused (os error 111)");
    assert_text(PK_LOAD_E_FILES, EMFILE, "Too many open files (os error 24)");
    assert_text(PK_LOAD_E_PORTS, EADDRNOTAVAIL, "Cannot assign requested address (os error 99)");
    assert_text(PK_LOAD_E_EMPTY, 0, "connection closed before message completed");
    assert_text(PK_LOAD_E_TRUNCATED, 0, "error reading a body from connection");
    assert_text(PK_LOAD_E_RESET, 0, "connection error");
}

static void an_errno_behind_a_class_is_shown_with_it(void **state) {
    (void)state;
    assert_text(PK_LOAD_E_RESET, ECONNRESET,
                "connection error: Connection reset by peer (os error 104)");
    assert_text(PK_LOAD_E_OTHER, 99999, "other error: unknown (os error 99999)");
}

static void a_refused_tunnel_shows_the_proxys_status(void **state) {
    (void)state;
    assert_text(PK_LOAD_E_PROXY, 407, "the proxy opened no tunnel: it answered CONNECT with 407");
    assert_text(PK_LOAD_E_PROXY, 0, "the proxy opened no tunnel");
}

static void a_long_text_is_cut(void **state) {
    (void)state;
    char text[8];
    pk_load_error_text(text, sizeof text, PK_LOAD_E_DEADLINE, 0);
    assert_string_equal(text, "aborted");
}

static void only_limits_of_this_machine_are_ours(void **state) {
    (void)state;
    for (int c = 0; c < PK_LOAD_E_CLASSES; c++) {
        bool ours = c == PK_LOAD_E_PORTS || c == PK_LOAD_E_FILES || c == PK_LOAD_E_MEMORY;
        assert_int_equal(pk_load_error_is_ours((pk_load_error_class)c), ours);
        assert_int_equal(pk_load_error_advice((pk_load_error_class)c)[0] != '\0', ours);
    }
}

static void an_unknown_class_is_other(void **state) {
    (void)state;
    assert_string_equal(pk_load_error_name(PK_LOAD_E_CLASSES), "other");
    assert_string_equal(pk_load_error_name((pk_load_error_class)-1), "other");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_class_has_a_name_of_its_own),
        cmocka_unit_test(every_cause_has_a_text_of_its_own),
        cmocka_unit_test(texts_that_scripts_match_are_ohas),
        cmocka_unit_test(an_errno_behind_a_class_is_shown_with_it),
        cmocka_unit_test(a_refused_tunnel_shows_the_proxys_status),
        cmocka_unit_test(a_long_text_is_cut),
        cmocka_unit_test(only_limits_of_this_machine_are_ours),
        cmocka_unit_test(an_unknown_class_is_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

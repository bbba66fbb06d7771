#include "check.h"

#include <errno.h>

#include "load/curl_error.h"

static void causes_have_their_class(void **state) {
    (void)state;
    const struct {
        CURLcode code;
        int os_errno;
        bool got_bytes;
        pk_load_error_class class_;
        int kept;
    } cases[] = {
        {CURLE_OPERATION_TIMEDOUT, 115, false, PK_LOAD_E_TIMEOUT, 0},
        {CURLE_COULDNT_RESOLVE_HOST, 0, false, PK_LOAD_E_DNS, 0},
        {CURLE_COULDNT_RESOLVE_PROXY, 0, false, PK_LOAD_E_DNS, 0},
        {CURLE_COULDNT_CONNECT, ECONNREFUSED, false, PK_LOAD_E_CONNECT, ECONNREFUSED},
        {CURLE_COULDNT_CONNECT, EADDRNOTAVAIL, false, PK_LOAD_E_PORTS, EADDRNOTAVAIL},
        {CURLE_COULDNT_CONNECT, EMFILE, false, PK_LOAD_E_FILES, EMFILE},
        {CURLE_COULDNT_CONNECT, ENFILE, false, PK_LOAD_E_FILES, ENFILE},
        {CURLE_PEER_FAILED_VERIFICATION, 0, false, PK_LOAD_E_TLS, 0},
        {CURLE_RECV_ERROR, ECONNRESET, false, PK_LOAD_E_RESET, 0},
        {CURLE_RECV_ERROR, ECONNRESET, true, PK_LOAD_E_TRUNCATED, 0},
        {CURLE_SEND_ERROR, EPIPE, false, PK_LOAD_E_SEND, 0},
        {CURLE_SEND_ERROR, ECONNRESET, false, PK_LOAD_E_RESET, 0},
        {CURLE_SEND_ERROR, ECONNRESET, true, PK_LOAD_E_TRUNCATED, 0},
        {CURLE_BAD_FUNCTION_ARGUMENT, 0, true, PK_LOAD_E_MALFORMED, 0},
        {CURLE_ABORTED_BY_CALLBACK, 0, false, PK_LOAD_E_EMPTY, 0},
        {CURLE_GOT_NOTHING, 0, false, PK_LOAD_E_EMPTY, 0},
        {CURLE_PARTIAL_FILE, 0, true, PK_LOAD_E_TRUNCATED, 0},
        {CURLE_UNSUPPORTED_PROTOCOL, 0, false, PK_LOAD_E_MALFORMED, 0},
        {CURLE_OUT_OF_MEMORY, 0, false, PK_LOAD_E_MEMORY, 0},
        {CURLE_FTP_PRET_FAILED, 5, false, PK_LOAD_E_OTHER, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int kept = -1;
        assert_int_equal(
            pk_curl_error_class(cases[i].code, cases[i].os_errno, cases[i].got_bytes, &kept),
            cases[i].class_);
        assert_int_equal(kept, cases[i].kept);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(causes_have_their_class)};
    return cmocka_run_group_tests_name("load/curl_error", tests, NULL, NULL);
}

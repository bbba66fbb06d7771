#include "load/curl_error.h"

#include <errno.h>

/* The same failure always gives the same class and errno, or each would be a row of its own in the
 * report: an errno is kept only where it names the cause. */
static const struct {
    CURLcode code;
    pk_load_error_class class_;
    bool keeps_errno;
} rows[] = {
    {CURLE_OPERATION_TIMEDOUT, PK_LOAD_E_TIMEOUT, false},
    {CURLE_COULDNT_RESOLVE_HOST, PK_LOAD_E_DNS, false},
    {CURLE_COULDNT_RESOLVE_PROXY, PK_LOAD_E_DNS, false},
    {CURLE_COULDNT_CONNECT, PK_LOAD_E_CONNECT, true},
    {CURLE_SSL_CONNECT_ERROR, PK_LOAD_E_TLS, false},
    {CURLE_PEER_FAILED_VERIFICATION, PK_LOAD_E_TLS, false},
    {CURLE_SSL_CERTPROBLEM, PK_LOAD_E_TLS, false},
    {CURLE_SSL_CACERT_BADFILE, PK_LOAD_E_TLS, false},
    {CURLE_SSL_CIPHER, PK_LOAD_E_TLS, false},
    {CURLE_SEND_ERROR, PK_LOAD_E_SEND, false},
    {CURLE_SEND_FAIL_REWIND, PK_LOAD_E_SEND, false},
    {CURLE_RECV_ERROR, PK_LOAD_E_RESET, false},
    {CURLE_GOT_NOTHING, PK_LOAD_E_EMPTY, false},
    {CURLE_PARTIAL_FILE, PK_LOAD_E_TRUNCATED, false},
    {CURLE_WEIRD_SERVER_REPLY, PK_LOAD_E_MALFORMED, false},
    {CURLE_UNSUPPORTED_PROTOCOL, PK_LOAD_E_MALFORMED, false}, /* an answer without "HTTP/" */
    {CURLE_BAD_CONTENT_ENCODING, PK_LOAD_E_MALFORMED, false},
    /* a chunk size that cannot be read, a head that begins with a folded line */
    {CURLE_BAD_FUNCTION_ARGUMENT, PK_LOAD_E_MALFORMED, false},
    /* we forbid to send it again when a kept connection has died (engine_curl.c) */
    {CURLE_ABORTED_BY_CALLBACK, PK_LOAD_E_EMPTY, false},
    {CURLE_OUT_OF_MEMORY, PK_LOAD_E_MEMORY, false},
};

pk_load_error_class pk_curl_error_class(CURLcode code, int os_errno, bool got_bytes,
                                        int *sys_errno) {
    *sys_errno = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].code != code) continue;
        pk_load_error_class class_ = rows[i].class_;
        if (class_ == PK_LOAD_E_CONNECT) {
            if (os_errno == EADDRNOTAVAIL) class_ = PK_LOAD_E_PORTS;
            if (os_errno == EMFILE || os_errno == ENFILE) class_ = PK_LOAD_E_FILES;
        }
        /* a reset that libcurl sees between two reads is "select/poll returned error", a send error
         */
        if (class_ == PK_LOAD_E_SEND && (got_bytes || os_errno == ECONNRESET))
            class_ = PK_LOAD_E_RESET;
        /* cut off inside an answer: its body (or the rest of its head) is missing */
        if (class_ == PK_LOAD_E_RESET && got_bytes) class_ = PK_LOAD_E_TRUNCATED;
        if (rows[i].keeps_errno) *sys_errno = os_errno;
        return class_;
    }
    return PK_LOAD_E_OTHER;
}

/* Has the proxy answered CONNECT, but not with a 2xx? libcurl has no code of its own for that. */
static bool is_refused_tunnel(CURLcode code, long connect_status) {
    return (code == CURLE_RECV_ERROR || code == CURLE_COULDNT_CONNECT) && connect_status > 0 &&
           connect_status / 100 != 2;
}

pk_load_error_class pk_curl_failure(CURL *easy, CURLcode code, int socket_errno, bool got_bytes,
                                    int *sys_errno) {
    long os_errno = 0;
    long connect_status = 0;
    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_errno);
    curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &connect_status);
    if (is_refused_tunnel(code, connect_status)) {
        *sys_errno = (int)connect_status;
        return PK_LOAD_E_PROXY;
    }
    return pk_curl_error_class(code, socket_errno ? socket_errno : (int)os_errno, got_bytes,
                               sys_errno);
}

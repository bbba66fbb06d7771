#include "serve/tls.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/file.h"
#include "base/strbuf.h"
#include "base/units.h"
#ifdef HAVE_GNUTLS
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#endif

enum { PEM_MAX = 1 << 20 };

bool pk_tls_supported(void) {
    return MHD_is_feature_supported(MHD_FEATURE_TLS) == MHD_YES;
}

static char *read_pem(const char *path, pk_err *err) {
    pk_strbuf text;
    pk_strbuf_init(&text, PEM_MAX);
    char *pem = NULL;
    if (pk_file_read(path, PEM_MAX - 1, &text, err)) {
        pem = pk_strbuf_detach(&text, NULL);
        if (!pem) pk_fail(err, PK_E_LIMIT, path, "out of memory");
    }
    pk_strbuf_fini(&text);
    return pem;
}

bool pk_tls_read(const char *cert_path, const char *key_path, char **key, char **cert,
                 pk_err *err) {
    char *cert_pem = read_pem(cert_path, err);
    char *key_pem = cert_pem ? read_pem(key_path, err) : NULL;
    if (!key_pem) {
        free(cert_pem);
        return false;
    }
    *key = key_pem;
    *cert = cert_pem;
    return true;
}

#ifdef HAVE_GNUTLS
static const time_t valid_s = 30 * 86400;

static int describe(gnutls_x509_crt_t crt) {
    static const unsigned char v4[4] = {127, 0, 0, 1};
    static const unsigned char v6[16] = {[15] = 1};
    static const char name[] = "localhost";
    unsigned char serial[16];
    time_t now = time(NULL);
    int rc = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial);
    serial[0] &= 0x7f; /* a positive number (RFC 5280, 4.1.2.2) */
    if (rc >= 0) rc = gnutls_x509_crt_set_version(crt, 3);
    if (rc >= 0) rc = gnutls_x509_crt_set_serial(crt, serial, sizeof serial);
    /* an hour back, for clients whose clock is a little behind */
    if (rc >= 0) rc = gnutls_x509_crt_set_activation_time(crt, now - 3600);
    if (rc >= 0) rc = gnutls_x509_crt_set_expiration_time(crt, now + valid_s);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                           sizeof name - 1);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, name, sizeof name - 1,
                                                  GNUTLS_FSAN_SET);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, v4, sizeof v4,
                                                  GNUTLS_FSAN_APPEND);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, v6, sizeof v6,
                                                  GNUTLS_FSAN_APPEND);
    /* its own authority, so that a client can be told to trust it */
    if (rc >= 0) rc = gnutls_x509_crt_set_basic_constraints(crt, 1, 0);
    if (rc >= 0)
        rc = gnutls_x509_crt_set_key_usage(crt,
                                           GNUTLS_KEY_DIGITAL_SIGNATURE | GNUTLS_KEY_KEY_CERT_SIGN);
    if (rc >= 0) rc = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
    return rc;
}

static char *copy_text(const gnutls_datum_t *datum) {
    return strndup((const char *)datum->data, datum->size);
}

static int fingerprint_of(gnutls_x509_crt_t crt, char out[PK_TLS_FINGERPRINT_MAX]) {
    unsigned char digest[32];
    size_t bytes = sizeof digest;
    int rc = gnutls_x509_crt_get_fingerprint(crt, GNUTLS_DIG_SHA256, digest, &bytes);
    for (size_t i = 0; rc >= 0 && i < bytes; i++)
        snprintf(out + 3 * i, 4, "%02X%s", digest[i], i + 1 < bytes ? ":" : "");
    return rc;
}

bool pk_tls_self_signed(char **key, char **cert, char fingerprint[PK_TLS_FINGERPRINT_MAX],
                        pk_err *err) {
    gnutls_x509_privkey_t private_key = NULL;
    gnutls_x509_crt_t crt = NULL;
    gnutls_datum_t key_pem = {0}, cert_pem = {0};
    char *key_text = NULL, *cert_text = NULL;
    int rc = gnutls_x509_privkey_init(&private_key);
    if (rc >= 0) rc = gnutls_x509_crt_init(&crt);
    if (rc >= 0)
        rc = gnutls_x509_privkey_generate(private_key, GNUTLS_PK_ECDSA,
                                          GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    if (rc >= 0) rc = describe(crt);
    if (rc >= 0) rc = gnutls_x509_crt_set_key(crt, private_key);
    if (rc >= 0) rc = gnutls_x509_crt_sign2(crt, crt, private_key, GNUTLS_DIG_SHA256, 0);
    if (rc >= 0) rc = gnutls_x509_privkey_export2(private_key, GNUTLS_X509_FMT_PEM, &key_pem);
    if (rc >= 0) rc = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &cert_pem);
    if (rc >= 0) rc = fingerprint_of(crt, fingerprint);
    if (rc >= 0) {
        key_text = copy_text(&key_pem);
        cert_text = copy_text(&cert_pem);
        if (!key_text || !cert_text) rc = GNUTLS_E_MEMORY_ERROR;
    }
    if (rc >= 0) {
        *key = key_text;
        *cert = cert_text;
    } else {
        pk_fail(err, PK_E_UNSUPPORTED, "--tls", "cannot make a certificate: %s",
                gnutls_strerror(rc));
        pk_fix(err, "give one with --cert and --key");
        free(key_text);
        free(cert_text);
    }
    gnutls_free(key_pem.data);
    gnutls_free(cert_pem.data);
    if (crt) gnutls_x509_crt_deinit(crt);
    if (private_key) gnutls_x509_privkey_deinit(private_key);
    return rc >= 0;
}
#else
bool pk_tls_self_signed(char **key, char **cert, char fingerprint[PK_TLS_FINGERPRINT_MAX],
                        pk_err *err) {
    (void)key, (void)cert, (void)fingerprint;
    pk_fail(err, PK_E_UNSUPPORTED, "--tls", "this build has no GnuTLS and so makes no certificate");
    pk_fix(err, "give one with --cert and --key");
    return false;
}
#endif

/* The certificate of --tls: read from files, or made at the start. */
#ifndef PK_SERVE_TLS_H
#define PK_SERVE_TLS_H

#include <stdbool.h>
#include "base/error.h"

/* Can MHD do TLS at all here? */
bool pk_tls_supported(void);

/* Key and certificate as PEM text, for the caller to free(). */
bool pk_tls_read(const char *cert_path, const char *key_path, char **key, char **cert,
                 pk_err *err) PK_MUST_CHECK;
/* A self-signed certificate for localhost, 127.0.0.1 and ::1 on a fresh P-256 key, valid for 30
 * days. fingerprint gets its SHA-256 ("AB:CD:..", 95 characters). Fails with PK_E_UNSUPPORTED in a
 * build without GnuTLS. */
#define PK_TLS_FINGERPRINT_MAX 96
bool pk_tls_self_signed(char **key, char **cert, char fingerprint[PK_TLS_FINGERPRINT_MAX],
                        pk_err *err) PK_MUST_CHECK;

#endif

/* One connection of conformance_server, plain or TLS (GnuTLS, so that the client's OpenSSL talks
 * to a different implementation). Blocking, with a time limit on each call; one thread at a time.
 */
#ifndef CONFORMANCE_CONN_H
#define CONFORMANCE_CONN_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/programs/conformance/cases.h"

#define CONN_LIMIT_S 30 /* of one read or write */
#define CONN_HEAD_MAX 32768

typedef struct conn_tls conn_tls; /* certificate and key, shared by all connections */

/* NULL when the files cannot be used, or without GnuTLS; *why says which. */
conn_tls *conn_tls_new(const char *cert_file, const char *key_file, const char **why);
void conn_tls_free(conn_tls *tls);

typedef struct conn {
    int fd;
    void *session;            /* gnutls_session_t; NULL: plain */
    char head[CONN_HEAD_MAX]; /* read and not yet used */
    size_t head_bytes;
} conn;

/* Takes fd over; makes the handshake. False: it failed, fd is closed. */
bool conn_open(conn *c, int fd, conn_tls *tls);
/* Reads more into head; false at the end, on errors and when head is full. */
bool conn_read(conn *c);
/* Drops the first `bytes` of head. */
void conn_use(conn *c, size_t bytes);
/* All or nothing; one call is one segment (or TLS record) as long as it is short. */
bool conn_write(conn *c, const char *data, size_t bytes);
/* Ends the connection and closes it; END_KEEP closes as END_CLOSE_NOW does. */
void conn_end(conn *c, ending how);

#endif

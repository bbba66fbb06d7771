/* Bytes in and out of a connected, non-blocking socket: plain or through OpenSSL's SSL*. */
#ifndef PK_LOAD_TRANSPORT_H
#define PK_LOAD_TRANSPORT_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include "load/load.h"

typedef enum pk_io {
    PK_IO_OK,          /* *moved bytes were moved, at least one */
    PK_IO_AGAIN_READ,  /* nothing can be moved before the socket is readable .. */
    PK_IO_AGAIN_WRITE, /* .. or writable */
    PK_IO_END,         /* the peer closed in order */
    PK_IO_CUT,         /* TLS only: the TCP connection ended without close_notify */
    PK_IO_ERROR,       /* reset or a TLS failure */
} pk_io;

typedef struct pk_transport {
    int fd;
    SSL *ssl; /* NULL: plain */
} pk_transport;

pk_io pk_transport_read(const pk_transport *transport, void *data, size_t bytes, size_t *moved);
pk_io pk_transport_write(const pk_transport *transport, const void *data, size_t bytes,
                         size_t *moved);
/* Bytes may be waiting inside OpenSSL, for which epoll will not call again. */
static inline bool pk_transport_holds(const pk_transport *transport) {
    return transport->ssl && SSL_has_pending(transport->ssl);
}

#endif

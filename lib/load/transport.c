#include "load/transport.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* recv and send, but no cancellation points: glibc's cost two atomic operations each in a process
 * with threads, and nobody cancels ours. */
static ssize_t receive(int fd, void *data, size_t bytes) {
    return syscall(SYS_recvfrom, fd, data, bytes, 0, NULL, NULL);
}

static ssize_t transmit(int fd, const void *data, size_t bytes) {
    return syscall(SYS_sendto, fd, data, bytes, MSG_NOSIGNAL, NULL, 0);
}

static pk_io plain_result(ssize_t n, pk_io again, size_t *moved) {
    if (n > 0) {
        *moved = (size_t)n;
        return PK_IO_OK;
    }
    if (n == 0) return PK_IO_END;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? again : PK_IO_ERROR;
}

/* SSL_get_error looks at the thread's queue. Asking is cheaper than clearing an empty one. */
static void clear_errors(void) {
    if (ERR_peek_error()) ERR_clear_error();
}

/* ok: SSL_read_ex's or SSL_write_ex's result. */
static pk_io tls_result(SSL *ssl, int ok) {
    if (ok) return PK_IO_OK;
    switch (SSL_get_error(ssl, ok)) {
    case SSL_ERROR_WANT_READ:
        return PK_IO_AGAIN_READ;
    case SSL_ERROR_WANT_WRITE:
        return PK_IO_AGAIN_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return PK_IO_END;
    case SSL_ERROR_SSL:
#ifdef SSL_R_UNEXPECTED_EOF_WHILE_READING /* OpenSSL 3; before, it was SSL_ERROR_SYSCALL */
        if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
            return PK_IO_CUT;
#endif
        return PK_IO_ERROR;
    default:
        return PK_IO_ERROR;
    }
}

pk_io pk_transport_read(const pk_transport *t, void *data, size_t bytes, size_t *moved) {
    if (!t->ssl) return plain_result(receive(t->fd, data, bytes), PK_IO_AGAIN_READ, moved);
    clear_errors();
    return tls_result(t->ssl, SSL_read_ex(t->ssl, data, bytes, moved));
}

pk_io pk_transport_write(const pk_transport *t, const void *data, size_t bytes, size_t *moved) {
    if (!t->ssl) return plain_result(transmit(t->fd, data, bytes), PK_IO_AGAIN_WRITE, moved);
    clear_errors();
    return tls_result(t->ssl, SSL_write_ex(t->ssl, data, bytes, moved));
}

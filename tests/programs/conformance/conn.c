#include "tests/programs/conformance/conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <linux/sockios.h>
#include <unistd.h>

#include "base/units.h"
#include "timing/clock.h"

#define ACKS_LIMIT_NS PK_NS_PER_S

static void socket_set_up(int fd) {
    int on = 1;
    struct timeval limit = {.tv_sec = CONN_LIMIT_S};
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

#if HAVE_GNUTLS
#include <gnutls/gnutls.h>

struct conn_tls {
    gnutls_certificate_credentials_t credentials;
};

conn_tls *conn_tls_new(const char *cert_file, const char *key_file, const char **why) {
    conn_tls *tls = calloc(1, sizeof *tls);
    int code =
        tls ? gnutls_certificate_allocate_credentials(&tls->credentials) : GNUTLS_E_MEMORY_ERROR;
    if (code >= 0)
        code = gnutls_certificate_set_x509_key_file(tls->credentials, cert_file, key_file,
                                                    GNUTLS_X509_FMT_PEM);
    if (code >= 0) return tls;
    *why = gnutls_strerror(code);
    conn_tls_free(tls);
    return NULL;
}

void conn_tls_free(conn_tls *tls) {
    if (tls && tls->credentials) gnutls_certificate_free_credentials(tls->credentials);
    free(tls);
}

static bool tls_open(conn *c, conn_tls *tls) {
    gnutls_session_t session;
    if (gnutls_init(&session, GNUTLS_SERVER | GNUTLS_NO_SIGNAL) < 0) return false;
    gnutls_set_default_priority(session);
    gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, tls->credentials);
    gnutls_transport_set_int(session, c->fd);
    gnutls_handshake_set_timeout(session, CONN_LIMIT_S * 1000);
    int code;
    do code = gnutls_handshake(session);
    while (code < 0 && !gnutls_error_is_fatal(code));
    if (code == 0) c->session = session;
    else gnutls_deinit(session);
    return code == 0;
}

static ssize_t tls_read(conn *c, char *into, size_t bytes) {
    ssize_t n;
    do n = gnutls_record_recv(c->session, into, bytes);
    while (n == GNUTLS_E_INTERRUPTED);
    return n;
}

static ssize_t tls_write(conn *c, const char *data, size_t bytes) {
    ssize_t n;
    do n = gnutls_record_send(c->session, data, bytes);
    while (n == GNUTLS_E_INTERRUPTED);
    return n;
}

static void tls_goodbye(conn *c) {
    gnutls_bye(c->session, GNUTLS_SHUT_WR);
}

static void tls_free(conn *c) {
    gnutls_deinit(c->session);
}

#else /* without GnuTLS no connection has a session */

conn_tls *conn_tls_new(const char *cert_file, const char *key_file, const char **why) {
    (void)cert_file, (void)key_file;
    *why = "built without GnuTLS";
    return NULL;
}
void conn_tls_free(conn_tls *tls) {
    (void)tls;
}
static bool tls_open(conn *c, conn_tls *tls) {
    (void)c, (void)tls;
    return false;
}
static ssize_t tls_read(conn *c, char *into, size_t bytes) {
    (void)c, (void)into, (void)bytes;
    return -1;
}
static ssize_t tls_write(conn *c, const char *data, size_t bytes) {
    (void)c, (void)data, (void)bytes;
    return -1;
}
static void tls_goodbye(conn *c) {
    (void)c;
}
static void tls_free(conn *c) {
    (void)c;
}
#endif

static ssize_t plain_read(conn *c, char *into, size_t bytes) {
    ssize_t n;
    do n = recv(c->fd, into, bytes, 0);
    while (n < 0 && errno == EINTR);
    return n;
}

static ssize_t plain_write(conn *c, const char *data, size_t bytes) {
    ssize_t n;
    do n = send(c->fd, data, bytes, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n;
}

bool conn_open(conn *c, int fd, conn_tls *tls) {
    c->fd = fd;
    c->session = NULL;
    c->head_bytes = 0;
    socket_set_up(fd);
    if (!tls || tls_open(c, tls)) return true;
    close(fd);
    return false;
}

bool conn_read(conn *c) {
    char *into = c->head + c->head_bytes;
    size_t room = sizeof c->head - c->head_bytes;
    if (room == 0) return false;
    ssize_t n = c->session ? tls_read(c, into, room) : plain_read(c, into, room);
    if (n > 0) c->head_bytes += (size_t)n;
    return n > 0;
}

void conn_use(conn *c, size_t bytes) {
    c->head_bytes -= bytes;
    memmove(c->head, c->head + bytes, c->head_bytes);
}

bool conn_write(conn *c, const char *data, size_t bytes) {
    while (bytes > 0) {
        ssize_t n = c->session ? tls_write(c, data, bytes) : plain_write(c, data, bytes);
        if (n <= 0) return false;
        data += n;
        bytes -= (size_t)n;
    }
    return true;
}

/* Until the client leaves. What it still sends is taken: closing on unread bytes would be a reset,
 * which is another case. */
static void linger(conn *c) {
    do c->head_bytes = 0;
    while (plain_read(c, c->head, sizeof c->head) > 0);
}

/* A reset throws away what the kernel has not sent yet; the client is to have all of it. */
static void wait_for_acks(const conn *c) {
    uint64_t limit_ns = pk_now_ns() + ACKS_LIMIT_NS;
    for (int left; ioctl(c->fd, SIOCOUTQ, &left) == 0 && left > 0 && pk_now_ns() < limit_ns;)
        pk_sleep_until_ns(pk_now_ns() + 100 * PK_NS_PER_US);
}

void conn_end(conn *c, ending how) {
    struct linger hard = {.l_onoff = 1};
    if (c->session && (how == END_CLOSE || how == END_CLOSE_NOW)) tls_goodbye(c);
    if (how == END_CLOSE || how == END_CUT) shutdown(c->fd, SHUT_WR);
    if (how == END_RESET) {
        wait_for_acks(c);
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    } else if (how != END_CLOSE_NOW && how != END_KEEP) {
        linger(c);
    }
    if (c->session) tls_free(c);
    close(c->fd);
}

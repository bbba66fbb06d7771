/* What engine_curl knows of libcurl's sockets beyond what libcurl tells: whether bytes came behind
 * the answers that were handed over. libcurl keeps a status line that is cut off to itself, yet the
 * request has then been answered in part and must not go again; and it drops what stands behind
 * the end of an answer.
 *
 * TCP sockets only (TCP_INFO counts bytes as they arrive); of others nothing is known. */
#ifndef PK_LOAD_CURL_SOCKETS_H
#define PK_LOAD_CURL_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "load/load.h"

#define PK_CURL_NOBODY UINT32_MAX

typedef struct pk_curl_socket {
    uint32_t user;           /* the slot whose transfer had it last; PK_CURL_NOBODY: none */
    uint64_t answered_bytes; /* of complete answers */
} pk_curl_socket;

typedef struct pk_curl_sockets {
    pk_curl_socket *by_fd;
    size_t count;
} pk_curl_sockets;

/* How a socket stands when libcurl closes it. */
typedef struct pk_curl_socket_end {
    uint32_t user;
    bool has_more;  /* bytes came behind the complete answers (under TLS: of any kind) .. */
    bool is_unread; /* .. and all of them are still in the socket */
    bool was_reset; /* the connection is gone, not merely ended by the peer */
} pk_curl_socket_end;

void pk_curl_sockets_fini(pk_curl_sockets *sockets);
/* A new socket of this user. False: no memory. */
bool pk_curl_sockets_open(pk_curl_sockets *sockets, int fd, uint32_t user) PK_MUST_CHECK;
/* A kept one is used by another now. Sockets that were never opened here are ignored. */
void pk_curl_sockets_use(pk_curl_sockets *sockets, int fd, uint32_t user);
/* A complete answer of so many bytes came through it. */
void pk_curl_sockets_answered(pk_curl_sockets *sockets, int fd, uint64_t bytes);
/* Have bytes come behind it? */
bool pk_curl_sockets_has_more(const pk_curl_sockets *sockets, int fd);
/* To be called while it is still open; it is nobody's afterwards. */
pk_curl_socket_end pk_curl_sockets_close(pk_curl_sockets *sockets, int fd);

#endif

/* Listening sockets: parsing "HOST:PORT", binding, and saying who is in the way. */
#ifndef PK_SERVE_LISTEN_H
#define PK_SERVE_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>
#include "base/error.h"

typedef struct pk_listen_address {
    char host[256]; /* without brackets; "127.0.0.1" where none was given */
    uint16_t port;  /* 0: the kernel chooses */
} pk_listen_address;

/* "HOST:PORT", "[::1]:PORT", ":PORT" or "PORT" (both on 127.0.0.1), "*:PORT" (all IPv4 addresses).
 * Pure; the host is not looked up. */
bool pk_listen_parse(const char *text, pk_listen_address *address, pk_err *err) PK_MUST_CHECK;

#define PK_LISTENER_URL_MAX 320
typedef struct pk_listener {
    int fd;            /* listening, non-blocking; -1: closed */
    bool loopback;     /* reachable from this machine only (sockets in the file system too) */
    char *socket_path; /* the socket in the file system, owned; NULL for TCP */
    dev_t device;      /* of socket_path, to unlink nothing but our own .. */
    ino_t inode;
    struct timespec made;          /* .. and inode numbers are used again */
    char url[PK_LISTENER_URL_MAX]; /* "http://127.0.0.1:3000", "unix:PATH" */
} pk_listener;

/* Binds and listens. scheme is "http" or "https". An address that is taken is an error that names
 * the process holding it, where that can be found. */
bool pk_listener_open_tcp(const char *text, const char *scheme, int backlog, pk_listener *listener,
                          pk_err *err) PK_MUST_CHECK;
/* The same in the file system. A socket left there that nobody answers on is replaced; anything
 * else in the way is an error. */
bool pk_listener_open_unix(const char *path, int backlog, pk_listener *listener,
                           pk_err *err) PK_MUST_CHECK;
/* Removes the socket from the file system if it is still ours. The descriptor stays open. */
void pk_listener_unlink(pk_listener *listener);
/* Unlinks, closes, frees; for one that was opened, any number of times. */
void pk_listener_close(pk_listener *listener);

#endif

/* Listening sockets from the kernel's sock_diag netlink, see sock_diag(7). It looks at the
 * listening sockets alone: 0.1 ms, where /proc/net/tcp walks the table of all connections, 2.4 ms
 * per read of an empty one with 262144 buckets, more after a load test has left its TIME_WAITs
 * there. Used by base/procfs, which falls back to /proc where the kernel lacks it. */
#ifndef PK_BASE_SOCK_DIAG_H
#define PK_BASE_SOCK_DIAG_H

#include "base/procfs.h"

typedef enum pk_diag_answer {
    PK_DIAG_MORE,    /* well so far; further messages follow in the next datagram */
    PK_DIAG_DONE,    /* the end of the list */
    PK_DIAG_STOPPED, /* the visitor returned false */
    PK_DIAG_FAILED,  /* an error of the kernel's, or no such message */
} pk_diag_answer;

/* Calls `each` per TCP socket of this family in LISTEN state. PK_DIAG_DONE, PK_DIAG_STOPPED, or
 * PK_DIAG_FAILED if the kernel does not answer; then perhaps after some calls. */
pk_diag_answer pk_sock_diag_each_listener(int family, pk_listener_visitor *each, void *context);

/* The parser behind it: one datagram, any bytes. Sockets that do not listen are passed over. */
pk_diag_answer pk_sock_diag_parse(const void *data, size_t bytes, pk_listener_visitor *each,
                                  void *context);

#endif

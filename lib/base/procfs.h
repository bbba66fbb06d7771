/* What runs on this machine, read from /proc: processes and listening sockets.
 * Read-only, bounded, silent about what it may not see. */
#ifndef PK_BASE_PROCFS_H
#define PK_BASE_PROCFS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct pk_process_info {
    pid_t pid;
    uid_t uid;
    char name[64];     /* comm */
    char command[256]; /* command line, blanks between arguments, cut; "[name]" for kernel threads */
} pk_process_info;

/* Calls `each` per process, in ascending pid order, until it returns false. */
void pk_procfs_each_process(bool (*each)(void *context, const pk_process_info *info), void *context);
/* False if there is no such process. */
bool pk_procfs_process(pid_t pid, pk_process_info *info);

typedef struct pk_listener_info {
    int family; /* AF_INET or AF_INET6 */
    union {
        struct in_addr v4;
        struct in6_addr v6;
    } address;
    uint16_t port;
    uint64_t inode;
} pk_listener_info;

/* Calls `each` per TCP socket in LISTEN state (this network namespace), until it returns false. */
void pk_procfs_each_listener(bool (*each)(void *context, const pk_listener_info *info),
                             void *context);
/* The process that holds the socket with this inode, as far as we may look. */
bool pk_procfs_socket_owner(uint64_t inode, pk_process_info *info);

#endif

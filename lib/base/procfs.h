/* What runs on this machine, from /proc and sock_diag: processes and listening sockets.
 * Read-only, bounded, silent about what it may not see. */
#ifndef PK_BASE_PROCFS_H
#define PK_BASE_PROCFS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct pk_process_info {
    pid_t pid;
    uid_t uid;         /* effective user; root for a process that may not be inspected */
    char name[64];     /* comm */
    char command[256]; /* the arguments with blanks between, cut; "[name]" for kernel threads */
} pk_process_info;

typedef bool pk_process_visitor(void *context, const pk_process_info *info);

/* Calls `each` per process, in ascending pid order, until it returns false. */
void pk_procfs_each_process(pk_process_visitor *each, void *context);
/* False, *info untouched, if there is no such process. */
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

typedef bool pk_listener_visitor(void *context, const pk_listener_info *info);

/* Calls `each` per TCP socket in LISTEN state (this network namespace), IPv4 first, until it
 * returns false. */
void pk_procfs_each_listener(pk_listener_visitor *each, void *context);

/* infos[i] = the process with the lowest pid that holds the socket inodes[i], as far as we may
 * look; pid 0 where none was found. One walk over all processes, whatever n. For listeners: only
 * the first 512 descriptors of each process are looked at. */
void pk_procfs_socket_owners(size_t n, const uint64_t inodes[], pk_process_info infos[]);
/* The same for one socket; false, *info untouched, if none was found. */
bool pk_procfs_socket_owner(uint64_t inode, pk_process_info *info);

/* The parsers behind these; they take any bytes. */

/* The text of /proc/net/tcp (AF_INET) or tcp6 (AF_INET6), see proc(5): calls `each` per line in
 * LISTEN state until it returns false; other lines, also broken ones, are passed over. False if
 * `each` returned false. */
bool pk_procfs_parse_listeners(int family, const char *text, size_t bytes,
                               pk_listener_visitor *each, void *context);
/* The bytes of /proc/PID/cmdline as one text for people: NULs between arguments become blanks,
 * those at the end go; "[name]" if nothing is left. Writes at most `size` bytes with the NUL. */
void pk_procfs_parse_command(const char *bytes, size_t n, const char *name, char *out, size_t size);
/* The inode of "socket:[123]", what a link in /proc/PID/fd of a socket holds; false for others. */
bool pk_procfs_parse_socket_link(const char *link, size_t bytes, uint64_t *inode);

#endif

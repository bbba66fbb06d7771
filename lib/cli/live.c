/* Completers whose candidates are what runs on this machine right now. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/array.h"
#include "base/procfs.h"
#include "cli/choices.h"
#include "cli/complete.h"

/* ---- processes ---- */

typedef struct pid_list {
    pk_choices *choices;
    uid_t own_uid;
    pid_t own_pid;
    pk_array others; /* pk_process_info */
} pid_list;

static void offer_process(pk_choices *choices, const pk_process_info *info) {
    char pid[16];
    snprintf(pid, sizeof pid, "%d", (int)info->pid);
    pk_choices_add(choices, pid, info->command[0] ? info->command : info->name);
}

static bool take_process(void *context, const pk_process_info *info) {
    pid_list *list = context;
    if (info->pid == list->own_pid || info->command[0] == '[') return true; /* kernel threads */
    if (info->uid == list->own_uid) {
        offer_process(list->choices, info);
        return true;
    }
    pk_process_info *other = pk_array_push(&list->others);
    if (other) *other = *info;
    return true;
}

void pk_complete_pids(pk_choices *choices) {
    pid_list list = {.choices = choices,
                     .own_uid = geteuid(),
                     .own_pid = getpid(),
                     .others = PK_ARRAY(pk_process_info, PK_CHOICES_MAX)};
    pk_choices_keep_order(choices);
    pk_procfs_each_process(take_process, &list);
    for (size_t i = 0; i < list.others.count; i++)
        offer_process(choices, &PK_AT(&list.others, pk_process_info, i));
    pk_array_fini(&list.others);
}

/* ---- listeners ---- */

/* Naming the owner of a socket means looking at the descriptors of every process. An answer has
 * 20 ms in all; when these are gone, the remaining URLs go without a name. */
#define OWNERS_NS 10000000ll

typedef struct url_list {
    pk_choices *choices;
    struct timespec start;
} url_list;

static bool is_time_left(const struct timespec *start) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - start->tv_sec) * 1000000000ll + now.tv_nsec - start->tv_nsec < OWNERS_NS;
}

/* The host by which this machine reaches the listener over loopback; NULL: it does not. */
static const char *loopback_host(const pk_listener_info *info) {
    if (info->family == AF_INET) {
        uint32_t address = ntohl(info->address.v4.s_addr);
        return address == INADDR_ANY || address == INADDR_LOOPBACK ? "127.0.0.1" : NULL;
    }
    if (IN6_IS_ADDR_LOOPBACK(&info->address.v6)) return "[::1]";
    /* Unless it is marked "IPv6 only", which /proc does not tell, "::" takes IPv4 as well. */
    return IN6_IS_ADDR_UNSPECIFIED(&info->address.v6) ? "127.0.0.1" : NULL;
}

static bool take_listener(void *context, const pk_listener_info *info) {
    url_list *list = context;
    pk_process_info owner;
    char url[64], description[sizeof owner.name + 32] = "";
    const char *typed = pk_choices_typed(list->choices);
    const char *host = loopback_host(info);
    if (!host) return true;
    snprintf(url, sizeof url, "http://%s:%" PRIu16 "/", host, info->port);
    if (strncmp(url, typed, strlen(typed)) != 0) return true; /* before the costly part */
    if (is_time_left(&list->start) && pk_procfs_socket_owner(info->inode, &owner))
        snprintf(description, sizeof description, "%s, pid %d", owner.name, (int)owner.pid);
    pk_choices_add(list->choices, url, description);
    return true;
}

void pk_complete_listener_urls(pk_choices *choices) {
    url_list list = {.choices = choices};
    clock_gettime(CLOCK_MONOTONIC, &list.start);
    pk_choices_nospace(choices);
    pk_procfs_each_listener(take_listener, &list);
}

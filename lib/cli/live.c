/* Completers whose candidates are what runs on this machine right now. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
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

typedef struct listener_list {
    const char *typed;
    pk_array found; /* pk_listener_info, those whose URL starts as typed */
} listener_list;

/* The host by which this machine reaches the listener over loopback; NULL: it does not. */
static const char *loopback_host(const pk_listener_info *info) {
    if (info->family == AF_INET) {
        uint32_t address = ntohl(info->address.v4.s_addr);
        return address == INADDR_ANY || address == INADDR_LOOPBACK ? "127.0.0.1" : NULL;
    }
    if (IN6_IS_ADDR_LOOPBACK(&info->address.v6)) return "[::1]";
    /* Unless it is marked "IPv6 only", which the list does not tell, "::" takes IPv4 as well. */
    return IN6_IS_ADDR_UNSPECIFIED(&info->address.v6) ? "127.0.0.1" : NULL;
}

/* False if it cannot be reached over loopback. */
static bool format_url(char *out, size_t bytes, const pk_listener_info *info) {
    const char *host = loopback_host(info);
    if (host) snprintf(out, bytes, "http://%s:%" PRIu16 "/", host, info->port);
    return host != NULL;
}

static bool take_listener(void *context, const pk_listener_info *info) {
    listener_list *list = context;
    char url[64];
    if (!format_url(url, sizeof url, info)) return true;
    if (strncmp(url, list->typed, strlen(list->typed)) != 0) return true;
    pk_listener_info *copy = pk_array_push(&list->found);
    if (copy) *copy = *info;
    return copy != NULL;
}

static void offer_listener(pk_choices *choices, const pk_listener_info *info,
                           const pk_process_info *owner) {
    char url[64], description[sizeof owner->name + 32] = "";
    if (!format_url(url, sizeof url, info)) return;
    if (owner->pid)
        snprintf(description, sizeof description, "%s, pid %d", owner->name, (int)owner->pid);
    pk_choices_add(choices, url, description);
}

void pk_complete_listener_urls(pk_choices *choices) {
    uint64_t inodes[PK_CHOICES_MAX];
    pk_process_info *owners = calloc(PK_CHOICES_MAX, sizeof *owners);
    listener_list list = {.typed = pk_choices_typed(choices),
                          .found = PK_ARRAY(pk_listener_info, PK_CHOICES_MAX)};
    pk_choices_nospace(choices); /* a path may follow */
    if (owners) pk_procfs_each_listener(take_listener, &list);
    for (size_t i = 0; i < list.found.count; i++)
        inodes[i] = PK_AT(&list.found, pk_listener_info, i).inode;
    /* all at once: it means a look at the descriptors of every process */
    if (list.found.count) pk_procfs_socket_owners(list.found.count, inodes, owners);
    for (size_t i = 0; i < list.found.count; i++)
        offer_listener(choices, &PK_AT(&list.found, pk_listener_info, i), &owners[i]);
    pk_array_fini(&list.found);
    free(owners);
}

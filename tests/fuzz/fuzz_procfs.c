/* What the kernel and other processes write below /proc; a process chooses its own name and command
 * line. A listener that was read, written as the kernel writes it, reads as the same. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/procfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static bool keep(void *context, const pk_listener_info *info) {
    *(pk_listener_info *)context = *info;
    return false;
}

static bool print_and_read_back(void *context, const pk_listener_info *info) {
    char line[256];
    uint32_t words[4];
    int length = 0, n_words = info->family == AF_INET ? 1 : 4;
    memcpy(words, &info->address, sizeof words);
    length += snprintf(line, sizeof line, " 0: ");
    for (int i = 0; i < n_words; i++)
        length += snprintf(line + length, sizeof line - (size_t)length, "%08" PRIX32, words[i]);
    length += snprintf(line + length, sizeof line - (size_t)length,
                       ":%04X 0:0 0A 0:0 00:0 0 0 0 %" PRIu64 " 1", info->port, info->inode);
    pk_listener_info again = {0};
    assert(!pk_procfs_parse_listeners(info->family, line, (size_t)length, keep, &again));
    assert(again.family == info->family && again.port == info->port && again.inode == info->inode);
    assert(memcmp(&again.address, &info->address, 4 * (size_t)n_words) == 0);
    ++*(size_t *)context;
    return true;
}

static void check_listeners(int family, const char *text, size_t bytes) {
    size_t count = 0, lines = 1;
    for (size_t i = 0; i < bytes; i++) lines += text[i] == '\n';
    assert(pk_procfs_parse_listeners(family, text, bytes, print_and_read_back, &count));
    assert(count <= lines);
}

static void check_command(const char *text, size_t bytes, size_t size) {
    char *out = malloc(size);
    assert(out);
    pk_procfs_parse_command(text, bytes, "name", out, size);
    size_t length = strlen(out);
    assert(length < size);
    bool empty = true;
    for (size_t i = 0; i < bytes; i++) empty = empty && text[i] == '\0';
    if (empty) assert(strncmp(out, "[name]", length) == 0);
    else
        for (size_t i = 0; i < length; i++) assert(out[i] == (text[i] ? text[i] : ' '));
    free(out);
}

static void check_link(const char *text, size_t bytes) {
    uint64_t inode = 77, again = 78;
    char link[64];
    if (!pk_procfs_parse_socket_link(text, bytes, &inode)) {
        assert(inode == 77);
        return;
    }
    int length = snprintf(link, sizeof link, "socket:[%" PRIu64 "]", inode);
    assert(pk_procfs_parse_socket_link(link, (size_t)length, &again) && again == inode);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    const char *text = (const char *)data;
    check_listeners(AF_INET, text, bytes);
    check_listeners(AF_INET6, text, bytes);
    check_command(text, bytes, 256);
    check_command(text, bytes, 1 + bytes % 40);
    check_link(text, bytes);
    return 0;
}

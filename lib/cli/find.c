#include <string.h>

#include "base/suggest.h"
#include "cli/command.h"

const pk_command *pk_cli_find_command(const pk_command *const commands[], const char *name) {
    for (; *commands; commands++)
        if (strcmp((*commands)->name, name) == 0) return *commands;
    return NULL;
}

const pk_command *pk_cli_find_peer(const pk_command *const commands[], const char *name) {
    for (; *commands; commands++)
        for (const char *const *peer = (*commands)->peers; peer && *peer; peer++)
            if (strcmp(*peer, name) == 0) return *commands;
    return NULL;
}

#define COMMANDS_MAX 64

const char *pk_cli_suggest_command(const pk_command *const commands[], const char *word) {
    const char *names[COMMANDS_MAX];
    size_t n = 0;
    for (; *commands && n < COMMANDS_MAX; commands++)
        if (!(*commands)->hidden) names[n++] = (*commands)->name;
    return pk_suggest(word, names, n);
}

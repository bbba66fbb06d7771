#include "cli/example.h"

#include <string.h>

char *pk_example_line(const pk_command *command, const char *name, const pk_example *example,
                      char *out, size_t bytes) {
    char usual[80];
    const char *line = example->line;
    int n = snprintf(usual, sizeof usual, "perfkit %s", command->name);
    size_t length = n > 0 && (size_t)n < sizeof usual ? (size_t)n : 0;
    if (length && strncmp(line, usual, length) == 0 && (line[length] == ' ' || !line[length]))
        snprintf(out, bytes, "%s%s", name, line + length);
    else snprintf(out, bytes, "%s", line);
    return out;
}

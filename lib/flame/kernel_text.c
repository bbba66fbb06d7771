#include "flame/kernel_text.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"

enum { LINE_BYTES = 512 };

/* "ffffffff81000000 T _text" and nothing behind it. */
static bool is_symbol(const char *line, const char *name, uint64_t *address) {
    size_t n = strcspn(line, "\n"), digits = pk_hex(line, n, address), length = strlen(name);
    return digits > 0 && n == digits + 3 + length && line[digits] == ' ' &&
           line[digits + 2] == ' ' && memcmp(line + digits + 3, name, length) == 0;
}

bool pk_kernel_text_find(const char *path, uint64_t *address) {
    FILE *file = fopen(path, "re");
    if (!file) return false;
    char line[LINE_BYTES];
    bool found = false;
    uint64_t value = 0;
    while (!found && fgets(line, sizeof line, file))
        found = is_symbol(line, "_text", &value) || is_symbol(line, "_stext", &value);
    fclose(file);
    if (!found || value == 0) return false;
    *address = value;
    return true;
}

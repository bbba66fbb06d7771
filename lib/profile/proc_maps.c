#include "profile/proc_maps.h"

#include <string.h>

#include "base/hex.h"

typedef struct cursor {
    const char *at, *end;
} cursor;

static bool take_char(cursor *c, char expected) {
    if (c->at == c->end || *c->at != expected) return false;
    c->at++;
    return true;
}

static bool take_hex(cursor *c, uint64_t *value) {
    size_t n = pk_hex(c->at, (size_t)(c->end - c->at), value);
    c->at += n;
    return n > 0;
}

static bool take_decimal(cursor *c, uint64_t *value) {
    uint64_t sum = 0;
    const char *begin = c->at;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
        if (__builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, (unsigned)(*c->at - '0'), &sum))
            return false;
    *value = sum;
    return c->at > begin;
}

/* "r-xp": the third letter. */
static bool take_permissions(cursor *c, bool *executable) {
    if (c->end - c->at < 4) return false;
    *executable = c->at[2] == 'x';
    c->at += 4;
    return true;
}

/* BEGIN-END PERMISSIONS OFFSET MAJOR:MINOR INODE, blanks, NAME; the line ends with a NUL. */
static bool parse_line(const char *line, size_t n, pk_proc_map *map) {
    cursor c = {line, line + n};
    uint64_t major, minor;
    *map = (pk_proc_map){0};
    if (!take_hex(&c, &map->begin) || !take_char(&c, '-') || !take_hex(&c, &map->end) ||
        !take_char(&c, ' ') || !take_permissions(&c, &map->executable) || !take_char(&c, ' ') ||
        !take_hex(&c, &map->offset) || !take_char(&c, ' ') || !take_hex(&c, &major) ||
        !take_char(&c, ':') || !take_hex(&c, &minor) || !take_char(&c, ' ') ||
        !take_decimal(&c, &map->inode))
        return false;
    if (map->end <= map->begin || major > UINT32_MAX || minor > UINT32_MAX) return false;
    while (take_char(&c, ' ')) {
    }
    map->major = (uint32_t)major;
    map->minor = (uint32_t)minor;
    map->file = c.at < c.end && *c.at ? c.at : "//anon";
    return true;
}

bool pk_proc_maps_parse(char *text, size_t bytes, pk_maps_visitor *each, void *context,
                        pk_err *err) {
    for (char *line = text, *end = text + bytes, *next; line < end; line = next) {
        char *newline = memchr(line, '\n', (size_t)(end - line));
        if (!newline) return true; /* the last line has one, unless it was cut */
        *newline = '\0';
        next = newline + 1;
        pk_proc_map map;
        if (parse_line(line, (size_t)(newline - line), &map) && map.executable &&
            !each(context, &map, err))
            return false;
    }
    return true;
}

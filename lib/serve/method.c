#include <string.h>
#include "serve/server.h"

static const struct method_row {
    unsigned method;
    const char *name;
} methods[] = {
    {PK_GET, "GET"},         {PK_HEAD, "HEAD"},   {PK_POST, "POST"},
    {PK_PUT, "PUT"},         {PK_PATCH, "PATCH"}, {PK_DELETE, "DELETE"},
    {PK_OPTIONS, "OPTIONS"}, {PK_TRACE, "TRACE"}, {PK_CONNECT, "CONNECT"},
};
enum { METHODS = sizeof methods / sizeof *methods };

unsigned pk_method_of(const char *name) {
    for (size_t i = 0; i < METHODS; i++)
        if (strcmp(name, methods[i].name) == 0) return methods[i].method;
    return PK_UNKNOWN;
}

const char *pk_method_name(unsigned method) {
    for (size_t i = 0; i < METHODS; i++)
        if (methods[i].method == method) return methods[i].name;
    return "";
}

char *pk_methods_list(unsigned set, char out[PK_METHODS_LIST_MAX]) {
    size_t length = 0;
    set |= PK_OPTIONS;
    for (size_t i = 0; i < METHODS; i++) {
        if (!(set & methods[i].method)) continue;
        if (length) {
            memcpy(out + length, ", ", 2);
            length += 2;
        }
        size_t bytes = strlen(methods[i].name);
        memcpy(out + length, methods[i].name, bytes);
        length += bytes;
    }
    out[length] = '\0';
    return out;
}

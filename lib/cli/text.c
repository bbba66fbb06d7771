#include "cli/text.h"

#include <stdbool.h>
#include <string.h>

static size_t width_of(const char *text, size_t bytes) {
    size_t width = 0;
    for (size_t i = 0; i < bytes; i++) width += ((unsigned char)text[i] & 0xC0) != 0x80;
    return width;
}

size_t pk_text_width(const char *text) {
    return width_of(text, strlen(text));
}

void pk_text_wrap(FILE *out, const char *text, size_t at, size_t indent, size_t columns) {
    size_t column = at;
    bool first = true;
    for (text += strspn(text, " \n"); *text; text += strspn(text, " \n")) {
        size_t bytes = strcspn(text, " \n");
        size_t width = width_of(text, bytes);
        if (!first && column + 1 + width > columns) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!first) {
            fputc(' ', out);
            column++;
        }
        fwrite(text, 1, bytes, out);
        column += width;
        text += bytes;
        first = false;
    }
    fputc('\n', out);
}

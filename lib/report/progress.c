#include "report/progress.h"

#include <string.h>
#include <sys/ioctl.h>
#include "report/escape.h"
#include "report/utf8.h"

int pk_terminal_columns(int fd, int fallback) {
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return fallback;
    return size.ws_col;
}

int pk_display_width(const char *text) {
    int cells;
    pk_utf8_fit(text, strlen(text), INT32_MAX, &cells);
    return cells;
}

pk_progress pk_progress_open(FILE *out, bool is_tty) {
    pk_progress progress = {.out = is_tty ? out : NULL, .columns = 80};
    if (progress.out) progress.columns = pk_terminal_columns(fileno(out), progress.columns);
    return progress;
}

#define ERASE_LINE "\r\033[K"

void pk_progress_show(pk_progress *progress, const char *text) {
    enum { LINE_BYTES_MAX = 4096 };
    if (!progress->out) return;
    progress->columns = pk_terminal_columns(fileno(progress->out), progress->columns);
    pk_strbuf line;
    pk_strbuf_init(&line, LINE_BYTES_MAX);
    pk_escape_terminal(&line, text, strlen(text));
    /* the last column stays free: some terminals wrap as soon as it is written */
    int cells;
    size_t bytes = pk_utf8_fit(line.data, line.length, progress->columns - 1, &cells);
    fprintf(progress->out, ERASE_LINE "%.*s", (int)bytes, line.data);
    fflush(progress->out);
    pk_strbuf_fini(&line);
    progress->drawn = true;
}

void pk_progress_close(pk_progress *progress) {
    if (progress->out && progress->drawn) {
        fputs(ERASE_LINE, progress->out);
        fflush(progress->out);
    }
    progress->drawn = false;
}

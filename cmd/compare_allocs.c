/* perfkit compare, where what is compared are results of perfkit alloc. */
#include "cmd/compare_allocs.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "alloc/change.h"
#include "base/file.h"
#include "base/units.h"
#include "cmd/terminal.h"

#define EXIT_WRONG 2
#define KIND_BYTES 4096
#define JSON_BYTES_MAX ((size_t)1 << 30)
#define SVG_BYTES_MAX ((size_t)1 << 30)
#define SUBTITLE_MAX 512

bool compare_is_alloc(const char *path) {
    char text[KIND_BYTES];
    ssize_t n = -1;
    int fd = strcmp(path, "-") == 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return false;
    if (lseek(fd, 0, SEEK_CUR) == 0) n = read(fd, text, sizeof text);
    close(fd);
    return n > 0 && pk_alloc_is_json(text, (size_t)n);
}

static bool read_side(const char *path, pk_alloc_result *result, pk_err *err) {
    pk_strbuf text;
    pk_strbuf_init(&text, JSON_BYTES_MAX);
    bool ok = pk_file_read(path, JSON_BYTES_MAX, &text, err) &&
              pk_alloc_from_json(path, text.data, text.length, result, err);
    pk_strbuf_fini(&text);
    return ok;
}

static bool print(const compare_allocs_options *o, const pk_alloc_result sides[2], pk_err *err) {
    const pk_alloc_view view = {.rows = o->rows,
                                .colour = o->colour,
                                .width = isatty(STDOUT_FILENO) ? pk_help_columns(stdout) : 0};
    pk_alloc_changes changes;
    if (!pk_alloc_compare(&sides[0], &sides[1], (const char *const[2]){o->before, o->after},
                          (pk_alloc_by)o->by, (pk_alloc_weight)o->weight, &changes, err))
        return false;
    bool ok;
    if (o->json) {
        pk_json *document = pk_alloc_changes_json(&changes, o->rows, err);
        ok = document && pk_json_write(stdout, document, err);
        pk_json_free(document);
    } else {
        ok = pk_alloc_changes_text(stdout, &changes, &view, err);
    }
    pk_alloc_changes_fini(&changes);
    return ok;
}

static bool draw(const compare_allocs_options *o, const pk_alloc_result sides[2], pk_err *err) {
    char subtitle[SUBTITLE_MAX], size[PK_FORMAT_MAX];
    pk_strbuf svg;
    snprintf(subtitle, sizeof subtitle, "%.200s, against %.200s", o->after, o->before);
    pk_strbuf_init(&svg, SVG_BYTES_MAX);
    bool ok = pk_alloc_changes_flame(&sides[0], &sides[1], (pk_alloc_weight)o->weight, subtitle,
                                     &svg, err) &&
              pk_file_replace(o->output, svg.data, svg.length, err);
    if (ok && strcmp(o->output, "-") != 0)
        fprintf(stderr, "%s: %s\n", o->output,
                pk_format_bytes(size, sizeof size, (double)svg.length));
    pk_strbuf_fini(&svg);
    return ok;
}

int compare_allocs(const compare_allocs_options *options, pk_err *err) {
    pk_alloc_result sides[2] = {0};
    bool ok = read_side(options->before, &sides[0], err) &&
              read_side(options->after, &sides[1], err) && print(options, sides, err) &&
              (!options->output || draw(options, sides, err));
    for (int i = 0; i < 2; i++) pk_alloc_fini(&sides[i]);
    return ok ? 0 : EXIT_WRONG;
}

#include "flame/saved_file.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#define KIND_BYTES 8192
#define SVG_BYTES_MAX ((size_t)1 << 30)
#define NOTES_MAX 1024

pk_saved_kind pk_saved_file_kind(const char *path) {
    char text[KIND_BYTES];
    ssize_t n = -1;
    int fd = strcmp(path, "-") == 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return PK_SAVED_UNKNOWN;
    if (lseek(fd, 0, SEEK_CUR) == 0) n = read(fd, text, sizeof text);
    close(fd);
    return n > 0 ? pk_saved_kind_of(text, (size_t)n) : PK_SAVED_UNKNOWN;
}

static bool read_svg(const char *path, const pk_flame_options *options, pk_flame_result *result,
                     pk_err *err) {
    *result = (pk_flame_result){.notes = PK_ARRAY(pk_flame_note, NOTES_MAX)};
    if (!pk_profile_init(&result->profile, 1, options->collapse.in_order, err)) return false;
    pk_strbuf text;
    pk_strbuf_init(&text, SVG_BYTES_MAX);
    bool ok = pk_file_read(path, SVG_BYTES_MAX, &text, err) &&
              pk_saved_add(&result->profile, path, text.data, text.length, err);
    pk_strbuf_fini(&text);
    return ok;
}

bool pk_flame_run_file(const char *path, const pk_flame_options *options,
                       const pk_interrupt *interrupt, pk_flame_result *result, pk_err *err) {
    pk_flame_options input = *options;
    pk_saved_kind kind = pk_saved_file_kind(path);
    if (kind == PK_SAVED_SVG) return read_svg(path, options, result, err);
    input.perf_data = NULL;
    input.inputs = (pk_text_list){0};
    if (kind == PK_SAVED_PERF_DATA) input.perf_data = path;
    else input.inputs = (pk_text_list){.items = &path, .count = 1};
    return pk_flame_run(&input, interrupt, result, err);
}

/* perfkit time: results in files. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cmd/output.h"
#include "cmd/time_cli.h"

#define TEXT_BYTES_MAX (1u << 30)

static bool is_stdout(const char *path) {
    return strcmp(path, "-") == 0;
}

/* The parser has looked at what is there already. */
static bool make_file(const char *path, pk_err *err) {
    struct stat st;
    if (!path || is_stdout(path) || stat(path, &st) == 0) return true;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd >= 0 && close(fd) == 0) return true;
    pk_fail(err, PK_E_SYS, path, "cannot create this file");
    pk_fix(err, "choose another place");
    return false;
}

bool time_exports_begin(const time_cli *cli, pk_err *err) {
    for (size_t i = 0; i < PK_EXPORTS; i++)
        if (!make_file(cli->exports[i], err)) return false;
    return make_file(cli->page, err);
}

static bool write_file(const char *path, const pk_strbuf *text, pk_err *err) {
    if (pk_strbuf_ok(text)) return output_write(path, text->data, text->length, err);
    pk_fail(err, PK_E_LIMIT, path, "no memory for the results");
    return false;
}

bool time_exports_write(const time_cli *cli, const time_plan *plan, const pk_command_report *report,
                        pk_err *err) {
    bool ok = true;
    for (size_t i = 0; i < PK_EXPORTS && ok; i++) {
        if (!cli->exports[i] || is_stdout(cli->exports[i])) continue;
        pk_strbuf text;
        pk_strbuf_init(&text, TEXT_BYTES_MAX);
        ok = pk_command_export_text(report, (pk_command_export)i, &plan->style, &text, err) &&
             write_file(cli->exports[i], &text, err);
        pk_strbuf_fini(&text);
    }
    return ok;
}

/* hyperfine's order: by the names of the options. */
static bool print_exports(const time_cli *cli, const time_plan *plan,
                          const pk_command_report *report, pk_err *err) {
    static const pk_command_export order[] = {PK_EXPORT_ASCIIDOC, PK_EXPORT_CSV,
                                              PK_EXPORT_CSV_RUNS, PK_EXPORT_JSON,
                                              PK_EXPORT_MARKDOWN, PK_EXPORT_ORG};
    bool ok = true;
    for (size_t i = 0; i < PK_EXPORTS && ok; i++) {
        const char *path = cli->exports[order[i]];
        if (!path || !is_stdout(path)) continue;
        pk_strbuf text;
        pk_strbuf_init(&text, TEXT_BYTES_MAX);
        ok = pk_command_export_text(report, order[i], &plan->style, &text, err);
        if (ok) printf("\n%s\n", text.data); /* main checks stdout at the end */
        pk_strbuf_fini(&text);
    }
    return ok;
}

static bool print_json(const pk_command_report *report, pk_err *err) {
    pk_strbuf text;
    pk_strbuf_init(&text, TEXT_BYTES_MAX);
    bool ok = pk_command_json(report, &text, err);
    if (ok) fwrite(text.data, 1, text.length, stdout);
    pk_strbuf_fini(&text);
    return ok;
}

static bool write_page(const char *path, const pk_command_report *report, pk_err *err) {
    pk_strbuf text;
    pk_strbuf_init(&text, TEXT_BYTES_MAX);
    bool ok = pk_command_page(report, &text, err);
    if (ok && is_stdout(path)) fwrite(text.data, 1, text.length, stdout);
    else ok = ok && write_file(path, &text, err);
    pk_strbuf_fini(&text);
    return ok;
}

bool time_exports_end(const time_cli *cli, const time_plan *plan, const pk_command_report *report,
                      pk_err *err) {
    if (cli->json && !print_json(report, err)) return false;
    if (!print_exports(cli, plan, report, err)) return false;
    return !cli->page || write_page(cli->page, report, err);
}

/* perfkit bench --init: writes an example of all that a benchmark can have. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/embed.h"
#include "base/file.h"
#include "bench/compile.h"
#include "cmd/bench_cli.h"

PK_EMBED(bench_example, "lib/bench/example/bench_example.c");

#define DEFAULT_NAME "bench_example.c"

static bool create(const char *name, pk_err *err) {
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno == EEXIST) {
        pk_fail(err, PK_E_USAGE, name, "it is there already");
        pk_fix(err, "give another name: perfkit bench --init FILE.c");
        return false;
    }
    bool ok =
        fd >= 0 && pk_fd_write_all(fd, pk_embed_data(bench_example), pk_embed_bytes(bench_example));
    if (fd >= 0) ok = close(fd) == 0 && ok;
    if (ok) return true;
    pk_fail(err, PK_E_SYS, name, "cannot write it");
    pk_fix(err, "check the folder, its permissions and the room there");
    if (fd >= 0) unlink(name);
    return false;
}

bool bench_init(const bench_cli *cli, pk_err *err) {
    const char *name = cli->words.count > 0 ? cli->words.items[0] : DEFAULT_NAME;
    if (cli->words.count > 1 || !pk_compile_takes(name)) {
        pk_fail(err, PK_E_USAGE, "--init", "it takes the name of one source to write");
        pk_fix(err, "write perfkit bench --init " DEFAULT_NAME);
        return false;
    }
    if (!create(name, err)) return false;
    if (!cli->quiet) fprintf(stderr, "wrote %s; `perfkit bench %s` runs it\n", name, name);
    return true;
}

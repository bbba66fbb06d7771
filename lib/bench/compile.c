#include "bench/compile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/array.h"
#include "base/embed.h"
#include "base/file.h"
#include "base/process.h"
#include "bench/toolchain.h"

PK_EMBED(pk_bench_header, "lib/bench/perfkit.h");

enum {
    WORDS_MAX = 4096,
    PATH_BYTES = 4096,
    HEADER_BYTES = PATH_BYTES + 16,
    STOP_GRACE_NS = 1000000000
};

/* ---- what is a source ---- */

static bool ends_in(const char *path, const char *suffix) {
    size_t length = strlen(path), own = strlen(suffix);
    return length > own && strcmp(path + length - own, suffix) == 0;
}

bool pk_compile_is_cplusplus(const char *path) {
    return ends_in(path, ".cc") || ends_in(path, ".cpp") || ends_in(path, ".cxx");
}

bool pk_compile_takes(const char *path) {
    return ends_in(path, ".c") || pk_compile_is_cplusplus(path);
}

/* ---- one run of the compiler ---- */

/* argv: words of the compiler, then the rest in the order given. */
typedef struct command {
    pk_array argv;   /* char * */
    char *blocks[3]; /* what pk_words_split allocated */
    size_t n_blocks;
    bool failed;
} command;

static void add(command *c, const char *word) {
    char **at = pk_array_push(&c->argv);
    if (at) *at = (char *)(uintptr_t)word; /* argv is not written to */
    else c->failed = true;
}

static bool add_words(command *c, const char *text, pk_err *err) {
    char **words = pk_words_split(text, err);
    if (!words) return false;
    c->blocks[c->n_blocks++] = (char *)words;
    for (char **word = words; *word; word++) add(c, *word);
    return true;
}

/* Of the linker alone, to which some compilers object when they do not link; *pair: so is the next
 * word. */
static bool is_of_linker(const char *word, bool *pair) {
    *pair = strcmp(word, "-l") == 0 || strcmp(word, "-L") == 0 || strcmp(word, "-Xlinker") == 0;
    if (word[0] != '-') return ends_in(word, ".a") || ends_in(word, ".o") || ends_in(word, ".so");
    return *pair || strncmp(word, "-l", 2) == 0 || strncmp(word, "-L", 2) == 0 ||
           strncmp(word, "-Wl,", 4) == 0;
}

static bool add_cflags(command *c, const char *text, bool linking, pk_err *err) {
    char **words = pk_words_split(text, err);
    if (!words) return false;
    c->blocks[c->n_blocks++] = (char *)words;
    for (char **word = words; *word; word++) {
        bool pair;
        if (linking || !is_of_linker(*word, &pair)) add(c, *word);
        else if (pair && word[1]) word++;
    }
    return true;
}

static void end_command(command *c) {
    pk_array_fini(&c->argv);
    for (size_t i = 0; i < c->n_blocks; i++) free(c->blocks[i]);
}

/* Appends what was printed, as far as there is room. */
static void keep_output(int fd, pk_strbuf *messages) {
    char buffer[4096];
    size_t room = messages->max_bytes - messages->length;
    off_t at = 0;
    for (ssize_t n; room && (n = pread(fd, buffer, sizeof buffer, at)) > 0; at += n) {
        size_t bytes = (size_t)n < room ? (size_t)n : room;
        pk_strbuf_add(messages, buffer, bytes);
        room -= bytes;
    }
}

static bool judge(const char *what, const char *name, bool ended, const pk_exit *exit,
                  pk_err *err) {
    if (ended && exit->code == 0) return true;
    if (!ended) {
        pk_fail(err, PK_E_LIMIT, name, "%s takes too long", what);
        pk_fix(err, "make the source smaller, or compile it yourself and give the FILE.so");
    } else if (exit->signal) {
        pk_fail(err, PK_E_INPUT, name, "%s: the compiler died of signal %d", what, exit->signal);
        pk_fix(err, "see what it printed");
    } else {
        pk_fail(err, PK_E_INPUT, name, "%s failed", what);
        pk_fix(err, "mend what the compiler complains about");
    }
    return false;
}

static bool run(command *c, const char *what, const pk_compile_options *options, int output,
                pk_err *err) {
    pk_spawn_options spawn = PK_SPAWN_DEFAULT;
    pk_process process;
    pk_exit exit = {0};
    spawn.stdout_fd = spawn.stderr_fd = output;
    spawn.own_group = true;
    if (!pk_process_spawn(c->argv.items, &spawn, &process, err)) return false;
    bool ended = pk_process_wait(&process, options->timeout_ns, &exit);
    if (!ended) pk_process_stop(&process, true, STOP_GRACE_NS, &exit);
    return judge(what, options->source, ended, &exit, err);
}

static const char *compiler_of(const pk_compile_options *options) {
    if (options->compiler) return options->compiler;
    return pk_compile_is_cplusplus(options->source) ? "c++" : "cc";
}

static const char *cflags_of(const pk_compile_options *options) {
    return options->cflags ? options->cflags : "-O2";
}

typedef enum run_kind { COMPILING, LINKING, MERGING } run_kind;

/* Runs the compiler with `before`, the user's cflags, `after` (both ended by NULL). What it prints
 * is appended to *messages, cut where that is full. */
static bool run_compiler(run_kind kind, const pk_compile_options *options,
                         const char *const before[], const char *const after[], pk_strbuf *messages,
                         pk_err *err) {
    static const char *const names[] = {"compiling", "linking", "linking its sources"};
    command c = {.argv = PK_ARRAY(char *, WORDS_MAX)};
    bool ok = add_words(&c, compiler_of(options), err);
    if (ok && c.argv.count == 0) {
        pk_fail(err, PK_E_USAGE, NULL, "the compiler has no name");
        pk_fix(err, "leave it out for cc");
        ok = false;
    }
    for (; ok && *before; before++) add(&c, *before);
    ok = ok && (kind == MERGING || add_cflags(&c, cflags_of(options), kind == LINKING, err));
    for (; ok && *after; after++) add(&c, *after);
    add(&c, NULL);
    int output = memfd_create("messages", MFD_CLOEXEC);
    if (ok && (c.failed || output < 0)) {
        pk_fail(err, PK_E_LIMIT, options->source, "no memory to start the compiler");
        pk_fix(err, "give fewer flags, or free some memory");
        ok = false;
    }
    ok = ok && run(&c, names[kind], options, output, err);
    if (output >= 0) {
        keep_output(output, messages);
        close(output);
    }
    end_command(&c);
    return ok;
}

/* ---- compiling ---- */

/* A folder of its own for perfkit.h, beside `object`. */
static bool make_include(const char *object, char folder[PATH_BYTES], char header[HEADER_BYTES],
                         pk_err *err) {
    const char *slash = strrchr(object, '/');
    int length = slash ? (int)(slash - object) : 1;
    int n = snprintf(folder, PATH_BYTES, "%.*s/include-XXXXXX", length, slash ? object : ".");
    if (n < 0 || n >= PATH_BYTES - 16 || !mkdtemp(folder)) {
        pk_fail(err, PK_E_SYS, object, "cannot make a folder beside it");
        pk_fix(err, "check the permissions and the room there");
        return false;
    }
    snprintf(header, HEADER_BYTES, "%s/perfkit.h", folder);
    if (pk_file_replace(header, pk_embed_data(pk_bench_header), pk_embed_bytes(pk_bench_header),
                        err))
        return true;
    rmdir(folder);
    return false;
}

/* The compiler would take it for an option. */
static const char *safe_path(const char *path, char buffer[PATH_BYTES]) {
    if (path[0] != '-') return path;
    snprintf(buffer, PATH_BYTES, "./%s", path);
    return buffer;
}

static bool compile(const pk_compile_options *options, const char *include, const char *object,
                    pk_strbuf *messages, pk_err *err) {
    char buffer[PATH_BYTES];
    const char *const head[] = {"-fvisibility=hidden", "-I", include, NULL};
    /* One section per function is what a layout permutes, so no link-time optimisation. */
    const char *const tail[] = {"-fPIC",
                                "-ffunction-sections",
                                "-fno-lto",
                                "-c",
                                "-o",
                                object,
                                safe_path(options->source, buffer),
                                NULL};
    return run_compiler(COMPILING, options, head, tail, messages, err);
}

bool pk_toolchain_link(const pk_compile_options *options, const char *object, const char *script,
                       const char *shared, pk_strbuf *messages, pk_err *err) {
    const char *const head[] = {"-shared", object, NULL};
    const char *const tail[] = {
        "-fno-lto", "-Wl,-z,now", "-o", shared, script ? "-T" : "-Wl,-z,defs", script, NULL};
    return run_compiler(LINKING, options, head, tail, messages, err);
}

bool pk_compile_link(const pk_compile_options *options, const char *object, const char *shared,
                     pk_strbuf *messages, pk_err *err) {
    return pk_toolchain_link(options, object, NULL, shared, messages, err);
}

bool pk_compile_merge(const pk_compile_options *options, const char *const objects[],
                      const char *merged, pk_strbuf *messages, pk_err *err) {
    const char *const head[] = {"-r", "-nostdlib", "-o", merged, NULL};
    return run_compiler(MERGING, options, head, objects, messages, err);
}

bool pk_compile_object(const pk_compile_options *options, const char *object, pk_strbuf *messages,
                       pk_err *err) {
    char include[PATH_BYTES], header[HEADER_BYTES];
    if (!make_include(object, include, header, err)) return false;
    bool ok = compile(options, include, object, messages, err);
    unlink(header);
    rmdir(include);
    return ok;
}

/* main: which tool was called, by which name; errors become one line and an exit code here. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/suggest.h"
#include "base/version.h"
#include "cli/help.h"
#include "cmd/commands.h"
#include "cmd/terminal.h"

#define EXIT_WRONG 2

typedef struct call {
    const pk_command *command; /* NULL: none named */
    bool by_link;              /* argv[0] named the tool */
    const char *peer;          /* the peer's name that the link has, or NULL */
    char name[80];             /* "perfkit load", "oha" */
    int argc;                  /* the words after the tool's name */
    char **argv;
} call;

/* A closed stdin, stdout or stderr would give its number to the next file that is opened, and what
 * is printed would go there. Opened the wrong way round, so that using it is still an error. */
static void keep_standard_files(void) {
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) >= 0) continue;
        int opened = open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
        if (opened != fd) _exit(EXIT_WRONG);
    }
}

static void print_error(const call *c, const pk_err *err) {
    char text[PK_ERR_LINE_MAX];
    const char *prefix = c->name;
    pk_err_format(err, text, sizeof text);
    if (c->peer) prefix = err->kind == PK_E_USAGE ? "error" : "Error";
    fprintf(stderr, "%s: %s\n", prefix, text);
}

static int exit_code(const call *c, const pk_err *err) {
    if (!c->peer || !c->command) return EXIT_WRONG;
    int code = err->kind == PK_E_USAGE ? c->command->peer_usage_exit : c->command->peer_setup_exit;
    return code ? code : EXIT_WRONG;
}

static int fail(const call *c, const pk_err *err) {
    print_error(c, err);
    return exit_code(c, err);
}

static void show_help(const call *c, FILE *out) {
    int columns = pk_help_columns(out);
    bool colour = pk_terminal_colour(out, PK_COLOUR_AUTO);
    if (c->command) pk_help_command(out, c->command, c->name, columns, colour);
    else pk_help_tools(out, pk_commands, columns, colour);
}

static void show_version(const call *c) {
    if (c->peer) printf("%s (perfkit %s)\n", c->peer, PK_VERSION);
    else printf("perfkit %s\n", PK_VERSION);
}

static int run_parsed(const call *c) {
    pk_err err = {0};
    pk_parsed parsed;
    void *options = calloc(1, c->command->options_bytes + 1);
    if (!options) {
        pk_fail(&err, PK_E_LIMIT, NULL, "out of memory");
        return fail(c, &err);
    }
    int code = 0;
    if (!pk_cli_parse(c->command, c->name, c->argc, c->argv, options, &parsed, &err)) {
        free(options);
        return fail(c, &err);
    }
    if (parsed.help) {
        show_help(c, stdout);
    } else if (parsed.version) {
        show_version(c);
    } else {
        pk_invocation invocation = {
            .name = c->name, .as_peer = c->peer != NULL, .peer = c->peer, .parsed = &parsed};
        code = c->command->run(&invocation, options, &err);
        if (err.kind != PK_OK) code = fail(c, &err);
    }
    pk_parsed_fini(&parsed);
    free(options);
    return code;
}

static int run_words(const call *c) {
    pk_err err = {0};
    int code = c->command->run_words(c->argc, c->argv, &err);
    return err.kind != PK_OK ? fail(c, &err) : code;
}

static int run_tool(const call *c) {
    const char *first = c->argc > 0 ? c->argv[0] : "";
    bool plain_completion = strcmp(first, pk_cmd_complete.name) == 0;
    if (c->by_link && (plain_completion || strcmp(first, pk_cmd_complete_no_desc.name) == 0))
        return pk_cmd_answer_completion(c->command, plain_completion, c->argc - 1, c->argv + 1);
    if (c->command->run_words) return run_words(c);
    if (c->peer && c->argc == 0 && c->command->bare_shows_help) {
        show_help(c, stderr);
        return c->command->peer_usage_exit ? c->command->peer_usage_exit : EXIT_WRONG;
    }
    if (!c->peer && !c->command->hidden && c->argc == 1 && strcmp(first, "help") == 0) {
        show_help(c, stdout);
        return 0;
    }
    return run_parsed(c);
}

/* No tool was named by a link: the first word names it. */
static int run_named(call *c) {
    static const char *const own_options[] = {"help", "version"};
    pk_err err = {0};
    const char *word = c->argc > 0 ? c->argv[0] : "--help";
    if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
        show_help(c, stdout);
        return 0;
    }
    if (strcmp(word, "-V") == 0 || strcmp(word, "--version") == 0) {
        show_version(c);
        return 0;
    }
    c->command = pk_cli_find_command(pk_commands, word);
    if (c->command) {
        snprintf(c->name, sizeof c->name, "perfkit %s", c->command->name);
        c->argc--;
        c->argv++;
        return run_tool(c);
    }
    const char *near = word[0] == '-' ? pk_suggest(word + strspn(word, "-"), own_options, 2)
                                      : pk_cli_suggest_command(pk_commands, word);
    const pk_command *peer = pk_cli_find_peer(pk_commands, word);
    pk_fail(&err, PK_E_USAGE, NULL, "unknown %s %s", word[0] == '-' ? "option" : "tool", word);
    if (peer) pk_fix(&err, "perfkit %s does what it does", peer->name);
    else if (near) pk_fix(&err, "did you mean %s%s?", word[0] == '-' ? "--" : "perfkit ", near);
    else pk_fix(&err, "perfkit help lists the tools");
    return fail(c, &err);
}

/* "perfkit-load" and "oha" are load; any other name is perfkit itself. */
static void read_own_name(call *c, const char *path) {
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    base += *base == '-'; /* a login shell's sign */
    const pk_command *command = NULL;
    if (strncmp(base, "perfkit-", 8) == 0) command = pk_cli_find_command(pk_commands, base + 8);
    if (command) {
        c->command = command;
    } else if ((command = pk_cli_find_peer(pk_commands, base))) {
        c->command = command;
        c->peer = base;
    }
    c->by_link = c->command != NULL;
    snprintf(c->name, sizeof c->name, "%s", c->by_link ? base : "perfkit");
}

/* Writing to a closed pipe is to be an error of write, not the end of the process. */
static void ignore_sigpipe(void) {
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
}

/* Nobody reads the pipe any more. */
static bool is_pipe_closed(void) {
    struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&p, 1, 0) == 1 && (p.revents & POLLERR);
}

/* What stands in a buffer can still fail to be written: a full disk must not look like success. */
static int finish(const call *c, int code) {
    pk_err err = {0};
    bool earlier = ferror(stdout);
    bool is_closed = is_pipe_closed(); /* cannot be asked once stdout is closed */
    errno = 0;
    bool now = fflush(stdout) != 0 || fclose(stdout) != 0;
    if (!earlier && !now) return code;
    if (errno == EPIPE || is_closed) return code; /* `| head` has read enough */
    pk_fail(&err, errno ? PK_E_SYS : PK_E_LIMIT, "standard output", "cannot write everything");
    pk_fix(&err, "make room there, or send the output elsewhere");
    return fail(c, &err); /* whatever the verdict was: nobody could read it */
}

int main(int argc, char **argv) {
    call c = {.argc = argc > 0 ? argc - 1 : 0, .argv = argv + 1};
    keep_standard_files();
    ignore_sigpipe();
    read_own_name(&c, argc > 0 ? argv[0] : "perfkit");
    return finish(&c, c.by_link ? run_tool(&c) : run_named(&c));
}

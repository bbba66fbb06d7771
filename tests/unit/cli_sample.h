/* A tool with a row of every kind, for the tests of lib/cli and its fuzz targets. */
#ifndef PK_TESTS_UNIT_CLI_SAMPLE_H
#define PK_TESTS_UNIT_CLI_SAMPLE_H

#include <string.h>
#include "cli/command.h"
#include "cli/complete.h"

typedef struct sample_options {
    bool wait, insecure, quiet, secret_mode;
    int verbose;
    int64_t depth;
    uint64_t connections, duration_ns, size_bytes;
    double rate_hz, share;
    int format, colour;
    const char *text, *socket, *body_file, *dir, *output, *auth, *cacert;
    pk_text_list headers;
    int64_t pid;
    const char *url;
    pk_text_list more;
} sample_options;

static const char *const sample_formats[] = {"text", "json", "quiet", NULL};
static const char *const sample_format_help[] = {"for people", "for scripts", "nothing at all",
                                                 NULL};
static const char *const sample_whens[] = {"auto", "always", "never", NULL};

/* What a broken machine might offer. */
static void sample_complete_url(pk_choices *choices) {
    pk_choices_nospace(choices);
    pk_choices_add(choices, "http://127.0.0.1:3000/", "perf\nkit\033[31m\tserver\177");
    pk_choices_add(choices, "http://127.0.0.1:3000/", "the same again");
    pk_choices_add(choices, "http://[::1]:3001/", NULL);
    pk_choices_add(choices, "htt\np://x/", "a name with a line break");
    pk_choices_add(choices, "", "nothing");
}

/* Always the same: real processes come and go between two answers. */
static void sample_complete_pid(pk_choices *choices) {
    pk_choices_keep_order(choices);
    pk_choices_add(choices, "4711", "burner --seconds 3");
    pk_choices_add(choices, "12", NULL);
}

static bool sample_check_url(const char *text, pk_err *err) {
    if (strncmp(text, "http://", 7) == 0) return true;
    pk_fail(err, PK_E_USAGE, NULL, "is no URL");
    pk_fix(err, "start it with http://");
    return false;
}

static int sample_run(const pk_invocation *invocation, const void *options, pk_err *err) {
    (void)invocation, (void)options, (void)err;
    return 0;
}

#define SAMPLE(member, type) .offset = PK_FIELD(sample_options, member, type)
// clang-format off
static const pk_opt sample_opts[] = {
    {.letter = 'c', .name = "connections", .kind = PK_OPT_COUNT, SAMPLE(connections, uint64_t),
     .arg = "number", .fallback = "50", .min = 1, .max = 100000, .help = "connections to open",
     .group = "Load"},
    {.letter = 'z', .name = "duration", .kind = PK_OPT_DURATION, SAMPLE(duration_ns, uint64_t),
     .arg = "duration", .min = 1000000, .max = 3600000000000, .help = "how long to send",
     .details = "What is in flight at the end is cut off.", .group = "Load", .conflicts = "depth"},
    {.letter = 'w', .name = "wait", .kind = PK_OPT_FLAG, SAMPLE(wait, bool), .needs = "duration",
     .help = "let running requests finish", .group = "Load"},
    {.letter = 'n', .name = "depth", .kind = PK_OPT_INT, SAMPLE(depth, int64_t), .arg = "number",
     .min = -5, .max = 5, .help = "how deep to go", .group = "Load"},
    {.letter = 'q', .name = "rate", .kind = PK_OPT_RATE, SAMPLE(rate_hz, double),
     .arg = "per second", .help = "requests per second", .group = "Load"},
    {.name = "share", .kind = PK_OPT_RATIO, SAMPLE(share, double), .arg = "share",
     .fallback = "0.5", .help = "share of bad ones", .group = "Load"},
    {.name = "size", .kind = PK_OPT_BYTES, SAMPLE(size_bytes, uint64_t), .arg = "size",
     .shown_default = "as large as fits", .min = 1024, .max = INT64_MAX,
     .help = "size of the buffer", .group = "Load"},
    {.letter = 'H', .name = "header", .kind = PK_OPT_TEXT_LIST, SAMPLE(headers, pk_text_list),
     .arg = "name: value", .fallback = "a: default", .help = "a header to send", .group = "Request"},
    {.letter = 'd', .name = "body", .kind = PK_OPT_TEXT, SAMPLE(text, const char *), .arg = "text",
     .help = "body to send", .group = "Request", .conflicts = "body-file"},
    {.letter = 'D', .name = "body-file", .kind = PK_OPT_FILE, SAMPLE(body_file, const char *),
     .arg = "file", .help = "file with the body", .group = "Request"},
    {.letter = 'a', .name = "auth", .kind = PK_OPT_TEXT, SAMPLE(auth, const char *),
     .arg = "user:password", .flags = PK_OPT_SECRET, .help = "basic authentication",
     .group = "Request"},
    {.name = "cacert", .kind = PK_OPT_FILE, SAMPLE(cacert, const char *), .arg = "file",
     .suffixes = "pem crt", .help = "certificate to trust", .group = "Request"},
    {.name = "socket", .kind = PK_OPT_TEXT, SAMPLE(socket, const char *), .arg = "path",
     .suffixes = "sock", .help = "socket to use", .group = "Request"},
    {.name = "static", .kind = PK_OPT_DIR, SAMPLE(dir, const char *), .arg = "directory",
     .help = "directory to serve", .group = "Request"},
    {.name = "output-format", .kind = PK_OPT_ENUM, SAMPLE(format, int), .arg = "format",
     .fallback = "text", .values = sample_formats, .value_help = sample_format_help,
     .aliases = "format fmt", .help = "what to print", .group = "Output"},
    {.letter = 'o', .name = "output", .kind = PK_OPT_OUTPUT, SAMPLE(output, const char *),
     .arg = "file", .fallback = "-", .help = "where to write it", .group = "Output"},
    {.name = "color", .kind = PK_OPT_ENUM, SAMPLE(colour, int), .arg = "when",
     .values = sample_whens, .help = "colour of the output", .group = "Output"},
    {.name = "insecure", .kind = PK_OPT_FLAG, SAMPLE(insecure, bool),
     .help = "accept any certificate", .group = "Load"},
    {.name = "quiet", .kind = PK_OPT_FLAG, SAMPLE(quiet, bool), .conflicts = "output-format",
     .help = "print nothing"},
    {.letter = 'v', .name = "verbose", .kind = PK_OPT_TALLY, SAMPLE(verbose, int),
     .help = "say more; twice for all"},
    {.name = "secret-mode", .kind = PK_OPT_FLAG, SAMPLE(secret_mode, bool),
     .flags = PK_OPT_HIDDEN, .help = "known to few"},
    {.letter = 'p', .name = "pid", .kind = PK_OPT_PID, SAMPLE(pid, int64_t), .arg = "pid",
     .complete = sample_complete_pid, .help = "process to watch"},
    {.name = "URL", .kind = PK_OPT_TEXT, SAMPLE(url, const char *),
     .flags = PK_OPT_POSITIONAL | PK_OPT_REQUIRED, .complete = sample_complete_url,
     .check = sample_check_url, .help = "where to send the requests"},
    {.name = "MORE", .kind = PK_OPT_TEXT_LIST, SAMPLE(more, pk_text_list),
     .flags = PK_OPT_POSITIONAL, .help = "more words"},
    {0},
};
static const pk_example sample_examples[] = {
    {"perfkit sample -z 3s http://127.0.0.1:3000", "send for three seconds"},
    {"perfkit sample -c 1 http://127.0.0.1:3000", "one connection"},
    {0},
};
static const char *const sample_peers[] = {"peer", NULL};
static const char *const sample_peer_exits[] = {"0 after every run."};
static const pk_section sample_sections[] = {
    {"NOTES", "A first paragraph.\n\n* an item\n\n  verbatim \\line\n  .second\n\n'quoted start"},
    {0},
};
// clang-format on

static const pk_command sample_command = {
    .name = "sample",
    .summary = "tool with a row of every kind",
    .usage = "[options] URL [MORE...]",
    .opts = sample_opts,
    .options_bytes = sizeof(sample_options),
    .examples = sample_examples,
    .sections = sample_sections,
    .peers = sample_peers,
    .peer_exits = sample_peer_exits,
    .run = sample_run,
};

typedef struct wrap_options {
    bool keep;
    const char *name;
    pk_text_list command;
} wrap_options;

// clang-format off
static const pk_opt wrap_opts[] = {
    {.letter = 'k', .name = "keep", .kind = PK_OPT_FLAG,
     .offset = PK_FIELD(wrap_options, keep, bool), .help = "keep what is there"},
    {.name = "NAME", .kind = PK_OPT_TEXT, .offset = PK_FIELD(wrap_options, name, const char *),
     .flags = PK_OPT_POSITIONAL, .help = "a name"},
    {.name = "COMMAND", .kind = PK_OPT_TEXT_LIST,
     .offset = PK_FIELD(wrap_options, command, pk_text_list),
     .flags = PK_OPT_POSITIONAL | PK_OPT_REST, .help = "command to run"},
    {0},
};
static const pk_example wrap_examples[] = {{"perfkit wrap -- sleep 1", "watch it sleep"}, {0}};
// clang-format on

static const pk_command wrap_command = {
    .name = "wrap",
    .summary = "runs a command",
    .usage = "[NAME] [-- COMMAND...]",
    .opts = wrap_opts,
    .options_bytes = sizeof(wrap_options),
    .examples = wrap_examples,
    .helper = true,
    .run = sample_run,
};

static int sample_run_words(int argc, char **argv, pk_err *err) {
    (void)argc, (void)argv, (void)err;
    return 0;
}

static const pk_command hidden_command = {
    .name = "__hidden",
    .summary = "not listed",
    .hidden = true,
    .helper = true,
    .run_words = sample_run_words,
};

static const pk_command *const sample_commands[] = {&sample_command, &wrap_command, &hidden_command,
                                                    NULL};

#endif

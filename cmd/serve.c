/* perfkit serve: the option table, and options -> run -> summary. */
#include <errno.h>
#include <stdio.h>

#include "base/interrupt.h"
#include "base/units.h"
#include "cmd/commands.h"
#include "cmd/terminal.h"
#include "serve/serve.h"

typedef struct serve_cli {
    pk_serve_options serve;
    int error_kind, color;
    bool quiet, verbose;
} serve_cli;

/* pk_serve_fault from 1 on, in its order. */
static const char *const error_kinds[] = {"500", "reset", "truncate", "hang", "slow", NULL};
static const char *const error_kind_help[] = {
    "an answer of status 500", "the connection is reset without an answer",
    "the body ends half-way",  "no answer until the client leaves",
    "a body that trickles",    NULL};
static const char *const color_values[] = {"auto", "always", "never", NULL};

#define OPTION(member, type) PK_FIELD(serve_cli, member, type)
#define LONGEST INT64_MAX

// clang-format off
static const pk_opt serve_opts[] = {
    {'l', "listen", PK_OPT_TEXT_LIST, OPTION(serve.listen, pk_text_list), .arg = "host:port",
     .shown_default = "127.0.0.1:3000", .help = "where to listen; may be given several times",
     .details = "PORT alone means 127.0.0.1, an IPv6 address stands in brackets, *:PORT is every IPv4 address. Port 0 "
                "takes a free one; the first line of the output says which. [::] is IPv6 alone.",
     .group = "Listening", .check = pk_serve_check_listen},
    {0, "unix-socket", PK_OPT_TEXT, OPTION(serve.unix_socket, const char *), .arg = "path",
     .help = "listen on a socket in the file system", .details = "Without --listen on that one alone. A socket that "
     "nobody listens on is replaced; it is removed at the end.", .group = "Listening", .suffixes = "sock"},
    {'t', "threads", PK_OPT_COUNT, OPTION(serve.threads, uint64_t), .arg = "count", .fallback = "1",
     .help = "threads that answer", .details = "One costs the least CPU per request; more use more cores.",
     .group = "Listening", .min = 1, .max = 256},
    {0, "max-connections", PK_OPT_COUNT, OPTION(serve.max_connections, uint64_t), .arg = "count",
     .shown_default = "what ulimit -n allows", .help = "connections open at once, over all listeners",
     .details = "Clients beyond it wait without an answer; "
                "a warning says so.", .group = "Listening", .min = 1, .max = 4000000},
    {0, "conn-memory", PK_OPT_BYTES, OPTION(serve.conn_memory_bytes, uint64_t), .arg = "bytes", .fallback = "4KiB",
     .help = "memory of each connection", .details = "Bounds the head of a request: from about three quarters of it on "
     "the answer is 431.", .group = "Listening", .min = 2048, .max = 16 << 20},
    {0, "backlog", PK_OPT_COUNT, OPTION(serve.backlog, uint64_t), .arg = "count", .fallback = "4096",
     .help = "connections that may wait to be accepted", .details = "The kernel caps it at net.core.somaxconn.",
     .group = "Listening", .min = 1, .max = 65535},

    {0, "tls", PK_OPT_FLAG, OPTION(serve.tls, bool), .help = "speak HTTPS",
     .details = "With a certificate made at the start, for localhost, 127.0.0.1 and ::1, unless --cert gives one; "
                "--verbose shows its fingerprint.", .group = "TLS"},
    {0, "cert", PK_OPT_FILE, OPTION(serve.cert, const char *), .arg = "file", .help = "certificate (PEM)",
     .group = "TLS", .needs = "key tls", .suffixes = "pem crt cer"},
    {0, "key", PK_OPT_FILE, OPTION(serve.key, const char *), .arg = "file", .help = "its private key (PEM)",
     .group = "TLS", .needs = "cert tls", .suffixes = "pem key"},

    {'b', "body", PK_OPT_TEXT, OPTION(serve.body, const char *), .arg = "text|@file", .shown_default = "Hello, World!",
     .help = "what / answers", .group = "Answer"},
    {0, "body-type", PK_OPT_TEXT, OPTION(serve.body_type, const char *), .arg = "type",
     .shown_default = "text/plain, or by the file's suffix", .help = "its Content-Type", .group = "Answer"},
    {'H', "header", PK_OPT_TEXT_LIST, OPTION(serve.headers, pk_text_list), .arg = "name: value",
     .help = "a field added to every answer of /", .group = "Answer", .check = pk_serve_check_header},
    {0, "status", PK_OPT_INT, OPTION(serve.status, int64_t), .arg = "code", .fallback = "200",
     .help = "the status of /", .group = "Answer", .min = 200, .max = 599},
    {'s', "static", PK_OPT_DIR, OPTION(serve.static_dir, const char *), .arg = "directory",
     .help = "serve the files below it",
     .details = "Where no endpoint has the name. / is its index.html unless --body is given. Names that begin with a "
                "dot are not served, nor is anything outside of the directory.", .group = "Answer"},
    {0, "no-date", PK_OPT_FLAG, OPTION(serve.no_date, bool), .help = "answers without a Date field", .group = "Answer"},

    {0, "error-rate", PK_OPT_RATIO, OPTION(serve.error_rate, double), .arg = "share", .fallback = "0",
     .help = "share of requests that fail (0.01, 1%)", .group = "Faults"},
    {0, "error-kind", PK_OPT_ENUM, OPTION(error_kind, int), .arg = "kind", .fallback = "500", .help = "how they fail",
     .group = "Faults", .values = error_kinds, .value_help = error_kind_help},
    {0, "delay", PK_OPT_DURATION, OPTION(serve.delay_ns, uint64_t), .arg = "duration", .fallback = "0s",
     .help = "wait before every answer", .group = "Faults", .max = 3600000000000},
    {0, "jitter", PK_OPT_DURATION, OPTION(serve.jitter_ns, uint64_t), .arg = "duration", .fallback = "0s",
     .help = "and up to so much longer, by chance", .group = "Faults", .max = 3600000000000},
    {0, "seed", PK_OPT_COUNT, OPTION(serve.seed, uint64_t), .arg = "number", .fallback = "1",
     .help = "for another course of chance", .details = "The same seed gives the same number of faults among the same "
     "number of requests, whatever their order.", .group = "Faults", .max = LONGEST},

    {0, "drain", PK_OPT_DURATION, OPTION(serve.drain_ns, uint64_t), .arg = "duration", .fallback = "5s",
     .help = "time for running requests after Ctrl-C or SIGTERM", .group = "Limits", .max = LONGEST},
    {0, "head-timeout", PK_OPT_DURATION, OPTION(serve.head_timeout_ns, uint64_t), .arg = "duration", .fallback = "30s",
     .help = "time for a request's head to arrive; 0: any", .group = "Limits", .max = LONGEST},
    {0, "idle-timeout", PK_OPT_DURATION, OPTION(serve.idle_timeout_ns, uint64_t), .arg = "duration", .fallback = "60s",
     .help = "longest silence on a connection; 0: any", .details = "In whole seconds.", .group = "Limits",
     .max = LONGEST},
    {0, "max-body", PK_OPT_BYTES, OPTION(serve.max_body_bytes, uint64_t), .arg = "bytes", .fallback = "1MiB",
     .help = "longest body of a request; beyond it 413", .group = "Limits", .max = 1 << 30},
    {0, "max-bytes", PK_OPT_BYTES, OPTION(serve.max_bytes, uint64_t), .arg = "bytes", .fallback = "1GiB",
     .help = "longest body of /bytes, /stream and /drip", .group = "Limits", .min = 1, .max = 16ll << 30},

    {'q', "quiet", PK_OPT_FLAG, OPTION(quiet, bool), .help = "no warnings, no summary", .group = "Output",
     .conflicts = "verbose"},
    {'v', "verbose", PK_OPT_FLAG, OPTION(verbose, bool), .help = "also say how it runs, and what clients do wrong",
     .group = "Output"},
    {0, "color", PK_OPT_ENUM, OPTION(color, int), .arg = "when", .fallback = "auto", .help = "colour of warnings and URL",
     .group = "Output", .values = color_values},
    {0},
};
// clang-format on

static const pk_example serve_examples[] = {
    {"perfkit serve", "answer on 127.0.0.1:3000; try: curl 127.0.0.1:3000"},
    {"perfkit serve --listen 0 --delay 20ms --jitter 10ms --error-rate 1%",
     "a free port; slow, and failing now and then"},
    {"perfkit serve --static public --tls", "the files of a directory, over HTTPS"},
    {0},
};

// clang-format off
static const pk_section serve_sections[] = {
    {"ENDPOINTS",
     "All of them answer GET and HEAD; those that are not for the operator take POST, PUT, PATCH and DELETE too, read "
     "the body and drop it. OPTIONS says what is allowed. A path that is none of these is a file of --static, or 404.\n\n"
     "* / answers \"Hello, World!\", or what --body, --status and --header say.\n\n"
     "* /help lists the endpoints. /healthz is 200 as long as the server runs, /readyz is 503 while it drains.\n\n"
     "* /metrics: counters in Prometheus text format 0.0.4. requests_total{code=\"200\"} counts an answer before the "
     "client can see it, so it is exact for whoever has the answer; requests to /metrics are not in it but in "
     "scrapes_total. bytes_sent_total counts bodies. request_duration_seconds runs from reading the end of the head to the "
     "last byte handed to the kernel, delays included.\n\n"
     "* /echo sends the request's body back with its Content-Type. /headers, /ip and /method tell as JSON what came.\n\n"
     "* /bytes/N: N bytes (64k, 1MB), the same every time: lines of 64 characters, each begun one character later in "
     "the alphabet than the one before.\n\n"
     "* /status/CODE answers that status, 200 to 599. /status/200:9,503:1 answers each by its weight, by chance with "
     "--seed; a weight missing is 1.\n\n"
     "* /delay/DURATION answers after so long. The connection is put aside and holds no thread. A bare number means "
     "milliseconds, here and in what follows.\n\n"
     "* /block/DURATION answers after so long too, but stalls its thread and every connection of that thread: a stall "
     "of known length, to see what a load tester makes of it.\n\n"
     "* /stream/N?chunk=BYTES&every=DURATION: N chunks of so many bytes (64), so long after each other (0). A chunk "
     "larger than about half of --conn-memory comes as several.\n\n"
     "* /drip?bytes=N&duration=DURATION&delay=DURATION: after the delay (0), N bytes (10) spread over the duration "
     "(2s), the first at its begin and the last at its end, with a Content-Length.\n\n"
     "* /redirect/N leads through N redirects to a 200. /redirect-to?url=URL leads there.\n\n"
     "* /error?rate=SHARE&kind=KIND fails a share (1) of its requests; see FAULT INJECTION for the kinds."},
    {"FAULT INJECTION",
     "--delay, --jitter and --error-rate apply to every request but those to /help, /healthz, /readyz and /metrics. The "
     "kinds of --error-kind and /error:\n\n"
     "* 500: an answer of that status.\n\n"
     "* reset: the connection is reset without an answer; a socket in the file system is closed.\n\n"
     "* truncate: a body of 1024 bytes is promised and the connection closed after 512.\n\n"
     "* hang: no answer; the connection is freed when its client leaves.\n\n"
     "* slow: 20 bytes, one every 100 ms.\n\n"
     "Chance comes from --seed: the n-th request that is subject to chance has the same luck in every run, so the number "
     "of failures among N requests is the same, on however many threads and connections. faults_injected_total in "
     "/metrics says how many there were; each of them can be compared with what a client counted."},
    {"LIMITS",
     "The limit on open files is raised to the hard one at the start. Beyond --max-connections (or that limit less 64) "
     "clients are connected by the kernel and wait unanswered until somebody leaves; a warning says so once.\n\n"
     "A request's head must arrive within --head-timeout: the first one counting from the connection, later ones from "
     "their request line, at the latest from the end of --idle-timeout. Then 408 is sent, if the request line was "
     "there, and the connection is closed. A byte now and then does not prolong it.\n\n"
     "A head larger than about three quarters of --conn-memory is 431, a target 414. A body larger than --max-body is "
     "413: it is read to its end if that is within 16 MiB more, else the connection is closed. A client that waits "
     "(/delay, hang, /stream) and closes, or shuts its sending side, is taken for gone within a second.\n\n"
     "HTTP/1.0 and HTTP/1.1; no HTTP/2, no compression. A request that can be read in two ways is refused with 400 and "
     "the connection closed: Content-Length beside Transfer-Encoding, either of them or Host twice, a blank before a "
     "colon."},
    {"EXIT STATUS",
     "The first Ctrl-C or SIGTERM ends accepting at once. Running requests go on for at most --drain; every answer says "
     "Connection: close, and kept connections on which nothing comes for a second are closed. Then one line sums up.\n\n"
     "* 0: it served until a signal came.\n\n"
     "* 2: wrong command line, or it cannot start: a port in use, too few open files, a certificate that is none.\n\n"
     "* 130: a second signal ended it at once."},
    {0},
};
// clang-format on

typedef struct printer {
    const char *name;
    bool quiet, verbose;
    bool colour_out, colour_err;
} printer;

/* Flushed: who started us waits for this line. A reader that has left is no reason to end. */
static bool on_listening(void *context, const char *url, pk_err *err) {
    const printer *p = context;
    printf("listening on %s%s%s\n", pk_style_on(p->colour_out, PK_BOLD), url,
           pk_style_off(p->colour_out, PK_BOLD));
    if (fflush(stdout) == 0 || errno == EPIPE) return true;
    pk_fail(err, PK_E_SYS, "standard output", "cannot say where it listens");
    pk_fix(err, "make room there, or send the output elsewhere");
    return false;
}

static void on_note(void *context, pk_serve_note level, const char *line) {
    const printer *p = context;
    if (p->quiet || (level == PK_SERVE_DETAIL && !p->verbose)) return;
    bool warning = level == PK_SERVE_WARNING;
    pk_style style = warning ? PK_YELLOW : PK_PLAIN;
    fprintf(stderr, "%s: %s%s%s%s\n", p->name, pk_style_on(p->colour_err, style),
            warning ? "warning: " : "", pk_style_off(p->colour_err, style), line);
}

static int serve_run(const pk_invocation *invocation, const void *parsed, pk_err *err) {
    const serve_cli *cli = parsed;
    pk_serve_options options = cli->serve;
    pk_serve_result result;
    options.error_kind = (pk_serve_fault)(cli->error_kind + 1);
    printer to = {
        .name = invocation->name,
        .quiet = cli->quiet,
        .verbose = cli->verbose,
        .colour_out = pk_terminal_colour(stdout, (pk_colour_when)cli->color),
        .colour_err = pk_terminal_colour(stderr, (pk_colour_when)cli->color),
    };
    const pk_serve_hooks hooks = {.context = &to, .listening = on_listening, .note = on_note};
    pk_interrupt *intr = pk_interrupt_begin(err);
    if (!intr) return 2;
    bool ok = pk_serve_run(&options, &hooks, intr, &result, err);
    if (ok && !cli->quiet) pk_serve_render_summary(stdout, &result);
    pk_interrupt_end(intr);
    return ok ? 0 : 2;
}

const pk_command pk_cmd_serve = {
    .name = "serve",
    .summary = "HTTP server to test against",
    .usage = "[options]",
    .opts = serve_opts,
    .options_bytes = sizeof(serve_cli),
    .examples = serve_examples,
    .sections = serve_sections,
    .run = serve_run,
};

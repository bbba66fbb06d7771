/* perfkit load: the option table, and options -> run -> report -> exit code. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "base/interrupt.h"
#include "base/units.h"
#include "cli/complete.h"
#include "cmd/commands.h"
#include "cmd/output.h"
#include "cmd/terminal.h"
#include "load/load.h"
#include "load/render.h"
#include "load/target.h"
#include "report/progress.h"

#define EXIT_NOTHING_SUCCEEDED 1
#define EXIT_INTERRUPTED 130
#define PROGRESS_NS (200 * PK_NS_PER_MS)

enum { FORMAT_TEXT, FORMAT_JSON, FORMAT_QUIET };

typedef struct load_cli {
    pk_load_options load;
    int engine, format, color;
    bool json, no_color, no_tui, verbose;
    const char *output;
    const char *serve;
} load_cli;

static const char *const engines[] = {"auto", "h1", "curl", NULL};
static const char *const engine_help[] = {"the fastest engine that can do what was asked",
                                          "HTTP/1.1 on perfkit's own loop; libcurl only connects",
                                          "libcurl throughout: the reference", NULL};
static const char *const formats[] = {"text", "json", "quiet", NULL};
static const char *const format_help[] = {"the report for people",
                                          "one document, every figure (schema load/1)",
                                          "nothing: the exit code alone", NULL};
static const char *const color_values[] = {"auto", "always", "never", NULL};

#define OPTION(member, type) PK_FIELD(load_cli, member, type)
#define COUNT_MAX INT64_MAX

// clang-format off
static const pk_opt load_opts[] = {
    {0, "URL", PK_OPT_TEXT, OPTION(load.url, const char *), .arg = "URL", .help = "where to send the requests",
     .details = "http:// or https://. May be left out with --serve.",
     .complete = pk_complete_listener_urls, .check = pk_load_check_url, .flags = PK_OPT_POSITIONAL},

    {'n', "requests", PK_OPT_COUNT, OPTION(load.requests, uint64_t), .arg = "count", .fallback = "200",
     .help = "stop after so many requests (10k, 1m)", .details = "A request that fails uses one up.",
     .group = "Load", .conflicts = "duration", .min = 1, .max = COUNT_MAX},
    {'z', "duration", PK_OPT_DURATION, OPTION(load.duration_ns, uint64_t), .arg = "duration",
     .help = "send for so long (10s, 1m30s)",
     .details = "What is in flight at the end is aborted and counted as such, see -w.",
     .group = "Load", .min = 1, .max = COUNT_MAX},
    {'c', "connections", PK_OPT_COUNT, OPTION(load.connections, uint64_t), .arg = "count", .fallback = "50",
     .help = "connections, each with one request at a time", .group = "Load", .min = 1, .max = 1000000},
    {'q', "rate", PK_OPT_RATE, OPTION(load.rate_hz, double), .arg = "per-second",
     .help = "requests per second over all connections",
     .details = "Request i is due i/rate after the start, whatever became of the others; it leaves when a connection "
                "is free. 0, the default: as fast as the answers come.", .group = "Load"},
    {0, "latency-correction", PK_OPT_FLAG, OPTION(load.latency_correction, bool),
     .help = "count latencies from when a request was due (with -q)",
     .details = "Else from when it was sent, which hides what a stalled server makes its users wait. With -q the report "
                "shows both beside each other; this chooses the one of the main sections.", .group = "Load"},
    {'w', "wait-ongoing-requests-after-deadline", PK_OPT_FLAG, OPTION(load.wait_ongoing, bool),
     .help = "let running requests finish at the end of -z",
     .details = "Rates are still divided by the time asked for.", .group = "Load", .needs = "duration"},
    {'t', "timeout", PK_OPT_DURATION, OPTION(load.timeout_ns, uint64_t), .arg = "duration",
     .help = "longest time for a request, connecting included", .shown_default = "none",
     .group = "Load", .min = 1, .max = COUNT_MAX},
    {0, "threads", PK_OPT_COUNT, OPTION(load.threads, uint64_t), .arg = "count", .shown_default = "min(CPUs, connections)",
     .help = "threads that send", .group = "Load", .aliases = "worker-threads", .min = 1, .max = 1024},
    {0, "engine", PK_OPT_ENUM, OPTION(engine, int), .arg = "name", .fallback = "auto", .help = "what makes the requests",
     .group = "Load", .values = engines, .value_help = engine_help},
    {0, "serve", PK_OPT_TEXT, OPTION(serve, const char *), .arg = "command",
     .help = "start this server for the run, stop it afterwards",
     .details = "Split into words without a shell. The URL comes from its line \"listening on URL\"; with a URL on the "
                "command line the run starts when that one accepts connections.", .group = "Load"},

    {'m', "method", PK_OPT_TEXT, OPTION(load.method, const char *), .arg = "method", .fallback = "GET",
     .help = "HTTP method", .group = "Request", .check = pk_load_check_method},
    {'H', "header", PK_OPT_TEXT_LIST, OPTION(load.headers, pk_text_list), .arg = "name: value",
     .help = "a header to send",
     .details = "Replaces a default header of the same name and the options that set one; the same name in two -H is "
                "sent twice.", .group = "Request", .check = pk_load_check_header},
    {'d', "body", PK_OPT_TEXT, OPTION(load.body, const char *), .arg = "text", .help = "request body",
     .group = "Request", .conflicts = "body-file"},
    {'D', "body-file", PK_OPT_FILE, OPTION(load.body_file, const char *), .arg = "file",
     .help = "request body from a file", .group = "Request"},
    {'T', "content-type", PK_OPT_TEXT, OPTION(load.content_type, const char *), .arg = "type",
     .help = "Content-Type header", .group = "Request", .check = pk_load_check_value},
    {'A', "accept", PK_OPT_TEXT, OPTION(load.accept, const char *), .arg = "type", .shown_default = "*/*",
     .help = "Accept header", .group = "Request", .check = pk_load_check_value},
    {'a', "basic-auth", PK_OPT_TEXT, OPTION(load.basic_auth, const char *), .arg = "user:password",
     .help = "basic authentication", .details = "Blanked in the process list.", .group = "Request", .check = pk_load_check_basic_auth,
     .flags = PK_OPT_SECRET},
    {0, "host", PK_OPT_TEXT, OPTION(load.host_header, const char *), .arg = "name", .shown_default = "the URL's",
     .help = "Host header", .details = "The name that TLS checks stays the URL's.", .group = "Request",
     .check = pk_load_check_value},

    {0, "connect-timeout", PK_OPT_DURATION, OPTION(load.connect_timeout_ns, uint64_t), .arg = "duration",
     .fallback = "5s", .help = "longest time to connect, TLS included", .group = "Connection", .min = 1, .max = COUNT_MAX},
    {0, "disable-keepalive", PK_OPT_FLAG, OPTION(load.disable_keepalive, bool),
     .help = "a new connection for every request",
     .details = "Each takes a local port, which stays taken for up to 60 s. Whether there are enough of them is worked "
                "out before the run, and said if not.", .group = "Connection"},
    {0, "unix-socket", PK_OPT_TEXT, OPTION(load.unix_socket, const char *), .arg = "path",
     .help = "connect to this socket instead of the URL's host", .group = "Connection", .suffixes = "sock",
     .conflicts = "connect-to"},
    {0, "connect-to", PK_OPT_TEXT_LIST, OPTION(load.connect_to, pk_text_list), .arg = "host:port:to-host:to-port",
     .help = "connect to another place than the URL says",
     .details = "Several for one host and port share the connections equally. IPv6 addresses stand in brackets.",
     .group = "Connection", .check = pk_load_check_connect_to},
    {'x', "proxy", PK_OPT_TEXT, OPTION(load.proxy, const char *), .arg = "URL", .help = "go through this HTTP proxy",
     .details = "http://[USER:PASSWORD@]HOST[:PORT], or https:// for a proxy that speaks TLS. For an https:// target it "
                "is asked for a tunnel (CONNECT), for http:// it is sent the whole URL; it looks the target's name up. "
                "Proxies that the environment names are not used. Blanked in the process list.",
     .group = "Connection", .check = pk_load_check_proxy, .conflicts = "unix-socket", .flags = PK_OPT_SECRET},
    {0, "proxy-header", PK_OPT_TEXT_LIST, OPTION(load.proxy_headers, pk_text_list), .arg = "name: value",
     .help = "a header for the proxy alone",
     .details = "It goes with CONNECT, or with each request where there is no tunnel.", .group = "Connection",
     .check = pk_load_check_header, .needs = "proxy"},
    {0, "ipv4", PK_OPT_FLAG, OPTION(load.ipv4, bool), .help = "IPv4 addresses only", .group = "Connection"},
    {0, "ipv6", PK_OPT_FLAG, OPTION(load.ipv6, bool), .help = "IPv6 addresses only", .group = "Connection"},
    {0, "insecure", PK_OPT_FLAG, OPTION(load.insecure, bool), .help = "accept any certificate", .group = "Connection"},
    {0, "cacert", PK_OPT_FILE, OPTION(load.cacert, const char *), .arg = "file",
     .help = "trust these certificates too", .details = "PEM; the system's own are still trusted.",
     .group = "Connection", .suffixes = "pem crt cer"},
    {0, "cert", PK_OPT_FILE, OPTION(load.cert, const char *), .arg = "file", .help = "client certificate",
     .group = "Connection", .suffixes = "pem crt cer", .needs = "key"},
    {0, "key", PK_OPT_FILE, OPTION(load.key, const char *), .arg = "file", .help = "its private key",
     .group = "Connection", .suffixes = "pem key", .needs = "cert"},

    {0, "output-format", PK_OPT_ENUM, OPTION(format, int), .arg = "format", .fallback = "text",
     .help = "what to print", .group = "Output", .values = formats, .value_help = format_help},
    {'j', "json", PK_OPT_FLAG, OPTION(json, bool), .help = "the same as --output-format json", .group = "Output",
     .conflicts = "output-format"},
    {'o', "output", PK_OPT_OUTPUT, OPTION(output, const char *), .arg = "file", .help = "write the report to a file",
     .details = "Replaced in one step when the run is over: a failed run leaves the old one.", .group = "Output",
     .suffixes = "txt json"},
    {0, "no-tui", PK_OPT_FLAG, OPTION(no_tui, bool), .help = "no progress line", .group = "Output"},
    {0, "color", PK_OPT_ENUM, OPTION(color, int), .arg = "when", .fallback = "auto", .help = "colour the report",
     .group = "Output", .values = color_values},
    {0, "no-color", PK_OPT_FLAG, OPTION(no_color, bool), .help = "the same as --color never", .group = "Output",
     .aliases = "disable-color", .conflicts = "color"},
    {0, "verbose", PK_OPT_FLAG, OPTION(verbose, bool), .help = "say on stderr how the run is made", .group = "Output"},
    {0},
};
// clang-format on

static const pk_example load_examples[] = {
    {"perfkit load -z 3s http://127.0.0.1:3000", "load a server for three seconds"},
    {"perfkit load -z 10s -q 500 --latency-correction http://127.0.0.1:3000",
     "what users see at 500 requests per second"},
    {"perfkit load -n 10k -c 100 --json -o result.json http://127.0.0.1:3000",
     "every figure, for a script"},
    {"perfkit load -z 3s --serve 'perfkit serve --listen 127.0.0.1:0'",
     "start a server just for the run"},
    {0},
};

// clang-format off
static const pk_section load_sections[] = {
    {"DESCRIPTION",
     "Sends HTTP requests to a server over many connections and reports how fast the answers came, how many, and what "
     "went wrong. Without -q each connection sends its next request when the last answer is complete (a closed loop): "
     "the most that the server gives. With -q requests leave by a schedule, as users do who do not wait for each other "
     "(an open loop): what they would see at that rate.\n\n"
     "Ctrl-C ends a run early; the report then covers what was measured."},
    {"REPORT",
     "The report has oha's sections, then a section on the client itself.\n\n"
     "* Success rate: answers of any status, 500 too, in answers plus errors. 2xx/3xx rate: good answers in the same. "
     "Requests that were aborted at the end, or failed at a limit of this machine (local ports, descriptors, memory), "
     "count in neither.\n\n"
     "* Total: the measuring window, from the first send to the deadline or the last answer. Requests/sec: complete "
     "answers within it, divided by it.\n\n"
     "* Slowest, Fastest, Average, the histogram and the distribution describe one latency: from just before the send "
     "(before connecting, where the request opened a connection) to the last byte. With --latency-correction it counts "
     "from when the request was due. Answers of any status and timeouts are in it, timeouts with the time they waited; "
     "other errors are not.\n\n"
     "* Percentiles: the smallest latency that so many of the samples do not exceed, to 3 digits. \"-\" where there "
     "are too few samples to say (fewer than one beyond it); one that rests on fewer than 10 samples says so.\n\n"
     "* In flight: requests running, averaged over the window. Without -q, what is missing up to the number of "
     "connections is perfkit's own share: the time between an answer and the next request.\n\n"
     "* Timeouts, Own limits, Aborted, Never sent, Retried stand there when there were any. Never sent: due under -q, but no "
     "connection came free before the end; the time they had waited is in the response times.\n\n"
     "* Response and service time, with -q only: the latencies from the schedule and from the send, beside each other.\n\n"
     "* Details: DNS-lookup and DNS+dialup (DNS, TCP and TLS) of the requests that opened a connection, TCP and TLS by "
     "themselves, then the time to the first byte of the answer's head and to the first byte of its body. SYN retries: "
     "connects that took just over 1 s, 3 s, 7 s (or 1, 2, 3, 4, 5, 7 s on Linux 6.5 and later), because their first SYN "
     "got no answer: the server's accept queue was full, or packets were lost.\n\n"
     "* Generator: what the client cost, and whether it was the limit."},
    {"VERDICT",
     "A load tester that cannot keep up measures itself. The report ends in \"client-limited: latencies include waiting "
     "in perfkit\" and the reasons when one of these holds:\n\n"
     "* fewer than 99 % of the requests that were due have been sent;\n\n"
     "* a thread used more than 90 % of a CPU;\n\n"
     "* a thread was ready to run and had no CPU for more than 25 % of the time in which it had requests running;\n\n"
     "* with -q: requests left late although a connection was free, the 99th percentile of that lag being more than "
     "10 % of that of the latency;\n\n"
     "* requests failed for want of descriptors, local ports or memory on this machine;\n\n"
     "* a hypervisor took more than 5 % of the CPU time;\n\n"
     "* without -q: on average more than 10 % of the connections had no request in flight;\n\n"
     "* rate times mean latency differs from the requests in flight by more than 2 % (Little's law).\n\n"
     "The last two allow for the two ends of the run and are left out when more than 1 % of the requests failed, since "
     "connections then pause on purpose."},
    {"ENGINES",
     "auto takes the fastest engine that can do what was asked; --verbose and the JSON name the one that ran.\n\n"
     "* h1: libcurl makes each connection (addresses, TLS, Unix sockets, tunnels through a proxy), then perfkit's own "
     "loop and HTTP/1.1 parser own the socket: one read and one write per request.\n\n"
     "* curl: libcurl's multi interface throughout, from one epoll loop per thread. The reference: always right, at "
     "two to three times the CPU. auto falls back to it for requests with a Transfer-Encoding, Content-Length, Expect, "
     "TE or Upgrade header of their own, for the method CONNECT, for whole URLs to a proxy (http:// through -x), for "
     "proxies that speak TLS, and for TLS by another library than OpenSSL."},
    {"DEVIATIONS FROM OHA",
     "Called as oha, this takes oha's options and exit codes. It differs in:\n\n"
     "* What failed at a limit of this machine (no local port, no descriptor) is in no success rate; in oha's it is.\n\n"
     "* Requests/sec counts complete answers only; oha adds errors and aborted requests.\n\n"
     "* A connection that waits for its turn under -q when time is up is not counted as aborted.\n\n"
     "* Timeouts are in the latencies, at the time they waited; oha leaves them out and so cuts off the tail.\n\n"
     "* --latency-correction counts from the intended time i/rate; oha from when the request was queued. What was due "
     "and never left is in the response times with the time it had waited; oha drops it.\n\n"
     "* Percentiles without enough samples are \"-\", and null in JSON; so is everything that oha prints as NaN or "
     "inf. Equal latencies make a histogram of one line. There is no \"NaN\" key.\n\n"
     "* Latencies are kept in histograms of 3 digits, not one by one: memory does not grow with the run. Fastest, "
     "slowest and average are exact.\n\n"
     "* rps in JSON is computed over fixed intervals of at least 100 ms; oha's windows of 10 ms are noisy and too "
     "high.\n\n"
     "* With -x the target's name is left to the proxy; oha looks it up itself. User and password in the proxy's URL are "
     "sent to it; oha ignores them. --connect-to of an http:// target is a tunnel through the proxy to that place; oha "
     "writes the other place into the URL it sends. --proxy-header without -x and proxies other than http and https are "
     "errors. A tunnel that the proxy refuses is an error of its own, with the status.\n\n"
     "* -H twice with one name sends both; oha keeps the last.\n\n"
     "* Connections belong to one origin. After a refused connect the next attempt waits 1 ms, doubling to 100 ms; oha "
     "tries again at once.\n\n"
     "* Several --connect-to for one host and port, and several addresses of a name, share the connections equally "
     "instead of at random.\n\n"
     "* At most 256 connections per thread are being opened at the same time, so that a server's accept queue does "
     "not overflow.\n\n"
     "* A bare number is a duration in seconds. -c 0, -n 0 and -z 0 are errors. The User-Agent is perfkit's.\n\n"
     "* Units of the report end with sec, min and hr. It has more lines: a third block in the summary, more rows in the "
     "details, the generator.\n\n"
     "* There is a progress line instead of the full-screen view.\n\n"
     "* Not known here: -p, -Z, -F, -r, -u, --http2, --http-version, --proxy-http-version, --proxy-http2, --burst-*, --rand-regex-url, "
     "--max-repeat, --urls-from-file, --dump-urls, --aws-*, --disable-compression, --no-pre-lookup, "
     "--stats-success-breakdown, --db-url, --debug, --fps, --output-format csv.\n\n"
     "* As perfkit load, the exit code is 1 when nothing succeeded and 130 after Ctrl-C."},
    {"EXIT STATUS",
     "* 0: the run is over and at least one request got an answer.\n\n"
     "* 1: not a single request got an answer.\n\n"
     "* 2: the command line or an input is wrong, or the run could not start.\n\n"
     "* 130: Ctrl-C or SIGTERM; the report covers what was measured and says that it is partial."},
    {0},
};
// clang-format on

static const char *const load_peers[] = {"oha", NULL};
static const char *const load_peer_exits[] = {
    "0 after any run, whatever the answers and even after Ctrl-C; 1 when the run could not start; "
    "2 when the command line is wrong",
    NULL};

/* ---- the run ---- */

typedef struct reporter {
    const char *name; /* how we were called, before a note */
    pk_progress progress;
} reporter;

static void on_progress(void *context, const pk_load_snapshot *snapshot) {
    reporter *r = context;
    char line[256];
    pk_load_render_progress(line, sizeof line, snapshot);
    pk_progress_show(&r->progress, line);
}

static void on_note(void *context, const char *line) {
    reporter *r = context;
    pk_progress_close(&r->progress);
    fprintf(stderr, "%s: %s\n", r->name, line);
}

static void say_how(const pk_load_result *r) {
    struct rlimit files = {0};
    getrlimit(RLIMIT_NOFILE, &files);
    fprintf(stderr, "engine %s, threads %" PRIu64 ", connections %" PRIu64 ", %s\n", r->engine,
            r->threads, r->connections, r->url);
    fprintf(stderr, "limits: %llu open files (hard %llu), %u CPUs\n",
            (unsigned long long)files.rlim_cur, (unsigned long long)files.rlim_max,
            r->generator.cpus);
}

static void say_server_ended(const reporter *r, const pk_exit *how) {
    if (how->signal)
        fprintf(stderr, "%s: the server was ended by signal %d during the run\n", r->name,
                how->signal);
    else
        fprintf(stderr, "%s: the server ended with exit code %d during the run\n", r->name,
                how->code);
}

/* ---- the report ---- */

static bool use_colour(const load_cli *cli) {
    pk_colour_when when = cli->no_color ? PK_COLOUR_NEVER : (pk_colour_when)cli->color;
    if (when == PK_COLOUR_AUTO && cli->output) return false; /* a file is read later, elsewhere */
    return pk_terminal_colour(stdout, when);
}

static bool render(FILE *out, const load_cli *cli, const pk_load_result *result, pk_err *err) {
    if (cli->json || cli->format == FORMAT_JSON) return pk_load_render_json(out, result, err);
    if (cli->format == FORMAT_TEXT) pk_load_render_text(out, result, use_colour(cli));
    return true;
}

/* The whole report is made in memory first, so that an output is all or nothing. */
static bool report(const load_cli *cli, const pk_load_result *result, pk_err *err) {
    char *data = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&data, &bytes);
    if (!out) {
        pk_fail(err, PK_E_SYS, NULL, "no memory for the report");
        return false;
    }
    bool ok = render(out, cli, result, err);
    if (fclose(out) != 0 && ok) {
        pk_fail(err, PK_E_SYS, NULL, "no memory for the report");
        ok = false;
    }
    if (ok && cli->output && strcmp(cli->output, "-") != 0) {
        ok = output_write(cli->output, data, bytes, err);
    } else if (ok) {
        fwrite(data, 1, bytes, stdout); /* main checks stdout at the end */
    }
    free(data);
    return ok;
}

static int exit_code(const pk_invocation *invocation, const pk_load_result *result) {
    if (invocation->as_peer) return 0;
    if (result->interrupted) return EXIT_INTERRUPTED;
    return result->responses > 0 ? 0 : EXIT_NOTHING_SUCCEEDED;
}

/* ---- the command ---- */

static bool check_options(const pk_invocation *invocation, const load_cli *cli, pk_err *err) {
    if (!cli->load.url && !cli->serve) {
        pk_fail(err, PK_E_USAGE, NULL, "no URL is given");
        pk_fix(err, "try: %s http://127.0.0.1:3000", invocation->name);
        return false;
    }
    if (cli->load.latency_correction && !(cli->load.rate_hz > 0))
        fprintf(stderr, "%s: --latency-correction changes nothing without -q\n", invocation->name);
    return true;
}

/* Runs and stops the target; the result is the caller's on success. */
static bool run_load(const load_cli *cli, pk_load_options *options, reporter *to,
                     pk_interrupt *intr, pk_load_result *result, pk_err *err) {
    pk_load_target *target = NULL;
    pk_exit how;
    if (cli->serve) {
        int output_fd = cli->verbose ? STDERR_FILENO : -1;
        target = pk_load_target_start(cli->serve, options, output_fd, intr, err);
        if (!target) return false;
        options->url = pk_load_target_url(target);
    }
    to->progress = pk_progress_open(stderr, isatty(STDERR_FILENO) == 1 && !cli->no_tui);
    const pk_load_hooks hooks = {
        .context = to,
        .progress_interval_ns = to->progress.out ? PROGRESS_NS : 0,
        .progress = on_progress,
        .note = on_note,
    };
    bool ok = pk_load_run(options, &hooks, intr, result, err);
    pk_progress_close(&to->progress);
    if (pk_load_target_stop(target, &how)) say_server_ended(to, &how);
    return ok;
}

static int load_run(const pk_invocation *invocation, const void *parsed, pk_err *err) {
    const load_cli *cli = parsed;
    pk_load_options options = cli->load;
    pk_load_result result;
    int code = 2; /* unless the run went well; err says why not */
    options.engine = (pk_load_engine_kind)cli->engine;
    if (!check_options(invocation, cli, err)) return code;
    pk_interrupt *intr = pk_interrupt_begin(err);
    if (!intr) return code;
    reporter to = {.name = invocation->name};
    if (run_load(cli, &options, &to, intr, &result, err)) {
        if (cli->verbose) say_how(&result);
        if (report(cli, &result, err)) code = exit_code(invocation, &result);
        pk_load_result_fini(&result);
    } else if (pk_interrupt_signal(intr)) { /* no failure: that is what was asked for */
        fprintf(stderr, "%s: interrupted before the first request\n", to.name);
        *err = (pk_err){0};
        code = invocation->as_peer ? 0 : EXIT_INTERRUPTED;
    }
    pk_interrupt_end(intr);
    return code;
}

const pk_command pk_cmd_load = {
    .name = "load",
    .summary = "HTTP load tester",
    .usage = "[options] URL",
    .opts = load_opts,
    .options_bytes = sizeof(load_cli),
    .examples = load_examples,
    .sections = load_sections,
    .peers = load_peers,
    .peer_exits = load_peer_exits,
    .peer_usage_exit = 2,
    .peer_setup_exit = 1,
    .bare_shows_help = true,
    .run = load_run,
};

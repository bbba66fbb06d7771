/* perfkit version [--verbose] */
#include "base/version.h"

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <elfutils/libdwfl.h>
#include <microhttpd.h>
#include <zlib.h>
#ifdef HAVE_LIBBPF
#include <bpf/libbpf.h>
#endif
#ifdef HAVE_GNUTLS
#include <gnutls/gnutls.h>
#endif
#include "cmd/commands.h"

typedef struct version_options {
    bool verbose;
} version_options;

// clang-format off
static const pk_opt version_opts[] = {
    {.name = "verbose", .letter = 'v', .kind = PK_OPT_FLAG,
     .offset = PK_FIELD(version_options, verbose, bool), .group = "Output",
     .help = "list the libraries in use and what each of them is for"},
    {0},
};
static const pk_example version_examples[] = {
    {"perfkit version --verbose", "list the libraries in use as well, for a report of a fault"},
    {0},
};
// clang-format on

static void line(const char *name, const char *version, const char *use) {
    printf("  %-14s %-10s %s\n", name, version, use);
}

static void print_curl(void) {
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
    line("libcurl", info->version, "load: the engine that sends the requests");
    line("  TLS", "", info->ssl_version ? info->ssl_version : "missing: no https:// URLs");
    /* The engine speaks HTTP/1.1; curl's HTTP/2 is named because reports of faults need it. */
    line("  HTTP/2", "", info->nghttp2_ver_num ? info->nghttp2_version : "missing");
}

static void print_gnutls(void) {
#ifdef HAVE_GNUTLS
    line("GnuTLS", gnutls_check_version(NULL), "serve: a self-signed certificate for --tls");
#else
    line("GnuTLS", "missing",
         "serve --tls needs --cert and --key (Debian: libgnutls28-dev, then build again)");
#endif
}

static void print_libiberty(void) {
    /* A static library without a version to ask for. */
#ifdef HAVE_LIBIBERTY
    line("libiberty", "", "flame: readable names of C++ and Rust functions");
#else
    line("libiberty", "missing",
         "flame: names of C++ and Rust stay mangled (Debian: libiberty-dev, then build again)");
#endif
}

static void print_libbpf(void) {
#ifdef HAVE_LIBBPF
    const char *version = libbpf_version_string(); /* "v1.1" */
    line("libbpf", *version == 'v' ? version + 1 : version,
         "alloc: attaching to running processes by BPF");
#else
    line("libbpf", "missing",
         "alloc attaches by injection alone (Debian: libbpf-dev and clang, then build again)");
#endif
}

static int version_run(const pk_invocation *invocation, const void *options, pk_err *err) {
    const version_options *o = options;
    (void)invocation;
    (void)err;
    printf("perfkit %s\n", PK_VERSION);
    if (!o->verbose) return 0;
    line("libmicrohttpd", MHD_get_version(), "serve: the HTTP server");
    if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
        line("  TLS", "missing", "serve: no --tls");
    print_curl();
    line("cJSON", cJSON_Version(), "all: JSON output");
    line("zlib", zlibVersion(), "load: compressed histograms in the JSON output");
    line("libdw, libelf", dwfl_version(NULL), "flame: symbols, debug information, stacks");
    print_gnutls();
    print_libiberty();
    print_libbpf();
    return 0;
}

const pk_command pk_cmd_version = {
    .name = "version",
    .summary = "show the version, and the libraries in use",
    .usage = "[--verbose]",
    .opts = version_opts,
    .options_bytes = sizeof(version_options),
    .examples = version_examples,
    .helper = true,
    .run = version_run,
};

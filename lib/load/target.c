#include "load/target.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/file.h"
#include "base/units.h"
#include "timing/clock.h"

#define PROBE_EVERY_MS 20
#define PROBE_LIMIT_MS 1000L
static const char announcement[] = "listening on ";

struct pk_load_target {
    pk_process process;
    int out_fd;    /* our end of its stdout */
    int stop_fd;   /* eventfd that ends the reader */
    int output_fd; /* where its further output goes; -1: nowhere */
    bool reading;  /* the reader thread runs */
    pthread_t reader;
    char line[4096]; /* of its stdout, being gathered */
    size_t line_bytes;
    char url[sizeof(((pk_load_result *)NULL)->url)];
};

/* ---- its output ---- */

/* Takes the URL from a complete line "listening on URL"; false for any other line. */
static bool take_url(pk_load_target *t) {
    const size_t skip = sizeof announcement - 1;
    if (t->line_bytes <= skip || memcmp(t->line, announcement, skip) != 0) return false;
    t->line[t->line_bytes] = '\0';
    const char *url = t->line + skip;
    size_t bytes = strcspn(url, " \t\r\n");
    if (bytes == 0 || bytes >= sizeof t->url) return false;
    memcpy(t->url, url, bytes);
    t->url[bytes] = '\0';
    return true;
}

/* Reads byte by byte, which is slow and does not matter for a few lines, so that nothing behind the
 * announcement is lost. True when it was found; false with *ended when the output ends. */
static bool read_announcement(pk_load_target *t, bool *ended) {
    char c;
    ssize_t n = read(t->out_fd, &c, 1);
    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) *ended = true;
    if (n != 1) return false;
    if (c == '\n') {
        bool found = take_url(t);
        t->line_bytes = 0;
        return found;
    }
    if (t->line_bytes < sizeof t->line - 1) t->line[t->line_bytes++] = c;
    return false;
}

static void *read_on(void *target) {
    pk_load_target *t = target;
    char data[8192];
    struct pollfd fds[] = {{.fd = t->out_fd, .events = POLLIN},
                           {.fd = t->stop_fd, .events = POLLIN}};
    for (;;) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR) return NULL;
        if (fds[0].revents) {
            ssize_t n = read(t->out_fd, data, sizeof data);
            if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) return NULL;
            if (n > 0 && t->output_fd >= 0 && !pk_fd_write_all(t->output_fd, data, (size_t)n))
                t->output_fd = -1;   /* nobody reads it any more: go on emptying the pipe */
        } else if (fds[1].revents) { /* only once the pipe is empty */
            return NULL;
        }
    }
}

/* ---- waiting until it listens ---- */

static bool fail_ended(const char *command, const pk_exit *how, pk_err *err) {
    if (how->signal)
        pk_fail(err, PK_E_INPUT, "--serve", "\"%s\" was ended by signal %d before it listened",
                command, how->signal);
    else
        pk_fail(err, PK_E_INPUT, "--serve", "\"%s\" ended with exit code %d before it listened",
                command, how->code);
    pk_fix(err, "run it by itself to see why");
    return false;
}

static bool fail_late(const char *command, bool by_url, pk_err *err) {
    pk_fail(err, PK_E_INPUT, "--serve", "\"%s\" does not listen after %llu s", command,
            (unsigned long long)(PK_LOAD_TARGET_START_NS / PK_NS_PER_S));
    if (by_url) pk_fix(err, "check that the URL is the one it serves");
    else pk_fix(err, "let it print \"listening on http://HOST:PORT\", or give the URL too");
    return false;
}

static bool fail_interrupted(pk_err *err) {
    pk_fail(err, PK_E_INPUT, "--serve", "interrupted before the server listened");
    pk_fix(err, "run it again");
    return false;
}

/* False when it ended or an interrupt came; err says so. */
static bool still_starting(pk_load_target *t, const char *command, pk_interrupt *intr,
                           pk_err *err) {
    pk_exit how;
    if (pk_interrupt_signal(intr)) return fail_interrupted(err);
    if (pk_process_wait(&t->process, 0, &how)) return fail_ended(command, &how, err);
    return true;
}

static bool wait_for_line(pk_load_target *t, const char *command, pk_interrupt *intr, pk_err *err) {
    uint64_t end_ns = pk_now_ns() + PK_LOAD_TARGET_START_NS;
    struct pollfd fds[] = {{.fd = t->out_fd, .events = POLLIN},
                           {.fd = pk_interrupt_fd(intr), .events = POLLIN}};
    while (pk_now_ns() < end_ns) {
        bool ended = false;
        int n = poll(fds, 2, PROBE_EVERY_MS);
        if (n > 0 && fds[0].revents && read_announcement(t, &ended)) return true;
        /* output that is still there counts, even of a process that is gone */
        if (n > 0 && fds[0].revents && !ended && !pk_interrupt_signal(intr)) continue;
        if (ended) fds[0].fd = -1;
        if (!still_starting(t, command, intr, err)) return false;
    }
    return fail_late(command, false, err);
}

/* One attempt to connect, TLS included, without sending a request. */
static bool accepts(const pk_load_options *o) {
    CURL *easy = curl_easy_init();
    struct curl_slist *connect_to = NULL;
    if (!easy) return false;
    for (size_t i = 0; i < o->connect_to.count; i++) {
        struct curl_slist *longer = curl_slist_append(connect_to, o->connect_to.items[i]);
        if (longer) connect_to = longer;
    }
    curl_easy_setopt(easy, CURLOPT_URL, o->url);
    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, PROBE_LIMIT_MS);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L); /* nothing is sent; the run verifies */
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(easy, CURLOPT_CONNECT_TO, connect_to);
    if (o->unix_socket) curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, o->unix_socket);
    CURLcode code = curl_easy_perform(easy);
    curl_easy_cleanup(easy);
    curl_slist_free_all(connect_to);
    return code == CURLE_OK;
}

static bool wait_for_url(pk_load_target *t, const char *command, const pk_load_options *options,
                         pk_interrupt *intr, pk_err *err) {
    uint64_t end_ns = pk_now_ns() + PK_LOAD_TARGET_START_NS;
    bool found = false, alive = true;
    curl_global_init(CURL_GLOBAL_DEFAULT); /* if it fails, so does every attempt */
    while (alive && !found && pk_now_ns() < end_ns) {
        struct pollfd fd = {.fd = pk_interrupt_fd(intr), .events = POLLIN};
        found = accepts(options);
        if (!found) poll(&fd, 1, PROBE_EVERY_MS);
        /* asked last: a server that could not bind is gone by now, and another one answered */
        alive = still_starting(t, command, intr, err);
    }
    curl_global_cleanup();
    if (alive && !found) return fail_late(command, true, err);
    return alive;
}

/* ---- life cycle ---- */

static bool spawn(pk_load_target *t, const char *command, pk_err *err) {
    int pipe_fds[2];
    char **words = pk_words_split(command, err);
    bool ok = false;
    if (!words) {
        snprintf(err->where, sizeof err->where, "--serve");
        return false;
    }
    if (!words[0]) {
        pk_fail(err, PK_E_USAGE, "--serve", "the command is empty");
        pk_fix(err, "give it as in --serve 'perfkit serve --listen 127.0.0.1:0'");
        goto out;
    }
    if (pipe2(pipe_fds, O_CLOEXEC) < 0) {
        pk_fail(err, PK_E_SYS, "--serve", "cannot make a pipe");
        goto out;
    }
    pk_spawn_options how = PK_SPAWN_DEFAULT;
    how.stdout_fd = pipe_fds[1];
    how.own_group = true;
    ok = pk_process_spawn(words, &how, &t->process, err);
    close(pipe_fds[1]);
    t->out_fd = pipe_fds[0];
out:
    free(words);
    return ok;
}

static bool start_reader(pk_load_target *t, pk_err *err) {
    sigset_t all, before;
    t->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (t->stop_fd < 0) {
        pk_fail(err, PK_E_SYS, "--serve", "cannot make an eventfd");
        return false;
    }
    sigfillset(&all); /* signals are for the thread that called us */
    pthread_sigmask(SIG_BLOCK, &all, &before);
    errno = pthread_create(&t->reader, NULL, read_on, t);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    t->reading = errno == 0;
    if (!t->reading) pk_fail(err, PK_E_SYS, "--serve", "cannot start a thread");
    return t->reading;
}

pk_load_target *pk_load_target_start(const char *command, const pk_load_options *options,
                                     int output_fd, pk_interrupt *intr, pk_err *err) {
    pk_exit how;
    pk_load_target *t = calloc(1, sizeof *t);
    if (!t) {
        pk_fail(err, PK_E_LIMIT, "--serve", "out of memory");
        return NULL;
    }
    *t = (pk_load_target){.process.pidfd = -1, .out_fd = -1, .stop_fd = -1, .output_fd = output_fd};
    if (!spawn(t, command, err)) goto fail;
    if (options->url) {
        /* the reader first: a talkative server must not block before it listens */
        if (!start_reader(t, err) || !wait_for_url(t, command, options, intr, err)) goto fail;
        snprintf(t->url, sizeof t->url, "%s", options->url);
    } else if (!wait_for_line(t, command, intr, err) || !start_reader(t, err)) {
        goto fail;
    }
    return t;
fail:
    pk_load_target_stop(t, &how);
    return NULL;
}

const char *pk_load_target_url(const pk_load_target *target) {
    return target->url;
}

bool pk_load_target_stop(pk_load_target *t, pk_exit *exit) {
    *exit = (pk_exit){.code = -1};
    if (!t) return false;
    bool ended = pk_process_wait(&t->process, 0, exit);
    if (!ended) pk_process_stop(&t->process, true, PK_LOAD_TARGET_STOP_NS, exit);
    if (t->reading) {
        uint64_t one = 1;
        if (write(t->stop_fd, &one, sizeof one) == sizeof one) pthread_join(t->reader, NULL);
    }
    if (t->out_fd >= 0) close(t->out_fd);
    if (t->stop_fd >= 0) close(t->stop_fd);
    free(t);
    return ended;
}

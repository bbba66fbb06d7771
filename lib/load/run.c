/* options -> workers -> merged result. */
#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "load/h1_request.h"
#include "load/load.h"
#include "load/ports.h"
#include "load/result.h"
#include "load/worker.h"
#include "timing/clock.h"

#define THREADS_MAX 1024u
#define FILES_PER_THREAD 8u /* epoll, hardware counters */
#define FILES_FOR_US 32u    /* standard streams, files, resolver */
#define RIVALS_MAX 256u     /* second sockets while several addresses are tried */

typedef struct run {
    pk_load_options options;
    const pk_load_hooks *hooks;
    const pk_engine_ops *ops;
    pk_plan plan;
    pk_ports_budget ports;
    pk_gate gate;
    pk_worker *workers[THREADS_MAX];
    pk_worker_report reports[THREADS_MAX];
    unsigned n_workers, n_reports;
    _Atomic int stop;
    int wake_fd, done_fd;
    uint64_t started_unix_ns;
    pk_machine_cpu machine_before, machine_after;
} run;

/* The soft limit goes up to what the run needs; root may lift the hard one too. */
static bool raise_file_limit(const run *r, pk_err *err) {
    struct rlimit limit;
    uint64_t connections = r->options.connections;
    bool several = r->plan.routes[0].resolve && strchr(r->plan.routes[0].resolve, ',');
    uint64_t rivals = !several ? 0 : connections < RIVALS_MAX ? connections : RIVALS_MAX;
    uint64_t need = connections + rivals + FILES_FOR_US + r->options.threads * FILES_PER_THREAD +
                    (connections / 64 + r->options.threads) * r->ops->files_per_64_slots;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= need) return true;
    rlim_t had = limit.rlim_cur;
    limit.rlim_cur = need;
    if (limit.rlim_max < need) limit.rlim_max = need;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0) return true;
    pk_fail(err, PK_E_LIMIT, "-c", "%llu connections need %llu open files, the limit is %llu",
            (unsigned long long)connections, (unsigned long long)need, (unsigned long long)had);
    pk_fix(err, "raise it with `ulimit -n %llu`, or lower -c", (unsigned long long)need);
    return false;
}

static bool settle_options(run *r, pk_err *err) {
    pk_load_options *o = &r->options;
    if (o->connections == 0) o->connections = 1;
    if (o->connections > UINT32_MAX / 4) {
        pk_fail(err, PK_E_USAGE, "-c", "%llu connections are too many",
                (unsigned long long)o->connections);
        return false;
    }
    if (!o->duration_ns && o->requests < o->connections)
        o->connections = o->requests ? o->requests : 1;
    if (o->threads == 0) o->threads = pk_cpu_count();
    if (o->threads > o->connections) o->threads = o->connections;
    if (o->threads > THREADS_MAX) o->threads = THREADS_MAX;
    return true;
}

/* Our own loop reads TLS through the SSL object of libcurl's connection, so both must use the same
 * library. */
static bool h1_can_do(const pk_plan *plan, const char **why) {
    const char *ssl = curl_version_info(CURLVERSION_NOW)->ssl_version;
    if (plan->is_tls && (!ssl || strncmp(ssl, "OpenSSL/", 8) != 0)) {
        *why = "TLS by another library than OpenSSL";
        return false;
    }
    return pk_h1_can_send(plan, why);
}

static bool choose_engine(run *r, pk_err *err) {
    const char *why = NULL;
    r->ops = &pk_engine_curl;
    if (r->options.engine == PK_LOAD_ENGINE_CURL) return true;
    if (h1_can_do(&r->plan, &why)) {
        r->ops = &pk_engine_h1;
    } else if (r->options.engine == PK_LOAD_ENGINE_H1) {
        pk_fail(err, PK_E_USAGE, "--engine h1", "it does not do %s", why);
        pk_fix(err, "use --engine curl, or leave the choice to perfkit");
        return false;
    }
    return true;
}

/* Works out what the local ports allow, and says so when that is less than the run asks for. */
static void look_at_ports(run *r) {
    char line[PK_PORTS_ADVICE_MAX];
    pk_ports ports;
    pk_ports_need need = pk_ports_need_of(&r->options, &r->plan);
    if (!pk_ports_read(&ports)) return;
    r->ports = pk_ports_plan(&ports, &need);
    if (r->hooks && r->hooks->note && pk_ports_advice(line, sizeof line, &r->ports, &need))
        r->hooks->note(r->hooks->context, line);
}

static bool start_workers(run *r, pk_err *err) {
    const pk_load_options *o = &r->options;
    uint64_t first_slot = 0;
    for (uint64_t i = 0; i < o->threads; i++) {
        uint64_t slots = o->connections / o->threads + (i < o->connections % o->threads);
        pk_worker_config config = {
            .plan = &r->plan,
            .ops = r->ops,
            .n_slots = (uint32_t)slots,
            .first_slot = first_slot,
            .schedule = pk_schedule_make(o->rate_hz, o->duration_ns ? UINT64_MAX : o->requests, i,
                                         o->threads),
            .duration_ns = o->duration_ns,
            .wait_ongoing = o->wait_ongoing,
            .wake_fd = r->wake_fd,
            .stop = &r->stop,
            .done_fd = r->done_fd,
            .gate = &r->gate,
        };
        r->workers[i] = pk_worker_start(&config, err);
        if (!r->workers[i]) return false;
        r->n_workers++;
        first_slot += slots;
    }
    return true;
}

static void open_gate(run *r, bool go) {
    pk_gate *gate = &r->gate;
    pthread_mutex_lock(&gate->mutex);
    while (go && gate->n_ready < r->n_workers) pthread_cond_wait(&gate->changed, &gate->mutex);
    r->started_unix_ns = pk_unix_ns();
    pk_machine_cpu_read(&r->machine_before);
    gate->start_ns = pk_now_ns();
    gate->state = go ? PK_GATE_OPEN : PK_GATE_CANCELLED;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->mutex);
}

static void show_progress(const run *r) {
    pk_load_snapshot s = {
        .elapsed_ns = pk_now_ns() - r->gate.start_ns,
        .duration_ns = r->options.duration_ns,
        .requests = r->options.duration_ns ? 0 : r->options.requests,
    };
    for (unsigned i = 0; i < r->n_workers; i++) {
        const pk_tally *t = pk_worker_tally(r->workers[i]);
        s.responses += atomic_load_explicit(&t->live.responses, memory_order_relaxed);
        s.errors += atomic_load_explicit(&t->live.errors, memory_order_relaxed);
        s.bytes += atomic_load_explicit(&t->live.bytes, memory_order_relaxed);
        s.in_flight += atomic_load_explicit(&t->live.in_flight, memory_order_relaxed);
    }
    r->hooks->progress(r->hooks->context, &s);
}

static void stop_workers(run *r, int signal) {
    const uint64_t one = 1;
    atomic_store(&r->stop, signal);
    ssize_t ignored = write(r->wake_fd, &one, sizeof one); /* whole or not at all: eventfd */
    (void)ignored;
}

/* Until all workers have ended; a signal ends them early. */
static void wait_for_workers(run *r, pk_interrupt *intr) {
    uint64_t n_done = 0;
    int timeout_ms = -1;
    if (r->hooks && r->hooks->progress && r->hooks->progress_interval_ns)
        timeout_ms = (int)(r->hooks->progress_interval_ns / PK_NS_PER_MS) + 1;
    while (n_done < r->n_workers) {
        struct pollfd fds[] = {{.fd = r->done_fd, .events = POLLIN},
                               {.fd = pk_interrupt_fd(intr), .events = POLLIN}};
        if (atomic_load(&r->stop)) fds[1].fd = -1; /* it stays readable */
        int n = poll(fds, 2, timeout_ms);
        if (n == 0) show_progress(r);
        if (n <= 0) continue;
        uint64_t count = 0;
        if (fds[0].revents && read(r->done_fd, &count, sizeof count) == (ssize_t)sizeof count)
            n_done += count;
        if (fds[1].revents) stop_workers(r, pk_interrupt_signal(intr));
    }
}

/* Joins everything that was started; the first failure is reported. */
static bool join_workers(run *r, pk_err *err) {
    bool ok = true;
    for (unsigned i = 0; i < r->n_workers; i++) {
        pk_err mine = {0};
        if (pk_worker_finish(r->workers[i], &r->reports[r->n_reports], &mine)) r->n_reports++;
        else if (ok) {
            *err = mine;
            ok = false;
        }
    }
    r->n_workers = 0;
    return ok;
}

static bool run_open(run *r, pk_err *err) {
    r->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    r->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&r->gate.mutex, NULL);
    pthread_cond_init(&r->gate.changed, NULL);
    if (r->wake_fd >= 0 && r->done_fd >= 0) return true;
    pk_fail(err, PK_E_SYS, NULL, "cannot make an eventfd");
    return false;
}

static void run_close(run *r) {
    for (unsigned i = 0; i < r->n_reports; i++) pk_tally_free(r->reports[i].tally);
    pk_plan_fini(&r->plan);
    if (r->wake_fd >= 0) close(r->wake_fd);
    if (r->done_fd >= 0) close(r->done_fd);
    pthread_cond_destroy(&r->gate.changed);
    pthread_mutex_destroy(&r->gate.mutex);
    free(r);
    curl_global_cleanup();
}

static run *run_new(const pk_load_options *options, const pk_load_hooks *hooks, pk_err *err) {
    run *r = calloc(1, sizeof *r);
    if (!r || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        pk_fail(err, PK_E_LIMIT, NULL, "out of memory for the run");
        free(r);
        return NULL;
    }
    r->options = *options;
    r->hooks = hooks;
    r->plan.ca_fd = r->wake_fd = r->done_fd = -1;
    return r;
}

bool pk_load_run(const pk_load_options *options, const pk_load_hooks *hooks, pk_interrupt *intr,
                 pk_load_result *result, pk_err *err) {
    run *r = run_new(options, hooks, err);
    if (!r) return false;
    bool ok = run_open(r, err) && settle_options(r, err) && pk_plan_init(&r->plan, options, err) &&
              choose_engine(r, err) && raise_file_limit(r, err);
    if (ok) {
        look_at_ports(r);
        ok = start_workers(r, err);
        open_gate(r, ok);
        if (ok) wait_for_workers(r, intr);
        pk_machine_cpu_read(&r->machine_after);
        pk_err join_err = {0};
        if (!join_workers(r, &join_err) && ok) {
            *err = join_err;
            ok = false;
        }
    }
    if (ok) {
        const pk_load_outcome outcome = {
            .options = &r->options,
            .plan = &r->plan,
            .engine = r->ops->name,
            .ports = &r->ports,
            .start_ns = r->gate.start_ns,
            .started_unix_ns = r->started_unix_ns,
            .interrupted = atomic_load(&r->stop) != 0,
            .reports = r->reports,
            .n_reports = r->n_reports,
            .machine_before = &r->machine_before,
            .machine_after = &r->machine_after,
        };
        ok = pk_load_result_make(&outcome, result, err);
    }
    run_close(r);
    return ok;
}

#include "timing/environment.h"

#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/fnv.h"
#include "base/units.h"

enum { FILE_BYTES_MAX = 16 << 20, PATH_BYTES = 512, CPUS_MAX = 8192 };

/* ---- texts ---- */

/* out = text[0..bytes) without blanks around it; what is no plain text becomes '?'. */
static void copy_text(char *out, size_t size, const char *text, size_t bytes) {
    while (bytes && (*text == ' ' || *text == '\t')) text++, bytes--;
    while (bytes && (text[bytes - 1] == ' ' || text[bytes - 1] == '\t')) bytes--;
    size_t n = bytes < size ? bytes : size - 1;
    for (size_t i = 0; i < n; i++) out[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    out[n] = '\0';
}

static double number(const char *text) {
    double value;
    pk_err ignored;
    return pk_parse_double(text, &value, &ignored) ? value : NAN;
}

static int whole_number(const char *text) {
    int64_t value;
    pk_err ignored;
    return pk_parse_int(text, 0, INT32_MAX, &value, &ignored) ? (int)value : -1;
}

/* ---- files ---- */

/* The file's content, to be ended with pk_strbuf_fini; empty where there is none. */
static void read_file(const char *root, const char *path, pk_strbuf *content) {
    char full[PATH_BYTES];
    pk_err ignored;
    pk_strbuf_init(content, FILE_BYTES_MAX);
    int length = snprintf(full, sizeof full, "%s%s", root, path);
    if (length < 0 || (size_t)length >= sizeof full ||
        !pk_file_read(full, FILE_BYTES_MAX, content, &ignored))
        pk_strbuf_clear(content);
}

/* The first line of a small file; empty where there is none. */
static void read_line(const char *root, const char *path, char *out, size_t size) {
    pk_strbuf content;
    read_file(root, path, &content);
    copy_text(out, size, content.data, strcspn(content.data, "\n"));
    pk_strbuf_fini(&content);
}

static int read_whole(const char *root, const char *path) {
    char text[32];
    read_line(root, path, text, sizeof text);
    return whole_number(text);
}

static double read_number(const char *root, const char *path) {
    char text[64];
    read_line(root, path, text, sizeof text);
    return number(text);
}

/* ---- parsers ---- */

/* The value of the first line "key : value"; false where there is none. */
static bool find_value(const char *text, size_t bytes, const char *key, char *out, size_t size) {
    size_t key_length = strlen(key);
    for (const char *end = text + bytes, *line = text, *next; line < end; line = next) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        next = stop ? stop + 1 : end;
        if (!stop) stop = end;
        if ((size_t)(stop - line) < key_length || memcmp(line, key, key_length) != 0) continue;
        const char *p = line + key_length;
        while (p < stop && (*p == ' ' || *p == '\t')) p++;
        if (p == stop || *p != ':') continue;
        copy_text(out, size, p + 1, (size_t)(stop - p - 1));
        return true;
    }
    return false;
}

static int count_processors(const char *text, size_t bytes) {
    static const char key[] = "processor";
    int n = 0;
    for (const char *end = text + bytes, *line = text; line < end;) {
        if ((size_t)(end - line) >= sizeof key && memcmp(line, key, sizeof key - 1) == 0 &&
            (line[sizeof key - 1] == '\t' || line[sizeof key - 1] == ' '))
            n++;
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        line = stop ? stop + 1 : end;
    }
    return n;
}

static bool has_word(const char *text, const char *word) {
    size_t length = strlen(word);
    for (const char *at = text; (at = strstr(at, word)); at += length)
        if ((at == text || at[-1] == ' ') && (at[length] == ' ' || !at[length])) return true;
    return false;
}

void pk_environment_parse_cpuinfo(const char *text, size_t bytes, pk_environment *env) {
    char flags[8192], part[16], mhz[32];
    /* Arm names its processors by numbers alone. */
    if (!find_value(text, bytes, "model name", env->cpu_model, sizeof env->cpu_model) &&
        find_value(text, bytes, "CPU implementer", mhz, sizeof mhz) &&
        find_value(text, bytes, "CPU part", part, sizeof part))
        snprintf(env->cpu_model, sizeof env->cpu_model, "implementer %s part %s", mhz, part);
    (void)find_value(text, bytes, "microcode", env->microcode, sizeof env->microcode);
    if (find_value(text, bytes, "cpu MHz", mhz, sizeof mhz)) env->mhz_now = number(mhz);
    if (find_value(text, bytes, "flags", flags, sizeof flags) && has_word(flags, "hypervisor"))
        snprintf(env->hypervisor, sizeof env->hypervisor, "hypervisor");
    int cpus = count_processors(text, bytes);
    if (cpus) env->cpus = cpus;
}

void pk_environment_parse_loadavg(const char *text, size_t bytes, pk_environment *env) {
    double *const averages[] = {&env->load_1, &env->load_5, &env->load_15};
    const char *end = text + bytes;
    char word[32];
    for (size_t i = 0; i < 4; i++) {
        const char *stop = memchr(text, i < 3 ? ' ' : '/', (size_t)(end - text));
        if (!stop) return;
        copy_text(word, sizeof word, text, (size_t)(stop - text));
        if (i < 3) *averages[i] = number(word);
        else {
            int running = whole_number(word); /* the reader is one of them */
            env->runnable = running > 0 ? running - 1 : running;
        }
        text = stop + 1;
    }
}

int pk_environment_parse_cpu_list(const char *list) {
    int count = 0;
    while (*list) {
        char word[32];
        size_t length = strcspn(list, ",");
        copy_text(word, sizeof word, list, length);
        char *dash = strchr(word, '-');
        if (dash) *dash = '\0';
        int first = whole_number(word), last = dash ? whole_number(dash + 1) : first;
        if (first < 0 || last < first || last >= CPUS_MAX || count > CPUS_MAX) return -1;
        count += last - first + 1;
        list += length;
        if (*list && !*++list) return -1; /* a comma at the end */
    }
    return count ? count : -1;
}

/* ---- the machine ---- */

static void read_cpu(const char *root, pk_environment *env) {
    pk_strbuf text;
    char list[4096];
    read_file(root, "/proc/cpuinfo", &text);
    pk_environment_parse_cpuinfo(text.data, text.length, env);
    pk_strbuf_fini(&text);
    read_file(root, "/proc/self/status", &text);
    if (find_value(text.data, text.length, "Cpus_allowed_list", list, sizeof list))
        env->cpus_allowed = pk_environment_parse_cpu_list(list);
    pk_strbuf_fini(&text);
    env->smt = read_whole(root, "/sys/devices/system/cpu/smt/active");
    read_line(root, "/sys/devices/system/cpu/isolated", env->isolated, sizeof env->isolated);
    read_line(root, "/sys/devices/system/cpu/nohz_full", env->nohz_full, sizeof env->nohz_full);
    if (strcmp(env->nohz_full, "(null)") == 0) env->nohz_full[0] = '\0'; /* what some kernels say */
    read_line(root, "/sys/devices/system/cpu/cpuidle/current_driver", env->cpuidle_driver,
              sizeof env->cpuidle_driver);
}

static void read_hypervisor(const char *root, pk_environment *env) {
    char name[sizeof env->hypervisor];
    if (!env->hypervisor[0]) return;
    read_line(root, "/sys/hypervisor/type", name, sizeof name);
    if (!name[0]) read_line(root, "/sys/class/dmi/id/sys_vendor", name, sizeof name);
    if (name[0]) memcpy(env->hypervisor, name, sizeof name);
}

static double khz_to_mhz(double khz) {
    return khz / 1000;
}

static void read_frequency(const char *root, pk_environment *env) {
#define CPUFREQ "/sys/devices/system/cpu/cpu0/cpufreq/"
    read_line(root, CPUFREQ "scaling_driver", env->scaling_driver, sizeof env->scaling_driver);
    env->mhz_min = khz_to_mhz(read_number(root, CPUFREQ "cpuinfo_min_freq"));
    env->mhz_max = khz_to_mhz(read_number(root, CPUFREQ "cpuinfo_max_freq"));
    double now = khz_to_mhz(read_number(root, CPUFREQ "scaling_cur_freq"));
    if (!isnan(now)) env->mhz_now = now;
    for (int cpu = 0; cpu == 0 || (cpu < env->cpus && strcmp(env->governor, "performance") == 0);
         cpu++) {
        char path[96], governor[sizeof env->governor];
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor", cpu);
        read_line(root, path, governor, sizeof governor);
        if (governor[0]) memcpy(env->governor, governor, sizeof governor);
    }
    int no_turbo = read_whole(root, "/sys/devices/system/cpu/intel_pstate/no_turbo");
    env->turbo =
        no_turbo >= 0 ? !no_turbo : read_whole(root, "/sys/devices/system/cpu/cpufreq/boost");
}

static void read_kernel(const char *root, pk_environment *env) {
    env->aslr = read_whole(root, "/proc/sys/kernel/randomize_va_space");
    read_line(root, "/sys/devices/system/clocksource/clocksource0/current_clocksource",
              env->clock_source, sizeof env->clock_source);
    read_line(root, "/proc/sys/kernel/osrelease", env->kernel, sizeof env->kernel);
    read_line(root, "/proc/sys/kernel/hostname", env->host, sizeof env->host);
    read_line(root, "/proc/sys/kernel/random/boot_id", env->boot_id, sizeof env->boot_id);
}

static void read_load(const char *root, pk_environment *env) {
    static const char psi_begin[] = "some avg10=";
    pk_strbuf text;
    char psi[64];
    read_file(root, "/proc/loadavg", &text);
    pk_environment_parse_loadavg(text.data, text.length, env);
    pk_strbuf_fini(&text);
    read_line(root, "/proc/pressure/cpu", psi, sizeof psi);
    if (strncmp(psi, psi_begin, sizeof psi_begin - 1) == 0) {
        psi[strcspn(psi + sizeof psi_begin - 1, " ") + sizeof psi_begin - 1] = '\0';
        env->psi_cpu_some_10 = number(psi + sizeof psi_begin - 1);
    }
    read_file(root, "/proc/stat", &text);
    pk_machine_cpu_parse(text.data, text.length, &env->ticks);
    pk_strbuf_fini(&text);
}

/* ---- folders of devices ---- */

typedef void device_visitor(const char *root, const char *folder, pk_environment *env);

static void each_device(const char *root, const char *class, device_visitor *visit,
                        pk_environment *env) {
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s%s", root, class);
    DIR *dir = opendir(path);
    if (!dir) return;
    for (struct dirent *entry; (entry = readdir(dir));) {
        char folder[PATH_BYTES];
        int length = snprintf(folder, sizeof folder, "%s/%s", class, entry->d_name);
        if (entry->d_name[0] != '.' && length > 0 && (size_t)length < sizeof folder - 16)
            visit(root, folder, env);
    }
    closedir(dir);
}

static void read_zone(const char *root, const char *folder, pk_environment *env) {
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/temp", folder);
    double celsius = read_number(root, path) / 1000;
    if (!isnan(celsius) && !(celsius <= env->temperature_c)) env->temperature_c = celsius;
}

static void read_supply(const char *root, const char *folder, pk_environment *env) {
    char path[PATH_BYTES], type[16];
    snprintf(path, sizeof path, "%s/type", folder);
    read_line(root, path, type, sizeof type);
    if (strcmp(type, "Mains") != 0) return;
    snprintf(path, sizeof path, "%s/online", folder);
    int online = read_whole(root, path);
    if (online > env->on_ac_power) env->on_ac_power = online;
}

/* ---- all of it ---- */

void pk_environment_read(const char *root, pk_environment *env) {
    *env = (pk_environment){.cpus = -1,
                            .cpus_allowed = -1,
                            .turbo = -1,
                            .mhz_min = NAN,
                            .mhz_max = NAN,
                            .mhz_now = NAN,
                            .smt = -1,
                            .aslr = -1,
                            .load_1 = NAN,
                            .load_5 = NAN,
                            .load_15 = NAN,
                            .runnable = -1,
                            .psi_cpu_some_10 = NAN,
                            .temperature_c = NAN,
                            .on_ac_power = -1};
    pk_clock_quality quality;
    pk_clock_measure(&quality);
    env->timer_cost_ns = quality.call_ns;
#ifdef __clang__
    snprintf(env->compiler, sizeof env->compiler, "%s", __VERSION__);
#else
    snprintf(env->compiler, sizeof env->compiler, "gcc %s", __VERSION__);
#endif
    read_load(root, env); /* first: what follows is a load of its own */
    read_cpu(root, env);
    read_hypervisor(root, env);
    read_frequency(root, env);
    read_kernel(root, env);
    each_device(root, "/sys/class/thermal", read_zone, env);
    each_device(root, "/sys/class/power_supply", read_supply, env);
}

/* With the texts' ends as part of what is hashed. */
static void hash_text(uint64_t *hash, const char *text) {
    *hash = pk_fnv1a(*hash, text, strlen(text) + 1);
}

void pk_environment_id(const pk_environment *env, char id[65]) {
    uint64_t hash = PK_FNV_START;
    hash_text(&hash, env->cpu_model);
    hash_text(&hash, env->kernel);
    hash_text(&hash, env->hypervisor);
    hash_text(&hash, env->governor);
    hash_text(&hash, env->compiler);
    snprintf(id, 65, "%016" PRIx64, hash);
}

/* ---- what disturbs ---- */

typedef struct warnings {
    pk_environment_warning *items;
    size_t n, max;
} warnings;

static void PK_PRINTF(3, 4) warn(warnings *w, const char *fix, const char *what, ...) {
    if (w->n == w->max) return;
    pk_environment_warning *warning = &w->items[w->n++];
    va_list args;
    va_start(args, what);
    vsnprintf(warning->what, sizeof warning->what, what, args);
    va_end(args);
    snprintf(warning->fix, sizeof warning->fix, "%s", fix);
}

static bool is_quick_clock(const char *source) {
    static const char *const quick[] = {"tsc", "kvm-clock", "arch_sys_counter"};
    for (size_t i = 0; i < sizeof quick / sizeof quick[0]; i++)
        if (strcmp(source, quick[i]) == 0) return true;
    return false;
}

/* The settings of the system. */
static void check_settings(const pk_environment *env, warnings *w) {
    if (env->governor[0] && strcmp(env->governor, "performance") != 0)
        warn(w, "sudo cpupower frequency-set -g performance",
             "the frequency governor is %s, not performance: the clock follows the load",
             env->governor);
    if (env->clock_source[0] && !is_quick_clock(env->clock_source))
        warn(w, "", "the clock source is %s, which is slow to read", env->clock_source);
    if (env->aslr == 0)
        warn(w, "sudo sysctl kernel.randomize_va_space=2",
             "addresses are not randomised: effects of placement are the same in all workers, and "
             "do not average out");
    if (env->on_ac_power == 0) warn(w, "plug it in", "this machine runs on battery");
}

size_t pk_environment_check(const pk_environment *before, const pk_environment *after, size_t max,
                            pk_environment_warning found[]) {
    warnings w = {.items = found, .max = max};
    check_settings(before, &w);
    int cpus = before->cpus_allowed > 0 ? before->cpus_allowed : before->cpus;
    if (cpus > 0 && before->runnable > cpus - 1)
        warn(&w, "stop other work, or expect wider intervals",
             "the machine is busy: %d other task%s ready to run, %d CPU%s", before->runnable,
             before->runnable == 1 ? " is" : "s are", cpus, cpus == 1 ? "" : "s");
    double steal = after ? pk_machine_steal_ratio(&before->ticks, &after->ticks) : NAN;
    if (steal > 0.01)
        warn(&w, "use a machine of your own, or run when the host is quiet",
             "the hypervisor took %.1f %% of the CPU time for others", 100 * steal);
    return w.n;
}

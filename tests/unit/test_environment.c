/* Machines as folders: what is read from them, what is warned of, and that what is not there is
 * unknown. */
#include "tests/unit/check.h"

#include <sys/stat.h>

#include "timing/environment.h"

typedef struct file {
    const char *path, *text;
} file;

static const file laptop[] = {
    {"/proc/cpuinfo", "processor\t: 0\n"
                      "model name\t: Example CPU @ 3.00GHz\n"
                      "microcode\t: 0xf0\n"
                      "cpu MHz\t\t: 1234.567\n"
                      "flags\t\t: fpu vme not_a_hypervisor_flag\n\n"
                      "processor\t: 1\n"
                      "model name\t: Another\n\n"
                      "processor\t: 2\n\nprocessor\t: 3\n"},
    {"/proc/self/status", "Name:\tx\nCpus_allowed:\tb\nCpus_allowed_list:\t0-1,3\n"},
    {"/proc/loadavg", "1.25 0.50 10.00 5/312 4711\n"},
    {"/proc/pressure/cpu", "some avg10=12.50 avg60=1.00 avg300=0.00 total=5\nfull avg10=0.00\n"},
    {"/proc/stat", "cpu  100 0 100 700 0 0 0 100 0 0\ncpu0 1 2 3\n"},
    {"/proc/sys/kernel/randomize_va_space", "0\n"},
    {"/proc/sys/kernel/osrelease", "6.1.0-example\n"},
    {"/proc/sys/kernel/hostname", "laptop\n"},
    {"/proc/sys/kernel/random/boot_id", "01234567-89ab-cdef-0123-456789abcdef\n"},
    {"/sys/devices/system/cpu/smt/active", "1\n"},
    {"/sys/devices/system/cpu/isolated", "2-3\n"},
    {"/sys/devices/system/cpu/nohz_full", "(null)\n"},
    {"/sys/devices/system/cpu/cpuidle/current_driver", "intel_idle\n"},
    {"/sys/devices/system/cpu/cpu0/cpufreq/scaling_driver", "intel_pstate\n"},
    {"/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n"},
    {"/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "powersave\n"},
    {"/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_min_freq", "400000\n"},
    {"/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", "4700000\n"},
    {"/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "3100500\n"},
    {"/sys/devices/system/cpu/intel_pstate/no_turbo", "0\n"},
    {"/sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n"},
    {"/sys/class/thermal/thermal_zone0/temp", "41500\n"},
    {"/sys/class/thermal/thermal_zone1/temp", "63000\n"},
    {"/sys/class/thermal/thermal_zone2/temp", "what?\n"},
    {"/sys/class/power_supply/BAT0/type", "Battery\n"},
    {"/sys/class/power_supply/AC/type", "Mains\n"},
    {"/sys/class/power_supply/AC/online", "0\n"},
};

static const file guest[] = {
    {"/proc/cpuinfo", "processor : 0\nCPU implementer : 0x41\nCPU part : 0xd0c\n"
                      "flags : a hypervisor\n"},
    {"/proc/loadavg", "0.00 0.00 0.00 1/50 9\n"},
    {"/proc/sys/kernel/randomize_va_space", "2\n"},
    {"/sys/class/dmi/id/sys_vendor", "  QEMU \n"},
    {"/sys/devices/system/cpu/cpufreq/boost", "0\n"},
    {"/sys/devices/system/clocksource/clocksource0/current_clocksource", "kvm-clock\n"},
};

static void make_parents(char *path, size_t from) {
    for (char *slash = path + from; (slash = strchr(slash + 1, '/'));) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
}

static void read_machine(const file files[], size_t n, pk_environment *env) {
    char root[CHECK_PATH_MAX], path[CHECK_PATH_MAX];
    check_folder_begin(root);
    for (size_t i = 0; i < n; i++) {
        check_path(path, root, files[i].path + 1);
        make_parents(path, strlen(root));
        check_write_file(path, files[i].text);
    }
    pk_environment_read(root, env);
    check_folder_end(root);
}
#define READ(files, env) read_machine(files, sizeof(files) / sizeof(files)[0], env)

static void a_laptop_is_described(void **state) {
    (void)state;
    pk_environment env;
    READ(laptop, &env);
    assert_string_equal(env.cpu_model, "Example CPU @ 3.00GHz");
    assert_string_equal(env.microcode, "0xf0");
    assert_string_equal(env.hypervisor, "");
    assert_int_equal(env.cpus, 4);
    assert_int_equal(env.cpus_allowed, 3);
    assert_string_equal(env.scaling_driver, "intel_pstate");
    assert_string_equal(env.governor, "powersave"); /* of the second CPU */
    assert_string_equal(env.cpuidle_driver, "intel_idle");
    assert_int_equal(env.turbo, 1);
    assert_near(env.mhz_min, 400, 0);
    assert_near(env.mhz_max, 4700, 0);
    assert_near(env.mhz_now, 3100.5, 1e-12);
    assert_int_equal(env.smt, 1);
    assert_string_equal(env.isolated, "2-3");
    assert_string_equal(env.nohz_full, "");
    assert_int_equal(env.aslr, 0);
    assert_string_equal(env.clock_source, "hpet");
    assert_string_equal(env.kernel, "6.1.0-example");
    assert_string_equal(env.host, "laptop");
    assert_string_equal(env.boot_id, "01234567-89ab-cdef-0123-456789abcdef");
    assert_near(env.load_1, 1.25, 0);
    assert_near(env.load_5, 0.5, 0);
    assert_near(env.load_15, 10, 0);
    assert_int_equal(env.runnable, 4);
    assert_near(env.psi_cpu_some_10, 12.5, 0);
    assert_near(env.temperature_c, 63, 0);
    assert_int_equal(env.on_ac_power, 0);
    assert_true(env.timer_cost_ns > 0 && env.compiler[0]);
    assert_true(env.ticks.known);
    assert_int_equal(env.ticks.steal_ticks, 100);
}

static void a_guest_is_described(void **state) {
    (void)state;
    pk_environment env;
    READ(guest, &env);
    assert_string_equal(env.cpu_model, "implementer 0x41 part 0xd0c");
    assert_string_equal(env.hypervisor, "QEMU");
    assert_int_equal(env.cpus, 1);
    assert_int_equal(env.turbo, 0);
    assert_int_equal(env.runnable, 0);
    assert_string_equal(env.governor, "");
    assert_int_equal(env.on_ac_power, -1);
    assert_near(env.mhz_now, NAN, 0);
}

static void what_is_not_there_is_unknown(void **state) {
    (void)state;
    pk_environment env;
    read_machine(NULL, 0, &env);
    assert_string_equal(env.cpu_model, "");
    assert_string_equal(env.microcode, "");
    assert_string_equal(env.hypervisor, "");
    assert_string_equal(env.governor, "");
    assert_string_equal(env.clock_source, "");
    assert_string_equal(env.kernel, "");
    assert_string_equal(env.boot_id, "");
    assert_true(env.cpus == -1 && env.cpus_allowed == -1 && env.turbo == -1 && env.smt == -1);
    assert_true(env.aslr == -1 && env.runnable == -1 && env.on_ac_power == -1);
    assert_near(env.load_1, NAN, 0);
    assert_near(env.mhz_max, NAN, 0);
    assert_near(env.psi_cpu_some_10, NAN, 0);
    assert_near(env.temperature_c, NAN, 0);
    assert_false(env.ticks.known);
    pk_environment_warning warnings[8];
    assert_int_equal(pk_environment_check(&env, &env, 8, warnings), 0);
}

static void this_machine_is_described(void **state) {
    (void)state;
    pk_environment env;
    pk_environment_read("", &env);
    assert_true(env.cpus >= 1 && env.cpus_allowed >= 1 && env.cpus_allowed <= env.cpus);
    assert_true(env.kernel[0] && env.load_1 >= 0 && env.runnable >= 0);
}

static void lists_of_cpus_are_counted(void **state) {
    (void)state;
    static const struct {
        const char *list;
        int count;
    } cases[] = {
        {"0", 1},   {"0-3", 4},  {"0-3,8", 5}, {"0,2,4-5,7", 5}, {"", -1},   {",", -1},
        {"0,", -1}, {"3-1", -1}, {"x", -1},    {"0-", -1},       {"-1", -1}, {"0-99999999", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(pk_environment_parse_cpu_list(cases[i].list), cases[i].count);
}

/* ---- warnings ---- */

static void assert_warns(const pk_environment *before, const pk_environment *after,
                         const char *what) {
    pk_environment_warning warnings[8];
    size_t n = pk_environment_check(before, after, 8, warnings);
    assert_int_equal(n, 1);
    assert_string_equal(warnings[0].what, what);
}

static void each_disturbance_is_one_line(void **state) {
    (void)state;
    pk_environment quiet, env;
    READ(guest, &quiet);
    pk_environment_warning warnings[8];
    assert_int_equal(pk_environment_check(&quiet, NULL, 8, warnings), 0);

    env = quiet;
    snprintf(env.governor, sizeof env.governor, "schedutil");
    assert_warns(
        &env, NULL,
        "the frequency governor is schedutil, not performance: the clock follows the load");
    snprintf(env.governor, sizeof env.governor, "performance");
    assert_int_equal(pk_environment_check(&env, NULL, 8, warnings), 0);

    env = quiet;
    snprintf(env.clock_source, sizeof env.clock_source, "acpi_pm");
    assert_warns(&env, NULL, "the clock source is acpi_pm, which is slow to read");
    env = quiet;
    env.aslr = 0;
    assert_int_equal(pk_environment_check(&env, NULL, 8, warnings), 1);
    assert_string_equal(warnings[0].fix, "sudo sysctl kernel.randomize_va_space=2");
    env = quiet;
    env.on_ac_power = 0;
    assert_warns(&env, NULL, "this machine runs on battery");
}

static void load_and_steal_are_warned_of(void **state) {
    (void)state;
    pk_environment before, after;
    pk_environment_warning warnings[8];
    READ(guest, &before);
    before.runnable = 1; /* more than 1 CPU less the worker's one */
    assert_warns(&before, NULL, "the machine is busy: 1 other task is ready to run, 1 CPU");
    before.cpus_allowed = 2;
    assert_int_equal(pk_environment_check(&before, NULL, 8, warnings), 0);
    before.runnable = 2;
    assert_warns(&before, NULL, "the machine is busy: 2 other tasks are ready to run, 2 CPUs");

    before.runnable = 0;
    before.ticks = (pk_machine_cpu){true, 1000, 0, 0};
    after = before;
    after.ticks = (pk_machine_cpu){true, 2000, 0, 10};
    assert_int_equal(pk_environment_check(&before, &after, 8, warnings), 0); /* 1 %: not above */
    after.ticks.steal_ticks = 32;
    assert_warns(&before, &after, "the hypervisor took 3.2 % of the CPU time for others");
}

static void warnings_fit(void **state) {
    (void)state;
    pk_environment env;
    READ(laptop, &env);
    pk_environment_warning warnings[8];
    assert_int_equal(pk_environment_check(&env, NULL, 8, warnings), 5);
    memset(warnings, 0, sizeof warnings);
    assert_int_equal(pk_environment_check(&env, NULL, 2, warnings), 2);
    assert_string_equal(warnings[2].what, "");
}

static void stored_numbers_are_told_apart_by_the_machine(void **state) {
    (void)state;
    pk_environment env, other;
    char id[65], other_id[65];
    READ(laptop, &env);
    pk_environment_id(&env, id);
    assert_int_equal(strlen(id), 16);
    assert_int_equal(strspn(id, "0123456789abcdef"), 16);
    other = env;
    other.load_1 = 7, other.mhz_now = 1, other.runnable = 9;
    snprintf(other.boot_id, sizeof other.boot_id, "another");
    pk_environment_id(&other, other_id);
    assert_string_equal(id, other_id);
    char *const matter[] = {other.cpu_model, other.kernel, other.hypervisor, other.governor,
                            other.compiler};
    for (size_t i = 0; i < sizeof matter / sizeof matter[0]; i++) {
        other = env;
        matter[i][0] ^= 1;
        pk_environment_id(&other, other_id);
        assert_string_not_equal(id, other_id);
    }
    /* Where one text ends and the next begins matters. The hash is FNV-1a: of five NULs. */
    pk_environment none = {0};
    pk_environment_id(&none, id);
    uint64_t hash = 0xcbf29ce484222325u;
    for (int i = 0; i < 5; i++) hash *= 0x100000001b3u;
    snprintf(other_id, sizeof other_id, "%016llx", (unsigned long long)hash);
    assert_string_equal(id, other_id);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_laptop_is_described),
        cmocka_unit_test(a_guest_is_described),
        cmocka_unit_test(what_is_not_there_is_unknown),
        cmocka_unit_test(this_machine_is_described),
        cmocka_unit_test(lists_of_cpus_are_counted),
        cmocka_unit_test(each_disturbance_is_one_line),
        cmocka_unit_test(load_and_steal_are_warned_of),
        cmocka_unit_test(warnings_fit),
        cmocka_unit_test(stored_numbers_are_told_apart_by_the_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

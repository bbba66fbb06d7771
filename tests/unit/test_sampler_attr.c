#include "check.h"

#include <errno.h>
#include <time.h>

#include "flame/sampler.h"

static const pk_record_options usual = {.frequency_hz = 997, .stack_bytes = PK_STACK_COPY_MAX};

static pk_sampler_attr made(const pk_record_options *options, bool on_exec) {
    pk_sampler_attr attr;
    pk_err err;
    assert_ok(pk_sampler_attr_make(options, on_exec, &attr, &err), &err);
    return attr;
}

static void whole_stacks_with_registers_are_asked_for(void **state) {
    (void)state;
    const pk_sampler_attr attr = made(&usual, true);
    const struct perf_event_attr *a = &attr.sampled;
    const uint64_t types = PERF_SAMPLE_CALLCHAIN | PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER;
    assert_int_equal(a->sample_type & types, types);
    assert_true(a->exclude_callchain_user && !a->exclude_callchain_kernel);
    assert_int_equal(a->sample_stack_user, 65528);
    assert_true(a->inherit && a->enable_on_exec && a->disabled);
    assert_true(a->freq && a->sample_freq == 997);
    assert_true(a->use_clockid && a->clockid == CLOCK_MONOTONIC);
    assert_int_equal(a->precise_ip, 3);
    assert_false(made(&usual, false).sampled.enable_on_exec);

    pk_record_options options = usual;
    options.stack_bytes = 8195; /* words */
    options.all_cpus = true;
    assert_int_equal(made(&options, false).sampled.sample_stack_user, 8192);
    assert_false(made(&options, false).sampled.inherit);
    options.call_graph = PK_CALL_GRAPH_FP;
    assert_int_equal(made(&options, false).sampled.sample_type & types, PERF_SAMPLE_CALLCHAIN);
    assert_false(made(&options, false).sampled.exclude_callchain_user);
    options.call_graph = PK_CALL_GRAPH_NONE;
    assert_int_equal(made(&options, false).sampled.sample_type & types, 0);
}

static void the_rate_keeps_to_the_kernels_limit(void **state) {
    (void)state;
    pk_record_probe probe;
    pk_record_probe_machine(&probe);
    pk_record_options options = usual;
    options.frequency_hz = 1000000000000;
    if (probe.max_frequency_hz > 0)
        assert_int_equal(made(&options, false).sampled.sample_freq, probe.max_frequency_hz);
    options.period = 12345;
    assert_false(made(&options, false).sampled.freq);
    assert_int_equal(made(&options, false).sampled.sample_period, 12345);
    options.off_cpu = true;
    const pk_sampler_attr attr = made(&options, false);
    assert_int_equal(attr.sampled.sample_period, 1);
    assert_true(attr.sampled.context_switch);
    assert_int_equal(attr.sampled.config, PERF_COUNT_SW_CONTEXT_SWITCHES);
}

static void what_a_machine_lacks_is_left_out_step_by_step(void **state) {
    (void)state;
    pk_sampler_attr attr = made(&usual, true);
    for (int precise = 2; precise >= 0; precise--) {
        assert_true(pk_sampler_attr_relax(&attr, EOPNOTSUPP));
        assert_int_equal(attr.sampled.precise_ip, precise);
    }
    assert_false(attr.fell_back);
    assert_true(pk_sampler_attr_relax(&attr, ENOENT));
    assert_true(attr.fell_back);
    assert_string_equal(attr.name, "cpu-clock");
    assert_int_equal(attr.sampled.type, PERF_TYPE_SOFTWARE);
    assert_int_equal(attr.sampled.config, PERF_COUNT_SW_CPU_CLOCK);
    assert_true(attr.sampled.ksymbol && attr.sampled.read_format);
    assert_true(pk_sampler_attr_relax(&attr, EINVAL)); /* an old kernel */
    assert_true(pk_sampler_attr_relax(&attr, EINVAL));
    assert_false(attr.sampled.ksymbol || attr.sampled.read_format);
    assert_false(pk_sampler_attr_relax(&attr, EINVAL));
    assert_false(pk_sampler_attr_relax(&attr, EMFILE));

    pk_record_options options = usual;
    options.event = "cycles:u";
    attr = made(&options, true);
    assert_int_equal(attr.sampled.precise_ip, 0);
    assert_true(pk_sampler_attr_relax(&attr, ENOENT));
    assert_string_equal(attr.name, "cpu-clock:u");
    options.event = "branch-misses";
    attr = made(&options, true);
    assert_false(pk_sampler_attr_relax(&attr, ENOENT));
}

static void without_rights_the_kernel_is_left_out(void **state) {
    (void)state;
    pk_record_options options = usual;
    pk_sampler_attr attr = made(&options, true);
    assert_true(pk_sampler_attr_relax(&attr, EACCES));
    assert_true(attr.kernel_excluded && attr.sampled.exclude_kernel);
    assert_true(attr.sampled.exclude_callchain_kernel);
    assert_false(pk_sampler_attr_relax(&attr, EACCES));
    /* Nothing would be left of these. */
    options.event = "cpu-clock:k";
    attr = made(&options, true);
    assert_false(pk_sampler_attr_relax(&attr, EACCES));
    options.off_cpu = true;
    attr = made(&options, true);
    assert_false(pk_sampler_attr_relax(&attr, EPERM));
}

static void errors_name_the_cure(void **state) {
    (void)state;
    static const struct {
        int why;
        pk_err_kind kind;
        const char *what, *fix;
    } cases[] = {
        {ENOENT, PK_E_UNSUPPORTED, "the event cycles", "cpu-clock"},
        {ESRCH, PK_E_INPUT, "no process 7", "ps -e"},
        {EMFILE, PK_E_LIMIT, "file descriptors", "ulimit -Hn"},
        {ENOSYS, PK_E_UNSUPPORTED, "performance events", "CONFIG_PERF_EVENTS"},
        {EBUSY, PK_E_SYS, "cannot sample cycles", "another event"},
        {EACCES, PK_E_SYS, "", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pk_sampler_attr attr = made(&usual, true);
        pk_err err = {0};
        pk_sampler_attr_fail(&attr, &usual, 7, cases[i].why, &err);
        assert_fails(false, &err, cases[i].kind);
        if (!strstr(err.what, cases[i].what) || !strstr(err.fix, cases[i].fix))
            fail_msg("%d: %s; %s", cases[i].why, err.what, err.fix);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_stacks_with_registers_are_asked_for),
        cmocka_unit_test(the_rate_keeps_to_the_kernels_limit),
        cmocka_unit_test(what_a_machine_lacks_is_left_out_step_by_step),
        cmocka_unit_test(without_rights_the_kernel_is_left_out),
        cmocka_unit_test(errors_name_the_cure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

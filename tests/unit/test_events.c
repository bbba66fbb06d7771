#include "check.h"

#include <sys/stat.h>

#include "flame/events.h"

static pk_event event_of(const char *text) {
    pk_event event;
    pk_err err;
    assert_ok(pk_event_parse(text, "/nonexistent", &event, &err), &err);
    return event;
}

static void assert_event(const char *text, uint32_t type, uint64_t config) {
    const pk_event event = event_of(text);
    if (event.type == type && event.config == config) return;
    fail_msg("%s is %u, %llx", text, event.type, (unsigned long long)event.config);
}

/* The numbers are those of linux/perf_event.h, written out. */
static void names_are_those_of_perf(void **state) {
    (void)state;
    assert_event("cycles", 0, 0);
    assert_event("cpu-cycles", 0, 0);
    assert_event("instructions", 0, 1);
    assert_event("cache-misses", 0, 3);
    assert_event("branches", 0, 4);
    assert_event("branch-misses", 0, 5);
    assert_event("ref-cycles", 0, 9);
    assert_event("cpu-clock", 1, 0);
    assert_event("task-clock", 1, 1);
    assert_event("page-faults", 1, 2);
    assert_event("faults", 1, 2);
    assert_event("context-switches", 1, 3);
    assert_event("cs", 1, 3);
    assert_event("cpu-migrations", 1, 4);
    assert_event("minor-faults", 1, 5);
    assert_event("major-faults", 1, 6);
    assert_event("L1-dcache-loads", 3, 0);
    assert_event("L1-dcache-load-misses", 3, 0x10000);
    assert_event("LLC-store-misses", 3, 0x10102);
    assert_event("iTLB-load-misses", 3, 0x10004);
    assert_event("r1c4", 4, 0x1c4);
}

static void modifiers_choose_the_mode(void **state) {
    (void)state;
    assert_false(event_of("cycles").exclude_user || event_of("cycles").exclude_kernel);
    assert_true(event_of("cycles:u").exclude_kernel && !event_of("cycles:u").exclude_user);
    assert_true(event_of("cpu-clock:k").exclude_user && !event_of("cpu-clock:k").exclude_kernel);
    assert_false(event_of("cycles:uk").exclude_user || event_of("cycles:uk").exclude_kernel);
    assert_int_equal(event_of("cycles").precise, 0);
    assert_int_equal(event_of("cycles:ppu").precise, 2);
    assert_int_equal(event_of("cycles:P").precise, 3);
}

static void tracepoints_are_looked_up(void **state) {
    (void)state;
    char root[CHECK_PATH_MAX], path[CHECK_PATH_MAX];
    pk_event event;
    pk_err err;
    check_folder_begin(root);
    const char *const folders[] = {"events", "events/sched", "events/sched/sched_switch",
                                   "events/sched/u"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        assert_int_equal(mkdir(check_path(path, root, folders[i]), 0700), 0);
    check_write_file(check_path(path, root, "events/sched/sched_switch/id"), "316\n");
    check_write_file(check_path(path, root, "events/sched/u/id"), "7\n");
    assert_ok(pk_event_parse("sched:sched_switch", root, &event, &err), &err);
    assert_int_equal(event.type, 2);
    assert_int_equal(event.config, 316);
    assert_ok(pk_event_parse("sched:sched_switch:u", root, &event, &err), &err);
    assert_int_equal(event.config, 316);
    assert_true(event.exclude_kernel);
    memset(&err, 0, sizeof err);
    assert_fails(pk_event_parse("sched:nothing", root, &event, &err), &err, PK_E_UNSUPPORTED);
    memset(&err, 0, sizeof err);
    assert_fails(pk_event_parse("..:x", root, &event, &err), &err, PK_E_INPUT);
    check_folder_end(root);
}

static void what_is_no_event_is_an_error(void **state) {
    (void)state;
    static const struct {
        const char *text, *fix;
        pk_err_kind kind;
    } wrong[] = {
        {"cycels", "did you mean cycles?", PK_E_INPUT},
        {"", "known are", PK_E_INPUT},
        {"cycles,instructions", "give one", PK_E_INPUT},
        {"cpu/event=0x3c/", "record with perf", PK_E_UNSUPPORTED},
        {"cycles:pppp", "tracefs", PK_E_UNSUPPORTED}, /* no modifiers, so a tracepoint */
        {"rxyz", "known are", PK_E_INPUT},
        {"cycles:", "GROUP:NAME", PK_E_INPUT},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        pk_event event;
        pk_err err = {0};
        assert_fails(pk_event_parse(wrong[i].text, "/nonexistent", &event, &err), &err,
                     wrong[i].kind);
        if (!strstr(err.fix, wrong[i].fix)) fail_msg("%s: %s", wrong[i].text, err.fix);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_those_of_perf),
        cmocka_unit_test(modifiers_choose_the_mode),
        cmocka_unit_test(tracepoints_are_looked_up),
        cmocka_unit_test(what_is_no_event_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

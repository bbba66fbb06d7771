#include "check.h"

#include <pthread.h>
#include <sys/prctl.h>

#include "flame/attach.h"
#include "flame/kernel_text.h"
#include "flame/owners.h"
#include "profile/address_space.h"

/* ---- this very process ---- */

typedef struct told {
    pid_t pid;
    size_t comms, maps, of_others, kernels;
    bool has_name, has_test;
} told;

static bool tell(void *context, const pk_perf_info *info, const pk_record *record, pk_err *err) {
    (void)info, (void)err;
    told *t = context;
    if (record->pid == PK_PID_KERNEL) {
        t->kernels += record->type == PK_RECORD_MMAP &&
                      strcmp(record->mmap.file, "[kernel.kallsyms]_text") == 0 &&
                      record->mmap.offset == record->mmap.address;
        return true;
    }
    if (record->time_ns != 0 || (pid_t)record->pid != t->pid) {
        t->of_others++;
    } else if (record->type == PK_RECORD_COMM) {
        t->comms++;
        if (strcmp(record->comm.name, "a \"name\" (1)") == 0) t->has_name = !record->comm.exec;
    } else if (record->type == PK_RECORD_MMAP2) {
        t->maps++;
        uint64_t here = (uint64_t)(uintptr_t)tell;
        if (here - record->mmap.address < record->mmap.bytes)
            t->has_test = strstr(record->mmap.file, "test_attach") != NULL;
    }
    return true;
}

static void *wait_for_gate(void *gate) {
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return NULL;
}

static void a_process_is_told_with_its_threads_and_maps(void **state) {
    (void)state;
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_t thread;
    pk_perf_info info = {0};
    pk_err err;
    told t = {.pid = getpid()};
    pk_array tids = PK_ARRAY(pid_t, 100);
    assert_int_equal(prctl(PR_SET_NAME, "a \"name\" (1)"), 0);
    pthread_mutex_lock(&gate);
    assert_ok(pk_attach_threads(getpid(), &tids, &err), &err);
    size_t before = tids.count;
    assert_int_equal(pthread_create(&thread, NULL, wait_for_gate, &gate), 0);
    assert_ok(pk_attach_threads(getpid(), &tids, &err), &err);
    size_t after = tids.count;
    assert_in_range(after, before + 1, before + 2); /* a sanitizer starts one of its own */
    assert_int_equal(PK_AT(&tids, pid_t, 0), getpid());
    assert_ok(pk_attach_threads(getpid(), &tids, &err), &err);
    assert_int_equal(tids.count, after);
    assert_ok(pk_attach_process(getpid(), &info, tell, &t, &err), &err);
    pthread_mutex_unlock(&gate);
    pthread_join(thread, NULL);
    assert_int_equal(t.comms, after);
    assert_true(t.has_name && t.has_test);
    assert_true(t.maps >= 2 && t.of_others == 0);
    pk_array_fini(&tids);

    assert_ok(pk_attach_machine(&info, tell, &t, &err), &err);
    assert_true(t.of_others >= 1); /* whoever called us */
    memset(&err, 0, sizeof err);
    assert_fails(pk_attach_threads(INT32_MAX, &tids, &err), &err, PK_E_INPUT);
    assert_ok(pk_attach_process(INT32_MAX, &info, tell, &t, &err), &err);
}

/* ---- the kernel ---- */

static bool text_of(const char *folder, const char *content, uint64_t *address) {
    char path[CHECK_PATH_MAX];
    check_write_file(check_path(path, folder, "kallsyms"), content);
    return pk_kernel_text_find(path, address);
}

static void the_kernels_place_is_found_unless_it_is_hidden(void **state) {
    (void)state;
    char folder[CHECK_PATH_MAX];
    uint64_t address = 1;
    check_folder_begin(folder);
    assert_true(text_of(folder,
                        "0000000000000000 A fixed_percpu_data\nffffffff81000010 T _text_not\n"
                        "ffffffff81000000 T _text\nffffffff82000000 T _etext\n",
                        &address));
    assert_int_equal(address, 0xffffffff81000000);
    assert_true(text_of(folder, "ffff800080010000 T _stext\n", &address));
    assert_int_equal(address, 0xffff800080010000);
    assert_false(text_of(folder, "0000000000000000 T _text\n", &address));
    assert_false(text_of(folder, "ffffffff81000000 T _text\t[module]\n", &address));
    assert_false(text_of(folder, "", &address));
    assert_false(pk_kernel_text_find("/nonexistent", &address));
    assert_int_equal(address, 0xffff800080010000);
    check_folder_end(folder);

    pk_perf_info info = {0};
    told t = {.pid = getpid()};
    pk_err err;
    assert_ok(pk_attach_kernel(&info, tell, &t, &err), &err);
    assert_int_equal(t.kernels, pk_kernel_text_find("/proc/kallsyms", &address));
}

/* ---- whose events ---- */

static bool twice(pk_owners *owners, pk_record_type type, uint32_t tid, uint64_t id) {
    /* The identifier comes first in samples and last elsewhere; what is not it is no id. */
    uint64_t words[4] = {0, 99, 99, 99};
    words[type == PK_RECORD_SAMPLE ? 1 : 3] = id;
    const pk_record record = {.type = type, .tid = tid};
    return pk_owners_twice(owners, &record, (const unsigned char *)words, sizeof words);
}

static void inherited_events_of_a_late_thread_are_told(void **state) {
    (void)state;
    pk_owners owners;
    pk_owners_init(&owners);
    assert_true(pk_owners_add(&owners, 12, 100));
    assert_true(pk_owners_add(&owners, 11, 100));
    assert_true(pk_owners_add(&owners, 13, 200));
    assert_false(twice(&owners, PK_RECORD_SAMPLE, 200, 11)); /* nobody is late */
    assert_true(pk_owners_add_late(&owners, 200));
    assert_true(twice(&owners, PK_RECORD_SAMPLE, 200, 11));
    assert_true(twice(&owners, PK_RECORD_SAMPLE, 200, 12));
    assert_true(twice(&owners, PK_RECORD_SWITCH, 200, 12));
    assert_false(twice(&owners, PK_RECORD_SAMPLE, 200, 13)); /* its own */
    assert_false(twice(&owners, PK_RECORD_SAMPLE, 300, 11)); /* began later, inherits only */
    assert_false(twice(&owners, PK_RECORD_SAMPLE, 100, 11));
    assert_false(twice(&owners, PK_RECORD_MMAP2, 200, 11));  /* does no harm */
    assert_false(twice(&owners, PK_RECORD_SAMPLE, 200, 99)); /* of nobody that we know */
    assert_false(twice(&owners, PK_RECORD_EXIT, 200, 11));
    assert_false(twice(&owners, PK_RECORD_SAMPLE, 200, 11)); /* another of that number */
    pk_owners_fini(&owners);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_is_told_with_its_threads_and_maps),
        cmocka_unit_test(the_kernels_place_is_found_unless_it_is_hidden),
        cmocka_unit_test(inherited_events_of_a_late_thread_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

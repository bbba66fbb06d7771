/* Profiles with known figures, for the tests of what is made from them. */
#ifndef PK_TESTS_UNIT_PROFILE_SAMPLE_H
#define PK_TESTS_UNIT_PROFILE_SAMPLE_H

#include "check.h"

#include "profile/folded.h"
#include "profile/profile.h"

/* The stacks of folded text, summed. */
static inline pk_profile profile_of(const char *folded) {
    pk_profile profile;
    pk_err err = {0};
    pk_folded_read read = {0};
    assert_ok(pk_profile_init(&profile, 1, false, &err), &err);
    assert_ok(pk_folded_add(&profile.tree, folded, strlen(folded), &read, &err), &err);
    pk_stack_tree_sum(&profile.tree);
    profile.unit = "samples";
    profile.n_samples = pk_node(&profile.tree, PK_NODE_ROOT)->total[0];
    return profile;
}

static inline uint32_t name_of(const pk_profile *profile, const char *text) {
    uint32_t name = pk_names_intern(profile->names, text, strlen(text));
    assert_int_not_equal(name, PK_NAME_NONE);
    return name;
}

static inline uint32_t profile_thread(pk_profile *profile, uint32_t pid, uint32_t tid,
                                      const char *name) {
    pk_profile_thread *t = pk_array_push(&profile->threads);
    assert_non_null(t);
    *t = (pk_profile_thread){.pid = pid, .tid = tid, .name = name_of(profile, name)};
    return (uint32_t)profile->threads.count - 1;
}

/* One sample of a thread, `stack` folded. */
static inline void profile_sample(pk_profile *profile, uint32_t thread, uint64_t time_ns,
                                  const char *stack, uint64_t weight) {
    uint32_t frames[16];
    size_t n = 0;
    pk_err err = {0};
    for (const char *at = stack; *at; n++) {
        size_t bytes = strcspn(at, ";");
        frames[n] = pk_names_intern(profile->names, at, bytes);
        at += bytes + (at[bytes] == ';');
    }
    uint32_t node = pk_stack_tree_add(&profile->tree, frames, n, &weight, &err);
    assert_int_not_equal(node, PK_NODE_NONE);
    pk_profile_sample *s = pk_array_push(&profile->samples);
    assert_non_null(s);
    *s = (pk_profile_sample){time_ns, thread, node, weight};
    pk_profile_thread *t = &PK_AT(&profile->threads, pk_profile_thread, thread);
    if (t->samples++ == 0) t->first_ns = time_ns;
    t->last_ns = time_ns;
    profile->n_samples++;
}

static inline void profile_module(pk_profile *profile, const pk_profile_module *module) {
    pk_profile_module *m = pk_array_push(&profile->modules);
    assert_non_null(m);
    *m = *module;
}

/* A recording of cpu-clock at 1000 Hz: two threads, four samples of 1 ms, two modules. */
static inline pk_profile profile_recorded(void) {
    pk_profile p;
    pk_err err = {0};
    assert_ok(pk_profile_init(&p, 1, false, &err), &err);
    uint32_t main_thread = profile_thread(&p, 40, 40, "burner");
    uint32_t worker = profile_thread(&p, 40, 41, "worker \"1\"");
    profile_sample(&p, main_thread, 5000000000, "burner;main;hot", 1000000);
    profile_sample(&p, worker, 5000500000, "burner;run;hot", 1000000);
    profile_sample(&p, main_thread, 5001000000, "burner;main;hot", 1000000);
    profile_sample(&p, main_thread, 5002000000, "burner;main;cold;[kernel]", 1000000);
    pk_stack_tree_sum(&p.tree);
    p.event = "cpu-clock";
    p.weight_is_time = true;
    p.unit = "ns";
    p.frequency_hz = 1000;
    p.duration_ns = 2500000;
    p.command = "./burner 3";
    p.kernel = "6.1.0";
    p.stacks_copied = true;
    p.whole = 3;
    p.truncated = 1;
    p.lost = 2;
    profile_module(&p, &(pk_profile_module){.path = "/usr/bin/burner",
                                            .frames = 8,
                                            .symbols = true,
                                            .call_frame_information = true});
    profile_module(&p, &(pk_profile_module){
                           .path = "/lib/libgone.so", .frames = 2, .unknown = 1, .missing = true});
    return p;
}

#endif

#include "profile/profile.h"

#define TEXTS_BYTES_MAX (64u << 20)
#define NAMES_BYTES_MAX (1u << 30)
#define THREADS_MAX (1u << 23)
#define SAMPLES_MAX (1u << 28)
#define MODULES_MAX (1u << 20)

bool pk_profile_init(pk_profile *profile, unsigned n_weights, bool in_order, pk_err *err) {
    *profile = (pk_profile){.unit = "samples",
                            .threads = PK_ARRAY(pk_profile_thread, THREADS_MAX),
                            .samples = PK_ARRAY(pk_profile_sample, SAMPLES_MAX),
                            .modules = PK_ARRAY(pk_profile_module, MODULES_MAX)};
    profile->arena = pk_arena_new(TEXTS_BYTES_MAX);
    profile->names = pk_names_new(NAMES_BYTES_MAX);
    if (profile->arena && profile->names) {
        if (pk_stack_tree_init(&profile->tree, profile->names, n_weights, in_order, err))
            return true;
    } else {
        pk_fail(err, PK_E_LIMIT, NULL, "not enough memory for a profile");
    }
    pk_profile_fini(profile);
    return false;
}

void pk_profile_fini(pk_profile *profile) {
    pk_stack_tree_fini(&profile->tree);
    pk_array_fini(&profile->threads);
    pk_array_fini(&profile->samples);
    pk_array_fini(&profile->modules);
    pk_names_free(profile->names);
    pk_arena_free(profile->arena);
    *profile = (pk_profile){0};
}

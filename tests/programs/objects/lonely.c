/* Needs a library that is found when it is linked, and not when it is opened. */
#include "perfkit.h"

extern int perfkit_test_nothing; /* in libperfkit-test-gone.so.1, which is nothing.so */

static void body(perfkit_run *run) {
    perfkit_keep(run->iterations + (uint64_t)perfkit_test_nothing);
}
PERFKIT_BENCHMARKS({.group = "lonely", .body = body});

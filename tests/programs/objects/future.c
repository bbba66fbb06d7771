/* An object made for a perfkit.h that does not exist. */
#include "perfkit.h"

extern const perfkit_table perfkit_benchmarks;
const perfkit_table perfkit_benchmarks = {PERFKIT_ABI + 1, 0, NULL, 0};

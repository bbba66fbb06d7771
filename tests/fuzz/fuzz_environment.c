/* What the kernel writes about the machine: any bytes leave only texts that end within their fields
 * and numbers that are unknown or make sense. */
#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "timing/environment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void check_text(const char *text, size_t size) {
    size_t length = strnlen(text, size);
    assert(length < size);
    for (size_t i = 0; i < length; i++) assert(text[i] >= ' ' && text[i] <= '~');
}

static void check_average(double value) {
    assert(isnan(value) || (value >= 0 && isfinite(value)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    pk_environment env = {.cpus = -1, .runnable = -1, .mhz_now = NAN};
    pk_environment_parse_cpuinfo((const char *)data, bytes, &env);
    pk_environment_parse_loadavg((const char *)data, bytes, &env);
    check_text(env.cpu_model, sizeof env.cpu_model);
    check_text(env.microcode, sizeof env.microcode);
    assert(!env.hypervisor[0] || strcmp(env.hypervisor, "hypervisor") == 0);
    assert(env.cpus == -1 || (env.cpus > 0 && (size_t)env.cpus <= bytes / 10 + 1));
    assert(env.runnable >= -1);
    check_average(env.load_1);
    check_average(env.load_5);
    check_average(env.load_15);
    check_average(env.mhz_now);

    char *list = malloc(bytes + 1);
    assert(list);
    memcpy(list, data, bytes);
    list[bytes] = '\0';
    int cpus = pk_environment_parse_cpu_list(list);
    assert(cpus == -1 || cpus > 0);
    free(list);
    return 0;
}

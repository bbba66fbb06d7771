#include "timing/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include "base/file.h"

void pk_sleep_until_ns(uint64_t when_ns) {
    struct timespec when = {
        .tv_sec = (time_t)(when_ns / 1000000000ull),
        .tv_nsec = (long)(when_ns % 1000000000ull),
    };
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR) {
    }
}

void pk_timer_slack_minimal(void) {
    prctl(PR_SET_TIMERSLACK, 1ul, 0ul, 0ul, 0ul); /* 0 would mean the default again */
}

static int compare_doubles(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The name of the kernel's clock source; "" if sysfs does not tell. */
static void read_source(char *source, size_t size) {
    pk_strbuf text;
    pk_err err;
    pk_strbuf_init(&text, 256);
    source[0] = '\0';
    if (pk_file_read("/sys/devices/system/clocksource/clocksource0/current_clocksource", 255, &text,
                     &err)) {
        size_t length = strcspn(text.data, "\n");
        if (length < size) {
            memcpy(source, text.data, length);
            source[length] = '\0';
        }
    }
    pk_strbuf_fini(&text);
}

void pk_clock_measure(pk_clock_quality *quality) {
    enum { BATCHES = 201, CALLS = 100 }; /* the median drops batches that an interrupt hit */
    double cost_ns[BATCHES];
    uint64_t step_ns = UINT64_MAX;
    for (int batch = 0; batch < BATCHES; batch++) {
        uint64_t first = pk_now_ns(), last = first;
        for (int call = 0; call < CALLS; call++) {
            uint64_t now = pk_now_ns();
            if (now > last && now - last < step_ns) step_ns = now - last;
            last = now;
        }
        cost_ns[batch] = (double)(last - first) / CALLS;
    }
    qsort(cost_ns, BATCHES, sizeof cost_ns[0], compare_doubles);
    quality->call_ns = cost_ns[BATCHES / 2];
    quality->step_ns = step_ns;
    read_source(quality->source, sizeof quality->source);
}

#include "load/syn_retry.h"

#include <string.h>

#include "base/file.h"
#include "base/units.h"

#define LINEAR_FILE "/proc/sys/net/ipv4/tcp_syn_linear_timeouts"
#define LINEAR_MAX 127 /* the kernel's own */
#define FIRST_WAIT_NS PK_NS_PER_S
#define WAIT_MAX_NS (120 * PK_NS_PER_S) /* TCP_RTO_MAX */
#define EARLY_NS (10 * PK_NS_PER_MS)    /* a tick of the slowest kernels, CONFIG_HZ=100 */
#define LATE_PART 8
#define DENSER_TIMES 4

uint64_t pk_syn_retry_ns(unsigned retry, unsigned linear_timeouts) {
    uint64_t at_ns = 0;
    uint64_t wait_ns = FIRST_WAIT_NS;
    for (unsigned i = 1; i <= retry; i++) {
        at_ns += wait_ns;
        if (i > linear_timeouts) wait_ns = wait_ns < WAIT_MAX_NS / 2 ? 2 * wait_ns : WAIT_MAX_NS;
    }
    return at_ns;
}

/* Values in (low_ns, high_ns]. */
static uint64_t count_between(const pk_hist *hist, uint64_t low_ns, uint64_t high_ns) {
    uint64_t high = pk_hist_count_up_to(hist, high_ns);
    uint64_t low = pk_hist_count_up_to(hist, low_ns);
    return high > low ? high - low : 0;
}

void pk_syn_retries_find(const pk_hist *tcp, unsigned linear_timeouts, pk_syn_retries *out) {
    *out = (pk_syn_retries){0};
    if (!tcp || tcp->total == 0) return;
    uint64_t before_ns = FIRST_WAIT_NS / 2; /* where the time before the cluster begins */
    for (unsigned retry = 1; retry <= PK_SYN_RETRIES_MAX; retry++) {
        uint64_t at_ns = pk_syn_retry_ns(retry, linear_timeouts);
        uint64_t low_ns = at_ns - EARLY_NS;
        uint64_t high_ns = at_ns + at_ns / LATE_PART + tcp->min;
        if (tcp->max <= low_ns) return;
        if (before_ns >= low_ns) continue; /* connects are so slow that windows overlap */
        uint64_t inside = count_between(tcp, low_ns, high_ns);
        uint64_t outside = count_between(tcp, before_ns, low_ns);
        double density = (double)inside / (double)(high_ns - low_ns);
        double density_before = (double)outside / (double)(low_ns - before_ns);
        before_ns = high_ns;
        if (inside == 0 || density < DENSER_TIMES * density_before) continue;
        out->clusters[out->n++] =
            (pk_syn_cluster){.retries = retry, .at_ns = at_ns, .count = inside};
        out->count += inside;
    }
}

unsigned pk_syn_linear_timeouts(void) {
    pk_strbuf text;
    pk_err ignored = {0};
    int64_t value = 0;
    pk_strbuf_init(&text, 64);
    if (pk_file_read(LINEAR_FILE, 64, &text, &ignored)) {
        text.data[strcspn(text.data, "\n")] = '\0';
        if (!pk_parse_int(text.data, 0, LINEAR_MAX, &value, &ignored)) value = 0;
    }
    pk_strbuf_fini(&text);
    return (unsigned)value;
}

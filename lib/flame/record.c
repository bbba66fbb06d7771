#include "flame/record.h"

#include <linux/perf_event.h>
#include <string.h>

/* ---- reading ---- */

/* What is left of a record. A read beyond its end gives 0 and is remembered. */
typedef struct cursor {
    const unsigned char *at;
    size_t left;
    bool failed;
} cursor;

static const unsigned char *take(cursor *c, size_t bytes) {
    if (c->failed || bytes > c->left) {
        c->failed = true;
        return NULL;
    }
    const unsigned char *at = c->at;
    c->at += bytes;
    c->left -= bytes;
    return at;
}

static uint64_t u64(cursor *c) {
    uint64_t value = 0;
    const unsigned char *at = take(c, sizeof value);
    if (at) memcpy(&value, at, sizeof value);
    return value;
}

static uint32_t u32(cursor *c) {
    uint32_t value = 0;
    const unsigned char *at = take(c, sizeof value);
    if (at) memcpy(&value, at, sizeof value);
    return value;
}

static uint16_t u16(cursor *c) {
    uint16_t value = 0;
    const unsigned char *at = take(c, sizeof value);
    if (at) memcpy(&value, at, sizeof value);
    return value;
}

/* A text that must end within what is left. */
static const char *text(cursor *c) {
    const unsigned char *end = c->failed || !c->left ? NULL : memchr(c->at, 0, c->left);
    if (!end) {
        c->failed = true;
        return "";
    }
    return (const char *)take(c, (size_t)(end - c->at) + 1);
}

static unsigned bits(uint64_t word) {
    return (unsigned)__builtin_popcountll(word);
}

/* ---- attributes ---- */

static uint64_t attr_u64(const unsigned char *bytes, size_t known, size_t offset) {
    uint64_t value = 0;
    if (offset + sizeof value <= known) memcpy(&value, bytes + offset, sizeof value);
    return value;
}

static uint32_t attr_u32(const unsigned char *bytes, size_t known, size_t offset) {
    uint32_t value = 0;
    if (offset + sizeof value <= known) memcpy(&value, bytes + offset, sizeof value);
    return value;
}

bool pk_perf_attr_parse(const unsigned char *bytes, size_t n, pk_perf_attr *attr) {
    if (n < PK_ATTR_BYTES_LEAST) return false;
    size_t size = attr_u32(bytes, n, offsetof(struct perf_event_attr, size));
    size_t known = size == 0 ? PK_ATTR_BYTES_LEAST : size < n ? size : n;
#define U64(field) attr_u64(bytes, known, offsetof(struct perf_event_attr, field))
#define U32(field) attr_u32(bytes, known, offsetof(struct perf_event_attr, field))
    *attr = (pk_perf_attr){
        .type = U32(type),
        .config = U64(config),
        .sample_period = U64(sample_period),
        .sample_type = U64(sample_type),
        .read_format = U64(read_format),
        .flags = attr_u64(bytes, known, 40), /* bit fields have no offsetof */
        .branch_sample_type = U64(branch_sample_type),
        .registers_user = U64(sample_regs_user),
        .registers_interrupt = U64(sample_regs_intr),
        .stack_user = U32(sample_stack_user),
        .clock_id = U32(clockid),
    };
#undef U64
#undef U32
    attr->is_frequency = attr->flags & PK_ATTR_FREQUENCY;
    return true;
}

/* ---- which event ---- */

static bool find_id(const pk_perf_events *events, uint64_t id, size_t *attr) {
    size_t low = 0, high = events->n_ids;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (events->ids[middle].id < id) low = middle + 1;
        else high = middle;
    }
    if (low == events->n_ids || events->ids[low].id != id) return false;
    *attr = events->ids[low].attr;
    return true;
}

/* Words of the sample-id trailer that stand behind `bit` (0: all of them), in their order. */
static size_t trailer_words(uint64_t sample_type) {
    return bits(sample_type & (PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ID |
                               PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU | PERF_SAMPLE_IDENTIFIER));
}

static uint64_t word_at(const unsigned char *at) {
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

/* IDENTIFIER is the first word of a sample and the last of any other record. Where the events have
 * no identifier but an ID, it stands in the same place in all of them: perf sees to that. */
static size_t event_of(const pk_perf_events *events, bool is_sample, const unsigned char *payload,
                       size_t n) {
    uint64_t type = events->attrs[0].sample_type;
    size_t attr = 0;
    if (events->n_attrs == 1) return 0;
    if (type & PERF_SAMPLE_IDENTIFIER) {
        if (n >= 8) (void)find_id(events, word_at(is_sample ? payload : payload + n - 8), &attr);
    } else if (type & PERF_SAMPLE_ID) {
        size_t before =
            bits(type & (PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ADDR));
        size_t behind = bits(type & (PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU)) + 1;
        size_t offset = is_sample ? before * 8 : n - behind * 8;
        if (offset + 8 <= n) (void)find_id(events, word_at(payload + offset), &attr);
    }
    return attr;
}

/* ---- records other than samples ---- */

static void parse_trailer(const pk_perf_attr *attr, const unsigned char *at, size_t words,
                          pk_record *record) {
    cursor c = {at, words * 8, false};
    if (attr->sample_type & PERF_SAMPLE_TID) {
        uint32_t pid = u32(&c), tid = u32(&c);
        /* The kernel's maps are of process -1, thread 0. */
        if (record->pid == UINT32_MAX && record->tid == UINT32_MAX) {
            record->pid = pid;
            record->tid = tid;
        }
    }
    if (attr->sample_type & PERF_SAMPLE_TIME) record->time_ns = u64(&c);
    if (attr->sample_type & PERF_SAMPLE_ID) (void)u64(&c);
    if (attr->sample_type & PERF_SAMPLE_STREAM_ID) (void)u64(&c);
    if (attr->sample_type & PERF_SAMPLE_CPU) record->cpu = u32(&c);
}

#define PROT_EXECUTE 4u

static void parse_mmap(cursor *c, pk_record *record) {
    record->pid = u32(c);
    record->tid = u32(c);
    pk_record_mmap *m = &record->mmap;
    *m = (pk_record_mmap){.address = u64(c)};
    m->bytes = u64(c);
    m->offset = u64(c);
    m->executable = !(record->misc & PERF_RECORD_MISC_MMAP_DATA);
    if (record->type == PK_RECORD_MMAP2) {
        if (record->misc & PERF_RECORD_MISC_MMAP_BUILD_ID) {
            const unsigned char *id = take(c, 24);
            if (id && id[0] <= PK_BUILD_ID_MAX) {
                m->build_id_bytes = id[0];
                memcpy(m->build_id, id + 4, id[0]);
            }
        } else {
            m->major = u32(c);
            m->minor = u32(c);
            m->inode = u64(c);
            m->generation = u64(c);
        }
        m->executable = u32(c) & PROT_EXECUTE;
        (void)u32(c); /* flags */
    }
    m->file = text(c);
}

static void parse_fork(cursor *c, pk_record *record) {
    record->pid = u32(c);
    record->fork.parent_pid = u32(c);
    record->tid = u32(c);
    record->fork.parent_tid = u32(c);
    record->time_ns = u64(c);
}

static void parse_body(cursor *c, pk_record *record) {
    switch ((int)record->type) {
    case PK_RECORD_MMAP:
    case PK_RECORD_MMAP2:
        parse_mmap(c, record);
        break;
    case PK_RECORD_LOST:
        (void)u64(c);
        record->lost = u64(c);
        break;
    case PK_RECORD_LOST_SAMPLES:
        record->lost = u64(c);
        break;
    case PK_RECORD_COMM:
        record->pid = u32(c);
        record->tid = u32(c);
        record->comm.name = text(c);
        record->comm.exec = record->misc & PERF_RECORD_MISC_COMM_EXEC;
        break;
    case PK_RECORD_EXIT:
    case PK_RECORD_FORK:
        parse_fork(c, record);
        break;
    case PK_RECORD_THROTTLE:
    case PK_RECORD_UNTHROTTLE:
        record->time_ns = u64(c);
        break;
    case PK_RECORD_SWITCH:
    case PK_RECORD_SWITCH_CPU_WIDE:
        record->on_cpu.out = record->misc & PERF_RECORD_MISC_SWITCH_OUT;
        record->on_cpu.preempted = record->misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT;
        break;
    case PK_RECORD_KSYMBOL:
        record->ksymbol.address = u64(c);
        record->ksymbol.bytes = u32(c);
        (void)u16(c); /* its kind */
        record->ksymbol.gone = u16(c) & PERF_RECORD_KSYMBOL_FLAGS_UNREGISTER;
        record->ksymbol.name = text(c);
        break;
    default:
        break;
    }
}

/* ---- samples ---- */

/* The values of counters: not needed, but other fields stand behind them. */
static void skip_read(cursor *c, uint64_t format) {
    uint64_t extra = bits(format & (PERF_FORMAT_ID | PERF_FORMAT_LOST));
    uint64_t times =
        bits(format & (PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING));
    uint64_t values = 1;
    if (format & PERF_FORMAT_GROUP) values = u64(c);
    if (values > c->left / 8) c->failed = true;
    else (void)take(c, (size_t)(8 * (times + values * (1 + extra))));
}

static void parse_chain(cursor *c, pk_record_sample *sample) {
    uint64_t n = u64(c);
    if (n > c->left / 8) {
        c->failed = true;
        return;
    }
    sample->n_chain = (size_t)n;
    sample->chain = (const pk_word *)take(c, (size_t)n * 8);
}

static void parse_branches(cursor *c, uint64_t branch_type, pk_record_sample *sample) {
    uint64_t n = u64(c);
    if (branch_type & PERF_SAMPLE_BRANCH_HW_INDEX) (void)u64(c);
    if (n > c->left / 24) {
        c->failed = true;
        return;
    }
    const unsigned char *branches = take(c, (size_t)n * 24);
    if (branch_type & PERF_SAMPLE_BRANCH_CALL_STACK) {
        sample->calls = (const pk_word *)branches;
        sample->n_calls = (size_t)n;
    }
    /* Since Linux 6.8 a word of counters for each branch may follow. */
    if (branch_type & (1ull << 19)) (void)take(c, (size_t)n * 8);
}

static void parse_registers(cursor *c, uint64_t mask, pk_record_sample *sample) {
    sample->registers_abi = u64(c);
    if (sample->registers_abi == PERF_SAMPLE_REGS_ABI_NONE) return;
    for (unsigned i = 0; i < PK_RECORD_REGISTERS_MAX; i++)
        if (mask >> i & 1) sample->registers[i] = u64(c);
    sample->registers_known = mask;
}

static void parse_stack(cursor *c, pk_record_sample *sample) {
    uint64_t stored = u64(c);
    if (stored == 0) return;
    if (stored > c->left) {
        c->failed = true;
        return;
    }
    sample->stack = take(c, (size_t)stored);
    uint64_t filled = u64(c);
    sample->stack_stored = (size_t)stored;
    sample->stack_bytes = filled < stored ? (size_t)filled : (size_t)stored;
}

/* The fields in the order of perf_event_open(2); those behind the stack are of no use here. */
static void parse_sample(cursor *c, const pk_perf_attr *attr, pk_record *record) {
    uint64_t type = attr->sample_type;
    pk_record_sample *sample = &record->sample;
    *sample = (pk_record_sample){
        .period = attr->is_frequency || !attr->sample_period ? 1 : attr->sample_period,
        .mode = (pk_cpu_mode)(record->misc & PERF_RECORD_MISC_CPUMODE_MASK)};
    if (type & PERF_SAMPLE_IDENTIFIER) (void)u64(c);
    if (type & PERF_SAMPLE_IP) sample->ip = u64(c);
    if (type & PERF_SAMPLE_TID) {
        record->pid = u32(c);
        record->tid = u32(c);
    }
    if (type & PERF_SAMPLE_TIME) record->time_ns = u64(c);
    if (type & PERF_SAMPLE_ADDR) (void)u64(c);
    if (type & PERF_SAMPLE_ID) (void)u64(c);
    if (type & PERF_SAMPLE_STREAM_ID) (void)u64(c);
    if (type & PERF_SAMPLE_CPU) {
        record->cpu = u32(c);
        (void)u32(c);
    }
    if (type & PERF_SAMPLE_PERIOD) sample->period = u64(c);
    if (type & PERF_SAMPLE_READ) skip_read(c, attr->read_format);
    if (type & PERF_SAMPLE_CALLCHAIN) parse_chain(c, sample);
    if (type & PERF_SAMPLE_RAW) (void)take(c, u32(c));
    if (type & PERF_SAMPLE_BRANCH_STACK) parse_branches(c, attr->branch_sample_type, sample);
    if (type & PERF_SAMPLE_REGS_USER) parse_registers(c, attr->registers_user, sample);
    if (type & PERF_SAMPLE_STACK_USER) parse_stack(c, sample);
}

/* ---- any record ---- */

size_t pk_record_size(const unsigned char *bytes, size_t n) {
    if (n < PK_RECORD_HEADER_BYTES) return 0;
    uint16_t size;
    memcpy(&size, bytes + 6, sizeof size);
    return size < PK_RECORD_HEADER_BYTES ? 0 : size;
}

bool pk_record_parse(const pk_perf_events *events, const unsigned char *bytes, size_t n,
                     pk_record *record, pk_err *err) {
    cursor head = {bytes, n, false};
    *record = (pk_record){.type = (pk_record_type)u32(&head),
                          .misc = u16(&head),
                          .bytes = n,
                          .payload = bytes + PK_RECORD_HEADER_BYTES,
                          .pid = UINT32_MAX,
                          .tid = UINT32_MAX,
                          .time_ns = PK_TIME_NONE,
                          .cpu = UINT32_MAX};
    cursor c = {record->payload, n - PK_RECORD_HEADER_BYTES, false};
    if ((int)record->type > PK_RECORD_KERNEL_LAST) return true;
    bool is_sample = record->type == PK_RECORD_SAMPLE;
    record->attr = event_of(events, is_sample, c.at, c.left);
    const pk_perf_attr *attr = &events->attrs[record->attr];
    if (is_sample) {
        parse_sample(&c, attr, record);
    } else {
        size_t words = attr->flags & PK_ATTR_SAMPLE_ID_ALL ? trailer_words(attr->sample_type) : 0;
        if (words * 8 <= c.left) {
            c.left -= words * 8;
            parse_body(&c, record);
            parse_trailer(attr, c.at + c.left, words, record);
        } else {
            c.failed = true;
        }
    }
    if (!c.failed) return true;
    pk_fail(err, PK_E_INPUT, NULL, "a record of type %d and %zu bytes contradicts itself",
            (int)record->type, n);
    return false;
}

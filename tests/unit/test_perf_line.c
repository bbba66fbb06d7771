/* Lines of perf script in their layouts. */
#include "tests/unit/check.h"

#include "flame/perf_line.h"

static pk_piece piece(const char *text) {
    return (pk_piece){text, strlen(text)};
}

static void assert_piece(pk_piece piece, const char *expected) {
    char text[256];
    assert_true(piece.bytes < sizeof text);
    memcpy(text, piece.bytes > 0 ? piece.at : "", piece.bytes);
    text[piece.bytes] = '\0';
    assert_string_equal(text, expected);
}

typedef struct event_case {
    const char *line;
    pk_perf_event_sure sure;
    const char *comm, *pid, *tid;
    int64_t time_ns, period; /* -1: not told */
    const char *event, *payload;
} event_case;

// clang-format off
static const event_case events[] = {
    {"burn   845 33358.119750:    1003009 cpu-clock:ppp:", PK_EVENT_CERTAIN,
     "burn", "", "845", 33358119750000, 1003009, "cpu-clock:ppp", ""},
    {"burn 845/846 [001] 1.5: cycles:", PK_EVENT_CERTAIN, "burn", "845", "846", 1500000000, -1, "cycles", ""},
    {"   pool 1 thread  8090 47811.359990:          1 page-faults:  7f5 f+0x1 (/a b)", PK_EVENT_CERTAIN,
     "pool 1 thread", "", "8090", 47811359990000, 1, "page-faults", "7f5 f+0x1 (/a b)"},
    {"a 1/2 3 4/5 [000] 6.789012345: 7 x:", PK_EVENT_CERTAIN, "a 1/2 3", "4", "5", 6789012345, 7, "x", ""},
    {":-1    -1/-1   9.000001:  3 cycles:u:", PK_EVENT_CERTAIN, ":-1", "-1", "-1", 9000001000, 3, "cycles:u", ""},
    {"sh 9 [000] 2.5: sched:sched_switch: prev_comm=sh prev_pid=9", PK_EVENT_CERTAIN,
     "sh", "", "9", 2500000000, -1, "sched:sched_switch", "prev_comm=sh prev_pid=9"},
    {"perf  1 2.5:    2000000        cpu-clock:", PK_EVENT_CERTAIN, "perf", "", "1", 2500000000, 2000000, "cpu-clock", ""},
    {"burn 845 1.5: 1003009", PK_EVENT_CERTAIN, "burn", "", "845", 1500000000, 1003009, "", ""},
    {"burn 845 1003009 cpu-clock:", PK_EVENT_LIKELY, "burn", "", "845", -1, 1003009, "cpu-clock", ""},
    {"burn  845", PK_EVENT_LIKELY, "burn", "", "845", -1, -1, "", ""},
    {"burn 33358.119750: cpu-clock:", PK_EVENT_LIKELY, "burn", "", "", 33358119750000, -1, "cpu-clock", ""},
    {"33358.119750:", PK_EVENT_LIKELY, "", "", "", 33358119750000, -1, "", ""},
    {"burn now cpu-clock:ppp:", PK_EVENT_LIKELY, "burn now", "", "", -1, -1, "cpu-clock:ppp", ""},
    {"burn now", PK_EVENT_NONE, "burn now", "", "", -1, -1, "", ""},
    {"-5 f", PK_EVENT_NONE, "-5 f", "", "", -1, -1, "", ""},
    {"x 18446744073709551616 1.5: 99999999999999999999 e:", PK_EVENT_CERTAIN,
     "x", "", "18446744073709551616", 1500000000, -1, "", "99999999999999999999 e:"},
    {"x 1 99999999999999.5: 1 e:", PK_EVENT_LIKELY, "x", "", "1", -1, -1, "99999999999999.5", "1 e:"},
    {"x 1 1.1234567890: 1 e:", PK_EVENT_LIKELY, "x", "", "1", -1, -1, "1.1234567890", "1 e:"},
};
// clang-format on

static void lines_of_events(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        const event_case *c = &events[i];
        pk_perf_event_line line;
        assert_int_equal(pk_perf_event_line_read(piece(c->line), &line), c->sure);
        assert_piece(line.comm, c->comm);
        assert_piece(line.pid, c->pid);
        assert_piece(line.tid, c->tid);
        assert_int_equal(line.has_time ? (int64_t)line.time_ns : -1, c->time_ns);
        assert_int_equal(line.has_period ? (int64_t)line.period : -1, c->period);
        assert_piece(line.event, c->event);
        assert_piece(line.payload, c->payload);
        assert_false(line.other);
    }
}

static void lines_of_other_records(void **state) {
    (void)state;
    pk_perf_event_line line;
    const char *text = "burn 13 [000] 1.5: PERF_RECORD_COMM exec: burn:13/13";
    assert_int_equal(pk_perf_event_line_read(piece(text), &line), PK_EVENT_CERTAIN);
    assert_true(line.other);
    assert_piece(line.event, "PERF_RECORD_COMM");
    text = "swapper 0 0.000000: PERF_RECORD_MMAP -1/0: [0xff(0x12) @ 0xff]: x [kernel]_text";
    assert_int_equal(pk_perf_event_line_read(piece(text), &line), PK_EVENT_CERTAIN);
    assert_true(line.other);
}

static const struct {
    const char *line, *address, *name, *module;
} frames[] = {
    {"\t            114a a+0x11 (/tmp/burn)", "114a", "a", "/tmp/burn"},
    {"\tffffffff821f94c3 schedule+0x23 ([kernel.kallsyms])", "ffffffff821f94c3", "schedule",
     "[kernel.kallsyms]"},
    {"12 start_kernel ([kernel.kallsyms].init.text)", "12", "start_kernel",
     "[kernel.kallsyms].init.text"},
    {"1 f (inlined)", "1", "f", "inlined"},
    {"1 [unknown] ([unknown])", "1", "[unknown]", "[unknown]"},
    {"1 std::map<int, char>::at(int) const+0x12 (/lib/x.so)", "1",
     "std::map<int, char>::at(int) const", "/lib/x.so"},
    {"1 f+0x1 (/tmp/a.out (deleted))", "1", "f", "/tmp/a.out (deleted)"},
    {"1 f(int)+0xab (/my (old) files/a)", "1", "f(int)", "/my (old) files/a"},
    {"1 f+0x1 (/odd)name)", "1", "f", "/odd)name"},
    {"1 f+0xg (/a)", "1", "f+0xg", "/a"},
    {"1 a+0x1+0x2 (/a)", "1", "a+0x1", "/a"},
    {"7f12  (/lib/libc-2.15.so)", "7f12", " ", "/lib/libc-2.15.so"},
    {"7f12 (/lib/libc-2.15.so)", "7f12", "[unknown]", "/lib/libc-2.15.so"},
    {"114a main", "114a", "main", "[unknown]"},
    {"114a f(int, char)", "114a", "f(int, char)", "[unknown]"},
    {"some words (/a)", "some", "words", "/a"},
};

static const char *const no_frames[] = {
    "", "main", "114a", "  burn.c:4", "libc-start.c:360 (inlined)", "no frame", "x (y", "  ??:0"};

static void lines_of_frames(void **state) {
    (void)state;
    pk_perf_frame_line frame;
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        assert_true(pk_perf_frame_line_read(piece(frames[i].line), &frame));
        assert_piece(frame.address, frames[i].address);
        assert_piece(frame.name, frames[i].name);
        assert_piece(frame.module, frames[i].module);
    }
    for (size_t i = 0; i < sizeof no_frames / sizeof *no_frames; i++)
        assert_false(pk_perf_frame_line_read(piece(no_frames[i]), &frame));
}

static void blanks_at_the_ends(void **state) {
    (void)state;
    assert_piece(pk_piece_trim(piece(" \t a b\r\n")), "a b");
    assert_piece(pk_piece_trim_end(piece(" a \v\f")), " a");
    assert_piece(pk_piece_trim(piece("  ")), "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_events),
        cmocka_unit_test(lines_of_other_records),
        cmocka_unit_test(lines_of_frames),
        cmocka_unit_test(blanks_at_the_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

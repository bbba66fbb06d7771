#include "report/progress.h"

#include "check.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

/* A terminal of our own: what is written to `out` is read from `master`. */
typedef struct terminal {
    int master;
    FILE *out;
} terminal;

static void set_columns(terminal *t, int columns) {
    struct winsize size = {.ws_row = 24, .ws_col = (unsigned short)columns};
    assert_int_equal(ioctl(t->master, TIOCSWINSZ, &size), 0);
}

static terminal terminal_open(int columns) {
    terminal t = {.master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)};
    if (t.master < 0) {
        print_message("no pseudo-terminal to be had here\n");
        skip();
    }
    assert_int_equal(grantpt(t.master), 0);
    assert_int_equal(unlockpt(t.master), 0);
    int slave = open(ptsname(t.master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    assert_true(slave >= 0);
    struct termios raw;
    assert_int_equal(tcgetattr(slave, &raw), 0);
    cfmakeraw(&raw);
    assert_int_equal(tcsetattr(slave, TCSANOW, &raw), 0);
    t.out = fdopen(slave, "w");
    assert_non_null(t.out);
    set_columns(&t, columns);
    return t;
}

static void terminal_close(terminal *t) {
    fclose(t->out);
    close(t->master);
}

/* The kernel hands over from a work queue: polled, with a deadline. */
static void check_seen(terminal *t, const char *expected) {
    enum { DEADLINE_MS = 10000 };
    char text[8192];
    size_t seen = 0, length = strlen(expected);
    struct pollfd ready = {.fd = t->master, .events = POLLIN};
    while (seen < length && poll(&ready, 1, DEADLINE_MS) == 1) {
        ssize_t n = read(t->master, text + seen, sizeof text - 1 - seen);
        assert_true(n > 0);
        seen += (size_t)n;
    }
    text[seen] = '\0';
    assert_string_equal(text, expected);
}

#define ERASE "\r\033[K"

static void the_line_is_rewritten_and_removed(void **state) {
    (void)state;
    terminal t = terminal_open(80);
    pk_progress progress = pk_progress_open(t.out, true);
    assert_int_equal(progress.columns, 80);
    pk_progress_show(&progress, "1s / 10s");
    check_seen(&t, ERASE "1s / 10s");
    pk_progress_show(&progress, "2s");
    check_seen(&t, ERASE "2s");
    pk_progress_close(&progress);
    check_seen(&t, ERASE);
    terminal_close(&t);
}

static void the_line_is_cut_by_cells_before_the_last_column(void **state) {
    (void)state;
    terminal t = terminal_open(10);
    pk_progress progress = pk_progress_open(t.out, true);
    pk_progress_show(&progress, "0123456789abc");
    check_seen(&t, ERASE "012345678");
    pk_progress_show(&progress, "\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad");
    check_seen(&t, ERASE "\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad"); /* 8 cells; 10 > 9 */
    set_columns(&t, 6);
    pk_progress_show(&progress, "0123456789abc"); /* the window has changed meanwhile */
    check_seen(&t, ERASE "01234");
    pk_progress_close(&progress);
    terminal_close(&t);
}

static void control_characters_do_not_reach_the_terminal(void **state) {
    (void)state;
    terminal t = terminal_open(80);
    pk_progress progress = pk_progress_open(t.out, true);
    pk_progress_show(&progress, "a\nb\x1b[2J");
    check_seen(&t, ERASE "a\\nb\\x1b[2J");
    terminal_close(&t);
}

static void nothing_shown_is_nothing_removed(void **state) {
    (void)state;
    terminal t = terminal_open(80);
    pk_progress progress = pk_progress_open(t.out, true);
    pk_progress_close(&progress);
    fputs("the first", t.out);
    fflush(t.out);
    check_seen(&t, "the first");
    terminal_close(&t);
}

static void what_is_no_terminal_gets_nothing(void **state) {
    (void)state;
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    pk_progress progress = pk_progress_open(out, false);
    pk_progress_show(&progress, "1s / 10s");
    pk_progress_close(&progress);
    progress = pk_progress_open(NULL, true);
    pk_progress_show(&progress, "1s / 10s");
    pk_progress_close(&progress);
    fclose(out);
    assert_int_equal(bytes, 0);
    free(text);
}

static void columns_come_from_the_terminal_or_the_fallback(void **state) {
    (void)state;
    terminal t = terminal_open(123);
    assert_int_equal(pk_terminal_columns(fileno(t.out), 80), 123);
    set_columns(&t, 0); /* some serial lines do not know */
    assert_int_equal(pk_terminal_columns(fileno(t.out), 80), 80);
    terminal_close(&t);
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(pk_terminal_columns(fds[1], 77), 77);
    close(fds[0]);
    close(fds[1]);
    assert_int_equal(pk_terminal_columns(-1, 77), 77);
}

static void width_counts_cells(void **state) {
    (void)state;
    assert_int_equal(pk_display_width(""), 0);
    assert_int_equal(pk_display_width("abc"), 3);
    assert_int_equal(pk_display_width("\xc2\xb5s"), 2);
    assert_int_equal(pk_display_width("e\xcc\x81"), 1);
    assert_int_equal(pk_display_width("\xe4\xb8\xad\xe6\x96\x87"), 4);
    assert_int_equal(pk_display_width("\xf0\x9f\x98\x80"), 2);
    assert_int_equal(pk_display_width("\xff"), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_line_is_rewritten_and_removed),
        cmocka_unit_test(the_line_is_cut_by_cells_before_the_last_column),
        cmocka_unit_test(control_characters_do_not_reach_the_terminal),
        cmocka_unit_test(nothing_shown_is_nothing_removed),
        cmocka_unit_test(what_is_no_terminal_gets_nothing),
        cmocka_unit_test(columns_come_from_the_terminal_or_the_fallback),
        cmocka_unit_test(width_counts_cells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

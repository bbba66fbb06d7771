#include "alloc/dtrace_words.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

#include "alloc/image.h"
#include "base/units.h"

#define INDENT_MAX 200

/* ---- -n ---- */

/* A text that is read from its beginning. */
typedef struct scan {
    const char *at;
    pk_arena *arena;
} scan;

static void skip_blanks(scan *s) {
    while (isspace((unsigned char)*s->at)) s->at++;
}

static bool take(scan *s, const char *word) {
    skip_blanks(s);
    size_t n = strlen(word);
    if (strncmp(s->at, word, n) != 0) return false;
    s->at += n;
    return true;
}

/* Characters of a name; "": none. NULL: out of memory. */
static const char *take_name(scan *s, const char *others) {
    const char *begin = s->at;
    while (isalnum((unsigned char)*s->at) || (*s->at && strchr(others, *s->at))) s->at++;
    return pk_arena_printf(s->arena, "%.*s", (int)(s->at - begin), begin);
}

static bool take_number(scan *s, uint64_t *number) {
    int64_t value;
    pk_err ignored;
    skip_blanks(s);
    const char *digits = take_name(s, "");
    if (!digits || !pk_parse_int(digits, 1, INT_MAX, &value, &ignored)) return false;
    *number = (uint64_t)value;
    return true;
}

/* "pid$target:LIB:FUNCTION:entry" */
static bool take_probe(scan *s, pk_dtrace_program *d) {
    uint64_t pid;
    if (!take(s, "pid")) return false;
    if (!take(s, "$target")) {
        if (!take_number(s, &pid)) return false;
        d->pid = (pid_t)pid;
    }
    if (!take(s, ":") || !(d->module = take_name(s, "_.+-@"))) return false;
    if (!take(s, ":") || !(d->function = take_name(s, "_.@$")) || !d->function[0]) return false;
    return *s->at == ':' && take(s, ":entry");
}

/* "[ustack(N)]" */
static bool take_key(scan *s, pk_dtrace_program *d) {
    if (!take(s, "[") || !take(s, "ustack") || !take(s, "(")) return false;
    if (!take(s, ")") && (!take_number(s, &d->frames) || !take(s, ")"))) return false;
    return take(s, "]");
}

/* "{ @name[ustack()] = count(); }" */
static bool take_action(scan *s, pk_dtrace_program *d) {
    if (!take(s, "{") || !take(s, "@") || !take_name(s, "_")) return false;
    skip_blanks(s);
    bool keyed = *s->at == '[';
    if (keyed && !take_key(s, d)) return false;
    if (!take(s, "=")) return false;
    if (keyed && take(s, "count")) {
        if (!take(s, "(") || !take(s, ")")) return false;
    } else {
        d->aggregation = keyed ? PK_ALLOC_SUM : PK_ALLOC_QUANTIZE;
        if (!take(s, keyed ? "sum" : "quantize") || !take(s, "(") || !take(s, "arg0") ||
            !take(s, ")"))
            return false;
    }
    take(s, ";");
    if (!take(s, "}")) return false;
    skip_blanks(s);
    return *s->at == '\0';
}

bool pk_dtrace_parse(const char *program, pk_arena *arena, pk_dtrace_program *parsed, pk_err *err) {
    scan s = {program, arena};
    pk_dtrace_program d = {.aggregation = PK_ALLOC_COUNT};
    bool ok = take_probe(&s, &d);
    if (ok) {
        skip_blanks(&s);
        d.description = pk_arena_printf(arena, "%.*s", (int)(s.at - program), program);
        ok = d.description && take_action(&s, &d);
    }
    if (!ok) {
        pk_fail(err, PK_E_USAGE, "-n", "this program of dtrace's is not understood at '%.60s'",
                s.at);
        pk_fix(err, "use one such as 'pid$target::malloc:entry { @[ustack()] = count(); }'");
        return false;
    }
    *parsed = d;
    return true;
}

/* ---- -x ---- */

static bool is(const char *option, const char *name) {
    return strncmp(option, name, strcspn(option, "=")) == 0 && strlen(name) == strcspn(option, "=");
}

/* What sizes dtrace's buffers or sets its pace. */
static bool is_meaningless(const char *option) {
    static const char *const names[] = {"aggrate",   "aggsize",    "bufpolicy",  "bufsize",
                                        "cleanrate", "cpu",        "dynvarsize", "nolibs",
                                        "specsize",  "statusrate", "strsize",    "switchrate"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is(option, names[i])) return true;
    return false;
}

static bool tune_number(const char *option, uint64_t most, const char *usual, uint64_t *into,
                        pk_err *err) {
    int64_t number;
    pk_err ignored;
    const char *equals = strchr(option, '=');
    if (equals && pk_parse_int(equals + 1, 1, (int64_t)most, &number, &ignored)) {
        *into = (uint64_t)number;
        return true;
    }
    pk_fail(err, PK_E_USAGE, "-x", "%s needs a number from 1 to %d", option, (int)most);
    pk_fix(err, "use one such as %s", usual);
    return false;
}

bool pk_dtrace_tune(const char *option, pk_dtrace_tuning *tuning, pk_err *err) {
    if (is(option, "ustackframes"))
        return tune_number(option, PK_IMAGE_FRAMES_MAX, "ustackframes=20", &tuning->frames, err);
    if (is(option, "stackindent"))
        return tune_number(option, INDENT_MAX, "stackindent=14", &tuning->indent, err);
    if (is(option, "aggsortrev")) tuning->reversed = true;
    else if (is(option, "aggsortkey")) tuning->by_key = true;
    else if (is(option, "quiet")) tuning->quiet = true;
    else if (!is_meaningless(option)) {
        pk_fail(err, PK_E_USAGE, "-x", "%s is no option of dtrace's that has a meaning here",
                option);
        pk_fix(err, "use ustackframes=N, stackindent=N, aggsortrev or aggsortkey");
        return false;
    }
    return true;
}

/* What is to be watched, from the words on the line. */
#include "cmd/target.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/procfs.h"
#include "base/units.h"
#include "cli/complete.h"

#define PIDS_MAX 4096

static bool fail_memory(pk_err *err) {
    pk_fail(err, PK_E_LIMIT, NULL, "no memory for a command line this long");
    return false;
}

/* ---- commands ---- */

bool target_command(const pk_text_list *words, const pk_text_list *rest, pk_arena *arena,
                    char ***argv, pk_err *err) {
    size_t n = words->count + rest->count;
    char **made = NULL;
    if (n > 0 && !(made = PK_NEW(arena, n + 1, char *))) return fail_memory(err);
    for (size_t i = 0; i < n; i++) {
        const char *word = i < words->count ? words->items[i] : rest->items[i - words->count];
        if (!(made[i] = pk_arena_strdup(arena, word))) return fail_memory(err);
    }
    *argv = made;
    return true;
}

const char *const *target_split(const char *before, const char *text, pk_arena *arena,
                                pk_err *err) {
    char *copy = pk_arena_strdup(arena, text), *rest = NULL;
    const char **words = copy ? PK_NEW(arena, strlen(text) / 2 + 3, const char *) : NULL;
    size_t n = 0;
    if (!words) {
        fail_memory(err);
        return NULL;
    }
    if (before) words[n++] = before;
    for (char *word = strtok_r(copy, " \t\n", &rest); word; word = strtok_r(NULL, " \t\n", &rest))
        words[n++] = word;
    return words;
}

/* ---- processes ---- */

typedef struct search {
    const char *name; /* NULL: any */
    const char *too_many;
    pid_t *pids;
    size_t n;
} search;

static bool take_named(void *context, const pk_process_info *info) {
    search *s = context;
    if (info->pid != getpid() && strcmp(info->name, s->name) == 0 && s->n < PIDS_MAX)
        s->pids[s->n++] = info->pid;
    return true;
}

static bool add_pid(search *s, const char *word, pk_err *err) {
    int64_t number;
    pk_err ignored;
    if (s->n == PIDS_MAX) {
        pk_fail(err, PK_E_LIMIT, "--pid", "more than %d processes", PIDS_MAX);
        pk_fix(err, "%s", s->too_many);
        return false;
    }
    if (pk_parse_int(word, 1, INT_MAX, &number, &ignored)) {
        s->pids[s->n++] = (pid_t)number;
        return true;
    }
    size_t before = s->n;
    s->name = word;
    pk_procfs_each_process(take_named, s);
    if (s->n > before) return true;
    pk_fail(err, PK_E_INPUT, "--pid", "no process is called %s", word);
    pk_fix(err, "ps -e lists names and numbers");
    return false;
}

bool target_check_pids(const char *text, pk_err *err) {
    size_t length = strlen(text);
    if (length && text[0] != ',' && text[length - 1] != ',' && !strstr(text, ",,")) return true;
    pk_fail(err, PK_E_USAGE, NULL, "a process is missing in the list");
    pk_fix(err, "use numbers or names such as 123,456");
    return false;
}

bool target_pids(const pk_text_list *lists, const char *too_many, pk_arena *arena,
                 const pid_t **pids, size_t *n, pk_err *err) {
    search s = {.too_many = too_many};
    if (lists->count && !(s.pids = PK_NEW(arena, PIDS_MAX, pid_t))) return fail_memory(err);
    for (size_t i = 0; i < lists->count; i++) {
        char *list = pk_arena_strdup(arena, lists->items[i]), *rest = NULL;
        if (!list) return fail_memory(err);
        for (char *word = strtok_r(list, ",", &rest); word; word = strtok_r(NULL, ",", &rest))
            if (!add_pid(&s, word, err)) return false;
    }
    *pids = s.pids;
    *n = s.n;
    return true;
}

static bool offer_name(void *context, const pk_process_info *info) {
    if (info->command[0] != '[') pk_choices_add(context, info->name, "all of this name");
    return true;
}

/* Numbers with their command lines; names once something of one was typed. */
void target_complete_pids(pk_choices *choices) {
    const char *typed = pk_choices_typed(choices);
    pk_complete_pids(choices);
    if (typed[0] && !strchr("0123456789", typed[0])) pk_procfs_each_process(offer_name, choices);
}

/* ---- files ---- */

bool target_debug_folders(pk_arena *arena, pk_debug_folders *folders, pk_err *err) {
    static const char *const roots[] = {"/usr/lib/debug", NULL};
    const char *home = getenv("HOME");
    folders->roots = roots;
    if (!home || !home[0]) return true;
    folders->perf_cache = pk_arena_printf(arena, "%s/.debug", home);
    return folders->perf_cache || fail_memory(err);
}

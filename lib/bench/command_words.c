/* Words of a command line, and whether it needs a shell. The rules are those of hyperfine's -N,
 * which are POSIX's (XCU 2.2, quoting) without expansions. */
#include <string.h>

#include "base/strbuf.h"
#include "bench/command.h"
#include "bench/command_parts.h"

enum { LINE_BYTES_MAX = 16 << 20 };

typedef struct lexer {
    const char *at;
    pk_strbuf word;
    bool only_shell;  /* something unquoted that means more than itself */
    bool open_quote;  /* the line ended in one */
    bool second_line; /* a word came after a line break */
    bool begun;
} lexer;

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n';
}

/* To the beginning of the next word; false: there is none. */
static bool skip_blanks(lexer *l) {
    bool broken = false;
    for (;;) {
        if (l->at[0] == '\\' && l->at[1] == '\n') l->at += 2;
        else if (*l->at == '#') l->at += strcspn(l->at, "\n");
        else if (is_blank(*l->at)) broken |= *l->at++ == '\n';
        else break;
    }
    if (*l->at == '\0') return false;
    l->second_line |= broken && l->begun;
    return true;
}

static void single_quoted(lexer *l) {
    size_t length = strcspn(++l->at, "'");
    pk_strbuf_add(&l->word, l->at, length);
    l->at += length;
    if (*l->at) l->at++;
    else l->open_quote = true;
}

static void double_quoted(lexer *l) {
    for (l->at++; *l->at && *l->at != '"'; l->at++) {
        if (*l->at == '\\' && l->at[1] == '\n') {
            l->at++;
            continue;
        }
        if (*l->at == '\\' && l->at[1] && strchr("$`\"\\", l->at[1])) l->at++;
        else if (*l->at == '$' || *l->at == '`') l->only_shell = true;
        pk_strbuf_add_char(&l->word, *l->at);
    }
    if (*l->at) l->at++;
    else l->open_quote = true;
}

static void backslash(lexer *l) {
    l->at++;
    if (*l->at != '\n') pk_strbuf_add_char(&l->word, *l->at ? *l->at : '\\');
    if (*l->at) l->at++;
}

/* The next word into l->word; false at the end. */
static bool next_word(lexer *l) {
    pk_strbuf_clear(&l->word);
    if (!skip_blanks(l)) return false;
    l->begun = true;
    l->only_shell |= *l->at == '~';
    while (*l->at && !is_blank(*l->at) && !l->open_quote) {
        if (*l->at == '\'') single_quoted(l);
        else if (*l->at == '"') double_quoted(l);
        else if (*l->at == '\\') backslash(l);
        else {
            l->only_shell |= strchr("|&;<>()$`*?[", *l->at) != NULL;
            pk_strbuf_add_char(&l->word, *l->at++);
        }
    }
    return true;
}

static void lexer_init(lexer *l, const char *line) {
    *l = (lexer){.at = line};
    pk_strbuf_init(&l->word, LINE_BYTES_MAX);
}

/* The analyser does not look into other files for what is always false. */
static bool no_room(pk_err *err) {
    pk_command_no_room(err);
    return false;
}

static bool count_words(const char *line, size_t *n, pk_err *err) {
    lexer l;
    lexer_init(&l, line);
    for (*n = 0; next_word(&l); ++*n)
        if (!pk_strbuf_ok(&l.word)) break;
    bool ok = pk_strbuf_ok(&l.word);
    if (!ok) pk_fail(err, PK_E_LIMIT, NULL, "a word of the command is too long");
    if (ok && l.open_quote) {
        pk_fail(err, PK_E_INPUT, line, "a quote is opened and never closed");
        pk_fix(err, "close it, or put a backslash before it");
        ok = false;
    }
    pk_strbuf_fini(&l.word);
    return ok;
}

bool pk_command_words(const char *line, pk_arena *arena, const char *const **words, pk_err *err) {
    size_t n;
    if (!count_words(line, &n, err)) return false;
    const char **list = PK_NEW(arena, n + 1, const char *);
    bool ok = list != NULL;
    lexer l;
    lexer_init(&l, line);
    for (size_t i = 0; ok && next_word(&l); i++) {
        list[i] = pk_arena_strndup(arena, l.word.data, l.word.length);
        ok = list[i] != NULL;
    }
    pk_strbuf_fini(&l.word);
    if (!ok) return no_room(err);
    *words = list;
    return true;
}

/* What only a shell knows: reserved words, and commands that change the shell itself. echo, test,
 * true and the like are programs too, and measured as such. */
static bool is_shells_own(const char *word) {
    static const char *const own[] = {
        "!",     "{",     "}",      "case",   "do",   "done",   "elif",    "else",     "esac",
        "fi",    "for",   "if",     "in",     "then", "until",  "while",   "function", "select",
        ":",     ".",     "break",  "eval",   "exec", "exit",   "export",  "readonly", "continue",
        "set",   "shift", "return", "times",  "trap", "unset",  "alias",   "bg",       "cd",
        "fc",    "fg",    "hash",   "jobs",   "read", "type",   "getopts", "command",  "ulimit",
        "umask", "local", "wait",   "source", "[[",   "unalias"};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (strcmp(word, own[i]) == 0) return true;
    return false;
}

static bool is_assignment(const char *text) {
    static const char name[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz0123456789";
    size_t length = strspn(text, name);
    return length > 0 && text[length] == '=' && !(text[0] >= '0' && text[0] <= '9');
}

bool pk_command_needs_shell(const char *line) {
    lexer l;
    lexer_init(&l, line);
    bool needs = !skip_blanks(&l) || is_assignment(l.at);
    needs = needs || (next_word(&l) && is_shells_own(l.word.data));
    while (!needs && next_word(&l)) continue;
    needs |= l.only_shell || l.second_line || !pk_strbuf_ok(&l.word);
    pk_strbuf_fini(&l.word);
    return needs;
}

static bool shell_argv(const pk_command_options *options, const char *line, pk_arena *arena,
                       const char *const **argv, pk_err *err) {
    const char *const *shell;
    size_t n = 0;
    if (!pk_command_words(options->shell ? options->shell : "sh", arena, &shell, err)) return false;
    while (shell[n]) n++;
    if (n == 0) {
        pk_fail(err, PK_E_USAGE, "--shell", "it names no program");
        pk_fix(err, "give one, such as --shell bash, or -N for none");
        return false;
    }
    const char **list = PK_NEW(arena, n + 3, const char *);
    if (!list) return no_room(err);
    memcpy(list, shell, n * sizeof *list);
    list[n] = "-c";
    list[n + 1] = pk_arena_strdup(arena, line);
    if (!list[n + 1]) return no_room(err);
    *argv = list;
    return true;
}

bool pk_command_argv(const pk_command_options *options, const char *line, pk_arena *arena,
                     const char *const **argv, bool *through_shell, pk_err *err) {
    const char *const *words = NULL;
    bool shell = options->shell_kind == PK_SHELL_GIVEN ||
                 (options->shell_kind == PK_SHELL_AUTO && pk_command_needs_shell(line));
    if (shell) {
        if (!shell_argv(options, line, arena, &words, err)) return false;
    } else if (!pk_command_words(line, arena, &words, err)) {
        return false;
    } else if (!words[0]) {
        pk_fail(err, PK_E_INPUT, NULL, "a command is empty");
        pk_fix(err, "name a program");
        return false;
    }
    *argv = words;
    *through_shell = shell;
    return true;
}

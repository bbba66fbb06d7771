#include "cli/choices.h"

#include <string.h>
#include "cli/complete.h"
#include "cli/walk.h"

/* Length of the well-formed UTF-8 sequence at s, 0 if there is none; a control character of the C1
 * set (U+0080..U+009F) counts as none. */
static size_t sequence_bytes(const unsigned char *s) {
    size_t n = s[0] < 0x80 ? 1 : s[0] < 0xC2 ? 0 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
    if (s[0] > 0xF4 || (s[0] == 0xC2 && s[1] < 0xA0)) return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xC0) != 0x80) return 0;
    return n;
}

/* A copy that a terminal and a line protocol can take: no control characters (each becomes
 * `instead`, or nothing if that is 0), well-formed UTF-8. At most max bytes are kept; *cut says
 * whether that was not all. NULL when out of memory. */
static const char *clean(pk_arena *arena, const char *text, size_t max, char instead, bool *cut) {
    char out[PK_CHOICE_VALUE_BYTES + 1];
    size_t length = 0;
    const unsigned char *s = (const unsigned char *)text;
    *cut = false;
    while (*s) {
        size_t n = sequence_bytes(s);
        bool control = n == 0 || *s < 0x20 || *s == 0x7F;
        size_t wanted = control ? (instead != '\0') : n;
        if (length + wanted > max) {
            *cut = true;
            break;
        }
        if (control && instead) out[length++] = instead;
        else if (!control) memcpy(out + length, s, n);
        if (!control) length += n;
        s += n ? n : 1;
    }
    return pk_arena_strndup(arena, out, length);
}

static bool is_known(const pk_choices *choices, const char *value) {
    for (size_t i = 0; i < choices->count; i++)
        if (strcmp(choices->items[i].value, value) == 0) return true;
    return false;
}

void pk_choices_add(pk_choices *choices, const char *value, const char *description) {
    bool cut;
    if (choices->count == PK_CHOICES_MAX) return;
    if (strncmp(value, choices->typed, strlen(choices->typed)) != 0) return;
    const char *shown = clean(choices->arena, value, PK_CHOICE_VALUE_BYTES, '\0', &cut);
    if (!shown || !shown[0] || cut || is_known(choices, shown)) return;
    choices->items[choices->count].value = shown;
    choices->items[choices->count].description =
        description ? clean(choices->arena, description, PK_CHOICE_DESCRIPTION_BYTES, ' ', &cut)
                    : NULL;
    choices->count++;
}

void pk_choices_nospace(pk_choices *choices) {
    choices->nospace = true;
}

void pk_choices_keep_order(pk_choices *choices) {
    choices->keep_order = true;
}

const char *pk_choices_typed(const pk_choices *choices) {
    return choices->typed;
}

const char *pk_choices_option(const pk_choices *choices, const char *name) {
    pk_walk walk;
    pk_token token;
    const char *value = NULL;
    if (!choices->command) return NULL;
    pk_walk_begin(&walk, choices->command, choices->n_words, choices->words);
    while (pk_walk_next(&walk, &token))
        if (token.kind == PK_TOKEN_OPTION && strcmp(token.row->name, name) == 0)
            value = token.value;
    return value;
}

const char *pk_choices_word(const pk_choices *choices, size_t n) {
    pk_walk walk;
    pk_token token;
    if (!choices->command) return NULL;
    pk_walk_begin(&walk, choices->command, choices->n_words, choices->words);
    while (pk_walk_next(&walk, &token))
        if (token.kind == PK_TOKEN_WORD && n-- == 0) return token.value;
    return NULL;
}

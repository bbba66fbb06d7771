/* One value of an option: from text into its field, and its bounds as text. Private to the room. */
#ifndef PK_CLI_VALUE_H
#define PK_CLI_VALUE_H

#include "base/arena.h"
#include "cli/command.h"

/* Parses `text` as the row's kind asks and stores it at `field`. A TEXT_LIST is appended to, a
 * FLAG set and a TALLY raised (text is then ignored). `typed`: by a person, so files and
 * directories are looked at; a default is not. Texts are copied to the arena.
 * On failure the field is untouched and err says what and how to fix; `where` is the caller's. */
bool pk_value_store(const pk_opt *row, const char *text, bool typed, void *field, pk_arena *arena,
                    pk_err *err) PK_MUST_CHECK;

/* "1 to 100000", "1s or more"; "" without bounds. Cut to fit; returns out. */
char *pk_value_range(const pk_opt *row, char *out, size_t bytes);
/* "text, json or quiet"; "" if the row has no values. Cut to fit; returns out. */
char *pk_value_names(const pk_opt *row, char *out, size_t bytes);
#define PK_RANGE_MAX 200

#endif

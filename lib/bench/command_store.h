/* Commands and stored numbers: runs become a baseline of the store (group "time", the command's
 * name as function, each run one sample, so that Criterion's tools read them), and are compared
 * with one, or with a file that --export-json or --json wrote, hyperfine's too.
 *
 * Stored numbers are of another session: a machine drifts between sessions by about as much as its
 * runs differ, and the interval says so (docs/methods.md, "Change, against stored numbers"). */
#ifndef PK_BENCH_COMMAND_STORE_H
#define PK_BENCH_COMMAND_STORE_H

#include "bench/command.h"
#include "bench/store.h"

#define PK_COMMAND_GROUP "time"

/* ---- saving ---- */

/* Makes the runs that count of each result the baseline `name` of its command. Commands with fewer
 * than two are passed over; PK_E_INPUT when that leaves none. */
bool pk_command_store_save(pk_store *store, const pk_command_options *options,
                           const pk_command_report *report, const char *name,
                           pk_err *err) PK_MUST_CHECK;

/* ---- comparing ---- */

typedef struct pk_command_baseline pk_command_baseline;

/* Is the word a file (it ends in ".json"), not the name of a baseline? */
bool pk_command_baseline_is_file(const char *source);

/* A baseline of the store at `home`, or a file. Everything is in the
 * arena. PK_E_INPUT: there is none, or it cannot be read, or holds no commands. */
const pk_command_baseline *pk_command_baseline_load(const char *home, const char *source,
                                                    const pk_command_options *options,
                                                    pk_arena *arena, pk_err *err) PK_MUST_CHECK;
/* Sets .stored of the report's result `index`: [0] of the metric, where wall or CPU, [1] of CPU,
 * where the baseline knows it. A command that the baseline does not have stays uncompared. */
bool pk_command_baseline_compare(const pk_command_baseline *baseline,
                                 const pk_command_options *options, const pk_command_report *report,
                                 size_t index, pk_err *err) PK_MUST_CHECK;

/* ---- files ---- */

typedef struct pk_command_stored { /* one command of a file */
    const char *command;           /* as hyperfine has it: the name */
    const char *line;              /* the command line, where the file tells it apart; or NULL */
    const pk_parameter_value *parameters;
    size_t n_parameters;
    const pk_bench_result *result; /* its runs as workers; id: time/NAME */
} pk_command_stored;

typedef struct pk_command_record {
    const pk_command_stored *items;
    size_t n;
    const pk_environment *environment; /* NULL: not known */
} pk_command_record;

/* text[0..bytes), any bytes: JSON of hyperfine (results with "times") or of perfkit time (results
 * with "runs"). *mine false, and true returned: it is something else. Runs that failed are left out
 * unless `failed_too`; a command without a run left is. In the arena. */
bool pk_command_record_parse(const char *text, size_t bytes, const char *where, bool failed_too,
                             pk_arena *arena, pk_command_record *record, bool *mine,
                             pk_err *err) PK_MUST_CHECK;

#endif

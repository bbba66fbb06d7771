/* perfkit man [TOOL]: the source of the man pages, for `make man`. Hidden: people use man(1). */
#include "cli/help.h"
#include "cmd/commands.h"

typedef struct man_options {
    const char *tool;
} man_options;

// clang-format off
static const pk_opt man_opts[] = {
    {.name = "TOOL", .kind = PK_OPT_TEXT, .offset = PK_FIELD(man_options, tool, const char *),
     .help = "the tool; without it, the page of perfkit itself", .flags = PK_OPT_POSITIONAL},
    {0},
};
// clang-format on

static int man_run(const pk_invocation *invocation, const void *options, pk_err *err) {
    const man_options *o = options;
    (void)invocation;
    if (!o->tool) {
        pk_man_tools(stdout, pk_commands);
        return 0;
    }
    const pk_command *command = pk_cli_find_command(pk_commands, o->tool);
    if (!command || command->hidden) {
        pk_fail(err, PK_E_USAGE, o->tool, "no tool with a man page");
        pk_fix(err, "see perfkit help");
        return 2;
    }
    pk_man_command(stdout, pk_commands, command);
    return 0;
}

const pk_command pk_cmd_man = {
    .name = "man",
    .summary = "print the source of a man page",
    .usage = "[TOOL]",
    .opts = man_opts,
    .options_bytes = sizeof(man_options),
    .helper = true,
    .hidden = true,
    .run = man_run,
};

/* perfkit help [TOOL] */
#include "cli/help.h"

#include "cmd/commands.h"
#include "cmd/terminal.h"

typedef struct help_options {
    const char *tool;
} help_options;

static void complete_tools(pk_choices *choices) {
    pk_choices_keep_order(choices);
    for (size_t i = 0; pk_commands[i]; i++)
        if (!pk_commands[i]->hidden)
            pk_choices_add(choices, pk_commands[i]->name, pk_commands[i]->summary);
}

// clang-format off
static const pk_opt help_opts[] = {
    {.name = "TOOL", .kind = PK_OPT_TEXT, .offset = PK_FIELD(help_options, tool, const char *),
     .help = "the tool to explain; without it, all are listed", .complete = complete_tools,
     .flags = PK_OPT_POSITIONAL},
    {0},
};
static const pk_example help_examples[] = {
    {"perfkit help load", "explain the tool load and all its options"},
    {"perfkit help", "list the tools"},
    {0},
};
// clang-format on

static int help_run(const pk_invocation *invocation, const void *options, pk_err *err) {
    const help_options *o = options;
    (void)invocation;
    int columns = pk_help_columns(stdout);
    bool colour = pk_terminal_colour(stdout, PK_COLOUR_AUTO);
    if (!o->tool) {
        pk_help_tools(stdout, pk_commands, columns, colour);
        return 0;
    }
    const pk_command *command = pk_cli_find_command(pk_commands, o->tool);
    if (!command) command = pk_cli_find_peer(pk_commands, o->tool);
    if (command) {
        char name[80];
        snprintf(name, sizeof name, "perfkit %s", command->name);
        pk_help_command(stdout, command, name, columns, colour);
        return 0;
    }
    const char *near = pk_cli_suggest_command(pk_commands, o->tool);
    pk_fail(err, PK_E_USAGE, o->tool, "no such tool");
    if (near) pk_fix(err, "did you mean %s?", near);
    else pk_fix(err, "see perfkit help");
    return 2;
}

const pk_command pk_cmd_help = {
    .name = "help",
    .summary = "explain a tool",
    .usage = "[TOOL]",
    .opts = help_opts,
    .options_bytes = sizeof(help_options),
    .examples = help_examples,
    .helper = true,
    .run = help_run,
};

/* perfkit completion SHELL: prints the shell's script; the same files are in completions/. */
#include "base/embed.h"
#include "cmd/commands.h"

PK_EMBED(pk_completion_bash, "completions/perfkit.bash");
PK_EMBED(pk_completion_zsh, "completions/_perfkit");
PK_EMBED(pk_completion_fish, "completions/perfkit.fish");

typedef enum shell { SHELL_BASH, SHELL_ZSH, SHELL_FISH } shell;

typedef struct completion_options {
    int shell;
} completion_options;

const char *const pk_cmd_shells[] = {
    [SHELL_BASH] = "bash", [SHELL_ZSH] = "zsh", [SHELL_FISH] = "fish", NULL};

// clang-format off
static const pk_opt completion_opts[] = {
    {.name = "SHELL", .kind = PK_OPT_ENUM, .offset = PK_FIELD(completion_options, shell, int),
     .values = pk_cmd_shells, .help = "the shell that will read the script",
     .flags = PK_OPT_POSITIONAL | PK_OPT_REQUIRED},
    {0},
};
static const pk_example completion_examples[] = {
    {"source <(perfkit completion bash)", "complete in this bash or zsh (zsh: put zsh, after compinit)"},
    {"perfkit completion bash > ~/.local/share/bash-completion/completions/perfkit",
     "bash, from now on; needs the package bash-completion, else source it in ~/.bashrc"},
    {"perfkit completion zsh > ~/.zfunc/_perfkit",
     "zsh, from now on; ~/.zshrc needs fpath=(~/.zfunc $fpath) before compinit"},
    {"perfkit completion fish > ~/.config/fish/completions/perfkit.fish", "fish, from now on"},
    {0},
};
static const pk_section completion_sections[] = {
    {"DESCRIPTION",
     "Prints a script that makes the shell complete tools, options, values, processes and URLs of "
     "running servers. `make install` puts the scripts where the shells find them; by hand, see "
     "EXAMPLES. The scripts know nothing themselves and ask the program, so they stay right when "
     "it changes. Nothing that stands on the command line is evaluated.\n\n"
     "For a link such as perfkit-load, register it beside perfkit: complete -o default -F _perfkit "
     "perfkit-load in bash, compdef _perfkit perfkit-load in zsh, complete -c perfkit-load -k -f -a "
     "'(__perfkit_complete)' in fish. If zsh still does not know a newly installed script, remove ~/.zcompdump "
     "and start it again."},
    {0},
};
// clang-format on

void pk_cmd_print_completion(int which, const char *link) {
    static const char *const registering[] = {
        [SHELL_BASH] = "complete -o default -F _perfkit %s\n",
        [SHELL_ZSH] = "compdef _perfkit %s\n",
        [SHELL_FISH] = "complete -c %s -k -f -a '(__perfkit_complete)'\n",
    };
    switch ((shell)which) {
    case SHELL_BASH:
        fputs(pk_embed_data(pk_completion_bash), stdout);
        break;
    case SHELL_ZSH:
        fputs(pk_embed_data(pk_completion_zsh), stdout);
        break;
    case SHELL_FISH:
        fputs(pk_embed_data(pk_completion_fish), stdout);
        break;
    }
    if (link) printf(registering[which], link);
}

static int completion_run(const pk_invocation *invocation, const void *options, pk_err *err) {
    const completion_options *o = options;
    (void)invocation;
    (void)err;
    pk_cmd_print_completion(o->shell, NULL);
    return 0; /* what could not be written is found by main's last flush */
}

const pk_command pk_cmd_completion = {
    .name = "completion",
    .summary = "print a shell's completion script",
    .usage = "bash|zsh|fish",
    .opts = completion_opts,
    .options_bytes = sizeof(completion_options),
    .examples = completion_examples,
    .sections = completion_sections,
    .helper = true,
    .run = completion_run,
};

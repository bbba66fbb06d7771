/* perfkit __complete WORD... CUR: what the shells' completion scripts ask. */
#include "cli/complete.h"

#include "cmd/commands.h"

int pk_cmd_answer_completion(const pk_command *fixed, bool descriptions, int argc, char **argv) {
    pk_complete(stdout, pk_commands, fixed, descriptions, argc, argv);
    return 0;
}

static int complete_run(int argc, char **argv, pk_err *err) {
    (void)err;
    return pk_cmd_answer_completion(NULL, true, argc, argv);
}

static int complete_no_desc_run(int argc, char **argv, pk_err *err) {
    (void)err;
    return pk_cmd_answer_completion(NULL, false, argc, argv);
}

const pk_command pk_cmd_complete = {
    .name = "__complete",
    .summary = "answer a shell's completion",
    .helper = true,
    .hidden = true,
    .run_words = complete_run,
};

const pk_command pk_cmd_complete_no_desc = {
    .name = "__completeNoDesc",
    .summary = "answer a shell's completion, without descriptions",
    .helper = true,
    .hidden = true,
    .run_words = complete_no_desc_run,
};

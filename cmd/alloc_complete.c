/* perfkit alloc: what completion offers. It reads folders and runs nothing. */
#include "cli/complete.h"
#include "cmd/alloc_cli.h"

/* Functions that are asked for most. */
void alloc_complete_functions(pk_choices *choices) {
    static const char *const functions[][2] = {
        {"libc.so.6:free", "what is freed"},
        {"libc.so.6:memcpy", "copies"},
        {"libc.so.6:write", "writes"},
        {"libc.so.6:read", "reads"},
        {"libc.so.6:open", "files opened"},
        {"libc.so.6:pthread_create", "threads made"},
        {"libstdc++.so.6:__cxa_throw", "exceptions thrown"},
    };
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        pk_choices_add(choices, functions[i][0], functions[i][1]);
}

void alloc_complete_programs(pk_choices *choices) {
    pk_choices_keep_order(choices);
    pk_choices_add(choices, "pid$target::malloc:entry { @[ustack()] = count(); }",
                   "calls by stack");
    pk_choices_add(choices, "pid$target::malloc:entry { @[ustack()] = sum(arg0); }",
                   "bytes by stack");
    pk_choices_add(choices, "pid$target::malloc:entry { @ = quantize(arg0); }", "sizes");
}

void alloc_complete_tunings(pk_choices *choices) {
    pk_choices_add(choices, "ustackframes=", "frames of each stack (20)");
    pk_choices_add(choices, "stackindent=", "blanks before each frame (14)");
    pk_choices_add(choices, "aggsortrev", "the largest first");
    pk_choices_add(choices, "aggsortkey", "by the stacks' text");
    pk_choices_add(choices, "quiet", "as -q");
}

void alloc_complete_folders(pk_choices *choices) {
    pk_complete_paths(choices, "");
}

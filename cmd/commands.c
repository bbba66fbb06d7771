#include "cmd/commands.h"

#include <stddef.h>

const pk_command *const pk_commands[] = {
    // clang-format off
    &pk_cmd_bench, &pk_cmd_time, &pk_cmd_serve, &pk_cmd_load, &pk_cmd_flame, &pk_cmd_alloc,
    &pk_cmd_compare, &pk_cmd_completion, &pk_cmd_help, &pk_cmd_version,
    &pk_cmd_flame_fold, &pk_cmd_flame_draw, &pk_cmd_flame_difference,
    &pk_cmd_man, &pk_cmd_complete, &pk_cmd_complete_no_desc,
    NULL,
    // clang-format on
};

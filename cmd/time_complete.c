/* perfkit time: what completion offers. It reads folders and runs nothing. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/complete.h"
#include "cmd/time_cli.h"

#define PATH_FOLDERS_MAX 64
#define CPUS_MAX 256 /* more are not listed one by one */

typedef void visit_fn(pk_choices *choices, const char *name);

/* Each entry of the folders on PATH; they hold programs, so nobody is asked whether they do. */
static void visit_path(pk_choices *choices, visit_fn *visit) {
    const char *path = getenv("PATH");
    for (size_t i = 0; path && *path && i < PATH_FOLDERS_MAX; i++) {
        char folder[1024];
        size_t length = strcspn(path, ":");
        snprintf(folder, sizeof folder, "%.*s", (int)length, path);
        path += length + (path[length] == ':');
        DIR *dir = folder[0] == '/' ? opendir(folder) : NULL;
        for (struct dirent *entry; dir && (entry = readdir(dir));)
            if (entry->d_name[0] != '.') visit(choices, entry->d_name);
        if (dir) closedir(dir);
    }
}

static void offer_program(pk_choices *choices, const char *name) {
    pk_choices_add(choices, name, NULL);
}

/* All programs there are would be of no use: something has to be typed first. */
void time_complete_command(pk_choices *choices) {
    const char *typed = pk_choices_typed(choices);
    bool is_path = strchr(typed, '/') != NULL;
    if (typed[0] && !is_path) visit_path(choices, offer_program);
    pk_complete_paths(choices, is_path ? "*" : "");
}

static void offer_shell(pk_choices *choices, const char *name) {
    static const char *const shells[] = {"sh",  "bash", "dash", "zsh",   "fish",
                                         "ksh", "mksh", "nu",   "elvish"};
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (strcmp(name, shells[i]) == 0) pk_choices_add(choices, name, NULL);
}

void time_complete_shell(pk_choices *choices) {
    pk_choices_add(choices, "default", "sh");
    pk_choices_add(choices, "none", "as -N");
    visit_path(choices, offer_shell);
}

void time_complete_input(pk_choices *choices) {
    pk_choices_add(choices, "null", "nothing");
    pk_complete_paths(choices, "*");
}

void time_complete_output(pk_choices *choices) {
    pk_choices_add(choices, "null", "thrown away");
    pk_choices_add(choices, "pipe", "read by perfkit");
    pk_choices_add(choices, "inherit", "shown");
    if (strchr(pk_choices_typed(choices), '/')) pk_complete_paths(choices, "*");
}

void time_complete_cpus(pk_choices *choices) {
    char text[32];
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    pk_choices_keep_order(choices);
    if (n > 1) {
        snprintf(text, sizeof text, "0-%ld", n - 1);
        pk_choices_add(choices, text, "all of them");
    }
    for (long i = 0; i < n && i < CPUS_MAX; i++) {
        snprintf(text, sizeof text, "%ld", i);
        pk_choices_add(choices, text, NULL);
    }
}

void time_complete_ignore(pk_choices *choices) {
    pk_choices_add(choices, "all-non-zero", "whatever the code");
}

/* The completer of paths, for words that may be a path or something else. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "cli/choices.h"
#include "cli/complete.h"
#include "cli/walk.h"

#define ENTRIES_MAX 10000 /* looked at, so that a huge directory cannot hold the shell up */

static bool has_suffix(const char *name, const char *suffixes) {
    size_t length;
    const char *dot = strrchr(name, '.');
    if (strcmp(suffixes, "*") == 0) return true;
    if (!dot || dot == name) return false;
    for (const char *s; (s = pk_name_next(&suffixes, &length));)
        if (strlen(dot + 1) == length && memcmp(dot + 1, s, length) == 0) return true;
    return false;
}

/* Offers directory + name, if that is a directory or a wanted file. */
static void offer_entry(pk_choices *choices, const char *directory, const char *name,
                        const char *suffixes) {
    char path[PK_CHOICE_VALUE_BYTES];
    struct stat st;
    int n = snprintf(path, sizeof path - 1, "%s%s", directory, name);
    if (n < 0 || (size_t)n >= sizeof path - 1 || stat(path, &st) < 0) return;
    if (S_ISDIR(st.st_mode)) {
        path[n] = '/';
        path[n + 1] = '\0';
        pk_choices_add(choices, path, NULL);
    } else if (S_ISREG(st.st_mode) && has_suffix(name, suffixes)) {
        pk_choices_add(choices, path, NULL);
    }
}

void pk_complete_paths(pk_choices *choices, const char *suffixes) {
    char directory[PK_CHOICE_VALUE_BYTES];
    const char *slash = strrchr(choices->typed, '/');
    size_t length = slash ? (size_t)(slash - choices->typed) + 1 : 0;
    const char *begin = choices->typed + length;
    if (length >= sizeof directory) return;
    memcpy(directory, choices->typed, length);
    directory[length] = '\0';
    DIR *dir = opendir(length ? directory : ".");
    if (!dir) return;
    struct dirent *entry;
    for (int i = 0; i < ENTRIES_MAX && (entry = readdir(dir)); i++) {
        const char *name = entry->d_name;
        bool hidden = name[0] == '.' && begin[0] != '.';
        if (hidden || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
        if (strncmp(name, begin, strlen(begin)) == 0)
            offer_entry(choices, directory, name, suffixes);
    }
    closedir(dir);
    /* Behind a directory goes on the path, not the next word. */
    const char *only = choices->count == 1 ? choices->items[0].value : "";
    if (only[0] && only[strlen(only) - 1] == '/') pk_choices_nospace(choices);
}

#include "cli/describe.h"

#include <string.h>
#include "cli/value.h"
#include "cli/walk.h"

static const char *group_of(const pk_opt *row) {
    if (row->flags & PK_OPT_POSITIONAL) return "Arguments";
    return row->group ? row->group : "Options";
}

bool pk_describe_in_group(const pk_opt *row, const char *group) {
    return !(row->flags & PK_OPT_HIDDEN) && strcmp(group_of(row), group) == 0;
}

static bool is_known(const char *const groups[], size_t n, const char *group) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(groups[i], group) == 0) return true;
    return false;
}

size_t pk_describe_groups(const pk_command *command, const char *groups[PK_GROUPS_MAX]) {
    size_t n = 0;
    for (int options = 0; options < 2; options++) {
        for (const pk_opt *row = command->opts; row && row->name; row++) {
            bool option = !(row->flags & PK_OPT_POSITIONAL);
            if (option != options || row->flags & PK_OPT_HIDDEN) continue;
            if (is_known(groups, n, group_of(row))) continue;
            if (n < PK_GROUPS_MAX) groups[n++] = group_of(row);
        }
    }
    return n;
}

char *pk_describe_value(const pk_opt *row, char *out, size_t bytes) {
    size_t used = 0, length;
    const char *list = row->arg ? row->arg : "value";
    if (bytes > 0) out[0] = '\0';
    if (!pk_opt_takes_value(row)) return out;
    if (pk_opt_words(row) == 1) { /* its name may have blanks */
        snprintf(out, bytes, row->bare ? "[=<%s>]" : " <%s>", list);
        return out;
    }
    for (const char *name; (name = pk_name_next(&list, &length)) && used < bytes;) {
        int more = snprintf(out + used, bytes - used, " <%.*s>", (int)length, name);
        if (more > 0) used += (size_t)more;
    }
    return out;
}

static void add_item(pk_strbuf *sb, size_t start, const char *text) {
    if (sb->length > start) pk_strbuf_add_str(sb, "; ");
    pk_strbuf_add_str(sb, text);
}

void pk_describe_limits(pk_strbuf *sb, const pk_opt *row) {
    char range[PK_RANGE_MAX];
    size_t start = sb->length;
    pk_strbuf_add_str(sb, pk_value_names(row, range, sizeof range));
    pk_value_range(row, range, sizeof range);
    if (range[0]) add_item(sb, start, range);
    if (pk_opt_repeats(row) && !(row->flags & PK_OPT_REST)) add_item(sb, start, "repeatable");
    if (row->flags & PK_OPT_REQUIRED && !(row->flags & PK_OPT_POSITIONAL))
        add_item(sb, start, "required");
    const char *shown = row->shown_default ? row->shown_default : row->fallback;
    if (shown) {
        add_item(sb, start, "default ");
        pk_strbuf_add_str(sb, shown[0] ? shown : "empty");
    }
}

bool pk_describe_listed(const pk_command *command, bool helper) {
    return !command->hidden && command->helper == helper;
}

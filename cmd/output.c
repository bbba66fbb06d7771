#include "cmd/output.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/units.h"

bool output_owner(pk_file_owner *owner) {
    const char *user = getenv("SUDO_UID"), *group = getenv("SUDO_GID");
    int64_t uid, gid;
    pk_err ignored;
    if (geteuid() != 0 || !user || !group) return false;
    if (!pk_parse_int(user, 0, UINT32_MAX - 1, &uid, &ignored)) return false;
    if (!pk_parse_int(group, 0, UINT32_MAX - 1, &gid, &ignored)) return false;
    *owner = (pk_file_owner){.user = (uid_t)uid, .group = (gid_t)gid};
    return true;
}

bool output_write(const char *path, const void *data, size_t bytes, pk_err *err) {
    pk_file_owner owner;
    return pk_file_replace_for(path, data, bytes, output_owner(&owner) ? &owner : NULL, err);
}

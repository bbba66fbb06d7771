#include "load/load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What a class is called in JSON, what the report says of it, and whose limit it is. The texts are
 * the ones oha prints for the same cause where it has one, since scripts match them. */
typedef struct error_class {
    const char *name;
    const char *text;
    bool system_text; /* with an errno the text is the system's: "Connection refused (os error 111)"
                       */
    const char *advice; /* a limit of this machine, and how to lift it; NULL: not ours */
} error_class;

// clang-format off
static const error_class classes[PK_LOAD_E_CLASSES] = {
    [PK_LOAD_NO_ERROR]      = {"none",        "no error", false, NULL},
    [PK_LOAD_E_DEADLINE]    = {"deadline",    "aborted due to deadline", false, NULL},
    [PK_LOAD_E_TIMEOUT]     = {"timeout",     "timeout", false, NULL},
    [PK_LOAD_E_DNS]         = {"dns",         "host name cannot be resolved", false, NULL},
    [PK_LOAD_E_CONNECT]     = {"connect",     "cannot connect", true, NULL},
    [PK_LOAD_E_PROXY]       = {"proxy",       "the proxy opened no tunnel", false, NULL},
    [PK_LOAD_E_TLS]         = {"tls",         "TLS handshake failed", false, NULL},
    [PK_LOAD_E_SEND]        = {"send",        "error sending the request", false, NULL},
    [PK_LOAD_E_RESET]       = {"reset",       "connection error", false, NULL},
    [PK_LOAD_E_EMPTY]       = {"empty",       "connection closed before message completed", false, NULL},
    [PK_LOAD_E_TRUNCATED]   = {"truncated",   "error reading a body from connection", false, NULL},
    [PK_LOAD_E_MALFORMED]   = {"malformed",   "malformed response", false, NULL},
    [PK_LOAD_E_TOO_LARGE]   = {"too_large",   "response head too large", false, NULL},
    [PK_LOAD_E_PORTS]       = {"ports",       "no free local port", true, "keep connections alive, lower the rate, or widen net.ipv4.ip_local_port_range"},
    [PK_LOAD_E_FILES]       = {"files",       "too many open files", true, "raise it with `ulimit -n`, or lower -c"},
    [PK_LOAD_E_MEMORY]      = {"memory",      "out of memory in perfkit", false, "lower -c"},
    [PK_LOAD_E_INTERRUPTED] = {"interrupted", "aborted by an interrupt", false, NULL},
    [PK_LOAD_E_OTHER]       = {"other",       "other error", false, NULL},
};
// clang-format on

static const error_class *class_of(pk_load_error_class class_) {
    return &classes[(unsigned)class_ < PK_LOAD_E_CLASSES ? class_ : PK_LOAD_E_OTHER];
}

const char *pk_load_error_text(char *out, size_t bytes, pk_load_error_class class_, int sys_errno) {
    const error_class *c = class_of(class_);
    if (class_ == PK_LOAD_E_PROXY && sys_errno > 0) {
        snprintf(out, bytes, "%s: it answered CONNECT with %d", c->text, sys_errno);
        return out;
    }
    /* strerrordesc_np, not strerror: thread-safe, and the same in every locale */
    const char *system = sys_errno > 0 ? strerrordesc_np(sys_errno) : NULL;
    if (sys_errno <= 0) snprintf(out, bytes, "%s", c->text);
    else if (c->system_text && system) snprintf(out, bytes, "%s (os error %d)", system, sys_errno);
    else
        snprintf(out, bytes, "%s: %s (os error %d)", c->text, system ? system : "unknown",
                 sys_errno);
    return out;
}

const char *pk_load_error_name(pk_load_error_class class_) {
    return class_of(class_)->name;
}

bool pk_load_error_is_ours(pk_load_error_class class_) {
    return class_of(class_)->advice != NULL;
}

const char *pk_load_error_advice(pk_load_error_class class_) {
    const char *advice = class_of(class_)->advice;
    return advice ? advice : "";
}

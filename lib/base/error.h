/* Errors as values: what happened, where, and how to fix it.
 * Fallible functions return bool (or a pointer), take `pk_err *err` last and leave their outputs
 * untouched on failure. lib/ never prints: only cmd/perfkit.c turns a pk_err into a line. */
#ifndef PK_BASE_ERROR_H
#define PK_BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>

#define PK_MUST_CHECK __attribute__((warn_unused_result))
#define PK_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

typedef enum pk_err_kind {
    PK_OK = 0,
    PK_E_USAGE,       /* the command line is wrong */
    PK_E_INPUT,       /* a file, URL or other input cannot be used */
    PK_E_SYS,         /* a system call failed; sys_errno says why */
    PK_E_LIMIT,       /* a bound of ours or of the system (memory, descriptors) was met */
    PK_E_UNSUPPORTED, /* this build or this machine cannot do it */
    PK_E_INTERNAL,    /* our mistake; the line says where to report it */
} pk_err_kind;

typedef struct pk_err {
    pk_err_kind kind;
    int sys_errno;   /* 0: none; else shown as strerror() */
    char where[256]; /* a file, an option, an address; may be empty */
    char what[512];
    char fix[256]; /* may be empty */
} pk_err;

/* Fills *err; clears an earlier fix. PK_E_SYS keeps the errno that stands at the call; errno itself
 * stays as it is. `where` may be NULL; it and the arguments may be texts of *err (to wrap an
 * error). PK_E_INTERNAL gets its advice by itself. Text that does not fit is cut. */
void pk_fail(pk_err *err, pk_err_kind kind, const char *where, const char *what, ...)
    PK_PRINTF(4, 5);

/* Adds the advice. Call after pk_fail. */
void pk_fix(pk_err *err, const char *fix, ...) PK_PRINTF(2, 3);

#define PK_ERR_LINE_MAX 1280 /* holds any error uncut */

/* Writes "where: what: strerror; fix" into out[0..bytes), NUL-terminated; absent parts are left out
 * with their separators. Always one line of valid UTF-8: control characters and bytes that are no
 * text become '?', and what does not fit is cut between characters. Returns its length. */
size_t pk_err_format(const pk_err *err, char *out, size_t bytes);

#endif

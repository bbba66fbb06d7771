/* One request and its answer: MHD's callbacks, from the request line to the completed answer. */
#ifndef PK_SERVE_EXCHANGE_H
#define PK_SERVE_EXCHANGE_H

#include <stdarg.h>
#include "serve/server.h"

/* In all of them cls is the pk_worker.
 * The request line is there: MHD_OPTION_URI_LOG_CALLBACK. */
void *pk_exchange_line(void *cls, const char *target, struct MHD_Connection *mhd);
/* The access handler. */
enum MHD_Result pk_exchange_handle(void *cls, struct MHD_Connection *mhd, const char *url,
                                   const char *method, const char *version, const char *upload,
                                   size_t *upload_bytes, void **context);
/* MHD_OPTION_NOTIFY_COMPLETED. */
void pk_exchange_done(void *cls, struct MHD_Connection *mhd, void **context,
                      enum MHD_RequestTerminationCode how);
/* MHD_OPTION_NOTIFY_CONNECTION. */
void pk_exchange_connection(void *cls, struct MHD_Connection *mhd, void **context,
                            enum MHD_ConnectionNotificationCode what);
/* MHD_OPTION_EXTERNAL_LOGGER. */
void pk_exchange_log(void *cls, const char *fmt, va_list args);

/* What a request's head says about its framing, gathered one field at a time. Start zeroed. */
typedef struct pk_head_check {
    bool host, content_length, transfer_encoding, expects_continue;
    uint64_t content_bytes; /* UINT64_MAX: more than that, or no number */
    unsigned status;        /* to refuse the request with; 0: nothing wrong so far */
    size_t parts;           /* fields, query parameters and cookies: each costs MHD memory */
    const char *why;
} pk_head_check;
/* Pure. False: refused, status and why say how. RFC 9110 5.6.2 (tokens), RFC 9112 3.2 (one Host),
 * 5.1 (no blank before the colon), 6.1 and 6.3 (length and coding never together; smuggling). */
bool pk_head_check_field(pk_head_check *check, const char *name, size_t name_bytes,
                         const char *value, size_t value_bytes);

#endif

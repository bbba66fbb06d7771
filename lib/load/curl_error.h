/* libcurl's result codes in our words. */
#ifndef PK_LOAD_CURL_ERROR_H
#define PK_LOAD_CURL_ERROR_H

#include <curl/curl.h>
#include <stdbool.h>
#include "load/load.h"

/* os_errno: CURLINFO_OS_ERRNO; got_bytes: some of the response's head had come. *sys_errno: what
 * is worth showing with the class, or 0. */
pk_load_error_class pk_curl_error_class(CURLcode code, int os_errno, bool got_bytes,
                                        int *sys_errno);

#endif
